/*
 * pool.c - the documented pool routines over mm's special pool, which is always on.
 *
 * Pool types and flags choose between zeroed and filled memory and between null and an exception; paged and non-paged
 * memory are the same here, but the IRQL rules of paged pool are held: bug check 0xC4, as Driver Verifier makes.
 */
#include "ex.h"
#include "arch.h"
#include "rtl.h"
#include "seh.h"
#include "verify_pool.h"

#define NONE_TAG RTL_TAG('N', 'o', 'n', 'e') /* of routines without a tag */

static void check_irql(bool paged, ULONG_PTR detail, ULONG_PTR subcode)
{
    ULONG irql = arch_self()->irql;
    if (irql <= (paged ? (ULONG)APC_LEVEL : (ULONG)DISPATCH_LEVEL))
        return;
    ke_bugcheck_because(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (ULONG_PTR[4]){subcode + !paged, irql, paged ? PagedPool : NonPagedPool, detail},
                        paged ? "paged pool is allocated above APC_LEVEL" : "pool is allocated above DISPATCH_LEVEL");
}

static PVOID allocate(SIZE_T size, ULONG tag, ULONG flags, bool paged, bool raise)
{
    check_irql(paged, size, 0x1);
    flags |= paged ? MM_POOL_PAGED : 0;
    PVOID block = mm_pool_allocate(size, tag, flags, MM_POOL_DRIVER, seh_export_caller());
    if (!block && raise)
        seh_raise_status(STATUS_INSUFFICIENT_RESOURCES);
    return block;
}

/*
 * NumberOfBytes of pool, zeroed unless POOL_FLAG_UNINITIALIZED. Exactly one of POOL_FLAG_PAGED, _NON_PAGED,
 * _NON_PAGED_EXECUTE must be given, and no unknown required flag; otherwise, and when memory is short, null, or
 * STATUS_INVALID_PARAMETER or STATUS_INSUFFICIENT_RESOURCES raised with POOL_FLAG_RAISE_ON_FAILURE. IRQL <=
 * DISPATCH_LEVEL, paged <= APC_LEVEL.
 */
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    const POOL_FLAGS kinds = POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE;
    const POOL_FLAGS known = kinds | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION |
                             POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE;
    POOL_FLAGS kind = Flags & kinds;
    if (ke_verify)
        ex_verify_allocation(kind == POOL_FLAG_PAGED ? PagedPool : NonPagedPool, NumberOfBytes, Tag);
    bool raise = Flags & POOL_FLAG_RAISE_ON_FAILURE;
    if (!kind || (kind & (kind - 1)) || (Flags & 0xFFFFFFFFull & ~known) || !Tag) {
        if (raise)
            seh_raise_status(STATUS_INVALID_PARAMETER);
        return NULL;
    }
    ULONG how = (Flags & POOL_FLAG_UNINITIALIZED ? 0 : MM_POOL_ZERO) |
                (Flags & POOL_FLAG_CACHE_ALIGNED ? MM_POOL_CACHE_ALIGNED : 0);
    return allocate(NumberOfBytes, Tag, how, kind == POOL_FLAG_PAGED, raise);
}

/* The same; the extended parameters (priority, secure pool, NUMA node) change nothing here. */
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            const POOL_EXTENDED_PARAMETER *ExtendedParameters, ULONG ExtendedParametersCount)
{
    UNREFERENCED_PARAMETER(ExtendedParameters);
    UNREFERENCED_PARAMETER(ExtendedParametersCount);
    return ExAllocatePool2(Flags, NumberOfBytes, Tag);
}

static PVOID allocate_typed(ULONG type, SIZE_T size, ULONG tag, bool zero, bool raise)
{
    if (ke_verify)
        ex_verify_allocation(type, size, tag);
    ULONG how = (zero || (type & POOL_ZERO_ALLOCATION) ? MM_POOL_ZERO : 0) | (type & 4 ? MM_POOL_CACHE_ALIGNED : 0);
    return allocate(size, tag, how, type & PagedPool, raise || (type & POOL_RAISE_IF_ALLOCATION_FAILURE));
}

/* Memory with unspecified contents; null, or an exception with POOL_RAISE_IF_ALLOCATION_FAILURE, when it is short. */
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_typed(PoolType, NumberOfBytes, Tag, false, false);
}

PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return allocate_typed(PoolType, NumberOfBytes, NONE_TAG, false, false);
}

PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, ULONG Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return allocate_typed(PoolType, NumberOfBytes, Tag, false, false);
}

PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_typed(PoolType, NumberOfBytes, Tag, true, false);
}

PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_typed(PoolType, NumberOfBytes, Tag, false, false);
}

/* Raises STATUS_INSUFFICIENT_RESOURCES on failure unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE is given. No quota is kept.
 */
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_typed(PoolType, NumberOfBytes, Tag, false, !((ULONG)PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE));
}

PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, NONE_TAG);
}

/* Frees a block. Bug check 0xC2: not a block, freed before, or (Tag not 0) of another tag. 0xC1: the bytes around it
 * were overwritten. */
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    check_irql(false, (ULONG_PTR)P, 0x11);
    if (ke_verify)
        ex_verify_free(P);
    mm_pool_free(P, Tag, seh_export_caller());
}

VOID NTAPI ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}

VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, const POOL_EXTENDED_PARAMETER *ExtendedParameters,
                       ULONG ExtendedParametersCount)
{
    UNREFERENCED_PARAMETER(ExtendedParameters);
    UNREFERENCED_PARAMETER(ExtendedParametersCount);
    ExFreePoolWithTag(P, Tag);
}

static void *rtl_allocate(SIZE_T size, ULONG tag)
{
    return mm_pool_allocate(size, tag, 0, MM_POOL_DRIVER, seh_export_caller());
}

static void rtl_release(void *block)
{
    mm_pool_free(block, 0, seh_export_caller());
}

static void corrupt(ULONG code, const void *object, const char *why)
{
    ke_bugcheck_because(BUGCHECK_KERNEL_SECURITY_CHECK_FAILURE, (ULONG_PTR[4]){code, (ULONG_PTR)object, 0, 0}, why);
}

NTSTATUS ex_init(void)
{
    rtl_pool = (struct rtl_pool_hooks){rtl_allocate, rtl_release};
    rtl_corrupt_hook = corrupt;
    return STATUS_SUCCESS;
}
