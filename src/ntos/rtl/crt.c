/*
 * crt.c - the C string functions that ntoskrnl exports, in the "C" locale. Documented by the C standard and Learn's CRT
 * pages.
 *
 * Byte by byte on purpose: a string's last page is never read past its terminator.
 */
#include "rtl.h"

int NTAPI nt_isdigit(int character)
{
    return character >= '0' && character <= '9';
}

int NTAPI nt_isupper(int character)
{
    return character >= 'A' && character <= 'Z';
}

int NTAPI nt_islower(int character)
{
    return character >= 'a' && character <= 'z';
}

int NTAPI nt_isalpha(int character)
{
    return nt_isupper(character) || nt_islower(character);
}

int NTAPI nt_isalnum(int character)
{
    return nt_isalpha(character) || nt_isdigit(character);
}

int NTAPI nt_isspace(int character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

int NTAPI nt_isxdigit(int character)
{
    return nt_isdigit(character) || (character >= 'a' && character <= 'f') || (character >= 'A' && character <= 'F');
}

int NTAPI nt_isprint(int character)
{
    return character >= ' ' && character <= '~';
}

int NTAPI nt_toupper(int character)
{
    return nt_islower(character) ? character - 'a' + 'A' : character;
}

int NTAPI nt_tolower(int character)
{
    return nt_isupper(character) ? character - 'A' + 'a' : character;
}

WCHAR NTAPI nt_towupper(WCHAR character)
{
    return RtlUpcaseUnicodeChar(character);
}

WCHAR NTAPI nt_towlower(WCHAR character)
{
    return RtlDowncaseUnicodeChar(character);
}

static int same_byte(int character)
{
    return character;
}

static int lower_byte(int character)
{
    return nt_tolower(character);
}

static int same_wide(int character)
{
    return character;
}

static int lower_wide(int character)
{
    return RtlDowncaseUnicodeChar((WCHAR)character);
}

/* One body per character width: the two families differ in nothing else. */
#define STRING_FAMILY(T, U, prefix, same, lower)                                                                       \
    static int prefix##_order(const T *a, const T *b, SIZE_T count, int (*map)(int))                                   \
    {                                                                                                                  \
        for (SIZE_T i = 0; i < count; i++) {                                                                           \
            int x = map((U)a[i]), y = map((U)b[i]);                                                                    \
            if (x != y)                                                                                                \
                return x < y ? -1 : 1;                                                                                 \
            if (!x)                                                                                                    \
                break;                                                                                                 \
        }                                                                                                              \
        return 0;                                                                                                      \
    }                                                                                                                  \
    SIZE_T NTAPI nt_##prefix##nlen(const T *text, SIZE_T limit)                                                        \
    {                                                                                                                  \
        const volatile T *p = text;                                                                                    \
        SIZE_T length = 0;                                                                                             \
        while (length < limit && p[length])                                                                            \
            length++;                                                                                                  \
        return length;                                                                                                 \
    }                                                                                                                  \
    SIZE_T NTAPI nt_##prefix##len(const T *text)                                                                       \
    {                                                                                                                  \
        return nt_##prefix##nlen(text, SIZE_MAX);                                                                      \
    }                                                                                                                  \
    int NTAPI nt_##prefix##cmp(const T *a, const T *b)                                                                 \
    {                                                                                                                  \
        return prefix##_order(a, b, SIZE_MAX, same);                                                                   \
    }                                                                                                                  \
    int NTAPI nt_##prefix##ncmp(const T *a, const T *b, SIZE_T count)                                                  \
    {                                                                                                                  \
        return prefix##_order(a, b, count, same);                                                                      \
    }                                                                                                                  \
    int NTAPI nt_##prefix##icmp(const T *a, const T *b)                                                                \
    {                                                                                                                  \
        return prefix##_order(a, b, SIZE_MAX, lower);                                                                  \
    }                                                                                                                  \
    int NTAPI nt_##prefix##nicmp(const T *a, const T *b, SIZE_T count)                                                 \
    {                                                                                                                  \
        return prefix##_order(a, b, count, lower);                                                                     \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##cpy(T *to, const T *from)                                                                    \
    {                                                                                                                  \
        SIZE_T i = 0;                                                                                                  \
        do                                                                                                             \
            to[i] = from[i];                                                                                           \
        while (from[i++]);                                                                                             \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##ncpy(T *to, const T *from, SIZE_T count)                                                     \
    {                                                                                                                  \
        SIZE_T i = 0;                                                                                                  \
        for (; i < count && from[i]; i++)                                                                              \
            to[i] = from[i];                                                                                           \
        for (; i < count; i++)                                                                                         \
            to[i] = 0;                                                                                                 \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##ncat(T *to, const T *from, SIZE_T count)                                                     \
    {                                                                                                                  \
        T *end = to + nt_##prefix##len(to);                                                                            \
        while (count-- && *from)                                                                                       \
            *end++ = *from++;                                                                                          \
        *end = 0;                                                                                                      \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##cat(T *to, const T *from)                                                                    \
    {                                                                                                                  \
        nt_##prefix##cpy(to + nt_##prefix##len(to), from);                                                             \
        return to;                                                                                                     \
    }                                                                                                                  \
    static T *prefix##_find(const T *text, T character, bool last)                                                     \
    {                                                                                                                  \
        const T *found = NULL;                                                                                         \
        for (;; text++) {                                                                                              \
            if (*text == character)                                                                                    \
                found = text;                                                                                          \
            if (!*text || (found && !last))                                                                            \
                return (T *)(ULONG_PTR)found;                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    T *NTAPI nt_##prefix##str(const T *text, const T *wanted)                                                          \
    {                                                                                                                  \
        SIZE_T length = nt_##prefix##len(wanted);                                                                      \
        for (;; text++) {                                                                                              \
            if (!prefix##_order(text, wanted, length, same))                                                           \
                return (T *)(ULONG_PTR)text;                                                                           \
            if (!*text)                                                                                                \
                return NULL;                                                                                           \
        }                                                                                                              \
    }

STRING_FAMILY(char, UCHAR, str, same_byte, lower_byte)
STRING_FAMILY(WCHAR, WCHAR, wcs, same_wide, lower_wide)

char *NTAPI nt_strchr(const char *text, int character)
{
    return str_find(text, (char)character, false);
}

char *NTAPI nt_strrchr(const char *text, int character)
{
    return str_find(text, (char)character, true);
}

WCHAR *NTAPI nt_wcschr(const WCHAR *text, WCHAR character)
{
    return wcs_find(text, character, false);
}

WCHAR *NTAPI nt_wcsrchr(const WCHAR *text, WCHAR character)
{
    return wcs_find(text, character, true);
}

/* Leading spaces, a sign, digits; wraps silently, as the documented functions may. */
#define TEXT_TO_LONG(name, T)                                                                                          \
    LONG NTAPI name(const T *text)                                                                                     \
    {                                                                                                                  \
        ULONG value = 0;                                                                                               \
        while (nt_isspace(*text))                                                                                      \
            text++;                                                                                                    \
        bool negative = *text == '-';                                                                                  \
        if (*text == '-' || *text == '+')                                                                              \
            text++;                                                                                                    \
        for (; nt_isdigit(*text); text++)                                                                              \
            value = value * 10 + (ULONG)(*text - '0');                                                                 \
        return (LONG)(negative ? 0 - value : value);                                                                   \
    }

TEXT_TO_LONG(nt_atol, char)
TEXT_TO_LONG(nt_wtol, WCHAR)
