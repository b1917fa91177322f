/*
 * paging.c - paging requests: pages of a view read from and written to the file system that owns the file.
 */
#include "cc.h"
#include "io_internal.h"
#include "wdk/io_more.h"
#include "wdk/seh.h"

static NTSTATUS send(DEVICE_OBJECT *device, struct io_irp *packet, struct io_request *request, ULONG_PTR *moved)
{
    IO_STATUS_BLOCK result = {0};
    volatile NTSTATUS status = STATUS_UNSUCCESSFUL;
    __try {
        status = io_request_send(device, packet, KernelMode, &request, &result);
        io_request_release(request);
    } __except (EXCEPTION_EXECUTE_HANDLER) { /* the request went with the exception */
        status = GetExceptionCode();
    }
    *moved = result.Information;
    return status;
}

/* NT's rules for paging requests: an MDL, kernel mode, whole pages, past the end of the file as well. */
NTSTATUS cc_page(struct cc_map *map, struct cc_view *view, ULONG page, ULONG count, UCHAR major)
{
    DEVICE_OBJECT *device = IoGetRelatedDeviceObject(map->file);
    UCHAR *data = view->data + (SIZE_T)page * PAGE_SIZE;
    ULONG length = count * PAGE_SIZE;
    bool writes = major == IRP_MJ_WRITE;
    struct io_irp *packet;
    struct io_request *request;
    NTSTATUS status = io_request_create(device, map->file, major, KernelMode, &packet, &request);
    if (!NT_SUCCESS(status))
        return status;
    IRP *irp = &packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    request->direct = true;
    irp->UserBuffer = data;
    irp->Flags |= IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO;
    stack->Parameters.Read.Length = length; /* Write has the same layout */
    stack->Parameters.Read.ByteOffset.QuadPart = view->offset + (LONGLONG)page * PAGE_SIZE;
    status = io_mdl_lock(irp, (ULONG_PTR)data, length, writes ? IoReadAccess : IoWriteAccess, 0);
    if (!NT_SUCCESS(status)) {
        IoFreeIrp(irp);
        io_request_release(request);
        io_request_release(request);
        return status;
    }
    ULONG_PTR moved = 0;
    status = send(device, packet, request, &moved);
    if (!writes && status == STATUS_END_OF_FILE)
        return STATUS_SUCCESS;
    return status;
}
