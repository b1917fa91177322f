/* print_test.c - the printf family with NT's extensions, and what it does with hostile arguments. */
#include "ntos_test.h"

static char text[256];

#define CHECK(expected, ...)                                                                                           \
    do {                                                                                                               \
        nt_snprintf(text, sizeof(text), __VA_ARGS__);                                                                  \
        assert_string_equal(text, expected);                                                                           \
    } while (0)

static void integers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    CHECK("-5 5 fe FE 010", "%d %u %x %X %#o", -5, 5, 0xfe, 0xfe, 8);
    CHECK("[   42][42   ][00042][ +42]", "[%5d][%-5d][%05d][%+4d]", 42, 42, 42, 42);
    CHECK("-9223372036854775808 18446744073709551615", "%I64d %I64u", INT64_MIN, ~0ull);
    CHECK("-1 ffffffff 7", "%I32d %I32x %hd", -1, -1, 0x10007);
    CHECK("123456789abcdef0 -1", "%llx %lld", 0x123456789abcdef0ull, -1ll);
    CHECK("12345678 ffffffff", "%lx %lx", 0x12345678, ~0u);
    CHECK("00007FFF12345678", "%p", (PVOID)0x7fff12345678);
    CHECK("0x1f 0X1F 0", "%#x %#X %#x", 31, 31, 0);
    CHECK("[  007][]", "[%5.3d][%.0d]", 7, 0);
    CHECK("[    7][7    ]", "[%*d][%*d]", 5, 7, -5, 7);
    CHECK("100%", "%d%%", 100);
}

static void strings(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING wide;
    ANSI_STRING narrow;
    RtlInitUnicodeString(&wide, WIDE("\\Device\\\u20ac"));
    wide.MaximumLength = wide.Length;
    RtlInitAnsiString(&narrow, "counted");
    CHECK("a b c", "%s %ws %S", "a", WIDE("b"), WIDE("c"));
    CHECK("\\Device\\\xe2\x82\xac|counted", "%wZ|%Z", &wide, &narrow);
    CHECK("[  abc][abc  ][ab]", "[%5s][%-5s][%.2s]", "abc", "abc", "abc");
    CHECK("(null) (null) (null)", "%s %wZ %ws", NULL, NULL, NULL);
    CHECK("xy", "%c%wc", 'x', 'y');
    CHECK("f 7", "%f %d", 1.5, 7); /* not supported, as documented; the argument is taken all the same */
    WCHAR out[32];
    assert_int_equal(nt_snwprintf(out, 32, WIDE("%s-%S-%hs-%wZ-%d"), WIDE("w"), "n", "h", &wide, 5), 17);
    assert_true(!nt_wcscmp(out, WIDE("w-n-h-\\Device\\\u20ac-5")));
}

static void buffers_end_as_documented(void **state)
{
    UNREFERENCED_PARAMETER(state);
    memset(text, '!', sizeof(text));
    assert_int_equal(nt_snprintf(text, 3, "%s", "abc"), 3);
    assert_int_equal(text[3], '!');
    assert_int_equal(nt_snprintf(text, 3, "%s", "abcd"), -1);
    assert_int_equal(text[3], '!');
    assert_int_equal(nt_sprintf_s(text, 3, "%s", "abc"), -1);
    assert_string_equal(text, "");
    assert_int_equal(nt_sprintf(text, "%d", 12), 2);
    assert_int_equal(rtl_print(text, 4, "%s", "abcdef"), 6);
    assert_string_equal(text, "abc");
}

static void print_bad_string(void *context)
{
    nt_snprintf(text, sizeof(text), "%s", context);
}

static void print_bad_format(void *context)
{
    nt_snprintf(text, sizeof(text), context);
}

static void bad_pointers_are_raised(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(exception_of(print_bad_string, (void *)0x12340), STATUS_ACCESS_VIOLATION);
    assert_int_equal(exception_of(print_bad_format, (void *)0x12340), STATUS_ACCESS_VIOLATION);
    nt_snprintf(text, sizeof(text), "%n%d", (PVOID)0x1234, 5); /* %n stores nothing */
    assert_string_equal(text, "5");
    assert_int_equal(nt_snprintf(text, sizeof(text), "%99999999999d", 1), -1);
    nt_snprintf(text, sizeof(text), "50%");
    assert_string_equal(text, "50");
}

static void say_hello(void)
{
    DbgPrint("hello %wZ\n", NULL);
    DbgPrintEx(77, 3, "%s", "level three");
}

static void debug_output_goes_to_standard_error(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(say_hello);
    assert_false(result.happened);
    assert_string_equal(result.report, "hello (null)\nlevel three");
}

int run_print_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(strings),
        cmocka_unit_test(buffers_end_as_documented),
        cmocka_unit_test(bad_pointers_are_raised),
        cmocka_unit_test(debug_output_goes_to_standard_error),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
