/*
 * bugcheck.c - the end of the kernel: says which rule was broken, by whom, and how the code got there; then leaves.
 *
 * Everything read while reporting may itself be damaged, so the report is written in pieces, memory of drivers is not
 * touched, and a second bug check on the way ends the process at once. How faults become bug checks is trap.c's matter.
 */
#include "ke.h"
#include "arch.h"
#include "bugcallback.h"
#include "rtl.h"
#include "seh.h"

void (*ke_symbolize)(ULONG_PTR address, char *text, SIZE_T size);
void (*ke_symbolize_ahead)(const ULONG_PTR *addresses, SIZE_T count);
void (*ke_bugcheck_hook)(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit);
void (*ke_bugcheck_instead)(const struct ke_bugcheck *bugcheck, const ULONG_PTR *stack, ULONG depth);

enum { STACK_FRAMES = 32 };

static struct arch_thread *reporting; /* who reports; set once */

const char *ke_bugcheck_name(ULONG code)
{
    switch (code) {
#define BUGCHECK_ROW(name, value)                                                                                      \
    case value:                                                                                                        \
        return #name;
#include "bugcheck.def"
#undef BUGCHECK_ROW
    default:
        return "UNKNOWN";
    }
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char line[768];
    __builtin_va_list list;
    __builtin_va_start(list, format);
    SIZE_T length = rtl_vprint(line, sizeof(line), format, list);
    __builtin_va_end(list);
    plat_debug_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
}

static void name_address(ULONG_PTR address, char *text, SIZE_T size)
{
    const struct seh_image *image = seh_image_find(address);
    text[0] = 0;
    if (ke_symbolize)
        ke_symbolize(address, text, size);
    if (!text[0] && image)
        rtl_print(text, size, "%s+0x%llx", image->name, (ULONG64)(address - image->base));
    else if (!text[0])
        rtl_print(text, size, "0x%016llx", (ULONG64)address);
}

/* The driver's code to blame: where it stopped if that is known, else the driver's frame nearest to it, else the
 * routine of the driver's that was called. 0: none. */
static ULONG_PTR find_culprit(const struct ke_bugcheck *bugcheck, const ULONG_PTR *stack, ULONG depth)
{
    if (bugcheck->culprit)
        return bugcheck->culprit;
    for (ULONG i = 0; i < depth; i++)
        if (seh_image_find(stack[i]))
            return i || !bugcheck->context ? stack[i] - 1 : stack[i]; /* a return address: back into the call */
    ULONG_PTR caller = seh_export_caller();
    return caller ? caller - 1 : arch_self()->driver_routine;
}

/* Fills stack with the code addresses that led here, calls rather than return addresses; returns how many. */
static ULONG walk(const struct ke_bugcheck *bugcheck, ULONG_PTR *culprit, ULONG_PTR stack[STACK_FRAMES])
{
    CONTEXT here;
    if (!bugcheck->context)
        RtlCaptureContext(&here);
    ULONG depth = seh_backtrace(bugcheck->context ? bugcheck->context : &here, stack, STACK_FRAMES);
    *culprit = find_culprit(bugcheck, stack, depth);
    for (ULONG i = bugcheck->context ? 1 : 0; i < depth; i++)
        stack[i]--; /* a return address: back into the call */
    return depth;
}

static void report(const struct ke_bugcheck *bugcheck, ULONG_PTR *culprit)
{
    ULONG_PTR stack[STACK_FRAMES + 1];
    char place[512];
    const ULONG_PTR *p = bugcheck->parameters;
    say("\n*** STOP: 0x%08X %s (0x%016llx, 0x%016llx, 0x%016llx, 0x%016llx)\n", bugcheck->code,
        ke_bugcheck_name(bugcheck->code), (ULONG64)p[0], (ULONG64)p[1], (ULONG64)p[2], (ULONG64)p[3]);
    if (bugcheck->why)
        say("*** %s\n", bugcheck->why);
    ULONG depth = walk(bugcheck, culprit, stack);
    stack[depth] = *culprit;
    if (ke_symbolize_ahead)
        ke_symbolize_ahead(stack, depth + 1);
    if (*culprit) {
        name_address(*culprit, place, sizeof(place));
        say("*** at %s\n", place);
    }
    say("*** stack:\n");
    for (ULONG i = 0; i < depth; i++) {
        name_address(stack[i], place, sizeof(place));
        say("    %2u  %s\n", i, place);
    }
}

/* For one who names the places itself, or in another process. */
static void hand_over(const struct ke_bugcheck *bugcheck)
{
    ULONG_PTR stack[STACK_FRAMES];
    struct ke_bugcheck copy = *bugcheck;
    ULONG depth = walk(bugcheck, &copy.culprit, stack);
    ke_bugcheck_instead(&copy, stack, depth);
}

void ke_bugcheck_report(const struct ke_bugcheck *bugcheck)
{
    struct arch_thread *self = arch_self(), *first = NULL;
    if (!__atomic_compare_exchange_n(&reporting, &first, self, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        if (first != self)
            for (;;)
                plat_yield(); /* the other thread's report ends the process */
        say("*** and while reporting that: 0x%08X %s (0x%llx, 0x%llx)\n", bugcheck->code,
            ke_bugcheck_name(bugcheck->code), (ULONG64)bugcheck->parameters[0], (ULONG64)bugcheck->parameters[1]);
        plat_exit(1);
    }
    ULONG_PTR culprit = 0;
    if (ke_bugcheck_instead)
        hand_over(bugcheck);
    report(bugcheck, &culprit);
    ke_bugcheck_callbacks_run();
    if (ke_bugcheck_hook)
        ke_bugcheck_hook(bugcheck->code, bugcheck->parameters, culprit);
    plat_exit(1);
}

bool ke_bugcheck_reporting(void)
{
    return __atomic_load_n(&reporting, __ATOMIC_ACQUIRE) != NULL;
}

void ke_bugcheck_join(void)
{
    struct arch_thread *reporter = __atomic_load_n(&reporting, __ATOMIC_ACQUIRE);
    while (reporter && reporter != arch_self())
        plat_yield();
}

void ke_bugcheck_because(ULONG code, const ULONG_PTR parameters[4], const char *why)
{
    struct ke_bugcheck bugcheck = {.code = code, .why = why};
    __builtin_memcpy(bugcheck.parameters, parameters, sizeof(bugcheck.parameters));
    ke_bugcheck_report(&bugcheck);
}

/* Stops the system with the driver's own code and parameters. Does not return. */
VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                        ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4)
{
    ULONG_PTR parameters[4] = {BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4};
    ke_bugcheck_because(BugCheckCode, parameters, "the driver called KeBugCheck or KeBugCheckEx");
}

VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}
