/*
 * irp.c - I/O request packets: allocation, passing down, completion, cancellation. Sending user requests is
 * request.c's.
 *
 * Every IRP from IoAllocateIrp is known (irps.c) until it is freed, and lies in special pool: a driver that touches one
 * it has completed faults there, and a second completion is bug check 0x44 whether the packet is still there or not.
 */
#include "verify_io.h"
#include "seh.h"

static KSPIN_LOCK cancel_lock;

static IO_STACK_LOCATION *location(IRP *irp, LONG number)
{
    return (IO_STACK_LOCATION *)(irp + 1) + number - 1;
}

/* Irp of PacketSize bytes, for memory that IoAllocateIrp did not make. */
VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    if (ke_verify && seh_export_is(IoInitializeIrp))
        io_verify_initialize(Irp);
    __builtin_memset(Irp, 0, PacketSize);
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CHAR)(StackSize + 1);
    InitializeListHead(&Irp->ThreadListEntry);
    Irp->Tail.Overlay.CurrentStackLocation = location(Irp, StackSize + 1);
}

struct io_irp *io_irp_allocate(CCHAR stack_size, ULONG_PTR caller)
{
    if (stack_size < 1)
        return NULL;
    SIZE_T bytes = sizeof(IRP) + (SIZE_T)stack_size * sizeof(IO_STACK_LOCATION);
    struct io_irp *packet =
        mm_pool_allocate(offsetof(struct io_irp, irp) + bytes, IO_IRP_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, caller);
    if (!packet)
        return NULL;
    packet->caller = caller;
    IoInitializeIrp(&packet->irp, (USHORT)bytes, stack_size);
    io_irps_add(packet);
    return packet;
}

/* An IRP with StackSize stack locations; null if memory is short. Free it with IoFreeIrp. IRQL <= DISPATCH_LEVEL. */
PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(ChargeQuota);
    struct io_irp *packet = io_irp_allocate(StackSize, seh_export_caller());
    return packet ? &packet->irp : NULL;
}

static DECLSPEC_NORETURN void multiple_completion(PIRP irp, const char *why)
{
    ke_bugcheck_because(BUGCHECK_MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR[4]){(ULONG_PTR)irp, 0, 0, 0}, why);
}

VOID NTAPI IoFreeIrp(PIRP Irp)
{
    if (ke_verify && seh_export_is(IoFreeIrp))
        io_verify_free(Irp);
    struct io_irp *packet = io_irp_remove(Irp);
    if (!packet)
        multiple_completion(Irp, "IoFreeIrp was given a request that does not exist (any more)");
    Irp->Type = 0;
    packet->freed_by = seh_export_caller();
    io_irp_drop(packet);
}

/* Makes an IRP of IoAllocateIrp as good as new, with this status. */
VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    UCHAR flags = Irp->AllocationFlags;
    IoInitializeIrp(Irp, Irp->Size, (CCHAR)Irp->StackCount);
    Irp->AllocationFlags = flags;
    Irp->IoStatus.Status = Iostatus;
}

/*
 * Passes Irp to the driver of DeviceObject, at the next stack location. Returns what its dispatch routine returns. Bug
 * check 0x35: no stack location is left.
 */
NTSTATUS NTAPI IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (ke_verify)
        io_verify_call(DeviceObject, Irp);
    if (Irp->CurrentLocation <= 1)
        ke_bugcheck_because(BUGCHECK_NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR[4]){(ULONG_PTR)Irp, 0, 0, 0},
                            "IoCallDriver was called on a request without a stack location left");
    Irp->CurrentLocation--;
    IO_STACK_LOCATION *stack = --Irp->Tail.Overlay.CurrentStackLocation;
    stack->DeviceObject = DeviceObject;
    UCHAR major = stack->MajorFunction % (IRP_MJ_MAXIMUM_FUNCTION + 1);
    ULONG_PTR routine = (ULONG_PTR)DeviceObject->DriverObject->MajorFunction[major];
    struct io_balance before = io_balance_take();
    NTSTATUS status = (NTSTATUS)seh_driver_call(routine, (ULONG_PTR)DeviceObject, (ULONG_PTR)Irp, 0, 0);
    if (ke_verify)
        io_verify_called(DeviceObject, routine, &before, status);
    return status;
}

/* ---- completion ---- */

static bool wants_call(const IO_STACK_LOCATION *stack, const IRP *irp)
{
    UCHAR flag = __atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) ? SL_INVOKE_ON_CANCEL : 0;
    flag |= NT_SUCCESS(irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR;
    return stack->CompletionRoutine && (stack->Control & flag);
}

