/*
 * trace_where.c - user addresses and ways of access in the words of the request.
 */
#include "trace.h"
#include <stdio.h>
#include <string.h>

#define FAR (64u * 1024) /* from a pointer to what is said to lie behind it */

static bool lies_in(uint64_t address, uint64_t start, uint64_t size)
{
    return address - start < size;
}

static const char *name_of(const struct buffer *buffer, const struct request *request)
{
    if (request && buffer == request->in.buffer)
        return "input";
    if (request && buffer == request->out.buffer)
        return "output";
    return buffer->name;
}

static void write_place(const char *name, uint64_t offset, char where[TRACE_WHERE_MAX])
{
    if (offset)
        snprintf(where, TRACE_WHERE_MAX, "%s+0x%llx", name, (unsigned long long)offset);
    else
        snprintf(where, TRACE_WHERE_MAX, "%s", name);
}

/* Through a field of a buffer that can be named, which points at the buffer that holds address. */
static bool by_pointer(const struct plan *plan, const struct request *request, const struct buffer *target,
                       uint64_t address, char where[TRACE_WHERE_MAX])
{
    for (const struct buffer *owner = plan->buffers; owner; owner = owner->next) {
        const char *name = name_of(owner, request);
        for (size_t i = 0; name[0] && i < owner->count; i++) {
            const struct field *field = &owner->fields[i];
            uint64_t start = target_address(&field->target);
            if (field->kind != FIELD_POINTER || field->target.buffer != target || address < start)
                continue;
            char base[TRACE_WHERE_MAX - 24];
            snprintf(base, sizeof(base), "[%s+0x%zx]", name, field->offset);
            write_place(base, address - start, where);
            return true;
        }
    }
    return false;
}

/* Through a word of the input, whatever its author meant by it. */
static bool by_word(const struct request *request, uint64_t address, char where[TRACE_WHERE_MAX])
{
    uint64_t input = request ? target_address(&request->in) : 0, word, best = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; request && i + 8 <= request->in_length && i < FAR; i += 8) {
        if (!uma_user_load(input + i, &word, sizeof(word)) || !word || !lies_in(address, word, FAR) || word < best)
            continue;
        best = word;
        at = i;
    }
    if (!best)
        return false;
    char base[32];
    snprintf(base, sizeof(base), "[input+0x%x]", at);
    write_place(base, address - best, where);
    return true;
}

void trace_where(const struct plan *plan, const struct request *request, uint64_t address, char where[TRACE_WHERE_MAX])
{
    if (request && lies_in(address, target_address(&request->in), request->in_length)) {
        write_place("input", address - target_address(&request->in), where);
        return;
    }
    if (request && lies_in(address, target_address(&request->out), request->out_length)) {
        write_place("output", address - target_address(&request->out), where);
        return;
    }
    for (const struct buffer *buffer = plan->buffers; buffer; buffer = buffer->next) {
        if (!buffer->address || !lies_in(address, buffer->address, buffer->size ? buffer->size : 1))
            continue;
        if (by_pointer(plan, request, buffer, address, where))
            return;
        if (name_of(buffer, request)[0]) {
            write_place(name_of(buffer, request), address - buffer->address, where);
            return;
        }
    }
    if (!by_word(request, address, where))
        snprintf(where, TRACE_WHERE_MAX, "0x%llx", (unsigned long long)address);
}

const char *trace_how(const struct uma_trace_row *row, const struct check_site *site)
{
    switch (row->how) {
    case UMA_TRACE_RAW:
        return "raw";
    case UMA_TRACE_LOCK:
        return "locked pages";
    case UMA_TRACE_KERNEL:
        return "I/O manager";
    default:
        return site->name[0] ? site->name : "an export";
    }
}
