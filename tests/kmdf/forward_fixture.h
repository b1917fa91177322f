/* forward_fixture.h - user mode, a framework driver that sends its requests on, and what the driver below sees. */
#pragma once
#include "target_fixture.h"

enum { IN = 8, OUT = 16, OUT_AT = 64 };

extern ULONG_PTR forward_base; /* a page of user memory */
extern struct io_file *forward_file;
extern WDFQUEUE forward_queue;
extern void (*forward_on_request)(WDFREQUEST request); /* what the driver above does */
extern WDFREQUEST forward_received;
extern IRP forward_came;  /* as it was then */
extern LONG forward_back; /* completion routines of forwarded requests */
struct forward_seen {
    IO_STACK_LOCATION stack;
    IRP irp;
    ULONG calls;
};
extern struct forward_seen forward_seen; /* by the driver below */

/* The completion routine: what the driver below said, the sender gets. context: &forward_back. */
VOID NTAPI forward_pass_back(WDFREQUEST request, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params,
                             WDFCONTEXT context);
/* Sends a formatted request with that routine, or completes it. */
void forward_send_on(WDFREQUEST request);
/* The same as it came. */
void forward_it(WDFREQUEST request);
BOOLEAN forward_forget(WDFREQUEST request);

/* Hooks for the driver below: notes what it sees and answers; keeps it. */
NTSTATUS forward_look(IRP *irp, IO_STACK_LOCATION *stack);
NTSTATUS forward_keep_io(IRP *irp, IO_STACK_LOCATION *stack);

/* User mode sends a control with IN bytes of input and OUT of output; the answer has come, or not. */
NTSTATUS forward_control(ULONG method, IO_STATUS_BLOCK *result);
void forward_answered(bool yes);

int forward_set_up(void **state);
int forward_tear_down(void **state);
