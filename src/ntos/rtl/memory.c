/*
 * memory.c - block operations: the Rtl*Memory routines and memcpy's family as drivers import them.
 *
 * Nothing is checked: a bad address faults, as on Windows. What is special is user memory reached without an accessor
 * (rtl.h).
 */
#include "rtl.h"
#include "plat.h"
#include "seh.h"
#include "trace.h"

bool rtl_raw_stop;

/* Null too: nothing is mapped there, but it is no kernel address. */
static bool is_user_range(ULONG_PTR address, SIZE_T size)
{
    return size && address < plat_layout.user_limit;
}

static void trace_raw(enum trace_kind kind, ULONG_PTR address, SIZE_T size, const char *name)
{
    struct trace_row row = {.kind = kind, .pc = seh_export_caller(), .address = address, .size = size, .name = name};
    trace_emit(&row);
}

bool rtl_raw_begin(ULONG_PTR read, ULONG_PTR write, SIZE_T size, const char *name)
{
    bool reads = is_user_range(read, size), writes = is_user_range(write, size);
    if (rtl_raw_stop || (!reads && !writes))
        return false;
    if (reads)
        trace_raw(TRACE_RAW_READ, read, size, name);
    if (writes)
        trace_raw(TRACE_RAW_WRITE, write, size, name);
    plat_raw_begin();
    return true;
}

void rtl_raw_end(bool begun)
{
    if (!begun)
        return;
    plat_raw_end();
    trace_done();
}

void *NTAPI nt_memcpy(void *to, const void *from, SIZE_T size)
{
    bool raw = rtl_raw_begin((ULONG_PTR)from, (ULONG_PTR)to, size, "memcpy");
    /* Overlap is allowed even here: Windows' memcpy and memmove have long been one routine, and drivers rely on it. */
    __builtin_memmove(to, from, size);
    rtl_raw_end(raw);
    return to;
}

void *NTAPI nt_memmove(void *to, const void *from, SIZE_T size)
{
    bool raw = rtl_raw_begin((ULONG_PTR)from, (ULONG_PTR)to, size, "memmove");
    __builtin_memmove(to, from, size);
    rtl_raw_end(raw);
    return to;
}

void *NTAPI nt_memset(void *to, int value, SIZE_T size)
{
    bool raw = rtl_raw_begin(RTL_RAW_NONE, (ULONG_PTR)to, size, "memset");
    __builtin_memset(to, value, size);
    rtl_raw_end(raw);
    return to;
}

int NTAPI nt_memcmp(const void *a, const void *b, SIZE_T size)
{
    bool first = rtl_raw_begin((ULONG_PTR)a, RTL_RAW_NONE, size, "memcmp");
    bool second = rtl_raw_begin((ULONG_PTR)b, RTL_RAW_NONE, size, "memcmp");
    int order = __builtin_memcmp(a, b, size);
    rtl_raw_end(second);
    rtl_raw_end(first);
    return order;
}

void *NTAPI nt_memchr(const void *block, int value, SIZE_T size)
{
    const UCHAR *bytes = block;
    for (SIZE_T i = 0; i < size; i++)
        if (bytes[i] == (UCHAR)value)
            return (void *)(ULONG_PTR)&bytes[i];
    return NULL;
}

/* Copies Length bytes; the blocks may not overlap. */
VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    nt_memcpy(Destination, Source, Length);
}

/* Copies Length bytes; the blocks may overlap. */
VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    nt_memmove(Destination, Source, Length);
}

/* Sets Length bytes to Fill. */
VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, UCHAR Fill)
{
    nt_memset(Destination, Fill, Length);
}

/* Sets Length bytes to zero. */
VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length)
{
    nt_memset(Destination, 0, Length);
}

/* Returns how many bytes are equal from the start; Length if all are. */
SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *a = Source1, *b = Source2;
    bool first = rtl_raw_begin((ULONG_PTR)a, RTL_RAW_NONE, Length, "RtlCompareMemory");
    bool second = rtl_raw_begin((ULONG_PTR)b, RTL_RAW_NONE, Length, "RtlCompareMemory");
    SIZE_T equal = 0;
    while (equal < Length && a[equal] == b[equal])
        equal++;
    rtl_raw_end(second);
    rtl_raw_end(first);
    return equal;
}

/* Returns how many bytes at Source repeat Pattern. Source and Length are multiples of four; 0 otherwise. */
SIZE_T NTAPI RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern)
{
    const ULONG *words = Source;
    SIZE_T count = Length / sizeof(ULONG), equal = 0;
    if ((ULONG_PTR)Source % sizeof(ULONG))
        return 0;
    while (equal < count && words[equal] == Pattern)
        equal++;
    return equal * sizeof(ULONG);
}
