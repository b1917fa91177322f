/*
 * pointers.c - every pointer argument of every service, generated from services.def: a good call in both modes, then as
 * user mode with that one pointer null, unmapped, read-only, a kernel address, straddling the end of a page,
 * misaligned. The status must be the documented one, and afterwards no handle, pool block or mode is left over.
 */
#include "svc_test.h"

enum { SLOT = 256, TEXT = 128, DATA_BYTES = 8, BUFFER_BYTES = 16 };

static HANDLE event, mutant, semaphore, link, file;
static UCHAR kernel_area[4096] __attribute__((aligned(4096)));
static ULONG_PTR user_area, read_only, last_page, unmapped;

/* Numbers that a good call of some service needs; the rest are 0. */
static const struct {
    const char *service, *argument;
    ULONG64 value;
} numbers[] = {
    {"QueryEvent", "EventInformationLength", DATA_BYTES},
    {"CreateSemaphore", "MaximumCount", 2},
    {"ReleaseSemaphore", "ReleaseCount", 1},
    {"WaitForMultipleObjects", "Count", 1},
    {"WaitForMultipleObjects", "WaitType", WaitAny},
    {"DeviceIoControlFile", "IoControlCode", CODE_ECHO},
    {"DeviceIoControlFile", "InputBufferLength", BUFFER_BYTES},
    {"DeviceIoControlFile", "OutputBufferLength", BUFFER_BYTES},
    {"ReadFile", "Length", BUFFER_BYTES},
    {"WriteFile", "Length", BUFFER_BYTES},
    {"AllocateVirtualMemory", "AllocationType", 0x3000},
    {"AllocateVirtualMemory", "Protect", 4},
    {"FreeVirtualMemory", "FreeType", 0x8000},
    {"ProtectVirtualMemory", "NewProtect", 2},
    {"DuplicateObject", "Options", DUPLICATE_SAME_ACCESS},
};

/* Names that Open services look for. */
static const WCHAR *name_for(const char *service)
{
    static const struct {
        const char *service;
        const WCHAR *name;
    } rows[] = {{"OpenEvent", WIDE("\\SvcEvent")},
                {"OpenMutant", WIDE("\\SvcMutant")},
                {"OpenSemaphore", WIDE("\\SvcSemaphore")},
                {"OpenDirectoryObject", WIDE("\\Device")},
                {"OpenSymbolicLinkObject", WIDE("\\SvcLink")},
                {"OpenFile", WIDE("\\Device\\SvcTest")},
                {"CreateFile", WIDE("\\Device\\SvcTest")}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        if (!strcmp(rows[i].service, service))
            return rows[i].name;
    return NULL;
}

static HANDLE handle_for(const char *argument)
{
    static const struct {
        const char *argument;
        HANDLE *handle;
    } rows[] = {{"EventHandle", &event}, {"MutantHandle", &mutant}, {"SemaphoreHandle", &semaphore},
                {"LinkHandle", &link},   {"FileHandle", &file},     {"SourceHandle", &event},
                {"Handle", &event}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        if (!strcmp(rows[i].argument, argument))
            return *rows[i].handle;
    return strstr(argument, "Process") ? NtCurrentProcess() : NULL;
}

static void store(ULONG_PTR at, const void *data, SIZE_T size)
{
    if (at < plat_layout.user_limit)
        assert_true(plat_user_store(at, data, size));
    else
        memcpy((void *)at, data, size);
}

static void load(ULONG_PTR at, void *data, SIZE_T size)
{
    if (at < plat_layout.user_limit)
        assert_true(plat_user_load(at, data, size));
    else
        memcpy(data, (void *)at, size);
}

static void store_string(ULONG_PTR at, ULONG_PTR text, const WCHAR *content)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, content);
    store(text, content, string.Length);
    string.Buffer = (PWCH)text;
    string.MaximumLength = TEXT;
    store(at, &string, sizeof(string));
}

