/*
 * vm.c - allocating, freeing, protecting and asking about the virtual memory of the user process.
 *
 * Ranges are vad.c's, pages the platform's. Views are mapped by view.c, and asked about here as well.
 */
#include "vad.h"
#include "mm_internal.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

enum { ALLOCATION_TYPES = MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_TOP_DOWN };

static bool is_user(ULONG_PTR address)
{
    return address < plat_layout.user_limit;
}

/* To whole pages; false: it does not end in user space. */
static bool whole_pages(ULONG_PTR *base, SIZE_T *size)
{
    ULONG_PTR limit = plat_layout.user_limit, first = *base & ~(ULONG_PTR)(PAGE_SIZE - 1);
    if (*size > limit - *base)
        return false;
    *size = (*base + *size - first + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    *base = first;
    return true;
}

/* The entry that holds the whole range, or null. */
static struct mm_vad *find_whole(ULONG_PTR base, SIZE_T size)
{
    struct mm_vad *vad = mm_vad_find(base);
    return vad && size <= vad->size - (base - vad->base) ? vad : NULL;
}

/* ---- allocate ---- */

static NTSTATUS reserve(ULONG_PTR *base, SIZE_T size, ULONG_PTR limit, ULONG type, ULONG protect, struct mm_vad **made)
{
    NTSTATUS status = plat_user_reserve(base, size, limit, type & MEM_TOP_DOWN);
    if (!NT_SUCCESS(status))
        return status == STATUS_INVALID_PARAMETER ? STATUS_CONFLICTING_ADDRESSES : status;
    struct mm_vad *vad = mm_vad_add(*base, size);
    if (!vad) {
        plat_user_unreserve(*base);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    vad->protect = protect;
    *made = vad;
    return status;
}

static NTSTATUS new_region(ULONG_PTR *base, SIZE_T size, ULONG_PTR limit, ULONG type, ULONG protect, ULONG prot)
{
    struct mm_vad *vad;
    NTSTATUS status = reserve(base, size, limit, type, protect, &vad);
    if (!NT_SUCCESS(status) || !(type & MEM_COMMIT))
        return status;
    status = plat_user_commit(*base, size, prot);
    if (!NT_SUCCESS(status)) {
        mm_vad_remove(vad);
        plat_user_unreserve(*base);
    }
    return status;
}

static NTSTATUS commit(ULONG_PTR base, SIZE_T size, ULONG type, ULONG protect, ULONG prot)
{
    struct mm_vad *vad = find_whole(base, size);
    if (!vad)
        return STATUS_CONFLICTING_ADDRESSES;
    if (type & MEM_RESET)
        return vad->segment ? STATUS_CONFLICTING_ADDRESSES : STATUS_SUCCESS; /* contents may stay, and do */
    return vad->segment ? mm_view_commit(vad, base, size, protect) : plat_user_commit(base, size, prot);
}

NTSTATUS mm_vm_allocate(ULONG_PTR *base, SIZE_T *size, ULONG64 zero_bits, ULONG type, ULONG protect)
{
    ULONG_PTR at = *base, limit = mm_vad_limit(zero_bits);
    SIZE_T length = *size;
    ULONG prot, what = type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET);
    if (!limit)
        return STATUS_INVALID_PARAMETER_3;
    if (type & ~(ULONG)ALLOCATION_TYPES || !what || (what & MEM_RESET && type != MEM_RESET))
        return STATUS_INVALID_PARAMETER_5;
    if (!mm_protection(protect, &prot) || prot & PLAT_COPY)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!is_user(at) || (at && at < plat_layout.user_low))
        return STATUS_INVALID_PARAMETER_2;
    if (!length || length > plat_layout.user_limit - at)
        return STATUS_INVALID_PARAMETER_4;
    bool fresh = type != MEM_RESET && (!at || what & MEM_RESERVE);
    if (at && fresh) { /* reservations begin at 64 KB */
        length += at % MM_GRANULARITY;
        at -= at % MM_GRANULARITY;
    }
    if (!whole_pages(&at, &length))
        return STATUS_INVALID_PARAMETER_4;
    mm_vad_lock();
    NTSTATUS status =
        fresh ? new_region(&at, length, limit, type, protect, prot) : commit(at, length, type, protect, prot);
    mm_vad_unlock();
    if (NT_SUCCESS(status)) {
        *base = at;
        *size = length;
    }
    return status;
}

/* ---- free ---- */

