/*
 * async.c - asynchronous files: what comes back at once and what later, in whose context, and what cancelling and a
 * thread's end do to what is still on its way.
 */
#include "svc_test.h"
#include "arch.h"
#include "seh.h"
#include "usermode_accessors.h"
#include "wdk/csq.h"

static DRIVER_OBJECT *driver;
static DEVICE_OBJECT *device, *filter;
static HANDLE async_file, sync_file, alert_file, event;
static ULONG_PTR page; /* user memory: status block, data at +64, offset at +128 */
static ULONG cleanups, closes;
/* ---- the driver: requests pend in a cancel-safe queue until the test completes them ---- */

static struct {
    IO_CSQ csq;
    KSPIN_LOCK lock;
    LIST_ENTRY irps;
} queue;

static VOID NTAPI insert(PIO_CSQ csq, PIRP irp)
{
    UNREFERENCED_PARAMETER(csq);
    InsertTailList(&queue.irps, &irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI take_out(PIO_CSQ csq, PIRP irp)
{
    UNREFERENCED_PARAMETER(csq);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI peek(PIO_CSQ csq, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(csq);
    UNREFERENCED_PARAMETER(context);
    PLIST_ENTRY next = irp ? irp->Tail.Overlay.ListEntry.Flink : queue.irps.Flink;
    return next == &queue.irps ? NULL : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI acquire(PIO_CSQ csq, PKIRQL irql)
{
    UNREFERENCED_PARAMETER(csq);
    KeAcquireSpinLock(&queue.lock, irql);
}

static VOID NTAPI release(PIO_CSQ csq, KIRQL irql)
{
    UNREFERENCED_PARAMETER(csq);
    KeReleaseSpinLock(&queue.lock, irql);
}

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static VOID NTAPI complete_cancelled(PIO_CSQ csq, PIRP irp)
{
    UNREFERENCED_PARAMETER(csq);
    complete(irp, STATUS_CANCELLED, 0);
}

static enum { PENDS, AT_ONCE, FAILS_AT_ONCE, PENDS_AND_IS_DONE, RAISES, RAISES_MARKED, LINGERS } behaviour;
static LONGLONG seen_offset;
static IRP *kept;

static NTSTATUS NTAPI on_transfer(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    seen_offset = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.ByteOffset.QuadPart;
    if (irp->AssociatedIrp.SystemBuffer)
        memcpy(irp->AssociatedIrp.SystemBuffer, "data", 4);
    switch (behaviour) {
    case AT_ONCE:
        return complete(irp, STATUS_SUCCESS, 4);
    case FAILS_AT_ONCE:
        return complete(irp, STATUS_UNSUCCESSFUL, 0);
    case PENDS_AND_IS_DONE:
        IoMarkIrpPending(irp);
        complete(irp, STATUS_SUCCESS, 4);
        return STATUS_PENDING;
    case RAISES_MARKED:
        IoMarkIrpPending(irp);
        kept = irp;
        seh_raise_status(STATUS_INVALID_LEVEL);
    case RAISES:
        seh_raise_status(STATUS_INVALID_LEVEL);
    default:
        IoCsqInsertIrp(&queue.csq, irp, NULL);
        return STATUS_PENDING;
    }
}

static NTSTATUS NTAPI on_any(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
    __atomic_add_fetch(&cleanups, major == IRP_MJ_CLEANUP, __ATOMIC_RELAXED);
    __atomic_add_fetch(&closes, major == IRP_MJ_CLOSE, __ATOMIC_RELAXED);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    if (behaviour == LINGERS && (major == IRP_MJ_QUERY_INFORMATION || major == IRP_MJ_DIRECTORY_CONTROL)) {
        kept = irp;
        IoMarkIrpPending(irp);
        return STATUS_PENDING;
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

/* A filter above it passes everything down, with a completion routine that keeps the pending mark. */
static NTSTATUS NTAPI pass_up(DEVICE_OBJECT *object, IRP *irp, PVOID context)
{
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(context);
    if (irp->PendingReturned)
        IoMarkIrpPending(irp);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI dispatch(DEVICE_OBJECT *object, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp), *next = stack - 1;
    if (object != filter) {
        bool transfers = stack->MajorFunction == IRP_MJ_READ || stack->MajorFunction == IRP_MJ_WRITE ||
                         stack->MajorFunction == IRP_MJ_DEVICE_CONTROL;
        return transfers ? on_transfer(object, irp) : on_any(object, irp);
    }
    *next = *stack;
    next->CompletionRoutine = pass_up;
    next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    return IofCallDriver(device, irp);
}

static VOID NTAPI on_unload(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
    IoDetachDevice(device);
    IoDeleteDevice(filter);
    IoDeleteDevice(device);
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING path)
{
    UNICODE_STRING name;
    UNREFERENCED_PARAMETER(path);
    RtlInitUnicodeString(&name, WIDE("\\Device\\Async"));
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        object->MajorFunction[i] = dispatch;
    object->DriverUnload = on_unload;
    InitializeListHead(&queue.irps);
    IoCsqInitialize(&queue.csq, insert, take_out, peek, acquire, release, complete_cancelled);
    assert_int_equal(IoCreateDevice(object, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device), STATUS_SUCCESS);
    assert_int_equal(IoCreateDevice(object, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &filter), STATUS_SUCCESS);
    device->Flags |= DO_BUFFERED_IO;
    filter->Flags |= DO_BUFFERED_IO;
    filter->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    assert_ptr_equal(IoAttachDeviceToDeviceStack(filter, device), device);
    return STATUS_SUCCESS;
}

static bool nothing_waits(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&queue.lock, &irql);
    bool none = IsListEmpty(&queue.irps);
    KeReleaseSpinLock(&queue.lock, irql);
    return none;
}

/* Between threads of a test: the one that is told to end, and the one that tells it. */
static bool over(const void *stop)
{
    return __atomic_load_n((const bool *)stop, __ATOMIC_ACQUIRE);
}

static void end(bool *stop)
{
    __atomic_store_n(stop, true, __ATOMIC_RELEASE);
}

/* Completes the oldest request that pends, from this thread. False: there is none. */
static bool complete_one(void)
{
    IRP *irp = IoCsqRemoveNextIrp(&queue.csq, NULL);
    if (irp)
        complete(irp, STATUS_SUCCESS, 4);
    return irp != NULL;
}

static void complete_elsewhere(void *context)
{
    *(bool *)context = complete_one();
}

static void complete_at_dispatch(void *context)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    complete_elsewhere(context);
    KfLowerIrql(irql);
}

static void in_another_thread(void (*routine)(void *context), void *context)
{
    PKTHREAD thread;
    uint64_t host;
    assert_int_equal(ke_thread_start(&ke_user.body, routine, context, 0, &thread, &host), STATUS_SUCCESS);
    plat_thread_join(host);
    ke_thread_release(thread);
}

/* ---- user mode ---- */

/* Duplicates whatever handle stands there, and closes the copies, until it is told to stop. */
struct duplicator {
    PEPROCESS process;
    HANDLE handle;
    bool stop;
};

static void duplicate_all_the_time(void *context)
{
    struct duplicator *work = context;
    while (!over(&work->stop)) {
        HANDLE copy, handle = __atomic_load_n(&work->handle, __ATOMIC_ACQUIRE);
        if (handle && NT_SUCCESS(ob_handle_duplicate(work->process, handle, work->process, 0, 0, DUPLICATE_SAME_ACCESS,
                                                     KernelMode, &copy)))
            ob_handle_duplicate(work->process, copy, NULL, 0, 0, DUPLICATE_CLOSE_SOURCE, KernelMode, NULL);
    }
}

static const IO_STATUS_BLOCK untouched = {.Status = 0x12345678, .Information = 99};

static IO_STATUS_BLOCK block(void)
{
    IO_STATUS_BLOCK io;
    assert_true(plat_user_load(page, &io, sizeof(io)));
    return io;
}

static NTSTATUS read_with(HANDLE file, ULONG_PTR apc, ULONG_PTR status_block, ULONG_PTR buffer)
{
    assert_true(plat_user_store(page, &untouched, sizeof(untouched)));
    assert_true(plat_user_store(page + 64, "....", 4));
    return CALL(ReadFile, (ULONG_PTR)file, (ULONG_PTR)event, apc, 77, status_block, buffer, 4, page + 128, 0);
}

static NTSTATUS read_file(HANDLE file)
{
    return read_with(file, 0, page, page + 64);
}

static void check_data(const char *expected)
{
    char data[4];
    assert_true(plat_user_load(page + 64, data, 4));
    assert_memory_equal(data, expected, 4);
}

static LONG signalled(HANDLE handle)
{
    PKEVENT body;
    assert_int_equal(ob_handle_reference(handle, 0, &ob_event_type, KernelMode, (void **)&body, NULL), STATUS_SUCCESS);
    LONG state = KeReadStateEvent(body);
    ob_dereference(body);
    return state;
}

static void cancel_all(HANDLE file)
{
    CALL(CancelIoFileEx, (ULONG_PTR)file, 0, page + 256);
}

static void a_pending_request_ends_later_in_its_thread(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static void (*const ways[])(void *) = {complete_elsewhere, complete_at_dispatch};
    struct bench_counts before = bench_counts();
    behaviour = PENDS;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(ways); i++) {
        bool done = false;
        assert_int_equal(read_file(async_file), STATUS_PENDING);
        assert_int_equal(block().Status, untouched.Status);
        assert_int_equal(signalled(event), 0);
        in_another_thread(ways[i], &done);
        assert_true(done);
        /* The other thread has completed it; the second stage is this one's: at its next service. */
        assert_int_equal(CALL(TestAlert, 0), STATUS_SUCCESS);
        assert_int_equal(block().Status, STATUS_SUCCESS);
        assert_int_equal(block().Information, 4);
        check_data("data");
        assert_int_equal(signalled(event), 1);
    }
    bench_check(&before);
}

static void a_wait_lets_the_second_stage_in(void **state)
{
    UNREFERENCED_PARAMETER(state);
    behaviour = PENDS;
    bool done = false;
    assert_int_equal(read_file(async_file), STATUS_PENDING);
    in_another_thread(complete_elsewhere, &done);
    assert_int_equal(CALL(WaitForSingleObject, (ULONG_PTR)event, FALSE, 0), STATUS_SUCCESS);
    assert_int_equal(block().Status, STATUS_SUCCESS);
}

static void what_is_done_at_once_comes_back_at_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    behaviour = AT_ONCE;
    assert_int_equal(read_file(async_file), STATUS_SUCCESS);
    assert_true(block().Status == STATUS_SUCCESS && block().Information == 4 && signalled(event) == 1);
    check_data("data");
    behaviour = FAILS_AT_ONCE; /* then there is nothing but the status */
    assert_int_equal(read_file(async_file), STATUS_UNSUCCESSFUL);
    assert_true(block().Status == untouched.Status && signalled(event) == 0);
    behaviour = PENDS_AND_IS_DONE;
    assert_int_equal(read_file(async_file), STATUS_PENDING);
    assert_true(block().Status == STATUS_SUCCESS && signalled(event) == 1);
    bench_check(&before);
}

static void bad_addresses_at_the_end_are_statuses(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    ULONG_PTR other = bench_user_page(PLAT_READWRITE);
    bool done = false;
    behaviour = PENDS;
    assert_int_equal(read_with(async_file, 0, page, other), STATUS_PENDING); /* the buffer goes */
    plat_user_unmap(other, PLAT_PAGE_SIZE);
    in_another_thread(complete_elsewhere, &done);
    CALL(TestAlert, 0);
    assert_int_equal(block().Status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(signalled(event), 1);
    other = bench_user_page(PLAT_READWRITE);
    assert_int_equal(read_with(async_file, 0, other, page + 64), STATUS_PENDING); /* the status block goes */
    plat_user_unmap(other, PLAT_PAGE_SIZE);
    in_another_thread(complete_elsewhere, &done);
    CALL(TestAlert, 0);
    check_data("data");
    assert_int_equal(signalled(event), 1);
    bench_check(&before);
}

static struct {
    ULONG runs;
    ULONG_PTR routine, arguments[3];
} apc;

static void on_user_apc(ULONG_PTR routine, const ULONG_PTR arguments[3])
{
    apc.runs++;
    apc.routine = routine;
    memcpy(apc.arguments, arguments, sizeof(apc.arguments));
}

static void apc_routines_run_in_alertable_waits(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    bool done = false;
    LONGLONG interval = -10000;
    ke_user_apc = on_user_apc;
    behaviour = PENDS;
    assert_int_equal(read_with(async_file, 0xDEAD0000BEEF, page, page + 64), STATUS_PENDING);
    in_another_thread(complete_elsewhere, &done);
    assert_true(plat_user_store(page + 320, &interval, sizeof(interval)));
    assert_int_equal(CALL(DelayExecution, FALSE, page + 320), STATUS_SUCCESS);
    assert_int_equal(block().Status, STATUS_SUCCESS);
    assert_int_equal(apc.runs, 0);
    assert_int_equal(CALL(DelayExecution, TRUE, page + 320), STATUS_USER_APC);
    assert_int_equal(apc.runs, 1);
    assert_true(apc.routine == 0xDEAD0000BEEF && apc.arguments[0] == 77 && apc.arguments[1] == page &&
                !apc.arguments[2]);
    behaviour = AT_ONCE; /* success at once has its APC all the same, an error none */
    assert_int_equal(read_with(async_file, 1, page, page + 64), STATUS_SUCCESS);
    behaviour = FAILS_AT_ONCE;
    assert_int_equal(read_with(async_file, 1, page, page + 64), STATUS_UNSUCCESSFUL);
    CALL(TestAlert, 0);
    assert_int_equal(apc.runs, 2);
    ke_user_apc = NULL;
    bench_check(&before);
}

static void synchronous_files_wait_and_keep_a_position(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    LARGE_INTEGER offset = {.QuadPart = 1000}, here = {.LowPart = FILE_USE_FILE_POINTER_POSITION, .HighPart = -1},
                  end = {.LowPart = FILE_WRITE_TO_END_OF_FILE, .HighPart = -1}, odd = {.QuadPart = -5};
    IO_STATUS_BLOCK io;
    char data[4];
    behaviour = AT_ONCE;
    NTSTATUS status = ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, &offset, NULL);
    assert_true(status == STATUS_SUCCESS && seen_offset == 1000);
    ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, NULL, NULL);
    assert_int_equal(seen_offset, 1004);
    ZwWriteFile(sync_file, NULL, NULL, NULL, &io, data, 4, &here, NULL);
    assert_int_equal(seen_offset, 1008);
    ZwWriteFile(sync_file, NULL, NULL, NULL, &io, data, 4, &end, NULL);
    assert_int_equal(seen_offset, -1); /* where that is, the driver knows */
    ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, NULL, NULL);
    assert_int_equal(seen_offset, 1012);
    assert_int_equal(ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, &end, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, &odd, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwReadFile(async_file, NULL, NULL, NULL, &io, data, 4, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwReadFile(async_file, NULL, NULL, NULL, &io, data, 4, &here, NULL), STATUS_INVALID_PARAMETER);
    bench_check(&before);
}

static volatile LONG most_in_flight;

static void complete_all_slowly(void *context)
{
    while (!over(context)) {
        LONG waiting = 0;
        KIRQL irql;
        KeAcquireSpinLock(&queue.lock, &irql);
        for (LIST_ENTRY *at = queue.irps.Flink; at != &queue.irps; at = at->Flink)
            waiting++;
        KeReleaseSpinLock(&queue.lock, irql);
        most_in_flight = waiting > most_in_flight ? waiting : most_in_flight;
        if (!complete_one())
            plat_yield();
    }
}

static void read_often(void *context)
{
    for (int i = 0; i < 200; i++) {
        IO_STATUS_BLOCK io = {0};
        LARGE_INTEGER offset = {.QuadPart = 0};
        char data[4] = "";
        NTSTATUS status = ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, &offset, NULL);
        if (status != STATUS_SUCCESS || memcmp(data, "data", 4) || io.Information != 4)
            __atomic_add_fetch((LONG *)context, 1, __ATOMIC_SEQ_CST);
    }
}

