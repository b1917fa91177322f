/*
 * unicode.c - characters: UTF-8 and UTF-16, simple case mapping, the conversions between counted byte and wide buffers.
 *
 * The system's ANSI and OEM code pages are UTF-8 (65001, which Windows also offers). Case mapping covers the scripts
 * whose simple mappings are regular: Latin, Greek, Cyrillic, Armenian, full-width Latin.
 */
#include "rtl.h"

ULONG rtl_utf8_decode(const char *text, SIZE_T length, SIZE_T *used)
{
    const UCHAR *p = (const UCHAR *)text;
    static const ULONG smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    *used = length ? 1 : 0;
    if (!length)
        return 0xFFFD;
    ULONG first = p[0];
    if (first < 0x80)
        return first;
    SIZE_T size = first >= 0xF0 && first < 0xF8   ? 4
                  : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xC0 && first < 0xE0 ? 2
                                                  : 0;
    if (!size || size > length)
        return 0xFFFD;
    ULONG value = first & (0x7Fu >> size);
    for (SIZE_T i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0xFFFD;
        value = value << 6 | (p[i] & 0x3F);
    }
    if (value < smallest[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0xFFFD;
    *used = size;
    return value;
}

SIZE_T rtl_utf8_encode(ULONG code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    SIZE_T size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (SIZE_T i = size; --i;) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)((0xF00u >> size & 0xFF) | code_point);
    return size;
}

ULONG rtl_utf16_decode(const WCHAR *text, SIZE_T length, SIZE_T *used)
{
    *used = length ? 1 : 0;
    if (!length)
        return 0xFFFD;
    ULONG first = text[0];
    if (first < 0xD800 || first >= 0xE000)
        return first;
    if (first >= 0xDC00 || length < 2 || text[1] < 0xDC00 || text[1] >= 0xE000)
        return 0xFFFD;
    *used = 2;
    return 0x10000 + ((first - 0xD800) << 10) + (text[1] - 0xDC00u);
}

SIZE_T rtl_utf16_encode(ULONG code_point, WCHAR out[2])
{
    if (code_point < 0x10000) {
        out[0] = (WCHAR)code_point;
        return 1;
    }
    out[0] = (WCHAR)(0xD800 + ((code_point - 0x10000) >> 10));
    out[1] = (WCHAR)(0xDC00 + ((code_point - 0x10000) & 0x3FF));
    return 2;
}

/* Runs of letters in lower case whose upper case lies delta below; step 2: lower case stands at every second place,
 * delta 1. */
static const struct case_run {
    WCHAR first, last;
    WCHAR delta;
    UCHAR step;
} case_runs[] = {
    {0x0061, 0x007A, 32, 1}, {0x00E0, 0x00F6, 32, 1}, {0x00F8, 0x00FE, 32, 1}, {0x0101, 0x012F, 1, 2},
    {0x0133, 0x0137, 1, 2},  {0x013A, 0x0148, 1, 2},  {0x014B, 0x0177, 1, 2},  {0x017A, 0x017E, 1, 2},
    {0x01CE, 0x01DC, 1, 2},  {0x01DF, 0x01EF, 1, 2},  {0x01F9, 0x021F, 1, 2},  {0x0223, 0x0233, 1, 2},
    {0x03AD, 0x03AF, 37, 1}, {0x03B1, 0x03C1, 32, 1}, {0x03C3, 0x03CB, 32, 1}, {0x03D9, 0x03EF, 1, 2},
    {0x0430, 0x044F, 32, 1}, {0x0450, 0x045F, 80, 1}, {0x0461, 0x0481, 1, 2},  {0x048B, 0x04BF, 1, 2},
    {0x04C2, 0x04CE, 1, 2},  {0x04D1, 0x052F, 1, 2},  {0x0561, 0x0586, 48, 1}, {0x1E01, 0x1E95, 1, 2},
    {0x1EA1, 0x1EFF, 1, 2},  {0xFF41, 0xFF5A, 32, 1},
};

/* The letter in upper case; itself if it has none. */
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    if (SourceCharacter == 0xFF)
        return 0x178;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(case_runs); i++) {
        const struct case_run *run = &case_runs[i];
        if (SourceCharacter >= run->first && SourceCharacter <= run->last)
            return (SourceCharacter - run->first) % run->step ? SourceCharacter : (WCHAR)(SourceCharacter - run->delta);
    }
    return SourceCharacter;
}

