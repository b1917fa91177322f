/* record_raw.c - the rows of all that is no accessor: instructions, exports, probes, locks, the I/O manager. */
#include "record_test.h"

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

SUITE(raw, cmocka_unit_test(raw), cmocka_unit_test(repeated), cmocka_unit_test(exports), cmocka_unit_test(probes),
      cmocka_unit_test(locks), cmocka_unit_test(buffered));
