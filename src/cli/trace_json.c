/*
 * trace_json.c - `uma trace --format json`: one document, written at the end, whichever end that is.
 */
#include "trace.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *requests;
static bool written;

/* Numbers that are addresses, which JSON readers may round, are text. */
static json_t *address_text(uint64_t address)
{
    return json_sprintf("0x%llx", (unsigned long long)address);
}

static json_t *bytes_text(const uint8_t *bytes, size_t size)
{
    char text[2 * UMA_TRACE_VALUE + 1] = "";
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

static json_t *row_object(const struct plan *plan, const struct trace_request *request, size_t i)
{
    static const char *const accesses[] = {"", "read", "write", "update"};
    static const char *const hows[] = {"accessor", "raw", "export", "probe", "lock", "kernel"};
    static const char *const outcomes[] = {"unfinished", "complete", "raised", "stopped"};
    static const char *const handlers[] = {"none", "driver", "kernel"};
    const struct uma_trace_row *row = &request->rows[i];
    char where[TRACE_WHERE_MAX];
    struct check_site site;
    check_site(row, &site);
    trace_where(plan, request->request, row->address, where);
    json_t *object = json_pack(
        "{sI ss ss ss* ss* so ss so sI ss ss sI sI ss ss}", "row", (json_int_t)i + 1, "access", accesses[row->access],
        "how", hows[row->how], "name", site.name[0] ? site.name : NULL, "place", site.place[0] ? site.place : NULL,
        "pc", site.pc ? address_text(site.pc) : json_null(), "where", where, "address", address_text(row->address),
        "size", (json_int_t)row->size, "handler", handlers[row->handler], "previous_mode",
        row->user_mode ? "user" : "kernel", "irql", (json_int_t)row->irql, "thread", (json_int_t)row->thread, "outcome",
        outcomes[row->outcome], "status", uma_status_name(row->status));
    if (row->fault_address)
        json_object_set_new(object, "fault_address", address_text(row->fault_address));
    if (row->value_size)
        json_object_set_new(object, "value", bytes_text(row->value, row->value_size));
    if (row->value_size && row->access == UMA_TRACE_UPDATE && row->size <= sizeof(row->stored))
        json_object_set_new(object, "stored", bytes_text(row->stored, row->size));
    if (row->digest)
        json_object_set_new(object, "digest", json_sprintf("%016llx", (unsigned long long)row->digest));
    if (request->first[i] < request->count)
        json_object_set_new(object, "fetched_first_by", json_integer((json_int_t)request->first[i] + 1));
    return object;
}

void trace_json_request(const struct plan *plan, const struct trace_request *request)
{
    if (!request->count && !request->number)
        return;
    if (!requests)
        requests = json_array();
    json_t *rows = json_array();
    for (size_t i = 0; i < request->count; i++)
        json_array_append_new(rows, row_object(plan, request, i));
    json_t *object =
        json_pack("{sI sI sI so}", "number", (json_int_t)request->number, "dropped", (json_int_t)request->dropped,
                  "refetched_bytes", (json_int_t)request->refetched, "accesses", rows);
    if (request->request) {
        json_object_set_new(object, "type", json_string(request_type_names[request->request->type]));
        if (request->request->type == REQUEST_IOCTL)
            json_object_set_new(object, "code", address_text(request->request->code));
        if (request->request->name[0])
            json_object_set_new(object, "name", json_string(request->request->name));
    }
    if (request->outcome) {
        json_object_set_new(object, "status", json_string(uma_status_name(request->outcome->status)));
        json_object_set_new(object, "information", json_integer((json_int_t)request->outcome->information));
    }
    json_array_append_new(requests, object);
}

void trace_json_end(FILE *to, const struct trace_totals *totals, const struct uma_bugcheck *bugcheck, bool timed_out)
{
    if (written)
        return;
    written = true;
    json_t *document =
        json_pack("{so s{sI sI sI sI sI} ss sb}", "requests", requests ? requests : json_array(), "totals", "accesses",
                  (json_int_t)totals->accesses, "dropped", (json_int_t)totals->dropped, "raw", (json_int_t)totals->raw,
                  "without_handler", (json_int_t)totals->unhandled, "refetched_bytes", (json_int_t)totals->refetched,
                  "protect", uma_protect_in_use(), "timed_out", timed_out);
    if (bugcheck)
        json_object_set_new(document, "bugcheck",
                            json_pack("{so ss}", "code", address_text(bugcheck->code), "place", bugcheck->place));
    json_dumpf(document, to, JSON_INDENT(2));
    fputc('\n', to);
    fflush(to);
    json_decref(document);
}
