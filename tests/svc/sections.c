/*
 * sections.c - sections and their views: what is shared, what is copied, what is refused, and what becomes of files.
 */
#include "svc_test.h"
#include "usermode_accessors.h"

#define SELF NtCurrentProcess()
enum { K64 = 0x10000 };

static HANDLE create(ULONG64 bytes, ULONG protect, ULONG attributes)
{
    HANDLE section;
    LARGE_INTEGER size = {.QuadPart = (LONGLONG)bytes};
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size, protect, attributes, NULL),
                     STATUS_SUCCESS);
    return section;
}

static NTSTATUS map_part(HANDLE section, ULONG_PTR *base, LONGLONG offset, SIZE_T *size, ULONG protect)
{
    LARGE_INTEGER from = {.QuadPart = offset};
    return NtMapViewOfSection(section, SELF, (PVOID *)base, 0, 0, &from, size, ViewUnmap, 0, protect);
}

static ULONG_PTR map(HANDLE section, ULONG protect)
{
    ULONG_PTR base = 0;
    SIZE_T size = 0;
    assert_int_equal(map_part(section, &base, 0, &size, protect), STATUS_SUCCESS);
    return base;
}

static void unmap(ULONG_PTR base)
{
    assert_int_equal(NtUnmapViewOfSection(SELF, (PVOID)base), STATUS_SUCCESS);
}

static UCHAR get(ULONG_PTR address)
{
    return ReadUCharFromUser((const volatile UCHAR *)address);
}

static void put(ULONG_PTR address, UCHAR value)
{
    WriteUCharToUser((volatile UCHAR *)address, value);
}

static NTSTATUS put_status(ULONG_PTR address)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        put(address, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static MEMORY_BASIC_INFORMATION query(ULONG_PTR address)
{
    MEMORY_BASIC_INFORMATION info;
    assert_int_equal(NtQueryVirtualMemory(SELF, (PVOID)address, MemoryBasicInformation, &info, sizeof(info), NULL),
                     STATUS_SUCCESS);
    return info;
}

static void creations_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        LONGLONG size;
        ULONG protect, attributes;
        NTSTATUS status;
    } rows[] = {
        {PAGE_SIZE, PAGE_READWRITE, 0, STATUS_INVALID_PARAMETER_6},
        {PAGE_SIZE, PAGE_READWRITE, SEC_COMMIT | SEC_RESERVE, STATUS_INVALID_PARAMETER_6},
        {PAGE_SIZE, PAGE_READWRITE, SEC_COMMIT | 1, STATUS_INVALID_PARAMETER_6},
        {PAGE_SIZE, PAGE_NOACCESS, SEC_COMMIT, STATUS_INVALID_PAGE_PROTECTION},
        {PAGE_SIZE, PAGE_READWRITE | PAGE_GUARD, SEC_COMMIT, STATUS_INVALID_PAGE_PROTECTION},
        {PAGE_SIZE, 0, SEC_COMMIT, STATUS_INVALID_PAGE_PROTECTION},
        {PAGE_SIZE, PAGE_READONLY, SEC_IMAGE, STATUS_INVALID_FILE_FOR_SECTION},
        {0, PAGE_READWRITE, SEC_COMMIT, STATUS_INVALID_PARAMETER_4},
        {1ll << 60, PAGE_READWRITE, SEC_COMMIT, STATUS_SECTION_TOO_BIG},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        HANDLE section;
        LARGE_INTEGER size = {.QuadPart = rows[i].size};
        assert_int_equal(
            NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size, rows[i].protect, rows[i].attributes, NULL),
            rows[i].status);
    }
}

