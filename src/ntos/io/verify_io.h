/*
 * verify_io.h - what the verifier holds drivers to in the I/O manager. Called under ke_verify only. The codes are those
 * of "Bug Check 0xC9: DRIVER_VERIFIER_IOMANAGER_VIOLATION" and "Bug Check 0xC4", Microsoft Learn.
 */
#pragma once
#include "io_internal.h"

/* The violation with the code from 0x200 on. culprit: the driver's code, or 0: the caller of the export that runs. */
DECLSPEC_NORETURN void io_verify_error(ULONG_PTR code, ULONG_PTR culprit, const void *irp, const void *device,
                                       const char *why);
/* After DriverUnload: 0xCB, 0xC4 (0x62) or 0xC7 for what the driver has left behind. */
void io_verify_unload(DRIVER_OBJECT *driver);

/* Of IoCallDriver, before it moves to the next stack location: 0x10 level, 0x204 and 4 the device, 3 the IRP, 0x203 a
 * cancel routine, 0x206 and 0x207 a location copied by hand, 0x245 the device's flags, 0xC4 (0xE2) a user address; of a
 * driver's own request 0x20E, 0x20F, 0x210 the status it begins with, 0x237 only the system sends it. */
void io_verify_call(DEVICE_OBJECT *device, IRP *irp);
/* After its dispatch routine: 5 another level, 0xC4 (0xC5) another count of APCs disabled, 0x225 an illegal status. */
void io_verify_called(DEVICE_OBJECT *device, ULONG_PTR routine, const struct io_balance *before, NTSTATUS returned);
/* What the request's sender finds: 0x23D, 0x23E pending and not marked or the reverse, 0x226 neither completed nor
 * pending, 0x224 another status than it was completed with. */
void io_verify_return(const struct io_request *request, NTSTATUS returned, ULONG_PTR routine);
/* Of IoCompleteRequest, for a request that exists: 0xE level, 6 the status, 7 a cancel routine. */
void io_verify_completion(const IRP *irp);
/* After a completion routine that has not kept the request: 0xC4 (0xFA, 0xFB), 0x228 pending and not marked. */
void io_verify_completion_routine(const IRP *irp, ULONG_PTR routine, const struct io_balance *before, bool kept);
/* Of IoFreeIrp and IoInitializeIrp by a driver: 1, 2, 0x20B; 0x20D. */
void io_verify_free(const IRP *irp);
void io_verify_initialize(const IRP *irp);
/* Of IoDeleteDevice and IoDetachDevice: 0x240 (again), 0x201; 0x202. */
void io_verify_delete(const DEVICE_OBJECT *device, bool again);
void io_verify_detach(const DEVICE_OBJECT *device);
/* A request that was cancelled and not completed within that time: 0xC4 (0x135). */
void io_verify_not_cancelled(const IRP *irp, ULONG milliseconds, ULONG_PTR routine);
