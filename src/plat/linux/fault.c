/*
 * fault.c - the signal handlers: what a fault is, and who gets it.
 *
 * Owns the classification: settled here (a page to open, a race already over), sent to the fix-up of an accessor's
 * instruction, stepped as a raw access, emulated by ke, or delivered to the trap hook. Nothing raises here, takes a
 * lock, allocates or prints: every way out rewrites the interrupted context and returns.
 */
#include <errno.h>
#include <string.h>

#include "linux.h"

#define TRAP_DIVIDE       0
#define TRAP_PAGE_FAULT   14
#define ERROR_WRITE       2
#define ERROR_FETCH       16
#define FIXUP_WRITE       (1ull << 63)
#define KERNEL_HALF       0xFFFF800000000000ull
#define IN_PAGE_STATUS    0xC000009Cull /* STATUS_DEVICE_DATA_ERROR: what the disk said */
#define STACK_GUARD_REACH 0x10000u

struct plat_hooks plat_hooks;

/* context.S; goes on in on_signal. */
void signal_entry(int number, siginfo_t *info, void *context);
void on_signal(int number, siginfo_t *info, void *context);

void plat_set_hooks(const struct plat_hooks *hooks)
{
    plat_hooks = *hooks;
}

static void raise_trap(ucontext_t *uc, NTSTATUS code, ULONG count, ULONG_PTR info0, ULONG_PTR info1, ULONG_PTR info2)
{
    struct plat_trap trap = {.code = code, .info_count = count, .info = {info0, info1, info2}};
    deliver(uc, DELIVER_TRAP, &trap);
}

static void raise_memory(ucontext_t *uc, NTSTATUS code, unsigned kind, ULONG_PTR address)
{
    raise_trap(uc, code, code == STATUS_IN_PAGE_ERROR ? 3 : 2, kind, address,
               code == STATUS_IN_PAGE_ERROR ? IN_PAGE_STATUS : 0);
}

static void go_to_fixup(ucontext_t *uc, ULONG_PTR fixup, NTSTATUS code, unsigned kind, ULONG_PTR address)
{
    greg_t *registers = uc->uc_mcontext.gregs;
    registers[REG_R10] = (greg_t)address;
    registers[REG_R11] = (greg_t)((uint32_t)code | (kind == EXCEPTION_WRITE_FAULT ? FIXUP_WRITE : 0));
    registers[REG_RIP] = (greg_t)fixup;
}

/* Clears a one-shot mark of the page. False: another thread did first. */
static bool clear_mark(ULONG_PTR address, page_word mark)
{
    _Atomic(page_word) *slot = page_slot(address, false);
    page_word word = atomic_load(slot);
    do {
        if (!(word & mark))
            return false;
    } while (!atomic_compare_exchange_weak(slot, &word, word & ~mark));
    page_apply(address);
    return true;
}

/* The bits of enum plat_prot of which one allows the access. */
static page_word needed_prot(unsigned kind)
{
    return kind == EXCEPTION_WRITE_FAULT ? PLAT_WRITE : PLAT_READ | PLAT_WRITE;
}

/* What the driver would get for this access, protection against kernel code aside. */
static NTSTATUS user_verdict(ULONG_PTR address, unsigned kind)
{
    page_word word = page_load(address);
    if (!(word & PAGE_MAPPED))
        return STATUS_ACCESS_VIOLATION;
    if (word & PAGE_POISON && clear_mark(address, PAGE_POISON))
        return STATUS_IN_PAGE_ERROR;
    if (kind == EXCEPTION_WRITE_FAULT && word & PLAT_COPY && !(word & PLAT_GUARD))
        return copy_on_fault(address) ? STATUS_SUCCESS : STATUS_IN_PAGE_ERROR;
    if (word & PLAT_GUARD && clear_mark(address, PLAT_GUARD))
        return STATUS_GUARD_PAGE_VIOLATION;
    return kind == EXCEPTION_EXECUTE_FAULT || !(word & needed_prot(kind)) ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS;
}

