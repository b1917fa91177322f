/* table_test.c - RtlQueryRegistryValues: every flag, every way to deliver a value; and the other Rtl routines. */
#include "cm_test.h"
#include "seh.h"
#include <sys/wait.h>
#include <unistd.h>

#define PATH WIDE("\\Registry\\Machine\\Software\\CmTest")

static struct {
    ULONG calls, type, bytes;
    WCHAR text[8][16];
    bool no_name;
    NTSTATUS answer;
} seen;

static NTSTATUS NTAPI on_value(PWSTR name, ULONG type, PVOID data, ULONG bytes, PVOID context, PVOID entry)
{
    assert_int_equal((ULONG_PTR)context, 0x11);
    assert_int_equal((ULONG_PTR)entry, 0x22);
    seen.no_name = !name;
    seen.type = type;
    seen.bytes = bytes;
    if (bytes && bytes <= sizeof(seen.text[0]))
        memcpy(seen.text[seen.calls % 8], data, bytes);
    seen.calls++;
    return seen.answer;
}

static NTSTATUS query(RTL_QUERY_REGISTRY_TABLE row)
{
    RTL_QUERY_REGISTRY_TABLE table[2] = {row};
    memset(&seen, 0, sizeof(seen));
    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, PATH, table, (PVOID)0x11, NULL);
}

#define ROW(...) ((RTL_QUERY_REGISTRY_TABLE){.QueryRoutine = on_value, .EntryContext = (PVOID)0x22, __VA_ARGS__})

static HANDLE key;

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG number = 77;
    HANDLE below;
    key = scratch();
    assert_int_equal(set_value(key, WIDE("Number"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("Text"), REG_SZ, L"hello", 12), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("Open"), REG_SZ, L"hello", 10), STATUS_SUCCESS); /* no terminator */
    assert_int_equal(set_value(key, WIDE("Path"), REG_EXPAND_SZ, L"%SystemRoot%\\x", 30), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("Many"), REG_MULTI_SZ, L"one\0two\0", 18), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("Eight"), REG_QWORD, "01234567", 8), STATUS_SUCCESS);
    assert_int_equal(create_key(key, WIDE("Below"), 0, &below), STATUS_SUCCESS);
    assert_int_equal(set_value(below, WIDE("Deep"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    ZwClose(below);
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    drop(key);
    return 0;
}

static void routines_get_values(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    assert_int_equal(query(ROW(.Name = WIDE("Number"))), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.type, REG_DWORD);
    assert_int_equal(seen.text[0][0], 77);
    assert_int_equal(query(ROW(.Name = WIDE("Open"))), STATUS_SUCCESS);
    assert_int_equal(seen.bytes, 12);
    assert_int_equal(query(ROW(.Name = WIDE("Path"))), STATUS_SUCCESS);
    assert_int_equal(seen.type, REG_SZ);
    assert_memory_equal(seen.text[0], L"C:\\Windows\\x", 26);
    assert_int_equal(query(ROW(.Name = WIDE("Path"), .Flags = RTL_QUERY_REGISTRY_NOEXPAND)), STATUS_SUCCESS);
    assert_int_equal(seen.type, REG_EXPAND_SZ);
    assert_int_equal(seen.bytes, 30);
    assert_int_equal(query(ROW(.Name = WIDE("Many"))), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 2);
    assert_memory_equal(seen.text[0], L"one", 8);
    assert_memory_equal(seen.text[1], L"two", 8);
    assert_int_equal(query(ROW(.Name = WIDE("Many"), .Flags = RTL_QUERY_REGISTRY_NOEXPAND)), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.type, REG_MULTI_SZ);
    assert_int_equal(query(ROW(.Name = NULL)), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 7); /* six values, one of two strings */
    assert_int_equal(query(ROW(.Flags = RTL_QUERY_REGISTRY_NOVALUE)), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.type, REG_NONE);
    assert_true(seen.no_name);
    check_counts(&before);
}

static void missing_values(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    assert_int_equal(query(ROW(.Name = WIDE("No"))), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(query(ROW(.Name = WIDE("No"), .Flags = RTL_QUERY_REGISTRY_REQUIRED)),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(query(ROW(.Name = WIDE("No"), .DefaultType = REG_SZ, .DefaultData = L"mine")), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.bytes, 10);
    assert_memory_equal(seen.text[0], L"mine", 10);
    assert_int_equal(query(ROW(.Name = WIDE("No"), .DefaultType = REG_MULTI_SZ, .DefaultData = L"a\0b\0")),
                     STATUS_SUCCESS);
    assert_int_equal(seen.calls, 2);
    ULONG number = 5;
    assert_int_equal(
        query(ROW(.Name = WIDE("No"), .DefaultType = REG_DWORD, .DefaultData = &number, .DefaultLength = 4)),
        STATUS_SUCCESS);
    assert_int_equal(seen.text[0][0], 5);
    check_counts(&before);
}

static void subkeys_and_the_way_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.Name = WIDE("Below"), .Flags = RTL_QUERY_REGISTRY_SUBKEY},
        ROW(.Name = WIDE("Deep"), .Flags = RTL_QUERY_REGISTRY_REQUIRED),
        ROW(.Name = WIDE("Number"), .Flags = RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_REQUIRED),
        {.Name = WIDE("Nowhere"), .Flags = RTL_QUERY_REGISTRY_SUBKEY},
        ROW(.Name = WIDE("Number")),
        {0},
    };
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, PATH, table, (PVOID)0x11, NULL), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 2);
    table[3].Flags |= RTL_QUERY_REGISTRY_REQUIRED;
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, PATH, table, (PVOID)0x11, NULL),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    check_counts(&before);
}