/* Which pages are meant, or why none are: the embedding program's are its own to free. */
static NTSTATUS free_range(const struct mm_vad *vad, ULONG_PTR *base, SIZE_T *size, bool zero, ULONG type)
{
    if (!vad || vad->host)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (vad->segment)
        return STATUS_UNABLE_TO_DELETE_SECTION;
    if (zero && *base != vad->base)
        return STATUS_FREE_VM_NOT_AT_BASE;
    if (zero)
        *size = vad->size;
    bool whole = *base == vad->base && *size == vad->size;
    if (type == MEM_RELEASE ? !whole : *size > vad->size - (*base - vad->base))
        return STATUS_UNABLE_TO_FREE_VM;
    return STATUS_SUCCESS;
}

/* MEM_RELEASE: a whole allocation, size 0 or its own. MEM_DECOMMIT: pages of one, all with size 0 at its base. */
NTSTATUS mm_vm_free(ULONG_PTR *base, SIZE_T *size, ULONG type)
{
    ULONG_PTR at = *base;
    SIZE_T length = *size;
    if (type != MEM_RELEASE && type != MEM_DECOMMIT)
        return STATUS_INVALID_PARAMETER_4;
    if (!is_user(at))
        return STATUS_INVALID_PARAMETER_2;
    bool zero = !length;
    if (!whole_pages(&at, &length))
        return STATUS_INVALID_PARAMETER_3;
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(at);
    NTSTATUS status = free_range(vad, &at, &length, zero, type);
    if (NT_SUCCESS(status))
        status = type == MEM_RELEASE ? plat_user_unreserve(at) : plat_user_decommit(at, length);
    if (NT_SUCCESS(status) && type == MEM_RELEASE)
        mm_vad_remove(vad);
    mm_vad_unlock();
    if (NT_SUCCESS(status)) {
        *base = at;
        *size = length;
    }
    return status;
}

/* ---- protect ---- */

/* Pages of a copy-on-write view that are their own by now are simply written. */
static NTSTATUS protect_copies(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG prot)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG own = (prot & ~(ULONG)PLAT_COPY) | PLAT_WRITE;
    for (ULONG_PTR page = base; page < base + size && NT_SUCCESS(status); page += PAGE_SIZE) {
        struct plat_user_state state;
        plat_user_state(page, page + PAGE_SIZE, &state);
        bool shared = state.frame == *mm_segment_frames(vad->segment, (vad->offset + page - vad->base) >> PAGE_SHIFT);
        status = plat_user_protect(page, PAGE_SIZE, shared ? prot : own);
    }
    return status;
}

static NTSTATUS protect_range(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG protect, ULONG prot, ULONG *old)
{
    struct plat_user_state state;
    plat_user_state(base, base + size, &state);
    if (!state.mapped)
        return STATUS_NOT_COMMITTED;
    *old = mm_page_of(state.prot);
    while (state.mapped && state.end < base + size)
        plat_user_state(state.end, base + size, &state);
    if (!state.mapped)
        return STATUS_NOT_COMMITTED;
    if (vad && vad->segment ? !mm_protection_within(protect, vad->protect) : prot & PLAT_COPY)
        return vad && vad->segment ? STATUS_SECTION_PROTECTION : STATUS_INVALID_PAGE_PROTECTION;
    return prot & PLAT_COPY ? protect_copies(vad, base, size, prot) : plat_user_protect(base, size, prot);
}

NTSTATUS mm_vm_protect(ULONG_PTR *base, SIZE_T *size, ULONG protect, ULONG *old)
{
    ULONG_PTR at = *base;
    SIZE_T length = *size;
    ULONG prot;
    if (!mm_protection(protect, &prot))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!is_user(at))
        return STATUS_INVALID_PARAMETER_2;
    if (!length || !whole_pages(&at, &length))
        return STATUS_INVALID_PARAMETER_3;
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(at), *above = mm_vad_above(at);
    struct plat_user_state state;
    plat_user_state(at, at + PAGE_SIZE, &state);
    bool within = vad ? find_whole(at, length) == vad : state.mapped && (!above || above->base >= at + length);
    NTSTATUS status = within ? protect_range(vad, at, length, protect, prot, old) : STATUS_CONFLICTING_ADDRESSES;
    mm_vad_unlock();
    if (NT_SUCCESS(status)) {
        *base = at;
        *size = length;
    }
    return status;
}

/* ---- query ---- */

_Static_assert(sizeof(MEMORY_BASIC_INFORMATION) == 48 && offsetof(MEMORY_BASIC_INFORMATION, Type) == 40,
               "the documented layout");

/* What is in no entry of the map: free up to the next one, or mapped by the platform's callers. */
static void query_outside(ULONG_PTR at, MEMORY_BASIC_INFORMATION *info)
{
    struct mm_vad *above = mm_vad_above(at);
    struct plat_user_state state;
    plat_user_state(at, above ? above->base : plat_layout.user_limit, &state);
    info->RegionSize = state.end - at;
    info->State = state.mapped ? MEM_COMMIT : MEM_FREE;
    info->Protect = state.mapped ? mm_page_of(state.prot) : PAGE_NOACCESS;
    if (!state.mapped)
        return;
    info->AllocationBase = (PVOID)plat_user_first(at);
    info->AllocationProtect = PAGE_READWRITE;
    info->Type = MEM_PRIVATE;
}

