/*
 * arch.h - what a processor architecture gives to the layers above it.
 *
 * Owns: the per-thread block that the segment register (gs on x86-64, TPIDR_EL1 on AArch64) points at, the
 * fault table (pc -> fix-up), and the raw user-access primitives. Decides nothing: which address is allowed,
 * what is raised and when stands in src/uma. Freestanding.
 */
#pragma once
#include "wdk/ntexcept.h"

/*
 * struct arch_thread - the block gs points at while kernel or driver code runs on a thread. Its first page looks like
 * the KPCR that x64 drivers read inline (gs:[0x188] is the current KTHREAD, gs:[0x184] the processor number); our own
 * fields follow it. A thread in the Linux process is a processor of its own, so IRQL lives here too. The assembly
 * files use the offsets below by number.
 */
struct arch_thread {
    UCHAR kpcr[0x1000];       /* NT's layout; filled by ke */
    void *seh_top;            /* 0x1000: newest struct seh_node of this thread (src/seh) */
    struct arch_thread *self; /* 0x1008 */
    uint32_t window_dirty;    /* 0x1010: mprotect mode: pages opened inside the current window wait to be closed */
    uint32_t irql;            /* 0x1014: current KIRQL, as cr8 would give it */
    void *seh_calls;          /* 0x1018: next free call record of src/seh's export entry */
    void *seh_calls_end;      /* 0x1020 */
    void *ps_thread;          /* 0x1028: KTHREAD of this thread, or null */
    void *plat;               /* 0x1030: the platform's own per-thread data */
    ULONG_PTR stack_low;      /* 0x1038: lowest usable byte of the stack in use */
    ULONG_PTR stack_high;     /* 0x1040: one past its highest byte */
    ULONG_PTR resume_rsp;     /* 0x1048: scratch of plat_context_resume */
    ULONG_PTR resume_rip;     /* 0x1050 */
    ULONG_PTR driver_routine; /* 0x1058: the driver's routine that the kernel called and that is running, or 0 */
    void *reserved[21];
};

#define ARCH_THREAD_SEH_TOP        0x1000
#define ARCH_THREAD_WINDOW_DIRTY   0x1010
#define ARCH_THREAD_SEH_CALLS      0x1018
#define ARCH_THREAD_SEH_CALLS_END  0x1020
#define ARCH_THREAD_RESUME_RSP     0x1048
#define ARCH_THREAD_RESUME_RIP     0x1050
#define ARCH_THREAD_DRIVER_ROUTINE 0x1058
_Static_assert(offsetof(struct arch_thread, resume_rsp) == ARCH_THREAD_RESUME_RSP, "used by assembly");
_Static_assert(offsetof(struct arch_thread, resume_rip) == ARCH_THREAD_RESUME_RIP, "used by assembly");
_Static_assert(offsetof(struct arch_thread, driver_routine) == ARCH_THREAD_DRIVER_ROUTINE, "used by assembly");
_Static_assert(offsetof(struct arch_thread, seh_top) == ARCH_THREAD_SEH_TOP, "used by assembly");
_Static_assert(offsetof(struct arch_thread, window_dirty) == ARCH_THREAD_WINDOW_DIRTY, "used by assembly");
_Static_assert(offsetof(struct arch_thread, seh_calls) == ARCH_THREAD_SEH_CALLS, "used by assembly");

/* The block of the running thread. The thread must have been attached (plat_thread_attach). */
static inline struct arch_thread *arch_self(void)
{
#if defined(__x86_64__)
    struct arch_thread *self;
    __asm__ volatile("movq %%gs:0x1008, %0" : "=r"(self));
    return self;
#else
    struct arch_thread *self;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(self));
    return self;
#endif
}

/*
 * Fault table. Assembly primitives place one entry per instruction that may touch user memory in the section
 * "uma_fault_table": two 32-bit offsets, each relative to its own field, to the instruction and to its fix-up.
 * When such an instruction faults the platform resumes at the fix-up with
 *     x86-64: r10 = faulting address, r11d = NTSTATUS, bit 63 of r11 set for a write
 * every other register as it was at the fault. Returns false if pc is not in the table.
 */
bool arch_fault_lookup(ULONG_PTR pc, ULONG_PTR *fixup);
/*
 * The same for instructions of a primitive that touch its caller's own memory. Where that turns out to be a user
 * address, the fix-up closes the window and raises in the caller; a fault at a system address is the caller's own.
 */
bool arch_kernel_fault_lookup(ULONG_PTR pc, ULONG_PTR *fixup);

/*
 * The bits of PKRU that keep this thread from user pages: clear while a window is open, set otherwise. Written once by
 * the platform before any primitive runs; 0 when user pages carry no protection key (then a primitive leaves PKRU
 * alone).
 */
extern uint32_t arch_pkru_mask;

/* ---- the primitives (x86_64/, one build per way of protecting user pages) ---- */

/*
 * User pages open at all times; closed by a protection key; closed by page protection and opened by the platform's
 * fault handler.
 */
enum arch_uma_variant { ARCH_UMA_NONE, ARCH_UMA_PKU, ARCH_UMA_HOOK };

/*
 * The slots of docs/spec/uma_table.md; src/uma/uma_kernel.h gives them types. The public names of the primitives jump
 * through them.
 */
#define ARCH_UMA_SLOTS 23
extern void *arch_uma_functions[ARCH_UMA_SLOTS];

/* Fills the table, once, before any primitive runs. avx: copies use 32-byte vectors if the processor has them. */
NTSTATUS arch_uma_select(enum arch_uma_variant variant, bool avx);

/*
 * The same slots with a hook before and after each (traced.S), for those who are to be observed. Both hooks must be set
 * before a traced function runs; they follow the Windows convention. begin notes the call's return_address, end returns
 * it. A primitive's exception shows arch_traced_return as its caller: whoever sits in arch_raise_hook puts that right.
 */
struct arch_traced_call {
    ULONG64 slot;
    ULONG64 argument[4]; /* rcx rdx r8 r9 */
    ULONG64 rbx, rbp, rsi, rdi, r12, r13, r14, r15;
    ULONG64 return_address; /* on the caller's stack: its rsp after the call is the next address */
};
extern void *const arch_traced_functions[ARCH_UMA_SLOTS];
extern void(NTAPI *arch_traced_begin)(const struct arch_traced_call *call);
extern ULONG64(NTAPI *arch_traced_end)(ULONG64 result);
extern const char arch_traced_return[];

/* The user limit; data that drivers import. Set before any primitive runs; the 64 KB from it up are never mapped. */
extern ULONG_PTR MmUserProbeAddress;
/* Copies and fills of at least this many bytes are one rep movsb / rep stosb. */
#define ARCH_REP_THRESHOLD 4096
extern SIZE_T arch_rep_threshold;
/* PKRU bits a primitive leaves alone: ~arch_pkru_mask. Set by arch_uma_select. */
extern uint32_t arch_pkru_keep;

/*
 * Where a primitive's exception goes (seh_raise), and who closes the pages opened in a window (plat_window_close). Set
 * before any primitive runs.
 */
extern void (*arch_raise_hook)(EXCEPTION_RECORD *record, CONTEXT *context);
extern void (*arch_window_close_hook)(void);
