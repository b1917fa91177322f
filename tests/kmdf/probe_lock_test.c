/*
 * probe_lock_test.c - WdfRequestProbeAndLockUserBufferForRead and ForWrite: each status and how it comes about, and
 * what a locked buffer survives. The table is printed for docs/kmdf-probe-and-lock.md.
 */
#include "kmdf_test.h"
#include "wdk/ps.h"

#define CODE_NEITHER  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)
#define CODE_BUFFERED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define BUG_CHECK     ((NTSTATUS)0x10D)

enum { PAGES = 4 };
static ULONG_PTR base; /* PAGES pages of user memory; the one behind them is not there */
static struct io_file *file;

/* ---- one call ---- */

static bool for_write;
static NTSTATUS seen;

static NTSTATUS lock(WDFREQUEST request, ULONG_PTR address, SIZE_T length, WDFMEMORY *memory)
{
    return for_write ? WdfRequestProbeAndLockUserBufferForWrite(test_globals, request, (PVOID)address, length, memory)
                     : WdfRequestProbeAndLockUserBufferForRead(test_globals, request, (PVOID)address, length, memory);
}

static NTSTATUS lock_at(WDFREQUEST request, ULONG_PTR address, SIZE_T length)
{
    WDFMEMORY memory;
    return lock(request, address, length, &memory);
}

/* From another thread than the request's. */
struct elsewhere {
    WORK_QUEUE_ITEM item;
    KEVENT done;
    WDFREQUEST request;
    ULONG_PTR address;
    SIZE_T length;
    NTSTATUS status;
};

static VOID NTAPI lock_there(PVOID parameter)
{
    struct elsewhere *there = parameter;
    there->status = lock_at(there->request, there->address, there->length);
    KeSetEvent(&there->done, 0, FALSE);
}

static NTSTATUS lock_elsewhere(WDFREQUEST request, ULONG_PTR address, SIZE_T length)
{
    struct elsewhere there = {.request = request, .address = address, .length = length};
    there.item = (WORK_QUEUE_ITEM){.WorkerRoutine = lock_there, .Parameter = &there};
    KeInitializeEvent(&there.done, NotificationEvent, FALSE);
    ExQueueWorkItem(&there.item, DelayedWorkQueue);
    KeWaitForSingleObject(&there.done, Executive, KernelMode, FALSE, NULL);
    return there.status;
}

/* ---- ways to provoke a status; each is EvtIoInCallerContext ---- */

