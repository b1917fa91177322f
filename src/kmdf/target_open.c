/*
 * target_open.c - remote I/O targets: opened by a device's name or with a device object, closed, opened again.
 */
#include "kmdf_target.h"

#define NAME_TAG RTL_TAG('K', 'm', 'T', 'n')

static struct kmdf_target *remote(WDFIOTARGET handle, const char *function)
{
    struct kmdf_target *target = (struct kmdf_target *)kmdf_object_of(handle, &kmdf_target_type, function);
    if (target->kind != KMDF_TARGET_REMOTE)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)handle, 0, 0,
                       "%s was called for the I/O target 0x%llx, which WdfIoTargetCreate did not make", function,
                       (ULONG64)(ULONG_PTR)handle);
    return target;
}

/* ---- opening ---- */

/* Keeps how the target is opened, for a reopen, which has no extended attributes and no allocation size. */
static NTSTATUS remember(struct kmdf_target *target, const WDF_IO_TARGET_OPEN_PARAMS *params)
{
    UNICODE_STRING name = params->TargetDeviceName;
    bool by_name = params->Type == WdfIoTargetOpenByName;
    if (by_name) {
        name.Buffer = mm_heap_allocate(name.Length, NAME_TAG);
        if (!name.Buffer)
            return STATUS_INSUFFICIENT_RESOURCES;
        __builtin_memcpy(name.Buffer, params->TargetDeviceName.Buffer, name.Length);
        name.MaximumLength = name.Length;
    }
    if (target->opened.TargetDeviceName.Buffer)
        mm_heap_free(target->opened.TargetDeviceName.Buffer, NAME_TAG);
    target->opened = *params;
    target->opened.TargetDeviceName = by_name ? name : (UNICODE_STRING){0};
    target->opened.AllocationSize = NULL; /* these two are the driver's, and need not be there any more */
    target->opened.EaBuffer = NULL;
    target->opened.EaBufferLength = 0;
    return STATUS_SUCCESS;
}

/* As the documentation has it: a name that is not there is STATUS_NOT_FOUND. */
static NTSTATUS open_status(NTSTATUS status)
{
    return status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_OBJECT_PATH_NOT_FOUND ? STATUS_NOT_FOUND : status;
}

/* The target is open; if that fails, the handle goes. */
static NTSTATUS adopt(struct kmdf_target *target, FILE_OBJECT *file, HANDLE handle)
{
    DEVICE_OBJECT *pdo, *wdm = IoGetRelatedDeviceObject(file);
    NTSTATUS status = kmdf_target_find_pdo(wdm, &pdo);
    if (!NT_SUCCESS(status)) {
        ob_handle_close(handle, KernelMode);
        return status;
    }
    kmdf_target_opened(target, wdm, pdo, file, handle);
    status = kmdf_target_watch(target);
    if (!NT_SUCCESS(status))
        kmdf_target_close(target, WdfIoTargetClosed);
    return status;
}

static NTSTATUS open_by_name(struct kmdf_target *target, const WDF_IO_TARGET_OPEN_PARAMS *params, ULONG *information)
{
    FILE_OBJECT *file;
    HANDLE handle;
    ULONG_PTR did = 0;
    struct io_create create = {.attributes = OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               .file_attributes = params->FileAttributes,
                               .share = params->ShareAccess,
                               .disposition = params->CreateDisposition,
                               .options = params->CreateOptions,
                               .allocation = params->AllocationSize ? *params->AllocationSize : 0,
                               .ea = params->EaBuffer,
                               .ea_length = params->EaBufferLength};
    NTSTATUS status = ob_access_map(&io_file_type, params->DesiredAccess, KernelMode, &create.access);
    if (NT_SUCCESS(status))
        status = io_file_open(&params->TargetDeviceName, KernelMode, &create, &file, &did);
    if (!NT_SUCCESS(status))
        return open_status(status);
    status = ob_handle_create(file, create.access, OBJ_KERNEL_HANDLE, KernelMode, &handle);
    if (NT_SUCCESS(status))
        status = adopt(target, file, handle);
    ob_dereference(file);
    *information = (ULONG)did;
    return status;
}

