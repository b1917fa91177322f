/* library_test.c - C runtime, bitmap runs, seconds, OEM strings, file-system names; processors; bug check callbacks. */
#include "exports_tests.h"
#include "crt_more.h"

static void secure_strings_cut_nothing_silently(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char text[8] = "ab";
    WCHAR wide[4];
    assert_int_equal(nt_strcat_s(text, sizeof(text), "cde"), 0);
    assert_string_equal(text, "abcde");
    assert_int_equal(nt_strcat_s(text, sizeof(text), "fgh"), CRT_ERANGE);
    assert_string_equal(text, "");
    assert_int_equal(nt_strncpy_s(text, sizeof(text), "0123456789", (SIZE_T)-1), CRT_STRUNCATE);
    assert_string_equal(text, "0123456");
    assert_int_equal(nt_strncpy_s(text, sizeof(text), "0123456789", 3), 0);
    assert_string_equal(text, "012");
    assert_int_equal(nt_strcpy_s(text, 0, "x"), CRT_EINVAL);
    assert_int_equal(nt_strcpy_s(text, sizeof(text), NULL), CRT_EINVAL);
    memset(text, 'x', sizeof(text)); /* not terminated */
    assert_int_equal(nt_strcat_s(text, sizeof(text), "y"), CRT_EINVAL);
    assert_int_equal(nt_wcscpy_s(wide, 4, WIDE("abc")), 0);
    assert_int_equal(nt_wcscpy_s(wide, 4, WIDE("abcd")), CRT_ERANGE);
    assert_int_equal(wide[0], 0);
    assert_int_equal(nt_memcpy_s(text, 2, "abc", 3), CRT_ERANGE);
    assert_memory_equal(text, "\0\0xx", 4);
    assert_int_equal(nt_memmove_s(text, sizeof(text), text + 1, 3), 0);
    assert_int_equal(nt_snprintf_s(text, sizeof(text), (SIZE_T)-1, "%u", 123456789u), -1);
    assert_string_equal(text, "1234567");
    assert_int_equal(nt_snprintf_s(text, sizeof(text), 3, "%u", 12345u), -1);
    assert_string_equal(text, "123");
    assert_int_equal(nt_snprintf_s(text, sizeof(text), sizeof(text), "%u", 123456789u), -1);
    assert_string_equal(text, "");
    assert_int_equal(nt_snprintf_s(text, sizeof(text), (SIZE_T)-1, "%u", 1234567u), 7);
    assert_string_equal(text, "1234567");
}

static void spans_tokens_and_numbers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char text[] = ",one,,Two", *context = NULL, *end, digits[66];
    WCHAR *wide_end;
    assert_string_equal(nt_strtok_s(text, ",", &context), "one");
    assert_string_equal(nt_strlwr(nt_strtok_s(NULL, ",", &context)), "two");
    assert_null(nt_strtok_s(NULL, ",", &context));
    assert_int_equal(nt_strspn("aabc", "ab"), 3);
    assert_int_equal(nt_wcscspn(WIDE("xyz.a"), WIDE(".")), 3);
    assert_string_equal(nt_strrev(nt_itoa(-120, digits, 10)), "021-");
    assert_int_equal(nt_itoa_s(-1, digits, sizeof(digits), 16), 0);
    assert_string_equal(digits, "ffffffff");
    assert_int_equal(nt_i64toa_s(INT64_MIN, digits, sizeof(digits), 10), 0);
    assert_string_equal(digits, "-9223372036854775808");
    assert_int_equal(nt_ui64toa_s(~0ull, digits, sizeof(digits), 2), 0);
    assert_int_equal(strlen(digits), 64);
    assert_int_equal(nt_ui64toa_s(~0ull, digits, 64, 2), CRT_ERANGE);
    assert_int_equal(nt_itoa_s(10, digits, 3, 37), CRT_EINVAL);
    assert_int_equal(nt_itoa_s(-10, digits, 4, 10), 0);
    assert_int_equal(nt_itoa_s(-10, digits, 3, 10), CRT_ERANGE);
    assert_true(nt_strtoui64(" 0x1Fg", &end, 0) == 0x1F && *end == 'g');
    assert_true(nt_strtoui64("18446744073709551616", NULL, 10) == ~0ull);
    assert_int_equal(nt_wcstoul(WIDE("4294967295"), &wide_end, 10), MAXULONG);
    assert_int_equal(nt_wcstoul(WIDE("4294967296"), &wide_end, 10), MAXULONG);
    assert_int_equal(nt_wcstoul(WIDE("-1z"), &wide_end, 10), MAXULONG);
    assert_int_equal(*wide_end, 'z');
    assert_int_equal(nt_wcstoul(WIDE("077"), NULL, 0), 63);
}