static bool good(WDFREQUEST request)
{
    seen = lock_at(request, base + 100, 2 * PAGE_SIZE);
    return false;
}
static bool twice(WDFREQUEST request)
{
    seen = lock_at(request, base, 64);
    if (NT_SUCCESS(seen))
        seen = lock_at(request, base, 64);
    return false;
}
static bool no_object(WDFREQUEST request)
{
    seen = lock(request, base, 0, NULL); /* the length is wrong too: the first check decides */
    return false;
}
static bool no_buffer(WDFREQUEST request)
{
    seen = lock_at(request, 0, 64);
    return false;
}
static bool completed_as(WDFREQUEST request, NTSTATUS (*call)(WDFREQUEST, ULONG_PTR, SIZE_T), SIZE_T length)
{
    WdfObjectReferenceActual(test_globals, request, NULL, 0, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    seen = call(request, base, length);
    WdfObjectDereferenceActual(test_globals, request, NULL, 0, NULL);
    return true;
}
static bool no_length(WDFREQUEST request)
{
    seen = lock_at(request, base, 0);
    return false;
}
static bool no_length_completed(WDFREQUEST request)
{
    return completed_as(request, lock_at, 0);
}
static bool completed(WDFREQUEST request)
{
    return completed_as(request, lock_at, 64);
}
static bool completed_elsewhere(WDFREQUEST request)
{
    return completed_as(request, lock_elsewhere, 64);
}
static bool other_thread(WDFREQUEST request)
{
    seen = lock_elsewhere(request, base, 64);
    return false;
}
static bool too_long(WDFREQUEST request)
{
    seen = lock_at(request, base, 8ull << 30);
    return false;
}
/* Nothing of a kind is to be had while the driver locks. */
static enum mm_want wanting;
static PKTHREAD locker;
static bool refuse(enum mm_want want)
{
    return want == wanting && ke_thread_current() == locker;
}
static bool short_of(WDFREQUEST request, enum mm_want want)
{
    wanting = want;
    locker = ke_thread_current();
    mm_short = refuse;
    seen = lock_at(request, base, 64);
    mm_short = NULL;
    return false;
}
static bool no_mdl(WDFREQUEST request)
{
    return short_of(request, MM_WANT_POOL);
}
static bool no_lock(WDFREQUEST request)
{
    return short_of(request, MM_WANT_HOLD);
}
static bool no_mapping(WDFREQUEST request)
{
    return short_of(request, MM_WANT_VIEW);
}
static bool kernel_address(WDFREQUEST request)
{
    seen = lock_at(request, (ULONG_PTR)&seen, 4);
    return false;
}
static bool not_mapped(WDFREQUEST request)
{
    seen = lock_at(request, base + PAGES * PAGE_SIZE, 4);
    return false;
}
static bool end_not_mapped(WDFREQUEST request)
{
    seen = lock_at(request, base, PAGES * PAGE_SIZE + 1);
    return false;
}
static bool wraps(WDFREQUEST request)
{
    seen = lock_at(request, plat_layout.user_limit - 8, 16);
    return false;
}
static bool with_protection(WDFREQUEST request, ULONG protection)
{
    plat_user_protect(base + PAGE_SIZE, PAGE_SIZE, protection);
    seen = lock_at(request, base, 2 * PAGE_SIZE);
    plat_user_protect(base + PAGE_SIZE, PAGE_SIZE, PLAT_READWRITE);
    return false;
}
static bool read_only(WDFREQUEST request)
{
    return with_protection(request, PLAT_READ);
}
static bool no_access(WDFREQUEST request)
{
    return with_protection(request, PLAT_NOACCESS);
}
static bool guarded(WDFREQUEST request)
{
    return with_protection(request, PLAT_READWRITE | PLAT_GUARD);
}
static bool in_page_error(WDFREQUEST request)
{
    plat_user_poison_in_page(base + PAGE_SIZE);
    seen = lock_at(request, base, 2 * PAGE_SIZE);
    return false;
}

static void bad_handle(void)
{
    lock_at((WDFREQUEST)&base, base, 64);
}

struct row {
    const char *how;
    bool (*provoke)(WDFREQUEST request); /* null: bad_handle */
    KPROCESSOR_MODE sender;
    NTSTATUS read, write;
};

#define BOTH(status) (NTSTATUS)(status), (NTSTATUS)(status)
static const struct row table[] = {
    {"Request is no handle of a request", NULL, UserMode, BOTH(BUG_CHECK)},
    {"MemoryObject is NULL (and Length 0)", no_object, UserMode, BOTH(STATUS_INVALID_PARAMETER)},
    {"Buffer is NULL", no_buffer, UserMode, BOTH(STATUS_INVALID_PARAMETER)},
    {"Length is 0", no_length, UserMode, BOTH(STATUS_INVALID_USER_BUFFER)},
    {"Length is 0 and the request completed", no_length_completed, UserMode, BOTH(STATUS_INVALID_USER_BUFFER)},
    {"the request is completed, the driver has a reference to it", completed, UserMode,
     BOTH(STATUS_INVALID_DEVICE_REQUEST)},
    {"the same, from another thread", completed_elsewhere, UserMode, BOTH(STATUS_INVALID_DEVICE_REQUEST)},
    {"a work item calls, not the thread that sent the request", other_thread, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"8 GB: more than an MDL can describe", too_long, UserMode, BOTH(STATUS_INSUFFICIENT_RESOURCES)},
    {"there is no memory for the MDL", no_mdl, UserMode, BOTH(STATUS_INSUFFICIENT_RESOURCES)},
    {"no more pages can be locked", no_lock, UserMode, BOTH(STATUS_INSUFFICIENT_RESOURCES)},
    {"the pages are locked, and there is no room to map them", no_mapping, UserMode,
     BOTH(STATUS_INSUFFICIENT_RESOURCES)},
    {"a kernel address", kernel_address, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"a kernel address in a kernel sender's request", kernel_address, KernelMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"an address where nothing is mapped", not_mapped, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"the last byte is not mapped", end_not_mapped, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"the end lies above user space", wraps, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"the second page is PAGE_NOACCESS", no_access, UserMode, BOTH(STATUS_ACCESS_VIOLATION)},
    {"the second page is PAGE_READONLY", read_only, UserMode, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
    {"the second page is a guard page", guarded, UserMode, BOTH(STATUS_GUARD_PAGE_VIOLATION)},
    {"the second page cannot be read from its disk", in_page_error, UserMode, BOTH(STATUS_IN_PAGE_ERROR)},
    {"three writable pages", good, UserMode, BOTH(STATUS_SUCCESS)},
    {"the same buffer twice", twice, UserMode, BOTH(STATUS_SUCCESS)},
    {"user memory in a kernel sender's request", good, KernelMode, BOTH(STATUS_SUCCESS)},
    {"the same, from another thread", other_thread, KernelMode, BOTH(STATUS_SUCCESS)},
};

static SIZE_T holds(void)
{
    return mm_holds_each(MM_POOL_DRIVER, NULL, NULL) + mm_holds_each(MM_POOL_KERNEL, NULL, NULL);
}

static NTSTATUS provoke(const struct row *row, bool write)
{
    IO_STATUS_BLOCK result;
    SIZE_T before = holds();
    for_write = write;
    seen = (NTSTATUS)0x7FFFFFFF;
    if (!row->provoke) {
        struct bugcheck_result stop = bugcheck_of(bad_handle);
        assert_non_null(strstr(stop.report, write ? "ForWrite" : "ForRead"));
        return stop.happened ? (NTSTATUS)stop.code : STATUS_SUCCESS;
    }
    test_in_caller = row->provoke;
    file->mode = row->sender;
    assert_int_equal(io_device_control(file, CODE_NEITHER, base, 64, base, 64, &result), STATUS_SUCCESS);
    file->mode = UserMode;
    assert_int_equal(holds(), before); /* whatever happened, nothing is locked or mapped any more */
    return seen;
}

static int group_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    base = 0;
    return plat_user_map(&base, PAGES * PAGE_SIZE, PLAT_READWRITE);
}

static int group_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return plat_user_unmap(base, PAGES * PAGE_SIZE);
}

