/*
 * string.c - counted strings: initialise, copy, append, compare, change case, allocate. Conversions between the two
 * kinds are in convert.c.
 *
 * Lengths are in bytes. A routine that allocates takes its pool through rtl_pool, with the tag 'Strg'.
 */
#include "rtl.h"

struct rtl_pool_hooks rtl_pool;

#define LONGEST_UNICODE 0xFFFCu /* bytes, without the terminator */

/* DestinationString describes SourceString, without its terminator; a null source gives an empty string. Longer text is
 * cut to 0xFFFC bytes. */
VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T bytes = SourceString ? nt_wcslen(SourceString) * sizeof(WCHAR) : 0;
    if (bytes > LONGEST_UNICODE)
        bytes = LONGEST_UNICODE;
    DestinationString->Length = (USHORT)bytes;
    DestinationString->MaximumLength = SourceString ? (USHORT)(bytes + sizeof(WCHAR)) : 0;
    DestinationString->Buffer = (PWCH)(ULONG_PTR)SourceString;
}

/* The same, but STATUS_NAME_TOO_LONG instead of cutting. */
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    if (SourceString && nt_wcslen(SourceString) * sizeof(WCHAR) > LONGEST_UNICODE)
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

VOID NTAPI RtlInitString(PSTRING DestinationString, PCSTR SourceString)
{
    SIZE_T bytes = SourceString ? nt_strlen(SourceString) : 0;
    if (bytes > MAXUSHORT - 1)
        bytes = MAXUSHORT - 1;
    DestinationString->Length = (USHORT)bytes;
    DestinationString->MaximumLength = SourceString ? (USHORT)(bytes + 1) : 0;
    DestinationString->Buffer = (PCHAR)(ULONG_PTR)SourceString;
}

VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

/* Copies as much as MaximumLength takes; a null source empties the destination. Terminates it if there is room. */
VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT bytes = SourceString ? SourceString->Length : 0;
    if (bytes > DestinationString->MaximumLength)
        bytes = DestinationString->MaximumLength;
    if (bytes)
        __builtin_memmove(DestinationString->Buffer, SourceString->Buffer, bytes);
    DestinationString->Length = bytes;
    if (SourceString && bytes + sizeof(WCHAR) <= DestinationString->MaximumLength)
        DestinationString->Buffer[bytes / sizeof(WCHAR)] = 0;
}

VOID NTAPI RtlCopyString(PSTRING DestinationString, PCSTRING SourceString)
{
    USHORT bytes = SourceString ? SourceString->Length : 0;
    if (bytes > DestinationString->MaximumLength)
        bytes = DestinationString->MaximumLength;
    if (bytes)
        __builtin_memmove(DestinationString->Buffer, SourceString->Buffer, bytes);
    DestinationString->Length = bytes;
}