/* Opens the page for the instruction at hand. False: the kernel refused. */
static bool open_page(struct plat_thread *thread, ucontext_t *uc, ULONG_PTR address, unsigned kind, bool key_denied)
{
    if (protect_mode == PLAT_PROTECT_MPROTECT) {
        thread->arch->window_dirty = 1;
        return opened_add(thread, address & PAGE_MASK, needed_prot(kind));
    }
    if (key_denied)
        protect_frame_pkru(uc, true);
    /* Otherwise its protection lags behind its word: another thread is just changing it. */
    return page_apply(address);
}

static void user_fault(ucontext_t *uc, const siginfo_t *info, unsigned kind)
{
    struct plat_thread *thread = plat_current;
    ULONG_PTR address = (ULONG_PTR)info->si_addr, pc = (ULONG_PTR)uc->uc_mcontext.gregs[REG_RIP], fixup = 0;
    bool in_table = arch_fault_lookup(pc, &fixup);
    NTSTATUS status = user_verdict(address, kind);
    if (NT_SUCCESS(status) && info->si_signo == SIGBUS)
        status = STATUS_IN_PAGE_ERROR; /* no memory left behind the file */
    if (NT_SUCCESS(status) && !thread && protect_mode != PLAT_PROTECT_NONE)
        status = STATUS_ACCESS_VIOLATION; /* not a kernel thread: nothing opens for it */
    if (NT_SUCCESS(status)) {
        bool raw = protect_mode != PLAT_PROTECT_NONE && !in_table && !thread->raw_depth &&
                   !(thread->step.active && thread->step.user_pages);
        if (raw && layout_raw_policy() == PLAT_RAW_STOP) {
            struct plat_trap trap = {.code = STATUS_ACCESS_VIOLATION, .info_count = 2, .info = {kind, address}};
            deliver(uc, DELIVER_FATAL, &trap);
            return;
        }
        if (raw)
            step_begin_raw(thread, uc, address, kind == EXCEPTION_WRITE_FAULT);
        bool key_denied = raw || info->si_code == SEGV_PKUERR;
        if (protect_mode == PLAT_PROTECT_NONE ? page_apply(address) : open_page(thread, uc, address, kind, key_denied))
            return; /* try again */
        status = STATUS_IN_PAGE_ERROR;
    }
    if (in_table || arch_kernel_fault_lookup(pc, &fixup))
        go_to_fixup(uc, fixup, status, kind, address);
    else
        raise_memory(uc, status, kind, address);
}

static bool emulate(ucontext_t *uc, ULONG_PTR address)
{
    if (!plat_hooks.emulate || !plat_current)
        return false;
    CONTEXT context;
    context_from_ucontext(&context, uc);
    if (!plat_hooks.emulate(&context, address))
        return false;
    context_to_ucontext(&context, uc);
    return true;
}

static bool is_stack_overflow(ULONG_PTR address, ULONG_PTR rsp)
{
    const struct plat_thread *thread = plat_current;
    if (!thread || !thread->arch->stack_low)
        return false;
    ULONG_PTR low = thread->arch->stack_low;
    return low - address <= STACK_GUARD_REACH && rsp < low + STACK_GUARD_REACH && rsp > low - 4 * STACK_GUARD_REACH;
}

