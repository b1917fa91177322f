/*
 * driver.c - driver objects: a loaded image's DriverEntry and DriverUnload, and its extensions.
 */
#include "verify_io.h"
#include "cm.h"
#include "seh.h"

const struct ob_type io_driver_type = {
    .name = "Driver", .tag = RTL_TAG('D', 'r', 'i', 'v'), .mapping = {0x120089, 0x120116, 0x1200A0, 0x1F01FF}};

/* An area IoAllocateDriverObjectExtension made. */
struct client_extension {
    struct client_extension *next;
    PVOID id;
    ULONG64 data[];
};

struct io_driver {
    DRIVER_OBJECT object;
    DRIVER_EXTENSION extension;
    struct client_extension *clients;
    WCHAR name[96];      /* "\Driver\X" */
    WCHAR registry[160]; /* "\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services\X" */
    UNICODE_STRING registry_path, hardware;
};

static struct io_driver *driver_of(DRIVER_OBJECT *driver)
{
    return CONTAINING_RECORD(driver, struct io_driver, object);
}

/* prefix + name, as wide text in buffer. */
static UNICODE_STRING make_path(WCHAR *buffer, SIZE_T capacity, const char *prefix, const char *name)
{
    char text[160];
    ULONG bytes;
    SIZE_T length = rtl_print(text, sizeof(text), "%s%s", prefix, name);
    if (length >= sizeof(text))
        length = sizeof(text) - 1;
    RtlMultiByteToUnicodeN(buffer, (ULONG)((capacity - 1) * sizeof(WCHAR)), &bytes, text, (ULONG)length);
    return (UNICODE_STRING){(USHORT)bytes, (USHORT)(capacity * sizeof(WCHAR)), buffer};
}

