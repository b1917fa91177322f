/*
 * verify_irp.c - what the verifier holds drivers to in their dealings with requests and devices.
 */
#include "verify_io.h"
#include "seh.h"
#include "wdk/pnp.h"

/* culprit 0: the caller of the export that is running. */
static DECLSPEC_NORETURN void report(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit, const char *why)
{
    struct ke_bugcheck bugcheck = {.code = code, .why = why, .culprit = culprit};
    __builtin_memcpy(bugcheck.parameters, parameters, sizeof(bugcheck.parameters));
    ke_bugcheck_report(&bugcheck);
}

static DECLSPEC_NORETURN void violation(ULONG_PTR code, ULONG_PTR second, ULONG_PTR third, const char *why)
{
    report(BUGCHECK_DRIVER_VERIFIER_IOMANAGER_VIOLATION, (ULONG_PTR[4]){code, second, third, 0}, 0, why);
}

DECLSPEC_NORETURN void io_verify_error(ULONG_PTR code, ULONG_PTR culprit, const void *irp, const void *device,
                                       const char *why)
{
    ULONG_PTR place = culprit ? culprit : seh_export_caller();
    report(BUGCHECK_DRIVER_VERIFIER_IOMANAGER_VIOLATION, (ULONG_PTR[4]){code, place, (ULONG_PTR)irp, (ULONG_PTR)device},
           culprit, why);
}

static bool is_irp(const IRP *irp)
{
    return plat_is_readable((ULONG_PTR)irp, sizeof(*irp)) && irp->Type == IO_TYPE_IRP;
}

/* ---- passing on ---- */

static void check_device(const DEVICE_OBJECT *device, const IRP *irp)
{
    const ULONG both = DO_BUFFERED_IO | DO_DIRECT_IO;
    if (!device)
        io_verify_error(0x204, 0, irp, NULL, "IoCallDriver was given no device");
    if (!plat_is_readable((ULONG_PTR)device, sizeof(*device)) || device->Type != IO_TYPE_DEVICE)
        violation(0x04, (ULONG_PTR)device, 0, "IoCallDriver was given a device that is none (any more)");
    if ((device->Flags & both) == both)
        io_verify_error(0x245, 0, irp, device, "a device has both DO_BUFFERED_IO and DO_DIRECT_IO");
}

/* The caller's location and the one it has filled for the driver below. */
static void check_locations(const IRP *irp, const DEVICE_OBJECT *device)
{
    const IO_STACK_LOCATION *own = irp->Tail.Overlay.CurrentStackLocation, *next = own - 1;
    if (irp->CurrentLocation > irp->StackCount || irp->CurrentLocation <= 1)
        return;
    if (next->Control & SL_PENDING_RETURNED)
        io_verify_error(0x206, 0, irp, device,
                        "a request is passed on with a stack location whose Control was not zeroed");
    if (next->Control && next->CompletionRoutine && next->CompletionRoutine == own->CompletionRoutine &&
        next->Context == own->Context)
        io_verify_error(0x207, 0, irp, device,
                        "a stack location was copied by hand, and with it the completion routine of the driver above");
}

static void check_no_user_address(const IRP *irp)
{
    const IO_STACK_LOCATION *next = irp->Tail.Overlay.CurrentStackLocation - 1;
    bool control =
        next->MajorFunction == IRP_MJ_DEVICE_CONTROL || next->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
    bool neither = control && METHOD_FROM_CTL_CODE(next->Parameters.DeviceIoControl.IoControlCode) == METHOD_NEITHER;
    ULONG_PTR addresses[] = {(ULONG_PTR)irp->UserBuffer, (ULONG_PTR)irp->UserIosb,
                             (ULONG_PTR)irp->AssociatedIrp.SystemBuffer,
                             neither ? (ULONG_PTR)next->Parameters.DeviceIoControl.Type3InputBuffer : 0};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(addresses); i++)
        if (addresses[i] && addresses[i] < plat_layout.user_limit)
            ke_violation(0xE2, (ULONG_PTR)irp, addresses[i], 0,
                         "a request whose RequestorMode is KernelMode carries a user address");
}

