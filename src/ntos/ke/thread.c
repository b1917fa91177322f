/*
 * thread.c - kernel threads: adopting host threads, the processor image they see through gs, system threads, and who
 * runs.
 *
 * Owns KTHREAD and the KPCR image. One process sends all requests; the system has its own. Nothing is scheduled here:
 * host threads run in parallel, each as a processor of its own.
 */
#include "ke.h"
#include "arch.h"
#include "seh.h"
#include "rtl.h"

/* Where x64 code finds things through gs (public offsets of KPCR and of its KPRCB at 0x180). */
enum {
    KPCR_SELF = 0x18,
    KPCR_CURRENT_PRCB = 0x20,
    KPCR_IRQL = 0x50,
    KPCR_PRCB = 0x180,
    KPRCB_NUMBER = 0x184,
    KPRCB_CURRENT_THREAD = 0x188
};

struct ke_process ke_system = {
    .body = {.Header.Type = ProcessObject, .UniqueProcessId = (HANDLE)4, .ImageFileName = "System"}};
struct ke_process ke_user = {
    .body = {.Header.Type = ProcessObject, .UniqueProcessId = (HANDLE)0x1000, .ImageFileName = "uma"}};
PEPROCESS PsInitialSystemProcess = &ke_system.body;
void (*ke_thread_made)(PKTHREAD thread);
void (*ke_thread_gone)(PKTHREAD thread);
void (*ke_thread_ends)(PKTHREAD self);

static LIST_ENTRY threads;
static ULONG_PTR next_thread_id = 0x1004;

PKTHREAD ke_thread_current(void)
{
    return arch_self()->ps_thread;
}

static void store_pointer(UCHAR *at, ULONG_PTR value)
{
    __builtin_memcpy(at, &value, sizeof(value));
}

static void fill_kpcr(struct arch_thread *self, PKTHREAD thread)
{
    store_pointer(self->kpcr + KPCR_SELF, (ULONG_PTR)self);
    store_pointer(self->kpcr + KPCR_CURRENT_PRCB, (ULONG_PTR)self + KPCR_PRCB);
    store_pointer(self->kpcr + KPRCB_CURRENT_THREAD, (ULONG_PTR)thread);
    self->kpcr[KPRCB_NUMBER] = 0;
}

void ke_set_irql(KIRQL irql)
{
    struct arch_thread *self = arch_self();
    self->irql = irql;
    self->kpcr[KPCR_IRQL] = irql;
}

PKTHREAD ke_thread_create(PEPROCESS process)
{
    UCHAR *block = plat_system_map(KE_OBJECT_ROOM + sizeof(struct _KTHREAD), PLAT_READWRITE);
    if (!block)
        return NULL;
    PKTHREAD thread = (PKTHREAD)(block + KE_OBJECT_ROOM);
    *thread = (struct _KTHREAD){
        .Header.Type = ThreadObject, .Process = process, .OwnProcess = process, .References = 1, .Priority = 8};
    InitializeListHead(&thread->Header.WaitListHead);
    InitializeListHead(&thread->Mutants);
    thread->CreateTime = (LONGLONG)plat_system_time_100ns();
    ke_apcs_init(thread);
    thread->Cid.UniqueProcess = process->UniqueProcessId;
    thread->SystemThread = process == &ke_system.body;
    plat_lock_acquire(&ke_dispatcher_lock);
    if (!threads.Flink)
        InitializeListHead(&threads);
    thread->Cid.UniqueThread = (HANDLE)next_thread_id;
    next_thread_id += 4;
    InsertTailList(&threads, &thread->ThreadListEntry);
    plat_lock_release(&ke_dispatcher_lock);
    if (ke_thread_made)
        ke_thread_made(thread);
    return thread;
}

NTSTATUS ke_thread_adopt(PKTHREAD thread)
{
    NTSTATUS status = plat_thread_attach();
    if (!NT_SUCCESS(status))
        return status;
    struct arch_thread *self = arch_self();
    thread->StackLow = self->stack_low;
    thread->StackHigh = self->stack_high;
    self->ps_thread = thread;
    fill_kpcr(self, thread);
    ke_set_irql(PASSIVE_LEVEL);
    return seh_thread_init();
}

NTSTATUS ke_thread_attach(void)
{
    NTSTATUS status = plat_thread_attach();
    if (!NT_SUCCESS(status) || ke_thread_current())
        return status;
    PKTHREAD thread = ke_thread_create(&ke_user.body);
    return thread ? ke_thread_adopt(thread) : STATUS_INSUFFICIENT_RESOURCES;
}

void ke_thread_reference(PKTHREAD thread)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    thread->References++;
    plat_lock_release(&ke_dispatcher_lock);
}

void ke_threads_each(void (*callback)(PKTHREAD thread, void *context), void *context)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    for (LIST_ENTRY *entry = threads.Flink; entry != &threads; entry = entry->Flink)
        callback(CONTAINING_RECORD(entry, struct _KTHREAD, ThreadListEntry), context);
    plat_lock_release(&ke_dispatcher_lock);
}

void ke_thread_release(PKTHREAD thread)
{
    plat_lock_acquire(&ke_dispatcher_lock);
    bool last = --thread->References == 0;
    if (last)
        RemoveEntryList(&thread->ThreadListEntry);
    plat_lock_release(&ke_dispatcher_lock);
    if (last && ke_thread_gone)
        ke_thread_gone(thread);
    else if (last)
        ke_thread_free(thread);
}

