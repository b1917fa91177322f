/*
 * fsrtl.c - pool for file systems, which raises when there is none; identifiers; the one question about privileges.
 */
#include "ex.h"
#include "rtl.h"
#include "seh.h"
#include "wdk/ke_more.h"

#define FSRTL_TAG RTL_TAG('F', 'S', 'r', 't')

static PVOID or_raise(PVOID block)
{
    if (!block)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return block;
}

/* Each raises STATUS_INSUFFICIENT_RESOURCES instead of returning null. */
PVOID NTAPI FsRtlAllocatePoolWithTag(POOL_TYPE PoolType, ULONG NumberOfBytes, ULONG Tag)
{
    return or_raise(ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag));
}

PVOID NTAPI FsRtlAllocatePool(POOL_TYPE PoolType, ULONG NumberOfBytes)
{
    return FsRtlAllocatePoolWithTag(PoolType, NumberOfBytes, FSRTL_TAG);
}

PVOID NTAPI FsRtlAllocatePoolWithQuotaTag(POOL_TYPE PoolType, ULONG NumberOfBytes, ULONG Tag)
{
    return or_raise(ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag));
}

PVOID NTAPI FsRtlAllocatePoolWithQuota(POOL_TYPE PoolType, ULONG NumberOfBytes)
{
    return FsRtlAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, FSRTL_TAG);
}

/* One round of SplitMix64. */
static ULONG64 mix(ULONG64 value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

/* A version 4 UUID from clocks and a count: unlike every other, not secret. */
NTSTATUS NTAPI ExUuidCreate(GUID *Uuid)
{
    static ULONG64 count;
    ULONG64 serial = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    ULONG64 halves[2] = {mix(plat_system_time_100ns() + serial * 0x9E3779B97F4A7C15u),
                         mix(plat_time_ns() ^ (plat_thread_id() << 40) ^ serial << 20 ^ (ULONG_PTR)&count)};
    GUID made;
    __builtin_memcpy(&made, halves, sizeof(made));
    made.Data3 = (USHORT)((made.Data3 & 0x0FFF) | 0x4000);
    made.Data4[0] = (UCHAR)((made.Data4[0] & 0x3F) | 0x80);
    *Uuid = made;
    return STATUS_SUCCESS;
}

/*
 * Kernel mode has every privilege. User mode is an administrator, with what is enabled for one from the start:
 * SeChangeNotify (23), SeImpersonate (29), SeCreateGlobal (30). PrivilegeValue is a LUID.
 */
BOOLEAN NTAPI SeSinglePrivilegeCheck(LARGE_INTEGER PrivilegeValue, KPROCESSOR_MODE PreviousMode)
{
    LONGLONG privilege = PrivilegeValue.QuadPart;
    return PreviousMode == KernelMode || privilege == 23 || privilege == 29 || privilege == 30;
}
