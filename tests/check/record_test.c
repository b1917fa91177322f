/*
 * record_test.c - the record of accesses, row by row: a driver (drivers/touch.c) does exactly known accesses, and every
 * row they leave is compared.
 *
 * One kernel for all tests, which run in order. Without protection raw instructions leave no rows; those tests say so.
 */
#include "record_internal.h"
#include "check.h"
#include "touch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define PAGE             4096u
#define ROWS_MAX         64u
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define MISALIGNMENT     ((uma_status)0x80000002)
#define APC_LEVEL        1

static const char *driver_path;
static struct uma_driver *driver;
static uma_file file;
static uint64_t in, out; /* a page each */
static struct uma_trace_row rows[ROWS_MAX];
static size_t first[ROWS_MAX];

/* What a row must be; ANY where the test does not know. */
struct expected {
    enum uma_trace_how how;
    enum uma_trace_access access;
    const char *name;
    uint64_t address, size;
    const char *value; /* value_size bytes; null: none */
    uma_status status; /* raised; 0: complete */
    uint64_t fault;
    uint64_t stored; /* of an update */
};
#define ANY UINT64_MAX

static int start_record(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX};
    (void)state;
    return uma_trace_start(&options);
}

static bool sees_raw(void)
{
    return strcmp(uma_protect_in_use(), "none") != 0;
}

static bool has_symbols(void)
{
    return access("/usr/bin/llvm-symbolizer-19", X_OK) == 0;
}

static size_t rows_of_last(void)
{
    size_t count = uma_trace_count();
    assert_true(count <= ROWS_MAX);
    assert_int_equal(uma_trace_dropped(), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(uma_trace_row(i, &rows[i]));
    return count;
}

/* Sends the group's request and fetches its rows. */
static size_t touch(enum touch_group group, uint64_t input, uint64_t output)
{
    static uint64_t number;
    uma_trace_clear();
    uma_trace_request(++number);
    assert_int_equal(uma_ioctl(file, TOUCH_CODE(group), input, 8, output, 8).status, 0);
    size_t count = rows_of_last();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].request, number);
        assert_true(rows[i].user_mode || rows[i].thread != 1);
    }
    return count;
}

static void check_row(const struct uma_trace_row *row, const struct expected *expected, size_t index)
{
    char text[256];
    snprintf(text, sizeof(text), "row %zu: how %d %s access %d at 0x%llx size %llu outcome %d status 0x%x", index,
             row->how, row->name ? row->name : "-", row->access, (unsigned long long)row->address,
             (unsigned long long)row->size, row->outcome, (unsigned)row->status);
    bool right = row->how == expected->how && row->access == expected->access &&
                 (row->name && expected->name ? !strcmp(row->name, expected->name) : row->name == expected->name) &&
                 row->address == expected->address && row->size == expected->size && row->status == expected->status &&
                 row->outcome == (expected->status ? UMA_TRACE_RAISED : UMA_TRACE_COMPLETE) &&
                 (expected->fault == ANY || row->fault_address == expected->fault);
    if (!right)
        fail_msg("%s", text);
    unsigned bytes = row->size < UMA_TRACE_VALUE ? (unsigned)row->size : UMA_TRACE_VALUE;
    if (row->value_size != (expected->value ? bytes : 0) ||
        (expected->value && memcmp(row->value, expected->value, bytes)))
        fail_msg("%s: value of %u bytes: %02x %02x ...", text, row->value_size, row->value[0], row->value[1]);
    assert_int_equal(row->digest != 0, expected->value && row->size > UMA_TRACE_VALUE);
    uint64_t stored;
    memcpy(&stored, row->stored, sizeof(stored));
    assert_int_equal(stored, expected->stored);
}

static void check_rows(size_t count, const struct expected *expected, size_t expected_count,
                       enum uma_trace_handler handler)
{
    for (size_t i = 0; i < count && i < expected_count; i++) {
        check_row(&rows[i], &expected[i], i);
        assert_int_equal(rows[i].handler, handler);
        assert_int_equal(rows[i].irql, 0);
        assert_true(rows[i].pc[0] != 0);
    }
    assert_int_equal(count, expected_count);
}
#define CHECK(count, expected, handler) check_rows(count, expected, sizeof(expected) / sizeof(expected[0]), handler)

