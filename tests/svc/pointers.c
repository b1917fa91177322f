/*
 * pointers.c - every pointer argument of every service, generated from services.def: a good call in both modes, then as
 * user mode with that one pointer null, unmapped, read-only, a kernel address, straddling the end of a page,
 * misaligned. The status must be the documented one, and afterwards no handle, pool block or mode is left over.
 */
#include "svc_pointers.h"

static HANDLE event, mutant, semaphore, timer, link, file, folder, directory, key, below, section;
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
    {"FsControlFile", "FsControlCode", CODE_ECHO},
    {"FsControlFile", "InputBufferLength", BUFFER_BYTES},
    {"FsControlFile", "OutputBufferLength", BUFFER_BYTES},
    {"ReadFile", "Length", BUFFER_BYTES},
    {"QueryInformationFile", "Length", DATA_BYTES},
    {"QueryInformationFile", "FileInformationClass", FilePositionInformation},
    {"SetInformationFile", "Length", DATA_BYTES},
    {"SetInformationFile", "FileInformationClass", FilePositionInformation},
    {"QueryVolumeInformationFile", "Length", DATA_BYTES},
    {"QueryVolumeInformationFile", "FsInformationClass", FileFsDeviceInformation},
    {"QueryDirectoryFile", "Length", BUFFER_BYTES},
    {"QueryDirectoryFile", "FileInformationClass", FileNamesInformation},
    {"QueryDirectoryFile", "ReturnSingleEntry", TRUE},
    {"QueryDirectoryFile", "RestartScan", TRUE},
    {"WriteFile", "Length", BUFFER_BYTES},
    {"AllocateVirtualMemory", "AllocationType", 0x3000},
    {"AllocateVirtualMemory", "Protect", 4},
    {"FreeVirtualMemory", "FreeType", 0x8000},
    {"QueryVirtualMemory", "MemoryInformationLength", sizeof(MEMORY_BASIC_INFORMATION)},
    {"ReadVirtualMemory", "BufferSize", DATA_BYTES},
    {"WriteVirtualMemory", "BufferSize", DATA_BYTES},
    {"CreateSection", "SectionPageProtection", PAGE_READWRITE},
    {"CreateSection", "FileHandle", 0},
    {"CreateSection", "AllocationAttributes", SEC_COMMIT},
    {"MapViewOfSection", "InheritDisposition", ViewUnmap},
    {"MapViewOfSection", "Win32Protect", PAGE_READWRITE},
    {"QuerySection", "SectionInformationLength", sizeof(SECTION_BASIC_INFORMATION)},
    {"ProtectVirtualMemory", "NewProtect", 2},
    {"DuplicateObject", "Options", DUPLICATE_SAME_ACCESS},
    {"QueryKey", "KeyInformationClass", KeyHandleTagsInformation},
    {"QueryKey", "Length", DATA_BYTES},
    {"EnumerateKey", "KeyInformationClass", KeyBasicInformation},
    {"EnumerateKey", "Length", BIG_BYTES},
    {"SetInformationKey", "KeySetInformationLength", DATA_BYTES},
    {"SetValueKey", "Type", REG_BINARY},
    {"SetValueKey", "DataSize", DATA_BYTES},
    {"QueryValueKey", "KeyValueInformationClass", KeyValuePartialInformation},
    {"QueryValueKey", "Length", BIG_BYTES},
    {"EnumerateValueKey", "Length", BIG_BYTES},
    {"NotifyChangeKey", "CompletionFilter", REG_NOTIFY_CHANGE_LAST_SET},
    {"NotifyChangeKey", "Asynchronous", TRUE},
    {"QueryInformationProcess", "ProcessInformationLength", sizeof(PROCESS_BASIC_INFORMATION)},
    {"QueryInformationThread", "ThreadInformationLength", sizeof(THREAD_BASIC_INFORMATION)},
    {"QuerySystemInformation", "SystemInformationLength", sizeof(SYSTEM_BASIC_INFORMATION)},
    {"QueryMutant", "MutantInformationLength", 8},
    {"QuerySemaphore", "SemaphoreInformationLength", 8},
    {"QueryTimer", "TimerInformationLength", 16},
    {"QueryObject", "ObjectInformationClass", ObjectNameInformation},
    {"QueryObject", "ObjectInformationLength", 64},
    {"SetInformationObject", "ObjectInformationClass", ObjectHandleFlagInformation},
    {"SetInformationObject", "ObjectInformationLength", sizeof(OBJECT_HANDLE_FLAG_INFORMATION)},
    {"QueryDirectoryObject", "Length", 120},
    {"QueryDirectoryObject", "ReturnSingleEntry", TRUE},
};