/* Plug and play requests that the system alone sends. */
static bool is_restricted(UCHAR minor)
{
    static const UCHAR restricted[] = {
        IRP_MN_START_DEVICE, IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_REMOVE_DEVICE,      IRP_MN_CANCEL_REMOVE_DEVICE,
        IRP_MN_STOP_DEVICE,  IRP_MN_QUERY_STOP_DEVICE,   IRP_MN_CANCEL_STOP_DEVICE, IRP_MN_SURPRISE_REMOVAL};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(restricted); i++)
        if (restricted[i] == minor)
            return true;
    return false;
}

/* A request of a driver's own begins its way. */
static void check_first_send(const IRP *irp, const DEVICE_OBJECT *device)
{
    const IO_STACK_LOCATION *next = irp->Tail.Overlay.CurrentStackLocation - 1;
    bool untouched = irp->IoStatus.Status == STATUS_NOT_SUPPORTED;
    if (next->MajorFunction == IRP_MJ_PNP && is_restricted(next->MinorFunction))
        io_verify_error(0x237, 0, irp, device, "a driver sent a plug and play request that only the system sends");
    if (next->MajorFunction == IRP_MJ_PNP && !untouched)
        io_verify_error(0x20E, 0, irp, device,
                        "a plug and play request was sent whose status is not STATUS_NOT_SUPPORTED yet");
    if (next->MajorFunction == IRP_MJ_POWER && !untouched)
        io_verify_error(0x20F, 0, irp, device, "a power request was sent whose status is not STATUS_NOT_SUPPORTED yet");
    if (next->MajorFunction == IRP_MJ_SYSTEM_CONTROL && !untouched)
        io_verify_error(0x210, 0, irp, device, "a WMI request was sent whose status is not STATUS_NOT_SUPPORTED yet");
}

void io_verify_call(DEVICE_OBJECT *device, IRP *irp)
{
    if (KeGetCurrentIrql() > DISPATCH_LEVEL)
        violation(0x10, KeGetCurrentIrql(), 0, "IoCallDriver was called above DISPATCH_LEVEL");
    if (!is_irp(irp))
        violation(0x03, (ULONG_PTR)irp, 0, "IoCallDriver was given a request that does not exist (any more)");
    check_device(device, irp);
    if (__atomic_load_n(&irp->CancelRoutine, __ATOMIC_ACQUIRE))
        io_verify_error(0x203, 0, irp, device, "a request is passed on with its cancel routine still set");
    check_locations(irp, device);
    struct io_irp *packet = io_irp_find(irp);
    if (irp->CurrentLocation > 1 && packet && !packet->request && !packet->sent)
        check_first_send(irp, device);
    if (irp->CurrentLocation > 1 && irp->RequestorMode == KernelMode && !(packet && packet->request))
        check_no_user_address(irp); /* the kernel's own requests go by the mode of the service */
    if (packet)
        packet->sent = (CHAR)(irp->CurrentLocation - 1);
}

void io_verify_called(DEVICE_OBJECT *device, ULONG_PTR routine, const struct io_balance *before, NTSTATUS returned)
{
    struct io_balance after = io_balance_take();
    if (after.irql != before->irql)
        report(BUGCHECK_DRIVER_VERIFIER_IOMANAGER_VIOLATION,
               (ULONG_PTR[4]){0x05, (ULONG_PTR)device, before->irql, after.irql}, routine,
               "a dispatch routine returned at another IRQL than it was called at");
    if (after.kernel_apc != before->kernel_apc)
        report(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION,
               (ULONG_PTR[4]){0xC5, routine, (ULONG_PTR)after.kernel_apc, (ULONG_PTR)before->kernel_apc}, routine,
               "a dispatch routine returned inside a critical region, or with a mutex, that it was not called in");
    if (returned == -1)
        io_verify_error(0x225, routine, NULL, device, "a dispatch routine returned the status 0xFFFFFFFF");
}

