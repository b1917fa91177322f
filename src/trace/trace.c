/* trace.c - the one sink pointer. */
#include "trace.h"

trace_sink *trace_sink_current;