static void query_inside(const struct mm_vad *vad, ULONG_PTR at, MEMORY_BASIC_INFORMATION *info)
{
    struct plat_user_state state, next;
    ULONG_PTR end = vad->base + vad->size;
    plat_user_state(at, end, &state);
    info->AllocationBase = (PVOID)vad->base;
    info->AllocationProtect = vad->protect;
    info->State = state.mapped ? MEM_COMMIT : MEM_RESERVE;
    info->Protect = state.mapped ? mm_page_of(state.prot) : 0;
    info->Type = vad->segment ? MEM_MAPPED : MEM_PRIVATE;
    /* A region ends where what is told of it changes. */
    while (state.mapped && state.end < end) {
        plat_user_state(state.end, end, &next);
        if (!next.mapped || mm_page_of(next.prot) != info->Protect)
            break;
        state.end = next.end;
    }
    info->RegionSize = state.end - at;
}

/* STATUS_INVALID_PARAMETER: no user address. The 64 KB below the first user address are free and cannot be had. */
NTSTATUS mm_vm_query(ULONG_PTR address, MEMORY_BASIC_INFORMATION *info)
{
    ULONG_PTR at = address & ~(ULONG_PTR)(PAGE_SIZE - 1);
    if (!is_user(at))
        return STATUS_INVALID_PARAMETER;
    *info = (MEMORY_BASIC_INFORMATION){.BaseAddress = (PVOID)at};
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(at);
    if (vad)
        query_inside(vad, at, info);
    else
        query_outside(at, info);
    mm_vad_unlock();
    return STATUS_SUCCESS;
}

/* ---- copying ---- */

static NTSTATUS copy(ULONG_PTR user, UCHAR *data, SIZE_T size, SIZE_T *done, bool store)
{
    volatile SIZE_T copied = 0;
    if (size > plat_layout.user_limit || user > plat_layout.user_limit - size)
        return STATUS_ACCESS_VIOLATION;
    __try {
        while (copied < size) {
            SIZE_T part = PAGE_SIZE - BYTE_OFFSET(user + copied);
            part = part < size - copied ? part : size - copied;
            if (store)
                CopyToUser((PVOID)(user + copied), data + copied, part);
            else
                CopyFromUser(data + copied, (PVOID)(user + copied), part);
            copied += part;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        /* *done says how far it came */
    }
    *done = copied;
    return copied == size ? STATUS_SUCCESS : STATUS_PARTIAL_COPY;
}

NTSTATUS mm_vm_read(ULONG_PTR from, void *to, SIZE_T size, SIZE_T *done)
{
    return copy(from, to, size, done, false);
}

NTSTATUS mm_vm_write(ULONG_PTR to, const void *from, SIZE_T size, SIZE_T *done)
{
    return copy(to, (UCHAR *)(ULONG_PTR)from, size, done, true);
}

/* ---- the embedding program's ---- */

NTSTATUS mm_user_alloc(ULONG_PTR *address, SIZE_T size, ULONG prot)
{
    struct mm_vad *vad;
    ULONG_PTR at = 0;
    mm_vad_lock();
    NTSTATUS status = reserve(&at, size, plat_layout.user_limit, 0, PAGE_READWRITE, &vad);
    if (NT_SUCCESS(status)) {
        vad->host = true;
        status = plat_user_commit(at, size, prot);
        if (!NT_SUCCESS(status)) {
            mm_vad_remove(vad);
            plat_user_unreserve(at);
        }
    }
    mm_vad_unlock();
    *address = NT_SUCCESS(status) ? at : 0;
    return status == STATUS_COMMITMENT_LIMIT ? STATUS_NO_MEMORY : status;
}

/* An allocation of the program's without a page left goes altogether. */
static void drop_empty(struct mm_vad *vad)
{
    struct plat_user_state state;
    plat_user_state(vad->base, vad->base + vad->size, &state);
    if (vad->host && !state.mapped && state.end == vad->base + vad->size && NT_SUCCESS(plat_user_unreserve(vad->base)))
        mm_vad_remove(vad);
}

NTSTATUS mm_user_free(ULONG_PTR address, SIZE_T size)
{
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(address);
    NTSTATUS status = plat_user_unmap(address, size);
    if (NT_SUCCESS(status) && vad)
        drop_empty(vad);
    mm_vad_unlock();
    return status;
}
