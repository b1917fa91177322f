/*
 * ke.h - the kernel core: the running thread, IRQL, the dispatcher lock, traps, bug checks; its face to the rest of
 * ntos.
 *
 * Documented routines stand in wdk/ke.h. Every host thread that runs kernel or driver code has a KTHREAD; it is a
 * processor of its own, so IRQL is a property of the thread and raising it stops nobody else.
 */
#pragma once
#include "wdk/ntexcept.h"
#include "wdk/ke.h"
#include "wdk/mm.h"
#include "plat.h"

/* A thread's APCs. Changed with ke_dispatcher_lock held, but for what the thread alone changes. */
struct ke_apcs {
    LIST_ENTRY Queue[2];   /* by mode; in the kernel's the special ones come first */
    volatile bool Kernel;  /* the kernel's queue is not empty: a look without the lock */
    bool Closed;           /* the thread has ended: no more come in */
    bool Alerted[2];       /* by mode */
    bool UserPending;      /* the user's queue runs when the thread returns to user mode; its own */
    bool NormalInProgress; /* a kernel APC's normal routine runs; its own */
};

/* A thread. ETHREAD and KTHREAD are one object here. Drivers see it as opaque, apart from being waitable. */
struct _KTHREAD {
    DISPATCHER_HEADER Header;     /* signalled when the thread has ended */
    struct _EPROCESS *Process;    /* whose address space it runs in: another one's while attached */
    struct _EPROCESS *OwnProcess; /* the one it belongs to */
    CLIENT_ID Cid;
    KPROCESSOR_MODE PreviousMode;
    BOOLEAN SystemThread;
    SHORT KernelApcDisable;  /* negative inside critical regions */
    SHORT SpecialApcDisable; /* negative inside guarded regions */
    KPRIORITY Priority;
    LONG BaseIncrement;
    NTSTATUS ExitStatus;
    PVOID TopLevelIrp;
    PVOID DeviceToVerify;
    ULONG_PTR StackLow, StackHigh;
    LONG References;
    LIST_ENTRY ThreadListEntry;
    struct ke_exit *Exit;            /* where the thread's end is; null for adopted host threads */
    struct ke_trap_frame *TrapFrame; /* of the innermost system call */
    ULONG_PTR StartCaller;           /* driver's code that made the thread, or 0 */
    uint64_t HostThread;
    struct ke_apcs Apcs;
    LIST_ENTRY Mutants;   /* that it owns */
    LONGLONG CreateTime;  /* system time */
    LONG PendingRequests; /* of I/O, that it did not wait for: io's */
};

/* What a system call found and its way out restores. */
struct ke_trap_frame {
    struct ke_trap_frame *Previous;
    KPROCESSOR_MODE PreviousMode; /* of the thread before the call */
    ULONG Service;
};

struct _EPROCESS {
    DISPATCHER_HEADER Header;
    HANDLE UniqueProcessId;
    char ImageFileName[16];
    PVOID ObjectTable; /* ob's handle table of the process */
};

/* Bytes before every thread and process that belong to ob's object header. */
#define KE_OBJECT_ROOM 80

struct ke_process {
    _Alignas(16) UCHAR object_header[KE_OBJECT_ROOM];
    struct _EPROCESS body;
};
extern struct ke_process ke_system; /* id 4 */
extern struct ke_process ke_user;   /* the one that sends the requests */

/* ---- start and threads ---- */

/* Connects traps and exceptions to the kernel core; plat_init must have run. Attaches the calling thread. */
NTSTATUS ke_init(void);
/* After fork() and plat_fork_child(): gives the child its own dispatcher lock and its own thread for timers and DPCs.
 */
NTSTATUS ke_fork_child(void);
extern void (*ke_forked)(void); /* called by it; set by ps */
/* Makes the calling host thread a kernel thread (KPCR, KTHREAD, SEH call records). Idempotent. Detach ends it. */
NTSTATUS ke_thread_attach(void);
void ke_thread_detach(void);
/* The running thread, or null if the host thread was never attached. */
PKTHREAD ke_thread_current(void);
void ke_set_irql(KIRQL irql);