/* Runs the completion routines from the current location up. False: one of them keeps the IRP. */
static bool run_completion_routines(IRP *irp)
{
    while (irp->CurrentLocation <= irp->StackCount) {
        IO_STACK_LOCATION *stack = irp->Tail.Overlay.CurrentStackLocation;
        bool call = wants_call(stack, irp);
        irp->PendingReturned = (stack->Control & SL_PENDING_RETURNED) != 0;
        irp->CurrentLocation++;
        irp->Tail.Overlay.CurrentStackLocation++;
        bool top = irp->CurrentLocation > irp->StackCount;
        DEVICE_OBJECT *device = top ? NULL : irp->Tail.Overlay.CurrentStackLocation->DeviceObject;
        if (call) {
            struct io_balance before = io_balance_take();
            ULONG_PTR routine = (ULONG_PTR)stack->CompletionRoutine;
            NTSTATUS status =
                (NTSTATUS)seh_driver_call(routine, (ULONG_PTR)device, (ULONG_PTR)irp, (ULONG_PTR)stack->Context, 0);
            if (ke_verify)
                io_verify_completion_routine(irp, routine, &before, status == STATUS_MORE_PROCESSING_REQUIRED);
            if (status == STATUS_MORE_PROCESSING_REQUIRED)
                return false;
        } else if (irp->PendingReturned && !top) {
            IoMarkIrpPending(irp);
        }
    }
    return true;
}

/* The first stage for a thread's request, in any thread: what the second needs is noted, the packet goes. */
static void finish_request(struct io_irp *packet)
{
    struct io_request *request = packet->request;
    request->status = packet->irp.IoStatus;
    request->pending_marked = packet->irp.PendingReturned;
    io_mdls_release(&packet->irp);
    IoFreeIrp(&packet->irp);
    io_request_completed_now(request);
}

/* The same for IoBuildDeviceIoControlRequest: kernel buffers, the driver's event and status block. */
static void finish_synchronous(struct io_irp *packet)
{
    IRP *irp = &packet->irp;
    bool direct = irp->MdlAddress != NULL;
    io_mdls_release(irp);
    if (irp->AssociatedIrp.SystemBuffer) {
        ULONG_PTR length =
            irp->IoStatus.Information < packet->output_length ? irp->IoStatus.Information : packet->output_length;
        if (!direct && !NT_ERROR(irp->IoStatus.Status) && irp->UserBuffer)
            __builtin_memcpy(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer, length);
        mm_pool_free(irp->AssociatedIrp.SystemBuffer, IO_BUFFER_TAG, 0);
    }
    PKEVENT event = irp->UserEvent;
    if (irp->UserIosb)
        *irp->UserIosb = irp->IoStatus;
    IoFreeIrp(irp);
    if (event)
        KeSetEvent(event, 0, FALSE);
}

static void check_completion(IRP *irp, bool ours)
{
    if (!ours && (!plat_is_readable((ULONG_PTR)irp, sizeof(*irp)) || irp->Type != IO_TYPE_IRP))
        multiple_completion(
            irp, "a request was completed that does not exist (any more): most likely it was completed before");
    if (irp->CurrentLocation > irp->StackCount + 1)
        multiple_completion(irp, "a request was completed twice");
    PDRIVER_CANCEL cancel = __atomic_load_n(&irp->CancelRoutine, __ATOMIC_ACQUIRE);
    if (cancel)
        ke_bugcheck_because(BUGCHECK_CANCEL_STATE_IN_COMPLETED_IRP,
                            (ULONG_PTR[4]){(ULONG_PTR)irp, (ULONG_PTR)cancel, 0, 0},
                            "a request was completed with its cancel routine still set");
    if (irp->IoStatus.Status == STATUS_PENDING)
        multiple_completion(irp, "a request was completed with STATUS_PENDING");
}

/*
 * Completes Irp: completion routines from the caller's stack location up, then the sender is told. The caller must not
 * touch the request afterwards. IRQL <= DISPATCH_LEVEL.
 */
VOID NTAPI IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(PriorityBoost);
    struct io_irp *packet = io_irp_find(Irp);
    if (ke_verify)
        io_verify_completion(Irp);
    check_completion(Irp, packet != NULL);
    if (!run_completion_routines(Irp))
        return;
    if (Irp->CurrentLocation == Irp->StackCount + 1) /* so that a second completion is seen as one */
        Irp->CurrentLocation++;
    if (packet && packet->request)
        finish_request(packet);
    else if (packet && packet->synchronous)
        finish_synchronous(packet);
    else if (packet && io_associated_finish(Irp))
        return;
    else
        io_warn(seh_export_caller(), "a driver's own request reached its end: its completion routine must return "
                                     "STATUS_MORE_PROCESSING_REQUIRED");
}