/* Appends; STATUS_BUFFER_TOO_SMALL leaves the destination as it was. Terminates it if there is room. */
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    USHORT old = Destination->Length, bytes = Source->Length;
    if ((ULONG)old + bytes > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (!bytes)
        return STATUS_SUCCESS;
    __builtin_memmove((UCHAR *)Destination->Buffer + old, Source->Buffer, bytes);
    Destination->Length = (USHORT)(old + bytes);
    if (Destination->Length + sizeof(WCHAR) <= Destination->MaximumLength)
        Destination->Buffer[Destination->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    UNICODE_STRING text;
    NTSTATUS status = RtlInitUnicodeStringEx(&text, Source);
    return NT_SUCCESS(status) ? RtlAppendUnicodeStringToString(Destination, &text) : STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, PCSTRING Source)
{
    USHORT old = Destination->Length, bytes = Source->Length;
    if ((ULONG)old + bytes > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (bytes)
        __builtin_memmove(Destination->Buffer + old, Source->Buffer, bytes);
    Destination->Length = (USHORT)(old + bytes);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendAsciizToString(PSTRING Destination, PCSTR Source)
{
    STRING text;
    RtlInitString(&text, Source);
    return RtlAppendStringToString(Destination, &text);
}

/* Zero if equal, else the sign of the first difference, or of the lengths' if one is the other's beginning. */
LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    SIZE_T first = String1->Length / sizeof(WCHAR), second = String2->Length / sizeof(WCHAR);
    for (SIZE_T i = 0; i < first && i < second; i++) {
        WCHAR a = String1->Buffer[i], b = String2->Buffer[i];
        if (CaseInSensitive) {
            a = RtlUpcaseUnicodeChar(a);
            b = RtlUpcaseUnicodeChar(b);
        }
        if (a != b)
            return (LONG)a - (LONG)b;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

LONG NTAPI RtlCompareString(PCSTRING String1, PCSTRING String2, BOOLEAN CaseInSensitive)
{
    for (SIZE_T i = 0; i < String1->Length && i < String2->Length; i++) {
        UCHAR a = (UCHAR)String1->Buffer[i], b = (UCHAR)String2->Buffer[i];
        if (CaseInSensitive) {
            a = (UCHAR)nt_toupper(a);
            b = (UCHAR)nt_toupper(b);
        }
        if (a != b)
            return (LONG)a - (LONG)b;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && !RtlCompareUnicodeString(String1, String2, CaseInSensitive);
}

BOOLEAN NTAPI RtlEqualString(PCSTRING String1, PCSTRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && !RtlCompareString(String1, String2, CaseInSensitive);
}

/* Whether String2 begins with String1. */
BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING head = *String2;
    if (head.Length < String1->Length)
        return FALSE;
    head.Length = String1->Length;
    return !RtlCompareUnicodeString(String1, &head, CaseInSensitive);
}

BOOLEAN NTAPI RtlPrefixString(PCSTRING String1, PCSTRING String2, BOOLEAN CaseInSensitive)
{
    STRING head = *String2;
    if (head.Length < String1->Length)
        return FALSE;
    head.Length = String1->Length;
    return !RtlCompareString(String1, &head, CaseInSensitive);
}

static NTSTATUS map_case(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate, WCHAR(NTAPI *map)(WCHAR))
{
    USHORT bytes = from->Length;
    if (allocate) {
        to->Buffer = rtl_pool.allocate(bytes ? bytes : sizeof(WCHAR), RTL_STRING_TAG);
        if (!to->Buffer)
            return STATUS_NO_MEMORY;
        to->MaximumLength = bytes;
    } else if (bytes > to->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (SIZE_T i = 0; i < bytes / sizeof(WCHAR); i++)
        to->Buffer[i] = map(from->Buffer[i]);
    to->Length = bytes;
    return STATUS_SUCCESS;
}

/* Upper case; allocates the destination's buffer if asked (free with RtlFreeUnicodeString). STATUS_BUFFER_OVERFLOW: too
 * small. */
NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    return map_case(DestinationString, SourceString, AllocateDestinationString, RtlUpcaseUnicodeChar);
}

NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                        BOOLEAN AllocateDestinationString)
{
    return map_case(DestinationString, SourceString, AllocateDestinationString, RtlDowncaseUnicodeChar);
}

/* Copies in upper case as much as fits. */
VOID NTAPI RtlUpperString(PSTRING DestinationString, PCSTRING SourceString)
{
    USHORT bytes = SourceString->Length;
    if (bytes > DestinationString->MaximumLength)
        bytes = DestinationString->MaximumLength;
    for (SIZE_T i = 0; i < bytes; i++)
        DestinationString->Buffer[i] = RtlUpperChar(SourceString->Buffer[i]);
    DestinationString->Length = bytes;
}

/* The documented default algorithm (x65599). */
NTSTATUS NTAPI RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm,
                                    PULONG HashValue)
{
    ULONG hash = 0;
    if (!String || !HashValue || HashAlgorithm > 1)
        return STATUS_INVALID_PARAMETER;
    for (SIZE_T i = 0; i < String->Length / sizeof(WCHAR); i++) {
        WCHAR unit = String->Buffer[i];
        hash = hash * 65599 + (CaseInSensitive ? RtlUpcaseUnicodeChar(unit) : unit);
    }
    *HashValue = hash;
    return STATUS_SUCCESS;
}

/* Copies a terminated string into pool. FALSE: no memory, or it is too long. */
BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T bytes = (nt_wcslen(SourceString) + 1) * sizeof(WCHAR);
    if (bytes > LONGEST_UNICODE + sizeof(WCHAR))
        return FALSE;
    WCHAR *buffer = rtl_pool.allocate(bytes, RTL_STRING_TAG);
    if (!buffer)
        return FALSE;
    __builtin_memcpy(buffer, SourceString, bytes);
    DestinationString->Buffer = buffer;
    DestinationString->MaximumLength = (USHORT)bytes;
    DestinationString->Length = (USHORT)(bytes - sizeof(WCHAR));
    return TRUE;
}

/* Flags: 1 adds a terminator, 2 (with 1) allocates even an empty string's. */
NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING StringIn, PUNICODE_STRING StringOut)
{
    if (Flags > 3 || Flags == 2 || !StringOut || !StringIn)
        return STATUS_INVALID_PARAMETER;
    ULONG bytes = StringIn->Length + (Flags & 1 ? (ULONG)sizeof(WCHAR) : 0);
    if (bytes > MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    *StringOut = (UNICODE_STRING){0};
    if (!StringIn->Length && Flags != 3)
        return STATUS_SUCCESS;
    WCHAR *buffer = rtl_pool.allocate(bytes, RTL_STRING_TAG);
    if (!buffer)
        return STATUS_NO_MEMORY;
    __builtin_memcpy(buffer, StringIn->Buffer, StringIn->Length);
    if (Flags & 1)
        buffer[StringIn->Length / sizeof(WCHAR)] = 0;
    *StringOut = (UNICODE_STRING){StringIn->Length, (USHORT)bytes, buffer};
    return STATUS_SUCCESS;
}

/* Frees a buffer that a routine above allocated, and empties the string. */
VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    if (UnicodeString->Buffer)
        rtl_pool.release(UnicodeString->Buffer);
    *UnicodeString = (UNICODE_STRING){0};
}

VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    if (AnsiString->Buffer)
        rtl_pool.release(AnsiString->Buffer);
    *AnsiString = (ANSI_STRING){0};
}

VOID NTAPI RtlFreeOemString(POEM_STRING OemString)
{
    RtlFreeAnsiString(OemString);
}
