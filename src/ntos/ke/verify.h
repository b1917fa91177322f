/*
 * verify.h - what the verifier holds drivers to in the kernel core, and the objects it knows to be in use. Called under
 * ke_verify only.
 */
#pragma once
#include "ke.h"

/* ---- checks: each returns, or is a bug check ---- */

/* Of KeWaitForSingleObject and KeWaitForMultipleObjects: 0x121, 0x122 by the time-out, 0x123 a wait of user mode on a
 * kernel stack, 0xE1 an object in user memory. */
void ke_verify_wait(const void *object, const LARGE_INTEGER *timeout, KPROCESSOR_MODE mode);
/* An object that threads synchronize with lies where any thread may use it: 0xE1. */
void ke_verify_object(const void *object);
/* Normal kernel APCs are disabled: else subcode, with the resource or mutex. */
void ke_verify_apcs_disabled(ULONG_PTR subcode, const void *object, const char *why);
/* Of [from, from + size), which is going away: 0x15 a timer that is set, 0xC7 a DPC that is queued, 0xD2 a resource,
 * 0xCC a lookaside list in use. type: of the pool. */
void ke_verify_memory_going(ULONG_PTR from, SIZE_T size, ULONG type);
/* Of an image that is unloaded: bug check 0xC7, a timer that is set or a DPC that is queued in it, or whose routine is.
 */
void ke_verify_image_going(ULONG_PTR base, SIZE_T size);

/* ---- objects in use: resources and lookaside lists ---- */

void ke_track_init(void); /* once */
enum ke_tracked { KE_TRACK_RESOURCE, KE_TRACK_LOOKASIDE };
/* False: it is known already. What the table has no room for is not tracked. */
bool ke_track_add(enum ke_tracked kind, const void *object);
/* False: it is not known. */
bool ke_track_remove(enum ke_tracked kind, const void *object);
/* One that begins in [from, from + size), or 0. */
ULONG_PTR ke_track_find(enum ke_tracked kind, ULONG_PTR from, SIZE_T size);