/* Prepares what the pointer at slot points to. */
static void prepare(const struct svc_row *row, ULONG i, ULONG_PTR slot)
{
    static const UCHAR zeroes[SLOT / 2];
    const WCHAR *name = name_for(row->name);
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes),
                                    .ObjectName = (PUNICODE_STRING)(name ? slot + 64 : 0)};
    ULONG64 number = 0;
    switch (row->kinds[i]) {
    case SVC_ATTRIBUTES:
        store(slot, &attributes, sizeof(attributes));
        if (name)
            store_string(slot + 64, slot + 96, name);
        break;
    case SVC_STRING:
        store_string(slot, slot + 64, WIDE("\\Device\\SvcTest"));
        break;
    case SVC_STRING_OUT:
        store_string(slot, slot + 64, WIDE(""));
        break;
    case SVC_HANDLES:
        store(slot, &event, sizeof(event));
        break;
    case SVC_SIZE_INOUT:
        number = strcmp(row->name, "FreeVirtualMemory") ? PLAT_PAGE_SIZE : 0;
        store(slot, &number, sizeof(number));
        break;
    case SVC_POINTER_INOUT:
        if (strcmp(row->name, "AllocateVirtualMemory")) {
            ULONG64 base = 0, size = PLAT_PAGE_SIZE;
            assert_int_equal(NtAllocateVirtualMemory(NtCurrentProcess(), (PVOID *)&base, 0, &size, 0x3000, 4),
                             STATUS_SUCCESS);
            number = base;
        }
        store(slot, &number, sizeof(number));
        break;
    default:
        store(slot, zeroes, sizeof(zeroes));
        break;
    }
}

static bool is_pointer(enum svc_kind kind)
{
    return svc_kinds[kind].bytes || kind == SVC_HANDLES || kind == SVC_DATA_OUT || kind == SVC_BUFFER_IN ||
           kind == SVC_BUFFER_OUT;
}

static SIZE_T bytes_of(enum svc_kind kind)
{
    return kind == SVC_BUFFER_IN || kind == SVC_BUFFER_OUT ? BUFFER_BYTES
           : svc_kinds[kind].bytes                         ? svc_kinds[kind].bytes
                                                           : DATA_BYTES;
}

/* Arguments of a call that succeeds, with everything they point to in area. */
static void build(const struct svc_row *row, ULONG_PTR area, ULONG64 *values)
{
    for (ULONG i = 0; i < row->count; i++) {
        values[i] = (ULONG_PTR)(row->kinds[i] == SVC_HANDLE ? handle_for(row->arguments[i]) : NULL);
        for (SIZE_T k = 0; k < RTL_NUMBER_OF(numbers); k++)
            if (!strcmp(numbers[k].service, row->name) && !strcmp(numbers[k].argument, row->arguments[i]))
                values[i] = numbers[k].value;
        if (!is_pointer(row->kinds[i]))
            continue;
        values[i] = area + i * SLOT;
        prepare(row, i, values[i]);
    }
    NtSetEvent(event, NULL); /* a wait without a time-out must end */
    if (!strcmp(row->name, "Close")) {
        HANDLE copy;
        assert_int_equal(
            ob_handle_duplicate(&ke_user.body, event, &ke_user.body, 0, 0, DUPLICATE_SAME_ACCESS, UserMode, &copy),
            STATUS_SUCCESS);
        values[0] = (ULONG_PTR)copy;
    }
    if (!strcmp(row->name, "ReleaseMutant"))
        NtWaitForSingleObject(mutant, FALSE, NULL);
}

/* Takes back what the call made, and what build made where the call did not take it. */
static void clean(const struct svc_row *row, NTSTATUS status, ULONG_PTR area, const ULONG64 *values)
{
    for (ULONG i = 0; i < row->count; i++) {
        ULONG64 value = 0, size = 0;
        bool handle = row->kinds[i] == SVC_OUT_HANDLE || row->kinds[i] == SVC_OUT_HANDLE_OPT;
        if (handle && NT_SUCCESS(status) && values[i]) {
            load(values[i], &value, sizeof(value));
            assert_int_equal(ob_handle_close((HANDLE)value, KernelMode), STATUS_SUCCESS);
        }
        if (row->kinds[i] == SVC_POINTER_INOUT) {
            bool allocates = !strcmp(row->name, "AllocateVirtualMemory");
            if (!allocates || NT_SUCCESS(status))
                load(allocates ? values[i] : area + i * SLOT, &value, sizeof(value));
            if (value &&
                (allocates ? NT_SUCCESS(status) : strcmp(row->name, "FreeVirtualMemory") || !NT_SUCCESS(status)))
                assert_int_equal(NtFreeVirtualMemory(NtCurrentProcess(), (PVOID *)&value, &size, 0x8000),
                                 STATUS_SUCCESS);
        }
    }
    if (!strcmp(row->name, "ReleaseSemaphore"))
        NtWaitForSingleObject(semaphore, FALSE, &(LARGE_INTEGER){.QuadPart = 0});
    if (!strcmp(row->name, "ReleaseMutant") && !NT_SUCCESS(status))
        NtReleaseMutant(mutant, NULL);
    if (!strcmp(row->name, "Close") && !NT_SUCCESS(status))
        ob_handle_close((HANDLE)values[0], UserMode);
}