static void fill(uint64_t address, const char *text)
{
    static const char nothing[64];
    assert_true(uma_user_store(address, nothing, sizeof(nothing)));
    assert_true(uma_user_store(address, text, strlen(text)));
}

#define ALPHABET "abcdefghijklmnopqrstuvwxyz"

/* ---- accessors ---- */

static void scalars(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUCharFromUser", in, 1, "a", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUShortFromUser", in + 2, 2, "cd", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadULongFromUser", in + 4, 4, "efgh", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadULong64FromUser", in + 8, 8, "ijklmnop", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "WriteUCharToUser", out, 1, "\x11", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "WriteUShortToUser", out + 2, 2, "\"\"", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "WriteULongToUser", out + 4, 4, "3333", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "WriteULong64ToUser", out + 8, 8, "DDDDDDDD", 0, 0, 0},
    };
    CHECK(touch(TOUCH_SCALARS, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

static void copies(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    fill(out, "");
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyFromUser", in, 20, ALPHABET, 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "CopyToUser", out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyFromUserNonTemporal", in + 1, 5, "bcdef", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "CopyToUserNonTemporal", out + 8, 5, "bcdef", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyToUserFromUser", in, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "CopyToUserFromUser", out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "MoveToUserFromUser", out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "MoveToUserFromUser", out + 1, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "SetUserMemory", out, 20, "ZZZZZZZZZZZZZZZZ", 0, 0, 0},
    };
    CHECK(touch(TOUCH_COPIES, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

static void strings(void **state)
{
    (void)state;
    fill(in, "hello");
    fill(out, "");
    assert_true(uma_user_store(out, "w\0i\0d\0e\0", 8));
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "StringLengthFromUser", in, 6, "hello", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "WideStringLengthFromUser", out, 10, "w\0i\0d\0e\0\0", 0, 0, 0},
    };
    CHECK(touch(TOUCH_STRINGS, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

static void interlocked(void **state)
{
    (void)state;
    fill(in, "\x01");
    fill(out, "\x02");
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_UPDATE, "InterlockedOr32ToUser", in, 4, "\x01\0\0", 0, 0, 0x11},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_UPDATE, "InterlockedAnd32ToUser", in, 4, "\x11\0\0", 0, 0, 0x11},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_UPDATE, "InterlockedCompareExchange32ToUser", in, 4, "\x11\0\0", 0, 0, 7},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_UPDATE, "InterlockedCompareExchange64ToUser", out, 8, "\x02\0\0\0\0\0\0", 0, 0,
         2},
    };
    CHECK(touch(TOUCH_INTERLOCKED, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

/* Accessors that are built on others are named themselves, and the driver's function is shown, not the library's. */
static void families(void **state)
{
    static const char *const names[] = {"ReadStructFromUser", "ReadUnicodeStringFromUser", "WriteStructToUser"};
    (void)state;
    fill(in, ALPHABET);
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyFromUser", in, 24, ALPHABET, 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyFromUser", in, 16, ALPHABET, 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "CopyToUser", out, 24, ALPHABET, 0, 0, 0},
    };
    CHECK(touch(TOUCH_FAMILIES, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
    check_sites_ahead(rows, 3);
    for (size_t i = 0; has_symbols() && i < 3; i++) {
        struct check_site site;
        check_site(&rows[i], &site);
        assert_string_equal(site.name, names[i]);
        assert_non_null(strstr(site.place, "touch!Families+"));
        assert_non_null(strstr(site.place, "touch.c:"));
    }
}

/* ---- outside of accessors ---- */

static void raw(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    fill(out, "");
    assert_true(uma_user_store(out + 4, "\x02", 1));
    const struct expected expected[] = {
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in, 1, "a", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in + 4, 4, "efgh", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in + 8, 8, "ijklmnop", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_WRITE, NULL, out + 2, 2, "\x34\x12", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_UPDATE, NULL, out + 4, 4, "\x02\0\0", 0, 0, 7},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in, 16, ALPHABET, 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_WRITE, NULL, out + 16, 16, ALPHABET, 0, 0, 0},
    };
    size_t count = touch(TOUCH_RAW, in, out);
    if (sees_raw())
        CHECK(count, expected, UMA_TRACE_DRIVER_HANDLER);
    else
        assert_int_equal(count, 0);
}

static void repeated(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    const struct expected expected[] = {
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in, 20, ALPHABET, 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_WRITE, NULL, out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_RAW, UMA_TRACE_WRITE, NULL, out, 20, "dcbadcbadcbadcba", 0, 0, 0},
    };
    size_t count = touch(TOUCH_REPEATED, in, out);
    if (sees_raw())
        CHECK(count, expected, UMA_TRACE_DRIVER_HANDLER);
    else
        assert_int_equal(count, 0);
}