static NTSTATUS open_device(struct kmdf_target *target, const WDF_IO_TARGET_OPEN_PARAMS *params)
{
    if (!params->TargetDeviceObject)
        return STATUS_INVALID_PARAMETER;
    if (params->TargetFileObject && !params->TargetFileObject->DeviceObject)
        return STATUS_NO_SUCH_DEVICE;
    DEVICE_OBJECT *pdo;
    NTSTATUS status = remember(target, params);
    if (NT_SUCCESS(status))
        status = kmdf_target_find_pdo(params->TargetDeviceObject, &pdo);
    if (NT_SUCCESS(status))
        kmdf_target_opened(target, params->TargetDeviceObject, pdo, params->TargetFileObject, NULL);
    return status;
}

NTSTATUS kmdf_target_reopen(struct kmdf_target *target)
{
    ULONG information;
    if (target->opened.Type != WdfIoTargetOpenByName)
        return STATUS_INVALID_PARAMETER;
    return open_by_name(target, &target->opened, &information);
}

static NTSTATUS open_as(struct kmdf_target *target, WDF_IO_TARGET_OPEN_PARAMS *params)
{
    ULONG information = 0;
    NTSTATUS status;
    switch (params->Type) {
    case WdfIoTargetOpenUseExistingDevice:
        return open_device(target, params);
    case WdfIoTargetOpenByName:
        if (!params->TargetDeviceName.Buffer || !params->TargetDeviceName.Length)
            return STATUS_INVALID_PARAMETER;
        status = remember(target, params);
        if (NT_SUCCESS(status))
            status = open_by_name(target, params, &information);
        params->FileInformation = information;
        return status;
    case WdfIoTargetOpenReopen:
        return kmdf_target_reopen(target);
    default: /* WdfIoTargetOpenLocalTargetByFile is for drivers of user mode */
        return STATUS_INVALID_PARAMETER;
    }
}

/* ---- for drivers ---- */

/*
 * Opens a remote target, which is then started: by name (the driver of that device gets IRP_MJ_CREATE), with a device
 * object, whose driver learns nothing, or again as by name before. STATUS_INVALID_DEVICE_STATE: it is open;
 * STATUS_INFO_LENGTH_MISMATCH: OpenParams->Size; STATUS_NOT_FOUND: nothing has that name; STATUS_NO_SUCH_DEVICE: the
 * file object has no device; STATUS_INVALID_PARAMETER: no device object, no name, or a reopen of what was not opened by
 * name; what the other driver's create says. One that was opened by name is told when its device is to be removed:
 * without EvtIoTargetQueryRemove, EvtIoTargetRemoveCanceled, EvtIoTargetRemoveComplete it is closed, opened again,
 * closed for good. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfIoTargetOpen(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget,
                               PWDF_IO_TARGET_OPEN_PARAMS OpenParams)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_target *target = remote(IoTarget, __func__);
    kmdf_require(OpenParams);
    if (OpenParams->Size != sizeof(*OpenParams))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (kmdf_target_is_open(target) || target->state == WdfIoTargetDeleted)
        return STATUS_INVALID_DEVICE_STATE;
    return open_as(target, OpenParams);
}

/* Closes a remote target, which can be opened again: what waits in it and what it has sent is cancelled, and waited
 * for. PASSIVE_LEVEL. */
VOID NTAPI WdfIoTargetClose(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_target_close(remote(IoTarget, __func__), WdfIoTargetClosed);
}

/* The same for a device that is perhaps to be removed: WdfIoTargetOpen with WdfIoTargetOpenReopen undoes it.
 * PASSIVE_LEVEL. */
VOID NTAPI WdfIoTargetCloseForQueryRemove(PWDF_DRIVER_GLOBALS DriverGlobals, WDFIOTARGET IoTarget)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    kmdf_target_close(remote(IoTarget, __func__), WdfIoTargetClosedForQueryRemove);
}