/* The letter in lower case; itself if it has none. */
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    if (SourceCharacter == 0x178)
        return 0xFF;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(case_runs); i++) {
        const struct case_run *run = &case_runs[i];
        if (SourceCharacter >= run->first - run->delta && SourceCharacter <= run->last - run->delta)
            return (SourceCharacter - run->first + run->delta) % run->step ? SourceCharacter
                                                                           : (WCHAR)(SourceCharacter + run->delta);
    }
    return SourceCharacter;
}

/* The ASCII letter in upper case. */
CHAR NTAPI RtlUpperChar(CHAR Character)
{
    return (CHAR)nt_toupper((UCHAR)Character);
}

/* Converts UTF-8; to may be null to measure. Returns the bytes needed; writes only whole characters that fit. */
static ULONG widen(WCHAR *to, ULONG room, const char *from, ULONG length, ULONG *written)
{
    ULONG needed = 0, done = 0;
    bool full = false;
    for (SIZE_T at = 0, used; at < length; at += used) {
        WCHAR units[2];
        ULONG size = (ULONG)(rtl_utf16_encode(rtl_utf8_decode(from + at, length - at, &used), units) * sizeof(WCHAR));
        needed += size;
        full = full || size > room - done;
        if (!to || full)
            continue;
        for (ULONG i = 0; i < size / sizeof(WCHAR); i++)
            to[done / sizeof(WCHAR) + i] = units[i];
        done += size;
    }
    *written = done;
    return needed;
}

static ULONG narrow(char *to, ULONG room, const WCHAR *from, ULONG bytes, ULONG *written)
{
    ULONG needed = 0, done = 0;
    bool full = false;
    SIZE_T length = bytes / sizeof(WCHAR);
    for (SIZE_T at = 0, used; at < length; at += used) {
        char units[4];
        ULONG size = (ULONG)rtl_utf8_encode(rtl_utf16_decode(from + at, length - at, &used), units);
        needed += size;
        full = full || size > room - done;
        if (!to || full)
            continue;
        for (ULONG i = 0; i < size; i++)
            to[done + i] = units[i];
        done += size;
    }
    *written = done;
    return needed;
}

/* Converts to at most MaxBytesInUnicodeString bytes, cutting what does not fit. The count is optional. */
NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString, PULONG BytesInUnicodeString,
                                      const CHAR *MultiByteString, ULONG BytesInMultiByteString)
{
    ULONG written;
    widen(UnicodeString, MaxBytesInUnicodeString, MultiByteString, BytesInMultiByteString, &written);
    if (BytesInUnicodeString)
        *BytesInUnicodeString = written;
    return STATUS_SUCCESS;
}

/* The reverse of RtlMultiByteToUnicodeN. */
NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    ULONG written;
    narrow(MultiByteString, MaxBytesInMultiByteString, UnicodeString, BytesInUnicodeString, &written);
    if (BytesInMultiByteString)
        *BytesInMultiByteString = written;
    return STATUS_SUCCESS;
}

/* Bytes the converted text needs, without a terminator. */
NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                         ULONG BytesInMultiByteString)
{
    ULONG written;
    *BytesInUnicodeString = widen(NULL, 0, MultiByteString, BytesInMultiByteString, &written);
    return STATUS_SUCCESS;
}

/* Bytes the converted text needs, without a terminator. */
NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    ULONG written;
    *BytesInMultiByteString = narrow(NULL, 0, UnicodeString, BytesInUnicodeString, &written);
    return STATUS_SUCCESS;
}

/* Converts, or measures if the destination is null. STATUS_BUFFER_TOO_SMALL: as much as fits was converted. */
NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
                                 PULONG UTF8StringActualByteCount, PCWCH UnicodeStringSource,
                                 ULONG UnicodeStringByteCount)
{
    ULONG written, needed;
    needed =
        narrow(UTF8StringDestination, UTF8StringMaxByteCount, UnicodeStringSource, UnicodeStringByteCount, &written);
    if (UTF8StringActualByteCount)
        *UTF8StringActualByteCount = UTF8StringDestination ? written : needed;
    return UTF8StringDestination && written < needed ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* The reverse of RtlUnicodeToUTF8N. */
NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWCH UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                                 PULONG UnicodeStringActualByteCount, const CHAR *UTF8StringSource,
                                 ULONG UTF8StringByteCount)
{
    ULONG written, needed;
    needed =
        widen(UnicodeStringDestination, UnicodeStringMaxByteCount, UTF8StringSource, UTF8StringByteCount, &written);
    if (UnicodeStringActualByteCount)
        *UnicodeStringActualByteCount = UnicodeStringDestination ? written : needed;
    return UnicodeStringDestination && written < needed ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}
