/*
 * memory.c - the act halves of the services on virtual memory of the user process.
 *
 * The platform maps; this file remembers which regions were allocated here, so that only those are freed. Reserving
 * without committing maps pages without access.
 */
#include "svc.h"
#include "rtl.h"

#define REGION_TAG RTL_TAG('S', 'v', 'c', 'V')

enum { MEM_COMMIT = 0x1000, MEM_RESERVE = 0x2000, MEM_DECOMMIT = 0x4000, MEM_RELEASE = 0x8000 };
enum { GRANULARITY = 0x10000 };

struct region {
    LIST_ENTRY link;
    ULONG_PTR base;
    SIZE_T size;
};
static LIST_ENTRY regions = {&regions, &regions};
static volatile LONG regions_lock; /* host threads only; held for a few instructions and the platform's call */

static void lock(void)
{
    while (__atomic_exchange_n(&regions_lock, 1, __ATOMIC_ACQUIRE))
        plat_yield();
}

static void unlock(void)
{
    __atomic_store_n(&regions_lock, 0, __ATOMIC_RELEASE);
}

/* PAGE_* of the documentation to the platform's; false: none of those supported. */
static bool protection(ULONG page, ULONG *prot)
{
    static const struct {
        ULONG page, prot;
    } rows[] = {{0x01, PLAT_NOACCESS}, {0x02, PLAT_READ}, {0x04, PLAT_READWRITE}, {0x104, PLAT_READWRITE | PLAT_GUARD}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++)
        if (rows[i].page == page) {
            *prot = rows[i].prot;
            return true;
        }
    return false;
}

static ULONG page_of(ULONG prot)
{
    ULONG page = (prot & PLAT_WRITE) ? 0x04 : (prot & PLAT_READ) ? 0x02 : 0x01;
    return prot & PLAT_GUARD ? page | 0x100 : page;
}

/* The region that holds [base, base + size), or null. Lock held. */
static struct region *find(ULONG_PTR base, SIZE_T size)
{
    for (LIST_ENTRY *entry = regions.Flink; entry != &regions; entry = entry->Flink) {
        struct region *region = CONTAINING_RECORD(entry, struct region, link);
        if (base >= region->base && base - region->base < region->size && size <= region->size - (base - region->base))
            return region;
    }
    return NULL;
}

static NTSTATUS check_process(struct svc_call *call)
{
    void *process;
    NTSTATUS status = ob_handle_reference((HANDLE)call->arguments[0].value, PROCESS_VM_OPERATION, &ob_process_type,
                                          call->mode, &process, NULL);
    if (NT_SUCCESS(status))
        ob_dereference(process);
    return status;
}

/* *base and *size to whole pages. False: outside of user space. */
static bool round_to_pages(ULONG_PTR *base, SIZE_T *size)
{
    ULONG_PTR limit = plat_layout.user_limit;
    if (*base >= limit || *size > limit - *base)
        return false;
    ULONG_PTR first = *base & ~(ULONG_PTR)(PAGE_SIZE - 1);
    *size = (*base + *size - first + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    *base = first;
    return true;
}

/* New pages at base (0: anywhere), remembered. Lock held. */
static NTSTATUS map(ULONG_PTR *base, SIZE_T size, ULONG prot)
{
    struct region *region = mm_pool_allocate(sizeof(*region), REGION_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!region)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = plat_user_map(base, size, prot);
    if (!NT_SUCCESS(status)) {
        mm_pool_free(region, REGION_TAG, 0);
        return status;
    }
    region->base = *base;
    region->size = size;
    InsertTailList(&regions, &region->link);
    return status;
}

NTSTATUS svc_AllocateVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[3].number;
    ULONG type = (ULONG)a[4].value, prot;
    if (!protection((ULONG)a[5].value, &prot))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!(type & (MEM_COMMIT | MEM_RESERVE)) || (type & ~(ULONG)(MEM_COMMIT | MEM_RESERVE)) || !size)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = check_process(call);
    if (!NT_SUCCESS(status))
        return status;
    bool reserve = !base || (type & MEM_RESERVE);
    if (base && reserve) { /* reservations begin at 64 KB */
        size += base % GRANULARITY;
        base -= base % GRANULARITY;
    }
    if (!round_to_pages(&base, &size))
        return STATUS_INVALID_PARAMETER;
    lock();
    if (reserve)
        status = map(&base, size, type & MEM_COMMIT ? prot : PLAT_NOACCESS);
    else
        status = find(base, size) ? plat_user_protect(base, size, prot) : STATUS_CONFLICTING_ADDRESSES;
    unlock();
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 3, size);
    }
    return status;
}

/* MEM_RELEASE: a whole region, size 0 or its own. MEM_DECOMMIT: pages lose access and, once committed again, contents.
 */
NTSTATUS svc_FreeVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[2].number;
    ULONG type = (ULONG)a[3].value;
    if (type != MEM_RELEASE && type != MEM_DECOMMIT)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = check_process(call);
    if (!NT_SUCCESS(status))
        return status;
    if (!round_to_pages(&base, &size))
        return STATUS_INVALID_PARAMETER;
    lock();
    struct region *region = find(base, size);
    if (region && !size)
        size = region->size - (base - region->base);
    bool whole = region && base == region->base && size == region->size;
    if (!region) {
        status = STATUS_MEMORY_NOT_ALLOCATED;
    } else if (type == MEM_DECOMMIT) {
        status = plat_user_protect(base, size, PLAT_NOACCESS);
    } else if (!whole) {
        status = STATUS_UNABLE_TO_FREE_VM;
    } else {
        status = plat_user_unmap(base, size);
        RemoveEntryList(&region->link);
        mm_pool_free(region, REGION_TAG, 0);
    }
    unlock();
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 2, size);
    }
    return status;
}

NTSTATUS svc_ProtectVirtualMemory(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    ULONG_PTR base = a[1].number;
    SIZE_T size = a[2].number, region_size;
    ULONG prot, old;
    if (!protection((ULONG)a[3].value, &prot))
        return STATUS_INVALID_PAGE_PROTECTION;
    NTSTATUS status = check_process(call);
    if (!NT_SUCCESS(status))
        return status;
    if (!size || !round_to_pages(&base, &size))
        return STATUS_INVALID_PARAMETER;
    lock();
    if (!find(base, size))
        status = STATUS_CONFLICTING_ADDRESSES;
    else if (!plat_user_query(base, &old, &region_size))
        status = STATUS_MEMORY_NOT_ALLOCATED;
    else
        status = plat_user_protect(base, size, prot);
    unlock();
    if (NT_SUCCESS(status)) {
        svc_set(call, 1, base);
        svc_set(call, 2, size);
        svc_set(call, 4, page_of(old));
    }
    return status;
}
