/*
 * verify.c - the verifier's switch, its bug check, and what it holds the kernel core's callers to.
 *
 * Each check is called from the routine it belongs to, under ke_verify; docs/verifier.md lists them all. The codes are
 * those of "Bug Check 0xC4: DRIVER_VERIFIER_DETECTED_VIOLATION", Microsoft Learn.
 */
#include "verify.h"
#include "arch.h"
#include "rtl.h"
#include "seh.h"

bool ke_verify;

void ke_verify_start(void)
{
    ke_track_init();
    ke_verify = true;
}

void ke_violation(ULONG_PTR subcode, ULONG_PTR second, ULONG_PTR third, ULONG_PTR fourth, const char *why)
{
    ke_bugcheck_because(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR[4]){subcode, second, third, fourth},
                        why);
}

void ke_verify_warn(ULONG_PTR place, const char *format, ...)
{
    char text[256], where[512] = "unknown code", line[800];
    __builtin_va_list list;
    __builtin_va_start(list, format);
    rtl_vprint(text, sizeof(text), format, list);
    __builtin_va_end(list);
    if (place && ke_symbolize)
        ke_symbolize(place - 1, where, sizeof(where)); /* a return address: back into the call */
    SIZE_T length = rtl_print(line, sizeof(line), "*** warning: %s, at %s\n", text, where);
    plat_debug_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
}

void ke_verify_object(const void *object)
{
    if ((ULONG_PTR)object < plat_layout.user_limit)
        ke_violation(0xE1, (ULONG_PTR)object, 0, 0, "an object to synchronize with lies in user memory");
}

void ke_verify_wait(const void *object, const LARGE_INTEGER *timeout, KPROCESSOR_MODE mode)
{
    struct arch_thread *self = arch_self();
    bool at_dispatch = self->irql == DISPATCH_LEVEL;
    ke_verify_object(object);
    if (at_dispatch && !timeout)
        ke_violation(0x121, (ULONG_PTR)&self->irql, (ULONG_PTR)object, 0,
                     "a wait without a time-out at DISPATCH_LEVEL; at most APC_LEVEL is allowed");
    if (at_dispatch && timeout->QuadPart)
        ke_violation(0x122, (ULONG_PTR)&self->irql, (ULONG_PTR)object, (ULONG_PTR)timeout,
                     "a wait with a time-out other than zero at DISPATCH_LEVEL; at most APC_LEVEL is allowed");
    if (mode != KernelMode && (ULONG_PTR)object - self->stack_low < self->stack_high - self->stack_low)
        ke_violation(0x123, (ULONG_PTR)object, 0, 0,
                     "a wait as UserMode for an object on the kernel stack, which may be paged out meanwhile");
}

void ke_verify_apcs_disabled(ULONG_PTR subcode, const void *object, const char *why)
{
    if (!KeAreApcsDisabled())
        ke_violation(subcode, KeGetCurrentIrql(), (ULONG_PTR)ke_thread_current()->KernelApcDisable, (ULONG_PTR)object,
                     why);
}

void ke_verify_memory_going(ULONG_PTR from, SIZE_T size, ULONG type)
{
    ULONG_PTR found = ke_timer_within(from, size);
    if (found)
        ke_violation(0x15, found, type, from, "a pool block is freed that contains a timer which is set");
    found = ke_dpc_within(from, size);
    if (found)
        ke_bugcheck_because(BUGCHECK_TIMER_OR_DPC_INVALID, (ULONG_PTR[4]){1, found, from, from + size},
                            "a pool block is freed that contains a DPC which is queued");
    found = ke_track_find(KE_TRACK_RESOURCE, from, size);
    if (found)
        ke_violation(0xD2, found, from, size, "a pool block is freed that contains a resource in use");
    found = ke_track_find(KE_TRACK_LOOKASIDE, from, size);
    if (found)
        ke_violation(0xCC, found, from, size, "a pool block is freed that contains a lookaside list in use");
}

/* The routine is the culprit: there is no call to blame. */
static DECLSPEC_NORETURN void left_in_image(ULONG_PTR kind, ULONG_PTR object, ULONG_PTR base, SIZE_T size,
                                            ULONG_PTR culprit, const char *why)
{
    struct ke_bugcheck bugcheck = {.code = BUGCHECK_TIMER_OR_DPC_INVALID,
                                   .parameters = {kind, object, base, base + size},
                                   .why = why,
                                   .culprit = culprit};
    ke_bugcheck_report(&bugcheck);
}

void ke_verify_image_going(ULONG_PTR base, SIZE_T size)
{
    ULONG_PTR routine = 0, found = ke_timer_within(base, size);
    if (found)
        left_in_image(0, found, base, size, base, "a driver is unloaded with a timer set that lies in its image");
    found = ke_dpc_within(base, size);
    if (found)
        left_in_image(1, found, base, size, base, "a driver is unloaded with a DPC queued that lies in its image");
    found = ke_routine_within(base, size, &routine);
    if (found)
        left_in_image(2, routine, base, size, routine,
                      "a driver is unloaded with a timer set, or a DPC queued, whose routine lies in its image");
}
