/*
 * segment.c - segments: the frames that the views of a section share, and what stands behind them.
 *
 * A page without a frame is not committed. All of a file's segment is read when it is made (by the caller, through a
 * view in system space); what views wrote goes back when they end or are flushed.
 */
#include "vad.h"
#include "rtl.h"

#define SEGMENT_TAG RTL_TAG('S', 'e', 'g', 'm')

struct mm_segment {
    LIST_ENTRY link; /* in segments, when it has a key */
    LONG references;
    ULONG64 bytes;
    SIZE_T pages;
    PFN_NUMBER *frames;
    struct mm_backing backing;
};
static LIST_ENTRY segments = {&segments, &segments}; /* vad lock, as everything in a segment but the backing */

static SIZE_T pages_of(ULONG64 bytes)
{
    return (SIZE_T)((bytes >> PAGE_SHIFT) + (bytes % PAGE_SIZE != 0));
}

const PFN_NUMBER *mm_segment_frames(struct mm_segment *segment, SIZE_T index)
{
    return segment->frames + index;
}

NTSTATUS mm_segment_commit(struct mm_segment *segment, SIZE_T index, SIZE_T count)
{
    SIZE_T end = index + count;
    for (SIZE_T run; index < end; index += run) {
        run = 1;
        if (segment->frames[index])
            continue;
        while (index + run < end && !segment->frames[index + run])
            run++;
        uint64_t first;
        if (!NT_SUCCESS(plat_frames_allocate(run, PLAT_FRAME_FIRST, PLAT_FRAME_END, &first)))
            return STATUS_COMMITMENT_LIMIT;
        for (SIZE_T i = 0; i < run; i++)
            segment->frames[index + i] = first + i;
    }
    return STATUS_SUCCESS;
}

/* Nobody else has it, or the vad lock is held. */
static NTSTATUS resize(struct mm_segment *segment, ULONG64 bytes)
{
    SIZE_T pages = pages_of(bytes);
    if (pages > segment->pages) {
        PFN_NUMBER *frames = plat_system_map(pages * sizeof(*frames), PLAT_READWRITE);
        if (!frames)
            return STATUS_INSUFFICIENT_RESOURCES;
        for (SIZE_T i = 0; i < segment->pages; i++)
            frames[i] = segment->frames[i];
        if (segment->frames)
            plat_system_unmap(segment->frames, segment->pages * sizeof(*frames));
        segment->frames = frames;
        segment->pages = pages;
    }
    segment->bytes = bytes;
    return STATUS_SUCCESS;
}

static void destroy(struct mm_segment *segment)
{
    for (SIZE_T i = 0; i < segment->pages; i++)
        if (segment->frames[i])
            plat_frames_drop(&segment->frames[i], 1);
    if (segment->frames)
        plat_system_unmap(segment->frames, segment->pages * sizeof(*segment->frames));
    if (segment->backing.release)
        segment->backing.release(segment->backing.context);
    mm_pool_free(segment, SEGMENT_TAG, 0);
}

NTSTATUS mm_segment_create(ULONG64 bytes, bool commit, const struct mm_backing *backing, struct mm_segment **created)
{
    if (pages_of(bytes) > PLAT_FRAME_END)
        return STATUS_SECTION_TOO_BIG;
    struct mm_segment *segment = mm_pool_allocate(sizeof(*segment), SEGMENT_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!segment)
        return STATUS_INSUFFICIENT_RESOURCES;
    segment->references = 1;
    InitializeListHead(&segment->link);
    NTSTATUS status = resize(segment, bytes);
    if (NT_SUCCESS(status) && commit)
        status = mm_segment_commit(segment, 0, segment->pages);
    if (!NT_SUCCESS(status)) {
        destroy(segment);
        return status;
    }
    if (backing) {
        segment->backing = *backing;
        mm_vad_lock();
        InsertTailList(&segments, &segment->link);
        mm_vad_unlock();
    }
    *created = segment;
    return status;
}

struct mm_segment *mm_segment_find(const void *key)
{
    struct mm_segment *found = NULL;
    mm_vad_lock();
    for (LIST_ENTRY *link = segments.Flink; link != &segments && !found; link = link->Flink) {
        struct mm_segment *segment = CONTAINING_RECORD(link, struct mm_segment, link);
        if (segment->backing.key == key)
            found = segment;
    }
    if (found)
        mm_segment_reference(found);
    mm_vad_unlock();
    return found;
}

void mm_segment_reference(struct mm_segment *segment)
{
    __atomic_add_fetch(&segment->references, 1, __ATOMIC_RELAXED);
}

void mm_segment_release(struct mm_segment *segment)
{
    mm_vad_lock();
    bool last = __atomic_sub_fetch(&segment->references, 1, __ATOMIC_ACQ_REL) == 0;
    if (last)
        RemoveEntryList(&segment->link);
    mm_vad_unlock();
    if (last)
        destroy(segment);
}

ULONG64 mm_segment_bytes(struct mm_segment *segment)
{
    return segment->bytes;
}

bool mm_segment_backed(struct mm_segment *segment)
{
    return segment->backing.write != NULL;
}

NTSTATUS mm_segment_extend(struct mm_segment *segment, ULONG64 bytes)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (pages_of(bytes) > PLAT_FRAME_END)
        return STATUS_SECTION_TOO_BIG;
    mm_vad_lock();
    if (bytes > segment->bytes)
        status = resize(segment, bytes);
    if (NT_SUCCESS(status))
        status = mm_segment_commit(segment, 0, segment->pages);
    mm_vad_unlock();
    return status;
}

/* The frames of [index, +count), committed, in system space. */
static NTSTATUS system_view(struct mm_segment *segment, SIZE_T index, SIZE_T count, void **view)
{
    mm_vad_lock();
    NTSTATUS status = mm_segment_commit(segment, index, count);
    if (NT_SUCCESS(status))
        status = plat_frames_view(segment->frames + index, count, PLAT_READWRITE, view);
    mm_vad_unlock();
    return status == STATUS_NO_MEMORY ? STATUS_INSUFFICIENT_RESOURCES : status;
}

NTSTATUS mm_segment_system_view(struct mm_segment *segment, ULONG64 bytes, void **view)
{
    return system_view(segment, 0, pages_of(bytes), view);
}

NTSTATUS mm_segment_write(struct mm_segment *segment, ULONG64 offset, SIZE_T size)
{
    void *view;
    if (!segment->backing.write || offset >= segment->bytes)
        return STATUS_SUCCESS;
    if (size > segment->bytes - offset)
        size = (SIZE_T)(segment->bytes - offset);
    NTSTATUS status = system_view(segment, (SIZE_T)(offset >> PAGE_SHIFT), pages_of(size), &view);
    if (!NT_SUCCESS(status))
        return status;
    status = segment->backing.write(segment->backing.context, view, size, offset);
    plat_user_alias_release(view, pages_of(size) << PAGE_SHIFT);
    return status;
}
