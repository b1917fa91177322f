/*
 * wdm_information.c - Information is the size of the buffer, not of what was written to it.
 *
 * Harmless: {"requests": [{"code": "0x222000", "out": 4}]}
 */
#include "../common.h"

CORPUS_NOTHING_TO_UNLOAD

OUT_OF_LINE NTSTATUS TellVersion(PCALL Call)
{
    *(PULONG)Call->System = 7;
#ifdef FIXED
    Call->Information = sizeof(ULONG);
#else
    Call->Information = Call->OutLength; /* BUG: information-leak */
#endif
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    if (Call->Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    return Call->OutLength < sizeof(ULONG) ? STATUS_BUFFER_TOO_SMALL : TellVersion(Call);
}