/* The steps of ke_thread_attach for a thread object made before: a new one, and becoming it. */
PKTHREAD ke_thread_create(PEPROCESS process);
NTSTATUS ke_thread_adopt(PKTHREAD thread);
/*
 * A new thread of process that runs routine, with PreviousMode KernelMode. *started carries a reference of ke's, to be
 * released; caller: driver's code that asked for it, or 0; *host is joined or not as the caller likes. Returns once it
 * runs. IRQL PASSIVE_LEVEL.
 */
NTSTATUS ke_thread_start(PEPROCESS process, void (*routine)(void *context), void *context, ULONG_PTR caller,
                         PKTHREAD *started, uint64_t *host);
/* Ends the calling thread, if ke_thread_start made it; else returns false. */
bool ke_thread_exit(NTSTATUS status);
void ke_thread_reference(PKTHREAD thread);
/* Calls back for each thread, with the list of threads held. */
void ke_threads_each(void (*callback)(PKTHREAD thread, void *context), void *context);
/* Drops a reference of ke's; the last one takes the thread off the list and hands it to ke_thread_gone. */
void ke_thread_release(PKTHREAD thread);
/* Calls back, with the list of threads held, for the thread with this id. False: there is none. */
bool ke_thread_find(HANDLE id, void (*found)(PKTHREAD thread, void *context), void *context);
/* Set by ob, which counts drivers' references: a thread was made; ke is done with it (null: its memory goes at once).
 */
extern void (*ke_thread_made)(PKTHREAD thread);
extern void (*ke_thread_gone)(PKTHREAD thread);
void ke_thread_free(PKTHREAD thread);

/* ---- dispatcher ---- */

/* Guards the state of every dispatcher object and the timer and DPC queues. */
extern struct plat_lock ke_dispatcher_lock;
void ke_dispatcher_init(DISPATCHER_HEADER *header, UCHAR type, SIZE_T size, LONG state);
/* A wait for a mutex has ended well: self owns it once more. True: its last owner ended. Lock held. */
bool ke_mutex_take(PRKMUTEX mutex, PKTHREAD self);
/* The calling thread ends: its mutants are abandoned. A mutex among them is bug check 0x4000008A. */
void ke_mutexes_abandon(PKTHREAD self);
/* The mutant is about to go: its owner, if it has one, loses it. */
void ke_mutex_disown(PRKMUTEX mutex);
/* Nanoseconds of plat_time_ns at which a documented timeout ends; null: never, UINT64_MAX. Negative ones are relative,
 * in 100 ns. */
uint64_t ke_deadline(const LARGE_INTEGER *timeout);

/* ---- APCs: apc.c ---- */

void ke_apcs_init(PKTHREAD thread);
/* A kernel APC of self's could run now. Lock held. */
bool ke_apc_ready(PKTHREAD self);
/* Runs the calling thread's kernel APCs as far as its IRQL and regions allow. No lock held. */
void ke_apcs_deliver(void);
static inline void ke_apcs_check(PKTHREAD self)
{
    if (self &&
        __atomic_load_n(&self->Apcs.Kernel, __ATOMIC_RELAXED)) /* a hint; it is looked at again under the lock */
        ke_apcs_deliver();
}
/* How an alertable wait of mode ends now: STATUS_ALERTED, STATUS_USER_APC, or STATUS_SUCCESS: it goes on. Lock held. */
NTSTATUS ke_wait_interrupted(PKTHREAD self, KPROCESSOR_MODE mode);
/* The calling thread returns to user mode: kernel APCs run, then those of user mode if a wait or test was alerted. */
void ke_apcs_return_to_user(void);
/* The calling thread ends: kernel APCs run, those of user mode are run down, none can be queued from here on. */
void ke_apcs_run_down(PKTHREAD self);
/* Plays the user APC: routine and arguments are numbers of user mode's. Set by the top; null: nothing happens. */
extern void (*ke_user_apc)(ULONG_PTR routine, const ULONG_PTR arguments[3]);
/* Called by a thread that ends, while it still is one; set by io. */
extern void (*ke_thread_ends)(PKTHREAD self);

