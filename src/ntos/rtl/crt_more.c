/*
 * crt_more.c - the rest of the C string functions that ntoskrnl exports: spans, case, reversal, tokens, and the secure
 * forms.
 *
 * The secure forms check their parameters as Learn's CRT pages say and return an error where user mode would call the
 * invalid parameter handler, of which the kernel has none.
 */
#include "crt_more.h"

#define TRUNCATE ((SIZE_T) - 1)

static char lower_char(char c)
{
    return (char)nt_tolower((UCHAR)c);
}

static char upper_char(char c)
{
    return (char)nt_toupper((UCHAR)c);
}

static WCHAR lower_wide(WCHAR c)
{
    return RtlDowncaseUnicodeChar(c);
}

static WCHAR upper_wide(WCHAR c)
{
    return RtlUpcaseUnicodeChar(c);
}

/* One body per character width, as in crt.c. */
#define STRING_FAMILY(T, prefix, lower, upper)                                                                         \
    static bool prefix##_has(const T *set, T character)                                                                \
    {                                                                                                                  \
        while (*set && *set != character)                                                                              \
            set++;                                                                                                     \
        return *set != 0;                                                                                              \
    }                                                                                                                  \
    static SIZE_T prefix##_span(const T *text, const T *set, bool within)                                              \
    {                                                                                                                  \
        SIZE_T length = 0;                                                                                             \
        while (text[length] && prefix##_has(set, text[length]) == within)                                              \
            length++;                                                                                                  \
        return length;                                                                                                 \
    }                                                                                                                  \
    static T *prefix##_map(T *text, T (*map)(T))                                                                       \
    {                                                                                                                  \
        for (T *at = text; *at; at++)                                                                                  \
            *at = map(*at);                                                                                            \
        return text;                                                                                                   \
    }                                                                                                                  \
    SIZE_T NTAPI nt_##prefix##spn(const T *text, const T *set)                                                         \
    {                                                                                                                  \
        return prefix##_span(text, set, true);                                                                         \
    }                                                                                                                  \
    SIZE_T NTAPI nt_##prefix##cspn(const T *text, const T *set)                                                        \
    {                                                                                                                  \
        return prefix##_span(text, set, false);                                                                        \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##lwr(T *text)                                                                                 \
    {                                                                                                                  \
        return prefix##_map(text, lower);                                                                              \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##upr(T *text)                                                                                 \
    {                                                                                                                  \
        return prefix##_map(text, upper);                                                                              \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##rev(T *text)                                                                                 \
    {                                                                                                                  \
        for (SIZE_T low = 0, high = nt_##prefix##len(text); low + 1 < high; low++) {                                   \
            T kept = text[low];                                                                                        \
            text[low] = text[--high];                                                                                  \
            text[high] = kept;                                                                                         \
        }                                                                                                              \
        return text;                                                                                                   \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##nset(T *text, int character, SIZE_T count)                                                   \
    {                                                                                                                  \
        for (T *at = text; count-- && *at; at++)                                                                       \
            *at = (T)character;                                                                                        \
        return text;                                                                                                   \
    }                                                                                                                  \
    /* Appends at most count units at to[used]; what does not fit is an error that empties to. */                      \
    static int prefix##_append(T *to, SIZE_T size, SIZE_T used, const T *from, SIZE_T count)                           \
    {                                                                                                                  \
        bool cut = count == TRUNCATE;                                                                                  \
        if (!from || used >= size) {                                                                                   \
            to[0] = 0;                                                                                                 \
            return CRT_EINVAL;                                                                                         \
        }                                                                                                              \
        while (used < size && count-- && *from)                                                                        \
            to[used++] = *from++;                                                                                      \
        if (used < size) {                                                                                             \
            to[used] = 0;                                                                                              \
            return 0;                                                                                                  \
        }                                                                                                              \
        to[cut ? size - 1 : 0] = 0;                                                                                    \
        return cut ? CRT_STRUNCATE : CRT_ERANGE;                                                                       \
    }                                                                                                                  \
    int NTAPI nt_##prefix##ncpy_s(T *to, SIZE_T size, const T *from, SIZE_T count)                                     \
    {                                                                                                                  \
        return !to || !size ? CRT_EINVAL : prefix##_append(to, size, 0, from, count);                                  \
    }                                                                                                                  \
    int NTAPI nt_##prefix##cpy_s(T *to, SIZE_T size, const T *from)                                                    \
    {                                                                                                                  \
        return nt_##prefix##ncpy_s(to, size, from, TRUNCATE - 1);                                                      \
    }                                                                                                                  \
    int NTAPI nt_##prefix##ncat_s(T *to, SIZE_T size, const T *from, SIZE_T count)                                     \
    {                                                                                                                  \
        return !to || !size ? CRT_EINVAL : prefix##_append(to, size, nt_##prefix##nlen(to, size), from, count);        \
    }                                                                                                                  \
    int NTAPI nt_##prefix##cat_s(T *to, SIZE_T size, const T *from)                                                    \
    {                                                                                                                  \
        return nt_##prefix##ncat_s(to, size, from, TRUNCATE - 1);                                                      \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##tok_s(T *text, const T *delimiters, T **context)                                             \
    {                                                                                                                  \
        if (!delimiters || !context || (!text && !*context))                                                           \
            return NULL;                                                                                               \
        T *token = text ? text : *context;                                                                             \
        token += prefix##_span(token, delimiters, true);                                                               \
        T *end = token + prefix##_span(token, delimiters, false);                                                      \
        *context = end;                                                                                                \
        if (end == token)                                                                                              \
            return NULL;                                                                                               \
        if (*end) {                                                                                                    \
            *end = 0;                                                                                                  \
            *context = end + 1;                                                                                        \
        }                                                                                                              \
        return token;                                                                                                  \
    }                                                                                                                  \
    /* Digits of magnitude in radix, lower case, with a sign; an error empties to. */                                  \
    static int prefix##_digits(ULONG64 magnitude, bool negative, T *to, SIZE_T size, int radix)                        \
    {                                                                                                                  \
        T digits[66];                                                                                                  \
        SIZE_T at = 66;                                                                                                \
        if (!to || !size)                                                                                              \
            return CRT_EINVAL;                                                                                         \
        to[0] = 0;                                                                                                     \
        if (radix < 2 || radix > 36)                                                                                   \
            return CRT_EINVAL;                                                                                         \
        digits[--at] = 0;                                                                                              \
        do                                                                                                             \
            digits[--at] = (T) "0123456789abcdefghijklmnopqrstuvwxyz"[magnitude % (ULONG)radix];                       \
        while (magnitude /= (ULONG)radix);                                                                             \
        if (size < 66 - at + negative)                                                                                 \
            return CRT_ERANGE;                                                                                         \
        if (negative)                                                                                                  \
            *to++ = '-';                                                                                               \
        __builtin_memcpy(to, digits + at, (66 - at) * sizeof(T));                                                      \
        return 0;                                                                                                      \
    }

STRING_FAMILY(char, str, lower_char, upper_char)
STRING_FAMILY(WCHAR, wcs, lower_wide, upper_wide)

char *NTAPI nt_strset(char *text, int character)
{
    return nt_strnset(text, character, SIZE_MAX);
}

/* Only base 10 has a sign, as documented. */
#define NUMBER_TO_TEXT(name, T, digits, signed_type, unsigned_type)                                                    \
    int NTAPI name(signed_type value, T *to, SIZE_T size, int radix)                                                   \
    {                                                                                                                  \
        bool negative = radix == 10 && value < 0;                                                                      \
        unsigned_type bits = (unsigned_type)value;                                                                     \
        return digits(negative ? (unsigned_type)(0 - bits) : bits, negative, to, size, radix);                         \
    }
NUMBER_TO_TEXT(nt_itoa_s, char, str_digits, LONG, ULONG)
NUMBER_TO_TEXT(nt_itow_s, WCHAR, wcs_digits, LONG, ULONG)
NUMBER_TO_TEXT(nt_i64toa_s, char, str_digits, LONG64, ULONG64)
NUMBER_TO_TEXT(nt_i64tow_s, WCHAR, wcs_digits, LONG64, ULONG64)

int NTAPI nt_ultoa_s(ULONG value, char *to, SIZE_T size, int radix)
{
    return str_digits(value, false, to, size, radix);
}

int NTAPI nt_ultow_s(ULONG value, WCHAR *to, SIZE_T size, int radix)
{
    return wcs_digits(value, false, to, size, radix);
}

int NTAPI nt_ui64toa_s(ULONG64 value, char *to, SIZE_T size, int radix)
{
    return str_digits(value, false, to, size, radix);
}

int NTAPI nt_ui64tow_s(ULONG64 value, WCHAR *to, SIZE_T size, int radix)
{
    return wcs_digits(value, false, to, size, radix);
}

/* The caller has made room for 33 characters. */
char *NTAPI nt_itoa(LONG value, char *to, int radix)
{
    nt_itoa_s(value, to, 34, radix);
    return to;
}

WCHAR *NTAPI nt_itow(LONG value, WCHAR *to, int radix)
{
    nt_itow_s(value, to, 34, radix);
    return to;
}

/* to is zeroed if it is too small. */
int NTAPI nt_memcpy_s(void *to, SIZE_T size, const void *from, SIZE_T count)
{
    if (!count)
        return 0;
    if (!to)
        return CRT_EINVAL;
    if (!from || size < count) {
        nt_memset(to, 0, size);
        return from ? CRT_ERANGE : CRT_EINVAL;
    }
    nt_memcpy(to, from, count);
    return 0;
}

int NTAPI nt_memmove_s(void *to, SIZE_T size, const void *from, SIZE_T count)
{
    if (!count)
        return 0;
    if (!to || !from)
        return CRT_EINVAL;
    if (size < count)
        return CRT_ERANGE;
    nt_memmove(to, from, count);
    return 0;
}

/* Bytes written without a terminator, or needed if to is null; text past count bytes is cut. UTF-8, as elsewhere here.
 */
SIZE_T NTAPI nt_wcstombs(char *to, const WCHAR *from, SIZE_T count)
{
    SIZE_T done = 0, length = nt_wcslen(from), used;
    for (SIZE_T at = 0; at < length; at += used) {
        char bytes[4];
        SIZE_T size = rtl_utf8_encode(rtl_utf16_decode(from + at, length - at, &used), bytes);
        if (to && size > count - done)
            return done;
        for (SIZE_T i = 0; to && i < size; i++)
            to[done + i] = bytes[i];
        done += size;
    }
    if (to && done < count)
        to[done] = 0;
    return done;
}

/* ---- secure printing ---- */

int NTAPI nt_vsnprintf_s(char *buffer, SIZE_T size, SIZE_T count, const char *format, NT_VA_LIST list)
{
    if (!buffer || !size)
        return -1;
    SIZE_T room = count < size ? count : size - 1;
    int length = nt_vsnprintf(buffer, room, format, list);
    buffer[room] = 0;
    if (length < 0 && count != TRUNCATE && count >= size)
        buffer[0] = 0;
    return length;
}

int NTAPI nt_vsnwprintf_s(WCHAR *buffer, SIZE_T size, SIZE_T count, const WCHAR *format, NT_VA_LIST list)
{
    if (!buffer || !size)
        return -1;
    SIZE_T room = count < size ? count : size - 1;
    int length = nt_vsnwprintf(buffer, room, format, list);
    buffer[room] = 0;
    if (length < 0 && count != TRUNCATE && count >= size)
        buffer[0] = 0;
    return length;
}

int NTAPI nt_vsprintf_s(char *buffer, SIZE_T size, const char *format, NT_VA_LIST list)
{
    return nt_vsnprintf_s(buffer, size, size, format, list);
}

int NTAPI nt_vswprintf_s(WCHAR *buffer, SIZE_T size, const WCHAR *format, NT_VA_LIST list)
{
    return nt_vsnwprintf_s(buffer, size, size, format, list);
}

int NTAPI nt_snprintf_s(char *buffer, SIZE_T size, SIZE_T count, const char *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = nt_vsnprintf_s(buffer, size, count, format, list);
    NT_VA_END(list);
    return length;
}

int NTAPI nt_snwprintf_s(WCHAR *buffer, SIZE_T size, SIZE_T count, const WCHAR *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = nt_vsnwprintf_s(buffer, size, count, format, list);
    NT_VA_END(list);
    return length;
}
