/* own_request.h - a request that the driver makes, for the suites that send it. */
#pragma once
#include "target_fixture.h"

extern WDFREQUEST own_request;
extern WDFMEMORY own_memory;                     /* 16 bytes */
extern UCHAR *own_buffer;                        /* the same */
extern LONG own_returned;                        /* completion routines */
extern WDF_REQUEST_COMPLETION_PARAMS own_result; /* what the last one was given */

/* Opens the target, whose device keeps what comes, and makes all that. */
void own_make(void);
/* A METHOD_BUFFERED control with the memory as input and output, and the completion routine. */
void own_format(void);
void own_reuse(void);
/* Of the formatted one; timeout 0: none. */
BOOLEAN own_send_with(ULONG flags, LONGLONG timeout);
/* Formatted and sent. */
void own_sent(void);
/* To the memory. */
LONG own_references(void);

/* Hooks for the driver below: keep what is no open and no close; complete with 100 bytes. */
NTSTATUS own_keep_controls(IRP *irp, IO_STACK_LOCATION *stack);
NTSTATUS own_complete_at_once(IRP *irp, IO_STACK_LOCATION *stack);
/* A thread that completes what the driver below keeps, once it does, with 7 bytes. */
void own_finish_later(void *argument);
VOID NTAPI own_on_return(WDFREQUEST back, WDFIOTARGET from, PWDF_REQUEST_COMPLETION_PARAMS params, WDFCONTEXT context);
