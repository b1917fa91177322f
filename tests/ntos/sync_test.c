/* sync_test.c - rundown protection, push locks, reader-writer spin locks, sequenced lists and callbacks, by two
 * threads. */
#include "exports_tests.h"
#include "ob.h"
#include "wdk/sync.h"

enum { ROUNDS = 3000 };

static void run_two(void (*entry)(void *), void *first, void *second)
{
    uint64_t ids[2];
    assert_int_equal(plat_thread_create(entry, first, &ids[0]), STATUS_SUCCESS);
    assert_int_equal(plat_thread_create(entry, second, &ids[1]), STATUS_SUCCESS);
    plat_thread_join(ids[0]);
    plat_thread_join(ids[1]);
}

/* ---- rundown protection ---- */

static EX_RUNDOWN_REF rundown;
static LONG alive; /* what the protection protects */
static LONG touched_dead, touched;

static void use_protected(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    while (ExAcquireRundownProtection(&rundown)) {
        if (!__atomic_load_n(&alive, __ATOMIC_SEQ_CST))
            __atomic_add_fetch(&touched_dead, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&touched, 1, __ATOMIC_SEQ_CST);
        plat_yield();
        ExReleaseRundownProtection(&rundown);
    }
    ke_thread_detach();
}

static void rundown_waits_for_the_last_reference(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < 20; i++) {
        uint64_t ids[2];
        ExInitializeRundownProtection(&rundown);
        alive = 1;
        touched = 0;
        for (int t = 0; t < 2; t++)
            assert_int_equal(plat_thread_create(use_protected, NULL, &ids[t]), STATUS_SUCCESS);
        while (__atomic_load_n(&touched, __ATOMIC_SEQ_CST) < 50)
            plat_yield();
        ExWaitForRundownProtectionRelease(&rundown);
        __atomic_store_n(&alive, 0, __ATOMIC_SEQ_CST);
        assert_false(ExAcquireRundownProtectionEx(&rundown, 3));
        for (int t = 0; t < 2; t++)
            plat_thread_join(ids[t]);
    }
    assert_int_equal(touched_dead, 0);
    ExRundownCompleted(&rundown);
    ExReInitializeRundownProtection(&rundown);
    assert_true(ExAcquireRundownProtectionEx(&rundown, 3));
    ExReleaseRundownProtectionEx(&rundown, 3);
    assert_int_equal(rundown.Count, 0);
}

static void cache_aware_rundown(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PEX_RUNDOWN_REF_CACHE_AWARE reference = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    assert_non_null(reference);
    assert_true(ExAcquireRundownProtectionCacheAware(reference));
    ExReleaseRundownProtectionCacheAware(reference);
    ExWaitForRundownProtectionReleaseCacheAware(reference);
    assert_false(ExAcquireRundownProtectionCacheAwareEx(reference, 2));
    ExReInitializeRundownProtectionCacheAware(reference);
    assert_true(ExAcquireRundownProtectionCacheAwareEx(reference, 2));
    ExReleaseRundownProtectionCacheAwareEx(reference, 2);
    ExFreeCacheAwareRundownProtection(reference);
}

/* ---- locks. Each kind protects two numbers that are always equal while nobody holds it exclusively ---- */

static EX_PUSH_LOCK push_lock;
static EX_SPIN_LOCK spin_lock;
static ULONG left, right, torn;

static void read_or_write(bool push, bool write)
{
    KIRQL old = PASSIVE_LEVEL;
    if (push)
        (write ? ExAcquirePushLockExclusiveEx : ExAcquirePushLockSharedEx)(&push_lock, 0);
    else
        old = (write ? ExAcquireSpinLockExclusive : ExAcquireSpinLockShared)(&spin_lock);
    if (write)
        left++;
    if (left != right + write)
        torn++;
    if (write)
        right++;
    if (push)
        (write ? ExReleasePushLockExclusiveEx : ExReleasePushLockSharedEx)(&push_lock, 0);
    else
        (write ? ExReleaseSpinLockExclusive : ExReleaseSpinLockShared)(&spin_lock, old);
}

static void mix(void *argument)
{
    bool push = argument != NULL;
    ke_thread_attach();
    for (int i = 0; i < ROUNDS; i++)
        read_or_write(push, i % 3 == 0);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        torn++;
    ke_thread_detach();
}

static void push_and_spin_locks_exclude(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ExInitializePushLock(&push_lock);
    for (ULONG_PTR push = 0; push < 2; push++) {
        left = right = torn = 0;
        run_two(mix, (void *)push, (void *)push);
        assert_int_equal(torn, 0);
        assert_int_equal(left, ROUNDS / 3 * 2);
        assert_int_equal(right, left);
    }
    assert_int_equal(push_lock, 0);
    assert_int_equal(spin_lock, 0);
}

