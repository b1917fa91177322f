/* queue_fixture.h - a device without queues, and IRPs sent to it that the test keeps. */
#pragma once
#include "kmdf_test.h"

struct sent {
    IRP *irp;
    LONG completed; /* how many times */
    NTSTATUS status;
    ULONG_PTR information;
};

extern WDFDEVICE queue_device;
/* For test_load. */
NTSTATUS queue_make_device(void);
/* Sends an IRP; number: length of a transfer, number of a METHOD_NEITHER control code. The sender frees sent->irp once
 * completed. */
void queue_send(struct sent *sent, UCHAR major, ULONG number, FILE_OBJECT *file);
