/* rtl_test.c - strings, conversions, bitmaps, time. */
#include "ntos_test.h"

static bool same(const UNICODE_STRING *string, const WCHAR *text)
{
    UNICODE_STRING other;
    RtlInitUnicodeString(&other, text);
    return RtlEqualUnicodeString(string, &other, FALSE);
}

static void strings_initialise(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING wide;
    ANSI_STRING narrow;
    RtlInitUnicodeString(&wide, WIDE("abc"));
    assert_int_equal(wide.Length, 6);
    assert_int_equal(wide.MaximumLength, 8);
    RtlInitUnicodeString(&wide, NULL);
    assert_int_equal(wide.Length + wide.MaximumLength, 0);
    RtlInitAnsiString(&narrow, "abcd");
    assert_int_equal(narrow.Length, 4);
    assert_int_equal(narrow.MaximumLength, 5);
    static WCHAR longest[0x9000];
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(longest) - 1; i++)
        longest[i] = 'x';
    assert_int_equal(RtlInitUnicodeStringEx(&wide, longest), STATUS_NAME_TOO_LONG);
    RtlInitUnicodeString(&wide, longest);
    assert_int_equal(wide.Length, 0xFFFC);
}

static void strings_append_and_copy_within_bounds(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WCHAR buffer[6];
    UNICODE_STRING string = {0, sizeof(buffer), buffer}, source;
    assert_int_equal(RtlAppendUnicodeToString(&string, WIDE("abc")), STATUS_SUCCESS);
    assert_int_equal(buffer[3], 0);
    assert_int_equal(RtlAppendUnicodeToString(&string, WIDE("defg")), STATUS_BUFFER_TOO_SMALL);
    assert_true(same(&string, WIDE("abc")));
    assert_int_equal(RtlAppendUnicodeToString(&string, WIDE("def")), STATUS_SUCCESS);
    assert_true(same(&string, WIDE("abcdef")));
    RtlInitUnicodeString(&source, WIDE("longer than six"));
    RtlCopyUnicodeString(&string, &source);
    assert_true(same(&string, WIDE("longer")));
    RtlCopyUnicodeString(&string, NULL);
    assert_int_equal(string.Length, 0);
}

static void strings_compare_with_and_without_case(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING a, b;
    RtlInitUnicodeString(&a, WIDE("\\Device\\\u00e4\u044f"));
    RtlInitUnicodeString(&b, WIDE("\\DEVICE\\\u00c4\u042f"));
    assert_true(RtlEqualUnicodeString(&a, &b, TRUE));
    assert_false(RtlEqualUnicodeString(&a, &b, FALSE));
    assert_true(RtlCompareUnicodeString(&a, &b, FALSE) > 0);
    RtlInitUnicodeString(&b, WIDE("\\device"));
    assert_true(RtlPrefixUnicodeString(&b, &a, TRUE));
    assert_false(RtlPrefixUnicodeString(&b, &a, FALSE));
    assert_false(RtlPrefixUnicodeString(&a, &b, TRUE));
    for (ULONG c = 0; c < 0x10000; c++) {
        WCHAR upper = RtlUpcaseUnicodeChar((WCHAR)c);
        assert_int_equal(RtlUpcaseUnicodeChar(upper), upper);
        if (upper != c)
            assert_int_equal(RtlDowncaseUnicodeChar(upper), c);
    }
    assert_int_equal(nt_stricmp("HeLLo", "hEllO"), 0);
    assert_true(nt_strnicmp("abcx", "ABCy", 3) == 0 && nt_strnicmp("abcx", "ABCy", 4) < 0);
    assert_true(nt_wcsicmp(WIDE("A"), WIDE("b")) < 0);
}

