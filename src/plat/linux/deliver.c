/*
 * deliver.c - from a signal frame to a hook running on the interrupted stack, and back into a CONTEXT.
 *
 * Owns the translation between ucontext_t and CONTEXT, the frame written below the interrupted stack pointer, the
 * emergency stack, and plat_context_resume. Which hook, and why, is decided in fault.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context_offsets.h"
#include "linux.h"

_Static_assert(offsetof(CONTEXT, ContextFlags) == CONTEXT_FLAGS && offsetof(CONTEXT, MxCsr) == CONTEXT_MXCSR,
               "context.S");
_Static_assert(offsetof(CONTEXT, EFlags) == CONTEXT_EFLAGS && offsetof(CONTEXT, Rax) == CONTEXT_RAX, "context.S");
_Static_assert(offsetof(CONTEXT, Rcx) == CONTEXT_RCX && offsetof(CONTEXT, Rdx) == CONTEXT_RDX, "context.S");
_Static_assert(offsetof(CONTEXT, Rbx) == CONTEXT_RBX && offsetof(CONTEXT, Rsp) == CONTEXT_RSP, "context.S");
_Static_assert(offsetof(CONTEXT, Rbp) == CONTEXT_RBP && offsetof(CONTEXT, Rsi) == CONTEXT_RSI, "context.S");
_Static_assert(offsetof(CONTEXT, Rdi) == CONTEXT_RDI && offsetof(CONTEXT, R8) == CONTEXT_R8, "context.S");
_Static_assert(offsetof(CONTEXT, Rip) == CONTEXT_RIP && offsetof(CONTEXT, FltSave.Xmm) == CONTEXT_XMM, "context.S");

#define RED_ZONE       128u    /* host library code may use it; ours and drivers' does not */
#define STACK_RESERVE  0x2000u /* what a hook needs at the least to dispatch on the interrupted stack */
#define STACK_REPORT   0x8000u /* what a bug check with its symbols takes: asked of a stack the driver chose */
#define FLAG_TRAP      0x100u
#define FLAG_DIRECTION 0x400u
#define FLAGS_LOADABLE 0x240cd5u /* CF PF AF ZF SF DF OF, AC, ID: no NT, and no TF, which would trap halfway */
#define FLAGS_FIXED    0x202u
#define MXCSR_DEFINED  0xffffu

DECLSPEC_NORETURN void context_load(const CONTEXT *context);
#if defined(UMA_SANITIZE)
void __asan_handle_no_return(void);
#endif

