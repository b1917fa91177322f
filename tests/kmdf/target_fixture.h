/* target_fixture.h - a WDM driver below, whose requests go to a function of the test, and a framework driver above. */
#pragma once
#include "kmdf_target.h"
#include "kmdf_test.h"

#define LOWER_NAME        "\\Device\\KmdfLower"
#define UPPER_NAME        "\\Device\\KmdfUpper"
#define LOWER_CODE(meth)  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, meth, FILE_ANY_ACCESS)
#define LOWER_ANSWER_SIZE 8

extern DEVICE_OBJECT *lower;
extern UNICODE_STRING lower_name;
/* Gets every IRP of the device; null: creations, cleanups and closes succeed, all others too. What it returns is what
 * the dispatch routine does. */
extern NTSTATUS (*lower_hook)(IRP *irp, IO_STACK_LOCATION *stack);
NTSTATUS lower_complete(IRP *irp, NTSTATUS status, ULONG_PTR information);
/* For hooks: keeps the IRP, to be cancelled (STATUS_CANCELLED) or completed by lower_finish. */
NTSTATUS lower_keep(IRP *irp);
/* The IRP that is kept, not to be cancelled any more; null: there is none, or it is cancelled. */
IRP *lower_take(void);
/* Completes what is kept; false: there is none. */
bool lower_finish(NTSTATUS status, ULONG_PTR information);
extern LONG lower_cancelled; /* how many */

extern WDFDEVICE target_device; /* of the driver above, UPPER_NAME, whose requests have a stack location to spare */
extern void (*target_init)(PWDFDEVICE_INIT init); /* null, or says more about that device */
extern WDFIOTARGET target;                        /* of that: opened by name by target_set_up */
/* For cmocka. flags: of the lower device; *state may point at them. */
int target_set_up(void **state);
int target_tear_down(void **state);
void target_open(void);
void target_lower_flags(ULONG flags);
