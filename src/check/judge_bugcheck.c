/*
 * judge_bugcheck.c - which rule a bug check breaks. The codes and their parameters are the documented ones, which
 * src/ntos makes; a code that says nothing about user mode's part (the verifier's stricter habits, a driver that stops
 * the system itself) breaks none of ours.
 */
#include "explore_internal.h"
#include "ke.h"
#include <stdio.h>
#include <string.h>

#define ACCESS_VIOLATION 0xC0000005u
#define IN_PAGE_ERROR    0xC0000006u
#define GUARD_PAGE       0x80000001u
#define MISALIGNMENT     0x80000002u

bool explore_is_given(uint64_t address)
{
    return address - (EXPLORE_KERNEL_ADDRESS - 0x1000) < 0x20000;
}

struct verdict {
    const char *rule;
    const char *cause, *message;
};

static struct verdict of_user_fault(const struct scenario *scenario, uint64_t address)
{
    uint64_t low, limit;
    uma_user_range(&low, &limit);
    if (address < low && !scenario->user_null)
        return (struct verdict){"null-dereference", "null", "A null pointer is dereferenced"};
    bool from_user = explore_is_given(address) || scenario->kind == SCENARIO_POINTER;
    if (address >= limit && !from_user)
        return (struct verdict){"memory-corruption", "wild address", "An address that can be nobody's is used"};
    return (struct verdict){"unhandled-fault", "user memory", "A failing access to user memory is not caught"};
}

static struct verdict of_exception(const struct scenario *scenario, const struct case_result *how)
{
    bool in_service = how->code == BUGCHECK_SYSTEM_SERVICE_EXCEPTION;
    switch ((ULONG)how->parameters[0]) {
    case ACCESS_VIOLATION:
    case IN_PAGE_ERROR:
    case GUARD_PAGE:
        return in_service ? (struct verdict){"unhandled-fault", "user memory", "A failing access is not caught"}
                          : of_user_fault(scenario, how->parameters[3]);
    case MISALIGNMENT:
        return (struct verdict){"unhandled-fault", "misaligned",
                                "The exception about a misaligned address is not caught"};
    default:
        return (struct verdict){"unhandled-fault", "exception", "An exception is not caught"};
    }
}

static struct verdict of_page_fault(const struct case_result *how)
{
    bool writes = how->parameters[1] == 2;
    if (how->parameters[3] == 0xF)
        return (struct verdict){"raw-user-access", writes ? "written by instruction" : "read by instruction",
                                "User memory is touched outside an accessor"};
    if (explore_is_given(how->parameters[0]))
        return writes ? (struct verdict){"unchecked-pointer", "write", "A kernel address from user mode is written to"}
                      : (struct verdict){"unchecked-pointer", "read", "A kernel address from user mode is read"};
    return writes ? (struct verdict){"memory-corruption", "over-write", "Memory is written where the driver has none"}
                  : (struct verdict){"memory-corruption", "over-read", "Memory is read where the driver has none"};
}

/* DRIVER_VERIFIER_DETECTED_VIOLATION, by its first parameter. */
static struct verdict of_violation(uint64_t what)
{
    static const uint16_t levels[] = {0x1,  0x2,  0x11, 0x12, 0x30, 0x31, 0x32, 0x33, 0x34,  0x40,  0x41,  0x42,
                                      0x70, 0x76, 0x77, 0x78, 0x79, 0x80, 0xE5, 0xE6, 0x120, 0x121, 0x122, 0xFA};
    static const uint16_t modes[] = {0x3C, 0xE1, 0xE2, 0xE3, 0xF5, 0xF6, 0xF7};
    for (size_t i = 0; i < RTL_NUMBER_OF(levels); i++)
        if (what == levels[i])
            return (struct verdict){"wrong-irql", "level", "Something is done at an IRQL that does not allow it"};
    for (size_t i = 0; i < RTL_NUMBER_OF(modes); i++)
        if (what == modes[i])
            return (struct verdict){"mode-confusion", "mode",
                                    "Something of user mode's is used as if it were the kernel's"};
    return (struct verdict){0};
}

/* WDF_VIOLATION, by its first parameter: a handle that is none (any more), a request. */
static struct verdict of_framework(const struct case_result *how)
{
    const uint64_t code = how->parameters[0];
    if (code == 0x5)
        return how->parameters[1]
                   ? (struct verdict){"use-after-free", "handle", "A handle is used whose object is gone"}
                   : (struct verdict){"null-dereference", "handle", "A null handle is used"};
    if (code == 0x6 || code == 0xA || code == 0x3)
        return (struct verdict){"request-misuse", "request", "A request is not dealt with as the framework wants it"};
    if (code == 0xE || code == 0xF)
        return (struct verdict){"wrong-irql", "callback", "A callback returns at another level than it was called at"};
    return (struct verdict){0};
}

