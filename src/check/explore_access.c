/*
 * explore_access.c - what requests, places and accesses are in a report, and what a harmless session shows of each
 * request. No address of this process gets into it.
 */
#include "explore_internal.h"
#include "seh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_SHOWN = 64 };

/* "driver!Function+0x12 (file.c:34)" */
void explore_place(struct report *report, const struct check_site *site, struct finding_place *place)
{
    const struct seh_image *image = seh_image_find(site->pc);
    const char *open = strstr(site->place, " ("), *close = open ? strrchr(open, ')') : NULL;
    const char *colon = close ? strrchr(open, ':') : NULL;
    char function[CHECK_NAME_MAX];
    if (!image)
        return;
    place->pc = site->pc - image->base;
    explore_function(site->place, function);
    if (function[0] && strchr(site->place, '!'))
        place->function = report_text(report, function);
    if (!colon || colon > close)
        return;
    place->file = report_format(report, "%.*s", (int)(colon - open - 2), open + 2);
    place->line = strtoull(colon + 1, NULL, 10);
}

const char *explore_type(enum attempt_type type)
{
    static const char *const types[] = {"ioctl", "read", "write", "close"};
    return types[type];
}

/* ---- memory ---- */

static void add_buffer(struct report *report, const struct attempt *attempt, const struct attempt_result *result,
                       unsigned block, struct request_buffer **buffers, size_t *count)
{
    char text[3 * BYTES_SHOWN + 1] = "", name[EXPLORE_TEXT];
    uint64_t offset;
    const struct attempt_block *from = &attempt->blocks[block];
    for (uint32_t i = 0; from->bytes && i < from->size && i < BYTES_SHOWN; i++)
        sprintf(text + (i ? 3 * i - 1 : 0), i ? " %02x" : "%02x", from->bytes[i]);
    struct request_buffer *buffer = report_append(report, buffers, count, sizeof(*buffer));
    explore_buffer_name(attempt, result, result->blocks[block], name, &offset);
    buffer->name = report_text(report, name);
    buffer->size = from->size;
    buffer->bytes = text[0] ? report_text(report, text) : NULL;
}

static bool uses(const struct attempt *attempt, const struct attempt_request *request, unsigned block)
{
    bool in = request->type == ATTEMPT_CONTROL || request->type == ATTEMPT_WRITE;
    bool out = request->type == ATTEMPT_CONTROL || request->type == ATTEMPT_READ;
    if ((in && !request->in.absolute && request->in.block == block) ||
        (out && !request->out.absolute && request->out.block == block))
        return true;
    for (unsigned i = 0; i < attempt->link_count; i++) /* what a pointer there leads to */
        if (!attempt->links[i].to.absolute && attempt->links[i].to.block == block)
            return request->type != ATTEMPT_CLOSE;
    return false;
}

void explore_buffers(struct report *report, const struct attempt *attempt, const struct attempt_result *result,
                     unsigned request, struct request_buffer **buffers, size_t *count)
{
    for (unsigned block = 0; block < attempt->block_count; block++)
        if (uses(attempt, &attempt->requests[request], block))
            add_buffer(report, attempt, result, block, buffers, count);
}

/* ---- accesses ---- */

/* Numbers that may be addresses are not told. */
static char *value_of(struct report *report, const struct uma_trace_row *row)
{
    uint64_t value = 0;
    if (row->value_size == 0 || row->value_size > sizeof(value) || row->size > sizeof(value))
        return NULL;
    memcpy(&value, row->value, row->value_size);
    return row->value_size == 8 && value >= 0x10000 ? NULL : report_format(report, "0x%llx", (unsigned long long)value);
}

void explore_access(struct report *report, const struct attempt *attempt, const struct outcome *outcome, size_t index,
                    struct finding_access *access)
{
    const struct uma_trace_row *row = &outcome->rows[index];
    bool probe = row->how == UMA_TRACE_PROBE || row->how == UMA_TRACE_LOCK;
    struct check_site site;
    char name[EXPLORE_TEXT];
    check_site(row, &site);
    *access = (struct finding_access){.kind = probe                           ? ACCESS_PROBE
                                              : row->access & UMA_TRACE_WRITE ? ACCESS_WRITE
                                                                              : ACCESS_READ,
                                      .by = report_text(report, site.name[0] ? site.name : "an instruction"),
                                      .raw = row->how == UMA_TRACE_RAW || row->how == UMA_TRACE_EXPORT,
                                      .guarded = row->handler != UMA_TRACE_NO_HANDLER,
                                      .faulted = row->outcome == UMA_TRACE_RAISED,
                                      .size = row->size,
                                      .count = 1,
                                      .value = value_of(report, row)};
    explore_buffer_name(attempt, &outcome->result, row->address, name, &access->offset);
    access->buffer = report_text(report, name);
    explore_place(report, &site, &access->place);
}

void explore_codes(struct report *report, struct report_run *run, const struct attempt *base,
                   const struct outcome *outcome, const bool *failed)
{
    for (unsigned i = 0; i < base->request_count; i++) {
        const struct attempt_request *sent = &base->requests[i];
        if (sent->type == ATTEMPT_CLOSE)
            continue;
        struct report_code *code = report_append(report, &run->codes, &run->code_count, sizeof(*code));
        code->type = report_text(report, explore_type(sent->type));
        code->device = report_text(report, base->device);
        code->code = sent->type == ATTEMPT_CONTROL ? sent->code : 0;
        code->in_length = sent->in_length;
        code->out_length = sent->out_length;
        explore_buffers(report, base, &outcome->result, i, &code->buffers, &code->buffer_count);
        for (size_t row = 0; row < outcome->row_count; row++) {
            if (outcome->rows[row].request != i)
                continue;
            struct finding_access *access =
                report_append(report, &code->accesses, &code->access_count, sizeof(*access));
            explore_access(report, base, outcome, row, access);
            access->faulted = failed[row];
        }
    }
}
