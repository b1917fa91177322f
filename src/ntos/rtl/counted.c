/*
 * counted.c - the OEM and counted forms of the string conversions, and small checks of strings and memory. The OEM code
 * page is UTF-8 here, as the ANSI one.
 *
 * Counted strings have no terminator, so they need one unit less.
 */
#include "rtl.h"
#include "wdk/rtl_more.h"

NTSTATUS NTAPI RtlOemToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString, PULONG BytesInUnicodeString,
                                const CHAR *OemString, ULONG BytesInOemString)
{
    return RtlMultiByteToUnicodeN(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, OemString,
                                  BytesInOemString);
}

NTSTATUS NTAPI RtlUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString, PULONG BytesInOemString,
                                PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    return RtlUnicodeToMultiByteN(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString,
                                  BytesInUnicodeString);
}

ULONG NTAPI RtlxOemStringToUnicodeSize(PCOEM_STRING OemString)
{
    return RtlxAnsiStringToUnicodeSize(OemString);
}

ULONG NTAPI RtlxUnicodeStringToOemSize(PCUNICODE_STRING UnicodeString)
{
    return RtlxUnicodeStringToAnsiSize(UnicodeString);
}

/* A buffer of bytes for the destination, or the check that it has them. */
static NTSTATUS make_room(USHORT *maximum, void **buffer, ULONG bytes, bool allocate)
{
    if (bytes > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (!allocate)
        return bytes > *maximum ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    void *made = bytes ? rtl_pool.allocate(bytes, RTL_STRING_TAG) : NULL;
    if (bytes && !made)
        return STATUS_NO_MEMORY;
    *buffer = made;
    *maximum = (USHORT)bytes;
    return STATUS_SUCCESS;
}

/* STATUS_BUFFER_OVERFLOW: MaximumLength is too small, and nothing was converted. */
NTSTATUS NTAPI RtlOemStringToCountedUnicodeString(PUNICODE_STRING DestinationString, PCOEM_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    ULONG bytes;
    RtlMultiByteToUnicodeSize(&bytes, SourceString->Buffer, SourceString->Length);
    NTSTATUS status = make_room(&DestinationString->MaximumLength, (void **)&DestinationString->Buffer, bytes,
                                AllocateDestinationString);
    if (!NT_SUCCESS(status))
        return status;
    DestinationString->Length = (USHORT)bytes;
    return RtlMultiByteToUnicodeN(DestinationString->Buffer, bytes, NULL, SourceString->Buffer, SourceString->Length);
}

NTSTATUS NTAPI RtlUnicodeStringToCountedOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    ULONG bytes;
    RtlUnicodeToMultiByteSize(&bytes, SourceString->Buffer, SourceString->Length);
    NTSTATUS status = make_room(&DestinationString->MaximumLength, (void **)&DestinationString->Buffer, bytes,
                                AllocateDestinationString);
    if (!NT_SUCCESS(status))
        return status;
    DestinationString->Length = (USHORT)bytes;
    return RtlUnicodeToMultiByteN(DestinationString->Buffer, bytes, NULL, SourceString->Buffer, SourceString->Length);
}

static NTSTATUS upcase_and(NTSTATUS(NTAPI *convert)(POEM_STRING, PCUNICODE_STRING, BOOLEAN), POEM_STRING to,
                           PCUNICODE_STRING from, BOOLEAN allocate)
{
    UNICODE_STRING upper;
    NTSTATUS status = RtlUpcaseUnicodeString(&upper, from, TRUE);
    if (!NT_SUCCESS(status))
        return status;
    status = convert(to, &upper, allocate);
    RtlFreeUnicodeString(&upper);
    return status;
}

NTSTATUS NTAPI RtlUpcaseUnicodeStringToOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                 BOOLEAN AllocateDestinationString)
{
    return upcase_and(RtlUnicodeStringToOemString, DestinationString, SourceString, AllocateDestinationString);
}

NTSTATUS NTAPI RtlUpcaseUnicodeStringToCountedOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                        BOOLEAN AllocateDestinationString)
{
    return upcase_and(RtlUnicodeStringToCountedOemString, DestinationString, SourceString, AllocateDestinationString);
}

/* STATUS_NAME_TOO_LONG: more than a counted string can hold. */
NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSTR SourceString)
{
    SIZE_T length = SourceString ? nt_strlen(SourceString) : 0;
    if (length >= MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    *DestinationString =
        (ANSI_STRING){(USHORT)length, (USHORT)(SourceString ? length + 1 : 0), (PCHAR)(ULONG_PTR)SourceString};
    return STATUS_SUCCESS;
}

/* Lengths even, Length within MaximumLength, a buffer where there must be one. */
NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String)
{
    if (Flags || (String && (String->Length % sizeof(WCHAR) || String->MaximumLength % sizeof(WCHAR) ||
                             String->Length > String->MaximumLength || (!String->Buffer && String->MaximumLength))))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Lengths are in characters. */
LONG NTAPI RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2, SIZE_T String2Length,
                                    BOOLEAN CaseInSensitive)
{
    SIZE_T common = String1Length < String2Length ? String1Length : String2Length;
    for (SIZE_T i = 0; i < common; i++) {
        WCHAR a = String1[i], b = String2[i];
        if (CaseInSensitive) {
            a = RtlUpcaseUnicodeChar(a);
            b = RtlUpcaseUnicodeChar(b);
        }
        if (a != b)
            return (LONG)a - (LONG)b;
    }
    return String1Length < String2Length ? -1 : String1Length > String2Length;
}

/*
 * Digits of Value in Base 2, 8, 10 or 16 (0: 10) in Length bytes, with a terminator if there is room; a negative Length
 * asks for leading zeros. STATUS_BUFFER_OVERFLOW: they do not fit.
 */
NTSTATUS NTAPI RtlIntegerToChar(ULONG Value, ULONG Base, LONG Length, PCHAR String)
{
    CHAR digits[32];
    ULONG used = 0, room = Length < 0 ? 0u - (ULONG)Length : (ULONG)Length;
    Base = Base ? Base : 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16)
        return STATUS_INVALID_PARAMETER;
    do
        digits[used++] = "0123456789ABCDEF"[Value % Base];
    while (Value /= Base);
    if (used > room)
        return STATUS_BUFFER_OVERFLOW;
    ULONG zeros = Length < 0 ? room - used : 0;
    for (ULONG i = 0; i < zeros; i++)
        *String++ = '0';
    if (zeros + used < room)
        String[used] = 0;
    while (used)
        *String++ = digits[--used];
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI RtlIsZeroMemory(PVOID Buffer, SIZE_T Length)
{
    const volatile UCHAR *bytes = Buffer;
    for (SIZE_T i = 0; i < Length; i++)
        if (bytes[i])
            return FALSE;
    return TRUE;
}
