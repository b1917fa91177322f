/* record_fault.c - the rows of what raises, and what handler was in force. */
#include "record_test.h"

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
        {UMA_TRACE_EXPORT, UMA_TRACE_READ, "strlen", rest, sees_raw() ? 30 : 1, NULL, ACCESS_VIOLATION, bad, 0},
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

SUITE(fault, cmocka_unit_test(faults), cmocka_unit_test(raw_faults), cmocka_unit_test(without_handler),
      cmocka_unit_test(beside_a_handler));