/* Services for which user mode lacks the privilege, whatever it passes. */
static NTSTATUS refusal_of(const char *service)
{
    return strcmp(service, "MakePermanentObject") ? STATUS_SUCCESS : STATUS_PRIVILEGE_NOT_HELD;
}

/* Names that Open services look for. */
static const WCHAR *name_for(const char *service)
{
    static const struct {
        const char *service;
        const WCHAR *name;
    } rows[] = {{"OpenEvent", WIDE("\\SvcEvent")},
                {"OpenMutant", WIDE("\\SvcMutant")},
                {"OpenTimer", WIDE("\\SvcTimer")},
                {"OpenSemaphore", WIDE("\\SvcSemaphore")},
                {"OpenDirectoryObject", WIDE("\\Device")},
                {"OpenSymbolicLinkObject", WIDE("\\SvcLink")},
                {"OpenSection", WIDE("\\SvcSection")},
                {"OpenFile", WIDE("\\Device\\SvcTest")},
                {"CreateFile", WIDE("\\Device\\SvcTest")},
                {"OpenKey", WIDE("\\Registry\\Machine\\Software")},
                {"OpenKeyEx", WIDE("\\Registry\\Machine\\Software")},
                {"CreateKey", WIDE("\\Registry\\Machine\\Software")},
                {"QueryAttributesFile", WIDE("\\??\\C:\\a")},
                {"QueryFullAttributesFile", WIDE("\\??\\C:\\a")},
                {"DeleteFile", WIDE("\\??\\C:\\d")}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        if (!strcmp(rows[i].service, service))
            return rows[i].name;
    return NULL;
}

static HANDLE handle_for(const char *service, const char *argument)
{
    static const struct {
        const char *argument;
        HANDLE *handle;
    } rows[] = {
        {"EventHandle", &event}, {"MutantHandle", &mutant}, {"SemaphoreHandle", &semaphore}, {"LinkHandle", &link},
        {"FileHandle", &file},   {"SourceHandle", &event},  {"DirectoryHandle", &directory}, {"Handle", &event},
        {"KeyHandle", &key},     {"Event", &event},         {"SectionHandle", &section},     {"TimerHandle", &timer},
    };
    if (!strcmp(argument, "ThreadHandle"))
        return NtCurrentThread();
    if (!strcmp(service, "QueryDirectoryFile") && !strcmp(argument, "FileHandle"))
        return folder;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        if (!strcmp(rows[i].argument, argument))
            return *rows[i].handle;
    return strstr(argument, "Process") ? NtCurrentProcess() : NULL;
}

/* An empty file of that name, if there is none. */
static void make_file(const WCHAR *path)
{
    UNICODE_STRING name;
    FILE_OBJECT *made;
    ULONG_PTR information;
    struct io_create create = io_create_default;
    create.disposition = FILE_OPEN_IF;
    RtlInitUnicodeString(&name, path);
    assert_int_equal(io_file_open(&name, KernelMode, &create, &made, &information), STATUS_SUCCESS);
    ob_dereference(made);
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

static ULONG64 map_section(void)
{
    ULONG64 base = 0, size = 0;
    assert_int_equal(NtMapViewOfSection(section, NtCurrentProcess(), (PVOID *)&base, 0, 0, NULL, &size, ViewUnmap, 0,
                                        PAGE_READWRITE),
                     STATUS_SUCCESS);
    return base;
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
        if (!strcmp(row->name, "DeleteFile"))
            make_file(name);
        store(slot, &attributes, sizeof(attributes));
        if (name)
            store_string(slot + 64, slot + 96, name);
        break;
    case SVC_STRING:
    case SVC_STRING_OPT:
        store_string(slot, slot + 64,
                     strstr(row->name, "Key")         ? WIDE("Value")
                     : strstr(row->name, "Directory") ? WIDE("*")
                                                      : WIDE("\\Device\\SvcTest"));
        break;
    case SVC_CLIENT_ID_IN: {
        CLIENT_ID id = ke_thread_current()->Cid;
        store(slot, &id, sizeof(id));
        break;
    }
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
        if (!strcmp(row->name, "FlushVirtualMemory")) {
            number = map_section();
        } else if (strcmp(row->name, "AllocateVirtualMemory") && strcmp(row->name, "MapViewOfSection")) {
            ULONG64 base = 0, size = PLAT_PAGE_SIZE;
            assert_int_equal(NtAllocateVirtualMemory(NtCurrentProcess(), (PVOID *)&base, 0, &size, 0x3000, 4),
                             STATUS_SUCCESS);
            number = base;
        }
        store(slot, &number, sizeof(number));
        break;
    case SVC_LARGE_IN_OPT:
        number = strcmp(row->name, "CreateSection") ? 0 : PLAT_PAGE_SIZE;
        store(slot, &number, sizeof(number));
        break;
    default:
        store(slot, zeroes, sizeof(zeroes));
        break;
    }
}

static bool is_pointer(enum svc_kind kind)
{
    return svc_kinds[kind].bytes || kind == SVC_HANDLES || kind == SVC_DATA_OUT || kind == SVC_DATA_IN ||
           kind == SVC_BUFFER_IN || kind == SVC_BUFFER_OUT;
}

static bool number_for(const char *service, const char *argument, ULONG64 *value)
{
    for (SIZE_T k = 0; k < RTL_NUMBER_OF(numbers); k++)
        if (!strcmp(numbers[k].service, service) && !strcmp(numbers[k].argument, argument)) {
            *value = numbers[k].value;
            return true;
        }
    return false;
}

static SIZE_T bytes_of(const struct svc_row *row, ULONG i)
{
    enum svc_kind kind = row->kinds[i];
    ULONG64 length;
    if (kind == SVC_BUFFER_IN || kind == SVC_BUFFER_OUT)
        return BUFFER_BYTES;
    if (svc_kinds[kind].bytes)
        return svc_kinds[kind].bytes;
    bool told = (kind == SVC_DATA_IN || kind == SVC_DATA_OUT) && number_for(row->name, row->arguments[i + 1], &length);
    return told ? length : DATA_BYTES;
}

static UNICODE_STRING value_name(void)
{
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, WIDE("Value"));
    return name;
}

