/*
 * verify.c - what the verifier holds drivers to in plug and play, seen from the PnP manager. The codes are those of
 * "Bug Check 0xC9: DRIVER_VERIFIER_IOMANAGER_VIOLATION", Microsoft Learn. Called under ke_verify only.
 */
#include "pnp_internal.h"
#include "verify_io.h"

static ULONG_PTR pnp_routine(const DEVICE_OBJECT *device)
{
    return (ULONG_PTR)device->DriverObject->MajorFunction[IRP_MJ_PNP];
}

void pnp_verify_added(const struct pnp_node *node, ULONG_PTR routine)
{
    for (DEVICE_OBJECT *device = node->pdo->AttachedDevice; device; device = device->AttachedDevice)
        if (device->Flags & DO_DEVICE_INITIALIZING)
            io_verify_error(0x243, routine, NULL, device, "AddDevice left DO_DEVICE_INITIALIZING set in its device");
}

/* Requests that only tell. */
static bool cannot_fail(UCHAR minor)
{
    return minor == IRP_MN_REMOVE_DEVICE || minor == IRP_MN_CANCEL_REMOVE_DEVICE || minor == IRP_MN_STOP_DEVICE ||
           minor == IRP_MN_CANCEL_STOP_DEVICE || minor == IRP_MN_SURPRISE_REMOVAL;
}

void pnp_verify_answer(DEVICE_OBJECT *top, const struct pnp_node *node, UCHAR minor, NTSTATUS status)
{
    ULONG_PTR routine = pnp_routine(top);
    bool passed_down = node->asked;
    if (status == STATUS_IO_TIMEOUT)
        return; /* nobody has answered */
    if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED && cannot_fail(minor))
        io_verify_error(0x247, routine, NULL, top, "a driver failed a plug and play request that cannot be failed");
    if (status == STATUS_NOT_SUPPORTED && passed_down && node->answer != STATUS_NOT_SUPPORTED)
        io_verify_error(0x216, routine, NULL, top,
                        "a driver turned the status of a plug and play request into STATUS_NOT_SUPPORTED");
    if (status == STATUS_NOT_SUPPORTED && !passed_down)
        io_verify_error(
            0x22F, routine, NULL, top,
            "a driver completed a plug and play request that it does not handle instead of passing it down");
    if (NT_SUCCESS(status) && !passed_down)
        io_verify_error(0x22E, routine, NULL, top,
                        "a driver completed a successful plug and play request instead of passing it down");
}

void pnp_verify_arrival(DEVICE_OBJECT *pdo, IRP *irp, bool power)
{
    NTSTATUS status = irp->IoStatus.Status;
    DEVICE_OBJECT *above = pdo->AttachedDevice;
    if (NT_SUCCESS(status) || status == STATUS_NOT_SUPPORTED || !above)
        return;
    io_verify_error(power ? 0x219 : 0x215,
                    (ULONG_PTR)above->DriverObject->MajorFunction[power ? IRP_MJ_POWER : IRP_MJ_PNP], irp, above,
                    power ? "a power request was failed and passed down; a failed one is completed"
                          : "a plug and play request was failed and passed down; a failed one is completed");
}

/* ---- removal ---- */

void pnp_verify_stack_take(const struct pnp_node *node, struct pnp_stack *stack)
{
    stack->count = 0;
    for (DEVICE_OBJECT *device = node->pdo->AttachedDevice; device && stack->count < RTL_NUMBER_OF(stack->devices);
         device = device->AttachedDevice) {
        ob_reference(device);
        stack->devices[stack->count++] = device;
    }
}

static void check_removed(DEVICE_OBJECT *device, ULONG_PTR routine)
{
    if (io_device_of(device)->attached_to)
        io_verify_error(0x21D, routine, NULL, device, "a driver has not detached its device on IRP_MN_REMOVE_DEVICE");
    if (!io_device_of(device)->deleted)
        io_verify_error(0x21E, routine, NULL, device, "a driver has not deleted its device on IRP_MN_REMOVE_DEVICE");
}

static void check_surprised(DEVICE_OBJECT *device, ULONG_PTR routine)
{
    if (!io_device_of(device)->attached_to)
        io_verify_error(0x241, routine, NULL, device, "a driver has detached its device on IRP_MN_SURPRISE_REMOVAL");
    if (io_device_of(device)->deleted)
        io_verify_error(0x242, routine, NULL, device, "a driver has deleted its device on IRP_MN_SURPRISE_REMOVAL");
}

void pnp_verify_stack_check(struct pnp_stack *stack, bool surprise)
{
    for (ULONG i = 0; i < stack->count; i++) {
        DEVICE_OBJECT *device = stack->devices[i];
        if (surprise)
            check_surprised(device, pnp_routine(device));
        else
            check_removed(device, pnp_routine(device));
        ob_dereference(device);
    }
}