static void sharing_is_shared(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ExAcquirePushLockSharedEx(&push_lock, 0);
    ExAcquirePushLockSharedEx(&push_lock, 0);
    ExReleasePushLockEx(&push_lock, 0);
    ExReleasePushLockEx(&push_lock, 0);
    ExAcquirePushLockExclusiveEx(&push_lock, 0);
    ExReleasePushLockEx(&push_lock, 0);
    assert_int_equal(push_lock, 0);
    KIRQL old = ExAcquireSpinLockShared(&spin_lock);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    ExAcquireSpinLockSharedAtDpcLevel(&spin_lock);
    assert_false(ExTryConvertSharedSpinLockExclusive(&spin_lock));
    ExReleaseSpinLockSharedFromDpcLevel(&spin_lock);
    assert_true(ExTryConvertSharedSpinLockExclusive(&spin_lock));
    ExReleaseSpinLockExclusive(&spin_lock, old);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* ---- sequenced lists ---- */

struct item {
    SLIST_ENTRY entry;
    LONG taken;
};
static SLIST_HEADER sequenced;
static LONG twice;

/* Takes items off and puts them back; a freed and reallocated one now and then, as lookaside lists do. */
static void juggle(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    ke_thread_attach();
    for (int i = 0; i < ROUNDS; i++) {
        struct item *item = (struct item *)ExpInterlockedPopEntrySList(&sequenced);
        if (!item)
            continue;
        if (__atomic_exchange_n(&item->taken, 1, __ATOMIC_SEQ_CST))
            __atomic_add_fetch(&twice, 1, __ATOMIC_SEQ_CST);
        if (i % 16 == 0) {
            ExFreePoolWithTag(item, TAG);
            item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*item), TAG);
        }
        __atomic_store_n(&item->taken, 0, __ATOMIC_SEQ_CST);
        ExpInterlockedPushEntrySList(&sequenced, &item->entry);
    }
    ke_thread_detach();
}

static void sequenced_lists_survive_two_threads(void **state)
{
    UNREFERENCED_PARAMETER(state);
    _Static_assert(sizeof(SLIST_HEADER) == 16 && _Alignof(SLIST_HEADER) == 16, "as drivers see it");
    InitializeSListHead(&sequenced);
    assert_null(RtlFirstEntrySList(&sequenced));
    assert_null(ExpInterlockedPopEntrySList(&sequenced));
    for (int i = 0; i < 8; i++) {
        struct item *item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*item), TAG);
        PSLIST_ENTRY first = RtlFirstEntrySList(&sequenced);
        assert_ptr_equal(ExpInterlockedPushEntrySList(&sequenced, &item->entry), first);
        assert_ptr_equal(RtlFirstEntrySList(&sequenced), &item->entry);
    }
    run_two(juggle, NULL, NULL);
    assert_int_equal(twice, 0);
    assert_int_equal(ExQueryDepthSList(&sequenced), 8);
    ULONG count = 0;
    for (PSLIST_ENTRY entry = ExpInterlockedFlushSList(&sequenced), next; entry; entry = next, count++) {
        next = entry->Next;
        ExFreePoolWithTag(entry, TAG);
    }
    assert_int_equal(count, 8);
    assert_int_equal(ExQueryDepthSList(&sequenced), 0);
    assert_null(ExpInterlockedFlushSList(&sequenced));
}

static void lists_under_a_spin_lock(void **state)
{
    UNREFERENCED_PARAMETER(state);
    KSPIN_LOCK lock = 0;
    SINGLE_LIST_ENTRY head = {0}, a, b;
    LARGE_INTEGER sum = {.QuadPart = 40}, two = {.QuadPart = 2};
    assert_null(ExInterlockedPushEntryList(&head, &a, &lock));
    assert_ptr_equal(ExInterlockedPushEntryList(&head, &b, &lock), &a);
    assert_ptr_equal(ExInterlockedPopEntryList(&head, &lock), &b);
    assert_ptr_equal(ExInterlockedPopEntryList(&head, &lock), &a);
    assert_null(ExInterlockedPopEntryList(&head, &lock));
    assert_int_equal(ExInterlockedAddLargeInteger(&sum, two, &lock).QuadPart, 40);
    assert_int_equal(sum.QuadPart, 42);
}

static void push_at_user_address(void *address)
{
    ExpInterlockedPushEntrySList(&sequenced, address);
}

