/* vad.h - the map of the user process's address space; for vm.c and view.c. */
#pragma once
#include "vm.h"

enum { MM_GRANULARITY = 0x10000 };

struct mm_vad {
    ULONG_PTR base;
    SIZE_T size;
    ULONG protect;              /* when it was allocated */
    bool host;                  /* of the embedding program: goes with its last page */
    struct mm_segment *segment; /* of a view, else null */
    ULONG64 offset;             /* of the view in the segment */
};

/* Everything in the map is guarded by this. The platform's lock comes after it. */
void mm_vad_lock(void);
void mm_vad_unlock(void);
void mm_vads_init(void);
/* The entry that holds address, or null; the first above it. */
struct mm_vad *mm_vad_find(ULONG_PTR address);
struct mm_vad *mm_vad_above(ULONG_PTR address);
/* A zeroed entry for what plat_user_reserve just gave; null: no memory. */
struct mm_vad *mm_vad_add(ULONG_PTR base, SIZE_T size);
void mm_vad_remove(struct mm_vad *vad);
void mm_vads_each(void (*visit)(struct mm_vad *vad, void *context), void *context);
/* Where user memory may be with zero_bits, or 0 if those make no sense. */
ULONG_PTR mm_vad_limit(ULONG64 zero_bits);
/* segment.c: the frames of pages of a segment from the index on, 0 where none is committed. vad lock held. */
const PFN_NUMBER *mm_segment_frames(struct mm_segment *segment, SIZE_T index);
/* Frames for [index, +count) where there are none. vad lock held. */
NTSTATUS mm_segment_commit(struct mm_segment *segment, SIZE_T index, SIZE_T count);
bool mm_segment_backed(struct mm_segment *segment);
NTSTATUS mm_segment_write(struct mm_segment *segment, ULONG64 offset, SIZE_T size);
/* view.c: puts the committed pages of [base, +size) of a view in place. vad lock held. */
NTSTATUS mm_view_place(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG protect);
/* Commits part of a view of a SEC_RESERVE section, in every view of it. vad lock held. */
NTSTATUS mm_view_commit(struct mm_vad *vad, ULONG_PTR base, SIZE_T size, ULONG protect);