static void test_table(void **state)
{
    UNREFERENCED_PARAMETER(state);
    file = test_open(WdfDeviceIoBuffered);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(table); i++) {
        print_message("%s\n", table[i].how);
        assert_int_equal(provoke(&table[i], false), table[i].read);
        assert_int_equal(provoke(&table[i], true), table[i].write);
    }
    test_close(file);
}

static const char *name_of(NTSTATUS status)
{
    static char number[16];
    static const struct {
        NTSTATUS status;
        const char *name;
    } names[] = {{STATUS_SUCCESS, "STATUS_SUCCESS"},
                 {BUG_CHECK, "bug check 0x10D (WDF_VIOLATION)"},
                 {STATUS_INVALID_PARAMETER, "STATUS_INVALID_PARAMETER"},
                 {STATUS_INVALID_USER_BUFFER, "STATUS_INVALID_USER_BUFFER"},
                 {STATUS_INVALID_DEVICE_REQUEST, "STATUS_INVALID_DEVICE_REQUEST"},
                 {STATUS_ACCESS_VIOLATION, "STATUS_ACCESS_VIOLATION"},
                 {STATUS_INSUFFICIENT_RESOURCES, "STATUS_INSUFFICIENT_RESOURCES"},
                 {STATUS_GUARD_PAGE_VIOLATION, "STATUS_GUARD_PAGE_VIOLATION"},
                 {STATUS_IN_PAGE_ERROR, "STATUS_IN_PAGE_ERROR"}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(names); i++)
        if (names[i].status == status)
            return names[i].name;
    snprintf(number, sizeof(number), "0x%08X", (unsigned)status);
    return number;
}