static void values_go_straight_to_buffers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    SIZE_T blocks = mm_pool_bytes_in_use(MM_POOL_DRIVER);
    const ULONG direct = RTL_QUERY_REGISTRY_DIRECT;
    ULONG number = 0;
    WCHAR buffer[8];
    UNICODE_STRING string = {0}, fixed = {0, sizeof(buffer), buffer}, small = {0, 10, buffer};
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Number"), &number, 0, NULL, 0}),
                     STATUS_SUCCESS);
    assert_int_equal(number, 77);
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Text"), &string, 0, NULL, 0}),
                     STATUS_SUCCESS);
    assert_int_equal(string.Length, 10);
    assert_int_equal(string.MaximumLength, 12);
    assert_memory_equal(string.Buffer, L"hello", 12);
    RtlFreeUnicodeString(&string);
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Text"), &fixed, 0, NULL, 0}), STATUS_SUCCESS);
    assert_ptr_equal(fixed.Buffer, buffer);
    assert_int_equal(fixed.Length, 10);
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Text"), &small, 0, NULL, 0}),
                     STATUS_BUFFER_TOO_SMALL);
    union {
        LONG size;
        ULONG words[4];
        UCHAR bytes[16];
    } binary = {.size = -8};
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Eight"), &binary, 0, NULL, 0}),
                     STATUS_SUCCESS);
    assert_memory_equal(binary.bytes, "01234567", 8);
    binary.size = 16;
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Eight"), &binary, 0, NULL, 0}),
                     STATUS_SUCCESS);
    assert_int_equal(binary.words[0], 8);
    assert_int_equal(binary.words[1], REG_QWORD);
    assert_memory_equal(binary.bytes + 8, "01234567", 8);
    static const LONG too_small[] = {-7, 0, 7, 15, -1};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(too_small); i++) {
        binary.size = too_small[i];
        assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Eight"), &binary, 0, NULL, 0}),
                         STATUS_BUFFER_TOO_SMALL);
    }
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, direct, WIDE("Many"), &string, 0, NULL, 0}),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_DRIVER), blocks);
    check_counts(&before);
}

static void types_are_checked(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    ULONG64 area = 0;
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, flags, WIDE("Number"), &area,
                                                      REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT, NULL, 0}),
                     STATUS_SUCCESS);
    assert_int_equal(area, 77);
    area = 0;
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){NULL, flags, WIDE("Eight"), &area,
                                                      REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT, NULL, 0}),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(area, 0);
}

static void rows_that_make_no_sense(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG direct = RTL_QUERY_REGISTRY_DIRECT;
    ULONG number = 0;
    assert_int_equal(query(ROW(.Name = WIDE("Number"), .Flags = direct)), STATUS_INVALID_PARAMETER);
    assert_int_equal(query(ROW(.Flags = RTL_QUERY_REGISTRY_SUBKEY)), STATUS_INVALID_PARAMETER);
    assert_int_equal(query(ROW(.Flags = RTL_QUERY_REGISTRY_DELETE)), STATUS_INVALID_PARAMETER);
    assert_int_equal(query((RTL_QUERY_REGISTRY_TABLE){.Name = WIDE("Number")}), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlQueryRegistryValues(99, PATH, NULL, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, WIDE("Nobody"), NULL, NULL, NULL),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(
        RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL, WIDE("Nobody"), NULL, NULL, NULL),
        STATUS_SUCCESS);
    UNREFERENCED_PARAMETER(number);
}