static void exports(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    fill(out, "");
    const struct expected expected[] = {
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "memcpy", in, 20, ALPHABET, 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_WRITE, "memcpy", out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "memmove", out, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_WRITE, "memmove", out + 1, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_WRITE, "memset", out, 5, "zzzzz", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "RtlCompareMemory", in, 5, "abcde", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "strlen", in, 27, ALPHABET, 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_WRITE, "strcpy", out, 4, "abc", 0, 0, 0},
    };
    size_t count = touch(TOUCH_EXPORTS, in, out);
    if (sees_raw())
        CHECK(count, expected, UMA_TRACE_DRIVER_HANDLER);
    else
        check_rows(count, expected, 6, UMA_TRACE_DRIVER_HANDLER);
}

static void probes(void **state)
{
    (void)state;
    const struct expected expected[] = {
        {UMA_TRACE_PROBE, UMA_TRACE_READ, "ProbeForRead", in, 20, NULL, 0, 0, 0},
        {UMA_TRACE_PROBE, UMA_TRACE_WRITE, "ProbeForWrite", out, 20, NULL, 0, 0, 0},
    };
    CHECK(touch(TOUCH_PROBES, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

static void locks(void **state)
{
    (void)state;
    const struct expected expected[] = {
        {UMA_TRACE_LOCK, UMA_TRACE_READ, NULL, in, 20, NULL, 0, 0, 0},
        {UMA_TRACE_LOCK, UMA_TRACE_WRITE, NULL, out, 5, NULL, 0, 0, 0},
    };
    CHECK(touch(TOUCH_LOCK, in, out), expected, UMA_TRACE_DRIVER_HANDLER);
}

static void buffered(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    uma_trace_clear();
    assert_int_equal(uma_ioctl(file, TOUCH_BUFFERED, in, 24, out, 24).information, 24);
    const struct expected expected[] = {
        {UMA_TRACE_PROBE, UMA_TRACE_WRITE, "ProbeForWrite", out, 24, NULL, 0, 0, 0},
        {UMA_TRACE_KERNEL, UMA_TRACE_READ, NULL, in, 24, ALPHABET, 0, 0, 0},
        {UMA_TRACE_KERNEL, UMA_TRACE_WRITE, NULL, out, 24, ALPHABET, 0, 0, 0},
    };
    assert_int_equal(rows_of_last(), 3);
    for (size_t i = 0; i < 3; i++) {
        check_row(&rows[i], &expected[i], i);
        assert_int_equal(rows[i].handler, UMA_TRACE_KERNEL_HANDLER);
        assert_int_equal(rows[i].pc[0], 0);
    }
    uma_trace_clear();
    assert_int_equal(uma_ioctl(file, TOUCH_DIRECT, 0, 0, out, 8).status, 0);
    assert_int_equal(rows_of_last(), 1);
    check_row(&rows[0], &(struct expected){UMA_TRACE_LOCK, UMA_TRACE_WRITE, NULL, out, 8, NULL, 0, 0, 0}, 0);
}

/* ---- what fails ---- */

static void faults(void **state)
{
    (void)state;
    uint64_t bad = in + PAGE, last = bad - 30, kernel;
    fill(in, "");
    assert_true(uma_user_store(last, "123456789012345678901234567890", 30));
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadULongFromUser", bad, 4, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyFromUser", last, 40, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "CopyToUserFromUser", last, 5, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "CopyToUserFromUser", bad, 5, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "StringLengthFromUser", last, 30, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_UPDATE, "InterlockedOr32ToUser", last + 3, 4, NULL, MISALIGNMENT, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_WRITE, "WriteUCharToUser", 0, 1, NULL, ACCESS_VIOLATION, ANY, 0},
        {UMA_TRACE_PROBE, UMA_TRACE_READ, "ProbeForRead", 0, 5, NULL, ACCESS_VIOLATION, ANY, 0},
        {UMA_TRACE_PROBE, UMA_TRACE_WRITE, "ProbeForWrite", bad, 5, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_LOCK, UMA_TRACE_WRITE, NULL, bad, 5, NULL, ACCESS_VIOLATION, ANY, 0},
    };
    struct expected now[sizeof(expected) / sizeof(expected[0])];
    size_t count = touch(TOUCH_FAULTS, last, bad);
    memcpy(now, expected, sizeof(now));
    kernel = rows[6].address; /* the driver's own block */
    assert_true(kernel > bad);
    now[6].address = now[7].address = kernel;
    CHECK(count, now, UMA_TRACE_DRIVER_HANDLER);
}

static void raw_faults(void **state)
{
    (void)state;
    uint64_t bad = in + PAGE, last = bad - 30;
    /* Without protection nobody hears of a rep movs until it faults; by then its registers tell of the rest only. */
    uint64_t rest = sees_raw() ? last : bad;
    const struct expected expected[] = {
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, bad, 4, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_RAW, UMA_TRACE_WRITE, NULL, bad, 2, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "memcpy", last, 40, NULL, ACCESS_VIOLATION, ANY, 0},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, rest, last + 40 - rest, NULL, ACCESS_VIOLATION, bad, 0},
        {UMA_TRACE_RAW, UMA_TRACE_READ, NULL, 0, 4, NULL, ACCESS_VIOLATION, 0, 0},
    };
    size_t count = touch(TOUCH_RAW_FAULTS, last, bad);
    assert_true(rows[2].fault_address >= bad && rows[2].fault_address < last + 40);
    CHECK(count, expected, UMA_TRACE_DRIVER_HANDLER);
}

