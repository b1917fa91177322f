/* mdl_test.c - memory descriptor lists: locking by the documented rules, mapping, and frames that outlive the user's.
 */
#include "mdl_fixture.h"
#include "seh.h"
#include "usermode_accessors.h"

/* Locks and unlocks; what it raised. */
static NTSTATUS try_lock(ULONG_PTR address, ULONG length, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    MDL *mdl = IoAllocateMdl((PVOID)address, length, FALSE, FALSE, NULL);
    struct lock lock = {mdl, mode, operation};
    SIZE_T before = mm_holds_each(MM_POOL_DRIVER, NULL, NULL);
    NTSTATUS status = exception_of(do_lock, &lock);
    assert_int_equal(!!(mdl->MdlFlags & MDL_PAGES_LOCKED), NT_SUCCESS(status));
    assert_int_equal(mm_holds_each(MM_POOL_DRIVER, NULL, NULL), before + NT_SUCCESS(status));
    if (NT_SUCCESS(status))
        MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    return status;
}

static MDL *locked(ULONG_PTR address, ULONG length, LOCK_OPERATION operation)
{
    MDL *mdl = IoAllocateMdl((PVOID)address, length, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, UserMode, operation);
    return mdl;
}

static void release(MDL *mdl)
{
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static UCHAR *system_address(MDL *mdl)
{
    return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
}

static void sizes_and_fields(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(MmSizeOfMdl((PVOID)base, PAGE_SIZE), sizeof(MDL) + 8);
    assert_int_equal(MmSizeOfMdl((PVOID)(base + 0xFFF), 2), sizeof(MDL) + 16);
    MDL *mdl = IoAllocateMdl((PVOID)(base + 0x123), 0x2000, FALSE, FALSE, NULL);
    assert_int_equal(mdl->Size, sizeof(MDL) + 24);
    assert_ptr_equal(mdl->StartVa, base);
    assert_int_equal(mdl->ByteOffset, 0x123);
    assert_int_equal(mdl->ByteCount, 0x2000);
    assert_int_equal(mdl->MdlFlags, 0);
    assert_ptr_equal(MmGetMdlVirtualAddress(mdl), base + 0x123);
    IoFreeMdl(mdl);
    assert_null(IoAllocateMdl((PVOID)base, 0xFFFFFFFF, FALSE, FALSE, NULL));
    IRP *irp = IoAllocateIrp(1, FALSE);
    MDL *first = IoAllocateMdl((PVOID)base, 1, FALSE, FALSE, irp);
    MDL *second = IoAllocateMdl((PVOID)base, 1, TRUE, FALSE, irp),
        *third = IoAllocateMdl((PVOID)base, 1, TRUE, FALSE, irp);
    assert_true(irp->MdlAddress == first && first->Next == second && second->Next == third && !third->Next);
    IoFreeMdl(first);
    IoFreeMdl(second);
    IoFreeMdl(third);
    IoFreeIrp(irp);
}

static void a_lock_asks_every_page(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG all = PAGES * PAGE_SIZE;
    static const struct {
        ULONG prot;
        NTSTATUS read, write;
    } rows[] = {
        {PLAT_READWRITE, STATUS_SUCCESS, STATUS_SUCCESS},
        {PLAT_READ, STATUS_SUCCESS, STATUS_ACCESS_VIOLATION},
        {PLAT_NOACCESS, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
    };
    for (SIZE_T row = 0; row < RTL_NUMBER_OF(rows); row++) {
        for (ULONG page = 0; page < PAGES; page++) {
            for (KPROCESSOR_MODE mode = KernelMode; mode <= UserMode; mode++) {
                plat_user_protect(base + page * PAGE_SIZE, PAGE_SIZE, rows[row].prot);
                assert_int_equal(try_lock(base, all, mode, IoReadAccess), rows[row].read);
                assert_int_equal(try_lock(base + 1, all - 2, mode, IoWriteAccess), rows[row].write);
                assert_int_equal(try_lock(base, all, mode, IoModifyAccess), rows[row].write);
                plat_user_protect(base + page * PAGE_SIZE, PAGE_SIZE, PLAT_READWRITE);
            }
        }
    }
    plat_user_protect(base + PAGE_SIZE, PAGE_SIZE, PLAT_READWRITE | PLAT_GUARD);
    assert_int_equal(try_lock(base, all, UserMode, IoReadAccess), STATUS_GUARD_PAGE_VIOLATION);
    assert_int_equal(try_lock(base, all, UserMode, IoReadAccess), STATUS_SUCCESS); /* once */
    plat_user_poison_in_page(base + PAGE_SIZE);
    assert_int_equal(try_lock(base, all, UserMode, IoWriteAccess), STATUS_IN_PAGE_ERROR);
    assert_int_equal(try_lock(base, all, UserMode, IoWriteAccess), STATUS_SUCCESS);
}

static void a_lock_asks_for_the_mode(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, TAG);
    ULONG_PTR limit = plat_layout.user_limit;
    assert_int_equal(try_lock((ULONG_PTR)block, 100, UserMode, IoReadAccess), STATUS_ACCESS_VIOLATION);
    assert_int_equal(try_lock((ULONG_PTR)block, 100, KernelMode, IoWriteAccess), STATUS_SUCCESS);
    assert_int_equal(try_lock((ULONG_PTR)block, 2 * PAGE_SIZE, KernelMode, IoReadAccess), STATUS_ACCESS_VIOLATION);
    for (KPROCESSOR_MODE mode = KernelMode; mode <= UserMode; mode++) {
        assert_int_equal(try_lock(0, 1, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
        assert_int_equal(try_lock(base + PAGES * PAGE_SIZE - 1, 2, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
        assert_int_equal(try_lock(limit - 1, 2, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
        assert_int_equal(try_lock(limit, 1, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
        assert_int_equal(try_lock(~0ull - 10, 100, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
        assert_int_equal(try_lock(0x8000000000000000, 1, mode, IoReadAccess), STATUS_ACCESS_VIOLATION);
    }
    ExFreePool(block);
}

static void locked_pages_outlive_the_users(void **state)
{
    UNREFERENCED_PARAMETER(state);
    MDL *mdl = locked(base + 0x10, PAGE_SIZE, IoWriteAccess);
    assert_int_equal(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION), MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
    UCHAR *view = system_address(mdl);
    assert_true((ULONG_PTR)view > plat_layout.system_start);
    assert_int_equal(BYTE_OFFSET(view), 0x10);
    assert_ptr_equal(mdl->MappedSystemVa, view);
    UCHAR byte = 7;
    plat_user_store(base + 0x10, &byte, 1);
    assert_int_equal(view[0], 7);
    view[PAGE_SIZE - 1] = 8; /* on the second page */
    assert_true(plat_user_load(base + PAGE_SIZE + 0xF, &byte, 1) && byte == 8);
    plat_user_protect(base, PAGE_SIZE, PLAT_READ);
    view[0] = 9; /* write-protected towards the user only */
    assert_true(plat_user_load(base + 0x10, &byte, 1) && byte == 9);
    assert_int_equal(plat_user_unmap(base, PAGES * PAGE_SIZE), STATUS_SUCCESS);
    view[0] = 10;
    assert_int_equal(plat_user_map(&base, PAGES * PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_true(plat_user_load(base + 0x10, &byte, 1) && byte == 0); /* a new page at the old address */
    assert_int_equal(view[0], 10);
    assert_int_not_equal(MmGetPhysicalAddress((PVOID)base).QuadPart, MmGetPhysicalAddress(view).QuadPart & ~0xFFFll);
    release(mdl);
    assert_false(plat_is_readable((ULONG_PTR)view, 1)); /* unlocking unmaps */
}

static void frame_numbers_are_those_of_the_pages(void **state)
{
    UNREFERENCED_PARAMETER(state);
    MDL *mdl = locked(base, PAGES * PAGE_SIZE, IoReadAccess);
    UCHAR *view = system_address(mdl);
    for (SIZE_T i = 0; i < PAGES; i++) {
        LONGLONG physical = (LONGLONG)(MmGetMdlPfnArray(mdl)[i] << PAGE_SHIFT);
        assert_int_equal(MmGetPhysicalAddress((PVOID)(base + i * PAGE_SIZE + 5)).QuadPart, physical + 5);
        assert_int_equal(MmGetPhysicalAddress(view + i * PAGE_SIZE).QuadPart, physical);
    }
    ULONG value = 0x12345678, copy = 0;
    SIZE_T done;
    plat_user_store(base + PAGE_SIZE - 2, &value, 4);
    MM_COPY_ADDRESS from = {.PhysicalAddress = MmGetPhysicalAddress((PVOID)(base + PAGE_SIZE - 2))};
    assert_int_equal(MmCopyMemory(&copy, from, 4, MM_COPY_MEMORY_PHYSICAL, &done), STATUS_SUCCESS);
    assert_true(copy == value && done == 4);
    from.VirtualAddress = view + PAGE_SIZE - 2;
    assert_int_equal(MmCopyMemory(&copy, from, 4, MM_COPY_MEMORY_VIRTUAL, &done), STATUS_SUCCESS);
    from.VirtualAddress = (PVOID)(base + PAGES * PAGE_SIZE - 2);
    assert_int_equal(MmCopyMemory(&copy, from, 4, MM_COPY_MEMORY_VIRTUAL, &done), STATUS_ACCESS_VIOLATION);
    assert_int_equal(done, 2);
    from.PhysicalAddress.QuadPart = 0;
    assert_int_equal(MmCopyMemory(&copy, from, 4, MM_COPY_MEMORY_PHYSICAL, &done), STATUS_INVALID_ADDRESS);
    assert_int_equal(done, 0);
    assert_int_equal(MmCopyMemory(&copy, from, 4, 3, &done), STATUS_INVALID_PARAMETER);
    assert_int_equal(MmGetPhysicalAddress(NULL).QuadPart, 0);
    release(mdl);
}

static void pool_is_described_where_it_is(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, TAG);
    MDL *mdl = IoAllocateMdl(block + 5, PAGE_SIZE, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    assert_int_equal(mdl->MdlFlags, MDL_SOURCE_IS_NONPAGED_POOL);
    assert_ptr_equal(mdl->MappedSystemVa, block + 5);
    assert_ptr_equal(system_address(mdl), block + 5);
    assert_null(mdl->Process);
    MDL *part = IoAllocateMdl(block + 5, PAGE_SIZE, FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, block + 7, 10);
    assert_ptr_equal(part->MappedSystemVa, block + 7);
    assert_int_equal(part->ByteCount, 10);
    IoFreeMdl(part);
    IoFreeMdl(mdl);
    mdl = IoAllocateMdl(block, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    assert_ptr_equal(system_address(mdl), block);
    assert_true(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
    assert_false(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    release(mdl);
    assert_true(plat_is_readable((ULONG_PTR)block, 3 * PAGE_SIZE));
    ExFreePool(block);
}

static void partial_mdls_share_pages(void **state)
{
    UNREFERENCED_PARAMETER(state);
    MDL *mdl = locked(base + 0x100, 3 * PAGE_SIZE, IoWriteAccess);
    MDL *part = IoAllocateMdl((PVOID)(base + 0x100), 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, (PVOID)(base + PAGE_SIZE + 0x20), 0x40);
    assert_int_equal(part->MdlFlags, MDL_PARTIAL);
    assert_int_equal(MmGetMdlPfnArray(part)[0], MmGetMdlPfnArray(mdl)[1]);
    UCHAR *view = system_address(part), byte;
    assert_true(part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED);
    view[0] = 0x77;
    assert_true(plat_user_load(base + PAGE_SIZE + 0x20, &byte, 1) && byte == 0x77);
    MmUnmapLockedPages(view, part); /* as MmPrepareMdlForReuse does */
    UCHAR *whole = system_address(mdl);
    IoBuildPartialMdl(mdl, part, (PVOID)(base + 2 * PAGE_SIZE), 0);
    assert_int_equal(part->ByteCount, PAGE_SIZE + 0x100);
    assert_ptr_equal(part->MappedSystemVa, whole + 2 * PAGE_SIZE - 0x100); /* the source's mapping is used */
    IoFreeMdl(part);
    release(mdl);
    mdl = locked(base, PAGE_SIZE, IoReadAccess);
    part = IoAllocateMdl((PVOID)base, PAGE_SIZE, FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, (PVOID)base, 0);
    system_address(part);
    IoFreeMdl(part); /* unmaps */
    release(mdl);
}

static void advancing_unlocks_what_it_passes(void **state)
{
    UNREFERENCED_PARAMETER(state);
    MDL *mdl = locked(base + 0x10, 3 * PAGE_SIZE, IoWriteAccess);
    UCHAR *view = system_address(mdl);
    PFN_NUMBER second = MmGetMdlPfnArray(mdl)[1], third = MmGetMdlPfnArray(mdl)[2];
    assert_int_equal(MmAdvanceMdl(mdl, 3 * PAGE_SIZE + 1), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(MmAdvanceMdl(mdl, 0x20), STATUS_SUCCESS);
    assert_int_equal(mdl->ByteOffset, 0x30);
    assert_ptr_equal(mdl->StartVa, base);
    assert_int_equal(MmAdvanceMdl(mdl, PAGE_SIZE), STATUS_SUCCESS);
    assert_ptr_equal(mdl->StartVa, base + PAGE_SIZE);
    assert_int_equal(mdl->ByteCount, 2 * PAGE_SIZE - 0x20);
    assert_ptr_equal(mdl->MappedSystemVa, view + PAGE_SIZE + 0x20);
    assert_true(MmGetMdlPfnArray(mdl)[0] == second && MmGetMdlPfnArray(mdl)[1] == third);
    release(mdl);
    assert_false(plat_is_readable((ULONG_PTR)view, 1));
    mdl = locked(base, PAGE_SIZE, IoReadAccess);
    assert_int_equal(MmAdvanceMdl(mdl, PAGE_SIZE), STATUS_SUCCESS);
    assert_int_equal(mdl->ByteCount, 0);
    release(mdl);
}

struct mapping {
    MDL *mdl;
    PVOID wanted, got;
    ULONG priority;
};

static void map_for_user(void *context)
{
    struct mapping *mapping = context;
    mapping->got =
        MmMapLockedPagesSpecifyCache(mapping->mdl, UserMode, MmCached, mapping->wanted, FALSE, mapping->priority);
}

static void pages_are_mapped_for_the_user(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PHYSICAL_ADDRESS low = {.QuadPart = 0}, high = {.QuadPart = ~0ll & 0x7FFFFFFFFFFFFFFF};
    MDL *mdl = MmAllocatePagesForMdl(low, high, low, 2 * PAGE_SIZE);
    assert_non_null(mdl);
    assert_int_equal(MmGetMdlByteCount(mdl), 2 * PAGE_SIZE);
    UCHAR *view = system_address(mdl), byte = 3;
    assert_int_equal(view[PAGE_SIZE], 0);
    struct mapping mapping = {mdl, NULL, NULL, NormalPagePriority};
    assert_int_equal(exception_of(map_for_user, &mapping), STATUS_SUCCESS);
    ULONG_PTR user = (ULONG_PTR)mapping.got;
    assert_true(user && user < plat_layout.user_limit);
    view[PAGE_SIZE + 1] = 5;
    assert_int_equal(ReadUCharFromUser((UCHAR *)user + PAGE_SIZE + 1), 5);
    plat_user_store(user, &byte, 1);
    assert_int_equal(view[0], 3);
    struct mapping again = {mdl, mapping.got, NULL, NormalPagePriority};
    assert_int_equal(exception_of(map_for_user, &again), STATUS_CONFLICTING_ADDRESSES);
    MmUnmapLockedPages(mapping.got, mdl);
    assert_false(plat_user_query(user, NULL, NULL));
    again.priority = NormalPagePriority | MdlMappingNoWrite;
    assert_int_equal(exception_of(map_for_user, &again), STATUS_SUCCESS);
    assert_ptr_equal(again.got, mapping.got);
    assert_false(plat_user_store(user, &byte, 1));
    plat_user_unmap(user, 2 * PAGE_SIZE); /* the user is faster */
    MmUnmapLockedPages(again.got, mdl);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    mapping.mdl = IoAllocateMdl(block, 16, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mapping.mdl);
    assert_int_equal(exception_of(map_for_user, &mapping), STATUS_NOT_SUPPORTED);
    IoFreeMdl(mapping.mdl);
    ExFreePool(block);
}

static void allocated_pages_keep_to_their_limits(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PHYSICAL_ADDRESS zero = {.QuadPart = 0}, low = {.QuadPart = 0x1000000}, high = {.QuadPart = 0x1FFFFFF};
    PHYSICAL_ADDRESS tiny = {.QuadPart = 0xFFFF}, skip = {.QuadPart = 0x100000}, top = {.QuadPart = 1ll << 40};
    MDL *mdl = MmAllocatePagesForMdlEx(low, high, zero, 5 * PAGE_SIZE, MmCached, 0);
    for (SIZE_T i = 0; i < 5; i++)
        assert_in_range(MmGetMdlPfnArray(mdl)[i], 0x1000, 0x1FFF);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    assert_null(MmAllocatePagesForMdl(zero, tiny, zero, PAGE_SIZE));
    assert_null(MmAllocatePagesForMdl(top, top, zero, PAGE_SIZE));
    assert_null(MmAllocatePagesForMdl(high, low, zero, PAGE_SIZE));
    assert_null(MmAllocatePagesForMdl(zero, high, zero, 0));
    assert_null(MmAllocatePagesForMdlEx(low, high, zero, 0x1000000 + PAGE_SIZE, MmCached, MM_ALLOCATE_FULLY_REQUIRED));
    mdl = MmAllocatePagesForMdl(low, high, zero, 0x1000000 + PAGE_SIZE); /* as many as there are */
    assert_in_range(MmGetMdlByteCount(mdl), PAGE_SIZE, 0x1000000);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    mdl = MmAllocatePagesForMdl(zero, tiny, skip, PAGE_SIZE);
    assert_in_range(MmGetMdlPfnArray(mdl)[0], 0x100, 0x10F);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
}

static void contiguous_memory_and_io_space(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PHYSICAL_ADDRESS zero = {.QuadPart = 0}, four_gb = {.QuadPart = 0xFFFFFFFF}, tiny = {.QuadPart = 0xFFFF};
    PHYSICAL_ADDRESS boundary = {.QuadPart = 0x10000}, device = {.QuadPart = 0xFE00000000},
                     memory = {.QuadPart = 0x200000};
    UCHAR *block = MmAllocateContiguousMemory(3 * PAGE_SIZE - 1, four_gb);
    assert_int_equal(BYTE_OFFSET(block), 0);
    LONGLONG physical = MmGetPhysicalAddress(block).QuadPart;
    assert_in_range(physical, 0x100000, 0xFFFFFFFF);
    assert_int_equal(MmGetPhysicalAddress(block + 2 * PAGE_SIZE + 1).QuadPart, physical + 2 * PAGE_SIZE + 1);
    block[3 * PAGE_SIZE - 1] = 1;
    assert_false(plat_is_readable((ULONG_PTR)block + 3 * PAGE_SIZE, 1));
    MDL *mdl = IoAllocateMdl(block, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    assert_int_equal(MmGetMdlPfnArray(mdl)[1], (ULONG_PTR)physical / PAGE_SIZE + 1);
    struct mapping mapping = {mdl, NULL, NULL, NormalPagePriority};
    assert_int_equal(exception_of(map_for_user, &mapping), STATUS_SUCCESS);
    block[PAGE_SIZE] = 0x5C;
    assert_int_equal(ReadUCharFromUser((UCHAR *)mapping.got + PAGE_SIZE), 0x5C);
    MmUnmapLockedPages(mapping.got, mdl);
    IoFreeMdl(mdl);
    MmFreeContiguousMemory(block);
    assert_null(MmAllocateContiguousMemory(PAGE_SIZE, tiny));
    assert_null(MmAllocateContiguousMemory(0, four_gb));
    for (int i = 0; i < 5; i++) {
        UCHAR *odd = MmAllocateContiguousMemory(PAGE_SIZE, four_gb);
        block = MmAllocateContiguousMemorySpecifyCache(15 * PAGE_SIZE, zero, four_gb, boundary, MmNonCached);
        physical = MmGetPhysicalAddress(block).QuadPart;
        assert_int_equal(physical >> 16, (physical + 15 * PAGE_SIZE - 1) >> 16);
        MmFreeContiguousMemorySpecifyCache(block, 15 * PAGE_SIZE, MmNonCached);
        MmFreeContiguousMemory(odd);
    }
    block = MmAllocateNonCachedMemory(100);
    block[0] = 1;
    MmFreeNonCachedMemory(block, 100);
    volatile ULONG *registers =
        MmMapIoSpace((PHYSICAL_ADDRESS){.QuadPart = device.QuadPart + 0x40}, PAGE_SIZE, MmNonCached);
    assert_int_equal(BYTE_OFFSET(registers), 0x40);
    assert_int_equal(registers[0], 0);
    MmUnmapIoSpace((PVOID)(ULONG_PTR)registers, PAGE_SIZE);
    assert_null(MmMapIoSpace(memory, PAGE_SIZE, MmNonCached));
    assert_null(MmMapIoSpace(device, 0, MmNonCached));
    assert_null(MmMapIoSpaceEx(device, PAGE_SIZE, 3));
}

static void secured_ranges_stay(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE write = MmSecureVirtualMemory((PVOID)(base + PAGE_SIZE), 2 * PAGE_SIZE, PAGE_READWRITE);
    assert_non_null(write);
    assert_int_equal(plat_user_protect(base, PAGES * PAGE_SIZE, PLAT_READ), STATUS_INVALID_PAGE_PROTECTION);
    assert_int_equal(plat_user_protect(base + PAGE_SIZE, 1, PLAT_READWRITE), STATUS_SUCCESS);
    assert_int_equal(plat_user_protect(base, PAGE_SIZE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(plat_user_unmap(base, PAGES * PAGE_SIZE), STATUS_INVALID_PAGE_PROTECTION);
    HANDLE read = MmSecureVirtualMemory((PVOID)base, PAGES * PAGE_SIZE, PAGE_READONLY);
    assert_null(MmSecureVirtualMemory((PVOID)base, PAGE_SIZE, PAGE_READWRITE)); /* it is read-only by now */
    assert_null(MmSecureVirtualMemory((PVOID)base, PAGE_SIZE, PAGE_NOACCESS));
    assert_null(MmSecureVirtualMemory((PVOID)base, PAGES * PAGE_SIZE + 1, PAGE_READONLY));
    assert_null(MmSecureVirtualMemory((PVOID)&write, 1, PAGE_READONLY));
    assert_null(MmSecureVirtualMemory((PVOID)base, ~0ull, PAGE_READONLY));
    MmUnsecureVirtualMemory(write);
    assert_int_equal(plat_user_protect(base, PAGES * PAGE_SIZE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(plat_user_protect(base, PAGE_SIZE, PLAT_NOACCESS), STATUS_INVALID_PAGE_PROTECTION);
    MmUnsecureVirtualMemory(read);
    assert_int_equal(plat_user_protect(base, PAGES * PAGE_SIZE, PLAT_NOACCESS), STATUS_SUCCESS);
}

static void nothing_is_paged_out(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 2 * PAGE_SIZE, TAG);
    struct seh_image image = {.base = (ULONG_PTR)block, .size = 2 * PAGE_SIZE, .name = "paged"};
    seh_image_register(&image);
    PVOID handle = MmLockPagableDataSection(block + PAGE_SIZE + 7);
    assert_ptr_equal(handle, block + PAGE_SIZE);
    MmLockPagableSectionByHandle(handle);
    MmUnlockPagableImageSection(handle);
    MmUnlockPagableImageSection(handle);
    assert_ptr_equal(MmPageEntireDriver(block + 7), block);
    MmResetDriverPaging(block + 7);
    seh_image_unregister(&image);
    assert_true(MmIsNonPagedSystemAddressValid(block));
    assert_false(MmIsNonPagedSystemAddressValid(block + 2 * PAGE_SIZE));
    assert_false(MmIsNonPagedSystemAddressValid((PVOID)base));
    ExFreePool(block);
    ExFreePool(MmGetPhysicalMemoryRanges());
}

int run_mdl_tests(void)
{
#define MDL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        MDL_TEST(sizes_and_fields),
        MDL_TEST(a_lock_asks_every_page),
        MDL_TEST(a_lock_asks_for_the_mode),
        MDL_TEST(locked_pages_outlive_the_users),
        MDL_TEST(frame_numbers_are_those_of_the_pages),
        MDL_TEST(pool_is_described_where_it_is),
        MDL_TEST(partial_mdls_share_pages),
        MDL_TEST(advancing_unlocks_what_it_passes),
        MDL_TEST(pages_are_mapped_for_the_user),
        MDL_TEST(allocated_pages_keep_to_their_limits),
        MDL_TEST(contiguous_memory_and_io_space),
        MDL_TEST(secured_ranges_stay),
        MDL_TEST(nothing_is_paged_out),
    };
    return cmocka_run_group_tests_name("mdl", tests, NULL, NULL);
}