/* ---- bug checks ---- */

enum {
#define BUGCHECK_ROW(name, code) BUGCHECK_##name = code,
#include "bugcheck.def"
#undef BUGCHECK_ROW
};

/* The documented name of a bug check code, or "UNKNOWN". */
const char *ke_bugcheck_name(ULONG code);

/* Everything the report says. */
struct ke_bugcheck {
    ULONG code;
    ULONG_PTR parameters[4];
    const char *why;        /* one line of plain words, or null */
    ULONG_PTR culprit;      /* code address it is blamed on, 0: the caller of the export that is running, or none */
    const CONTEXT *context; /* where the stack walk starts; null: no walk through drivers' frames */
};

/* Reports, then leaves by ke_bugcheck_hook, else plat_exit(1). A bug check while reporting one ends the process at
 * once. */
DECLSPEC_NORETURN void ke_bugcheck_report(const struct ke_bugcheck *bugcheck);
/* Some thread is reporting a bug check, which takes a while where symbols are many. */
bool ke_bugcheck_reporting(void);
/* Does not come back if another thread is just reporting a bug check: that ends the process. */
void ke_bugcheck_join(void);
/* The same with printf arguments for `why`; culprit 0 and context null as above. */
DECLSPEC_NORETURN void ke_bugcheck_because(ULONG code, const ULONG_PTR parameters[4], const char *why);

/* ---- the verifier (docs/verifier.md) ---- */

/* Set at the start: what Driver Verifier checks is checked. */
extern bool ke_verify;
void ke_verify_start(void);
/* Bug check 0xC4 DRIVER_VERIFIER_DETECTED_VIOLATION with that parameter 1, blamed as ke_bugcheck_because does. */
DECLSPEC_NORETURN void ke_violation(ULONG_PTR subcode, ULONG_PTR second, ULONG_PTR third, ULONG_PTR fourth,
                                    const char *why);

/* One line about what is not fatal, with the place; printf arguments. */
void ke_verify_warn(ULONG_PTR place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* timer.c: a timer that is set, a DPC that is queued, in [from, from + size); one whose routine is there, which
 * *routine tells. 0: there is none. */
ULONG_PTR ke_timer_within(ULONG_PTR from, SIZE_T size);
ULONG_PTR ke_dpc_within(ULONG_PTR from, SIZE_T size);
ULONG_PTR ke_routine_within(ULONG_PTR from, SIZE_T size, ULONG_PTR *routine);

/* Set by the top. symbolize writes "driver!Function+0x12 (file.c:34)". hook runs after the report; if it returns,
 * plat_exit(1). */
extern void (*ke_symbolize)(ULONG_PTR address, char *text, SIZE_T size);
extern void (*ke_symbolize_ahead)(const ULONG_PTR *addresses, SIZE_T count); /* asks about several at once */
extern void (*ke_bugcheck_hook)(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit);
/* Takes the report's place if it is set, and does not return. bugcheck->culprit: the code to blame, 0 if unknown;
 * stack: depth code addresses, the innermost first. */
extern void (*ke_bugcheck_instead)(const struct ke_bugcheck *bugcheck, const ULONG_PTR *stack, ULONG depth);

/*
 * Asked about an address in system space that faulted: fills code, parameters and why if it knows better than "page
 * fault" (mm's special pool). Returns false if it does not know the address.
 */
extern bool (*ke_explain_fault)(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size);

/* Sees every instruction of kernel or driver code that touched user memory outside a window; signal-safe. Null by
 * default. */
extern void (*ke_raw_access_hook)(const struct plat_raw_access *access);
extern bool (*ke_breakpoint_hook)(ULONG_PTR pc); /* signal-safe; struct plat_hooks.breakpoint */
