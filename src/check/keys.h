/*
 * keys.h - sets of numbers that stand for what an attempt has reached.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys {
    uint64_t *of; /* ascending */
    size_t count, room;
};

/* True: it was not in the set before, and is now. Without memory it is not, and false. */
bool keys_add(struct keys *keys, uint64_t key);
void keys_add_all(struct keys *keys, const struct keys *more);
bool keys_has(const struct keys *keys, uint64_t key);
bool keys_are_equal(const struct keys *left, const struct keys *right);
/* How many of some are not in the set. */
size_t keys_missing(const struct keys *keys, const struct keys *some);
void keys_clear(struct keys *keys);
void keys_free(struct keys *keys);