static void views_share_pages_and_outlive_the_handle(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section = create(3 * PAGE_SIZE + 1, PAGE_READWRITE, SEC_COMMIT);
    ULONG_PTR one = map(section, PAGE_READWRITE), two = map(section, PAGE_READONLY);
    put(one + PAGE_SIZE, 42);
    assert_int_equal(get(two + PAGE_SIZE), 42);
    assert_int_equal(put_status(two), STATUS_ACCESS_VIOLATION);
    assert_int_equal(query(one).RegionSize, 4 * PAGE_SIZE);
    assert_int_equal(query(one).Type, MEM_MAPPED);
    assert_int_equal(query(two).Protect, PAGE_READONLY);
    SECTION_BASIC_INFORMATION info;
    assert_int_equal(NtQuerySection(section, SectionBasicInformation, &info, sizeof(info), NULL), STATUS_SUCCESS);
    assert_int_equal(info.AllocationAttributes, SEC_COMMIT);
    assert_int_equal(info.MaximumSize.QuadPart, 3 * PAGE_SIZE + 1);
    assert_int_equal(NtQuerySection(section, SectionBasicInformation, &info, sizeof(info) - 1, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(NtQuerySection(section, SectionImageInformation, &info, sizeof(info), NULL),
                     STATUS_SECTION_NOT_IMAGE);
    assert_int_equal(NtExtendSection(section, &info.MaximumSize), STATUS_SECTION_NOT_EXTENDED);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
    put(one, 43);
    assert_int_equal(get(two), 43);
    unmap(one + 2 * PAGE_SIZE); /* any address in it will do */
    assert_int_equal(get(two + PAGE_SIZE), 42);
    unmap(two);
    assert_int_equal(NtUnmapViewOfSection(SELF, (PVOID)two), STATUS_NOT_MAPPED_VIEW);
}

static void parts_are_mapped(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section = create(3 * K64, PAGE_READWRITE, SEC_COMMIT);
    ULONG_PTR all = map(section, PAGE_READWRITE), base = 0;
    put(all + 2 * K64 + 5, 9);
    LARGE_INTEGER offset = {.QuadPart = 2 * K64 + 100}; /* rounded down to 64 KB */
    SIZE_T size = 10;
    assert_int_equal(
        NtMapViewOfSection(section, SELF, (PVOID *)&base, 0, 0, &offset, &size, ViewShare, MEM_TOP_DOWN, PAGE_READONLY),
        STATUS_SUCCESS);
    assert_int_equal(offset.QuadPart, 2 * K64);
    assert_int_equal(size, PAGE_SIZE);
    assert_int_equal(get(base + 5), 9);
    unmap(base);
    base = 0x50000000 + 5;
    size = 0;
    assert_int_equal(map_part(section, &base, K64, &size, PAGE_READONLY), STATUS_SUCCESS);
    assert_int_equal(base, 0x50000000);
    assert_int_equal(size, 2 * K64);
    assert_int_equal(get(base + K64 + 5), 9);
    /* Refusals. */
    ULONG_PTR taken = base, none = 0;
    assert_int_equal(map_part(section, &taken, 0, &size, PAGE_READONLY), STATUS_CONFLICTING_ADDRESSES);
    size = 0;
    assert_int_equal(map_part(section, &none, 3 * K64, &size, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    size = 3 * K64;
    assert_int_equal(map_part(section, &none, K64, &size, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    size = ~0ull;
    assert_int_equal(map_part(section, &none, 0, &size, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    size = 0;
    assert_int_equal(map_part(section, &none, 0, &size, 3), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(map_part(section, &none, 0, &size, PAGE_EXECUTE_READ), STATUS_SECTION_PROTECTION);
    none = 1ull << 47;
    assert_int_equal(map_part(section, &none, 0, &size, PAGE_READONLY), STATUS_INVALID_PARAMETER_3);
    none = 0;
    assert_int_equal(NtMapViewOfSection(section, SELF, (PVOID *)&none, 21, 0, NULL, &size, ViewUnmap, 0, PAGE_READONLY),
                     STATUS_INVALID_PARAMETER_4);
    assert_int_equal(NtMapViewOfSection(section, SELF, (PVOID *)&none, 0, 0, NULL, &size, 3, 0, PAGE_READONLY),
                     STATUS_INVALID_PARAMETER_8);
    assert_int_equal(
        NtMapViewOfSection(section, SELF, (PVOID *)&none, 0, 0, NULL, &size, ViewUnmap, MEM_COMMIT, PAGE_READONLY),
        STATUS_INVALID_PARAMETER_9);
    /* A view is not freed as memory is. */
    assert_int_equal(NtFreeVirtualMemory(SELF, (PVOID *)&base, &size, MEM_RELEASE), STATUS_UNABLE_TO_DELETE_SECTION);
    size = PAGE_SIZE;
    assert_int_equal(NtFreeVirtualMemory(SELF, (PVOID *)&base, &size, MEM_DECOMMIT), STATUS_UNABLE_TO_DELETE_SECTION);
    unmap(base);
    unmap(all);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
}

static void handles_and_sections_limit_views(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR user = bench_user_page(PLAT_READWRITE), base = user + 64, size = user + 72;
    HANDLE handle;
    const ULONG64 bytes = PAGE_SIZE, zero = 0;
    assert_true(plat_user_store(user + 80, &bytes, sizeof(bytes)));
    assert_true(plat_user_store(base, &zero, sizeof(zero)) && plat_user_store(size, &zero, sizeof(zero)));
    assert_int_equal(CALL(CreateSection, user, SECTION_MAP_READ, 0, user + 80, PAGE_READWRITE, SEC_COMMIT, 0),
                     STATUS_SUCCESS);
    assert_true(plat_user_load(user, &handle, sizeof(handle)));
    ULONG64 section = (ULONG64)handle, self = (ULONG64)SELF;
    assert_int_equal(CALL(MapViewOfSection, section, self, base, 0, 0, 0, size, ViewUnmap, 0, PAGE_READWRITE),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(CALL(QuerySection, section, 0, user + 128, 24, 0), STATUS_ACCESS_DENIED);
    assert_int_equal(CALL(ExtendSection, section, user + 80), STATUS_ACCESS_DENIED);
    assert_int_equal(CALL(MapViewOfSection, section, self, base, 0, 0, 0, size, ViewUnmap, 0, PAGE_WRITECOPY),
                     STATUS_SUCCESS);
    ULONG_PTR view;
    assert_true(plat_user_load(base, &view, sizeof(view)));
    unmap(view);
    assert_int_equal(CALL(Close, section), STATUS_SUCCESS);
    plat_user_unmap(user, PAGE_SIZE);
    HANDLE read_only = create(PAGE_SIZE, PAGE_READONLY, SEC_COMMIT);
    ULONG_PTR at = 0;
    SIZE_T length = 0;
    assert_int_equal(map_part(read_only, &at, 0, &length, PAGE_READWRITE), STATUS_SECTION_PROTECTION);
    assert_int_equal(map_part(read_only, &at, 0, &length, PAGE_WRITECOPY), STATUS_SUCCESS);
    unmap(at);
    assert_int_equal(NtClose(read_only), STATUS_SUCCESS);
}

static void first_write_copies(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section = create(2 * PAGE_SIZE, PAGE_READWRITE, SEC_COMMIT);
    ULONG_PTR shared = map(section, PAGE_READWRITE), copy = map(section, PAGE_WRITECOPY);
    ULONG old;
    put(shared, 1);
    assert_int_equal(get(copy), 1); /* still the section's page */
    assert_int_equal(query(copy).Protect, PAGE_WRITECOPY);
    put(copy, 2);
    assert_int_equal(get(shared), 1);
    put(shared, 3);
    assert_int_equal(get(copy), 2);
    assert_int_equal(query(copy).Protect, PAGE_READWRITE);
    assert_int_equal(query(copy).RegionSize, PAGE_SIZE);
    assert_int_equal(query(copy + PAGE_SIZE).Protect, PAGE_WRITECOPY);
    /* User mode's own stores and locks for writing copy as well. */
    put(shared + PAGE_SIZE, 4);
    MDL *mdl = IoAllocateMdl((PVOID)(copy + PAGE_SIZE), 1, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
    UCHAR *system = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    assert_int_equal(*system, 4);
    *system = 5;
    assert_int_equal(get(copy + PAGE_SIZE), 5);
    assert_int_equal(get(shared + PAGE_SIZE), 4);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    /* Protection: back and forth, within what the view was mapped with. */
    SIZE_T size = 2 * PAGE_SIZE;
    ULONG_PTR at = copy;
    assert_int_equal(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, PAGE_READWRITE, &old),
                     STATUS_SECTION_PROTECTION);
    assert_int_equal(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, PAGE_READONLY, &old), STATUS_SUCCESS);
    assert_int_equal(put_status(copy), STATUS_ACCESS_VIOLATION);
    assert_int_equal(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, PAGE_WRITECOPY, &old), STATUS_SUCCESS);
    assert_int_equal(put_status(copy), STATUS_SUCCESS);
    unmap(copy);
    copy = map(section, PAGE_WRITECOPY);
    const UCHAR six = 6;
    assert_true(plat_user_store(copy, &six, 1));
    assert_int_equal(get(copy), 6);
    assert_int_equal(get(shared), 3);
    unmap(copy);
    unmap(shared);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
}

static void reserved_sections_commit_for_all_views(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section = create(4 * PAGE_SIZE, PAGE_READWRITE, SEC_RESERVE);
    ULONG_PTR one = map(section, PAGE_READWRITE), two = map(section, PAGE_READONLY), at = one + PAGE_SIZE;
    SIZE_T size = PAGE_SIZE;
    assert_int_equal(query(one).State, MEM_RESERVE);
    assert_int_equal(put_status(at), STATUS_ACCESS_VIOLATION);
    assert_int_equal(NtAllocateVirtualMemory(SELF, (PVOID *)&at, 0, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
    put(at, 8);
    assert_int_equal(get(two + PAGE_SIZE), 8);
    assert_int_equal(query(two + PAGE_SIZE).RegionSize, PAGE_SIZE);
    assert_int_equal(query(two + PAGE_SIZE).Protect, PAGE_READONLY);
    assert_int_equal(NtAllocateVirtualMemory(SELF, (PVOID *)&at, 0, &size, MEM_COMMIT, PAGE_READWRITE),
                     STATUS_ALREADY_COMMITTED);
    unmap(one);
    unmap(two);
    ULONG_PTR base = 0;
    size = 0;
    assert_int_equal(
        NtMapViewOfSection(section, SELF, (PVOID *)&base, 0, PAGE_SIZE + 1, NULL, &size, ViewUnmap, 0, PAGE_READWRITE),
        STATUS_SUCCESS);
    assert_int_equal(query(base).State, MEM_COMMIT);
    assert_int_equal(query(base).RegionSize, 2 * PAGE_SIZE);
    assert_int_equal(get(base + PAGE_SIZE), 8);
    unmap(base);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
}

static void system_views_see_the_same_bytes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section = create(2 * PAGE_SIZE, PAGE_READWRITE, SEC_COMMIT);
    ULONG_PTR view = map(section, PAGE_READWRITE);
    void *body, *system;
    SIZE_T size = 1;
    assert_int_equal(ObReferenceObjectByHandle(section, SECTION_MAP_READ, MmSectionObjectType, KernelMode, &body, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(MmMapViewInSystemSpace(body, &system, &size), STATUS_SUCCESS);
    assert_int_equal(size, PAGE_SIZE);
    put(view, 77);
    assert_int_equal(*(UCHAR *)system, 77);
    SIZE_T holds = mm_holds_each(MM_POOL_DRIVER, NULL, NULL);
    assert_int_equal(MmUnmapViewInSystemSpace((UCHAR *)system + PAGE_SIZE), STATUS_NOT_MAPPED_VIEW);
    assert_int_equal(MmUnmapViewInSystemSpace(system), STATUS_SUCCESS);
    assert_int_equal(mm_holds_each(MM_POOL_DRIVER, NULL, NULL), holds - 1);
    assert_int_equal(MmUnmapViewInSystemSpace(system), STATUS_NOT_MAPPED_VIEW);
    size = 3 * PAGE_SIZE;
    assert_int_equal(MmMapViewInSystemSpace(body, &system, &size), STATUS_INVALID_VIEW_SIZE);
    size = 0;
    assert_int_equal(MmMapViewInSystemSpace(body, &system, &size), STATUS_SUCCESS);
    assert_int_equal(size, 2 * PAGE_SIZE);
    unmap(view);
    ObfDereferenceObject(body);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
    assert_int_equal(*(UCHAR *)system, 77); /* the view keeps the pages */
    assert_int_equal(MmUnmapViewInSystemSpace(system), STATUS_SUCCESS);
}

static void files_are_read_and_written_back(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE file, section, again;
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    IO_STATUS_BLOCK io;
    LARGE_INTEGER size = {.QuadPart = BENCH_FILE_BYTES + 1};
    bench_start();
    RtlInitUnicodeString(&name, WIDE("\\Device\\SvcTest"));
    assert_int_equal(NtOpenFile(&file, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes, &io, 7, 0x20),
                     STATUS_SUCCESS);
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size, PAGE_READONLY, SEC_COMMIT, file),
                     STATUS_SECTION_TOO_BIG);
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READONLY, SEC_IMAGE, file),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, file),
                     STATUS_SUCCESS);
    assert_int_equal(NtCreateSection(&again, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READONLY, SEC_COMMIT, file),
                     STATUS_SUCCESS);
    ULONG_PTR view = map(section, PAGE_READWRITE), other = map(again, PAGE_READONLY), at = view;
    assert_int_equal(get(view), 'r'); /* what the device answers to reads */
    assert_int_equal(get(view + BENCH_FILE_BYTES - 1), 'r');
    put(view, 'w');
    assert_int_equal(get(other), 'w'); /* one copy of a file */
    ULONG writes = bench_writes;
    SIZE_T bytes = 1;
    assert_int_equal(NtFlushVirtualMemory(SELF, (PVOID *)&at, &bytes, &io), STATUS_SUCCESS);
    assert_int_equal(bench_writes, writes + 1);
    assert_int_equal(bench_written[0], 'w');
    put(view + 1, 'x');
    unmap(other); /* could not be written through */
    assert_int_equal(bench_writes, writes + 1);
    unmap(view);
    assert_true(bench_writes > writes + 1);
    assert_int_equal(bench_written[1], 'x');
    at = 0x60000000;
    assert_int_equal(NtFlushVirtualMemory(SELF, (PVOID *)&at, &bytes, &io), STATUS_NOT_MAPPED_VIEW);
    size.QuadPart = 2 * BENCH_FILE_BYTES;
    assert_int_equal(NtExtendSection(section, &size), STATUS_SUCCESS);
    assert_int_equal(NtExtendSection(again, &size), STATUS_SECTION_NOT_EXTENDED);
    view = map(section, PAGE_READONLY);
    assert_int_equal(query(view).RegionSize, 2 * BENCH_FILE_BYTES);
    unmap(view);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
    assert_int_equal(NtClose(again), STATUS_SUCCESS);
    assert_int_equal(NtClose(file), STATUS_SUCCESS);
    bench_stop();
}

static struct bench_counts before;

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    before = bench_counts();
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    bench_check(&before);
    return 0;
}

int run_section_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(creations_are_refused),
        TEST(views_share_pages_and_outlive_the_handle),
        TEST(parts_are_mapped),
        TEST(handles_and_sections_limit_views),
        TEST(first_write_copies),
        TEST(reserved_sections_commit_for_all_views),
        TEST(system_views_see_the_same_bytes),
        TEST(files_are_read_and_written_back),
    };
    return cmocka_run_group_tests_name("sections", tests, NULL, NULL);
}
