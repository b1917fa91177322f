/*
 * filelock.h - what a FILE_LOCK's LockInformation points at: locks in order of granting, and requests that wait.
 */
#pragma once
#include "fsrtl_irps.h"

struct held {
    LIST_ENTRY link;
    ULONG_PTR serial; /* in order of granting */
    FILE_LOCK_INFO info;
};

/* fsrtl_lock guards it. */
struct locks {
    LIST_ENTRY held, waiting;
    ULONG_PTR serial;
};

static inline bool same_owner(const FILE_LOCK_INFO *a, const FILE_LOCK_INFO *b)
{
    return a->FileObject == b->FileObject && a->ProcessId == b->ProcessId && a->Key == b->Key;
}

/* Ranges of no bytes overlap what they stand inside of, not what they touch. */
static inline bool overlap(const FILE_LOCK_INFO *a, const FILE_LOCK_INFO *b)
{
    ULONG64 a_start = (ULONG64)a->StartingByte.QuadPart, a_length = (ULONG64)a->Length.QuadPart;
    ULONG64 b_start = (ULONG64)b->StartingByte.QuadPart, b_length = (ULONG64)b->Length.QuadPart;
    if (!a_length && !b_length)
        return false;
    if (!a_length)
        return a_start > b_start && a_start - b_start < b_length;
    if (!b_length)
        return b_start > a_start && b_start - a_start < a_length;
    return a_start <= b_start + (b_length - 1) && b_start <= a_start + (a_length - 1);
}
