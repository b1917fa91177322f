/*
 * view.c - views of sections: in the user process and in system space.
 *
 * A view's pages are the segment's frames, so all views see the same bytes; a copy-on-write view's page becomes its own
 * at the first write (the platform's doing).
 */
#include "vad.h"
#include "mm_internal.h"

/* ---- in the user process ---- */

NTSTATUS mm_view_place(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG protect)
{
    ULONG prot;
    SIZE_T index = (SIZE_T)((vad->offset + (base - vad->base)) >> PAGE_SHIFT);
    mm_protection(protect, &prot);
    return plat_user_place(base, mm_segment_frames(vad->segment, index), size >> PAGE_SHIFT, prot);
}

struct commit {
    struct mm_segment *segment;
    ULONG64 start, end; /* in the segment */
    NTSTATUS status;
};

static void place_part(struct mm_vad *vad, void *context)
{
    struct commit *commit = context;
    if (vad->segment != commit->segment || !NT_SUCCESS(commit->status))
        return;
    ULONG64 start = vad->offset > commit->start ? vad->offset : commit->start;
    ULONG64 end = vad->offset + vad->size < commit->end ? vad->offset + vad->size : commit->end;
    if (start < end)
        commit->status =
            mm_view_place(vad, vad->base + (ULONG_PTR)(start - vad->offset), (SIZE_T)(end - start), vad->protect);
}

NTSTATUS mm_view_commit(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG protect)
{
    ULONG prot;
    struct plat_user_state state;
    plat_user_state(base, base + size, &state);
    if (state.mapped && state.end == base + size)
        return STATUS_ALREADY_COMMITTED;
    if (!mm_protection(protect, &prot) || !mm_protection_within(protect, vad->protect))
        return STATUS_SECTION_PROTECTION;
    ULONG64 start = vad->offset + (base - vad->base);
    NTSTATUS status = mm_segment_commit(vad->segment, (SIZE_T)(start >> PAGE_SHIFT), size >> PAGE_SHIFT);
    struct commit commit = {vad->segment, start, start + size, status};
    mm_vads_each(place_part, &commit);
    return NT_SUCCESS(commit.status) ? plat_user_protect(base, size, prot) : commit.status;
}

static bool whole_view(const struct mm_section *section, ULONG64 *offset, SIZE_T *size)
{
    ULONG64 below = *offset % MM_GRANULARITY;
    if (*offset >= section->bytes || *size > section->bytes - *offset)
        return false;
    *size = *size ? *size + (SIZE_T)below : (SIZE_T)(section->bytes - *offset + below);
    *offset -= below;
    *size = (*size + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    return true;
}

/* vad lock held. */
static NTSTATUS map(struct mm_section *section, ULONG_PTR *base, ULONG_PTR limit, SIZE_T commit, ULONG64 offset,
                    SIZE_T size, ULONG type, ULONG protect)
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
    vad->segment = section->segment;
    vad->offset = offset;
    if (commit > size)
        commit = size;
    status =
        mm_segment_commit(section->segment, (SIZE_T)(offset >> PAGE_SHIFT), (commit + PAGE_SIZE - 1) >> PAGE_SHIFT);
    if (NT_SUCCESS(status))
        status = mm_view_place(vad, *base, size, protect);
    if (!NT_SUCCESS(status)) {
        mm_vad_remove(vad);
        plat_user_unreserve(*base);
        return status;
    }
    mm_segment_reference(section->segment);
    return status;
}

NTSTATUS mm_view_map(struct mm_section *section, ULONG_PTR *base, ULONG64 zero_bits, SIZE_T commit, ULONG64 *offset,
                     SIZE_T *size, ULONG type, ULONG protect)
{
    ULONG prot;
    ULONG_PTR at = *base, limit = mm_vad_limit(zero_bits);
    ULONG64 start = *offset;
    SIZE_T length = *size;
    if (at >= plat_layout.user_limit)
        return STATUS_INVALID_PARAMETER_3;
    if (!limit)
        return STATUS_INVALID_PARAMETER_4;
    if (!mm_protection(protect, &prot))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (!mm_protection_within(protect, section->protect))
        return STATUS_SECTION_PROTECTION;
    if (length > plat_layout.user_limit - at || !whole_view(section, &start, &length))
        return STATUS_INVALID_VIEW_SIZE;
    at -= at % MM_GRANULARITY;
    mm_vad_lock();
    NTSTATUS status = map(section, &at, limit, commit, start, length, type, protect);
    mm_vad_unlock();
    if (NT_SUCCESS(status)) {
        *base = at;
        *offset = start;
        *size = length;
    }
    return status;
}

