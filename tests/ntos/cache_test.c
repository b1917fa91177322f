/* cache_test.c - the cache manager above a file system of one array: what it reads and writes when, and what drivers
 * are told. */
#include "exports_tests.h"
#include "mm.h"
#include "wdk/cc.h"
#include "wdk/io_more.h"

enum { PAGES = 80, SIZE = PAGES * PAGE_SIZE };

static DRIVER_OBJECT *driver;
static DEVICE_OBJECT *device;
static UNICODE_STRING device_name, link_name;
static UCHAR disk[SIZE];
static ULONG reads, writes, acquired, released;
static bool fail, refuse_lazy;
static struct io_file *opened;
static PFILE_OBJECT file;
static SECTION_OBJECT_POINTERS sections;
static SIZE_T in_use;

static NTSTATUS NTAPI succeed(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI transfer(DEVICE_OBJECT *object, IRP *irp)
{
    UNREFERENCED_PARAMETER(object);
    const ULONG paging = IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    bool write = stack->MajorFunction == IRP_MJ_WRITE;
    LONGLONG at = stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG length = stack->Parameters.Read.Length;
    bool good = (irp->Flags & paging) == paging && irp->RequestorMode == KernelMode && irp->MdlAddress && at >= 0 &&
                at + length <= SIZE && at % PAGE_SIZE == 0 && length % PAGE_SIZE == 0;
    NTSTATUS status = !good ? STATUS_INVALID_PARAMETER : fail ? STATUS_DEVICE_NOT_READY : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        UCHAR *data =
            MmMapLockedPagesSpecifyCache(irp->MdlAddress, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
        memcpy(write ? disk + at : data, write ? data : disk + at, length);
    }
    __atomic_add_fetch(write ? &writes : &reads, 1, __ATOMIC_SEQ_CST);
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = NT_SUCCESS(status) ? length : 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static VOID NTAPI on_unload(DRIVER_OBJECT *object)
{
    UNREFERENCED_PARAMETER(object);
    IoDeleteSymbolicLink(&link_name);
    IoDeleteDevice(device);
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING path)
{
    UNREFERENCED_PARAMETER(path);
    RtlInitUnicodeString(&device_name, WIDE("\\Device\\CacheTest"));
    RtlInitUnicodeString(&link_name, WIDE("\\DosDevices\\CacheTest"));
    object->MajorFunction[IRP_MJ_CREATE] = succeed;
    object->MajorFunction[IRP_MJ_CLEANUP] = succeed;
    object->MajorFunction[IRP_MJ_CLOSE] = succeed;
    object->MajorFunction[IRP_MJ_READ] = transfer;
    object->MajorFunction[IRP_MJ_WRITE] = transfer;
    object->DriverUnload = on_unload;
    NTSTATUS status = IoCreateDevice(object, 0, &device_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    return NT_SUCCESS(status) ? IoCreateSymbolicLink(&link_name, &device_name) : status;
}

static int load(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return io_driver_load((ULONG_PTR)entry, (PVOID)&entry, 0x1000, "cachetest", &driver);
}

static int unload(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return io_driver_unload(driver);
}

static BOOLEAN NTAPI acquire(PVOID context, BOOLEAN wait)
{
    acquired += context == disk && wait;
    return !refuse_lazy;
}

static VOID NTAPI release(PVOID context)
{
    released += context == disk;
}

static CACHE_MANAGER_CALLBACKS callbacks = {.AcquireForLazyWrite = acquire, .ReleaseFromLazyWrite = release};

static LARGE_INTEGER at(LONGLONG offset)
{
    return (LARGE_INTEGER){.QuadPart = offset};
}

static void begin(LONGLONG size)
{
    CC_FILE_SIZES sizes = {at(size), at(size), at(size)};
    for (ULONG i = 0; i < SIZE; i++)
        disk[i] = (UCHAR)(i / PAGE_SIZE + 1);
    fail = refuse_lazy = false;
    assert_int_equal(io_open("\\\\.\\CacheTest", &opened), STATUS_SUCCESS);
    file = io_file_object(opened);
    in_use = mm_pool_bytes_in_use(MM_POOL_KERNEL);
    sections = (SECTION_OBJECT_POINTERS){0};
    file->SectionObjectPointer = &sections;
    CcInitializeCacheMap(file, &sizes, TRUE, &callbacks, disk);
    assert_non_null(sections.SharedCacheMap);
    assert_non_null(file->PrivateCacheMap);
    assert_int_equal(((LARGE_INTEGER *)sections.SharedCacheMap)[1].QuadPart, size); /* CcGetFileSizePointer */
    reads = writes = acquired = released = 0;
}

static void finish(void)
{
    CcWaitForCurrentLazyWriterActivity();
    assert_true(CcUninitializeCacheMap(file, NULL, NULL));
    assert_null(sections.SharedCacheMap);
    assert_null(file->PrivateCacheMap);
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_KERNEL), in_use);
    assert_int_equal(io_close(opened), STATUS_SUCCESS);
}

static void reads_come_once(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static UCHAR buffer[3 * PAGE_SIZE];
    IO_STATUS_BLOCK result;
    PVOID bcb, data;
    LARGE_INTEGER from = at(PAGE_SIZE + 10), across = at(VACB_MAPPING_GRANULARITY - PAGE_SIZE);
    begin(SIZE);
    assert_false(CcCopyRead(file, &from, PAGE_SIZE, FALSE, buffer, &result));
    assert_false(CcMapData(file, &from, 4, 0, &bcb, &data));
    assert_false(CcMapData(file, &from, 4, MAP_WAIT | MAP_NO_READ, &bcb, &data));
    assert_int_equal(reads, 0);
    assert_true(CcCopyRead(file, &from, PAGE_SIZE, TRUE, buffer, &result));
    assert_int_equal(result.Information, PAGE_SIZE);
    assert_int_equal(buffer[0], 2);
    assert_int_equal(buffer[PAGE_SIZE - 1], 3);
    assert_int_equal(reads, 1);
    assert_true(CcCopyRead(file, &from, PAGE_SIZE, FALSE, buffer, &result));
    assert_true(CcMapData(file, &from, 4, 0, &bcb, &data));
    assert_int_equal(((PUBLIC_BCB *)bcb)->MappedFileOffset.QuadPart, PAGE_SIZE);
    assert_int_equal(((PUBLIC_BCB *)bcb)->MappedLength, PAGE_SIZE);
    assert_int_equal(*(UCHAR *)data, 2);
    assert_ptr_equal(CcGetFileObjectFromBcb(bcb), file);
    assert_false(CcPurgeCacheSection(&sections, NULL, 0, FALSE));
    CcUnpinData(bcb);
    assert_int_equal(reads, 1);
    assert_true(CcPurgeCacheSection(&sections, NULL, 0, FALSE));
    assert_false(CcMapData(file, &from, 4, 0, &bcb, &data));
    assert_true(CcCopyRead(file, &across, 2 * PAGE_SIZE, TRUE, buffer, &result)); /* two views */
    assert_int_equal(buffer[0], 64);
    assert_int_equal(buffer[PAGE_SIZE], 65);
    assert_int_equal(reads, 3);
    finish();
    assert_int_equal(writes, 0);
}

static void map_now(void *context)
{
    PVOID bcb, data;
    CcMapData(file, context, 2 * PAGE_SIZE, MAP_WAIT, &bcb, &data);
    CcUnpinData(bcb);
}

static void failures_are_raised(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LARGE_INTEGER zero = at(0), end = at(SIZE), across = at(VACB_MAPPING_GRANULARITY - PAGE_SIZE);
    IO_STATUS_BLOCK result;
    UCHAR byte = 0xEE;
    begin(SIZE);
    fail = true;
    assert_int_equal(exception_of(map_now, &zero), STATUS_DEVICE_NOT_READY);
    fail = false;
    assert_int_equal(exception_of(map_now, &zero), STATUS_SUCCESS);
    assert_int_equal(exception_of(map_now, &end), STATUS_INVALID_PARAMETER);
    assert_int_equal(exception_of(map_now, &across), STATUS_INVALID_PARAMETER);
    refuse_lazy = true;
    assert_true(CcCopyWrite(file, &zero, 1, TRUE, &byte));
    fail = true;
    CcFlushCache(&sections, NULL, 0, &result);
    assert_int_equal(result.Status, STATUS_DEVICE_NOT_READY);
    assert_true(CcIsThereDirtyData(file->Vpb)); /* it can be tried again */
    fail = false;
    CcFlushCache(&sections, &zero, 1, &result);
    assert_int_equal(result.Status, STATUS_SUCCESS);
    assert_int_equal(result.Information, 1);
    assert_int_equal(disk[0], 0xEE);
    CcWaitForCurrentLazyWriterActivity();
    finish();
}

static void writes_are_lazy(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LARGE_INTEGER zero = at(0), second = at(PAGE_SIZE);
    static UCHAR page[PAGE_SIZE];
    PVOID bcb, again, data, same;
    IO_STATUS_BLOCK result;
    begin(SIZE);
    memset(page, 0xAB, sizeof(page));
    assert_true(CcCopyWrite(file, &zero, PAGE_SIZE, FALSE, page)); /* a whole page is not read */
    CcWaitForCurrentLazyWriterActivity();
    assert_int_equal(reads, 0);
    assert_int_equal(writes, 1);
    assert_int_equal(acquired, 1);
    assert_int_equal(released, 1);
    assert_int_equal(disk[PAGE_SIZE - 1], 0xAB);
    assert_false(CcIsThereDirtyData(file->Vpb));
    assert_false(CcPinRead(file, &second, 8, PIN_WAIT | PIN_IF_BCB, &bcb, &data));
    assert_null(bcb);
    assert_true(CcPinRead(file, &second, 8, PIN_WAIT, &bcb, &data));
    assert_true(CcPinRead(file, &second, 8, PIN_WAIT | PIN_IF_BCB, &again, &same));
    assert_ptr_equal(again, bcb);
    assert_ptr_equal(same, data);
    *(UCHAR *)data = 0xCD;
    CcSetDirtyPinnedData(bcb, NULL);
    CcWaitForCurrentLazyWriterActivity();
    assert_int_equal(writes, 1); /* not while it is pinned */
    assert_true(CcIsThereDirtyData(file->Vpb));
    CcUnpinData(again);
    CcUnpinDataForThread(bcb, (ULONG_PTR)KeGetCurrentThread());
    CcWaitForCurrentLazyWriterActivity();
    assert_int_equal(writes, 2);
    assert_int_equal(disk[PAGE_SIZE], 0xCD);
    refuse_lazy = true;
    assert_true(CcMapData(file, &second, 8, MAP_WAIT, &bcb, &data));
    assert_true(CcPinMappedData(file, &second, 8, PIN_WAIT, &bcb));
    CcUnpinData(bcb);
    assert_true(CcPreparePinWrite(file, &second, 8, TRUE, PIN_WAIT | PIN_EXCLUSIVE, &bcb, &data));
    CcUnpinData(bcb);
    CcWaitForCurrentLazyWriterActivity();
    assert_int_equal(writes, 2); /* the file system would not let it */
    CcFlushCache(&sections, NULL, 0, &result);
    assert_int_equal(writes, 3);
    assert_int_equal(disk[PAGE_SIZE], 0);
    assert_int_equal(disk[PAGE_SIZE + 8], 2);
    finish();
}

static void ends_and_sizes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    LARGE_INTEGER zero = at(0), behind = at(2 * PAGE_SIZE);
    CC_FILE_SIZES larger = {at(4 * PAGE_SIZE), at(4 * PAGE_SIZE), at(2 * PAGE_SIZE)};
    CACHE_UNINITIALIZE_EVENT event = {0};
    PVOID bcb, data;
    UCHAR byte = 0x77;
    begin(2 * PAGE_SIZE);
    assert_int_equal(exception_of(map_now, &behind), STATUS_INVALID_PARAMETER);
    CcSetFileSizes(file, &larger);
    assert_true(CcMapData(file, &behind, 4, 0, &bcb, &data)); /* behind the valid data: zeroes, not read */
    assert_int_equal(*(UCHAR *)data, 0);
    refuse_lazy = true;
    assert_true(CcCopyWrite(file, &zero, 1, TRUE, &byte));
    CcWaitForCurrentLazyWriterActivity();
    KeInitializeEvent(&event.Event, NotificationEvent, FALSE);
    assert_false(CcUninitializeCacheMap(file, NULL, &event)); /* a mapping keeps it */
    assert_int_equal(disk[0], 1);
    CcUnpinData(bcb);
    assert_null(sections.SharedCacheMap);
    assert_int_equal(disk[0], 0x77); /* the last one writes */
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_KERNEL), in_use);
    assert_int_equal(io_close(opened), STATUS_SUCCESS);
}

int run_cache_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_come_once),
        cmocka_unit_test(failures_are_raised),
        cmocka_unit_test(writes_are_lazy),
        cmocka_unit_test(ends_and_sizes),
    };
    return cmocka_run_group_tests_name("cache", tests, load, unload);
}