static void a_synchronous_file_has_one_request_at_a_time(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    PKTHREAD threads[4];
    uint64_t hosts[4];
    LONG wrong = 0;
    bool stop = false;
    behaviour = PENDS;
    most_in_flight = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(ke_thread_start(&ke_user.body, i ? read_often : complete_all_slowly,
                                         i ? (void *)&wrong : &stop, 0, &threads[i], &hosts[i]),
                         STATUS_SUCCESS);
    for (int i = 3; i >= 0; i--) {
        if (i == 0)
            end(&stop);
        plat_thread_join(hosts[i]);
        ke_thread_release(threads[i]);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(most_in_flight, 1);
    bench_check(&before);
}

static NTSTATUS waiter_status;
static HANDLE waiter_file;
static void wait_in_read(void *context)
{
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER offset = {.QuadPart = 0};
    char data[4];
    __atomic_store_n((PKTHREAD *)context, ke_thread_current(), __ATOMIC_SEQ_CST);
    waiter_status = ZwReadFile(waiter_file, NULL, NULL, NULL, &io, data, 4, &offset, NULL);
}

static PKTHREAD start_read(HANDLE file, uint64_t *host)
{
    PKTHREAD thread, self = NULL;
    behaviour = PENDS;
    waiter_file = file;
    assert_int_equal(ke_thread_start(&ke_user.body, wait_in_read, &self, 0, &thread, host), STATUS_SUCCESS);
    while (nothing_waits())
        plat_yield();
    return thread;
}

static void other_threads_requests_can_be_cancelled(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE handle;
    uint64_t host;
    IO_STATUS_BLOCK io;
    PKTHREAD thread = start_read(sync_file, &host);
    assert_int_equal(ZwCancelIoFile(sync_file, &io), STATUS_SUCCESS); /* only this thread's: none */
    assert_int_equal(ob_handle_create(thread, THREAD_ALL_ACCESS, 0, KernelMode, &handle), STATUS_SUCCESS);
    while (ZwCancelSynchronousIoFile(handle, NULL, &io) != STATUS_SUCCESS)
        plat_yield();
    plat_thread_join(host);
    assert_int_equal(waiter_status, STATUS_CANCELLED);
    assert_int_equal(ZwCancelSynchronousIoFile(handle, NULL, &io), STATUS_NOT_FOUND);
    ZwClose(handle);
    ke_thread_release(thread);
    thread = start_read(alert_file, &host); /* FILE_SYNCHRONOUS_IO_ALERT: an alert cancels as well */
    KeAlertThread(thread, KernelMode);
    plat_thread_join(host);
    ke_thread_release(thread);
    assert_int_equal(waiter_status, STATUS_CANCELLED);
    bench_check(&before);
}

static void cancelling_finds_the_right_ones(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    behaviour = PENDS;
    assert_int_equal(read_with(async_file, 0, page, page + 64), STATUS_PENDING);
    assert_int_equal(read_with(async_file, 0, page + 32, page + 64), STATUS_PENDING);
    assert_int_equal(CALL(CancelIoFileEx, (ULONG_PTR)async_file, page + 16, page + 256), STATUS_NOT_FOUND);
    assert_int_equal(CALL(CancelIoFileEx, (ULONG_PTR)async_file, page, page + 256), STATUS_SUCCESS);
    assert_int_equal(block().Status, STATUS_CANCELLED);
    assert_false(nothing_waits());
    assert_int_equal(CALL(CancelIoFile, (ULONG_PTR)async_file, page + 256), STATUS_SUCCESS);
    assert_true(nothing_waits());
    bench_check(&before);
}

static void leave_requests(void *context)
{
    *(NTSTATUS *)context = STATUS_SUCCESS;
    for (int i = 0; i < 10; i++) {
        IO_STATUS_BLOCK *io = (IO_STATUS_BLOCK *)(page + 512 + 16ull * i);
        LARGE_INTEGER offset = {.QuadPart = 0};
        ke_thread_current()->PreviousMode = UserMode;
        NTSTATUS status = svc_nt(SVC_NUMBER_ReadFile, (const ULONG64[]){(ULONG_PTR)async_file, 0, 0x1234, 0,
                                                                        (ULONG_PTR)io, page + 64, 4, page + 128, 0});
        ke_thread_current()->PreviousMode = KernelMode;
        UNREFERENCED_PARAMETER(offset);
        if (status != STATUS_PENDING)
            *(NTSTATUS *)context = status;
    }
}

static void a_thread_that_ends_takes_its_requests_along(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    behaviour = PENDS;
    in_another_thread(leave_requests, &status);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_true(nothing_waits());
    bench_check(&before);
}

static void a_file_stays_until_its_requests_are_done(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    UNICODE_STRING name;
    IO_STATUS_BLOCK io;
    HANDLE file;
    bool done;
    RtlInitUnicodeString(&name, WIDE("\\Device\\Async"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    assert_int_equal(NtOpenFile(&file, GENERIC_READ, &attributes, &io, 7, 0), STATUS_SUCCESS);
    behaviour = PENDS;
    cleanups = closes = 0;
    assert_int_equal(read_file(file), STATUS_PENDING);
    assert_int_equal(NtClose(file), STATUS_SUCCESS);
    assert_true(cleanups == 1 && closes == 0);
    in_another_thread(complete_elsewhere, &done);
    CALL(TestAlert, 0);
    assert_int_equal(closes, 1); /* on_any has seen PASSIVE_LEVEL */
    bench_check(&before);
}

static void an_exception_leaves_nothing_behind(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE files[] = {async_file, sync_file};
    SIZE_T leaks = io_leaks(NULL, NULL);
    for (SIZE_T i = 0; i < 4; i++) {
        volatile NTSTATUS status = STATUS_SUCCESS;
        IO_STATUS_BLOCK io;
        LARGE_INTEGER offset = {.QuadPart = 0};
        char data[4];
        behaviour = i < 2 ? RAISES : RAISES_MARKED;
        __try {
            ZwReadFile(files[i % 2], event, NULL, NULL, &io, data, 4, &offset, NULL);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            status = GetExceptionCode();
        }
        assert_int_equal(status, STATUS_INVALID_LEVEL);
        assert_int_equal(ExGetPreviousMode(), KernelMode);
        assert_int_equal(io_leaks(NULL, NULL), leaks + (i >= 2)); /* a marked one is the driver's to complete */
        if (i >= 2)
            complete(kept, STATUS_SUCCESS, 0);
    }
    bench_check(&before);
}

/* ---- one thread cancels while another completes ---- */

enum { RACES = 5000 };

static void complete_for_ever(void *context)
{
    while (!over(context))
        if (!complete_one())
            plat_yield(); /* the sender wants to run */
}

static void cancel_for_ever(void *context)
{
    PFILE_OBJECT file;
    assert_int_equal(ob_handle_reference(async_file, 0, &io_file_type, KernelMode, (void **)&file, NULL),
                     STATUS_SUCCESS);
    while (!over(context)) {
        io_cancel(&(struct io_cancel){.file = file});
        plat_yield();
    }
    ob_dereference(file);
}

static void completed_or_cancelled_never_both(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    bool stop = false;
    PKTHREAD threads[2];
    uint64_t hosts[2];
    ULONG done = 0, cancelled = 0;
    behaviour = PENDS;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            ke_thread_start(&ke_user.body, i ? cancel_for_ever : complete_for_ever, &stop, 0, &threads[i], &hosts[i]),
            STATUS_SUCCESS);
    for (ULONG i = 0; i < RACES; i++) {
        IO_STATUS_BLOCK io = {.Status = STATUS_PENDING};
        LARGE_INTEGER offset = {.QuadPart = 0};
        char data[4] = "....";
        NTSTATUS status = ZwReadFile(async_file, event, NULL, NULL, &io, data, 4, &offset, NULL);
        assert_int_equal(status, STATUS_PENDING);
        assert_int_equal(ZwWaitForSingleObject(event, FALSE, NULL), STATUS_SUCCESS);
        done += io.Status == STATUS_SUCCESS && !memcmp(data, "data", 4);
        cancelled += io.Status == STATUS_CANCELLED && !memcmp(data, "....", 4);
    }
    end(&stop);
    for (int i = 0; i < 2; i++) {
        plat_thread_join(hosts[i]);
        ke_thread_release(threads[i]);
    }
    print_message("%u done, %u cancelled\n", (unsigned)done, (unsigned)cancelled);
    assert_int_equal(done + cancelled, RACES);
    bench_check(&before);
}

/* A request that is overdue just as it completes: the time-out's cancel must not touch what is gone. */
static void complete_after_a_millisecond(void *context)
{
    while (!over(context)) {
        LARGE_INTEGER delay = {.QuadPart = -9000};
        while (nothing_waits() && !over(context))
            plat_yield();
        KeDelayExecutionThread(KernelMode, FALSE, &delay);
        complete_one();
    }
}

static void a_time_out_and_completion_may_meet(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    bool stop = false;
    PKTHREAD thread;
    uint64_t host;
    ULONG usual = io_pending_timeout_ms;
    io_pending_timeout_ms = 1;
    behaviour = PENDS;
    assert_int_equal(ke_thread_start(&ke_user.body, complete_after_a_millisecond, &stop, 0, &thread, &host),
                     STATUS_SUCCESS);
    for (int i = 0; i < 500; i++) {
        IO_STATUS_BLOCK io = {0};
        LARGE_INTEGER offset = {.QuadPart = 0};
        char data[4];
        NTSTATUS status = ZwReadFile(sync_file, NULL, NULL, NULL, &io, data, 4, &offset, NULL);
        assert_true(status == STATUS_SUCCESS || status == STATUS_CANCELLED);
    }
    end(&stop);
    io_pending_timeout_ms = usual;
    plat_thread_join(host);
    ke_thread_release(thread);
    bench_check(&before);
}

/* Nobody waits for the driver any more: what it still holds is the request's, not memory that is something else now. */
static void a_late_driver_writes_to_what_is_still_its(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { BLOCKS = 64 };
    struct bench_counts before = bench_counts();
    ULONG usual = io_pending_timeout_ms, tag = RTL_TAG('T', 'e', 's', 't');
    UCHAR *blocks[BLOCKS], same[sizeof(FILE_BASIC_INFORMATION)], answer[64];
    UNICODE_STRING pattern;
    IO_STATUS_BLOCK io;
    memset(same, 'x', sizeof(same));
    RtlInitUnicodeString(&pattern, WIDE("0123456789abcdef.*"));
    io_pending_timeout_ms = 1;
    behaviour = LINGERS;
    assert_int_equal(ZwQueryInformationFile(sync_file, &io, answer, sizeof(same), FileBasicInformation),
                     STATUS_IO_TIMEOUT);
    IRP *query = kept;
    assert_int_equal(ZwQueryDirectoryFile(sync_file, NULL, NULL, NULL, &io, answer, sizeof(answer),
                                          FileNamesInformation, TRUE, &pattern, FALSE),
                     STATUS_IO_TIMEOUT);
    io_pending_timeout_ms = usual;
    behaviour = PENDS;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = mm_heap_allocate(sizeof(same), tag);
        assert_non_null(blocks[i]);
        memset(blocks[i], 'x', sizeof(same));
    }
    const UNICODE_STRING *told = IoGetCurrentIrpStackLocation(kept)->Parameters.QueryDirectory.FileName;
    assert_int_equal(told->Length, pattern.Length);
    assert_memory_equal(told->Buffer, pattern.Buffer, pattern.Length);
    memset(query->AssociatedIrp.SystemBuffer, 'L', sizeof(same));
    complete(query, STATUS_SUCCESS, sizeof(same));
    complete(kept, STATUS_NO_SUCH_FILE, 0);
    for (int i = 0; i < BLOCKS; i++) {
        assert_memory_equal(blocks[i], same, sizeof(same));
        mm_heap_free(blocks[i], tag);
    }
    bench_check(&before);
}

static HANDLE open_with(ULONG options)
{
    UNICODE_STRING name;
    IO_STATUS_BLOCK io;
    HANDLE file;
    RtlInitUnicodeString(&name, WIDE("\\Device\\Async"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    assert_int_equal(NtOpenFile(&file, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes, &io, 7, options),
                     STATUS_SUCCESS);
    return file;
}

/* ---- opening ---- */

static void contradictions_are_refused(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG access, share, disposition, options;
        NTSTATUS status;
    } rows[] = {
        {GENERIC_READ, 7, FILE_OPEN, 0, STATUS_SUCCESS},
        {GENERIC_READ, 8, FILE_OPEN, 0, STATUS_INVALID_PARAMETER},
        {GENERIC_READ, 7, 6, 0, STATUS_INVALID_PARAMETER},
        {GENERIC_READ, 7, FILE_OPEN, 0x1000000, STATUS_INVALID_PARAMETER},
        {FILE_READ_DATA, 7, FILE_OPEN, FILE_SYNCHRONOUS_IO_ALERT, STATUS_INVALID_PARAMETER},
        {FILE_READ_DATA | SYNCHRONIZE, 7, FILE_OPEN, FILE_SYNCHRONOUS_IO_ALERT, STATUS_SUCCESS},
        {GENERIC_READ, 7, FILE_OPEN, 0x30, STATUS_INVALID_PARAMETER},
        {GENERIC_READ, 7, FILE_OPEN, FILE_DELETE_ON_CLOSE, STATUS_INVALID_PARAMETER},
        {GENERIC_READ | DELETE, 7, FILE_OPEN, FILE_DELETE_ON_CLOSE, STATUS_SUCCESS},
        {GENERIC_READ, 7, FILE_OPEN, FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE, STATUS_INVALID_PARAMETER},
        {GENERIC_READ, 7, FILE_SUPERSEDE, FILE_DIRECTORY_FILE, STATUS_INVALID_PARAMETER},
        {FILE_APPEND_DATA, 7, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING, STATUS_INVALID_PARAMETER},
    };
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, WIDE("\\Device\\Async"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        IO_STATUS_BLOCK io;
        HANDLE file;
        NTSTATUS status = NtCreateFile(&file, rows[i].access, &attributes, &io, NULL, 0, rows[i].share,
                                       rows[i].disposition, rows[i].options, NULL, 0);
        assert_int_equal(status, rows[i].status);
        if (NT_SUCCESS(status))
            NtClose(file);
    }
    IO_STATUS_BLOCK io;
    HANDLE file;
    assert_int_equal(NtCreateFile(&file, GENERIC_READ, &attributes, &io, NULL, 0, 7, FILE_OPEN, 0, &io, 8),
                     STATUS_EAS_NOT_SUPPORTED);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(io_driver_load((ULONG_PTR)entry, NULL, 0, "async", &driver), STATUS_SUCCESS);
    page = bench_user_page(PLAT_READWRITE);
    async_file = open_with(0);
    sync_file = open_with(FILE_SYNCHRONOUS_IO_NONALERT);
    alert_file = open_with(FILE_SYNCHRONOUS_IO_ALERT);
    assert_int_equal(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    behaviour = AT_ONCE; /* what is made once exists from here on */
    read_file(async_file);
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handles[] = {async_file, sync_file, alert_file, event};
    cancel_all(async_file);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(handles); i++)
        assert_int_equal(NtClose(handles[i]), STATUS_SUCCESS);
    assert_int_equal(io_driver_unload(driver), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
    return 0;
}

static void cleanup_comes_once_however_handles_race(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { ROUNDS = 3000 };
    struct bench_counts before = bench_counts();
    struct duplicator work = {.process = ke_thread_current()->Process};
    PKTHREAD thread;
    uint64_t host;
    cleanups = closes = 0;
    assert_int_equal(ke_thread_start(&ke_user.body, duplicate_all_the_time, &work, 0, &thread, &host), STATUS_SUCCESS);
    for (int i = 0; i < ROUNDS; i++) {
        HANDLE file = open_with(FILE_SYNCHRONOUS_IO_NONALERT);
        __atomic_store_n(&work.handle, file, __ATOMIC_RELEASE);
        for (volatile int k = 0; k < i % 50 * 50; k++)
            ;
        assert_int_equal(NtClose(file), STATUS_SUCCESS);
        __atomic_store_n(&work.handle, (HANDLE)NULL, __ATOMIC_RELEASE);
    }
    end(&work.stop);
    plat_thread_join(host);
    ke_thread_release(thread);
    assert_int_equal(closes, ROUNDS);
    assert_int_equal(cleanups, ROUNDS);
    bench_check(&before);
}

int run_async_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pending_request_ends_later_in_its_thread),
        cmocka_unit_test(a_wait_lets_the_second_stage_in),
        cmocka_unit_test(what_is_done_at_once_comes_back_at_once),
        cmocka_unit_test(bad_addresses_at_the_end_are_statuses),
        cmocka_unit_test(apc_routines_run_in_alertable_waits),
        cmocka_unit_test(synchronous_files_wait_and_keep_a_position),
        cmocka_unit_test(a_synchronous_file_has_one_request_at_a_time),
        cmocka_unit_test(other_threads_requests_can_be_cancelled),
        cmocka_unit_test(cancelling_finds_the_right_ones),
        cmocka_unit_test(a_thread_that_ends_takes_its_requests_along),
        cmocka_unit_test(a_file_stays_until_its_requests_are_done),
        cmocka_unit_test(an_exception_leaves_nothing_behind),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(completed_or_cancelled_never_both),
        cmocka_unit_test(a_time_out_and_completion_may_meet),
        cmocka_unit_test(a_late_driver_writes_to_what_is_still_its),
        cmocka_unit_test(cleanup_comes_once_however_handles_race),
    };
    return cmocka_run_group_tests_name("async", tests, set_up, tear_down);
}