static void misaligned_header(void *header)
{
    InitializeSListHead((PSLIST_HEADER)((ULONG_PTR)header + 8));
}

/* ---- callbacks ---- */

static PVOID registrations[2];
static ULONG called[2];

static VOID NTAPI on_notify(PVOID context, PVOID first, PVOID second)
{
    assert_ptr_equal(first, &left);
    assert_ptr_equal(second, &right);
    called[*(ULONG *)context]++;
}

static void callbacks_are_called_in_order(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static ULONG zero = 0, one = 1;
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    PCALLBACK_OBJECT object, same;
    RtlInitUnicodeString(&name, WIDE("\\Callback\\UmaTest"));
    assert_int_equal(ExCreateCallback(&same, &attributes, FALSE, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ExCreateCallback(&object, &attributes, TRUE, TRUE), STATUS_SUCCESS);
    assert_int_equal(ExCreateCallback(&same, &attributes, FALSE, TRUE), STATUS_SUCCESS);
    assert_ptr_equal(same, object);
    registrations[0] = ExRegisterCallback(object, on_notify, &zero);
    registrations[1] = ExRegisterCallback(object, on_notify, &one);
    ExNotifyCallback(object, &left, &right);
    ExUnregisterCallback(registrations[0]);
    ExNotifyCallback(object, &left, &right);
    ExUnregisterCallback(registrations[1]);
    ExNotifyCallback(object, &left, &right);
    assert_int_equal(called[0], 1);
    assert_int_equal(called[1], 2);
    ob_dereference(object);
    ob_dereference(same);
    assert_int_equal(ExCreateCallback(&same, &attributes, FALSE, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ExCreateCallback(&object, NULL, TRUE, FALSE), STATUS_SUCCESS);
    registrations[0] = ExRegisterCallback(object, on_notify, &zero);
    assert_null(ExRegisterCallback(object, on_notify, &one)); /* it allows one */
    ExUnregisterCallback(registrations[0]);
    ob_dereference(object);
}

/* ---- misuse ---- */

static void release_unacquired_rundown(void)
{
    ExInitializeRundownProtection(&rundown);
    ExReleaseRundownProtection(&rundown);
}

static void release_free_push_lock(void)
{
    ExReleasePushLockExclusiveEx(&push_lock, 0);
}

static void release_unshared_push_lock(void)
{
    ExReleasePushLockSharedEx(&push_lock, 0);
}

static void release_free_rw_lock(void)
{
    ExReleaseSpinLockShared(&spin_lock, PASSIVE_LEVEL);
}

static void wait_for_rundown_at_dispatch(void)
{
    ExInitializeRundownProtection(&rundown);
    ExAcquireRundownProtection(&rundown);
    KfRaiseIrql(DISPATCH_LEVEL);
    ExWaitForRundownProtectionRelease(&rundown);
}

static void pop_a_corrupt_entry(void)
{
    InitializeSListHead(&sequenced);
    sequenced.Region = 0x1230;
    ExpInterlockedPopEntrySList(&sequenced);
}

static void push_to_a_user_entry(void)
{
    push_at_user_address((void *)0x20000);
}

static void misuse_is_a_bug_check(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        void (*action)(void);
        ULONG code;
        ULONG_PTR first;
    } cases[] = {
        {release_unacquired_rundown, 0x139, 14}, {release_free_push_lock, 0x139, 14},
        {release_unshared_push_lock, 0x139, 14}, {release_free_rw_lock, 0x10, (ULONG_PTR)&spin_lock},
        {wait_for_rundown_at_dispatch, 0xB8, 0}, {pop_a_corrupt_entry, 0x139, 3},
        {push_to_a_user_entry, 0x139, 3},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(cases); i++) {
        struct bugcheck_result result = bugcheck_of(cases[i].action);
        if (!result.happened)
            fail_msg("case %u did not bug-check: %s", (unsigned)i, result.report);
        assert_int_equal(result.code, cases[i].code);
        if (cases[i].first)
            assert_int_equal(result.parameters[0], cases[i].first);
    }
    assert_int_equal(exception_of(misaligned_header, &sequenced), STATUS_DATATYPE_MISALIGNMENT);
}

int run_sync_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rundown_waits_for_the_last_reference), cmocka_unit_test(cache_aware_rundown),
        cmocka_unit_test(push_and_spin_locks_exclude),          cmocka_unit_test(sharing_is_shared),
        cmocka_unit_test(sequenced_lists_survive_two_threads),  cmocka_unit_test(lists_under_a_spin_lock),
        cmocka_unit_test(callbacks_are_called_in_order),        cmocka_unit_test(misuse_is_a_bug_check),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