void print_probe_lock_table(void)
{
    group_up(NULL);
    file = test_open(WdfDeviceIoBuffered);
    printf("| how | sender | ForRead | ForWrite |\n|---|---|---|---|\n");
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(table); i++) {
        printf("| %s | %s ", table[i].how, table[i].sender == KernelMode ? "kernel" : "user");
        printf("| %s ", name_of(provoke(&table[i], false)));
        printf("| %s |\n", name_of(provoke(&table[i], true)));
    }
    test_close(file);
}

/* ---- what the driver gets ---- */

static UCHAR user_byte(ULONG_PTR address)
{
    UCHAR value = 0;
    plat_user_load(address, &value, 1);
    return value;
}

static WDFMEMORY kept[2];

/* The user goes through all it can do to the pages. */
static bool lock_then_change(WDFREQUEST request)
{
    size_t size;
    for_write = true;
    assert_int_equal(lock(request, base + 4090, 12, &kept[0]), STATUS_SUCCESS);
    UCHAR *mapped = WdfMemoryGetBuffer(test_globals, kept[0], &size);
    assert_int_equal(size, 12);
    assert_true((ULONG_PTR)mapped >= plat_layout.user_limit);
    assert_int_equal((ULONG_PTR)mapped % PAGE_SIZE, 4090);
    plat_user_store(base + 4090, "0123456789ab", 12);
    assert_memory_equal(mapped, "0123456789ab", 12); /* what the user writes is seen */
    mapped[0] = 'X';
    assert_int_equal(user_byte(base + 4090), 'X'); /* and the reverse */
    plat_user_protect(base, 2 * PAGE_SIZE, PLAT_NOACCESS);
    mapped[1] = 'Y';
    plat_user_protect(base, 2 * PAGE_SIZE, PLAT_READ);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, kept[0], 2, (PVOID) "Z", 1), STATUS_SUCCESS);
    assert_int_equal(user_byte(base + 4092), 'Z');
    plat_user_unmap(base, PAGES * PAGE_SIZE);
    mapped[3] = 'W';
    assert_memory_equal(mapped, "XYZW456789ab", 12);
    ULONG_PTR again = base; /* other pages at the same address are other pages */
    assert_int_equal(plat_user_map(&again, PAGES * PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(again, base);
    mapped[4] = 'V';
    assert_int_equal(user_byte(base + 4094), 0);
    return false;
}

static void send(bool (*in_caller)(WDFREQUEST), bool (*in_queue)(WDFREQUEST), ULONG code)
{
    IO_STATUS_BLOCK result;
    SIZE_T before = holds();
    file = test_open(WdfDeviceIoBuffered);
    test_in_caller = in_caller;
    test_in_queue = in_queue;
    assert_int_equal(io_device_control(file, code, base, 64, base, 64, &result), STATUS_SUCCESS);
    assert_int_equal(holds(), before);
    test_close(file);
}

static void test_survives(void **state)
{
    UNREFERENCED_PARAMETER(state);
    send(lock_then_change, NULL, CODE_NEITHER);
}

static bool lock_for_read(WDFREQUEST request)
{
    char text[4];
    for_write = false;
    plat_user_store(base, "abcd", 4);
    plat_user_protect(base, PAGE_SIZE, PLAT_READ);
    assert_int_equal(lock(request, base, 4, &kept[0]), STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, kept[0], 0, text, 4), STATUS_ACCESS_VIOLATION);
    assert_int_equal(WdfMemoryCopyToBuffer(test_globals, kept[0], 0, text, 4), STATUS_SUCCESS);
    assert_memory_equal(text, "abcd", 4);
    plat_user_protect(base, PAGE_SIZE, PLAT_READWRITE);
    return false;
}

