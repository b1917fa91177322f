/*
 * trace.h - how low layers let themselves be observed without knowing who looks.
 *
 * A sink is one function pointer, null by default; a layer calls trace_emit with a filled row. Freestanding, no
 * locking: sinks are set before any driver runs. A sink must be safe to call with any lock held.
 */
#pragma once
#include "wdk/ntdef.h"

enum trace_kind {
    TRACE_RAW_READ, /* an export works on user memory as if it were the driver's own (memcpy) */
    TRACE_RAW_WRITE,
    TRACE_PROBE_READ, /* a range is checked: name */
    TRACE_PROBE_WRITE,
    TRACE_LOCK_READ, /* the pages of a range are locked: name, pc */
    TRACE_LOCK_WRITE,
    TRACE_COPY_IN, /* the kernel captures a request's input */
    TRACE_COPY_OUT,
    TRACE_DONE,       /* what this thread has begun of the above has succeeded */
    TRACE_EXCEPTION,  /* this thread raises tag, a status, at context; address: what it is about, if it is about any */
    TRACE_STOPPED,    /* the instruction at context may not touch user memory at address: the kernel stops */
    TRACE_POOL_ALLOC, /* address, size, tag */
    TRACE_POOL_FREE
};

struct trace_row {
    enum trace_kind kind;
    ULONG_PTR pc; /* instruction or caller, 0 if unknown */
    ULONG_PTR address;
    SIZE_T size;
    ULONG tag;
    const char *name;    /* export, static string or null */
    const void *context; /* CONTEXT of an exception, else null */
};

typedef void trace_sink(const struct trace_row *row);
extern trace_sink *trace_sink_current;

static inline void trace_emit(const struct trace_row *row)
{
    if (trace_sink_current)
        trace_sink_current(row);
}

/* For accesses to user memory: the row before, trace_done after. What raises in between ends by TRACE_EXCEPTION. */
static inline void trace_begin(enum trace_kind kind, ULONG_PTR pc, ULONG_PTR address, SIZE_T size, const char *name)
{
    if (trace_sink_current && size)
        trace_sink_current(&(struct trace_row){.kind = kind, .pc = pc, .address = address, .size = size, .name = name});
}

static inline void trace_done(void)
{
    if (trace_sink_current)
        trace_sink_current(&(struct trace_row){.kind = TRACE_DONE});
}
