/*
 * uma_name.c - the descriptor of a name is captured by an accessor, its characters go to a Zw routine where they are.
 *
 * Harmless: {"buffers": {"name": [{"utf16": "\\Registry\\Machine"}]}, "requests": [{"code": "0x222003", "in": [{"u16":
 * 34}, {"u16": 34}, {"align": 8}, {"pointer": "name"}]}]}
 * Hostile: {"buffers": {"name": [{"utf16": "\\Registry\\Machine"}]}, "requests": [{"code": "0x222003", "in": [{"u16":
 * 34}, {"u16": 34}, {"align": 8}, {"pointer": "name"}]}]}
 * Shows with --verify: BUGCHECK 0xC4 .*!TestKey
 */
#include "../common.h"
#include "usermode_accessors.h"

CORPUS_NOTHING_TO_UNLOAD

#define MAX_CHARACTERS 64

OUT_OF_LINE NTSTATUS TestKey(PUNICODE_STRING Name)
{
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK,
                               NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes); /* BUG: mode-confusion */
    if (NT_SUCCESS(Status))
        ZwClose(Key);
    return Status;
}

OUT_OF_LINE NTSTATUS CaptureName(PUNICODE_STRING Input, PUNICODE_STRING Name, PWCHAR Characters)
{
    __try {
        *Name = ReadUnicodeStringFromUser(Input);
        if (Name->Length == 0 || Name->Length % sizeof(WCHAR) || Name->Length > MAX_CHARACTERS * sizeof(WCHAR))
            return STATUS_OBJECT_NAME_INVALID;
#ifdef FIXED
        CopyFromUser(Characters, Name->Buffer, Name->Length);
        Name->Buffer = Characters;
        Name->MaximumLength = Name->Length;
#endif
    } __except (UmaExceptionFilter(UserMode)) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PCALL Call)
{
    WCHAR Characters[MAX_CHARACTERS];
    UNICODE_STRING Name;
    NTSTATUS Status;

    if (Call->Code != CORPUS_CODE(0, METHOD_NEITHER))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Call->InLength < sizeof(Name))
        return STATUS_BUFFER_TOO_SMALL;
    Status = CaptureName(Call->In, &Name, Characters);
    return NT_SUCCESS(Status) ? TestKey(&Name) : Status;
}