static void test_read_only(void **state)
{
    UNREFERENCED_PARAMETER(state);
    send(lock_for_read, NULL, CODE_NEITHER);
}

HOSTILE static bool lock_and_write(WDFREQUEST request)
{
    for_write = false;
    if (NT_SUCCESS(lock(request, base, 4, &kept[0])))
        *(volatile UCHAR *)WdfMemoryGetBuffer(test_globals, kept[0], NULL) = 1;
    return false;
}
static void write_read_only(void)
{
    send(lock_and_write, NULL, CODE_NEITHER);
}

static void test_write_faults(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(bugcheck_of(write_read_only).happened);
}

/* Two locks of overlapping ranges, one let go early, the other by the request; used from another thread between. */
static bool lock_two(WDFREQUEST request)
{
    size_t size;
    for_write = true;
    assert_int_equal(lock(request, base, 100, &kept[0]), STATUS_SUCCESS);
    for_write = false;
    assert_int_equal(lock(request, base + 50, PAGE_SIZE, &kept[1]), STATUS_SUCCESS);
    UCHAR *one = WdfMemoryGetBuffer(test_globals, kept[0], NULL);
    UCHAR *two = WdfMemoryGetBuffer(test_globals, kept[1], &size);
    assert_ptr_not_equal(one + 50, two);
    assert_int_equal(size, PAGE_SIZE);
    one[50] = 77;
    assert_int_equal(two[0], 77);
    WdfObjectDelete(test_globals, kept[0]);
    assert_int_equal(two[0], 77);
    WdfObjectReferenceActual(test_globals, kept[1], NULL, 0, NULL);
    return false;
}
static VOID NTAPI use_and_complete(PVOID request)
{
    size_t size;
    assert_int_equal(*(UCHAR *)WdfMemoryGetBuffer(test_globals, kept[1], NULL), 77);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    assert_null(WdfMemoryGetBuffer(test_globals, kept[1], &size)); /* a reference keeps the object, not the pages */
    assert_int_equal(size, 0);
    WdfObjectDereferenceActual(test_globals, kept[1], NULL, 0, NULL);
}
static WORK_QUEUE_ITEM later;
static bool complete_later(WDFREQUEST request)
{
    later = (WORK_QUEUE_ITEM){.WorkerRoutine = use_and_complete, .Parameter = request};
    ExQueueWorkItem(&later, DelayedWorkQueue);
    return true;
}

static void test_several(void **state)
{
    UNREFERENCED_PARAMETER(state);
    send(lock_two, complete_later, CODE_NEITHER);
}

/* A buffered control that carries a pointer: captured once, locked where it points. */
struct embedded {
    ULONG_PTR address;
    ULONG_PTR length;
};
static bool lock_embedded(WDFREQUEST request)
{
    struct embedded *input;
    for_write = true;
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, sizeof(*input), (PVOID *)&input, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(lock(request, input->address, input->length, &kept[0]), STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, kept[0], 0, (PVOID) "embedded", 8), STATUS_SUCCESS);
    return false;
}

static void test_embedded(void **state)
{
    const struct embedded input = {base + PAGE_SIZE + 5, 8};
    char text[8];
    UNREFERENCED_PARAMETER(state);
    plat_user_store(base, &input, sizeof(input));
    send(lock_embedded, NULL, CODE_BUFFERED);
    assert_true(plat_user_load(input.address, text, 8));
    assert_memory_equal(text, "embedded", 8);
}