/* What every entry of MajorFunction is until the driver sets it. */
static NTSTATUS NTAPI invalid_request(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static void driver_fill(struct io_driver *driver, ULONG_PTR entry, PVOID base, SIZE_T size, const char *name)
{
    DRIVER_OBJECT *object = &driver->object;
    object->Type = IO_TYPE_DRIVER;
    object->Size = sizeof(*object);
    object->DriverStart = base;
    object->DriverSize = (ULONG)size;
    object->DriverExtension = &driver->extension;
    object->DriverInit = (PDRIVER_INITIALIZE)entry;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(object->MajorFunction); i++)
        object->MajorFunction[i] = invalid_request;
    object->DriverName = make_path(driver->name, RTL_NUMBER_OF(driver->name), "\\Driver\\", name);
    driver->registry_path = make_path(driver->registry, RTL_NUMBER_OF(driver->registry),
                                      "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\", name);
    RtlInitUnicodeString(&driver->hardware, (PCWSTR)L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM");
    object->HardwareDatabase = &driver->hardware;
    driver->extension.DriverObject = object;
    driver->extension.ServiceKeyName = object->DriverName;
}

/* What the registry path leads to. */
static NTSTATUS service_key_create(DRIVER_OBJECT *driver)
{
    const USHORT prefix = 8 * sizeof(WCHAR); /* "\Driver\" */
    UNICODE_STRING name = driver->DriverName;
    name.Buffer += prefix / sizeof(WCHAR);
    name.Length = (USHORT)(name.Length - prefix);
    return cm_service_create(&name);
}

struct io_balance io_balance_take(void)
{
    PKTHREAD self = ke_thread_current();
    return (struct io_balance){KeGetCurrentIrql(), self->KernelApcDisable, self->SpecialApcDisable};
}

void io_balance_check(const struct io_balance *before, ULONG_PTR routine)
{
    struct io_balance after = io_balance_take();
    struct ke_bugcheck bugcheck = {.culprit = routine};
    if (after.irql != before->irql) {
        bugcheck.code = BUGCHECK_IRQL_UNEXPECTED_VALUE;
        bugcheck.parameters[0] = after.irql;
        bugcheck.parameters[1] = before->irql;
        bugcheck.why = "a driver routine returned at another IRQL than it was called at";
        ke_bugcheck_report(&bugcheck);
    }
    if (after.kernel_apc != before->kernel_apc || after.special_apc != before->special_apc) {
        bugcheck.code = BUGCHECK_APC_INDEX_MISMATCH;
        bugcheck.parameters[0] = routine;
        bugcheck.parameters[2] = (ULONG_PTR)(USHORT)after.special_apc << 16 | (USHORT)after.kernel_apc;
        bugcheck.why =
            "a driver routine returned with critical or guarded regions entered and not left (or the reverse)";
        ke_bugcheck_report(&bugcheck);
    }
}

static void devices_clear_initializing(DRIVER_OBJECT *driver)
{
    for (DEVICE_OBJECT *device = driver->DeviceObject; device; device = device->NextDevice)
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

static void driver_drop(DRIVER_OBJECT *driver)
{
    ob_remove_name(driver);
    struct client_extension *next;
    for (struct client_extension *client = driver_of(driver)->clients; client; client = next) {
        next = client->next;
        mm_pool_free(client, io_driver_type.tag, 0);
    }
    driver_of(driver)->clients = NULL;
    ob_dereference(driver);
}

NTSTATUS io_driver_load(ULONG_PTR entry, PVOID image_base, SIZE_T image_size, const char *name, DRIVER_OBJECT **loaded)
{
    struct io_driver *driver;
    NTSTATUS status = ob_create(&io_driver_type, sizeof(*driver), (void **)&driver);
    if (!NT_SUCCESS(status))
        return status;
    DRIVER_OBJECT *object = &driver->object;
    io_leaks_forget();
    driver_fill(driver, entry, image_base, image_size, name);
    status = service_key_create(object);
    if (NT_SUCCESS(status))
        status = ob_insert(driver, &object->DriverName);
    if (!NT_SUCCESS(status)) {
        driver_drop(object);
        return status;
    }
    struct io_balance before = io_balance_take();
    status = (NTSTATUS)seh_driver_call(entry, (ULONG_PTR)object, (ULONG_PTR)&driver->registry_path, 0, 0);
    io_balance_check(&before, entry);
    if (NT_SUCCESS(status)) {
        devices_clear_initializing(object);
        *loaded = object;
        return status;
    }
    while (object->DeviceObject) {
        io_warn(entry, "DriverEntry failed and left a device behind");
        io_device_delete(object->DeviceObject);
    }
    driver_drop(object);
    return status;
}

NTSTATUS io_driver_unload(DRIVER_OBJECT *driver)
{
    if (!driver->DriverUnload)
        return STATUS_INVALID_DEVICE_REQUEST;
    for (DEVICE_OBJECT *device = driver->DeviceObject; device; device = device->NextDevice)
        if (__atomic_load_n(&device->ReferenceCount, __ATOMIC_ACQUIRE))
            return STATUS_DEVICE_BUSY;
    struct io_balance before = io_balance_take();
    seh_driver_call((ULONG_PTR)driver->DriverUnload, (ULONG_PTR)driver, 0, 0, 0);
    io_balance_check(&before, (ULONG_PTR)driver->DriverUnload);
    if (ke_verify)
        io_verify_unload(driver);
    plat_lock_acquire(&io_lock);
    for (DEVICE_OBJECT *device = driver->DeviceObject; device; device = device->NextDevice)
        io_device_of(device)->orphaned = true;
    plat_lock_release(&io_lock);
    io_leaks_remember();
    driver_drop(driver);
    return STATUS_SUCCESS;
}

DEVICE_OBJECT *io_driver_device(DRIVER_OBJECT *driver, ULONG index)
{
    ULONG count = 0;
    for (DEVICE_OBJECT *device = driver->DeviceObject; device; device = device->NextDevice)
        count++;
    if (index >= count)
        return NULL;
    DEVICE_OBJECT *device = driver->DeviceObject; /* the newest comes first */
    for (ULONG skip = count - 1 - index; skip; skip--)
        device = device->NextDevice;
    return device;
}

/* An area of zeroed memory that goes with the driver, found again by its identification. STATUS_OBJECT_NAME_COLLISION:
 * it exists. */
NTSTATUS NTAPI IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress,
                                               ULONG DriverObjectExtensionSize, PVOID *DriverObjectExtension)
{
    *DriverObjectExtension = NULL;
    if (IoGetDriverObjectExtension(DriverObject, ClientIdentificationAddress))
        return STATUS_OBJECT_NAME_COLLISION;
    struct client_extension *client =
        mm_pool_allocate(sizeof(*client) + (SIZE_T)DriverObjectExtensionSize, io_driver_type.tag, MM_POOL_ZERO,
                         MM_POOL_KERNEL, seh_export_caller());
    if (!client)
        return STATUS_INSUFFICIENT_RESOURCES;
    client->id = ClientIdentificationAddress;
    client->next = driver_of(DriverObject)->clients;
    driver_of(DriverObject)->clients = client;
    *DriverObjectExtension = client->data;
    return STATUS_SUCCESS;
}

PVOID NTAPI IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    struct client_extension *client = driver_of(DriverObject)->clients;
    while (client && client->id != ClientIdentificationAddress)
        client = client->next;
    return client ? client->data : NULL;
}
