/*
 * convert.c - between counted strings of either width, and between strings, integers and GUIDs.
 */
#include "rtl.h"

/* Bytes the wide form needs, terminator included. */
ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    ULONG bytes;
    RtlMultiByteToUnicodeSize(&bytes, AnsiString->Buffer, AnsiString->Length);
    return bytes + (ULONG)sizeof(WCHAR);
}

/* Bytes the narrow form needs, terminator included. */
ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    ULONG bytes;
    RtlUnicodeToMultiByteSize(&bytes, UnicodeString->Buffer, UnicodeString->Length);
    return bytes + 1;
}

/* Converts and terminates; allocates the buffer if asked. STATUS_BUFFER_OVERFLOW: MaximumLength is too small. */
NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    ULONG bytes = RtlxAnsiStringToUnicodeSize(SourceString);
    if (bytes > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (AllocateDestinationString) {
        PWCH buffer = rtl_pool.allocate(bytes, RTL_STRING_TAG);
        if (!buffer)
            return STATUS_NO_MEMORY;
        DestinationString->Buffer = buffer;
        DestinationString->MaximumLength = (USHORT)bytes;
    } else if (bytes > DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    DestinationString->Length = (USHORT)(bytes - sizeof(WCHAR));
    RtlMultiByteToUnicodeN(DestinationString->Buffer, DestinationString->Length, NULL, SourceString->Buffer,
                           SourceString->Length);
    DestinationString->Buffer[DestinationString->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

/* The reverse. Without allocation as much as fits is converted and STATUS_BUFFER_OVERFLOW returned. */
NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    ULONG bytes = RtlxUnicodeStringToAnsiSize(SourceString), written;
    NTSTATUS status = STATUS_SUCCESS;
    if (bytes > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (AllocateDestinationString) {
        PCHAR buffer = rtl_pool.allocate(bytes, RTL_STRING_TAG);
        if (!buffer)
            return STATUS_NO_MEMORY;
        DestinationString->Buffer = buffer;
        DestinationString->MaximumLength = (USHORT)bytes;
    } else if (bytes > DestinationString->MaximumLength) {
        if (!DestinationString->MaximumLength)
            return STATUS_BUFFER_OVERFLOW;
        status = STATUS_BUFFER_OVERFLOW;
    }
    RtlUnicodeToMultiByteN(DestinationString->Buffer, DestinationString->MaximumLength - 1u, &written,
                           SourceString->Buffer, SourceString->Length);
    DestinationString->Length = (USHORT)written;
    DestinationString->Buffer[written] = 0;
    return status;
}

NTSTATUS NTAPI RtlOemStringToUnicodeString(PUNICODE_STRING DestinationString, PCOEM_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    return RtlAnsiStringToUnicodeString(DestinationString, SourceString, AllocateDestinationString);
}

NTSTATUS NTAPI RtlUnicodeStringToOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    return RtlUnicodeStringToAnsiString(DestinationString, SourceString, AllocateDestinationString);
}

/* Value in Base 2, 8, 10 or 16 (0: 10), terminated if there is room. STATUS_BUFFER_OVERFLOW: too small. */
NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    WCHAR digits[64];
    SIZE_T at = RTL_NUMBER_OF(digits);
    if (!Base)
        Base = 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16)
        return STATUS_INVALID_PARAMETER;
    do {
        digits[--at] = (WCHAR) "0123456789ABCDEF"[Value % Base];
        Value /= Base;
    } while (Value);
    SIZE_T bytes = (RTL_NUMBER_OF(digits) - at) * sizeof(WCHAR);
    if (bytes > String->MaximumLength)
        return STATUS_BUFFER_OVERFLOW;
    __builtin_memcpy(String->Buffer, digits + at, bytes);
    String->Length = (USHORT)bytes;
    if (bytes + sizeof(WCHAR) <= String->MaximumLength)
        String->Buffer[bytes / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlInt64ToUnicodeString(Value, Base, String);
}

static ULONG digit_value(WCHAR character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character = RtlUpcaseUnicodeChar(character);
    return character >= 'A' && character <= 'F' ? character - 'A' + 10u : 16;
}

/* Skips blanks, takes a sign, takes 0x 0o 0b when base is 0, then digits up to the first other character. */
static NTSTATUS parse_integer(WCHAR (*at)(const void *text, SIZE_T index), const void *text, SIZE_T length, ULONG base,
                              PULONG value)
{
    SIZE_T i = 0;
    bool negative = false;
    ULONG result = 0, digit;
    if (base != 0 && base != 2 && base != 8 && base != 10 && base != 16)
        return STATUS_INVALID_PARAMETER;
    while (i < length && at(text, i) && at(text, i) <= ' ')
        i++;
    if (i < length && (at(text, i) == '-' || at(text, i) == '+'))
        negative = at(text, i++) == '-';
    if (!base) {
        base = 10;
        if (i + 1 < length && at(text, i) == '0') {
            WCHAR letter = at(text, i + 1);
            base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
            i += base == 10 ? 0 : 2;
        }
    }
    for (; i < length && (digit = digit_value(at(text, i))) < base; i++)
        result = result * base + digit;
    *value = negative ? 0 - result : result;
    return STATUS_SUCCESS;
}

static WCHAR wide_at(const void *text, SIZE_T index)
{
    return ((const WCHAR *)text)[index];
}

static WCHAR narrow_at(const void *text, SIZE_T index)
{
    return ((const UCHAR *)text)[index];
}

/* Base 0 takes it from a prefix. STATUS_INVALID_PARAMETER: another base than 0, 2, 8, 10, 16. */
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    return parse_integer(wide_at, String->Buffer, String->Length / sizeof(WCHAR), Base, Value);
}

