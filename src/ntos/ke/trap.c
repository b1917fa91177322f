/*
 * trap.c - what the platform cannot settle: turns faults into exceptions or bug checks, as an NT kernel does.
 *
 * A fault on a user address (or a processor trap such as a division by zero) is an exception the driver may handle. A
 * fault on a system address is a bug check whatever handlers there are: on Windows no __except catches a bad kernel
 * pointer either. User memory touched outside the accessors where that is forbidden (SMAP, PAN) is bug check 0x50 with
 * 0xF as its fourth parameter, which the documentation gives for kernel code that reaches a user address when such
 * access is not allowed.
 */
#include "ke.h"
#include "arch.h"
#include "emulate.h"
#include "rtl.h"
#include "seh.h"
#include "trace.h"

bool (*ke_explain_fault)(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size);
void (*ke_raw_access_hook)(const struct plat_raw_access *access);
bool (*ke_breakpoint_hook)(ULONG_PTR pc);

#define USER_VA_ACCESS_INCONSISTENT 0xF
#define NOT_PRESENT_PAGE_TABLE      0x2

/* 0x50's second parameter on x64: 0 read, 2 write, 0x10 execute. */
static ULONG_PTR fault_operation(ULONG_PTR kind)
{
    return kind == EXCEPTION_WRITE_FAULT ? 2 : kind == EXCEPTION_EXECUTE_FAULT ? 0x10 : 0;
}

static const char *operation_name(ULONG_PTR kind)
{
    return kind == EXCEPTION_WRITE_FAULT ? "write to" : kind == EXCEPTION_EXECUTE_FAULT ? "execution of" : "read of";
}

/* Where drivers' code stopped: the pc itself, or the call of the export in which the fault happened. */
static ULONG_PTR culprit_of(const CONTEXT *context)
{
    if (seh_image_find(context->Rip))
        return context->Rip;
    ULONG_PTR caller = seh_export_caller();
    return caller ? caller - 1 : 0;
}

static DECLSPEC_NORETURN void bugcheck_page_fault(const struct plat_trap *trap, ULONG_PTR reason, const char *what)
{
    char why[256];
    ULONG_PTR address = trap->info[1];
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_PAGE_FAULT_IN_NONPAGED_AREA,
                                   .parameters = {address, fault_operation(trap->info[0]), trap->context->Rip, reason},
                                   .why = why,
                                   .culprit = culprit_of(trap->context),
                                   .context = trap->context};
    rtl_print(why, sizeof(why), "%s %s 0x%llx", operation_name(trap->info[0]), what, (ULONG64)address);
    if (ke_explain_fault)
        ke_explain_fault(address, trap->info[0] == EXCEPTION_WRITE_FAULT, &bugcheck, why, sizeof(why));
    ke_bugcheck_report(&bugcheck);
}

static void trace_stopped(const struct plat_trap *trap)
{
    trace_emit(&(struct trace_row){
        .kind = TRACE_STOPPED, .address = trap->info[1], .tag = (ULONG)trap->code, .context = trap->context});
}

/* System addresses that a processor can form; a non-canonical one has no address to report and is an exception. */
static bool is_system_address(ULONG_PTR address)
{
    bool canonical = address < 0x800000000000ull || address >= 0xFFFF800000000000ull;
    return address >= plat_layout.system_start && address != ~(ULONG_PTR)0 && canonical;
}

static void on_trap(struct plat_trap *trap)
{
    bool page_fault = trap->code == STATUS_ACCESS_VIOLATION && trap->info_count >= 2;
    if (page_fault && is_system_address(trap->info[1]))
        bugcheck_page_fault(trap, NOT_PRESENT_PAGE_TABLE, "system address");
    if (page_fault && arch_self()->irql >= DISPATCH_LEVEL) {
        trace_stopped(trap);
        struct ke_bugcheck bugcheck = {
            .code = BUGCHECK_DRIVER_IRQL_NOT_LESS_OR_EQUAL,
            .parameters = {trap->info[1], arch_self()->irql, trap->info[0], trap->context->Rip},
            .why = "a page fault on a user address at DISPATCH_LEVEL or above",
            .culprit = culprit_of(trap->context),
            .context = trap->context};
        ke_bugcheck_report(&bugcheck);
    }
    seh_trap(trap);
}

static const char *fast_fail_text(ULONG code)
{
    switch (code) {
    case 2:
        return "fast fail 2: a stack cookie was overwritten";
    case 3:
        return "fast fail 3: a list entry is corrupt (double removal, use after free, or an overrun)";
    case 5:
        return "fast fail 5: an invalid argument";
    case 8:
        return "fast fail 8: a range check failed";
    case 10:
        return "fast fail 10: an indirect call to an invalid target (control flow guard)";
    case 77:
        return "fast fail 77: an accessor was given a user pointer where a kernel pointer belongs";
    default:
        return "a fast fail";
    }
}

