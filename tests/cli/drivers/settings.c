/*
 * settings.c - a driver that says what its registry key, and one elsewhere, hold: `uma run --reg` is seen through it.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteDevice(Driver->DeviceObject);
}

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

/* Prints type, length and the bytes of a value. */
static VOID Show(HANDLE Key, PCWSTR Name)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        UCHAR Room[128];
    } value;
    UNICODE_STRING name;
    ULONG needed;

    RtlInitUnicodeString(&name, Name);
    NTSTATUS status = ZwQueryValueKey(Key, &name, KeyValuePartialInformation, &value, sizeof(value), &needed);
    if (!NT_SUCCESS(status)) {
        DbgPrint("%ws: 0x%08x\n", Name, status);
        return;
    }
    DbgPrint("%ws: type %u, %u bytes:", Name, value.Information.Type, value.Information.DataLength);
    for (ULONG i = 0; i < value.Information.DataLength; i++)
        DbgPrint(" %02x", value.Information.Data[i]);
    DbgPrint("\n");
}

static VOID ShowKey(HANDLE Root, PCWSTR Path)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING path;
    HANDLE key;

    RtlInitUnicodeString(&path, Path);
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
    DbgPrint("%ws: 0x%08x\n", Path, status);
    if (!NT_SUCCESS(status))
        return;
    Show(key, L"Number");
    Show(key, L"Big");
    Show(key, L"Text");
    Show(key, L"Path");
    Show(key, L"Peers");
    Show(key, L"Bytes");
    Show(key, L"");
    ZwClose(key);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    HANDLE service;

    Driver->MajorFunction[IRP_MJ_CREATE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    Driver->DriverUnload = Unload;
    InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&service, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;
    Show(service, L"Start");
    ShowKey(service, L"Parameters");
    ShowKey(NULL, L"\\Registry\\Machine\\Software\\Acme\\Deep\\Er");
    ZwClose(service);
    RtlInitUnicodeString(&name, L"\\Device\\Settings");
    return IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
