/*
 * memory_race.c - user memory that changes under the kernel's hands: one thread commits, decommits and protects,
 * another maps and unmaps views, while a third reads, writes, locks and asks. No crash, and nothing is left over.
 */
#include "svc_test.h"
#include "usermode_accessors.h"

#define SELF NtCurrentProcess()
enum { ROUNDS = 20000, RACE_PAGES = 8, RACE_BYTES = RACE_PAGES * PAGE_SIZE, VIEW_AT = 0x58000000 };

static bool stop; /* atomic */
static ULONG_PTR base;
static HANDLE section;
static ULONG unexpected;

static ULONG next(ULONG *seed)
{
    return (*seed = *seed * 1664525u + 1013904223u) >> 8;
}

static void expect(NTSTATUS status, NTSTATUS other)
{
    if (!NT_SUCCESS(status) && status != other) {
        print_error("0x%08x\n", (unsigned)status);
        __atomic_add_fetch(&unexpected, 1, __ATOMIC_RELAXED);
    }
}

static void change_pages(void *context)
{
    static const ULONG protections[] = {PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD};
    ULONG seed = 1, old;
    UNREFERENCED_PARAMETER(context);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ULONG page = next(&seed) % RACE_PAGES, count = 1 + next(&seed) % (RACE_PAGES - page);
        ULONG_PTR at = base + page * PAGE_SIZE;
        SIZE_T size = (SIZE_T)count * PAGE_SIZE;
        switch (next(&seed) % 3) {
        case 0:
            expect(NtAllocateVirtualMemory(SELF, (PVOID *)&at, 0, &size, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
            break;
        case 1:
            expect(NtFreeVirtualMemory(SELF, (PVOID *)&at, &size, MEM_DECOMMIT), STATUS_SUCCESS);
            break;
        default:
            expect(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, protections[next(&seed) % 4], &old),
                   STATUS_NOT_COMMITTED);
            break;
        }
    }
}

static void change_views(void *context)
{
    ULONG seed = 2, old;
    UNREFERENCED_PARAMETER(context);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ULONG_PTR at = VIEW_AT;
        SIZE_T size = 0;
        ULONG protect = next(&seed) % 2 ? PAGE_WRITECOPY : PAGE_READWRITE;
        expect(NtMapViewOfSection(section, SELF, (PVOID *)&at, 0, 0, NULL, &size, ViewUnmap, 0, protect),
               STATUS_SUCCESS);
        expect(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, PAGE_READONLY, &old), STATUS_SUCCESS);
        expect(NtProtectVirtualMemory(SELF, (PVOID *)&at, &size, protect, &old), STATUS_SUCCESS);
        expect(NtUnmapViewOfSection(SELF, (PVOID)VIEW_AT), STATUS_SUCCESS);
    }
}

/* True: it went well. */
static bool try_lock(MDL *mdl, LOCK_OPERATION operation)
{
    volatile bool locked = false;
    __try {
        MmProbeAndLockPages(mdl, UserMode, operation);
        locked = true;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        /* the user was faster */
    }
    return locked;
}

static bool lock_and_use(ULONG_PTR at, SIZE_T size, bool write)
{
    MDL *mdl = IoAllocateMdl((PVOID)at, (ULONG)size, FALSE, FALSE, NULL);
    bool locked = try_lock(mdl, write ? IoWriteAccess : IoReadAccess);
    if (locked) {
        volatile UCHAR *view = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
        for (SIZE_T i = 0; i < size; i += PAGE_SIZE) {
            UCHAR byte = view[i];
            if (write)
                view[i] = byte;
        }
        MmUnlockPages(mdl);
    }
    IoFreeMdl(mdl);
    return locked;
}

static bool touch(ULONG_PTR at, bool write)
{
    volatile bool done = false;
    __try {
        if (write)
            WriteULongToUser((volatile ULONG *)at, 1);
        else
            ReadULongFromUser((const volatile ULONG *)at);
        done = true;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        /* the user was faster */
    }
    return done;
}

static void memory_changes_under_the_kernel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    SIZE_T holds = mm_holds_each(MM_POOL_DRIVER, NULL, NULL), size = RACE_BYTES, done;
    LARGE_INTEGER bytes = {.QuadPart = RACE_BYTES};
    ULONG seed = 3, went[2] = {0};
    PKTHREAD threads[2];
    uint64_t hosts[2];
    base = 0;
    assert_int_equal(NtAllocateVirtualMemory(SELF, (PVOID *)&base, 0, &size, MEM_RESERVE, PAGE_READWRITE),
                     STATUS_SUCCESS);
    assert_int_equal(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &bytes, PAGE_READWRITE, SEC_COMMIT, NULL),
                     STATUS_SUCCESS);
    __atomic_store_n(&stop, false, __ATOMIC_RELEASE);
    assert_int_equal(ke_thread_start(&ke_user.body, change_pages, NULL, 0, &threads[0], &hosts[0]), STATUS_SUCCESS);
    assert_int_equal(ke_thread_start(&ke_user.body, change_views, NULL, 0, &threads[1], &hosts[1]), STATUS_SUCCESS);
    for (ULONG round = 0; round < ROUNDS; round++) {
        ULONG_PTR area = next(&seed) % 2 ? base : VIEW_AT;
        ULONG page = next(&seed) % RACE_PAGES;
        ULONG_PTR at = area + page * PAGE_SIZE;
        bool write = next(&seed) % 2, well;
        UCHAR copy[64];
        MEMORY_BASIC_INFORMATION info;
        switch (next(&seed) % 4) {
        case 0:
            well = lock_and_use(at, (1 + next(&seed) % (RACE_PAGES - page)) * PAGE_SIZE, write);
            break;
        case 1:
            well = NT_SUCCESS(NtReadVirtualMemory(SELF, (PVOID)at, copy, sizeof(copy), &done));
            break;
        case 2:
            well = NT_SUCCESS(NtQueryVirtualMemory(SELF, (PVOID)at, 0, &info, sizeof(info), NULL)) &&
                   info.State == MEM_COMMIT;
            break;
        default:
            well = touch(at, write);
            break;
        }
        went[well]++;
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (SIZE_T i = 0; i < 2; i++) {
        plat_thread_join(hosts[i]);
        ke_thread_release(threads[i]);
    }
    print_message("%u times the kernel was faster, %u times the user\n", (unsigned)went[1], (unsigned)went[0]);
    assert_true(went[0] && went[1]);
    assert_int_equal(unexpected, 0);
    size = 0;
    assert_int_equal(NtFreeVirtualMemory(SELF, (PVOID *)&base, &size, MEM_RELEASE), STATUS_SUCCESS);
    assert_int_equal(NtClose(section), STATUS_SUCCESS);
    assert_int_equal(mm_holds_each(MM_POOL_DRIVER, NULL, NULL), holds);
    bench_check(&before);
}

int run_memory_race_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_changes_under_the_kernel)};
    return cmocka_run_group_tests_name("memory races", tests, NULL, NULL);
}
