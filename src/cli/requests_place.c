/*
 * requests_place.c - lays a plan's buffers out in user memory: addresses first, contents after, since buffers point at
 * each other.
 */
#include "requests.h"
#include "uma.h"
#include <stdio.h>
#include <string.h>

#define PAGE 4096u

/* Bytes of the buffer that are mapped. */
static size_t mapped_size(const struct buffer *buffer)
{
    if (buffer->bad == BAD_STRADDLE_END)
        return buffer->size > 1 ? buffer->size / 2 : 1;
    return buffer->size;
}

static bool is_mapped(const struct buffer *buffer)
{
    return buffer->bad == BAD_NO || buffer->bad == BAD_READ_ONLY || buffer->bad == BAD_GUARD ||
           buffer->bad == BAD_STRADDLE_END || buffer->bad == BAD_IN_PAGE_ERROR;
}

static uint64_t bad_address(const struct buffer *buffer)
{
    uint64_t low, limit, half = buffer->size > 1 ? buffer->size / 2 : 1;
    uma_user_range(&low, &limit);
    switch (buffer->bad) {
    case BAD_KERNEL:
        return uma_decoy();
    case BAD_STRADDLE_LIMIT:
        return limit - half;
    case BAD_NONCANONICAL:
        return 0x8000000000001000u;
    case BAD_WRAP:
        return 0 - half;
    default:
        return 0;
    }
}

static bool place(struct buffer *buffer, char error[REQUESTS_ERROR_MAX])
{
    if (!is_mapped(buffer) && buffer->bad != BAD_UNMAPPED) {
        buffer->address = bad_address(buffer);
        return true;
    }
    size_t size = mapped_size(buffer);
    buffer->region_size = ((size ? size : 1) + PAGE - 1) & ~(size_t)(PAGE - 1);
    uma_status status = uma_user_alloc(buffer->region_size, UMA_READ_WRITE, &buffer->region);
    if (status < 0) {
        snprintf(error, REQUESTS_ERROR_MAX, "no user memory for a buffer of %zu bytes: %s", size,
                 uma_status_name(status));
        return false;
    }
    bool at_start = buffer->at_start && buffer->bad != BAD_STRADDLE_END;
    buffer->address = buffer->region + (at_start ? 0 : buffer->region_size - size);
    return true;
}

uint64_t target_address(const struct target *target)
{
    return target->buffer ? target->buffer->address + target->offset : 0;
}

static bool store_field(const struct buffer *buffer, const struct field *field)
{
    uint8_t number[8];
    const uint8_t *bytes = field->bytes;
    uint64_t value = 0;
    size_t mapped = mapped_size(buffer), size = field->size;

    if (field->kind == FIELD_POINTER)
        value = target_address(&field->target);
    else if (field->kind == FIELD_LENGTH)
        value = field->target.buffer->size;
    if (field->kind != FIELD_BYTES) {
        for (unsigned i = 0; i < 8; i++)
            number[i] = (uint8_t)(value >> (8 * i));
        bytes = number;
    }
    if (field->offset >= mapped || size == 0)
        return true;
    if (size > mapped - field->offset)
        size = mapped - field->offset;
    return uma_user_store(buffer->address + field->offset, bytes, size);
}

bool plan_fill(const struct buffer *buffer)
{
    bool stored = true;
    if (!is_mapped(buffer))
        return true;
    if (buffer->bad != BAD_NO && uma_user_protect(buffer->region, buffer->region_size, UMA_READ_WRITE) < 0)
        return false;
    for (size_t i = 0; stored && i < buffer->count; i++)
        stored = store_field(buffer, &buffer->fields[i]);
    if (buffer->bad == BAD_READ_ONLY || buffer->bad == BAD_GUARD)
        stored = uma_user_protect(buffer->region, buffer->region_size,
                                  buffer->bad == BAD_GUARD ? UMA_GUARD : UMA_READ) >= 0 &&
                 stored;
    for (uint64_t page = buffer->region;
         buffer->bad == BAD_IN_PAGE_ERROR && page < buffer->region + buffer->region_size; page += PAGE)
        stored = uma_user_poison(page) >= 0 && stored;
    return stored;
}

bool plan_place(struct plan *plan, char error[REQUESTS_ERROR_MAX])
{
    for (struct buffer *buffer = plan->buffers; buffer; buffer = buffer->next)
        if (!place(buffer, error))
            return false;
    for (struct buffer *buffer = plan->buffers; buffer; buffer = buffer->next) {
        if (!plan_fill(buffer)) {
            snprintf(error, REQUESTS_ERROR_MAX, "buffer \"%s\" could not be filled", buffer->name);
            return false;
        }
    }
    /* Last, so that nothing else is given their addresses. */
    for (struct buffer *buffer = plan->buffers; buffer; buffer = buffer->next)
        if (buffer->bad == BAD_UNMAPPED)
            uma_user_free(buffer->region, buffer->region_size);
    return true;
}
