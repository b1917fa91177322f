/*
 * entry.c - the ways into a system service: NtX, ZwX, and the system call of user mode; the service table.
 *
 * All three end in one dispatcher. What differs is PreviousMode, which each way restores however the service ends.
 */
#include "svc.h"
#include "arch.h"
#include "rtl.h"
#include "seh.h"
#include "usermode_accessors.h"

#define SVC_KIND_OF(k, n) SVC_##k
#define SVC_NAME_OF(k, n) #n
#define SVC_KIND_OF_NONE
#define SVC_NAME_OF_NONE
#define SERVICE(n, name, ...)                                                                                          \
    {#name, svc_##name, n, {SVC_EACH_##n(SVC_KIND_OF, __VA_ARGS__)}, {SVC_EACH_##n(SVC_NAME_OF, __VA_ARGS__)}},
const struct svc_row svc_table[SVC_SERVICES] = {
#include "services.def"
};
#undef SERVICE

static NTSTATUS run(const struct svc_row *row, const ULONG64 *values)
{
    struct svc_call call = {.row = row, .mode = ke_thread_current()->PreviousMode};
    volatile NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = 0; i < call.row->count; i++)
        call.arguments[i].value = values[i];
    __try {
        status = svc_capture(&call);
        if (NT_SUCCESS(status))
            status = call.row->act(&call);
        if (ke_verify && call.mode == KernelMode)
            svc_verify_handles_made(&call);
        NTSTATUS written = svc_write_back(&call);
        if (!NT_SUCCESS(written))
            status = written;
    } __finally {
        svc_release(&call);
    }
    return status;
}

NTSTATUS svc_nt(ULONG number, const ULONG64 *values)
{
    NTSTATUS status = run(&svc_table[number], values);
    ke_apcs_check(ke_thread_current());
    return status;
}

NTSTATUS svc_zw_row(const struct svc_row *row, const ULONG64 *values)
{
    PKTHREAD self = ke_thread_current();
    const KPROCESSOR_MODE previous = self->PreviousMode;
    volatile NTSTATUS status = STATUS_SUCCESS;
    if (ke_verify)
        svc_verify_zw(row, values);
    self->PreviousMode = KernelMode;
    __try {
        status = run(row, values);
    } __finally {
        self->PreviousMode = previous;
    }
    ke_apcs_check(self);
    return status;
}

NTSTATUS svc_zw(ULONG number, const ULONG64 *values)
{
    return svc_zw_row(&svc_table[number], values);
}

static NTSTATUS read_arguments(ULONG_PTR from, ULONG64 *values, ULONG count)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        CopyFromUser(values, (const void *)from, count * sizeof(*values));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

/* What must hold when a thread goes back to user mode. */
static void check_return(ULONG number)
{
    PKTHREAD self = ke_thread_current();
    ULONG irql = arch_self()->irql;
    if (irql != PASSIVE_LEVEL)
        ke_bugcheck_because(BUGCHECK_IRQL_GT_ZERO_AT_SYSTEM_SERVICE,
                            (ULONG_PTR[4]){(ULONG_PTR)svc_table[number].act, irql, 0, 0},
                            "a system service returned to user mode above PASSIVE_LEVEL");
    if (self->KernelApcDisable || self->SpecialApcDisable)
        ke_bugcheck_because(
            BUGCHECK_APC_INDEX_MISMATCH,
            (ULONG_PTR[4]){(ULONG_PTR)svc_table[number].act, 0,
                           (ULONG_PTR)(USHORT)self->SpecialApcDisable << 16 | (USHORT)self->KernelApcDisable, 0},
            "a system service returned to user mode inside a critical or guarded region");
}

NTSTATUS svc_system_call(ULONG number, ULONG_PTR arguments)
{
    ULONG64 values[SVC_ARGUMENTS_MAX];
    PKTHREAD self = ke_thread_current();
    struct ke_trap_frame frame = {self->TrapFrame, self->PreviousMode, number};
    if (number >= SVC_SERVICES)
        return STATUS_INVALID_SYSTEM_SERVICE;
    volatile NTSTATUS status = read_arguments(arguments, values, svc_table[number].count);
    if (!NT_SUCCESS(status))
        return status;
    self->TrapFrame = &frame;
    self->PreviousMode = UserMode;
    __try {
        status = svc_nt(number, values);
    } __finally {
        self->PreviousMode = frame.PreviousMode;
        self->TrapFrame = frame.Previous;
    }
    check_return(number);
    ke_apcs_return_to_user();
    return status;
}

ULONG svc_find(const char *name)
{
    if ((name[0] == 'N' && name[1] == 't') || (name[0] == 'Z' && name[1] == 'w'))
        name += 2;
    ULONG number = 0;
    while (number < SVC_SERVICES && nt_strcmp(svc_table[number].name, name))
        number++;
    return number;
}

#define SVC_VALUE_OF(k, n) (ULONG64)(n)
#define SVC_VALUE_OF_NONE
#define SERVICE(count, name, ...)                                                                                      \
    NTSTATUS NTAPI Nt##name(SVC_EACH_##count(SVC_PARAMETER, __VA_ARGS__))                                              \
    {                                                                                                                  \
        return svc_nt(SVC_NUMBER_##name, (const ULONG64[]){SVC_EACH_##count(SVC_VALUE_OF, __VA_ARGS__)});              \
    }                                                                                                                  \
    NTSTATUS NTAPI Zw##name(SVC_EACH_##count(SVC_PARAMETER, __VA_ARGS__))                                              \
    {                                                                                                                  \
        return svc_zw(SVC_NUMBER_##name, (const ULONG64[]){SVC_EACH_##count(SVC_VALUE_OF, __VA_ARGS__)});              \
    }
#include "services.def"
