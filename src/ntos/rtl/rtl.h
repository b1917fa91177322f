/*
 * rtl.h - what the run-time library gives to the layers above it and cannot be found in the documentation.
 *
 * Documented routines stand in wdk/rtl.h. Here: the formatter every print routine shares, the C-runtime functions the
 * kernel exports under names the host's C library owns (nt_ prefix, exported without it), and the hooks by which upper
 * layers lend the library what it lacks. Freestanding.
 */
#pragma once
#include "wdk/rtl.h"

/* A pool tag, spelt as it is read in memory. */
#define RTL_TAG(a, b, c, d) ((ULONG)(a) | (ULONG)(b) << 8 | (ULONG)(c) << 16 | (ULONG)(d) << 24)
#define RTL_STRING_TAG      RTL_TAG('S', 't', 'r', 'g')

/* Pool for the routines that allocate; set by ex. caller: the code address the memory is charged to. */
struct rtl_pool_hooks {
    void *(*allocate)(SIZE_T size, ULONG tag);
    void (*release)(void *block);
};
extern struct rtl_pool_hooks rtl_pool;

/*
 * A driver's data structure is corrupt: bug check 0x139 with this code and the address. ex lends the bug check; does
 * not return.
 */
enum rtl_corruption { RTL_CORRUPT_LIST = 3, RTL_CORRUPT_COUNT = 14, RTL_CORRUPT_TREE = 29 };
extern void (*rtl_corrupt_hook)(ULONG code, const void *object, const char *why);
DECLSPEC_NORETURN void rtl_corrupt(enum rtl_corruption code, const void *object, const char *why);

/* ---- formatting ---- */

/* Receives text in pieces; length in bytes of UTF-8 (narrow) or in UTF-16 units (wide). Returning false ends the
 * formatting. */
struct rtl_sink {
    bool (*narrow)(struct rtl_sink *sink, const char *text, SIZE_T length);
    bool (*wide)(struct rtl_sink *sink, const WCHAR *text, SIZE_T length);
    bool failed; /* a sink refused a piece */
};

/* Where arguments come from: a driver's list (Windows convention) or one of our own. Each integer is one 8-byte slot.
 */
struct rtl_arguments {
    ULONG64 (*next)(struct rtl_arguments *arguments);
    void *state;
};

/*
 * Formats into *sink as the documented kernel printf family does: flags, width, precision, h l ll w I32 I64 I z t j,
 * d i u o x X p c C s S Z (counted strings) and %%. Floating point is not supported, as documented for DbgPrint: such
 * an argument is consumed and the letter printed. Null strings print "(null)". Exactly one of the two formats is given.
 * Nothing about format or strings is trusted: bad pointers fault here and are raised in the caller.
 */
void rtl_format(struct rtl_sink *sink, const char *format, const WCHAR *wide_format, struct rtl_arguments *arguments);

/* vsnprintf of our own: always terminated, returns the length the whole text has. For bug checks and reports. */
SIZE_T rtl_print(char *buffer, SIZE_T size, const char *format, ...) __attribute__((format(printf, 3, 4)));
SIZE_T rtl_vprint(char *buffer, SIZE_T size, const char *format, __builtin_va_list list);

/* ---- text ---- */

/* One code point of UTF-8, or 0xFFFD for a malformed byte; *used is at least 1 when length is. */
ULONG rtl_utf8_decode(const char *text, SIZE_T length, SIZE_T *used);
/* Writes 1..4 bytes, returns how many. */
SIZE_T rtl_utf8_encode(ULONG code_point, char out[4]);
/* One code point of UTF-16; a lone surrogate gives 0xFFFD. */
ULONG rtl_utf16_decode(const WCHAR *text, SIZE_T length, SIZE_T *used);
SIZE_T rtl_utf16_encode(ULONG code_point, WCHAR out[2]);

/* ---- raw user memory ---- */

/*
 * The memcpy-like exports are given user addresses by drivers that do not use the accessors. Then they open the
 * platform's raw window around their work and report each side as one TRACE_RAW_* row, with the driver's call as pc. A
 * fault inside goes to the driver as an exception; the platform closes the window when it delivers the fault.
 */
#define RTL_RAW_NONE (~(ULONG_PTR)0) /* that side has no memory */
bool rtl_raw_begin(ULONG_PTR read, ULONG_PTR write, SIZE_T size, const char *name);
void rtl_raw_end(bool begun);
/* Set when user memory may only be reached through accessors (PLAT_RAW_STOP): no window is opened, and the access
 * stops. */