static void without_handler(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadULongFromUser", in, 4, "abcd", 0, 0, 0},
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "memcpy", in, 5, "abcde", 0, 0, 0},
    };
    CHECK(touch(TOUCH_NO_HANDLER, in, out), expected, UMA_TRACE_NO_HANDLER);
    const struct expected expected_raw[] = {{UMA_TRACE_RAW, UMA_TRACE_READ, NULL, in, 4, "abcd", 0, 0, 0}};
    size_t count = touch(TOUCH_RAW_NO_HANDLER, in, out);
    if (sees_raw())
        CHECK(count, expected_raw, UMA_TRACE_NO_HANDLER);
    else
        assert_int_equal(count, 0);
}

static void beside_a_handler(void **state)
{
    (void)state;
    fill(in, ALPHABET);
    const struct expected expected[] = {
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUCharFromUser", in, 1, "a", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUCharFromUser", in + 1, 1, "b", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUCharFromUser", in + 2, 1, "c", 0, 0, 0},
        {UMA_TRACE_ACCESSOR, UMA_TRACE_READ, "ReadUCharFromUser", in + 3, 1, "d", 0, 0, 0},
    };
    CHECK(touch(TOUCH_BESIDE_HANDLER, in, out), expected, UMA_TRACE_NO_HANDLER);
}

/* ---- who, and at which IRQL ---- */

enum { THREADS = 4, ROUNDS = 50, SCALARS = 8 };

static void touch_often(void *context)
{
    const uint64_t number = *(const uint64_t *)context;
    uma_trace_request(number);
    for (int i = 0; i < ROUNDS; i++)
        uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
}

