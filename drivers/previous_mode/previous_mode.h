/* previous_mode.h - the stories of PreviousMode, one control code each, and what they answer. Layouts hold for both
 * sides. */
#pragma once

#define PREVIOUS_MODE_CODE(Story) (0x222000u | (0x900u + (Story)) << 2) /* FILE_DEVICE_UNKNOWN, METHOD_BUFFERED */

enum {
    STORY_CLOSE = 1,   /* a kernel handle for NtClose, then for ZwClose: First, Second */
    STORY_LEAK = 2,    /* a kernel handle for NtClose only: First */
    STORY_WRITE = 3,   /* a pool buffer for NtWriteFile, then for ZwWriteFile: First, Second */
    STORY_POINTER = 4, /* input: an address. Mode: the request's; First: CopyFromMode of 8 bytes there, in that mode */
    STORY_RESEND = 5,  /* STORY_POINTER with a kernel address, sent to itself with Zw: the inner Mode, First, Before */
    STORY_ARBITRARY = 6, /* Witness: what a DPC, a work item and a system thread see */
    STORY_NESTED = 7     /* Level: the mode at each level of a nested request that meets an exception; First: that */
};

enum { WITNESS_REQUEST, WITNESS_DPC, WITNESS_WORK_ITEM, WITNESS_THREAD, WITNESSES };
enum { LEVEL_OUTER, LEVEL_INNER, LEVEL_INNERMOST_NT, LEVEL_INNER_AFTER, LEVEL_OUTER_AFTER, LEVELS };

typedef struct _PREVIOUS_MODE_WITNESS {
    int Mode;    /* ExGetPreviousMode */
    int Irql;    /* KeGetCurrentIrql */
    int System;  /* 1: the current process is the system's; 0: the requestor's */
    int Handled; /* NtClose of a kernel handle; STATUS_PENDING: not tried, for the IRQL is too high */
} PREVIOUS_MODE_WITNESS;

typedef struct _PREVIOUS_MODE_REPLY {
    int Before; /* ExGetPreviousMode on entry and on return */
    int After;
    int Mode;
    int First, Second; /* statuses */
    PREVIOUS_MODE_WITNESS Witness[WITNESSES];
    int Level[LEVELS];
} PREVIOUS_MODE_REPLY;