static struct verdict of_bugcheck(const struct scenario *scenario, const struct case_result *how)
{
    switch (how->code) {
    case BUGCHECK_KMODE_EXCEPTION_NOT_HANDLED:
    case BUGCHECK_SYSTEM_SERVICE_EXCEPTION:
    case BUGCHECK_SYSTEM_THREAD_EXCEPTION_NOT_HANDLED:
        return of_exception(scenario, how);
    case BUGCHECK_PAGE_FAULT_IN_NONPAGED_AREA:
        return of_page_fault(how);
    case BUGCHECK_DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION:
    case BUGCHECK_PAGE_FAULT_BEYOND_END_OF_ALLOCATION:
        return how->parameters[1]
                   ? (struct verdict){"memory-corruption", "over-write", "Memory behind a pool block is written to"}
                   : (struct verdict){"memory-corruption", "over-read", "Memory behind a pool block is read"};
    case BUGCHECK_SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION:
    case BUGCHECK_BAD_POOL_HEADER:
        return (struct verdict){"memory-corruption", "over-write", "Memory around a pool block was written to"};
    case BUGCHECK_DRIVER_OVERRAN_STACK_BUFFER:
    case BUGCHECK_CRITICAL_STRUCTURE_CORRUPTION:
    case BUGCHECK_KERNEL_SECURITY_CHECK_FAILURE:
    case BUGCHECK_ATTEMPTED_WRITE_TO_READONLY_MEMORY:
    case BUGCHECK_ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY:
        return (struct verdict){"memory-corruption", ke_bugcheck_name(how->code), "Memory of the kernel is damaged"};
    case BUGCHECK_BAD_POOL_CALLER:
        return how->parameters[0] == 0x7
                   ? (struct verdict){"use-after-free", "freed twice", "A pool block is freed twice"}
                   : (struct verdict){"memory-corruption", "bad free", "What is freed is no block of that kind"};
    case BUGCHECK_DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL:
        /* Its status is set to complete it again. */
        if (how->parameters[1] && strstr(how->why, "tag Irp ,"))
            return (struct verdict){"request-misuse", "completed twice",
                                    "A request is written to that was completed before"};
        return (struct verdict){"use-after-free", "pool", "A pool block is used that was freed"};
    case BUGCHECK_PAGE_FAULT_IN_FREED_SPECIAL_POOL:
    case BUGCHECK_DRIVER_CAUGHT_MODIFYING_FREED_POOL:
        return (struct verdict){"use-after-free", "pool", "A pool block is used that was freed"};
    case BUGCHECK_REFERENCE_BY_POINTER:
        return (struct verdict){"use-after-free", "object", "An object is used that has no references left"};
    case BUGCHECK_MULTIPLE_IRP_COMPLETE_REQUESTS:
        return (struct verdict){"request-misuse", "completed twice",
                                "A request is completed that was completed before"};
    case BUGCHECK_INCONSISTENT_IRP:
    case BUGCHECK_NO_MORE_IRP_STACK_LOCATIONS:
    case BUGCHECK_CANCEL_STATE_IN_COMPLETED_IRP:
        return (struct verdict){"request-misuse", ke_bugcheck_name(how->code),
                                "A request is not dealt with as it must be"};
    case BUGCHECK_DRIVER_VERIFIER_IOMANAGER_VIOLATION:
        if (how->parameters[0] == 0x5)
            return (struct verdict){"wrong-irql", "dispatch", "A dispatch routine returns at another level"};
        return how->parameters[0] == 0x226
                   ? (struct verdict){"request-misuse", "not completed",
                                      "A request is neither completed nor passed on nor pending"}
                   : (struct verdict){"request-misuse", "verifier", "A request is not dealt with as it must be"};
    case BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION:
        return of_violation(how->parameters[0]);
    case BUGCHECK_WDF_VIOLATION:
        return of_framework(how);
    case BUGCHECK_IRQL_NOT_LESS_OR_EQUAL:
    case BUGCHECK_DRIVER_IRQL_NOT_LESS_OR_EQUAL:
    case BUGCHECK_IRQL_NOT_GREATER_OR_EQUAL:
    case BUGCHECK_IRQL_UNEXPECTED_VALUE:
    case BUGCHECK_IRQL_GT_ZERO_AT_SYSTEM_SERVICE:
    case BUGCHECK_ATTEMPTED_SWITCH_FROM_DPC:
    case BUGCHECK_WORKER_THREAD_RETURNED_AT_BAD_IRQL:
        return (struct verdict){"wrong-irql", ke_bugcheck_name(how->code),
                                "Something is done at an IRQL that does not allow it"};
    default:
        return (struct verdict){0};
    }
}

bool judge_bugcheck(const struct scenario *scenario, const struct outcome *now, struct suspicion *suspicion)
{
    const struct case_result *how = &now->result.how;
    struct verdict verdict = of_bugcheck(scenario, how);
    if (!verdict.rule)
        return false;
    *suspicion = (struct suspicion){.rule = verdict.rule, .level = LEVEL_ERROR};
    if (!strcmp(verdict.rule, "raw-user-access"))
        suspicion->level = LEVEL_WARNING;
    snprintf(suspicion->message, sizeof(suspicion->message), "%s (bug check 0x%X %s)", verdict.message, how->code,
             ke_bugcheck_name(how->code));
    snprintf(suspicion->cause, EXPLORE_TEXT, "%s", verdict.cause);
    judge_end_site(now, &suspicion->site);
    return true;
}
