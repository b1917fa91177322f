/*
 * fsrtl_irps.h - requests that wait for a lock, an oplock or a change of a directory: on a list, and cancelled from it.
 *
 * One lock guards the lists and what they wait for, so that a request is granted or cancelled, never both. Requests are
 * completed without it.
 */
#pragma once
#include "wdk/fsrtl.h"
#include "mm.h"
#include "rtl.h"
#include "seh.h"

#define FSRTL_TAG RTL_TAG('F', 'S', 'r', 'L')

KIRQL fsrtl_lock(void);
void fsrtl_unlock(KIRQL irql);

/* Why a request waits: part of a block of its owner's, which lives until the request is taken or cancelled. */
struct fsrtl_wait {
    void (*removed)(struct fsrtl_wait *wait, PIRP irp);   /* cancelled, under the lock; or null */
    void (*cancelled)(struct fsrtl_wait *wait, PIRP irp); /* then, without it: completes the request, frees the block */
};
/* Under the lock. Marks the request pending and puts it at the end of list; false: it was cancelled before and is not
 * on the list. */
bool fsrtl_wait_add(LIST_ENTRY *list, PIRP irp, struct fsrtl_wait *wait);
/* Under the lock. Takes a request off its list; false: it is being cancelled, leave it alone. */
bool fsrtl_wait_take(PIRP irp);
struct fsrtl_wait *fsrtl_wait_of(PIRP irp);

static inline PIRP fsrtl_irp_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}
/* Completes it with a status and Information. */
void fsrtl_finish(PIRP irp, NTSTATUS status, ULONG_PTR information);
