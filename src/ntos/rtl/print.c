/*
 * print.c - the print routines over the formatter: to the debugger (standard error), to narrow and to wide buffers.
 *
 * The Windows convention of _snprintf holds for the exported family: -1 when the text does not fit, and then no
 * terminator is promised. The debugger's filter mask is open: a message of any component and level is shown.
 */
#include "rtl.h"
#include "plat.h"
#include "seh.h"

/* ---- arguments ---- */

static ULONG64 next_driver_argument(struct rtl_arguments *arguments)
{
    NT_VA_LIST *list = arguments->state;
    return NT_VA_SLOT(*list);
}

struct host_arguments {
    __builtin_va_list list;
};

static ULONG64 next_host_argument(struct rtl_arguments *arguments)
{
    struct host_arguments *host = arguments->state;
    return __builtin_va_arg(host->list, ULONG64);
}

/* ---- a buffer of either width. room and used in characters; used counts on past the end ---- */

struct buffer_sink {
    struct rtl_sink sink;
    char *narrow;
    WCHAR *wide;
    SIZE_T room, used;
};

static void put_unit(struct buffer_sink *buffer, WCHAR unit)
{
    if (buffer->used < buffer->room) {
        if (buffer->wide)
            buffer->wide[buffer->used] = unit;
        else
            buffer->narrow[buffer->used] = (char)unit;
    }
    buffer->used++;
}

static bool buffer_narrow(struct rtl_sink *sink, const char *text, SIZE_T length)
{
    struct buffer_sink *buffer = CONTAINING_RECORD(sink, struct buffer_sink, sink);
    for (SIZE_T at = 0, used = 1; at < length; at += used) {
        if (!buffer->wide) {
            put_unit(buffer, (UCHAR)text[at]);
            continue;
        }
        WCHAR units[2];
        SIZE_T count = rtl_utf16_encode(rtl_utf8_decode(text + at, length - at, &used), units);
        for (SIZE_T i = 0; i < count; i++)
            put_unit(buffer, units[i]);
    }
    return true;
}

static bool buffer_wide(struct rtl_sink *sink, const WCHAR *text, SIZE_T length)
{
    struct buffer_sink *buffer = CONTAINING_RECORD(sink, struct buffer_sink, sink);
    for (SIZE_T at = 0, used = 1; at < length; at += used) {
        if (buffer->wide) {
            put_unit(buffer, text[at]);
            continue;
        }
        char bytes[4];
        SIZE_T count = rtl_utf8_encode(rtl_utf16_decode(text + at, length - at, &used), bytes);
        for (SIZE_T i = 0; i < count; i++)
            put_unit(buffer, (UCHAR)bytes[i]);
    }
    return true;
}

static struct buffer_sink buffer_sink(char *narrow, WCHAR *wide, SIZE_T room)
{
    return (struct buffer_sink){
        .sink = {.narrow = buffer_narrow, .wide = buffer_wide}, .narrow = narrow, .wide = wide, .room = room};
}

SIZE_T rtl_vprint(char *buffer, SIZE_T size, const char *format, __builtin_va_list list)
{
    struct buffer_sink sink = buffer_sink(buffer, NULL, size ? size - 1 : 0);
    struct host_arguments host;
    __builtin_va_copy(host.list, list);
    struct rtl_arguments arguments = {next_host_argument, &host};
    rtl_format(&sink.sink, format, NULL, &arguments);
    __builtin_va_end(host.list);
    if (size)
        buffer[sink.used < size ? sink.used : size - 1] = 0;
    return sink.used;
}

SIZE_T rtl_print(char *buffer, SIZE_T size, const char *format, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, format);
    SIZE_T length = rtl_vprint(buffer, size, format, list);
    __builtin_va_end(list);
    return length;
}

/* ---- the exported family ---- */

static int print_narrow(char *buffer, SIZE_T count, const char *format, NT_VA_LIST *list)
{
    struct buffer_sink sink = buffer_sink(buffer, NULL, count);
    struct rtl_arguments arguments = {next_driver_argument, list};
    rtl_format(&sink.sink, format, NULL, &arguments);
    if (sink.used < count)
        buffer[sink.used] = 0;
    return sink.used > count || sink.used > INT32_MAX ? -1 : (int)sink.used;
}

static int print_wide(WCHAR *buffer, SIZE_T count, const WCHAR *format, NT_VA_LIST *list)
{
    struct buffer_sink sink = buffer_sink(NULL, buffer, buffer ? count : 0);
    if (!buffer)
        return -1;
    struct rtl_arguments arguments = {next_driver_argument, list};
    rtl_format(&sink.sink, NULL, format, &arguments);
    if (sink.used < count)
        buffer[sink.used] = 0;
    return sink.used > count || sink.used > INT32_MAX ? -1 : (int)sink.used;
}

int NTAPI nt_vsnprintf(char *buffer, SIZE_T count, const char *format, NT_VA_LIST list)
{
    return print_narrow(buffer, count, format, &list);
}

int NTAPI nt_snprintf(char *buffer, SIZE_T count, const char *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_narrow(buffer, count, format, &list);
    NT_VA_END(list);
    return length;
}

int NTAPI nt_vsprintf(char *buffer, const char *format, NT_VA_LIST list)
{
    return print_narrow(buffer, SIZE_MAX, format, &list);
}

int NTAPI nt_sprintf(char *buffer, const char *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_narrow(buffer, SIZE_MAX, format, &list);
    NT_VA_END(list);
    return length;
}