/* Encoding order of the general registers, as they stand in CONTEXT from Rax on. */
static const int register_index[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

void context_from_ucontext(CONTEXT *context, const ucontext_t *uc)
{
    const greg_t *registers = uc->uc_mcontext.gregs;
    ULONG64 *general = &context->Rax;
    memset(context, 0, sizeof *context);
    context->ContextFlags = CONTEXT_FULL | CONTEXT_SEGMENTS;
    for (int i = 0; i < 16; i++)
        general[i] = (ULONG64)registers[register_index[i]];
    context->Rip = (ULONG64)registers[REG_RIP];
    context->EFlags = (ULONG)registers[REG_EFL] & ~FLAG_TRAP;
    /* Selectors as x64 Windows has them in kernel mode; Linux's mean nothing to a driver. */
    context->SegCs = 0x10;
    context->SegSs = 0x18;
    context->SegDs = context->SegEs = context->SegGs = 0x2b;
    context->SegFs = 0x53;
    memcpy(&context->FltSave, uc->uc_mcontext.fpregs, sizeof context->FltSave);
    context->MxCsr = uc->uc_mcontext.fpregs->mxcsr;
}

/* The floating-point part stays as it is: emulation changes general registers only. */
void context_to_ucontext(const CONTEXT *context, ucontext_t *uc)
{
    greg_t *registers = uc->uc_mcontext.gregs;
    const ULONG64 *general = &context->Rax;
    for (int i = 0; i < 16; i++)
        registers[register_index[i]] = (greg_t)general[i];
    registers[REG_RIP] = (greg_t)context->Rip;
    registers[REG_EFL] = (greg_t)(context->EFlags | (registers[REG_EFL] & FLAG_TRAP));
}

void plat_context_resume(const CONTEXT *context)
{
    if (!plat_current && !NT_SUCCESS(plat_thread_attach()))
        fault_abort("no memory to attach a thread", context->Rip, 0);
    CONTEXT checked = *context;
    checked.EFlags = (checked.EFlags & FLAGS_LOADABLE) | FLAGS_FIXED;
    checked.MxCsr &= MXCSR_DEFINED;
#if defined(UMA_SANITIZE)
    __asan_handle_no_return();
#endif
    context_load(&checked);
}

/* Where the interrupted thread goes on after the signal handler: an ordinary function of its own. */
static void deliver_enter(struct deliver_frame *frame)
{
    struct plat_trap *trap = &frame->trap;
    if (frame->kind == DELIVER_FAST_FAIL && plat_hooks.fast_fail)
        plat_hooks.fast_fail((ULONG)frame->context.Rcx, &frame->context);
    else if (frame->kind == DELIVER_FATAL && plat_hooks.fatal)
        plat_hooks.fatal(trap);
    else if (plat_hooks.trap)
        plat_hooks.trap(trap);
    char what[96];
    snprintf(what, sizeof what, "unhandled fault, status 0x%08x", (unsigned)trap->code);
    fault_abort(what, frame->context.Rip, trap->info_count > 1 ? trap->info[1] : 0);
}

void fault_abort(const char *what, ULONG_PTR pc, ULONG_PTR address)
{
    char line[256];
    int length = snprintf(line, sizeof line, "uma: %s at pc 0x%llx, address 0x%llx\n", what, pc, address);
    if (length > 0)
        plat_debug_write(line, (SIZE_T)length);
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* Whether the stack below at can be written as far as a report needs; what lies there is dead anyway. */
static bool has_room(ULONG_PTR at)
{
    for (ULONG_PTR below = PLAT_PAGE_SIZE; below <= STACK_REPORT; below += PLAT_PAGE_SIZE) {
        UCHAR byte;
        if (signal_safe_read(&byte, at - below, 1) != 1 || signal_safe_write(at - below, &byte, 1) != 1)
            return false;
    }
    return true;
}

/* The lowest address of the frame for this stack, or 0 if the stack has no room. */
static ULONG_PTR frame_place(const struct plat_thread *thread, ULONG_PTR rsp, bool *known)
{
    ULONG_PTR at = (rsp - RED_ZONE - sizeof(struct deliver_frame)) & ~(ULONG_PTR)15;
    *known = false;
    if (!thread) {
        /* No signal stack of its own: this handler runs right below the interrupted code. Go below the handler. */
        ULONG_PTR here = (ULONG_PTR)__builtin_frame_address(0) - 0x8000;
        return here < rsp && rsp - here < 0x100000 ? (here - sizeof(struct deliver_frame)) & ~(ULONG_PTR)15 : at;
    }
    const struct arch_thread *arch = thread->arch;
    if (rsp < arch->stack_low || rsp > arch->stack_high)
        return user_range(at, 1) || !has_room(at) ? 0 : at;
    *known = true;
    return at - arch->stack_low > STACK_RESERVE && at > arch->stack_low ? at : 0;
}

/* Not memcpy: sanitizers would object to memory below a stack pointer. */
static void copy_to_stack(ULONG_PTR to, const struct deliver_frame *frame)
{
    const void *from = frame;
    SIZE_T size = sizeof *frame;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

void deliver(ucontext_t *uc, enum deliver_kind kind, const struct plat_trap *trap)
{
    struct plat_thread *thread = plat_current;
    greg_t *registers = uc->uc_mcontext.gregs;
    if (thread) {
        step_cancel(thread, uc);
        thread->raw_depth = 0; /* the hook may never come back to plat_raw_end */
        plat_window_close();
    }
    protect_frame_pkru(uc, false);

    struct deliver_frame frame = {.trap = *trap, .kind = kind};
    context_from_ucontext(&frame.context, uc);
    bool known = false;
    ULONG_PTR at = kind == DELIVER_FATAL && trap->code == STATUS_STACK_OVERFLOW
                       ? 0
                       : frame_place(thread, (ULONG_PTR)registers[REG_RSP], &known);
    if (at) {
        frame.trap.context = (CONTEXT *)at;
        /* The thread's own stack can be written; of any other the kernel tells without a fault. */
        if (known)
            copy_to_stack(at, &frame);
        else if (signal_safe_write(at, &frame, sizeof frame) != sizeof frame)
            at = 0;
    }
    if (!at) {
        if (!thread)
            fault_abort("fault without a usable stack", (ULONG_PTR)registers[REG_RIP], trap->info[1]);
        frame.kind = DELIVER_FATAL;
        frame.trap.code = STATUS_STACK_OVERFLOW;
        at = ((ULONG_PTR)thread->emergency_stack_top - sizeof frame) & ~(ULONG_PTR)15;
        frame.trap.context = (CONTEXT *)at;
        memcpy((void *)at, &frame, sizeof frame);
    }
    host_segments(uc);
    registers[REG_RDI] = (greg_t)at;
    registers[REG_RSP] = (greg_t)(at - 8); /* as after a call */
    registers[REG_RIP] = (greg_t)(ULONG_PTR)deliver_enter;
    registers[REG_EFL] &= ~(greg_t)(FLAG_TRAP | FLAG_DIRECTION | 0x40000);
}