VOID NTAPI IoCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    IofCompleteRequest(Irp, PriorityBoost);
}

/* ---- cancellation ---- */

VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&cancel_lock, Irql);
}

VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&cancel_lock, Irql);
}

/* Marks Irp cancelled and calls its cancel routine, which releases the cancel spin lock. TRUE: there was one. */
BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    __atomic_store_n(&Irp->Cancel, TRUE, __ATOMIC_SEQ_CST);
    PDRIVER_CANCEL routine = __atomic_exchange_n(&Irp->CancelRoutine, (PDRIVER_CANCEL)NULL, __ATOMIC_ACQ_REL);
    if (!routine) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    Irp->CancelIrql = irql;
    /* One that its maker has not sent has no location yet. */
    bool sent = Irp->CurrentLocation <= Irp->StackCount;
    DEVICE_OBJECT *device = sent ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject : NULL;
    seh_driver_call((ULONG_PTR)routine, (ULONG_PTR)device, (ULONG_PTR)Irp, 0, 0);
    return TRUE;
}

/* ---- drivers that call drivers ---- */

/* What a device control by method needs besides its parameters: the input copied, the output locked. Kernel buffers. */
static NTSTATUS control_buffers(struct io_irp *packet, ULONG method, PVOID in, ULONG in_length, ULONG out_length)
{
    IRP *irp = &packet->irp;
    bool direct = method == METHOD_IN_DIRECT || method == METHOD_OUT_DIRECT;
    ULONG bytes = direct || in_length > out_length ? in_length : out_length;
    if (bytes) {
        irp->AssociatedIrp.SystemBuffer = mm_pool_allocate(bytes, IO_BUFFER_TAG, 0, MM_POOL_KERNEL, packet->caller);
        if (!irp->AssociatedIrp.SystemBuffer)
            return STATUS_INSUFFICIENT_RESOURCES;
        if (in_length)
            __builtin_memcpy(irp->AssociatedIrp.SystemBuffer, in, in_length);
    }
    if (!direct || !out_length)
        return STATUS_SUCCESS;
    return io_mdl_lock(irp, (ULONG_PTR)irp->UserBuffer, out_length,
                       method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess, packet->caller);
}

/*
 * An IRP that carries a device control to DeviceObject; *IoStatusBlock and Event are set when it is complete, and it is
 * freed then. Kernel buffers. Null: memory is short, or the output buffer of a direct method cannot be locked.
 */
PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
                                         ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
                                         BOOLEAN InternalDeviceIoControl, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    ULONG method = METHOD_FROM_CTL_CODE(IoControlCode);
    struct io_irp *packet = io_irp_allocate(DeviceObject->StackSize, seh_export_caller());
    if (!packet)
        return NULL;
    IRP *irp = &packet->irp;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    packet->synchronous = true;
    packet->output_length = OutputBufferLength;
    stack->MajorFunction = InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    stack->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    stack->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    irp->UserBuffer = OutputBuffer;
    irp->UserEvent = Event;
    irp->UserIosb = IoStatusBlock;
    irp->Tail.Overlay.Thread = ke_thread_current();
    if (method == METHOD_NEITHER) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = InputBuffer;
        return irp;
    }
    if (NT_SUCCESS(control_buffers(packet, method, InputBuffer, InputBufferLength, OutputBufferLength)))
        return irp;
    if (irp->AssociatedIrp.SystemBuffer)
        mm_pool_free(irp->AssociatedIrp.SystemBuffer, IO_BUFFER_TAG, 0);
    IoFreeIrp(irp);
    return NULL;
}

PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp)
{
    return Irp->Tail.Overlay.Thread ? Irp->Tail.Overlay.Thread->Process : NULL;
}

KPROCESSOR_MODE NTAPI IoGetRequestorMode(PIRP Irp)
{
    return Irp->RequestorMode;
}

/* There are no 32-bit processes here. */
BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    return FALSE;
}

PVOID NTAPI IoGetTopLevelIrp(VOID)
{
    return ke_thread_current()->TopLevelIrp;
}

VOID NTAPI IoSetTopLevelIrp(PIRP Irp)
{
    ke_thread_current()->TopLevelIrp = Irp;
}
