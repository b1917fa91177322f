/*
 * shortage_test.c - memory is short: each allocation that a function of the framework makes is refused once. The
 * function says so, and everything is as it was before; when nothing is refused any more it succeeds.
 */
#include "kmdf_test.h"
#include "kmdf_memory.h"

#define CODE_NEITHER  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)
#define CODE_BUFFERED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define NAME(text)    (&(UNICODE_STRING){sizeof(L##text) - 2, sizeof(L##text), (PWCH)L##text})

enum { MOST = 60 };

static PKTHREAD me;
static int countdown;
static ULONG refused; /* bit for each enum mm_want that was */

static bool refuse(enum mm_want want)
{
    if (ke_thread_current() != me || countdown-- != 0)
        return false;
    refused |= 1u << want;
    return true;
}

struct snapshot {
    SIZE_T driver, kernel, holds, objects;
};

static void count_object(struct kmdf_object *object, void *count)
{
    UNREFERENCED_PARAMETER(object);
    ++*(SIZE_T *)count;
}

static struct snapshot look(void)
{
    struct snapshot now = {.driver = mm_pool_bytes_in_use(MM_POOL_DRIVER),
                           .kernel = mm_pool_bytes_in_use(MM_POOL_KERNEL),
                           .holds =
                               mm_holds_each(MM_POOL_DRIVER, NULL, NULL) + mm_holds_each(MM_POOL_KERNEL, NULL, NULL)};
    kmdf_objects_each(count_object, &now.objects);
    return now;
}

int with_each_refused(NTSTATUS (*attempt)(void))
{
    me = ke_thread_current();
    for (int which = 0; which < MOST; which++) {
        struct snapshot before = look();
        countdown = which;
        mm_short = refuse;
        NTSTATUS status = attempt();
        bool was_refused = countdown < 0;
        mm_short = NULL;
        if (!was_refused) {
            assert_int_equal(status, STATUS_SUCCESS);
            return which;
        }
        struct snapshot after = look();
        assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
        assert_memory_equal(&after, &before, sizeof(before));
    }
    fail_msg("%d allocations, and no end", MOST);
    return 0;
}

/* ---- objects ---- */

static WDFDEVICE device;
static WDFCOLLECTION collection;
static WDFKEY key;
static WDFLOOKASIDE list;
static WDFMEMORY memory;

static WDF_OBJECT_ATTRIBUTES below(WDFOBJECT parent)
{
    static const WDF_OBJECT_CONTEXT_TYPE_INFO type = {sizeof(type), "Context", 100, &type, NULL};
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.ContextTypeInfo = &type;
    return attributes;
}

static NTSTATUS create_object(void)
{
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    return WdfObjectCreate(test_globals, &attributes, &object);
}
static NTSTATUS create_device(void)
{
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(test_globals, test_wdf_driver, NAME("D:"));
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    if (!init)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = WdfDeviceInitAssignName(test_globals, init, NAME("\\Device\\Short"));
    if (NT_SUCCESS(status))
        status = WdfDeviceCreate(test_globals, &init, &attributes, &device);
    if (!NT_SUCCESS(status))
        WdfDeviceInitFree(test_globals, init);
    return status;
}
static NTSTATUS create_link(void)
{
    return WdfDeviceCreateSymbolicLink(test_globals, device, NAME("\\DosDevices\\Short"));
}
static NTSTATUS create_queue(void)
{
    WDFQUEUE queue;
    WDF_IO_QUEUE_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    return WdfIoQueueCreate(test_globals, device, &config, &attributes, &queue);
}
static NTSTATUS create_timer(void)
{
    WDFTIMER timer;
    WDF_TIMER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    WDF_TIMER_CONFIG_INIT(&config, NULL);
    return WdfTimerCreate(test_globals, &config, &attributes, &timer);
}
static NTSTATUS create_memory(void)
{
    return WdfMemoryCreate(test_globals, NULL, NonPagedPool, 0, 100, &memory, NULL);
}
static NTSTATUS create_list(void)
{
    return WdfLookasideListCreate(test_globals, NULL, 100, NonPagedPool, NULL, 0, &list);
}
static NTSTATUS create_from_list(void)
{
    return WdfMemoryCreateFromLookaside(test_globals, list, &memory);
}
static NTSTATUS create_string(void)
{
    WDFSTRING string;
    return WdfStringCreate(test_globals, NAME("text"), NULL, &string);
}
static NTSTATUS create_collection(void)
{
    return WdfCollectionCreate(test_globals, NULL, &collection);
}
static NTSTATUS add_to_collection(void)
{
    return WdfCollectionAdd(test_globals, collection, device);
}
static NTSTATUS open_key(void)
{
    return WdfDriverOpenParametersRegistryKey(test_globals, test_wdf_driver, KEY_ALL_ACCESS, NULL, &key);
}
static NTSTATUS query_memory(void)
{
    return WdfRegistryQueryMemory(test_globals, key, NAME("short"), NonPagedPool, NULL, &memory, NULL);
}
static NTSTATUS query_strings(void)
{
    return WdfRegistryQueryMultiString(test_globals, key, NAME("short"), NULL, collection);
}
static NTSTATUS assign_strings(void)
{
    WDFCOLLECTION strings;
    NTSTATUS status = WdfCollectionCreate(test_globals, NULL, &strings);
    if (!NT_SUCCESS(status))
        return status;
    status = WdfRegistryQueryMultiString(test_globals, key, NAME("short"), NULL, strings);
    if (NT_SUCCESS(status))
        status = WdfRegistryAssignMultiString(test_globals, key, NAME("short"), strings);
    while (WdfCollectionGetCount(test_globals, strings)) {
        WDFOBJECT string = WdfCollectionGetFirstItem(test_globals, strings);
        WdfCollectionRemoveItem(test_globals, strings, 0);
        WdfObjectDelete(test_globals, string);
    }
    WdfObjectDelete(test_globals, strings);
    return status;
}