/* The key has its one value: what setting, deleting and renaming need, and what ends a watch. */
static void restore_key(void)
{
    ULONG64 data = 0;
    UNICODE_STRING name = value_name();
    assert_int_equal(NtSetValueKey(key, &name, 0, REG_BINARY, &data, sizeof(data)), STATUS_SUCCESS);
}

static HANDLE key_to_delete(void)
{
    HANDLE made;
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .RootDirectory = key, .ObjectName = &name};
    RtlInitUnicodeString(&name, WIDE("Short"));
    assert_int_equal(NtCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, REG_OPTION_VOLATILE, NULL),
                     STATUS_SUCCESS);
    return made;
}

/* Arguments of a call that succeeds, with everything they point to in area. */
static void build(const struct svc_row *row, ULONG_PTR area, ULONG64 *values)
{
    for (ULONG i = 0; i < row->count; i++) {
        values[i] = (ULONG_PTR)(row->kinds[i] == SVC_HANDLE ? handle_for(row->name, row->arguments[i]) : NULL);
        number_for(row->name, row->arguments[i], &values[i]);
        if (row->kinds[i] == SVC_POINTER && strstr(row->name, "VirtualMemory"))
            values[i] = user_area + PLAT_PAGE_SIZE - SLOT;
        if (row->kinds[i] == SVC_POINTER && !strcmp(row->name, "UnmapViewOfSection"))
            values[i] = map_section();
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
    if (!strcmp(row->name, "DeleteKey"))
        values[0] = (ULONG_PTR)key_to_delete();
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
            bool maps = !strcmp(row->name, "MapViewOfSection"),
                 views = maps || !strcmp(row->name, "FlushVirtualMemory");
            bool allocates = maps || !strcmp(row->name, "AllocateVirtualMemory");
            if (!allocates || NT_SUCCESS(status))
                load(allocates ? values[i] : area + i * SLOT, &value, sizeof(value));
            if (value && views) {
                assert_int_equal(NtUnmapViewOfSection(NtCurrentProcess(), (PVOID)value), STATUS_SUCCESS);
                value = 0;
            }
            if (value &&
                (allocates ? NT_SUCCESS(status) : strcmp(row->name, "FreeVirtualMemory") || !NT_SUCCESS(status)))
                assert_int_equal(NtFreeVirtualMemory(NtCurrentProcess(), (PVOID *)&value, &size, 0x8000),
                                 STATUS_SUCCESS);
        }
    }
    if (!strcmp(row->name, "AlertThread") || !strcmp(row->name, "QueueApcThread")) {
        KeTestAlertThread(KernelMode);
        CALL(TestAlert);
    }
    restore_key();
    if (!strcmp(row->name, "DeleteKey"))
        assert_int_equal(NtClose((HANDLE)values[0]), STATUS_SUCCESS);
    if (!strcmp(row->name, "MakePermanentObject"))
        NtMakeTemporaryObject(event);
    if (!strcmp(row->name, "ReleaseSemaphore"))
        NtWaitForSingleObject(semaphore, FALSE, &(LARGE_INTEGER){.QuadPart = 0});
    if (!strcmp(row->name, "ReleaseMutant") && !NT_SUCCESS(status))
        NtReleaseMutant(mutant, NULL);
    if (!strcmp(row->name, "Close") && !NT_SUCCESS(status))
        ob_handle_close((HANDLE)values[0], UserMode);
}

