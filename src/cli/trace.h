/*
 * trace.h - `uma trace`: what its two forms, text and JSON, are given of each request, and how they name addresses.
 */
#pragma once
#include "check.h"
#include "run.h"

#define TRACE_WHERE_MAX (REQUESTS_NAME_MAX + 64)

/* The accesses of one request, in order, and what they come to. */
struct trace_request {
    size_t number; /* 0: before the first request or after the last, as in DriverEntry */
    const struct request *request;
    const struct outcome *outcome; /* null: it did not come to an end */
    const struct uma_trace_row *rows;
    const size_t *first; /* uma_trace_refetches */
    size_t count;
    uint64_t dropped;
    uint64_t refetched; /* bytes */
};
struct trace_totals {
    uint64_t accesses, dropped, raw, unhandled, refetched;
};

/*
 * An address as the request's author knows it: "input+0x8", "[input+0x10]+0x4" for what the pointer there leads to,
 * the name of a buffer, or the number.
 */
void trace_where(const struct plan *plan, const struct request *request, uint64_t address, char where[TRACE_WHERE_MAX]);
/* "raw", "memcpy", "ReadULongFromUser", "locked pages", ... */
const char *trace_how(const struct uma_trace_row *row, const struct check_site *site);

void trace_text_request(const struct plan *plan, const struct trace_request *request);
void trace_text_totals(const struct trace_totals *totals);

void trace_json_request(const struct plan *plan, const struct trace_request *request);
/* Writes the document, once; bugcheck null: there was none. timed_out: the driver did not come back. */
void trace_json_end(FILE *to, const struct trace_totals *totals, const struct uma_bugcheck *bugcheck, bool timed_out);