NTSTATUS mm_view_unmap(ULONG_PTR address)
{
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(address), gone = {0};
    NTSTATUS status = vad && vad->segment ? plat_user_unreserve(vad->base) : STATUS_NOT_MAPPED_VIEW;
    if (NT_SUCCESS(status)) {
        gone = *vad;
        mm_vad_remove(vad);
    }
    mm_vad_unlock();
    if (!NT_SUCCESS(status))
        return status;
    if (mm_protection_writes(gone.protect))
        mm_segment_write(gone.segment, gone.offset, gone.size);
    mm_segment_release(gone.segment);
    return status;
}

NTSTATUS mm_view_flush(ULONG_PTR *base, SIZE_T *size)
{
    ULONG_PTR at = *base & ~(ULONG_PTR)(PAGE_SIZE - 1);
    mm_vad_lock();
    struct mm_vad *vad = mm_vad_find(at);
    struct mm_segment *segment = vad ? vad->segment : NULL;
    SIZE_T room = vad ? vad->size - (at - vad->base) : 0;
    ULONG64 offset = vad ? vad->offset + (at - vad->base) : 0;
    bool writes = vad && mm_protection_writes(vad->protect);
    if (segment)
        mm_segment_reference(segment);
    mm_vad_unlock();
    if (!segment)
        return STATUS_NOT_MAPPED_VIEW;
    SIZE_T length = *size ? *size + (*base - at) : room;
    NTSTATUS status = length < *size || length > room ? STATUS_NOT_MAPPED_VIEW : STATUS_SUCCESS;
    length = (length + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    if (NT_SUCCESS(status) && writes)
        status = mm_segment_write(segment, offset, length);
    mm_segment_release(segment);
    if (NT_SUCCESS(status)) {
        *base = at;
        *size = length;
    }
    return status;
}

/* ---- in system space ---- */

NTSTATUS mm_view_system(struct mm_section *section, ULONG_PTR caller, void **base, SIZE_T *bytes)
{
    const bool writes = mm_protection_writes(section->protect);
    SIZE_T size = *bytes ? *bytes : (SIZE_T)section->bytes;
    void *view;
    if (size > section->bytes)
        return STATUS_INVALID_VIEW_SIZE;
    NTSTATUS status = mm_segment_system_view(section->segment, size, &view);
    if (!NT_SUCCESS(status))
        return status;
    if (!writes)
        plat_view_protect(view, PLAT_READ);
    size = (size + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    struct mm_hold hold = {.kind = MM_HOLD_SECTION_VIEW,
                           .owner = MM_POOL_DRIVER,
                           .caller = caller,
                           .base = (ULONG_PTR)view,
                           .size = size,
                           .check = writes,
                           .handle = section->segment};
    if (!mm_hold_add(&hold)) {
        plat_user_alias_release(view, size);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    mm_segment_reference(section->segment);
    *base = view;
    *bytes = size;
    return status;
}

/* Ends such a view; what it wrote to a file's section goes to the file. STATUS_NOT_MAPPED_VIEW: there is none at
 * MappedBase. */
NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    struct mm_hold hold;
    if (!mm_hold_find(MM_HOLD_SECTION_VIEW, NULL, (ULONG_PTR)MappedBase, &hold) || hold.base != (ULONG_PTR)MappedBase ||
        !mm_hold_take(MM_HOLD_SECTION_VIEW, NULL, (ULONG_PTR)MappedBase, &hold))
        return STATUS_NOT_MAPPED_VIEW;
    plat_user_alias_release((void *)hold.base, hold.size);
    if (hold.check)
        mm_segment_write(hold.handle, 0, hold.size);
    mm_segment_release(hold.handle);
    return STATUS_SUCCESS;
}