/* The secure forms end an overlong text with an empty string and -1; there is no invalid-parameter handler to call. */
int NTAPI nt_sprintf_s(char *buffer, SIZE_T size, const char *format, ...)
{
    if (!buffer || !size)
        return -1;
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_narrow(buffer, size, format, &list);
    NT_VA_END(list);
    if (length >= 0 && (SIZE_T)length < size)
        return length;
    buffer[0] = 0;
    return -1;
}

int NTAPI nt_vsnwprintf(WCHAR *buffer, SIZE_T count, const WCHAR *format, NT_VA_LIST list)
{
    return print_wide(buffer, count, format, &list);
}

int NTAPI nt_snwprintf(WCHAR *buffer, SIZE_T count, const WCHAR *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_wide(buffer, count, format, &list);
    NT_VA_END(list);
    return length;
}

int NTAPI nt_swprintf(WCHAR *buffer, const WCHAR *format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_wide(buffer, SIZE_MAX, format, &list);
    NT_VA_END(list);
    return length;
}

int NTAPI nt_swprintf_s(WCHAR *buffer, SIZE_T size, const WCHAR *format, ...)
{
    if (!buffer || !size)
        return -1;
    NT_VA_LIST list;
    NT_VA_START(list, format);
    int length = print_wide(buffer, size, format, &list);
    NT_VA_END(list);
    if (length >= 0 && (SIZE_T)length < size)
        return length;
    buffer[0] = 0;
    return -1;
}

/* ---- the debugger ---- */

/* Text goes out in pieces of this size; the documented limit of 512 bytes a call does not cut it. */
struct debug_sink {
    struct buffer_sink buffer;
    char text[512];
};

static void flush(struct debug_sink *debug)
{
    plat_debug_write(debug->text, debug->buffer.used);
    debug->buffer.used = 0;
}

static bool debug_narrow(struct rtl_sink *sink, const char *text, SIZE_T length)
{
    struct debug_sink *debug = CONTAINING_RECORD(sink, struct debug_sink, buffer.sink);
    for (SIZE_T i = 0; i < length; i++) {
        if (debug->buffer.used == sizeof(debug->text))
            flush(debug);
        put_unit(&debug->buffer, (UCHAR)text[i]);
    }
    return true;
}

static bool debug_wide(struct rtl_sink *sink, const WCHAR *text, SIZE_T length)
{
    for (SIZE_T at = 0, used; at < length; at += used) {
        char bytes[4];
        SIZE_T count = rtl_utf8_encode(rtl_utf16_decode(text + at, length - at, &used), bytes);
        debug_narrow(sink, bytes, count);
    }
    return true;
}

static ULONG debug_print(PCSTR prefix, PCSTR format, NT_VA_LIST *list)
{
    struct debug_sink debug;
    debug.buffer = buffer_sink(debug.text, NULL, sizeof(debug.text));
    debug.buffer.sink.narrow = debug_narrow;
    debug.buffer.sink.wide = debug_wide;
    struct rtl_arguments arguments = {next_driver_argument, list};
    if (prefix)
        debug_narrow(&debug.buffer.sink, prefix, nt_strlen(prefix));
    rtl_format(&debug.buffer.sink, format, NULL, &arguments);
    flush(&debug);
    return STATUS_SUCCESS;
}

/* Writes to the debugger. Formats: rtl_format in rtl.h. IRQL: any for narrow text, as documented; not enforced. */
ULONG NTAPI DbgPrint(PCSTR Format, ...)
{
    NT_VA_LIST list;
    NT_VA_START(list, Format);
    ULONG status = debug_print(NULL, Format, &list);
    NT_VA_END(list);
    return status;
}

ULONG NTAPI DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    UNREFERENCED_PARAMETER(ComponentId);
    UNREFERENCED_PARAMETER(Level);
    NT_VA_LIST list;
    NT_VA_START(list, Format);
    ULONG status = debug_print(NULL, Format, &list);
    NT_VA_END(list);
    return status;
}

ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, NT_VA_LIST arglist)
{
    UNREFERENCED_PARAMETER(ComponentId);
    UNREFERENCED_PARAMETER(Level);
    return debug_print(NULL, Format, &arglist);
}

ULONG NTAPI vDbgPrintExWithPrefix(PCSTR Prefix, ULONG ComponentId, ULONG Level, PCSTR Format, NT_VA_LIST arglist)
{
    UNREFERENCED_PARAMETER(ComponentId);
    UNREFERENCED_PARAMETER(Level);
    return debug_print(Prefix, Format, &arglist);
}

/* Raises STATUS_BREAKPOINT in the caller: with no debugger a driver that does not handle it is stopped. */
VOID NTAPI DbgBreakPoint(VOID)
{
    seh_raise_status(STATUS_BREAKPOINT);
}

VOID NTAPI DbgBreakPointWithStatus(ULONG Status)
{
    UNREFERENCED_PARAMETER(Status);
    seh_raise_status(STATUS_BREAKPOINT);
}

/* Prints the assertion and breaks. */
VOID NTAPI RtlAssert(PVOID VoidFailedAssertion, PVOID VoidFileName, ULONG LineNumber, PSTR MutableMessage)
{
    DbgPrint("Assertion failed: %s%s%s\n  %s, line %u\n", MutableMessage ? MutableMessage : "",
             MutableMessage ? ": " : "", VoidFailedAssertion, VoidFileName, LineNumber);
    DbgBreakPoint();
}