static void a_routine_ends_the_query(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    RTL_QUERY_REGISTRY_TABLE table[] = {ROW(.Name = WIDE("Number")), ROW(.Name = WIDE("Text")), {0}};
    memset(&seen, 0, sizeof(seen));
    seen.answer = STATUS_NO_MATCH;
    assert_int_equal(RtlQueryRegistryValuesEx(RTL_REGISTRY_HANDLE, key, table, (PVOID)0x11, NULL), STATUS_NO_MATCH);
    assert_int_equal(seen.calls, 1);
    seen.answer = STATUS_BUFFER_TOO_SMALL;
    assert_int_equal(RtlQueryRegistryValuesEx(RTL_REGISTRY_HANDLE, key, table, (PVOID)0x11, NULL), STATUS_SUCCESS);
    assert_int_equal(seen.calls, 3);
    check_counts(&before);
}

static NTSTATUS NTAPI raise_error(PWSTR name, ULONG type, PVOID data, ULONG bytes, PVOID context, PVOID entry)
{
    UNREFERENCED_PARAMETER(name), (void)type, (void)data, (void)bytes, (void)context, (void)entry;
    seh_raise_status(STATUS_DATA_ERROR);
}

static void an_exception_leaves_nothing_behind(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        query((RTL_QUERY_REGISTRY_TABLE){.QueryRoutine = raise_error, .Name = WIDE("Text")});
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_DATA_ERROR);
    check_counts(&before);
}

static void written_checked_deleted(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG number = 3;
    HANDLE made;
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"Mine"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"Mine\\Below"), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"Mine"), STATUS_SUCCESS);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"Mine"), STATUS_SUCCESS);
    assert_int_equal(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, WIDE("Mine"), WIDE("N"), REG_DWORD, &number, 4),
                     STATUS_SUCCESS);
    assert_int_equal(open_key(NULL, WIDE("\\Registry\\Machine\\System\\ControlSet001\\Services\\Mine"), 0, &made),
                     STATUS_SUCCESS);
    assert_int_equal(number_of(made, WIDE("N")), 3);
    RTL_QUERY_REGISTRY_TABLE table[] = {ROW(.Name = WIDE("N"), .Flags = RTL_QUERY_REGISTRY_DELETE), {0}};
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, WIDE("Mine"), table, (PVOID)0x11, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, WIDE("Mine"), WIDE("N")),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_HANDLE, made, WIDE("N")), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlWriteRegistryValue(0, WIDE("Mine"), WIDE("N"), REG_DWORD, &number, 4),
                     STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(ZwDeleteKey(made), STATUS_SUCCESS);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_HANDLE, made), STATUS_SUCCESS);
    assert_int_equal(ZwClose(made), STATUS_INVALID_HANDLE); /* checking has closed it, as documented */
}

/* ---- the guard ---- */

static int told = -1;
static void tell_bugcheck(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit)
{
    UNREFERENCED_PARAMETER(culprit);
    ULONG words[] = {code, (ULONG)parameters[0]};
    _exit(write(told, words, sizeof(words)) == sizeof(words) ? 1 : 3);
}

static void an_unchecked_value_of_the_user_stops(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int ends[2], status;
    ULONG words[2] = {0}, number = 1;
    assert_int_equal(RtlWriteRegistryValue(RTL_REGISTRY_USER, NULL, WIDE("CmTest"), REG_DWORD, &number, 4),
                     STATUS_SUCCESS);
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        RTL_QUERY_REGISTRY_TABLE table[] = {
            {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = WIDE("CmTest"), .EntryContext = &number}, {0}};
        told = ends[1];
        close(2);
        ke_bugcheck_hook = tell_bugcheck;
        if (!NT_SUCCESS(plat_fork_child()) || !NT_SUCCESS(ke_fork_child()))
            _exit(4);
        RtlQueryRegistryValues(RTL_REGISTRY_USER, NULL, table, NULL, NULL);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], words, sizeof(words)), sizeof(words));
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(words[0], 0x139);
    assert_int_equal(words[1], 8);
    RTL_QUERY_REGISTRY_TABLE table[] = {{.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
                                         .Name = WIDE("CmTest"),
                                         .EntryContext = &number,
                                         .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT},
                                        {0}};
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_USER, NULL, table, NULL, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_USER, NULL, WIDE("CmTest")), STATUS_SUCCESS);
}

int run_table_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routines_get_values),      cmocka_unit_test(missing_values),
        cmocka_unit_test(subkeys_and_the_way_back), cmocka_unit_test(values_go_straight_to_buffers),
        cmocka_unit_test(types_are_checked),        cmocka_unit_test(rows_that_make_no_sense),
        cmocka_unit_test(a_routine_ends_the_query), cmocka_unit_test(an_exception_leaves_nothing_behind),
        cmocka_unit_test(written_checked_deleted),  cmocka_unit_test(an_unchecked_value_of_the_user_stops),
    };
    return cmocka_run_group_tests_name("tables", tests, set_up, tear_down);
}
