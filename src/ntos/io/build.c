/*
 * build.c - requests that drivers build for other drivers: reads and writes, associated ones; and what file systems ask
 * of a request. IoBuildDeviceIoControlRequest is irp.c's.
 *
 * Buffers are kernel memory. A buffered device gets a system buffer, a direct one an MDL with the buffer locked,
 * another one the address.
 */
#include "io_internal.h"
#include "seh.h"
#include "wdk/io_more.h"

static KSPIN_LOCK vpb_lock;

/* A synchronous request is the I/O manager's to clean up, an asynchronous one its builder's. */
static NTSTATUS attach_buffer(struct io_irp *packet, DEVICE_OBJECT *device, PVOID buffer, ULONG length, bool writes)
{
    IRP *irp = &packet->irp;
    LOCK_OPERATION operation = writes ? IoReadAccess : IoWriteAccess;
    enum mm_pool_owner owner = packet->synchronous ? MM_POOL_KERNEL : MM_POOL_DRIVER;
    irp->UserBuffer = buffer;
    if (!length)
        return STATUS_SUCCESS;
    if (device->Flags & DO_DIRECT_IO) {
        if (packet->synchronous)
            return io_mdl_lock(irp, (ULONG_PTR)buffer, length, operation, packet->caller);
        if (!IoAllocateMdl(buffer, length, FALSE, FALSE, irp))
            return STATUS_INSUFFICIENT_RESOURCES;
        MmProbeAndLockPages(irp->MdlAddress, KernelMode, operation);
        return STATUS_SUCCESS;
    }
    if (!(device->Flags & DO_BUFFERED_IO))
        return STATUS_SUCCESS;
    PVOID copy = mm_pool_allocate(length, IO_BUFFER_TAG, 0, owner, packet->caller);
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    irp->AssociatedIrp.SystemBuffer = copy;
    irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (writes ? 0 : IRP_INPUT_OPERATION);
    if (writes)
        __builtin_memcpy(copy, buffer, length);
    return STATUS_SUCCESS;
}

static PIRP build(ULONG major, DEVICE_OBJECT *device, PVOID buffer, ULONG length, PLARGE_INTEGER offset,
                  PIO_STATUS_BLOCK status_block, PKEVENT event, bool synchronous)
{
    bool moves = major == IRP_MJ_READ || major == IRP_MJ_WRITE, writes = major == IRP_MJ_WRITE;
    struct io_irp *packet = io_irp_allocate(device->StackSize, seh_export_caller());
    if (!packet)
        return NULL;
    IRP *irp = &packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    packet->synchronous = synchronous;
    packet->output_length = major == IRP_MJ_READ ? length : 0;
    stack->MajorFunction = (UCHAR)major;
    irp->UserIosb = status_block;
    irp->UserEvent = event;
    irp->Tail.Overlay.Thread = ke_thread_current();
    irp->Flags |= synchronous ? IRP_SYNCHRONOUS_API : 0;
    if (!moves)
        return irp;
    irp->Flags |= writes ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    stack->Parameters.Read.Length = length; /* Write has the same layout */
    stack->Parameters.Read.ByteOffset.QuadPart = offset ? offset->QuadPart : 0;
    if (NT_SUCCESS(attach_buffer(packet, device, buffer, length, writes)))
        return irp;
    IoFreeIrp(irp);
    return NULL;
}

/*
 * An IRP for IRP_MJ_READ, WRITE, FLUSH_BUFFERS, SHUTDOWN or PNP; *IoStatusBlock and Event are set when it is complete,
 * and it is freed then. Null: memory is short, or the buffer cannot be locked. PASSIVE_LEVEL.
 */
PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                        PLARGE_INTEGER StartingOffset, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    return build(MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock, Event, true);
}

/*
 * The same, but the caller's completion routine keeps it (STATUS_MORE_PROCESSING_REQUIRED) and frees the system buffer
 * or MDL, then the IRP. IRQL <= DISPATCH_LEVEL; APC_LEVEL for a direct device's pageable buffer.
 */
PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                         PLARGE_INTEGER StartingOffset, PIO_STATUS_BLOCK IoStatusBlock)
{
    return build(MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock, NULL, false);
}

/* ---- associated requests ---- */

/*
 * An IRP that is part of Irp, the master: the caller sets the master's IrpCount before it sends the first one; the last
 * to be complete completes the master. Null: memory is short.
 */
PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
    struct io_irp *packet = io_irp_allocate(StackSize, seh_export_caller());
    if (!packet)
        return NULL;
    packet->irp.Flags |= IRP_ASSOCIATED_IRP;
    packet->irp.Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
    packet->irp.AssociatedIrp.MasterIrp = Irp;
    return &packet->irp;
}

bool io_associated_finish(IRP *irp)
{
    if (!(irp->Flags & IRP_ASSOCIATED_IRP))
        return false;
    IRP *master = irp->AssociatedIrp.MasterIrp;
    io_mdls_release(irp);
    IoFreeIrp(irp);
    if (__atomic_sub_fetch(&master->AssociatedIrp.IrpCount, 1, __ATOMIC_ACQ_REL) == 0)
        IofCompleteRequest(master, IO_NO_INCREMENT);
    return true;
}

/* ---- for file systems ---- */

BOOLEAN NTAPI IoIsOperationSynchronous(PIRP Irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    bool paging = Irp->Flags & IRP_PAGING_IO;
    if (paging)
        return (Irp->Flags & IRP_SYNCHRONOUS_PAGING_IO) != 0;
    return (file && (__atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & FO_SYNCHRONOUS_IO)) ||
           (Irp->Flags & IRP_SYNCHRONOUS_API);
}

/* There is nobody to ask, as on Windows when a thread has hard errors disabled: the request ends with its status. */
VOID NTAPI IoRaiseHardError(PIRP Irp, PVOID Vpb, PDEVICE_OBJECT RealDeviceObject)
{
    UNREFERENCED_PARAMETER(Vpb);
    UNREFERENCED_PARAMETER(RealDeviceObject);
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
}

VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&vpb_lock, Irql);
}

VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&vpb_lock, Irql);
}

PDEVICE_OBJECT NTAPI IoGetDeviceToVerify(PETHREAD Thread)
{
    return Thread->DeviceToVerify;
}

VOID NTAPI IoSetDeviceToVerify(PETHREAD Thread, PDEVICE_OBJECT DeviceObject)
{
    Thread->DeviceToVerify = DeviceObject;
}