static int NTAPI by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int NTAPI by_whim(void *context, const void *a, const void *b)
{
    UNREFERENCED_PARAMETER(a);
    UNREFERENCED_PARAMETER(b);
    return (int)(++*(ULONG *)context * 2654435761u >> 30) - 1;
}

static void sorting_terminates_whatever_the_comparison_says(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int numbers[300], wanted = 123, sum = 0;
    ULONG calls = 0;
    nt_srand(7);
    for (int i = 0; i < 300; i++)
        numbers[i] = i * 77 % 300;
    nt_qsort(numbers, 300, sizeof(int), by_value);
    for (int i = 0; i < 300; i++)
        assert_int_equal(numbers[i], i);
    assert_ptr_equal(nt_bsearch(&wanted, numbers, 300, sizeof(int), by_value), &numbers[123]);
    wanted = 300;
    assert_null(nt_bsearch(&wanted, numbers, 300, sizeof(int), by_value));
    nt_qsort_s(numbers, 300, sizeof(int), by_whim, &calls);
    for (int i = 0; i < 300; i++)
        sum += numbers[i];
    assert_int_equal(sum, 300 * 299 / 2); /* the same elements in some order */
    nt_qsort(numbers, 0, sizeof(int), by_value);
    for (int i = 0; i < 100; i++)
        assert_in_range(nt_rand(), 0, 32767);
}

static void runs_of_clear_bits(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG words[2] = {0xF0FF00FFu, 0xFFFFFFF0u}, start;
    RTL_BITMAP map;
    RTL_BITMAP_RUN found[4];
    RtlInitializeBitMap(&map, words, 64); /* clear: 8-15, 24-27, 32-35 */
    assert_int_equal(RtlFindFirstRunClear(&map, &start), 8);
    assert_int_equal(start, 8);
    assert_int_equal(RtlFindNextForwardRunClear(&map, 10, &start), 6);
    assert_int_equal(start, 10);
    assert_int_equal(RtlFindNextForwardRunClear(&map, 36, &start), 0);
    assert_int_equal(RtlFindLastBackwardRunClear(&map, 31, &start), 4);
    assert_int_equal(start, 24);
    assert_int_equal(RtlFindLastBackwardRunClear(&map, 7, &start), 0);
    assert_int_equal(RtlFindLongestRunClear(&map, &start), 8);
    assert_int_equal(start, 8);
    assert_int_equal(RtlFindClearRuns(&map, found, 4, FALSE), 3);
    assert_int_equal(found[2].StartingIndex, 32);
    assert_int_equal(RtlFindClearRuns(&map, found, 2, TRUE), 2);
    assert_int_equal(found[0].NumberOfBits, 8);
    assert_int_equal(found[1].NumberOfBits, 4);
}

static void seconds_since(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LARGE_INTEGER time;
    ULONG seconds;
    TIME_FIELDS fields = {.Year = 2001, .Month = 9, .Day = 9, .Hour = 1, .Minute = 46, .Second = 40};
    assert_true(RtlTimeFieldsToTime(&fields, &time));
    assert_true(RtlTimeToSecondsSince1970(&time, &seconds));
    assert_int_equal(seconds, 1000000000);
    RtlSecondsSince1970ToTime(0, &time);
    RtlTimeToTimeFields(&time, &fields);
    assert_true(fields.Year == 1970 && fields.Month == 1 && fields.Day == 1);
    assert_false(RtlTimeToSecondsSince1980(&time, &seconds));
    RtlSecondsSince1980ToTime(0, &time);
    RtlTimeToTimeFields(&time, &fields);
    assert_true(fields.Year == 1980 && fields.Month == 1 && fields.Day == 1);
    time.QuadPart = (((1 * 24 + 2) * 60 + 3) * 60 + 4) * 10000000ll;
    RtlTimeToElapsedTimeFields(&time, &fields);
    assert_true(fields.Day == 1 && fields.Hour == 2 && fields.Minute == 3 && fields.Second == 4);
}

static UNICODE_STRING wide_string(const WCHAR *text)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    return string;
}

static BOOLEAN matches(const WCHAR *expression, const WCHAR *name)
{
    UNICODE_STRING pattern = wide_string(expression), text = wide_string(name);
    return FsRtlIsNameInExpression(&pattern, &text, TRUE, NULL);
}