/* Nothing is lost or mixed up: each thread's rows are its own, whole and in order. */
static void threads_at_once(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = THREADS * ROUNDS * SCALARS};
    struct uma_thread *threads[THREADS];
    uint64_t numbers[THREADS];
    unsigned seen[THREADS] = {0}, thread[THREADS] = {0};
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = 100 + i;
        assert_int_equal(uma_thread_start(touch_often, &numbers[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        uma_thread_join(threads[i]);
    assert_int_equal(uma_trace_count(), options.limit);
    assert_int_equal(uma_trace_dropped(), 0);
    for (size_t i = 0; i < options.limit; i++) {
        struct uma_trace_row row;
        assert_true(uma_trace_row(i, &row));
        const unsigned who = (unsigned)(row.request - 100);
        assert_true(who < THREADS);
        const unsigned which = seen[who]++ % SCALARS;
        thread[who] = thread[who] ? thread[who] : row.thread;
        assert_int_equal(row.thread, thread[who]);
        assert_int_equal(row.outcome, UMA_TRACE_COMPLETE);
        assert_int_equal(row.size, 1u << which % 4);
        assert_int_equal(row.access, which < 4 ? UMA_TRACE_READ : UMA_TRACE_WRITE);
    }
    assert_int_equal(start_record(NULL), 0);
}

static void irql_and_thread(void **state)
{
    (void)state;
    assert_int_equal(touch(TOUCH_IRQL, in, out), 1);
    assert_int_equal(rows[0].irql, APC_LEVEL);
    assert_int_equal(rows[0].thread, 1);
    assert_int_equal(touch(TOUCH_THREAD, in, out), 1);
    assert_int_equal(rows[0].irql, 0);
    assert_true(rows[0].thread > 1);
    assert_false(rows[0].user_mode);
}

/* ---- fetched again ---- */

static void refetches(void **state)
{
    struct uma_trace_row made[] = {
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_PROBE},
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_ACCESSOR},
        {.address = 0x1004, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_WRITE, .how = UMA_TRACE_RAW},
        {.address = 0x1006, .size = 1, .access = UMA_TRACE_UPDATE, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 16, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 16, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 2, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW, .request = 1},
    };
    static const size_t wanted[] = {8, 8, 1, 8, 1, 1, 8, 8};
    (void)state;
    for (size_t i = 0; i < 8; i++)
        made[i].outcome = UMA_TRACE_COMPLETE;
    made[6].outcome = UMA_TRACE_RAISED;
    assert_int_equal(uma_trace_refetches(made, 8, first), 12);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(first[i], wanted[i]);
    assert_int_equal(uma_trace_refetches(made, 0, first), 0);
}

/* ---- the record itself ---- */

static void a_full_record_counts(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = 3};
    struct uma_trace_row row;
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
    assert_int_equal(uma_trace_count(), 3);
    assert_int_equal(uma_trace_dropped(), 5);
    assert_true(uma_trace_row(2, &row));
    assert_int_equal(row.address, in + 4);
    assert_false(uma_trace_row(3, &row));
    uma_trace_clear();
    assert_int_equal(uma_trace_count(), 0);
    assert_int_equal(uma_trace_dropped(), 0);
    assert_false(uma_trace_row(0, &row));
}

static void limits_are_checked(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = 0};
    (void)state;
    assert_int_equal(uma_trace_start(&options), (uma_status)0xC000000D);
    options.limit = (1u << 20) + 1;
    assert_int_equal(uma_trace_start(&options), (uma_status)0xC000000D);
}

static void a_stopped_record_stays(void **state)
{
    (void)state;
    uma_trace_stop();
    size_t count = uma_trace_count();
    uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
    uma_ioctl(file, TOUCH_CODE(TOUCH_RAW), in, 8, out, 8);
    assert_int_equal(uma_trace_count(), count);
    uma_trace_stop();
}

static uint64_t hook_index, hook_address;

/* Between two fetches another value appears. */
static void change_value(void *context, size_t index, const struct uma_trace_row *row)
{
    assert_ptr_equal(context, &hook_index);
    hook_index = index;
    hook_address = row->address;
    if (row->how == UMA_TRACE_EXPORT)
        uma_user_store(row->address, "A", 1);
}

static void before_is_called_in_time(void **state)
{
    const struct uma_trace_options options = {
        .size = sizeof(options), .limit = ROWS_MAX, .before = change_value, .context = &hook_index};
    (void)state;
    fill(in, ALPHABET);
    assert_int_equal(uma_trace_start(&options), 0);
    assert_int_equal(touch(TOUCH_NO_HANDLER, in, out), 2);
    assert_int_equal(hook_index, 1);
    assert_int_equal(hook_address, in);
    assert_memory_equal(rows[0].value, "abcd", 4);
    assert_memory_equal(rows[1].value, "Abcde", 5);
    assert_int_equal(uma_trace_refetches(rows, 2, first), 4);
}

