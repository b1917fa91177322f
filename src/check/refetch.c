/*
 * refetch.c - bytes of user memory that a driver fetched more than once for one request: what a second thread can
 * change in between.
 *
 * Only what moves data counts: probing or locking a range does not fetch it.
 */
#include "uma.h"
#include <stdlib.h>
#include <string.h>

struct range {
    uint64_t low, high; /* [low, high) */
};

/* Disjoint ranges in ascending order. */
struct set {
    struct range *ranges;
    size_t count, room;
};

static bool fetches(const struct uma_trace_row *row)
{
    bool moves = row->how != UMA_TRACE_PROBE && row->how != UMA_TRACE_LOCK;
    return moves && (row->access & UMA_TRACE_READ) && row->size && row->outcome == UMA_TRACE_COMPLETE &&
           row->address + row->size > row->address;
}

/* Adds a range; null memory loses it, which only makes the count smaller. */
static void set_add(struct set *set, struct range add)
{
    size_t first = 0, last;
    while (first < set->count && set->ranges[first].high < add.low)
        first++;
    for (last = first; last < set->count && set->ranges[last].low <= add.high; last++) {
        add.low = add.low < set->ranges[last].low ? add.low : set->ranges[last].low;
        add.high = add.high > set->ranges[last].high ? add.high : set->ranges[last].high;
    }
    if (first == last && set->count == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        struct range *more = realloc(set->ranges, room * sizeof(*more));
        if (!more)
            return;
        set->ranges = more;
        set->room = room;
    }
    memmove(&set->ranges[first + 1], &set->ranges[last], (set->count - last) * sizeof(add));
    set->ranges[first] = add;
    set->count += 1 + first - last;
}

static uint64_t set_size(const struct set *set)
{
    uint64_t size = 0;
    for (size_t i = 0; i < set->count; i++)
        size += set->ranges[i].high - set->ranges[i].low;
    return size;
}

uint64_t uma_trace_refetches(const struct uma_trace_row *rows, size_t count, size_t *first)
{
    struct set again = {0};
    uint64_t bytes = 0, request = count ? rows[0].request : 0;
    for (size_t i = 0; i < count; i++) {
        first[i] = count;
        if (rows[i].request != request) { /* each request's bytes are counted by themselves */
            bytes += set_size(&again);
            again.count = 0;
            request = rows[i].request;
        }
        for (size_t j = 0; fetches(&rows[i]) && j < i; j++) {
            uint64_t low = rows[i].address > rows[j].address ? rows[i].address : rows[j].address;
            uint64_t end = rows[i].address + rows[i].size, other = rows[j].address + rows[j].size;
            uint64_t high = end < other ? end : other;
            if (rows[j].request != request || !fetches(&rows[j]) || low >= high)
                continue;
            first[i] = first[i] == count ? j : first[i];
            set_add(&again, (struct range){low, high});
        }
    }
    bytes += set_size(&again);
    free(again.ranges);
    return bytes;
}