static NTSTATUS create_target(void)
{
    WDFIOTARGET target;
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    return WdfIoTargetCreate(test_globals, device, &attributes, &target);
}
static NTSTATUS create_request(void)
{
    WDFREQUEST request;
    WDF_OBJECT_ATTRIBUTES attributes = below(NULL);
    return WdfRequestCreate(test_globals, &attributes, NULL, &request);
}
static NTSTATUS create_item(void)
{
    WDFWORKITEM item;
    WDF_WORKITEM_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes = below(device);
    WDF_WORKITEM_CONFIG_INIT(&config, (PFN_WDF_WORKITEM)(void *)create_request);
    return WdfWorkItemCreate(test_globals, &config, &attributes, &item);
}
static NTSTATUS create_lock(void)
{
    WDFWAITLOCK lock;
    return WdfWaitLockCreate(test_globals, NULL, &lock);
}

static void test_objects(void **state)
{
    static NTSTATUS (*const attempts[])(void) = {create_object,  create_device,     create_link,       create_queue,
                                                 create_timer,   create_memory,     create_list,       create_from_list,
                                                 create_string,  create_collection, add_to_collection, create_target,
                                                 create_request, create_item,       create_lock};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_load(NULL), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(attempts); i++)
        assert_true(with_each_refused(attempts[i]) > 0);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
}

static void test_registry(void **state)
{
    static NTSTATUS (*const attempts[])(void) = {query_memory, query_strings, assign_strings};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_load(NULL), STATUS_SUCCESS);
    assert_int_equal(open_key(), STATUS_SUCCESS);
    assert_int_equal(create_collection(), STATUS_SUCCESS);
    assert_int_equal(WdfRegistryAssignValue(test_globals, key, NAME("short"), REG_MULTI_SZ, 14, (PVOID)L"ab\0cd\0"),
                     STATUS_SUCCESS);
    WdfCollectionAdd(test_globals, collection, collection); /* it has room from now on */
    WdfCollectionRemove(test_globals, collection, collection);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(attempts); i++)
        assert_true(with_each_refused(attempts[i]) > 0);
    assert_int_equal(test_unload(), STATUS_SUCCESS);
    assert_int_equal(io_leaks(NULL, NULL), 0);
}

/* ---- of a request ---- */

static WDFREQUEST current;
static ULONG_PTR base;
static int made;
static NTSTATUS (*attempt_in_request)(void);

static NTSTATUS lock_to_read(void)
{
    return WdfRequestProbeAndLockUserBufferForRead(test_globals, current, (PVOID)base, PAGE_SIZE + 1, &memory);
}
static NTSTATUS lock_to_write(void)
{
    return WdfRequestProbeAndLockUserBufferForWrite(test_globals, current, (PVOID)base, PAGE_SIZE + 1, &memory);
}
static NTSTATUS input_memory(void)
{
    return WdfRequestRetrieveInputMemory(test_globals, current, &memory);
}
static NTSTATUS output_mdl(void)
{
    PMDL mdl;
    return WdfRequestRetrieveOutputWdmMdl(test_globals, current, &mdl);
}

static bool try_all(WDFREQUEST request)
{
    current = request;
    refused = 0;
    made = with_each_refused(attempt_in_request);
    return false;
}

/* The memory object stays the request's own, whatever becomes of the MDL. */
static bool try_with_memory(WDFREQUEST request)
{
    assert_int_equal(WdfRequestRetrieveOutputMemory(test_globals, request, &memory), STATUS_SUCCESS);
    return try_all(request);
}

static void in_request(ULONG code, NTSTATUS (*attempt)(void))
{
    IO_STATUS_BLOCK result;
    struct io_file *file = test_open(WdfDeviceIoBuffered);
    test_in_caller = attempt == output_mdl ? try_with_memory : try_all;
    attempt_in_request = attempt;
    assert_int_equal(io_device_control(file, code, base, 64, base, 64, &result), STATUS_SUCCESS);
    test_close(file);
}

static void test_locked(void **state)
{
    const ULONG all = 1 << MM_WANT_POOL | 1 << MM_WANT_HEAP | 1 << MM_WANT_HOLD | 1 << MM_WANT_VIEW;
    UNREFERENCED_PARAMETER(state);
    in_request(CODE_NEITHER, lock_to_read);
    assert_int_equal(refused & all, all);
    assert_true(made >= 5); /* MDL, object, lock, mapping, its hold */
    in_request(CODE_NEITHER, lock_to_write);
    assert_int_equal(refused & all, all);
}

static void test_buffers(void **state)
{
    UNREFERENCED_PARAMETER(state);
    in_request(CODE_BUFFERED, input_memory);
    assert_true(made > 0);
    in_request(CODE_BUFFERED, output_mdl);
    assert_true(made > 0);
}

static int group_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    base = 0;
    return plat_user_map(&base, 2 * PAGE_SIZE, PLAT_READWRITE);
}
static int group_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return plat_user_unmap(base, 2 * PAGE_SIZE);
}

int run_shortage_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_objects), cmocka_unit_test(test_registry),
                                       cmocka_unit_test(test_locked), cmocka_unit_test(test_buffers)};
    return cmocka_run_group_tests_name("kmdf when memory is short", tests, group_up, group_down);
}