void io_verify_return(const struct io_request *request, NTSTATUS returned, ULONG_PTR routine)
{
    ULONG_PTR start = routine - 1;
    bool pending = returned == STATUS_PENDING;
    if (pending && io_request_completed(request) && !request->pending_marked)
        io_verify_error(0x23D, start, NULL, NULL,
                        "a dispatch routine returned STATUS_PENDING without IoMarkIrpPending");
    if (!pending && !io_request_completed(request))
        io_verify_error(
            0x226, start, NULL, NULL,
            "a dispatch routine has neither completed nor passed on a request, or forgot to return STATUS_PENDING");
    if (!pending && request->pending_marked)
        io_verify_error(0x23E, start, NULL, NULL,
                        "a dispatch routine marked a request pending and did not return STATUS_PENDING");
    if (!pending && returned != request->status.Status)
        report(BUGCHECK_DRIVER_VERIFIER_IOMANAGER_VIOLATION,
               (ULONG_PTR[4]){0x224, start, (ULONG)request->status.Status, (ULONG)returned}, start,
               "a dispatch routine returned another status than it completed the request with");
}

/* ---- completion ---- */

void io_verify_completion(const IRP *irp)
{
    ULONG irql = KeGetCurrentIrql();
    if (irql > DISPATCH_LEVEL)
        violation(0x0E, irql, (ULONG_PTR)irp, "IoCompleteRequest was called above DISPATCH_LEVEL");
    if (!is_irp(irp)) /* bug check 0x44 follows */
        return;
    if (irp->IoStatus.Status == STATUS_PENDING || irp->IoStatus.Status == -1)
        violation(0x06, (ULONG)irp->IoStatus.Status, (ULONG_PTR)irp,
                  "a request was completed with STATUS_PENDING or with the status 0xFFFFFFFF");
    if (__atomic_load_n(&irp->CancelRoutine, __ATOMIC_ACQUIRE))
        violation(0x07, (ULONG_PTR)irp->CancelRoutine, (ULONG_PTR)irp,
                  "a request was completed with its cancel routine still set");
}

void io_verify_completion_routine(const IRP *irp, ULONG_PTR routine, const struct io_balance *before, bool kept)
{
    struct io_balance after = io_balance_take();
    if (after.irql != before->irql)
        report(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR[4]){0xFA, routine, before->irql, after.irql},
               routine, "a completion routine returned at another IRQL than it was called at");
    if (after.kernel_apc != before->kernel_apc)
        report(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION,
               (ULONG_PTR[4]){0xFB, routine, (ULONG_PTR)after.kernel_apc, (ULONG_PTR)before->kernel_apc}, routine,
               "a completion routine has changed how often the thread's APCs are disabled");
    if (!kept && irp->PendingReturned && irp->CurrentLocation <= irp->StackCount &&
        !(irp->Tail.Overlay.CurrentStackLocation->Control & SL_PENDING_RETURNED))
        io_verify_error(0x228, routine, irp, NULL,
                        "a completion routine did not mark a request pending that came back pending");
}

/* ---- requests and devices as such ---- */

void io_verify_free(const IRP *irp)
{
    const struct io_irp *packet = io_irp_find(irp);
    if (!packet)
        violation(0x01, (ULONG_PTR)irp, 0, "IoFreeIrp was given a request that does not exist (any more)");
    if (packet->synchronous)
        violation(0x02, (ULONG_PTR)irp, 0,
                  "IoFreeIrp was given a request that belongs to its thread, which completing it frees");
    if (packet->request || (packet->sent && irp->CurrentLocation <= packet->sent))
        io_verify_error(0x20B, 0, irp, NULL, "IoFreeIrp was given a request that is still in use");
}

void io_verify_initialize(const IRP *irp)
{
    if (io_irp_find(irp))
        io_verify_error(0x20D, 0, irp, NULL,
                        "IoInitializeIrp was given a request of IoAllocateIrp; IoReuseIrp is meant");
}

void io_verify_delete(const DEVICE_OBJECT *device, bool again)
{
    if (again)
        io_verify_error(0x240, 0, NULL, device, "a device was deleted twice");
    if (io_device_of((DEVICE_OBJECT *)device)->attached_to)
        io_verify_error(0x201, 0, NULL, device, "a device is deleted that is still attached to the device below it");
}

void io_verify_detach(const DEVICE_OBJECT *device)
{
    if (!device->AttachedDevice)
        io_verify_error(0x202, 0, NULL, device, "IoDetachDevice was given a device that nothing is attached to");
}

void io_verify_not_cancelled(const IRP *irp, ULONG milliseconds, ULONG_PTR routine)
{
    report(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR[4]){0x135, (ULONG_PTR)irp, milliseconds, 0},
           routine - 1, "a cancelled request was not completed in time");
}