static void names_match_expressions(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(matches(WIDE("*.TXT"), WIDE("read.me.txt")));
    assert_false(matches(WIDE("*.TXT"), WIDE("txt")));
    assert_true(matches(WIDE("A?C"), WIDE("abc")));
    assert_false(matches(WIDE("A?C"), WIDE("ac")));
    assert_true(matches(WIDE("A>>>"), WIDE("ab")));     /* DOS_QM: none is needed at the end */
    assert_true(matches(WIDE("A>>>.B"), WIDE("ax.b"))); /* nor at a dot */
    assert_true(matches(WIDE("FILE\""), WIDE("file"))); /* DOS_DOT: a dot, or the end */
    assert_true(matches(WIDE("<.C"), WIDE("a.b.c")));   /* DOS_STAR: up to the last dot */
    assert_false(matches(WIDE("<B.C"), WIDE("a.c")));
    assert_true(matches(WIDE(""), WIDE("")));
    assert_false(matches(WIDE("*"), WIDE("")));
    UNICODE_STRING path = wide_string(WIDE("\\a*\\b")), first, rest;
    assert_false(FsRtlDoesNameContainWildCards(&path));
    FsRtlDissectName(path, &first, &rest);
    assert_int_equal(first.Length, 4);
    assert_int_equal(rest.Length, 2);
    assert_true(FsRtlDoesNameContainWildCards(&first));
    FsRtlDissectName(rest, &first, &rest);
    assert_true(first.Length == 2 && !rest.Length);
    UNICODE_STRING upper = wide_string(WIDE("B"));
    assert_true(FsRtlAreNamesEqual(&first, &upper, TRUE, NULL));
    assert_false(FsRtlAreNamesEqual(&first, &upper, FALSE, NULL));
}

/* The expression that makes a matcher which tries and returns try for ages. */
static void hard_expressions_take_no_longer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static WCHAR stars[400], name[401];
    for (int i = 0; i < 400; i++) {
        stars[i] = i % 2 ? 'A' : '*';
        name[i] = i == 399 ? 'B' : 'A';
    }
    UNICODE_STRING pattern = {sizeof(stars), sizeof(stars), stars}, text = {800, 800, name};
    assert_false(FsRtlIsNameInExpression(&pattern, &text, FALSE, NULL));
    text.Length -= 2;
    assert_true(FsRtlIsNameInExpression(&pattern, &text, FALSE, NULL));
}

static BOOLEAN fat(const char *text, BOOLEAN wild, BOOLEAN path)
{
    ANSI_STRING name;
    RtlInitAnsiString(&name, text);
    return FsRtlIsFatDbcsLegal(name, wild, path, path);
}

static void names_that_fat_allows(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const char *const good[] = {"A", "FILENAME.EXT", ".", "..", "A B.C"};
    static const char *const bad[] = {"",   "FILENAMES", "A.EXTN", "A.B.C", "A.",  ".A",
                                      "A ", "A:B",       "A+B",    "A*",    "\\A", "A\\B"};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(good); i++)
        assert_true(fat(good[i], FALSE, FALSE));
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++)
        if (fat(bad[i], FALSE, FALSE))
            fail_msg("'%s' is said to be legal", bad[i]);
    assert_true(fat("A*.?", TRUE, FALSE));
    assert_true(fat("\\A\\B.C", FALSE, TRUE));
    assert_false(fat("\\A\\\\B", FALSE, TRUE));
    assert_true(FsRtlIsNtstatusExpected(STATUS_IN_PAGE_ERROR));
    assert_int_equal(FsRtlNormalizeNtstatus(STATUS_ACCESS_VIOLATION, STATUS_UNSUCCESSFUL), STATUS_UNSUCCESSFUL);
}

static void counted_and_oem_strings(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OEM_STRING oem;
    UNICODE_STRING wide = wide_string(WIDE("a\u00e9")), back;
    char digits[9];
    assert_int_equal(RtlUpcaseUnicodeStringToCountedOemString(&oem, &wide, TRUE), STATUS_SUCCESS);
    assert_int_equal(oem.Length, 3); /* no terminator, and e acute takes two bytes */
    assert_memory_equal(oem.Buffer, "A\xC3\x89", 3);
    assert_int_equal(RtlOemStringToCountedUnicodeString(&back, &oem, TRUE), STATUS_SUCCESS);
    assert_int_equal(back.Length, 4);
    back.MaximumLength = 2;
    assert_int_equal(RtlOemStringToCountedUnicodeString(&back, &oem, FALSE), STATUS_BUFFER_OVERFLOW);
    RtlFreeOemString(&oem);
    RtlFreeUnicodeString(&back);
    assert_int_equal(RtlIntegerToChar(0xBEEF, 16, -8, digits), STATUS_SUCCESS);
    assert_memory_equal(digits, "0000BEEF", 8);
    assert_int_equal(RtlIntegerToChar(1234, 10, 3, digits), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlIntegerToChar(1234, 0, 5, digits), STATUS_SUCCESS);
    assert_string_equal(digits, "1234");
    wide.Length = 3;
    assert_int_equal(RtlValidateUnicodeString(0, &wide), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCompareUnicodeStrings(WIDE("ab"), 2, WIDE("AB"), 2, TRUE), 0);
    assert_true(RtlIsZeroMemory("\0\0", 2) && !RtlIsZeroMemory("\0\1", 2));
}