/* The driver refuses the request with its lock held: any completion releases. */
static bool lock_and_fail(WDFREQUEST request)
{
    for_write = true;
    assert_int_equal(lock(request, base, 10, &kept[0]), STATUS_SUCCESS);
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
    return true;
}

static void test_refused(void **state)
{
    IO_STATUS_BLOCK result;
    SIZE_T before = holds();
    UNREFERENCED_PARAMETER(state);
    file = test_open(WdfDeviceIoBuffered);
    test_in_caller = lock_and_fail;
    assert_int_equal(io_device_control(file, CODE_NEITHER, base, 64, base, 64, &result), STATUS_CANCELLED);
    assert_int_equal(holds(), before);
    test_close(file);
}

/* Cancelled in the driver's hands: what is locked is usable until EvtRequestCancel completes the request. */
static VOID NTAPI on_cancel(WDFREQUEST request)
{
    UCHAR *mapped = WdfMemoryGetBuffer(test_globals, kept[0], NULL);
    mapped[0] = 99;
    WdfRequestComplete(test_globals, request, STATUS_CANCELLED);
}
static bool lock_kept(WDFREQUEST request)
{
    for_write = true;
    assert_int_equal(lock(request, base, 10, &kept[0]), STATUS_SUCCESS);
    return false;
}
static bool mark_cancelable(WDFREQUEST request)
{
    assert_int_equal(WdfRequestMarkCancelableEx(test_globals, request, on_cancel), STATUS_SUCCESS);
    return true;
}
/* The queue presents nothing: the framework has the request, and cancels it. */
static bool lock_and_stop(WDFREQUEST request)
{
    lock_kept(request);
    WdfIoQueueStop(test_globals, test_queue, NULL, NULL);
    return false;
}

static void expect_cancelled(bool (*in_caller)(WDFREQUEST), bool (*in_queue)(WDFREQUEST))
{
    IO_STATUS_BLOCK result;
    SIZE_T before = holds();
    ULONG timeout = io_pending_timeout_ms;
    file = test_open(WdfDeviceIoBuffered);
    test_in_caller = in_caller;
    test_in_queue = in_queue;
    io_pending_timeout_ms = 20;
    assert_int_equal(io_device_control(file, CODE_NEITHER, base, 64, base, 64, &result), STATUS_CANCELLED);
    io_pending_timeout_ms = timeout;
    assert_int_equal(holds(), before);
    test_close(file);
}

static void test_cancelled(void **state)
{
    UNREFERENCED_PARAMETER(state);
    plat_user_store(base, "", 1);
    expect_cancelled(lock_kept, mark_cancelable);
    assert_int_equal(user_byte(base), 99);
    expect_cancelled(lock_and_stop, NULL);
}

/* A request that never ends keeps its pages; the process that ends before it is told of. */
static bool lock_and_keep(WDFREQUEST request)
{
    for_write = true;
    seen = lock_at(request, base, PAGE_SIZE + 1);
    return true;
}
static void end_with_lock(void)
{
    IO_STATUS_BLOCK result;
    io_pending_timeout_ms = 10;
    file = test_open(WdfDeviceIoBuffered);
    test_in_caller = lock_and_keep;
    io_device_control(file, CODE_NEITHER, base, 64, base, 64, &result);
    mm_check_no_locked_pages(PsGetCurrentProcess());
}

static void test_process_end(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(end_with_lock);
    assert_int_equal(result.code, 0x76);
    assert_int_equal(result.parameters[2], 2);
}

int run_probe_lock_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_survives),  cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_write_faults), cmocka_unit_test(test_several),   cmocka_unit_test(test_embedded),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_cancelled), cmocka_unit_test(test_process_end),
    };
    return cmocka_run_group_tests_name("kmdf probe and lock", tests, group_up, group_down);
}
