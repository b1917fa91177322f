/* crt_more.h - more of the C runtime of ntoskrnl; exported without the nt_ prefix (some with an underscore instead). */
#pragma once
#include "rtl.h"

enum { CRT_EINVAL = 22, CRT_ERANGE = 34, CRT_STRUNCATE = 80 };

#define CRT_MORE_STRINGS(T, prefix)                                                                                    \
    SIZE_T NTAPI nt_##prefix##spn(const T *text, const T *set);                                                        \
    SIZE_T NTAPI nt_##prefix##cspn(const T *text, const T *set);                                                       \
    T *NTAPI nt_##prefix##lwr(T *text);                                                                                \
    T *NTAPI nt_##prefix##upr(T *text);                                                                                \
    T *NTAPI nt_##prefix##rev(T *text);                                                                                \
    T *NTAPI nt_##prefix##nset(T *text, int character, SIZE_T count);                                                  \
    int NTAPI nt_##prefix##ncpy_s(T *to, SIZE_T size, const T *from, SIZE_T count);                                    \
    int NTAPI nt_##prefix##cpy_s(T *to, SIZE_T size, const T *from);                                                   \
    int NTAPI nt_##prefix##ncat_s(T *to, SIZE_T size, const T *from, SIZE_T count);                                    \
    int NTAPI nt_##prefix##cat_s(T *to, SIZE_T size, const T *from);                                                   \
    T *NTAPI nt_##prefix##tok_s(T *text, const T *delimiters, T **context);
CRT_MORE_STRINGS(char, str)
CRT_MORE_STRINGS(WCHAR, wcs)
char *NTAPI nt_strset(char *text, int character);

int NTAPI nt_itoa_s(LONG value, char *to, SIZE_T size, int radix);
int NTAPI nt_itow_s(LONG value, WCHAR *to, SIZE_T size, int radix);
int NTAPI nt_i64toa_s(LONG64 value, char *to, SIZE_T size, int radix);
int NTAPI nt_i64tow_s(LONG64 value, WCHAR *to, SIZE_T size, int radix);
int NTAPI nt_ultoa_s(ULONG value, char *to, SIZE_T size, int radix);
int NTAPI nt_ultow_s(ULONG value, WCHAR *to, SIZE_T size, int radix);
int NTAPI nt_ui64toa_s(ULONG64 value, char *to, SIZE_T size, int radix);
int NTAPI nt_ui64tow_s(ULONG64 value, WCHAR *to, SIZE_T size, int radix);
char *NTAPI nt_itoa(LONG value, char *to, int radix);
WCHAR *NTAPI nt_itow(LONG value, WCHAR *to, int radix);
int NTAPI nt_memcpy_s(void *to, SIZE_T size, const void *from, SIZE_T count);
int NTAPI nt_memmove_s(void *to, SIZE_T size, const void *from, SIZE_T count);
SIZE_T NTAPI nt_wcstombs(char *to, const WCHAR *from, SIZE_T count);

int NTAPI nt_vsnprintf_s(char *buffer, SIZE_T size, SIZE_T count, const char *format, NT_VA_LIST list);
int NTAPI nt_vsnwprintf_s(WCHAR *buffer, SIZE_T size, SIZE_T count, const WCHAR *format, NT_VA_LIST list);
int NTAPI nt_vsprintf_s(char *buffer, SIZE_T size, const char *format, NT_VA_LIST list);
int NTAPI nt_vswprintf_s(WCHAR *buffer, SIZE_T size, const WCHAR *format, NT_VA_LIST list);
int NTAPI nt_snprintf_s(char *buffer, SIZE_T size, SIZE_T count, const char *format, ...);
int NTAPI nt_snwprintf_s(WCHAR *buffer, SIZE_T size, SIZE_T count, const WCHAR *format, ...);

void NTAPI nt_qsort(void *base, SIZE_T count, SIZE_T width, int(NTAPI *order)(const void *, const void *));
void NTAPI nt_qsort_s(void *base, SIZE_T count, SIZE_T width, int(NTAPI *order)(void *, const void *, const void *),
                      void *context);
void *NTAPI nt_bsearch(const void *key, const void *base, SIZE_T count, SIZE_T width,
                       int(NTAPI *order)(const void *, const void *));
void *NTAPI nt_bsearch_s(const void *key, const void *base, SIZE_T count, SIZE_T width,
                         int(NTAPI *order)(void *, const void *, const void *), void *context);
ULONG NTAPI nt_wcstoul(const WCHAR *text, WCHAR **end, int base);
ULONG64 NTAPI nt_strtoui64(const char *text, char **end, int base);
void NTAPI nt_srand(ULONG seed);
int NTAPI nt_rand(void);