static void system_fault(ucontext_t *uc, ULONG_PTR address, unsigned kind)
{
    greg_t *registers = uc->uc_mcontext.gregs;
    ULONG_PTR fixup;
    /* Canonical under 57-bit paging only: as on the 48-bit machine that Windows' drivers know. */
    if ((ULONG_PTR)((LONG_PTR)(address << 16) >> 16) != address && kind != EXCEPTION_EXECUTE_FAULT) {
        address = ~(ULONG_PTR)0;
        kind = EXCEPTION_READ_FAULT;
    }
    const ULONG_PTR pc = (ULONG_PTR)registers[REG_RIP];
    if (arch_fault_lookup(pc, &fixup) || (address < LAYOUT_USER_LOW && arch_kernel_fault_lookup(pc, &fixup))) {
        go_to_fixup(uc, fixup, STATUS_ACCESS_VIOLATION, kind, address);
    } else if (address >= KERNEL_HALF && kind != EXCEPTION_EXECUTE_FAULT && emulate(uc, address)) {
        return;
    } else if (is_stack_overflow(address, (ULONG_PTR)registers[REG_RSP])) {
        struct plat_trap trap = {.code = STATUS_STACK_OVERFLOW, .info_count = 2, .info = {kind, address}};
        deliver(uc, DELIVER_FATAL, &trap);
    } else {
        raise_memory(uc, STATUS_ACCESS_VIOLATION, kind, address);
    }
}

/* #GP and #SS tell no address: privileged instructions, software interrupts, non-canonical and misaligned operands. */
static void general_protection(ucontext_t *uc)
{
    const ULONG_PTR nowhere = ~(ULONG_PTR)0;
    CONTEXT context;
    struct decoded decoded;
    ULONG_PTR fixup;
    context_from_ucontext(&context, uc);
    if (arch_fault_lookup(context.Rip, &fixup)) {
        go_to_fixup(uc, fixup, STATUS_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, nowhere);
        return;
    }
    decode_at(&decoded, &context);
    if (decoded.interrupt == 0x29) {
        struct plat_trap trap = {.code = (NTSTATUS)0xC0000409, .info_count = 1, .info = {(ULONG)context.Rcx}};
        deliver(uc, DELIVER_FAST_FAIL, &trap);
    } else if (decoded.interrupt == 0x2c) {
        raise_trap(uc, STATUS_ASSERTION_FAILURE, 0, 0, 0, 0);
    } else if (decoded.interrupt == 0x2d) {
        raise_trap(uc, STATUS_BREAKPOINT, 3, context.Rax, context.Rcx, context.Rdx);
    } else if (emulate(uc, decoded.privileged ? 0 : nowhere)) {
        return;
    } else if (decoded.privileged) {
        raise_trap(uc, STATUS_PRIVILEGED_INSTRUCTION, 0, 0, 0, 0);
    } else {
        raise_memory(uc, STATUS_ACCESS_VIOLATION, EXCEPTION_READ_FAULT, nowhere);
    }
}

static void on_memory(ucontext_t *uc, const siginfo_t *info)
{
    const greg_t *registers = uc->uc_mcontext.gregs;
    if (info->si_signo == SIGBUS && info->si_code == BUS_ADRALN && host_clear_alignment_check(uc)) {
        return; /* alignment is checked in user mode only, which is not what a driver runs in */
    } else if (info->si_signo == SIGBUS && info->si_code == BUS_ADRALN) {
        raise_trap(uc, STATUS_DATATYPE_MISALIGNMENT, 0, 0, 0, 0);
    } else if (registers[REG_TRAPNO] != TRAP_PAGE_FAULT) {
        general_protection(uc);
    } else {
        unsigned kind = registers[REG_ERR] & ERROR_FETCH   ? EXCEPTION_EXECUTE_FAULT
                        : registers[REG_ERR] & ERROR_WRITE ? EXCEPTION_WRITE_FAULT
                                                           : EXCEPTION_READ_FAULT;
        if (user_range((ULONG_PTR)info->si_addr, 1))
            user_fault(uc, info, kind);
        else
            system_fault(uc, (ULONG_PTR)info->si_addr, kind);
    }
}