static void on_fast_fail(ULONG code, CONTEXT *context)
{
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_KERNEL_SECURITY_CHECK_FAILURE,
                                   .parameters = {code, (ULONG_PTR)context, 0, 0},
                                   .why = fast_fail_text(code),
                                   .culprit = culprit_of(context),
                                   .context = context};
    ke_bugcheck_report(&bugcheck);
}

static void on_fatal(struct plat_trap *trap)
{
    if (trap->code == STATUS_PRIVILEGED_INSTRUCTION) {
        struct ke_bugcheck spoilt = {.code = BUGCHECK_CRITICAL_STRUCTURE_CORRUPTION,
                                     .parameters = {0, 0, trap->context->Rip, 7}, /* 7: a processor register */
                                     .why = "the driver changed the base of gs or fs, which are the kernel's",
                                     .culprit = culprit_of(trap->context),
                                     .context = trap->context};
        ke_bugcheck_report(&spoilt);
    }
    if (trap->code != STATUS_STACK_OVERFLOW) {
        trace_stopped(trap);
        bugcheck_page_fault(trap, USER_VA_ACCESS_INCONSISTENT, "user memory outside an accessor, address");
    }
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_UNEXPECTED_KERNEL_MODE_TRAP,
                                   .parameters = {8, trap->info[1], trap->context->Rip, trap->context->Rsp},
                                   .why = "the kernel stack is used up (a double fault on Windows)",
                                   .culprit = culprit_of(trap->context),
                                   .context = trap->context};
    ke_bugcheck_report(&bugcheck);
}

static void on_raw_access(const struct plat_raw_access *access)
{
    if (ke_raw_access_hook)
        ke_raw_access_hook(access);
}

static bool on_breakpoint(ULONG_PTR pc)
{
    return ke_breakpoint_hook && ke_breakpoint_hook(pc);
}

static void on_raw_done(void)
{
    trace_done();
}

/* In a system call of user mode an unhandled exception is that service's: 0x3B, else 0x1E. */
static void on_unhandled(EXCEPTION_RECORD *record, CONTEXT *context)
{
    char why[160];
    PKTHREAD self = ke_thread_current();
    bool in_service = self && self->TrapFrame;
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_KMODE_EXCEPTION_NOT_HANDLED,
                                   .parameters = {(ULONG)record->ExceptionCode, (ULONG_PTR)record->ExceptionAddress,
                                                  record->ExceptionInformation[0], record->ExceptionInformation[1]},
                                   .why = why,
                                   .culprit = context ? culprit_of(context) : 0,
                                   .context = context};
    if (in_service) {
        bugcheck.code = BUGCHECK_SYSTEM_SERVICE_EXCEPTION;
        bugcheck.parameters[2] = (ULONG_PTR)context;
        bugcheck.parameters[3] = 0;
    }
    rtl_print(why, sizeof(why), "no handler for exception 0x%08X raised at 0x%llx", (ULONG)record->ExceptionCode,
              (ULONG64)(ULONG_PTR)record->ExceptionAddress);
    ke_bugcheck_report(&bugcheck);
}

static void on_spoilt(ULONG_PTR routine, bool stack)
{
    struct ke_bugcheck bugcheck = {
        .code = BUGCHECK_CRITICAL_STRUCTURE_CORRUPTION,
        .parameters = {0, 0, routine, 7},
        .why = stack ? "a driver routine returned with another stack pointer"
                     : "a driver routine returned without the registers it must preserve (rbx, rbp, "
                       "rsi, rdi, r12 to r15)",
        .culprit = routine};
    ke_bugcheck_report(&bugcheck);
}

NTSTATUS ke_init(void)
{
    static const struct plat_hooks hooks = {.trap = on_trap,
                                            .fast_fail = on_fast_fail,
                                            .emulate = ke_emulate,
                                            .raw_access = on_raw_access,
                                            .raw_done = on_raw_done,
                                            .breakpoint = on_breakpoint,
                                            .fatal = on_fatal};
    plat_lock_init(&ke_dispatcher_lock);
    InitializeListHead(&ke_system.body.Header.WaitListHead);
    InitializeListHead(&ke_user.body.Header.WaitListHead);
    plat_set_hooks(&hooks);
    seh_unhandled_hook = on_unhandled;
    seh_spoilt_hook = on_spoilt;
    return ke_thread_attach();
}
