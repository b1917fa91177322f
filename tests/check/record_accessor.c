/* record_accessor.c - the rows of accessors: every primitive, those built on it, and who calls at which IRQL. */
#include "record_test.h"

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

SUITE(accessor, cmocka_unit_test(scalars), cmocka_unit_test(copies), cmocka_unit_test(strings),
      cmocka_unit_test(interlocked), cmocka_unit_test(families), cmocka_unit_test(irql_and_thread));
