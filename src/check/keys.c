/*
 * keys.c - sets of numbers, as sorted arrays.
 */
#include "keys.h"
#include <stdlib.h>
#include <string.h>

/* Of the first element that is not less. */
static size_t place_of(const struct keys *keys, uint64_t key)
{
    size_t low = 0, high = keys->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys->of[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool keys_has(const struct keys *keys, uint64_t key)
{
    size_t at = place_of(keys, key);
    return at < keys->count && keys->of[at] == key;
}

bool keys_add(struct keys *keys, uint64_t key)
{
    size_t at = place_of(keys, key);
    if (at < keys->count && keys->of[at] == key)
        return false;
    if (keys->count == keys->room) {
        size_t room = keys->room ? 2 * keys->room : 64;
        uint64_t *grown = realloc(keys->of, room * sizeof(*grown));
        if (!grown)
            return false;
        keys->of = grown;
        keys->room = room;
    }
    memmove(keys->of + at + 1, keys->of + at, (keys->count - at) * sizeof(*keys->of));
    keys->of[at] = key;
    keys->count++;
    return true;
}

void keys_add_all(struct keys *keys, const struct keys *more)
{
    for (size_t i = 0; i < more->count; i++)
        keys_add(keys, more->of[i]);
}

bool keys_are_equal(const struct keys *left, const struct keys *right)
{
    return left->count == right->count &&
           (!left->count || !memcmp(left->of, right->of, left->count * sizeof(*left->of)));
}

size_t keys_missing(const struct keys *keys, const struct keys *some)
{
    size_t missing = 0;
    for (size_t i = 0; i < some->count; i++)
        missing += !keys_has(keys, some->of[i]);
    return missing;
}

void keys_clear(struct keys *keys)
{
    keys->count = 0;
}

void keys_free(struct keys *keys)
{
    free(keys->of);
    *keys = (struct keys){0};
}
