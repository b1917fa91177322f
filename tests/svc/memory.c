/*
 * memory.c - virtual memory: what each call refuses and with which status, how regions split, and what the accessors
 * make of the pages.
 */
#include "svc_test.h"
#include "usermode_accessors.h"
#include "vm.h"

#define SELF NtCurrentProcess()
enum { K64 = 0x10000 };

static NTSTATUS allocate(ULONG_PTR *base, SIZE_T *size, ULONG type, ULONG protect)
{
    return NtAllocateVirtualMemory(SELF, (PVOID *)base, 0, size, type, protect);
}

static ULONG_PTR region(SIZE_T size, ULONG type, ULONG protect)
{
    ULONG_PTR base = 0;
    assert_int_equal(allocate(&base, &size, type, protect), STATUS_SUCCESS);
    return base;
}

static NTSTATUS free_at(ULONG_PTR base, SIZE_T size, ULONG type)
{
    return NtFreeVirtualMemory(SELF, (PVOID *)&base, &size, type);
}

static NTSTATUS protect_at(ULONG_PTR base, SIZE_T size, ULONG protect, ULONG *old)
{
    return NtProtectVirtualMemory(SELF, (PVOID *)&base, &size, protect, old);
}

static MEMORY_BASIC_INFORMATION query(ULONG_PTR address)
{
    MEMORY_BASIC_INFORMATION info;
    SIZE_T length;
    assert_int_equal(NtQueryVirtualMemory(SELF, (PVOID)address, MemoryBasicInformation, &info, sizeof(info), &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, sizeof(info));
    return info;
}

#define assert_region(address, state, protection, size)                                                                \
    do {                                                                                                               \
        MEMORY_BASIC_INFORMATION told = query(address);                                                                \
        assert_int_equal((ULONG_PTR)told.BaseAddress, address);                                                        \
        assert_int_equal(told.State, state);                                                                           \
        assert_int_equal(told.Protect, protection);                                                                    \
        assert_int_equal(told.RegionSize, size);                                                                       \
    } while (0)

static NTSTATUS read_status(ULONG_PTR address)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        ReadUCharFromUser((const volatile UCHAR *)address);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static NTSTATUS write_status(ULONG_PTR address)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        WriteUCharToUser((volatile UCHAR *)address, 7);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void allocations_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG64 base, size, zero_bits;
        ULONG type, protect;
        NTSTATUS status;
    } rows[] = {
        {0, PAGE_SIZE, 21, MEM_COMMIT, PAGE_READWRITE, STATUS_INVALID_PARAMETER_3},
        {0, PAGE_SIZE, 32, MEM_COMMIT, PAGE_READWRITE, STATUS_INVALID_PARAMETER_3},
        {0, PAGE_SIZE, 0, 0, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5},
        {0, PAGE_SIZE, 0, MEM_TOP_DOWN, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5},
        {0, PAGE_SIZE, 0, MEM_COMMIT | MEM_RELEASE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5},
        {0, PAGE_SIZE, 0, MEM_COMMIT | MEM_RESET, PAGE_READWRITE, STATUS_INVALID_PARAMETER_5},
        {0, PAGE_SIZE, 0, MEM_COMMIT, 0, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, PAGE_READONLY | PAGE_READWRITE, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, PAGE_WRITECOPY, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, PAGE_EXECUTE_WRITECOPY, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, PAGE_NOACCESS | PAGE_GUARD, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD | PAGE_NOCACHE, STATUS_INVALID_PAGE_PROTECTION},
        {0, PAGE_SIZE, 0, MEM_COMMIT, 0x10000000 | PAGE_READWRITE, STATUS_INVALID_PAGE_PROTECTION},
        {0, 0, 0, MEM_COMMIT, PAGE_READWRITE, STATUS_INVALID_PARAMETER_4},
        {0, 1ull << 62, 0, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_4},
        {0x20000000, 1ull << 46, 0, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_4},
        {1ull << 47, PAGE_SIZE, 0, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_2},
        {0x1000, PAGE_SIZE, 0, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_2},
        {0x60000000, PAGE_SIZE, 0, MEM_COMMIT, PAGE_READWRITE, STATUS_CONFLICTING_ADDRESSES},
        {0x60000000, PAGE_SIZE, 0, MEM_RESET, PAGE_READWRITE, STATUS_CONFLICTING_ADDRESSES},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        ULONG64 base = rows[i].base, size = rows[i].size;
        NTSTATUS status =
            NtAllocateVirtualMemory(SELF, (PVOID *)&base, rows[i].zero_bits, &size, rows[i].type, rows[i].protect);
        if (status != rows[i].status)
            print_error("row %u\n", (unsigned)i);
        assert_int_equal(status, rows[i].status);
        assert_true(base == rows[i].base && size == rows[i].size);
    }
    ULONG_PTR none = 0;
    SIZE_T size = 1;
    assert_int_equal(NtAllocateVirtualMemory((HANDLE)0x44, (PVOID *)&none, 0, &size, MEM_COMMIT, PAGE_READWRITE),
                     STATUS_INVALID_HANDLE);
}

