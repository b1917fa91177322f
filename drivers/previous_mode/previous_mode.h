/* previous_mode.h - the stories of PreviousMode, one control code each, and what they answer. Layouts hold for both
 * sides. */
#pragma once

#define PREVIOUS_MODE_CODE(Story) (0x222000u | (0x900u + (Story)) << 2) /* FILE_DEVICE_UNKNOWN, METHOD_BUFFERED */

enum {
    STORY_CLOSE = 1,     /* a kernel handle for NtClose, then for ZwClose: First, Second */
    STORY_LEAK = 2,      /* a kernel handle for NtClose only */
    STORY_WRITE = 3,     /* a pool buffer for NtWriteFile, then for ZwWriteFile: First, Second */
    STORY_REQUESTOR = 4, /* Mode: the request's; First: what an accessor says to a kernel address in that mode */
    STORY_NESTED = 5     /* STORY_REQUESTOR, sent to itself with Zw: Mode and First of the inner request */
};

typedef struct _PREVIOUS_MODE_REPLY {
    int Before; /* ExGetPreviousMode on entry and on return */
    int After;
    int Mode;
    int First, Second; /* statuses */
} PREVIOUS_MODE_REPLY;