/* A child's rows outlive it, if the record is shared. */
static void children_write_to_a_shared_record(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX, .shared = true};
    (void)state;
    for (int shared = 1; shared >= 0; shared--) {
        options.shared = shared;
        assert_int_equal(uma_trace_start(&options), 0);
        fill(in, ALPHABET);
        pid_t child = fork();
        if (child == 0) {
            bool done = uma_fork_child() == 0 && uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8).status == 0;
            _exit(done && uma_trace_count() == 8 ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(uma_trace_count(), shared ? 8 : 0);
    }
}

/* A driver that runs wild in a child may write over the record; its reader is none the worse. */
static void a_spoilt_record_is_harmless(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX, .shared = true};
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    pid_t child = fork();
    if (child == 0) {
        touch(TOUCH_SCALARS, in, out);
        memset(record_now, 0x5a, sizeof(*record_now) + ROWS_MAX * sizeof(record_now->slots[0]));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(uma_trace_count(), ROWS_MAX);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        struct check_site site;
        assert_true(uma_trace_row(i, &rows[i]));
        assert_true(rows[i].how <= UMA_TRACE_KERNEL && rows[i].outcome <= UMA_TRACE_STOPPED);
        assert_true(rows[i].access >= UMA_TRACE_READ && rows[i].access <= UMA_TRACE_UPDATE);
        assert_true(rows[i].handler <= UMA_TRACE_KERNEL_HANDLER && rows[i].value_size <= UMA_TRACE_VALUE);
        check_site(&rows[i], &site);
    }
    uma_trace_refetches(rows, ROWS_MAX, first);
    assert_false(uma_trace_row(ROWS_MAX, &rows[0]));
    uma_trace_clear();
    assert_int_equal(touch(TOUCH_SCALARS, in, out), 8);
}

static int start(const char *path)
{
    const char *wanted = getenv("UMA_PROTECT");
    const char *const names[] = {"auto", "pku", "mprotect", "none"};
    struct uma_options options = {.size = sizeof(options), .timeout_seconds = 60};
    for (int i = 0; wanted && i < 4; i++)
        if (!strcmp(wanted, names[i]))
            options.protect = (enum uma_protect)i;
    char error[UMA_ERROR_MAX] = "";
    if (uma_start(&options) < 0) {
        printf("not run: this processor does not have the protection %s\n", wanted);
        return 77;
    }
    if (uma_load(path, &driver, error) < 0 || uma_open("\\Device\\Touch", &file) < 0 ||
        uma_user_alloc(PAGE, UMA_READ_WRITE, &in) < 0 || uma_user_alloc(PAGE, UMA_READ_WRITE, &out) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(copies),
        cmocka_unit_test(strings),
        cmocka_unit_test(interlocked),
        cmocka_unit_test(families),
        cmocka_unit_test(raw),
        cmocka_unit_test(repeated),
        cmocka_unit_test(exports),
        cmocka_unit_test(probes),
        cmocka_unit_test(locks),
        cmocka_unit_test(buffered),
        cmocka_unit_test(faults),
        cmocka_unit_test(raw_faults),
        cmocka_unit_test(without_handler),
        cmocka_unit_test(beside_a_handler),
        cmocka_unit_test(irql_and_thread),
        cmocka_unit_test(threads_at_once),
        cmocka_unit_test(refetches),
        cmocka_unit_test(limits_are_checked),
        cmocka_unit_test(a_full_record_counts),
        cmocka_unit_test(a_stopped_record_stays),
        cmocka_unit_test(before_is_called_in_time),
        cmocka_unit_test(children_write_to_a_shared_record),
        cmocka_unit_test(a_spoilt_record_is_harmless),
    };
    driver_path = argc > 1 ? argv[1] : "";
    int result = start(driver_path);
    return result ? result : cmocka_run_group_tests(tests, start_record, NULL);
}
