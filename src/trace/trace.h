/*
 * trace.h - how low layers let themselves be observed without knowing who looks.
 *
 * A sink is one function pointer, null by default; a layer calls trace_emit with a filled row. Freestanding, no
 * locking: sinks are set before any driver runs. A sink must be safe to call with any lock held.
 */
#pragma once
#include "wdk/ntdef.h"

enum trace_kind {
    TRACE_USER_READ,  /* accessor read of user memory */
    TRACE_USER_WRITE, /* accessor write */
    TRACE_RAW_READ,   /* instruction outside any window */
    TRACE_RAW_WRITE,
    TRACE_POOL_ALLOC, /* address, size, tag */
    TRACE_POOL_FREE,
    TRACE_EXPORT_STUB /* a stub export was reached: name */
};

struct trace_row {
    enum trace_kind kind;
    ULONG_PTR pc; /* instruction or caller, 0 if unknown */
    ULONG_PTR address;
    SIZE_T size;
    ULONG tag;
    const char *name; /* accessor or export, static string or null */
};

typedef void trace_sink(const struct trace_row *row);
extern trace_sink *trace_sink_current;

static inline void trace_emit(const struct trace_row *row)
{
    if (trace_sink_current)
        trace_sink_current(row);
}
