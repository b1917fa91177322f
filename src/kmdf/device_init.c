/*
 * device_init.c - WDFDEVICE_INIT: what a driver says about a device before it exists.
 */
#include "kmdf_request.h"

#define INIT_TAG RTL_TAG('K', 'm', 'I', 'n')

static struct WDFDEVICE_INIT *find(struct kmdf_client *client, PWDFDEVICE_INIT init)
{
    for (LIST_ENTRY *entry = client->inits.Flink; entry != &client->inits; entry = entry->Flink)
        if (CONTAINING_RECORD(entry, struct WDFDEVICE_INIT, link) == init)
            return init;
    return NULL;
}

struct WDFDEVICE_INIT *kmdf_init_of(PWDF_DRIVER_GLOBALS globals, PWDFDEVICE_INIT init, const char *function)
{
    struct kmdf_client *client = kmdf_client_of(globals, function);
    kmdf_require_parameter(init, "DeviceInit", function);
    plat_lock_acquire(&kmdf_lock);
    struct WDFDEVICE_INIT *found = find(client, init);
    plat_lock_release(&kmdf_lock);
    if (!found)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)init, 0, 0,
                       "%s was given 0x%llx as WDFDEVICE_INIT, which is none (any more)", function,
                       (ULONG64)(ULONG_PTR)init);
    return found;
}

void kmdf_init_free(struct WDFDEVICE_INIT *init)
{
    plat_lock_acquire(&kmdf_lock);
    RemoveEntryList(&init->link);
    plat_lock_release(&kmdf_lock);
    if (init->name.Buffer)
        mm_heap_free(init->name.Buffer, INIT_TAG);
    kmdf_pnp_init_end(&init->pnp);
    mm_heap_free(init, INIT_TAG);
}

struct WDFDEVICE_INIT *kmdf_init_allocate(struct kmdf_client *client, DEVICE_OBJECT *pdo, ULONG_PTR caller)
{
    struct WDFDEVICE_INIT *init = mm_heap_allocate(sizeof(*init), INIT_TAG);
    if (!init)
        return NULL;
    init->client = client;
    init->caller = caller;
    init->control = !pdo;
    init->device_type = FILE_DEVICE_UNKNOWN;
    init->characteristics = FILE_DEVICE_SECURE_OPEN;
    init->io_type = WdfDeviceIoBuffered;
    kmdf_pnp_init_begin(&init->pnp, pdo);
    plat_lock_acquire(&kmdf_lock);
    InsertTailList(&client->inits, &init->link);
    plat_lock_release(&kmdf_lock);
    return init;
}

/* For a control device. SDDLString is not evaluated, but must be there. NULL: memory is short. PASSIVE_LEVEL. */
PWDFDEVICE_INIT NTAPI WdfControlDeviceInitAllocate(PWDF_DRIVER_GLOBALS DriverGlobals, WDFDRIVER Driver,
                                                   const UNICODE_STRING *SDDLString)
{
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    KMDF_GET(driver, Driver);
    kmdf_require(SDDLString);
    return kmdf_init_allocate(client, NULL, seh_export_caller());
}

/* For a WDFDEVICE_INIT that WdfDeviceCreate did not take; not for that of EvtDriverDeviceAdd. */
VOID NTAPI WdfDeviceInitFree(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit)
{
    kmdf_init_free(kmdf_init_of(DriverGlobals, DeviceInit, __func__));
}

/* DeviceName is copied; NULL takes the name away. */
NTSTATUS NTAPI WdfDeviceInitAssignName(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                       PCUNICODE_STRING DeviceName)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    UNICODE_STRING name = {0};
    if (DeviceName && DeviceName->Length) {
        name.Buffer = mm_heap_allocate(DeviceName->Length, INIT_TAG);
        if (!name.Buffer)
            return STATUS_INSUFFICIENT_RESOURCES;
        __builtin_memcpy(name.Buffer, DeviceName->Buffer, DeviceName->Length);
        name.Length = name.MaximumLength = DeviceName->Length;
    }
    if (init->name.Buffer)
        mm_heap_free(init->name.Buffer, INIT_TAG);
    init->name = name;
    return STATUS_SUCCESS;
}

