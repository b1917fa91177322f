/*
 * record_value.c - the bytes of an access, as its row keeps them: the first sixteen, and a digest of more.
 *
 * User memory is read where its frames are, past every protection, so that looking changes nothing.
 */
#include "record_internal.h"
#include "plat.h"
#include <string.h>

#define FNV_START 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull
#define PIECE     512u

/* The digest is kept from the first byte on and shown once there are more bytes than the value holds. */
void record_value_add(struct uma_trace_row *row, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t digest = row->digest ? row->digest : FNV_START;
    if (!row->digest)
        for (unsigned i = 0; i < row->value_size; i++)
            digest = (digest ^ row->value[i]) * FNV_PRIME;
    size_t room = UMA_TRACE_VALUE - row->value_size, kept = size < room ? size : room;
    memcpy(row->value + row->value_size, bytes, kept);
    row->value_size += (unsigned)kept;
    if (!row->digest && kept == size)
        return;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * FNV_PRIME;
    row->digest = digest;
}

void record_value_peek(struct uma_trace_row *row, uint64_t address, uint64_t size)
{
    uint8_t piece[PIECE];
    while (size) {
        /* Not across a page: what is there counts up to the first page that is not. */
        uint64_t in_page = PLAT_PAGE_SIZE - address % PLAT_PAGE_SIZE;
        size_t part = size < PIECE ? size : PIECE;
        part = part < in_page ? part : in_page;
        if (!plat_user_peek(address, piece, part))
            return;
        record_value_add(row, piece, part);
        address += part;
        size -= part;
    }
}

void record_value_kernel(struct uma_trace_row *row, const void *data, uint64_t size, uint64_t user)
{
    if ((uintptr_t)data >= plat_layout.system_start)
        record_value_add(row, data, size);
    else
        record_value_peek(row, user, size);
}
