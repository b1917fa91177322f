/*
 * stack.c - what drivers do with a stack of devices besides putting one on top: attaching by name or by device, looking
 * down, and sending a request down and waiting for it. The plain ones stand in device.c.
 */
#include "io_internal.h"
#include "wdk/io_more.h"

/* As IoAttachDeviceToDeviceStack; *AttachedToDeviceObject is set before requests can come. STATUS_NO_SUCH_DEVICE: the
 * top of the stack cannot be attached to. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                               PDEVICE_OBJECT *AttachedToDeviceObject)
{
    DEVICE_OBJECT *top = io_device_top(TargetDevice);
    *AttachedToDeviceObject = NULL;
    if (io_device_of(top)->deleted)
        return STATUS_NO_SUCH_DEVICE;
    *AttachedToDeviceObject = top;
    IoAttachDeviceToDeviceStack(SourceDevice, top);
    return STATUS_SUCCESS;
}

/* The form of old filters. STATUS_NO_SUCH_DEVICE. */
NTSTATUS NTAPI IoAttachDeviceByPointer(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT below;
    return IoAttachDeviceToDeviceStackSafe(SourceDevice, TargetDevice, &below);
}

/* Attaches to the stack of the device with that name, which is opened for reading and closed again. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice, PDEVICE_OBJECT *AttachedDevice)
{
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    NTSTATUS status = IoGetDeviceObjectPointer(TargetDevice, FILE_READ_ATTRIBUTES, &file, &device);
    if (!NT_SUCCESS(status))
        return status;
    status = IoAttachDeviceToDeviceStackSafe(SourceDevice, device, AttachedDevice);
    ob_dereference(file);
    return status;
}

/* The device at the bottom of the stack, referenced. */
PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    return io_device_bottom(DeviceObject);
}

/* The device below, referenced, or null. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    plat_lock_acquire(&io_lock);
    DEVICE_OBJECT *below = io_device_of(DeviceObject)->attached_to;
    if (below)
        ob_reference(below);
    plat_lock_release(&io_lock);
    return below;
}

static NTSTATUS NTAPI forwarded(DEVICE_OBJECT *device, IRP *irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    if (irp->PendingReturned)
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/*
 * Sends Irp, with the caller's stack location copied, to DeviceObject's driver and waits until the drivers below are
 * done with it; the caller completes it. FALSE: there is no stack location for them. PASSIVE_LEVEL.
 */
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KEVENT done;
    IO_STACK_LOCATION *own = IoGetCurrentIrpStackLocation(Irp), *next = own - 1;
    if (Irp->CurrentLocation <= 1)
        return FALSE;
    KeInitializeEvent(&done, SynchronizationEvent, FALSE);
    __builtin_memcpy(next, own, offsetof(IO_STACK_LOCATION, CompletionRoutine));
    next->CompletionRoutine = forwarded;
    next->Context = &done;
    next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    if (IofCallDriver(DeviceObject, Irp) == STATUS_PENDING)
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return TRUE;
}