/* ---- for fetch.c and flip.c ---- */

ULONG_PTR good_area(KPROCESSOR_MODE mode)
{
    return mode == UserMode ? user_area : (ULONG_PTR)kernel_area;
}

void good_build(const struct svc_row *row, ULONG_PTR area, ULONG64 *values)
{
    build(row, area, values);
}

void good_clean(const struct svc_row *row, NTSTATUS status, ULONG_PTR area, const ULONG64 *values)
{
    clean(row, status, area, values);
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
        return last_page + PLAT_PAGE_SIZE - (bytes_of(row, i) + 1) / 2;
    default: {
        UCHAR copy[SLOT / 2 - 1];
        load(good, copy, sizeof(copy));
        store(good + SLOT / 2 + 1, copy, sizeof(copy));
        return good + SLOT / 2 + 1;
    }
    }
}

/* There is nothing to cancel here. */
static bool succeeded(const struct svc_row *row, NTSTATUS status)
{
    bool cancels = !strcmp(row->name, "CancelIoFileEx") || !strcmp(row->name, "CancelSynchronousIoFile");
    return cancels ? status == STATUS_NOT_FOUND : NT_SUCCESS(status);
}

/* What the call must say. */
static bool expected(enum bad bad, const struct svc_row *row, ULONG i, NTSTATUS status)
{
    const struct svc_kind_row *kind = &svc_kinds[row->kinds[i]];
    bool out = (kind->flags & SVC_OUT) || row->kinds[i] == SVC_BUFFER_OUT;
    bool opens = row->kinds[i] == SVC_ATTRIBUTES && name_for(row->name);
    bool ioctl_buffer = strstr(row->name, "ControlFile") && !kind->bytes;
    if (bad == BAD_NULL && !strcmp(row->name, "CreateSection") && row->kinds[i] == SVC_LARGE_IN_OPT)
        return status == STATUS_INVALID_PARAMETER_4;
    if (bad == BAD_NULL && row->kinds[i] == SVC_CLIENT_ID_IN)
        return status == STATUS_INVALID_PARAMETER_MIX;
    if (bad == BAD_NULL && opens)
        return status == STATUS_INVALID_PARAMETER;
    if (bad == BAD_NULL && ((kind->flags & SVC_OPT) || ioctl_buffer)) /* buffered: a null buffer has no length */
        return succeeded(row, status);
    if (bad == BAD_READ_ONLY && !out)
        return succeeded(row, status);
    if (bad == BAD_STRADDLING && bytes_of(row, i) == 1)
        return NT_SUCCESS(status); /* one byte is on one page */
    if (bad == BAD_MISALIGNED)
        return kind->alignment > 1 ? status == STATUS_DATATYPE_MISALIGNMENT : succeeded(row, status);
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
        bool good = refusal_of(row->name) ? status == refusal_of(row->name) : succeeded(row, status);
        if (!good)
            print_error("Nt%s as UserMode: 0x%08x\n", row->name, (unsigned)status);
        assert_true(good);
        clean(row, status, user_area, values);
        build(row, (ULONG_PTR)kernel_area, values);
        status = svc_zw(number, values);
        if (!succeeded(row, status))
            print_error("Zw%s: 0x%08x\n", row->name, (unsigned)status);
        assert_true(succeeded(row, status));
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
                /* NtDuplicateObject without TargetHandle makes a handle of unknown value: objects.c. */
                if (bad == BAD_NULL && !strcmp(row->arguments[i], "TargetHandle"))
                    continue;
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
    named(WIDE("\\Device"), &name, &attributes);
    assert_int_equal(NtOpenDirectoryObject(&directory, 1, &attributes), STATUS_SUCCESS);
    named(WIDE("\\SvcTimer"), &name, &attributes);
    assert_int_equal(NtCreateTimer(&timer, 0x1F0003, &attributes, NotificationTimer), STATUS_SUCCESS);
    named(WIDE("\\SvcMutant"), &name, &attributes);
    assert_int_equal(NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, &attributes, FALSE), STATUS_SUCCESS);
    named(WIDE("\\SvcSemaphore"), &name, &attributes);
    assert_int_equal(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, &attributes, 0, 9), STATUS_SUCCESS);
    named(WIDE("\\SvcLink"), &name, &attributes);
    RtlInitUnicodeString(&target, WIDE("\\Device\\SvcTest"));
    assert_int_equal(NtCreateSymbolicLinkObject(&link, GENERIC_ALL, &attributes, &target), STATUS_SUCCESS);
    named(WIDE("\\Device\\SvcTest"), &name, &attributes);
    assert_int_equal(NtOpenFile(&file, GENERIC_READ | GENERIC_WRITE, &attributes, &io, 7, FILE_SYNCHRONOUS_IO_NONALERT),
                     STATUS_SUCCESS);
    make_file(WIDE("\\??\\C:\\a"));
    named(WIDE("\\??\\C:\\"), &name, &attributes);
    assert_int_equal(NtOpenFile(&folder, GENERIC_READ, &attributes, &io, 7, FILE_SYNCHRONOUS_IO_NONALERT),
                     STATUS_SUCCESS);
    RtlInitUnicodeString(&target, WIDE("*"));
    UCHAR entry[BUFFER_BYTES]; /* what stays for good: the walk through the directory, the kernel's handle table */
    assert_int_equal(ZwQueryDirectoryFile(folder, NULL, NULL, NULL, &io, entry, sizeof(entry), FileNamesInformation,
                                          TRUE, &target, TRUE),
                     STATUS_SUCCESS);
    named(WIDE("\\??\\C:\\d"), &name, &attributes);
    make_file(WIDE("\\??\\C:\\d"));
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_SUCCESS);
    named(WIDE("\\SvcSection"), &name, &attributes);
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, &attributes, NULL, PAGE_READWRITE, SEC_COMMIT, file),
                     STATUS_SUCCESS);
    named(WIDE("\\Registry\\Machine\\Software\\Value"), &name, &attributes);
    assert_int_equal(NtCreateKey(&key, KEY_ALL_ACCESS, &attributes, 0, NULL, REG_OPTION_VOLATILE, NULL),
                     STATUS_SUCCESS);
    named(WIDE("\\Registry\\Machine\\Software\\Value\\Below"), &name, &attributes);
    assert_int_equal(NtCreateKey(&below, KEY_ALL_ACCESS, &attributes, 0, NULL, REG_OPTION_VOLATILE, NULL),
                     STATUS_SUCCESS);
    restore_key();
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handles[] = {section, event, mutant, semaphore, timer, link, file, folder, directory, below, key};
    assert_int_equal(NtDeleteKey(below), STATUS_SUCCESS);
    assert_int_equal(NtDeleteKey(key), STATUS_SUCCESS);
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
        cmocka_unit_test(every_good_call_succeeds),   cmocka_unit_test(every_bad_pointer_is_a_status),
        cmocka_unit_test(names_are_captured_too),     cmocka_unit_test(the_argument_block_is_captured_too),
        cmocka_unit_test(every_byte_is_fetched_once), cmocka_unit_test(every_racing_word_gives_one_of_two_outcomes),
    };
    return cmocka_run_group_tests_name("pointers", tests, set_up, tear_down);
}
