/*
 * trace_text.c - `uma trace` for a reader: a table for each request, and one line at the end.
 */
#include "trace.h"
#include <stdio.h>
#include <string.h>

#define VALUE_TEXT 64
#define SHOWN      6u /* bytes of a longer value */

static uint64_t number_of(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    memcpy(&number, bytes, size);
    return number;
}

static void write_bytes(const struct uma_trace_row *row, char text[VALUE_TEXT])
{
    size_t used = 0;
    unsigned shown = row->value_size < SHOWN ? row->value_size : SHOWN;
    for (unsigned i = 0; i < shown; i++)
        used += (size_t)snprintf(text + used, VALUE_TEXT - used, "%s%02x", i ? " " : "", row->value[i]);
    if (row->size > shown)
        snprintf(text + used, VALUE_TEXT - used, " ...");
}

static void write_value(const struct uma_trace_row *row, char text[VALUE_TEXT])
{
    uint64_t size = row->size;
    bool scalar = size == row->value_size && (size == 1 || size == 2 || size == 4 || size == 8);
    text[0] = 0;
    if (row->outcome == UMA_TRACE_RAISED)
        snprintf(text, VALUE_TEXT, "%s", uma_status_name(row->status));
    else if (row->outcome == UMA_TRACE_STOPPED)
        snprintf(text, VALUE_TEXT, "stopped: bug check");
    else if (row->outcome == UMA_TRACE_UNFINISHED)
        snprintf(text, VALUE_TEXT, "unfinished");
    else if (scalar && row->access == UMA_TRACE_UPDATE)
        snprintf(text, VALUE_TEXT, "0x%llx to 0x%llx", (unsigned long long)number_of(row->value, size),
                 (unsigned long long)number_of(row->stored, size));
    else if (scalar)
        snprintf(text, VALUE_TEXT, "0x%llx", (unsigned long long)number_of(row->value, size));
    else if (row->value_size)
        write_bytes(row, text);
}

static const char *access_name(const struct uma_trace_row *row)
{
    static const char *const names[] = {"", "read", "write", "update"};
    return names[row->access];
}

static const char *handler_name(const struct uma_trace_row *row)
{
    return row->handler == UMA_TRACE_NO_HANDLER       ? "none"
           : row->handler == UMA_TRACE_DRIVER_HANDLER ? "driver"
                                                      : "kernel";
}

static void print_row(const struct plan *plan, const struct trace_request *request, size_t i)
{
    const struct uma_trace_row *row = &request->rows[i];
    char where[TRACE_WHERE_MAX], value[VALUE_TEXT];
    struct check_site site;
    check_site(row, &site);
    trace_where(plan, request->request, row->address, where);
    write_value(row, value);
    printf("  %4zu  %-6s %6llu  %-18s %-24s %-22s %-7s  %s", i + 1, access_name(row), (unsigned long long)row->size,
           where, value, trace_how(row, &site), handler_name(row), site.place[0] ? site.place : "-");
    if (row->fault_address && row->fault_address != row->address) {
        trace_where(plan, request->request, row->fault_address, where);
        printf("; the fault was at %s", where);
    }
    if (row->irql)
        printf("; IRQL %u", row->irql);
    if (row->thread != 1)
        printf("; thread %u", row->thread);
    if (request->first[i] < request->count)
        printf("; fetched again, first by %zu", request->first[i] + 1);
    putchar('\n');
}

void trace_text_request(const struct plan *plan, const struct trace_request *request)
{
    if (!request->count && !request->number)
        return;
    if (!request->number)
        puts("   outside of requests:");
    if (request->count)
        printf("  %4s  %-6s %6s  %-18s %-24s %-22s %-7s  %s\n", "row", "access", "bytes", "where", "value", "how",
               "handler", "at");
    for (size_t i = 0; i < request->count; i++)
        print_row(plan, request, i);
    if (request->dropped)
        printf("   and %llu accesses more than --limit keeps\n", (unsigned long long)request->dropped);
    if (!request->count)
        puts("   no access to user memory");
    fflush(stdout);
}

void trace_text_totals(const struct trace_totals *totals)
{
    printf("accesses to user memory: %llu, raw %llu, without a handler %llu; bytes fetched more than once: %llu\n",
           (unsigned long long)(totals->accesses + totals->dropped), (unsigned long long)totals->raw,
           (unsigned long long)totals->unhandled, (unsigned long long)totals->refetched);
    if (totals->dropped)
        printf("   %llu of them are in none of the other numbers: --limit keeps no more\n",
               (unsigned long long)totals->dropped);
    if (!strcmp(uma_protect_in_use(), "none"))
        puts("   raw instructions are not among them: without protection of user pages they cannot be seen");
    fflush(stdout);
}
