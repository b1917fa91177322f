/*
 * mutex.c - mutexes and mutants: who owns them, and what becomes of them when their owner ends.
 *
 * SignalState is 1 when free, 0 or below when owned, one lower for each recursion. A thread has the list of those it
 * owns. What is waited for like anything else stands in wait.c.
 */
#include "ke.h"
#include "rtl.h"
#include "seh.h"

static void initialize(PRKMUTANT mutex, bool kernel)
{
    ke_dispatcher_init(&mutex->Header, MutantObject, sizeof(KMUTANT), 1);
    InitializeListHead(&mutex->MutantListEntry);
    mutex->OwnerThread = NULL;
    mutex->Abandoned = FALSE;
    mutex->ApcDisable = kernel; /* a mutant may be owned in user mode, where no kernel APC is kept away */
}

VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    UNREFERENCED_PARAMETER(Level);
    initialize(Mutex, true);
}

bool ke_mutex_take(PRKMUTEX mutex, PKTHREAD self)
{
    if (mutex->Header.SignalState-- != 1)
        return false;
    bool abandoned = mutex->Abandoned;
    mutex->Abandoned = FALSE;
    mutex->OwnerThread = self;
    InsertTailList(&self->Mutants, &mutex->MutantListEntry);
    self->KernelApcDisable = (SHORT)(self->KernelApcDisable - mutex->ApcDisable);
    return abandoned;
}

/* Lock held. The mutex becomes free, whatever its recursions. */
static void give_up(PRKMUTEX mutex, bool abandoned)
{
    mutex->Header.SignalState = 1;
    mutex->OwnerThread = NULL;
    mutex->Abandoned = abandoned;
    RemoveEntryList(&mutex->MutantListEntry);
    InitializeListHead(&mutex->MutantListEntry);
    plat_lock_wake_all(&ke_dispatcher_lock);
}

void ke_mutexes_abandon(PKTHREAD self)
{
    PRKMUTEX held = NULL;
    plat_lock_acquire(&ke_dispatcher_lock);
    while (!IsListEmpty(&self->Mutants) && !held) {
        PRKMUTEX mutex = CONTAINING_RECORD(self->Mutants.Flink, KMUTANT, MutantListEntry);
        if (mutex->ApcDisable)
            held = mutex;
        else
            give_up(mutex, true);
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (held)
        ke_bugcheck_because(BUGCHECK_THREAD_TERMINATE_HELD_MUTEX,
                            (ULONG_PTR[4]){(ULONG_PTR)self, (ULONG_PTR)held, 0, 0},
                            "a thread ends that still owns a mutex of KeInitializeMutex");
}

void ke_mutex_disown(PRKMUTEX mutex)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    if (mutex->OwnerThread)
        give_up(mutex, true);
    plat_lock_release(&ke_dispatcher_lock);
}

/* Returns 0 when the mutex became free. Raises STATUS_MUTANT_NOT_OWNED if the caller does not own it. */
LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Wait);
    PKTHREAD self = ke_thread_current();
    plat_lock_acquire(&ke_dispatcher_lock);
    bool owned = Mutex->OwnerThread == self;
    LONG old = Mutex->Header.SignalState;
    if (owned && old == 0) {
        give_up(Mutex, false);
        self->KernelApcDisable = (SHORT)(self->KernelApcDisable + Mutex->ApcDisable);
    } else if (owned) {
        Mutex->Header.SignalState = old + 1;
    }
    plat_lock_release(&ke_dispatcher_lock);
    if (!owned)
        seh_raise_status(STATUS_MUTANT_NOT_OWNED);
    if (!self->KernelApcDisable)
        ke_apcs_check(self);
    return old;
}

LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    return __atomic_load_n(&Mutex->Header.SignalState, __ATOMIC_ACQUIRE);
}

/* A mutex that user mode may own: no kernel APCs are disabled, and a thread that ends abandons it. */
VOID NTAPI KeInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner)
{
    initialize(Mutant, false);
    if (!InitialOwner)
        return;
    plat_lock_acquire(&ke_dispatcher_lock);
    ke_mutex_take(Mutant, ke_thread_current());
    plat_lock_release(&ke_dispatcher_lock);
}

LONG NTAPI KeReadStateMutant(PRKMUTANT Mutant)
{
    return KeReadStateMutex(Mutant);
}

/* KeWaitForSingleObject by another name. */
NTSTATUS NTAPI KeWaitForMutexObject(PVOID Mutex, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                    PLARGE_INTEGER Timeout)
{
    return KeWaitForSingleObject(Mutex, WaitReason, WaitMode, Alertable, Timeout);
}