static void reserved_pages_are_committed_one_by_one(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base = region(8 * PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE), page = base + 2 * PAGE_SIZE;
    assert_int_equal(base % K64, 0);
    assert_region(base, MEM_RESERVE, 0, 8 * PAGE_SIZE);
    assert_int_equal(read_status(page), STATUS_ACCESS_VIOLATION);
    SIZE_T size = PAGE_SIZE + 1; /* touches two pages */
    ULONG_PTR at = page + 5;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
    assert_true(at == page && size == 2 * PAGE_SIZE);
    assert_int_equal(write_status(page), STATUS_SUCCESS);
    assert_region(base, MEM_RESERVE, 0, 2 * PAGE_SIZE);
    assert_region(page, MEM_COMMIT, PAGE_READWRITE, 2 * PAGE_SIZE);
    assert_region(page + 2 * PAGE_SIZE, MEM_RESERVE, 0, 4 * PAGE_SIZE);
    MEMORY_BASIC_INFORMATION info = query(page + 17);
    assert_ptr_equal(info.AllocationBase, (PVOID)base);
    assert_int_equal(info.AllocationProtect, PAGE_READWRITE);
    assert_int_equal(info.Type, MEM_PRIVATE);
    /* What is committed keeps its contents and gets the new protection. */
    at = base;
    size = 8 * PAGE_SIZE;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READONLY), STATUS_SUCCESS);
    assert_region(base, MEM_COMMIT, PAGE_READONLY, 8 * PAGE_SIZE);
    assert_int_equal(write_status(page), STATUS_ACCESS_VIOLATION);
    assert_int_equal(ReadUCharFromUser((const volatile UCHAR *)page), 7);
    /* Across its end, and into it from outside. */
    at = base + 7 * PAGE_SIZE;
    size = 2 * PAGE_SIZE;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(allocate(&at, &size, MEM_RESERVE, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_SUCCESS);
    assert_int_equal(query(base).State, MEM_FREE);
    assert_int_equal(query(base).Protect, PAGE_NOACCESS);
    assert_null(query(base).AllocationBase);
}