void ke_thread_free(PKTHREAD thread)
{
    plat_system_unmap((UCHAR *)thread - KE_OBJECT_ROOM, KE_OBJECT_ROOM + sizeof(*thread));
}

bool ke_thread_find(HANDLE id, void (*found)(PKTHREAD thread, void *context), void *context)
{
    bool any = false;
    plat_lock_acquire(&ke_dispatcher_lock);
    for (LIST_ENTRY *entry = threads.Flink; entry != &threads && !any; entry = entry->Flink) {
        PKTHREAD thread = CONTAINING_RECORD(entry, struct _KTHREAD, ThreadListEntry);
        any = thread->Cid.UniqueThread == id;
        if (any)
            found(thread, context);
    }
    plat_lock_release(&ke_dispatcher_lock);
    return any;
}

void ke_thread_detach(void)
{
    PKTHREAD thread = ke_thread_current();
    if (!thread)
        return;
    if (ke_thread_ends)
        ke_thread_ends(thread);
    ke_apcs_run_down(thread);
    ke_mutexes_abandon(thread);
    plat_lock_acquire(&ke_dispatcher_lock);
    thread->Header.SignalState = 1;
    plat_lock_wake_all(&ke_dispatcher_lock);
    plat_lock_release(&ke_dispatcher_lock);
    seh_thread_fini();
    arch_self()->ps_thread = NULL;
    plat_thread_detach();
    ke_thread_release(thread);
}

/* ---- who runs ---- */

PKTHREAD NTAPI KeGetCurrentThread(VOID)
{
    return ke_thread_current();
}

PETHREAD NTAPI PsGetCurrentThread(VOID)
{
    return ke_thread_current();
}

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return ke_thread_current()->Cid.UniqueThread;
}

PEPROCESS NTAPI PsGetCurrentProcess(VOID)
{
    return ke_thread_current()->Process;
}

PEPROCESS NTAPI IoGetCurrentProcess(VOID)
{
    return ke_thread_current()->Process;
}

HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return ke_thread_current()->Cid.UniqueProcess;
}

PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread)
{
    return Thread->OwnProcess;
}

PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread)
{
    return Thread->OwnProcess;
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
    return Thread->Cid.UniqueThread;
}

HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread)
{
    return Thread->Cid.UniqueProcess;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
    return Process->UniqueProcessId;
}

BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
    return Thread->SystemThread;
}

BOOLEAN NTAPI IoIsSystemThread(PETHREAD Thread)
{
    return Thread->SystemThread;
}

/* Mode of the code that entered the kernel on this thread: UserMode while a user request runs, KernelMode else. */
KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return ke_thread_current()->PreviousMode;
}

/* Every thread says it is processor 0 of one: the numbers are indexes of per-processor arrays to drivers. */
ULONG NTAPI KeGetCurrentProcessorNumberEx(PVOID ProcNumber)
{
    if (ProcNumber)
        __builtin_memset(ProcNumber, 0, 4); /* PROCESSOR_NUMBER: group 0, number 0 */
    return 0;
}

ULONG NTAPI KeQueryActiveProcessorCount(KAFFINITY *ActiveProcessors)
{
    if (ActiveProcessors)
        *ActiveProcessors = 1;
    return 1;
}

ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return GroupNumber == 0 || GroupNumber == MAXUSHORT;
}

/* Priorities are kept and reported; they schedule nothing. Returns the old one. */
KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    KPRIORITY old = Thread->Priority;
    Thread->Priority = Priority;
    return old;
}

LONG NTAPI KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    LONG old = Thread->BaseIncrement;
    Thread->BaseIncrement = Increment;
    return old;
}

KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    return Thread->Priority;
}

/* ---- regions: kernel APCs wait outside, special ones outside guarded regions only ---- */

VOID NTAPI KeEnterCriticalRegion(VOID)
{
    ke_thread_current()->KernelApcDisable--;
}

VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    PKTHREAD self = ke_thread_current();
    if (ke_verify && self->KernelApcDisable >= 0)
        ke_violation(0x3E, 0, 0, 0, "KeLeaveCriticalRegion was called by a thread that is not in a critical region");
    if (++self->KernelApcDisable == 0)
        ke_apcs_check(self);
}

VOID NTAPI KeEnterGuardedRegion(VOID)
{
    ke_thread_current()->SpecialApcDisable--;
}

VOID NTAPI KeLeaveGuardedRegion(VOID)
{
    PKTHREAD self = ke_thread_current();
    if (++self->SpecialApcDisable == 0)
        ke_apcs_check(self);
}

BOOLEAN NTAPI KeAreApcsDisabled(VOID)
{
    PKTHREAD thread = ke_thread_current();
    return thread->KernelApcDisable || thread->SpecialApcDisable || arch_self()->irql >= APC_LEVEL;
}

BOOLEAN NTAPI KeAreAllApcsDisabled(VOID)
{
    return ke_thread_current()->SpecialApcDisable || arch_self()->irql >= APC_LEVEL;
}

/* The bounds of the running thread's stack. */
VOID NTAPI IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    *LowLimit = arch_self()->stack_low;
    *HighLimit = arch_self()->stack_high;
}

ULONG_PTR NTAPI IoGetRemainingStackSize(VOID)
{
    return (ULONG_PTR)__builtin_frame_address(0) - arch_self()->stack_low;
}
