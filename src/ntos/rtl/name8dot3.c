/*
 * name8dot3.c - short names: RtlGenerate8dot3Name. Whether a name is taken is the caller's to know: it calls again
 * until it gets one that is not.
 */
#include "rtl.h"
#include "wdk/rtl_more.h"

enum { PREFIX = 6, HASHED_PREFIX = 2, PLAIN_TRIES = 4, EXTENSION = 3, SHORT_NAME = 8, LAST_INDEX = 999999 };

/* What may stand in a short name, upper case: 0 is left out, and what only long names may have becomes '_'. */
static WCHAR short_character(WCHAR c, BOOLEAN extended)
{
    if (c <= ' ' || c == '.')
        return 0;
    if (c >= 0x7F)
        return extended && c != 0x7F ? RtlUpcaseUnicodeChar(c) : '_';
    for (const char *bad = "\"*+,/:;<=>?[\\]|"; *bad; bad++)
        if (c == (WCHAR)*bad)
            return '_';
    return RtlUpcaseUnicodeChar(c);
}

/* Takes up to capacity characters of [from, to) of name. */
static ULONG take(PCUNICODE_STRING name, ULONG from, ULONG to, BOOLEAN extended, WCHAR *out, ULONG capacity)
{
    ULONG count = 0;
    for (ULONG i = from; i < to && count < capacity; i++) {
        WCHAR c = short_character(name->Buffer[i], extended);
        if (c)
            out[count++] = c;
    }
    return count;
}

static USHORT hash(PCUNICODE_STRING name)
{
    ULONG value = 2166136261u;
    for (ULONG i = 0; i < name->Length / sizeof(WCHAR); i++)
        value = (value ^ name->Buffer[i]) * 16777619u;
    return (USHORT)(value ^ value >> 16);
}

/* Splits the long name at its last period; periods it begins with are no part of it. */
static void begin(PCUNICODE_STRING name, BOOLEAN extended, PGENERATE_NAME_CONTEXT context)
{
    ULONG end = name->Length / sizeof(WCHAR), start = 0, dot = end;
    while (start < end && name->Buffer[start] == '.')
        start++;
    for (ULONG i = start; i < end; i++)
        if (name->Buffer[i] == '.')
            dot = i;
    context->NameLength = (UCHAR)take(name, start, dot, extended, context->NameBuffer, PREFIX);
    context->ExtensionLength = take(name, dot, end, extended, context->ExtensionBuffer, EXTENSION);
    context->Checksum = hash(name);
}

/* The name's first two characters and four digits of its hash take the place of the first six. */
static void insert_hash(PGENERATE_NAME_CONTEXT context)
{
    ULONG length = context->NameLength < HASHED_PREFIX ? context->NameLength : HASHED_PREFIX;
    for (int shift = 12; shift >= 0; shift -= 4)
        context->NameBuffer[length++] = (WCHAR) "0123456789ABCDEF"[context->Checksum >> shift & 15];
    context->NameLength = (UCHAR)length;
    context->CheckSumInserted = TRUE;
    context->LastIndexValue = 1;
}

/*
 * The next short name for Name: its first six characters, '~', a count from 1; after four of these, two characters, a
 * hash, '~', a count. Context: zeroes before the first call for a name. Name8dot3: room for 12 characters.
 * STATUS_FILE_SYSTEM_LIMITATION: all counts have been used. IRQL PASSIVE_LEVEL.
 */
NTSTATUS NTAPI RtlGenerate8dot3Name(PCUNICODE_STRING Name, BOOLEAN AllowExtendedCharacters,
                                    PGENERATE_NAME_CONTEXT Context, PUNICODE_STRING Name8dot3)
{
    WCHAR digits[8], *out = Name8dot3->Buffer;
    ULONG count = 0, length = 0;
    if (!Context->LastIndexValue)
        begin(Name, AllowExtendedCharacters, Context);
    if (Context->LastIndexValue >= LAST_INDEX)
        return STATUS_FILE_SYSTEM_LIMITATION;
    Context->LastIndexValue++;
    if (Context->LastIndexValue > PLAIN_TRIES && !Context->CheckSumInserted)
        insert_hash(Context);
    for (ULONG value = Context->LastIndexValue; value; value /= 10)
        digits[count++] = (WCHAR)('0' + value % 10);
    while (length < Context->NameLength && length < SHORT_NAME - 1 - count) {
        out[length] = Context->NameBuffer[length];
        length++;
    }
    out[length++] = '~';
    while (count)
        out[length++] = digits[--count];
    if (Context->ExtensionLength)
        out[length++] = '.';
    for (ULONG i = 0; i < Context->ExtensionLength; i++)
        out[length++] = Context->ExtensionBuffer[i];
    Name8dot3->Length = (USHORT)(length * sizeof(WCHAR));
    return STATUS_SUCCESS;
}