/* The descriptor is not evaluated; the device must have a name, or WdfDeviceCreate fails. NULL takes it back. */
NTSTATUS NTAPI WdfDeviceInitAssignSDDLString(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                             PCUNICODE_STRING SDDLString)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->security_given = SDDLString != NULL;
    return STATUS_SUCCESS;
}

VOID NTAPI WdfDeviceInitSetDeviceClass(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                       const GUID *DeviceClassGuid)
{
    kmdf_require(DeviceClassGuid);
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->security_given = true;
}

/* How read and write requests carry their buffers; device controls say it themselves. */
VOID NTAPI WdfDeviceInitSetIoType(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                  WDF_DEVICE_IO_TYPE IoType)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->io_type = IoType;
}

/* A structure of another size is ignored. What it says about device controls and thresholds has no effect here. */
VOID NTAPI WdfDeviceInitSetIoTypeEx(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                    PWDF_IO_TYPE_CONFIG IoTypeConfig)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(IoTypeConfig);
    if (IoTypeConfig->Size == sizeof(*IoTypeConfig))
        init->io_type = IoTypeConfig->ReadWriteIoType;
}

VOID NTAPI WdfDeviceInitSetExclusive(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit, BOOLEAN IsExclusive)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->exclusive = IsExclusive;
}

VOID NTAPI WdfDeviceInitSetDeviceType(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                      DEVICE_TYPE DeviceType)
{
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->device_type = DeviceType;
}

VOID NTAPI WdfDeviceInitSetCharacteristics(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                           ULONG DeviceCharacteristics, BOOLEAN OrInValues)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    init->characteristics = DeviceCharacteristics | (OrInValues ? init->characteristics : 0);
}

/* The callbacks of opens, and the attributes of their objects. Attributes that cannot be used are WDF_VIOLATION here
 * rather than at each open. */
VOID NTAPI WdfDeviceInitSetFileObjectConfig(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                            PWDF_FILEOBJECT_CONFIG FileObjectConfig,
                                            PWDF_OBJECT_ATTRIBUTES FileObjectAttributes)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(FileObjectConfig);
    NTSTATUS status = FileObjectConfig->Size == sizeof(*FileObjectConfig)
                          ? kmdf_attributes_check(FileObjectAttributes, &kmdf_file_type, __func__)
                          : STATUS_INFO_LENGTH_MISMATCH;
    if (!NT_SUCCESS(status))
        kmdf_violation(KMDF_OBJECT_ERROR, 0, (ULONG_PTR)(LONG_PTR)status, 0, "%s: bad configuration, 0x%08X", __func__,
                       (ULONG)status);
    init->file_config = *FileObjectConfig;
    init->has_file_config = true;
    init->has_file_attributes = FileObjectAttributes != NULL;
    if (FileObjectAttributes)
        init->file_attributes = *FileObjectAttributes;
}

/* Every request of the device is created with these attributes; bad ones are WDF_VIOLATION. */
VOID NTAPI WdfDeviceInitSetRequestAttributes(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                             PWDF_OBJECT_ATTRIBUTES RequestAttributes)
{
    struct WDFDEVICE_INIT *init = kmdf_init_of(DriverGlobals, DeviceInit, __func__);
    kmdf_require(RequestAttributes);
    NTSTATUS status = kmdf_attributes_check(RequestAttributes, &kmdf_request_type, __func__);
    if (NT_SUCCESS(status) && RequestAttributes->ParentObject) /* only a request that the driver makes has one */
        status = STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
    if (!NT_SUCCESS(status))
        kmdf_violation(KMDF_OBJECT_ERROR, 0, (ULONG_PTR)(LONG_PTR)status, 0, "%s: bad attributes, 0x%08X", __func__,
                       (ULONG)status);
    init->request_attributes = *RequestAttributes;
    init->has_request_attributes = true;
}

/* EvtIoInCallerContext sees every read, write and device control before a queue does, in the sender's thread. */
VOID NTAPI WdfDeviceInitSetIoInCallerContextCallback(PWDF_DRIVER_GLOBALS DriverGlobals, PWDFDEVICE_INIT DeviceInit,
                                                     PFN_WDF_IO_IN_CALLER_CONTEXT EvtIoInCallerContext)
{
    kmdf_require(EvtIoInCallerContext);
    kmdf_init_of(DriverGlobals, DeviceInit, __func__)->in_caller_context = EvtIoInCallerContext;
}