static VOID NTAPI callout(PVOID parameter)
{
    *(ULONG_PTR *)parameter = IoWithinStackLimits((ULONG_PTR)__builtin_frame_address(0), 8);
}

static void processors_and_stacks(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PROCESSOR_NUMBER number;
    GROUP_AFFINITY affinity;
    USHORT count;
    ULONG_PTR inside = 0;
    GUID first, second;
    LARGE_INTEGER load_driver = {.QuadPart = 10}, change_notify = {.QuadPart = 23};
    assert_int_equal(KeGetProcessorNumberFromIndex(0, &number), STATUS_SUCCESS);
    assert_int_equal(KeGetProcessorIndexFromNumber(&number), 0);
    assert_int_equal(KeGetProcessorNumberFromIndex(1, &number), STATUS_INVALID_PARAMETER);
    KeQueryNodeActiveAffinity(0, &affinity, &count);
    assert_true(affinity.Mask == 1 && count == 1);
    assert_int_equal(KeSetSystemAffinityThreadEx(1), 0);
    assert_int_equal(KeSetSystemAffinityThreadEx(1), 1);
    KeRevertToUserAffinityThreadEx(0);
    assert_int_equal(KeSetSystemAffinityThreadEx(2), 0);
    assert_int_equal(KeExpandKernelStackAndCallout(callout, &inside, 0x4000), STATUS_SUCCESS);
    assert_true(inside);
    assert_int_equal(KeExpandKernelStackAndCallout(callout, &inside, 1 << 20), STATUS_INVALID_PARAMETER_3);
    assert_false(IoWithinStackLimits((ULONG_PTR)&inside, SIZE_MAX));
    ExUuidCreate(&first);
    ExUuidCreate(&second);
    assert_memory_not_equal(&first, &second, sizeof(first));
    assert_int_equal(first.Data3 >> 12, 4);
    assert_true(SeSinglePrivilegeCheck(load_driver, KernelMode) && !SeSinglePrivilegeCheck(load_driver, UserMode));
    assert_true(SeSinglePrivilegeCheck(change_notify, UserMode));
}

static KBUGCHECK_CALLBACK_RECORD record, other;

static VOID NTAPI on_bugcheck(PVOID buffer, ULONG length)
{
    DbgPrint("callback %u at IRQL %u\n", *(ULONG *)buffer + length, KeGetCurrentIrql());
}

static void stop_with_callbacks(void)
{
    static ULONG numbers[2] = {100, 200};
    KeRegisterBugCheckCallback(&record, on_bugcheck, &numbers[0], 4, (PUCHAR) "test");
    KeRegisterBugCheckCallback(&other, on_bugcheck, &numbers[1], 4, (PUCHAR) "test");
    KeDeregisterBugCheckCallback(&other);
    KeBugCheckEx(0xE2, 0, 0, 0, 0);
}

static void bug_checks_call_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(stop_with_callbacks);
    assert_true(result.happened);
    assert_int_equal(result.code, 0xE2);
    assert_non_null(strstr(result.report, "callback 104 at IRQL 15"));
    assert_null(strstr(result.report, "callback 204"));
    assert_true(KeRegisterBugCheckCallback(&record, on_bugcheck, NULL, 0, NULL));
    assert_false(KeRegisterBugCheckCallback(&record, on_bugcheck, NULL, 0, NULL));
    assert_true(KeDeregisterBugCheckCallback(&record));
    assert_false(KeDeregisterBugCheckCallback(&record));
}

int run_library_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_strings_cut_nothing_silently),
        cmocka_unit_test(spans_tokens_and_numbers),
        cmocka_unit_test(sorting_terminates_whatever_the_comparison_says),
        cmocka_unit_test(runs_of_clear_bits),
        cmocka_unit_test(seconds_since),
        cmocka_unit_test(names_match_expressions),
        cmocka_unit_test(hard_expressions_take_no_longer),
        cmocka_unit_test(names_that_fat_allows),
        cmocka_unit_test(counted_and_oem_strings),
        cmocka_unit_test(processors_and_stacks),
        cmocka_unit_test(bug_checks_call_back),
    };
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
