/* mdl_misuse_test.c - what goes wrong with memory descriptor lists: drivers' mistakes, and users who race them. */
#include "mdl_fixture.h"

static MDL *locked(ULONG_PTR address, ULONG length, LOCK_OPERATION operation)
{
    MDL *mdl = IoAllocateMdl((PVOID)address, length, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, UserMode, operation);
    return mdl;
}

static void release(MDL *mdl)
{
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static UCHAR *system_address(MDL *mdl)
{
    return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

/* ---- mistakes, each in a forked child, whose views must show the child's frames ---- */

static MDL *shared;

static void unlock_twice(void)
{
    MmUnlockPages(shared);
    MmUnlockPages(shared);
}

static void unlock_pool(void)
{
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    MDL *mdl = IoAllocateMdl(block, 16, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    MmUnlockPages(mdl);
}

static void overwrite_frames(void)
{
    MmGetMdlPfnArray(shared)[0]++;
    MmUnlockPages(shared);
}

static void lock_more_than_there_is_room_for(void)
{
    MDL *mdl = IoAllocateMdl((PVOID)base, PAGE_SIZE, FALSE, FALSE, NULL);
    mdl->ByteCount = PAGES * PAGE_SIZE;
    MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
}

static void lock_no_section(void)
{
    MmLockPagableDataSection(&base);
}

static void map_unlocked(void)
{
    system_address(IoAllocateMdl((PVOID)base, 1, FALSE, FALSE, NULL));
}

static void map_stale(void)
{
    MDL *part = IoAllocateMdl((PVOID)base, PAGE_SIZE + 1, FALSE, FALSE, NULL);
    IoBuildPartialMdl(shared, part, (PVOID)base, 0);
    MmUnlockPages(shared);
    plat_user_unmap(base, PAGES * PAGE_SIZE);
    system_address(part);
}

static void unmap_elsewhere(void)
{
    MmUnmapLockedPages((PVOID)plat_layout.system_start, shared);
}

static void build_for_user_memory(void)
{
    MmBuildMdlForNonPagedPool(IoAllocateMdl((PVOID)base, 1, FALSE, FALSE, NULL));
}

static void partial_beyond(void)
{
    MDL *part = IoAllocateMdl((PVOID)base, PAGE_SIZE, FALSE, FALSE, NULL);
    IoBuildPartialMdl(shared, part, (PVOID)(base + 1), 2 * PAGE_SIZE);
}

static void unsecure_twice(void)
{
    HANDLE handle = MmSecureVirtualMemory((PVOID)base, 1, PAGE_READONLY);
    MmUnsecureVirtualMemory(handle);
    MmUnsecureVirtualMemory(handle);
}

static void check_process(void)
{
    mm_check_no_locked_pages(ke_thread_current()->Process);
}

HOSTILE static void write_read_only(void)
{
    UCHAR *view =
        MmMapLockedPagesSpecifyCache(shared, KernelMode, MmCached, NULL, FALSE, NormalPagePriority | MdlMappingNoWrite);
    *(volatile UCHAR *)view = 1;
}

HOSTILE static void write_protected(void)
{
    volatile UCHAR *view = system_address(shared);
    if (MmProtectMdlSystemAddress(shared, PAGE_READONLY) == STATUS_SUCCESS && view[0] == 0)
        view[0] = 1;
}

static void views_follow_the_fork(void)
{
    UCHAR byte = 0x42, *view = shared->MappedSystemVa;
    plat_user_store(base, &byte, 1);
    view[1] = 0x43;
    if (view[0] != 0x42 || !plat_user_load(base + 1, &byte, 1) || byte != 0x43)
        plat_exit(9);
    MmUnlockPages(shared);
}

static void mistakes_are_bug_checks(void **state)
{
    UNREFERENCED_PARAMETER(state);
    shared = locked(base, PAGE_SIZE + 1, IoWriteAccess);
    static const struct {
        void (*action)(void);
        ULONG code;
        ULONG_PTR first;
    } rows[] = {
        {unlock_twice, 0xC4, 0x7C},           {unlock_pool, 0xC4, 0x7D},      {overwrite_frames, 0x4E, 2},
        {lock_no_section, 0x1A, 0x1234},      {map_unlocked, 0x1A, 0x1236},   {map_stale, 0x4E, 2},
        {unmap_elsewhere, 0xDA, 0x300},       {partial_beyond, 0x1A, 0x1237}, {unsecure_twice, 0x1A, 0x1000},
        {build_for_user_memory, 0xC4, 0x140}, {check_process, 0x76, 0},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        struct bugcheck_result result = bugcheck_of(rows[i].action);
        assert_true(result.happened);
        assert_int_equal(result.code, rows[i].code);
        assert_int_equal(result.parameters[0], rows[i].first);
    }
    assert_int_equal(bugcheck_of(lock_more_than_there_is_room_for).code, 0xD6);
    assert_true(bugcheck_of(write_read_only).happened);
    assert_true(bugcheck_of(write_protected).happened);
    UCHAR *view = system_address(shared), byte;
    view[0] = 1;
    assert_false(bugcheck_of(views_follow_the_fork).happened);                /* and the child ends with status 0 */
    assert_true(plat_user_load(base, &byte, 1) && byte == 1 && view[1] == 0); /* nothing of it is seen here */
    assert_int_equal(MmProtectMdlSystemAddress(shared, 0x77), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(MmProtectMdlSystemAddress(shared, PAGE_READWRITE), STATUS_SUCCESS);
    MmUnmapLockedPages(view, shared);
    assert_int_equal(MmProtectMdlSystemAddress(shared, PAGE_READWRITE), STATUS_NOT_MAPPED_VIEW);
    release(shared);
    assert_false(bugcheck_of(check_process).happened);
}

/* ---- a user thread that unmaps, protects and maps again, while locked memory is used ---- */

static struct {
    ULONG_PTR base;
    bool stop;
    ULONG64 rounds; /* changes so far */
    ULONG64 during; /* locks that saw one */
} racer;

static void race(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    static const ULONG prots[] = {PLAT_NOACCESS, PLAT_READ, PLAT_READWRITE};
    while (!__atomic_load_n(&racer.stop, __ATOMIC_ACQUIRE)) {
        plat_user_protect(racer.base, PAGE_SIZE, prots[racer.rounds % 3]);
        plat_user_protect(racer.base, PAGE_SIZE, PLAT_READWRITE);
        plat_yield(); /* where it stays for a time slice, the page is accessible */
        if (racer.rounds % 5 == 0) {
            ULONG_PTR at = racer.base;
            plat_user_unmap(at, 2 * PAGE_SIZE);
            plat_user_map(&at, 2 * PAGE_SIZE, PLAT_READWRITE);
        }
        __atomic_fetch_add(&racer.rounds, 1, __ATOMIC_RELAXED);
    }
}

static bool use_locked(MDL *mdl, UCHAR mark)
{
    struct lock lock = {mdl, UserMode, IoWriteAccess};
    NTSTATUS status = exception_of(do_lock, &lock);
    if (!NT_SUCCESS(status)) {
        assert_int_equal(status, STATUS_ACCESS_VIOLATION);
        plat_yield();
        return false;
    }
    ULONG64 rounds = __atomic_load_n(&racer.rounds, __ATOMIC_RELAXED);
    volatile UCHAR *view = system_address(mdl);
    view[0] = mark;
    view[PAGE_SIZE] = (UCHAR)(mark + 1);
    plat_yield();
    assert_true(view[0] == mark && view[PAGE_SIZE] == (UCHAR)(mark + 1)); /* pinned: nobody else's now */
    racer.during += __atomic_load_n(&racer.rounds, __ATOMIC_RELAXED) != rounds;
    MmUnlockPages(mdl);
    return true;
}

static void a_racing_user_cannot_take_locked_pages(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { ROUNDS = 20000 };
    uint64_t thread;
    ULONG locked_rounds = 0;
    racer.base = base;
    racer.stop = false;
    racer.rounds = racer.during = 0;
    MDL *mdl = IoAllocateMdl((PVOID)(base + 0x80), 2 * PAGE_SIZE - 0x80, FALSE, FALSE, NULL);
    assert_int_equal(plat_thread_create(race, NULL, &thread), STATUS_SUCCESS);
    for (ULONG tries = 0; locked_rounds < ROUNDS && tries < 100 * ROUNDS; tries++)
        locked_rounds += use_locked(mdl, (UCHAR)tries);
    __atomic_store_n(&racer.stop, true, __ATOMIC_RELEASE);
    plat_thread_join(thread);
    IoFreeMdl(mdl);
    assert_int_equal(locked_rounds, ROUNDS);
    assert_true(racer.during > 0);
    print_message("%u locks, %llu of them while user mode changed the range\n", locked_rounds, racer.during);
}

int run_mdl_misuse_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mistakes_are_bug_checks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_racing_user_cannot_take_locked_pages, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("mdl misuse", tests, NULL, NULL);
}