static void conversions_round_trip(void **state)
{
    UNREFERENCED_PARAMETER(state);
    SIZE_T before = mm_pool_each(MM_POOL_DRIVER, NULL, NULL);
    ANSI_STRING narrow, back;
    UNICODE_STRING wide;
    RtlInitAnsiString(&narrow, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_int_equal(RtlAnsiStringToUnicodeString(&wide, &narrow, TRUE), STATUS_SUCCESS);
    assert_true(same(&wide, WIDE("gr\u00fc\u00df \u20ac \U0001F600")));
    assert_int_equal(RtlUnicodeStringToAnsiString(&back, &wide, TRUE), STATUS_SUCCESS);
    assert_true(RtlEqualString(&narrow, &back, FALSE));
    RtlFreeUnicodeString(&wide);
    RtlFreeAnsiString(&back);
    CHAR small[4];
    back = (ANSI_STRING){0, sizeof(small), small};
    RtlInitUnicodeString(&wide, WIDE("ab\u20ac"));
    assert_int_equal(RtlUnicodeStringToAnsiString(&back, &wide, FALSE), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(back.Length, 2); /* no half characters */
    assert_int_equal(mm_pool_each(MM_POOL_DRIVER, NULL, NULL), before);
}

static void integers_and_guids(void **state)
{
    UNREFERENCED_PARAMETER(state);
    WCHAR buffer[12];
    UNICODE_STRING string = {0, sizeof(buffer), buffer};
    ULONG value;
    assert_int_equal(RtlIntegerToUnicodeString(0xBEEF, 16, &string), STATUS_SUCCESS);
    assert_true(same(&string, WIDE("BEEF")));
    assert_int_equal(RtlIntegerToUnicodeString(1, 7, &string), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIntegerToUnicodeString(0xFFFFFFFF, 2, &string), STATUS_BUFFER_OVERFLOW);
    RtlInitUnicodeString(&string, WIDE("  -0x10z"));
    assert_int_equal(RtlUnicodeStringToInteger(&string, 0, &value), STATUS_SUCCESS);
    assert_int_equal((LONG)value, -16);
    const GUID guid = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 0xff}};
    GUID parsed;
    assert_int_equal(RtlStringFromGUID(&guid, &string), STATUS_SUCCESS);
    assert_true(same(&string, WIDE("{12345678-9ABC-DEF0-0102-0304050607FF}")));
    assert_int_equal(RtlGUIDFromString(&string, &parsed), STATUS_SUCCESS);
    assert_memory_equal(&guid, &parsed, sizeof(guid));
    string.Buffer[3] = 'g';
    assert_int_equal(RtlGUIDFromString(&string, &parsed), STATUS_INVALID_PARAMETER);
    RtlFreeUnicodeString(&string);
}

static void time_fields_match_the_calendar(void **state)
{
    UNREFERENCED_PARAMETER(state);
    TIME_FIELDS fields, again;
    LARGE_INTEGER time = {.QuadPart = 116444736000000000ll}, back; /* 1970-01-01 */
    RtlTimeToTimeFields(&time, &fields);
    assert_true(fields.Year == 1970 && fields.Month == 1 && fields.Day == 1 && fields.Weekday == 4);
    fields = (TIME_FIELDS){2024, 2, 29, 23, 59, 58, 999, 0};
    assert_true(RtlTimeFieldsToTime(&fields, &time));
    RtlTimeToTimeFields(&time, &again);
    assert_true(again.Year == 2024 && again.Month == 2 && again.Day == 29 && again.Second == 58 && again.Weekday == 4);
    fields.Year = 2023;
    assert_false(RtlTimeFieldsToTime(&fields, &time));
    for (LONGLONG day = 0; day < 300000; day += 13) {
        time.QuadPart = day * 864000000000ll;
        RtlTimeToTimeFields(&time, &fields);
        assert_true(RtlTimeFieldsToTime(&fields, &back) && back.QuadPart == time.QuadPart);
    }
}

static void bitmaps(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG words[4];
    RTL_BITMAP map;
    RtlInitializeBitMap(&map, words, 100);
    RtlClearAllBits(&map);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 40, 0), 0);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 60, 0), 40);
    assert_int_equal(RtlFindClearBits(&map, 1, 0), 0xFFFFFFFF);
    RtlClearBits(&map, 31, 2);
    assert_int_equal(RtlNumberOfSetBits(&map), 98);
    assert_int_equal(RtlFindClearBits(&map, 2, 50), 31);
    assert_false(RtlAreBitsSet(&map, 99, 2));
    assert_int_equal(RtlFindLeastSignificantBit(0x100), 8);
    assert_int_equal(RtlFindMostSignificantBit(0), -1);
}

static void blocks_move_compare_and_fill(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char text[] = "abcdefgh";
    nt_memmove(text + 2, text, 6);
    assert_string_equal(text, "ababcdef");
    assert_int_equal(RtlCompareMemory(text, "abaX", 4), 3);
    RtlFillMemory(text, 3, 'z');
    RtlZeroMemory(text + 3, 1);
    assert_string_equal(text, "zzz");
}

int run_rtl_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_initialise),
        cmocka_unit_test(strings_append_and_copy_within_bounds),
        cmocka_unit_test(strings_compare_with_and_without_case),
        cmocka_unit_test(conversions_round_trip),
        cmocka_unit_test(integers_and_guids),
        cmocka_unit_test(time_fields_match_the_calendar),
        cmocka_unit_test(bitmaps),
        cmocka_unit_test(blocks_move_compare_and_fill),
    };
    return cmocka_run_group_tests_name("rtl", tests, NULL, NULL);
}
