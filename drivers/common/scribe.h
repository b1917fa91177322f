/*
 * scribe.h - what user mode and the scribe drivers agree on: the control codes and the structures.
 *
 * One service, three drivers that offer it (legacy_race, legacy_refetch, uma_safe): copy Size bytes from Text to
 * Reply, with ASCII letters in upper case if asked for. Both pointers are user addresses embedded in the request.
 */
#pragma once

#define SCRIBE_POOL_TAG ((ULONG)'brcS') /* shows as "Scrb" */

/* 0x222003. METHOD_NEITHER: input is a SCRIBE_REQUEST at its raw user address, output an optional SCRIBE_RESULT. */
#define IOCTL_SCRIBE_COPY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)
/* 0x222004. METHOD_BUFFERED: the system captures the request, but the pointers in it are still user addresses. */
#define IOCTL_SCRIBE_COPY_BUFFERED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

#define SCRIBE_UPPER    0x1u         /* Flags */
#define SCRIBE_MAX_SIZE (64u * 1024) /* larger sizes are refused by the drivers that check */

typedef struct _SCRIBE_REQUEST {
    ULONG Size;  /* bytes at Text, and bytes written to Reply */
    ULONG Flags; /* SCRIBE_UPPER or 0 */
    PVOID Text;  /* in, user address */
    PVOID Reply; /* out, user address */
} SCRIBE_REQUEST, *PSCRIBE_REQUEST;

typedef struct _SCRIBE_RESULT {
    ULONG Size; /* bytes written to Reply */
    ULONG Sum;  /* sum of these bytes */
} SCRIBE_RESULT, *PSCRIBE_RESULT;
