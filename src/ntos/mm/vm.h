/*
 * vm.h - virtual memory of the user process, and sections: what the services and the embedding API do with them.
 *
 * An address in the map (vad.c) is free, private memory or part of a view. Which pages are committed and how they are
 * protected the platform knows; the map knows what a range is. A segment holds the frames that the views of a section
 * share; it lives as long as a section or a view does.
 */
#pragma once
#include "mm.h"
#include "wdk/vm.h"

/* ---- protection.c ---- */

/* PAGE_* to the platform's, with a tag that brings it back. False: no such combination. */
bool mm_protection(ULONG page, ULONG *prot);
/* And back; memory that was not protected through here has no tag. */
ULONG mm_page_of(ULONG prot);
/* Whether a view or a section with protection had may have protection page. */
bool mm_protection_within(ULONG page, ULONG had);
static inline bool mm_protection_writes(ULONG page)
{
    return page & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE);
}
static inline bool mm_protection_copies(ULONG page)
{
    return page & (PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY);
}

/* ---- vm.c: the services' work; base and size come back as whole pages. IRQL PASSIVE_LEVEL ---- */

NTSTATUS mm_vm_allocate(ULONG_PTR *base, SIZE_T *size, ULONG64 zero_bits, ULONG type, ULONG protect);
NTSTATUS mm_vm_free(ULONG_PTR *base, SIZE_T *size, ULONG type);
NTSTATUS mm_vm_protect(ULONG_PTR *base, SIZE_T *size, ULONG protect, ULONG *old);
NTSTATUS mm_vm_query(ULONG_PTR address, MEMORY_BASIC_INFORMATION *info);
/* Copies as user mode could, up to the first page it could not; *done: how far. STATUS_PARTIAL_COPY. */
NTSTATUS mm_vm_read(ULONG_PTR from, void *to, SIZE_T size, SIZE_T *done);
NTSTATUS mm_vm_write(ULONG_PTR to, const void *from, SIZE_T size, SIZE_T *done);
/* Memory of the embedding program: prot is the platform's. A whole region, or pages of one, which then are gone. */
NTSTATUS mm_user_alloc(ULONG_PTR *address, SIZE_T size, ULONG prot);
NTSTATUS mm_user_free(ULONG_PTR address, SIZE_T size);

/* ---- segment.c ---- */

/* Where a segment's contents come from and go to; null functions: nowhere. */
struct mm_backing {
    void *context;
    const void *key; /* what file it is: one segment per key */
    NTSTATUS (*write)(void *context, void *data, SIZE_T size, ULONG64 offset);
    void (*release)(void *context);
};

struct mm_segment;
/* bytes, with all pages committed or none. One reference. */
NTSTATUS mm_segment_create(ULONG64 bytes, bool commit, const struct mm_backing *backing, struct mm_segment **segment);
/* The segment with this key, referenced, or null. */
struct mm_segment *mm_segment_find(const void *key);
void mm_segment_reference(struct mm_segment *segment);
void mm_segment_release(struct mm_segment *segment);
ULONG64 mm_segment_bytes(struct mm_segment *segment);
/* Makes it larger, its new pages zero. STATUS_INSUFFICIENT_RESOURCES, STATUS_COMMITMENT_LIMIT. */
NTSTATUS mm_segment_extend(struct mm_segment *segment, ULONG64 bytes);
/* A view of its first bytes in system space, to fill it; end with plat_user_alias_release. */
NTSTATUS mm_segment_system_view(struct mm_segment *segment, ULONG64 bytes, void **view);

/* ---- view.c ---- */

/* A section object's body. */
struct mm_section {
    struct mm_segment *segment;
    ULONG64 bytes;
    ULONG protect, attributes;
};
/* offset is a multiple of 64 KB, or is rounded down; *size 0: to the end. protect is held against the section's. */
NTSTATUS mm_view_map(struct mm_section *section, ULONG_PTR *base, ULONG64 zero_bits, SIZE_T commit, ULONG64 *offset,
                     SIZE_T *size, ULONG type, ULONG protect);
/*
 * The first *bytes of the section (0: all) in system space, writable if the section is; *bytes comes back in whole
 * pages. A leak of caller's until MmUnmapViewInSystemSpace. STATUS_INVALID_VIEW_SIZE: larger than the section.
 */
NTSTATUS mm_view_system(struct mm_section *section, ULONG_PTR caller, void **base, SIZE_T *bytes);
/* Writes back what belongs to a file, if the view could be written. STATUS_NOT_MAPPED_VIEW. */
NTSTATUS mm_view_unmap(ULONG_PTR address);
/* *size 0: to the end of the view. STATUS_NOT_MAPPED_VIEW: no view; STATUS_SUCCESS also where there is no file. */
NTSTATUS mm_view_flush(ULONG_PTR *base, SIZE_T *size);
