/*
 * attach.c - running in another process's address space. There is one user address space here, so only the bookkeeping
 * changes: the current process, and with it the handle table.
 */
#include "ps.h"

/* Puts the thread into Process; *ApcState remembers where it was. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI KeStackAttachProcess(PKPROCESS Process, PRKAPC_STATE ApcState)
{
    PKTHREAD self = ke_thread_current();
    *ApcState = (KAPC_STATE){.Process = self->Process};
    self->Process = Process;
}

VOID NTAPI KeUnstackDetachProcess(PRKAPC_STATE ApcState)
{
    ke_thread_current()->Process = ApcState->Process;
}

/* The old form. Bug check 5: the thread is attached already. */
VOID NTAPI KeAttachProcess(PKPROCESS Process)
{
    PKTHREAD self = ke_thread_current();
    if (self->Process != self->OwnProcess && self->Process != Process)
        ke_bugcheck_because(BUGCHECK_INVALID_PROCESS_ATTACH_ATTEMPT,
                            (ULONG_PTR[4]){(ULONG_PTR)Process, (ULONG_PTR)self->Process, 0, 0},
                            "KeAttachProcess was called by a thread that is attached already");
    self->Process = Process;
}

VOID NTAPI KeDetachProcess(VOID)
{
    ke_thread_current()->Process = ke_thread_current()->OwnProcess;
}