static void on_trap(ucontext_t *uc, const siginfo_t *info)
{
    greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];
    if (plat_current && step_trapped(plat_current, uc))
        return;
    if (info->si_code == TRAP_TRACE || info->si_code == TRAP_HWBKPT) {
        raise_trap(uc, STATUS_SINGLE_STEP, 0, 0, 0, 0);
        return;
    }
    if (plat_hooks.breakpoint && plat_hooks.breakpoint((ULONG_PTR)*rip - 1)) {
        --*rip;
        return;
    }
    /* int3 was left behind; Windows reports the instruction itself. */
    *rip -= *(const UCHAR *)(*rip - 1) == 0xcc ? 1 : 2;
    raise_trap(uc, STATUS_BREAKPOINT, 1, 0, 0, 0);
}

static void on_arithmetic(ucontext_t *uc, const siginfo_t *info)
{
    NTSTATUS code = STATUS_FLOAT_INVALID_OPERATION;
    if (uc->uc_mcontext.gregs[REG_TRAPNO] == TRAP_DIVIDE) {
        /* One vector, two statuses: a quotient that does not fit is an overflow. */
        CONTEXT context;
        struct decoded decoded;
        context_from_ucontext(&context, uc);
        decode_at(&decoded, &context);
        code = decoded.divide && decoded.divisor ? STATUS_INTEGER_OVERFLOW : STATUS_INTEGER_DIVIDE_BY_ZERO;
    } else if (info->si_code == FPE_FLTDIV) {
        code = STATUS_FLOAT_DIVIDE_BY_ZERO;
    }
    raise_trap(uc, code, 0, 0, 0, 0);
}

/* A system call of driver code's own, refused; every instruction that makes one has two bytes. */
static void on_system_call(ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_RIP] -= 2;
    raise_trap(uc, STATUS_ILLEGAL_INSTRUCTION, 0, 0, 0, 0);
}

/* The thread's registers are not what the host needs. True: nothing more to do. */
static bool settle_host(ucontext_t *uc, const siginfo_t *info)
{
    switch (host_put_right(uc)) {
    case HOST_FINE:
        return false;
    case HOST_AGAIN:
        return true;
    case HOST_SPOILT: {
        struct plat_trap trap = {.code = STATUS_PRIVILEGED_INSTRUCTION};
        deliver(uc, DELIVER_FATAL, &trap);
        return true;
    }
    default:
        if (info->si_signo == SIGBUS && info->si_code == BUS_ADRALN && host_clear_alignment_check(uc))
            return true;
        host_give_up((ULONG_PTR)uc->uc_mcontext.gregs[REG_RIP], (ULONG_PTR)info->si_addr);
    }
}

/* From signal_entry, which has put the flags right. */
void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (settle_host(uc, info))
        return;
    int saved = errno;
    switch (number) {
    case SIGSYS:
        on_system_call(uc);
        break;
    case SIGSEGV:
    case SIGBUS:
        on_memory(uc, info);
        break;
    case SIGTRAP:
        on_trap(uc, info);
        break;
    case SIGFPE:
        on_arithmetic(uc, info);
        break;
    default:
        raise_trap(uc, STATUS_ILLEGAL_INSTRUCTION, 0, 0, 0, 0);
        break;
    }
    errno = saved;
}

NTSTATUS fault_init(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS};
    /* None is blocked: a fault in the handler must come here too, or Linux ends the process without a word. */
    struct sigaction action = {.sa_sigaction = signal_entry, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < RTL_NUMBER_OF(numbers); i++)
        if (sigaction(numbers[i], &action, NULL) != 0)
            return STATUS_UNSUCCESSFUL;
    return STATUS_SUCCESS;
}

#if defined(UMA_SANITIZE)
/* The sanitizer must leave these signals and the signal stacks to us. */
__attribute__((visibility("default"), used)) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_sigtrap=0:use_sigaltstack=0:"
           "detect_stack_use_after_return=0";
}
#endif

#if defined(UMA_SANITIZE_THREADS)
__attribute__((visibility("default"), used)) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_sigtrap=0:use_sigaltstack=0:"
           "die_after_fork=0"; /* tests fork, and their children start threads */
}
#endif