static void places_are_chosen(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR low = region(1, MEM_RESERVE, PAGE_READWRITE),
              high = region(1, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE);
    assert_true(low < high);
    ULONG_PTR narrow = 0, wanted = 0x50012345;
    SIZE_T size = 1;
    assert_int_equal(
        NtAllocateVirtualMemory(SELF, (PVOID *)&narrow, 2, &size, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE),
        STATUS_SUCCESS);
    assert_true(narrow < 0x40000000);
    size = 1;
    assert_int_equal(allocate(&wanted, &size, MEM_RESERVE, PAGE_READWRITE), STATUS_SUCCESS);
    assert_int_equal(wanted, 0x50010000);
    assert_int_equal(size, 0x3000); /* the whole pages from 64 KB down to the byte asked for */
    SIZE_T huge = 1ull << 39;
    ULONG_PTR vast = 0;
    assert_int_equal(allocate(&vast, &huge, MEM_RESERVE, PAGE_NOACCESS), STATUS_SUCCESS);
    assert_region(vast, MEM_RESERVE, 0, 1ull << 39);
    assert_int_equal(allocate(&vast, &huge, MEM_COMMIT, PAGE_READWRITE), STATUS_COMMITMENT_LIMIT);
    const ULONG_PTR all[] = {low, high, narrow, wanted, vast};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(all); i++)
        assert_int_equal(free_at(all[i], 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void frees_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base = region(4 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    assert_int_equal(free_at(base, 0, 0), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(free_at(base, 0, MEM_RELEASE | MEM_DECOMMIT), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(free_at(1ull << 47, 0, MEM_RELEASE), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(free_at(base, ~0ull, MEM_DECOMMIT), STATUS_INVALID_PARAMETER_3);
    assert_int_equal(free_at(0x60000000, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
    assert_int_equal(free_at(base + PAGE_SIZE, 0, MEM_RELEASE), STATUS_FREE_VM_NOT_AT_BASE);
    assert_int_equal(free_at(base + PAGE_SIZE, 0, MEM_DECOMMIT), STATUS_FREE_VM_NOT_AT_BASE);
    assert_int_equal(free_at(base, PAGE_SIZE, MEM_RELEASE), STATUS_UNABLE_TO_FREE_VM);
    assert_int_equal(free_at(base, 5 * PAGE_SIZE, MEM_RELEASE), STATUS_UNABLE_TO_FREE_VM);
    assert_int_equal(free_at(base + PAGE_SIZE, 4 * PAGE_SIZE, MEM_DECOMMIT), STATUS_UNABLE_TO_FREE_VM);
    /* Part goes and comes back as zeroes; then all of it; decommitting twice is no mistake. */
    assert_int_equal(write_status(base + PAGE_SIZE), STATUS_SUCCESS);
    assert_int_equal(free_at(base + PAGE_SIZE + 1, 1, MEM_DECOMMIT), STATUS_SUCCESS);
    assert_int_equal(free_at(base + PAGE_SIZE + 1, 1, MEM_DECOMMIT), STATUS_SUCCESS);
    assert_region(base, MEM_COMMIT, PAGE_READWRITE, PAGE_SIZE);
    assert_region(base + PAGE_SIZE, MEM_RESERVE, 0, PAGE_SIZE);
    ULONG_PTR at = base + PAGE_SIZE;
    SIZE_T size = 1;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
    assert_int_equal(ReadUCharFromUser((const volatile UCHAR *)at), 0);
    assert_int_equal(free_at(base, 0, MEM_DECOMMIT), STATUS_SUCCESS);
    assert_region(base, MEM_RESERVE, 0, 4 * PAGE_SIZE);
    /* What is secured stays. */
    size = 1;
    at = base;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
    HANDLE secure = MmSecureVirtualMemory((PVOID)base, 1, PAGE_READWRITE);
    assert_non_null(secure);
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(free_at(base, 1, MEM_DECOMMIT), STATUS_INVALID_PAGE_PROTECTION);
    MmUnsecureVirtualMemory(secure);
    assert_int_equal(free_at(base, 4 * PAGE_SIZE, MEM_RELEASE), STATUS_SUCCESS);
}

static void protections_are_told_as_they_were_set(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG protect;
        NTSTATUS read, write;
    } rows[] = {
        {PAGE_NOACCESS, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
        {PAGE_READONLY, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
        {PAGE_READWRITE, STATUS_SUCCESS, STATUS_SUCCESS},
        {PAGE_EXECUTE, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
        {PAGE_EXECUTE_READ, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
        {PAGE_EXECUTE_READWRITE, STATUS_SUCCESS, STATUS_SUCCESS},
        {PAGE_READWRITE | PAGE_NOCACHE, STATUS_SUCCESS, STATUS_SUCCESS},
        {PAGE_READONLY | PAGE_WRITECOMBINE, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
    };
    ULONG_PTR base = region(3 * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE), page = base + PAGE_SIZE;
    ULONG old, before = PAGE_READWRITE;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        assert_int_equal(protect_at(page, 1, rows[i].protect, &old), STATUS_SUCCESS);
        assert_int_equal(old, before);
        before = rows[i].protect;
        assert_int_equal(query(page).Protect, rows[i].protect);
        assert_int_equal(query(page).AllocationProtect, PAGE_READWRITE);
        assert_int_equal(read_status(page), rows[i].read);
        assert_int_equal(write_status(page), rows[i].write);
    }
    assert_region(base, MEM_COMMIT, PAGE_READWRITE, PAGE_SIZE);
    /* A guard page tells once, and the protection is what is left. */
    assert_int_equal(protect_at(base, 3 * PAGE_SIZE, PAGE_READWRITE | PAGE_GUARD, &old), STATUS_SUCCESS);
    assert_int_equal(old, PAGE_READWRITE);
    assert_region(base, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD, 3 * PAGE_SIZE);
    assert_int_equal(read_status(page), STATUS_GUARD_PAGE_VIOLATION);
    assert_int_equal(read_status(page), STATUS_SUCCESS);
    assert_region(base, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD, PAGE_SIZE);
    assert_region(page, MEM_COMMIT, PAGE_READWRITE, PAGE_SIZE);
    /* Refusals. */
    assert_int_equal(protect_at(page, 1, PAGE_WRITECOPY, &old), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(protect_at(page, 1, 3, &old), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(protect_at(page, 0, PAGE_READONLY, &old), STATUS_INVALID_PARAMETER_3);
    assert_int_equal(protect_at(1ull << 47, 1, PAGE_READONLY, &old), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(protect_at(page, 3 * PAGE_SIZE, PAGE_READONLY, &old), STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(protect_at(0x60000000, 1, PAGE_READONLY, &old), STATUS_CONFLICTING_ADDRESSES);
    assert_int_equal(free_at(page, 1, MEM_DECOMMIT), STATUS_SUCCESS);
    assert_int_equal(protect_at(page, 1, PAGE_READONLY, &old), STATUS_NOT_COMMITTED);
    assert_int_equal(protect_at(base, 3 * PAGE_SIZE, PAGE_READONLY, &old), STATUS_NOT_COMMITTED);
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void queries_tell_of_everything(void **state)
{
    UNREFERENCED_PARAMETER(state);
    MEMORY_BASIC_INFORMATION info;
    assert_int_equal(NtQueryVirtualMemory(SELF, NULL, MemoryBasicInformation, &info, sizeof(info) - 1, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(NtQueryVirtualMemory(SELF, NULL, 77, &info, sizeof(info), NULL), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(NtQueryVirtualMemory(SELF, (PVOID)plat_layout.user_limit, 0, &info, sizeof(info), NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(query(0).State, MEM_FREE);
    /* From one region to the next up to the end, every byte once. */
    ULONG_PTR mine = region(PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE), hosts = bench_user_page(PLAT_READ), at = 0;
    bool seen_mine = false, seen_hosts = false;
    for (ULONG regions = 0; at < plat_layout.user_limit; regions++) {
        info = query(at);
        assert_int_equal((ULONG_PTR)info.BaseAddress, at);
        assert_true(info.RegionSize && regions < 1000);
        seen_mine |= at == mine && info.State == MEM_COMMIT;
        seen_hosts |= at == hosts && info.Protect == PAGE_READONLY && info.AllocationBase == (PVOID)hosts;
        at += info.RegionSize;
    }
    assert_int_equal(at, plat_layout.user_limit);
    assert_true(seen_mine && seen_hosts);
    /* Memory that mm did not hand out is protected all the same. */
    ULONG old;
    assert_int_equal(protect_at(hosts, 1, PAGE_READWRITE, &old), STATUS_SUCCESS);
    assert_int_equal(old, PAGE_READONLY);
    assert_int_equal(free_at(hosts, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
    assert_int_equal(plat_user_unmap(hosts, PAGE_SIZE), STATUS_SUCCESS);
    assert_int_equal(free_at(mine, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void memory_is_copied_up_to_the_first_bad_page(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR text[2 * PAGE_SIZE] = "some text", back[2 * PAGE_SIZE];
    SIZE_T done;
    ULONG_PTR base = region(2 * PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE), at = base;
    SIZE_T size = PAGE_SIZE;
    assert_int_equal(allocate(&at, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
    assert_int_equal(NtWriteVirtualMemory(SELF, (PVOID)base, text, 10, &done), STATUS_SUCCESS);
    assert_int_equal(done, 10);
    assert_int_equal(NtReadVirtualMemory(SELF, (PVOID)base, back, 10, NULL), STATUS_SUCCESS);
    assert_memory_equal(back, text, 10);
    assert_int_equal(NtReadVirtualMemory(SELF, (PVOID)base, back, sizeof(back), &done), STATUS_PARTIAL_COPY);
    assert_int_equal(done, PAGE_SIZE);
    assert_int_equal(NtWriteVirtualMemory(SELF, (PVOID)(base + PAGE_SIZE), text, 1, &done), STATUS_PARTIAL_COPY);
    assert_int_equal(done, 0);
    assert_int_equal(NtWriteVirtualMemory(SELF, text, text, 1, &done), STATUS_ACCESS_VIOLATION);
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

static void reset_keeps_the_region(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base = region(PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE), at = base;
    SIZE_T size = PAGE_SIZE;
    assert_int_equal(allocate(&at, &size, MEM_RESET, PAGE_READONLY), STATUS_SUCCESS);
    assert_region(base, MEM_COMMIT, PAGE_READWRITE, PAGE_SIZE); /* the protection is not used */
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_SUCCESS);
}

/* What no service has put there, no service frees; the program that did still can. */
static void the_programs_pages_are_not_freed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base;
    ULONG old;
    assert_int_equal(mm_user_alloc(&base, 2 * PAGE_SIZE, PLAT_READ | PLAT_WRITE), STATUS_SUCCESS);
    assert_int_equal(free_at(base, PAGE_SIZE, MEM_DECOMMIT), STATUS_MEMORY_NOT_ALLOCATED);
    assert_int_equal(free_at(base, 0, MEM_DECOMMIT), STATUS_MEMORY_NOT_ALLOCATED);
    assert_int_equal(free_at(base, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
    assert_region(base, MEM_COMMIT, PAGE_READWRITE, 2 * PAGE_SIZE);
    assert_int_equal(protect_at(base, PAGE_SIZE, PAGE_NOACCESS, &old), STATUS_SUCCESS);
    assert_int_equal(mm_user_free(base, 2 * PAGE_SIZE), STATUS_SUCCESS);
    assert_int_equal(query(base).State, MEM_FREE);
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

int run_memory_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(allocations_are_refused),
        TEST(reserved_pages_are_committed_one_by_one),
        TEST(places_are_chosen),
        TEST(frees_are_refused),
        TEST(protections_are_told_as_they_were_set),
        TEST(queries_tell_of_everything),
        TEST(memory_is_copied_up_to_the_first_bad_page),
        TEST(reset_keeps_the_region),
        TEST(the_programs_pages_are_not_freed),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