extern bool rtl_raw_stop;

/* ---- the C runtime of ntoskrnl ---- */
void *NTAPI nt_memcpy(void *to, const void *from, SIZE_T size);
void *NTAPI nt_memmove(void *to, const void *from, SIZE_T size);
void *NTAPI nt_memset(void *to, int value, SIZE_T size);
int NTAPI nt_memcmp(const void *a, const void *b, SIZE_T size);
void *NTAPI nt_memchr(const void *block, int value, SIZE_T size);
SIZE_T NTAPI nt_strlen(const char *text);
SIZE_T NTAPI nt_strnlen(const char *text, SIZE_T limit);
int NTAPI nt_strcmp(const char *a, const char *b);
int NTAPI nt_strncmp(const char *a, const char *b, SIZE_T count);
int NTAPI nt_stricmp(const char *a, const char *b);
int NTAPI nt_strnicmp(const char *a, const char *b, SIZE_T count);
char *NTAPI nt_strcpy(char *to, const char *from);
char *NTAPI nt_strncpy(char *to, const char *from, SIZE_T count);
char *NTAPI nt_strcat(char *to, const char *from);
char *NTAPI nt_strncat(char *to, const char *from, SIZE_T count);
char *NTAPI nt_strchr(const char *text, int character);
char *NTAPI nt_strrchr(const char *text, int character);
char *NTAPI nt_strstr(const char *text, const char *wanted);
SIZE_T NTAPI nt_wcslen(const WCHAR *text);
SIZE_T NTAPI nt_wcsnlen(const WCHAR *text, SIZE_T limit);
int NTAPI nt_wcscmp(const WCHAR *a, const WCHAR *b);
int NTAPI nt_wcsncmp(const WCHAR *a, const WCHAR *b, SIZE_T count);
int NTAPI nt_wcsicmp(const WCHAR *a, const WCHAR *b);
int NTAPI nt_wcsnicmp(const WCHAR *a, const WCHAR *b, SIZE_T count);
WCHAR *NTAPI nt_wcscpy(WCHAR *to, const WCHAR *from);
WCHAR *NTAPI nt_wcsncpy(WCHAR *to, const WCHAR *from, SIZE_T count);
WCHAR *NTAPI nt_wcscat(WCHAR *to, const WCHAR *from);
WCHAR *NTAPI nt_wcsncat(WCHAR *to, const WCHAR *from, SIZE_T count);
WCHAR *NTAPI nt_wcschr(const WCHAR *text, WCHAR character);
WCHAR *NTAPI nt_wcsrchr(const WCHAR *text, WCHAR character);
WCHAR *NTAPI nt_wcsstr(const WCHAR *text, const WCHAR *wanted);
int NTAPI nt_toupper(int character);
int NTAPI nt_tolower(int character);
WCHAR NTAPI nt_towupper(WCHAR character);
WCHAR NTAPI nt_towlower(WCHAR character);
int NTAPI nt_isdigit(int character);
int NTAPI nt_isalpha(int character);
int NTAPI nt_isalnum(int character);
int NTAPI nt_isspace(int character);
int NTAPI nt_isupper(int character);
int NTAPI nt_islower(int character);
int NTAPI nt_isxdigit(int character);
int NTAPI nt_isprint(int character);
LONG NTAPI nt_atol(const char *text);
LONG NTAPI nt_wtol(const WCHAR *text);

/* Less than, equal to or greater than 0: the order of two altitudes. */
LONG rtl_compare_altitudes(const UNICODE_STRING *a, const UNICODE_STRING *b);

int NTAPI nt_snprintf(char *buffer, SIZE_T count, const char *format, ...);
int NTAPI nt_vsnprintf(char *buffer, SIZE_T count, const char *format, NT_VA_LIST list);
int NTAPI nt_sprintf(char *buffer, const char *format, ...);
int NTAPI nt_vsprintf(char *buffer, const char *format, NT_VA_LIST list);
int NTAPI nt_sprintf_s(char *buffer, SIZE_T size, const char *format, ...);
int NTAPI nt_snwprintf(WCHAR *buffer, SIZE_T count, const WCHAR *format, ...);
int NTAPI nt_vsnwprintf(WCHAR *buffer, SIZE_T count, const WCHAR *format, NT_VA_LIST list);
int NTAPI nt_swprintf(WCHAR *buffer, const WCHAR *format, ...);
int NTAPI nt_swprintf_s(WCHAR *buffer, SIZE_T size, const WCHAR *format, ...);
