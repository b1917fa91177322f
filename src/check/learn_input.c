/*
 * learn_input.c - a request as the search for inputs changes it.
 */
#include "learn_input.h"
#include <string.h>

void learn_input_make(struct learn_input *input, uint32_t in_length, uint32_t out_length)
{
    memset(input, 0, sizeof(*input));
    input->size[LEARN_IN] = in_length;
    input->size[LEARN_OUT] = out_length;
    input->block_count = 2;
}

uint32_t learn_input_bytes(const struct learn_input *input, unsigned block)
{
    return input->size[block] < LEARN_BYTES ? input->size[block] : LEARN_BYTES;
}

unsigned learn_input_link(const struct learn_input *input, unsigned block, uint32_t offset, uint32_t size)
{
    for (unsigned i = 0; i < input->link_count; i++)
        if (input->links[i].block == block && offset < input->links[i].offset + 8u &&
            input->links[i].offset < offset + size)
            return i;
    return input->link_count;
}

/* Of a block that nothing leads to: it goes, and with it what only it leads to. A block's links lead to later ones. */
static void remove_block(struct learn_input *input, unsigned block)
{
    unsigned last = --input->block_count;
    memmove(&input->size[block], &input->size[block + 1], (last - block) * sizeof(input->size[0]));
    memmove(&input->bytes[block], &input->bytes[block + 1], (last - block) * sizeof(input->bytes[0]));
    for (unsigned i = 0; i < input->link_count; i++) {
        input->links[i].block -= input->links[i].block > block;
        input->links[i].to -= input->links[i].to > block;
    }
}

/* The links that are taken out are those of a block without a pointer to it, until there is none. */
static void remove_orphans(struct learn_input *input)
{
    for (unsigned block = LEARN_OUT + 1; block < input->block_count;) {
        unsigned kept = 0, leads = 0;
        for (unsigned i = 0; i < input->link_count; i++)
            leads += input->links[i].to == block;
        if (leads) {
            block++;
            continue;
        }
        for (unsigned i = 0; i < input->link_count; i++)
            if (input->links[i].block != block)
                input->links[kept++] = input->links[i];
        input->link_count = kept;
        remove_block(input, block);
        block = LEARN_OUT + 1;
    }
}

static void remove_link(struct learn_input *input, unsigned link)
{
    input->links[link] = input->links[--input->link_count];
    remove_orphans(input);
}

void learn_input_put(struct learn_input *input, unsigned block, uint32_t offset, uint64_t value, uint32_t size)
{
    if (offset > learn_input_bytes(input, block) || size > learn_input_bytes(input, block) - offset)
        return;
    memcpy(&input->bytes[block][offset], &value, size);
    for (unsigned link; (link = learn_input_link(input, block, offset, size)) < input->link_count;) {
        unsigned to = input->links[link].to;
        remove_link(input, link);
        block -= block > to; /* a block inside the one that went cannot be asked for */
    }
}

uint64_t learn_input_get(const struct learn_input *input, unsigned block, uint32_t offset, uint32_t size)
{
    uint64_t value = 0;
    if (offset <= learn_input_bytes(input, block) && size <= learn_input_bytes(input, block) - offset)
        memcpy(&value, &input->bytes[block][offset], size);
    return value;
}

bool learn_input_point(struct learn_input *input, unsigned block, uint32_t offset)
{
    if (input->block_count == LEARN_BLOCKS || learn_input_bytes(input, block) < 8 ||
        offset > learn_input_bytes(input, block) - 8 || learn_input_link(input, block, offset, 8) < input->link_count ||
        input->link_count == LEARN_BLOCKS)
        return false;
    unsigned to = input->block_count++;
    memset(&input->bytes[block][offset], 0, 8);
    memset(&input->bytes[to], 0, sizeof(input->bytes[to]));
    input->size[to] = LEARN_POINTEE;
    input->links[input->link_count].block = (uint8_t)block;
    input->links[input->link_count].offset = (uint16_t)offset;
    input->links[input->link_count++].to = (uint8_t)to;
    return true;
}

void learn_input_resize(struct learn_input *input, unsigned block, uint32_t size)
{
    uint32_t kept = size < LEARN_BYTES ? size : LEARN_BYTES;
    input->size[block] = size < LEARN_SIZE_MAX ? size : LEARN_SIZE_MAX;
    memset(&input->bytes[block][kept], 0, LEARN_BYTES - kept);
    for (unsigned i = 0; i < input->link_count;) {
        if (input->links[i].block != block || input->links[i].offset + 8u <= kept) {
            i++;
            continue;
        }
        unsigned to = input->links[i].to;
        remove_link(input, i);
        block -= block > to;
        i = 0;
    }
}

void learn_input_attempt(const struct learn_input *input, struct attempt *attempt, uint8_t *bytes)
{
    attempt->block_count = input->block_count;
    attempt->link_count = input->link_count;
    for (unsigned i = 0; i < input->block_count; i++) {
        memcpy(bytes, input->bytes[i], learn_input_bytes(input, i));
        attempt->blocks[i] = (struct attempt_block){input->size[i], UMA_READ_WRITE, bytes};
        bytes += input->size[i];
    }
    for (unsigned i = 0; i < input->link_count; i++)
        attempt->links[i] =
            (struct attempt_link){.at = {.block = input->links[i].block, .offset = input->links[i].offset},
                                  .to = {.block = input->links[i].to}};
    attempt->request_count = 1;
    attempt->requests[0].in.block = LEARN_IN;
    attempt->requests[0].out.block = LEARN_OUT;
    attempt->requests[0].in_length = input->size[LEARN_IN];
    attempt->requests[0].out_length = input->size[LEARN_OUT];
}
