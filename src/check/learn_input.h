/*
 * learn_input.h - a request as the search for inputs changes it: lengths, words, and pointers to blocks of their own.
 */
#pragma once
#include "attempt.h"

enum {
    LEARN_BYTES = 256,       /* of a block can be other than zero */
    LEARN_SIZE_MAX = 0x1000, /* of a block, at most */
    LEARN_POINTEE = 0x100,   /* of one that a pointer leads to, at first */
    LEARN_BLOCKS = 12,
    LEARN_IN = 0,
    LEARN_OUT = 1
};

struct learn_input {
    uint32_t size[LEARN_BLOCKS]; /* of the input, the output, and what the links lead to */
    uint8_t bytes[LEARN_BLOCKS][LEARN_BYTES];
    unsigned block_count;
    struct {
        uint8_t block, to;
        uint16_t offset;
    } links[LEARN_BLOCKS];
    unsigned link_count;
};

/* Zeroes of these lengths. */
void learn_input_make(struct learn_input *input, uint32_t in_length, uint32_t out_length);
/* Bytes that a value can be put to. */
uint32_t learn_input_bytes(const struct learn_input *input, unsigned block);
/* The index of the link whose eight bytes any of these are in, or link_count. */
unsigned learn_input_link(const struct learn_input *input, unsigned block, uint32_t offset, uint32_t size);
/* Puts the low size bytes (1 to 8) of a value there; a pointer they were part of is none any more. */
void learn_input_put(struct learn_input *input, unsigned block, uint32_t offset, uint64_t value, uint32_t size);
uint64_t learn_input_get(const struct learn_input *input, unsigned block, uint32_t offset, uint32_t size);
/* Eight bytes become a pointer to a new block. False: there are enough, or the bytes are not all there. */
bool learn_input_point(struct learn_input *input, unsigned block, uint32_t offset);
/* Another size of a block; pointers that it no longer holds go. */
void learn_input_resize(struct learn_input *input, unsigned block, uint32_t size);
/* As an attempt with one request. bytes: ATTEMPT_MEMORY of them, which the attempt points to; both were zero. */
void learn_input_attempt(const struct learn_input *input, struct attempt *attempt, uint8_t *bytes);