/* ---- the cases ---- */

enum bad { BAD_NULL, BAD_UNMAPPED, BAD_READ_ONLY, BAD_KERNEL, BAD_STRADDLING, BAD_MISALIGNED, BAD_CASES };
static const char *const bad_names[] = {"null",       "unmapped",  "read-only", "a kernel address",
                                        "straddling", "misaligned"};

static ULONG_PTR bad_address(enum bad bad, const struct svc_row *row, ULONG i, ULONG_PTR good)
{
    switch (bad) {
    case BAD_NULL:
        return 0;
    case BAD_UNMAPPED:
        return unmapped;
    case BAD_READ_ONLY: {
        UCHAR copy[SLOT / 2];
        load(good, copy, sizeof(copy));
        assert_int_equal(plat_user_protect(read_only, PLAT_PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
        store(read_only, copy, sizeof(copy));
        assert_int_equal(plat_user_protect(read_only, PLAT_PAGE_SIZE, PLAT_READ), STATUS_SUCCESS);
        return read_only;
    }
    case BAD_KERNEL:
        return (ULONG_PTR)kernel_area;
    case BAD_STRADDLING:
        return last_page + PLAT_PAGE_SIZE - bytes_of(row->kinds[i]) / 2;
    default: {
        UCHAR copy[SLOT / 2 - 1];
        load(good, copy, sizeof(copy));
        store(good + SLOT / 2 + 1, copy, sizeof(copy));
        return good + SLOT / 2 + 1;
    }
    }
}

/* What the call must say. */
static bool expected(enum bad bad, const struct svc_row *row, ULONG i, NTSTATUS status)
{
    const struct svc_kind_row *kind = &svc_kinds[row->kinds[i]];
    bool out = (kind->flags & SVC_OUT) || row->kinds[i] == SVC_BUFFER_OUT;
    bool opens = row->kinds[i] == SVC_ATTRIBUTES && name_for(row->name);
    bool ioctl_buffer = !strcmp(row->name, "DeviceIoControlFile") && !kind->bytes;
    if (bad == BAD_NULL && opens)
        return status == STATUS_INVALID_PARAMETER;
    if (bad == BAD_NULL && ((kind->flags & SVC_OPT) || ioctl_buffer)) /* buffered: a null buffer has no length */
        return NT_SUCCESS(status);
    if (bad == BAD_READ_ONLY && !out)
        return NT_SUCCESS(status);
    if (bad == BAD_MISALIGNED)
        return kind->alignment > 1 ? status == STATUS_DATATYPE_MISALIGNMENT : NT_SUCCESS(status);
    return status == STATUS_ACCESS_VIOLATION;
}

static void try_bad(const struct svc_row *row, ULONG number, ULONG i, enum bad bad)
{
    ULONG64 values[SVC_ARGUMENTS_MAX];
    build(row, user_area, values);
    ULONG64 good = values[i];
    values[i] = bad_address(bad, row, i, good);
    NTSTATUS status = bench_call(number, values);
    if (!expected(bad, row, i, status)) {
        print_error("Nt%s, %s %s: 0x%08x\n", row->name, row->arguments[i], bad_names[bad], (unsigned)status);
        fail();
    }
    clean(row, status, user_area, values);
}

static void every_good_call_succeeds(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (ULONG number = 0; number < SVC_SERVICES; number++) {
        const struct svc_row *row = &svc_table[number];
        ULONG64 values[SVC_ARGUMENTS_MAX];
        struct bench_counts before = bench_counts();
        build(row, user_area, values);
        NTSTATUS status = bench_call(number, values);
        if (!NT_SUCCESS(status))
            print_error("Nt%s as UserMode: 0x%08x\n", row->name, (unsigned)status);
        assert_true(NT_SUCCESS(status));
        clean(row, status, user_area, values);
        build(row, (ULONG_PTR)kernel_area, values);
        status = svc_zw(number, values);
        if (!NT_SUCCESS(status))
            print_error("Zw%s: 0x%08x\n", row->name, (unsigned)status);
        assert_true(NT_SUCCESS(status));
        clean(row, status, (ULONG_PTR)kernel_area, values);
        bench_check(&before);
    }
}

static ULONG cases_run;

static void every_bad_pointer_is_a_status(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (ULONG number = 0; number < SVC_SERVICES; number++) {
        const struct svc_row *row = &svc_table[number];
        for (ULONG i = 0; i < row->count; i++)
            for (enum bad bad = 0; is_pointer(row->kinds[i]) && bad < BAD_CASES; bad++) {
                struct bench_counts before = bench_counts();
                try_bad(row, number, i, bad);
                bench_check(&before);
                cases_run++;
            }
    }
    print_message("%u services, %u bad pointers\n", (unsigned)SVC_SERVICES, (unsigned)cases_run);
    assert_true(cases_run > 300);
}

/* The pointers inside structures: the attributes' name and its text. */
static void names_are_captured_too(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG_PTR bad[] = {unmapped, (ULONG_PTR)kernel_area, last_page + PLAT_PAGE_SIZE - 8};
    struct bench_counts before = bench_counts();
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++) {
        OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = (PUNICODE_STRING)bad[i]};
        UNICODE_STRING name = {32, 32, (PWCH)bad[i]};
        store(user_area + 256, &attributes, sizeof(attributes));
        assert_int_equal(CALL(OpenEvent, user_area, EVENT_ALL_ACCESS, user_area + 256), STATUS_ACCESS_VIOLATION);
        attributes.ObjectName = (PUNICODE_STRING)(user_area + 512);
        store(user_area + 256, &attributes, sizeof(attributes));
        store(user_area + 512, &name, sizeof(name));
        assert_int_equal(CALL(OpenEvent, user_area, EVENT_ALL_ACCESS, user_area + 256), STATUS_ACCESS_VIOLATION);
    }
    bench_check(&before);
}