NTSTATUS NTAPI RtlCharToInteger(PCSTR String, ULONG Base, PULONG Value)
{
    return parse_integer(narrow_at, String, nt_strlen(String), Base, Value);
}

#define GUID_LENGTH 38 /* {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} */

/* Allocates the string; free with RtlFreeUnicodeString. */
NTSTATUS NTAPI RtlStringFromGUID(const GUID *Guid, PUNICODE_STRING GuidString)
{
    char text[GUID_LENGTH + 1];
    const UCHAR *d = Guid->Data4;
    rtl_print(text, sizeof(text), "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", Guid->Data1, Guid->Data2,
              Guid->Data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
    ANSI_STRING narrow = {GUID_LENGTH, GUID_LENGTH + 1, text};
    return RtlAnsiStringToUnicodeString(GuidString, &narrow, TRUE);
}

/* STATUS_INVALID_PARAMETER: not of the form RtlStringFromGUID makes. */
NTSTATUS NTAPI RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
    /* Where each byte of the GUID, in memory order on a little-endian machine, has its two digits. */
    static const UCHAR places[16] = {7, 5, 3, 1, 12, 10, 17, 15, 20, 22, 25, 27, 29, 31, 33, 35};
    UCHAR bytes[16];
    const WCHAR *text = GuidString->Buffer;
    if (GuidString->Length != GUID_LENGTH * sizeof(WCHAR) || text[0] != '{' || text[37] != '}' || text[9] != '-' ||
        text[14] != '-' || text[19] != '-' || text[24] != '-')
        return STATUS_INVALID_PARAMETER;
    for (SIZE_T i = 0; i < 16; i++) {
        ULONG high = digit_value(text[places[i]]), low = digit_value(text[places[i] + 1]);
        if (high > 15 || low > 15)
            return STATUS_INVALID_PARAMETER;
        bytes[i] = (UCHAR)(high << 4 | low);
    }
    __builtin_memcpy(Guid, bytes, sizeof(bytes));
    return STATUS_SUCCESS;
}