static void the_argument_block_is_captured_too(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(svc_system_call(SVC_NUMBER_Close, unmapped), STATUS_ACCESS_VIOLATION);
    assert_int_equal(svc_system_call(SVC_NUMBER_Close, (ULONG_PTR)kernel_area), STATUS_ACCESS_VIOLATION);
    assert_int_equal(svc_system_call(SVC_SERVICES, user_area), STATUS_INVALID_SYSTEM_SERVICE);
    assert_int_equal(svc_system_call(~0u, user_area), STATUS_INVALID_SYSTEM_SERVICE);
}

static void named(const WCHAR *text, UNICODE_STRING *name, OBJECT_ATTRIBUTES *attributes)
{
    RtlInitUnicodeString(name, text);
    *attributes = (OBJECT_ATTRIBUTES){.Length = sizeof(*attributes), .ObjectName = name};
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING name, target;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    bench_start();
    user_area = bench_user_page(PLAT_READWRITE);
    read_only = bench_user_page(PLAT_READWRITE);
    last_page = bench_user_page(PLAT_READWRITE);
    unmapped = bench_user_page(PLAT_READWRITE);
    plat_user_unmap(unmapped, PLAT_PAGE_SIZE);
    named(WIDE("\\SvcEvent"), &name, &attributes);
    assert_int_equal(NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, NotificationEvent, TRUE), STATUS_SUCCESS);
    named(WIDE("\\SvcMutant"), &name, &attributes);
    assert_int_equal(NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, &attributes, FALSE), STATUS_SUCCESS);
    named(WIDE("\\SvcSemaphore"), &name, &attributes);
    assert_int_equal(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, &attributes, 0, 9), STATUS_SUCCESS);
    named(WIDE("\\SvcLink"), &name, &attributes);
    RtlInitUnicodeString(&target, WIDE("\\Device\\SvcTest"));
    assert_int_equal(NtCreateSymbolicLinkObject(&link, GENERIC_ALL, &attributes, &target), STATUS_SUCCESS);
    named(WIDE("\\Device\\SvcTest"), &name, &attributes);
    assert_int_equal(NtOpenFile(&file, GENERIC_READ | GENERIC_WRITE, &attributes, &io, 7, 0), STATUS_SUCCESS);
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handles[] = {event, mutant, semaphore, link, file};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(handles); i++)
        assert_int_equal(NtClose(handles[i]), STATUS_SUCCESS);
    assert_int_equal(ob_handles_in(&ke_user.body), 0);
    bench_stop();
    assert_int_equal(io_leaks(NULL, NULL), 0);
    return 0;
}

int run_pointer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_call_succeeds),
        cmocka_unit_test(every_bad_pointer_is_a_status),
        cmocka_unit_test(names_are_captured_too),
        cmocka_unit_test(the_argument_block_is_captured_too),
    };
    return cmocka_run_group_tests_name("pointers", tests, set_up, tear_down);
}
