/*
 * demo.h - one case of the demonstration: a driver, a request file, and how it ended.
 */
#pragma once
#include "requests.h"

enum demo_end {
    DEMO_ANSWERED,  /* every request came back with a status */
    DEMO_LEAKED,    /* bytes of kernel memory came out to user mode */
    DEMO_OVERWROTE, /* kernel memory was written where user mode said */
    DEMO_BUGCHECK,
    DEMO_TIMEOUT,
    DEMO_UNUSABLE, /* could not be run: no such driver, bad request file, crash of our own */
    DEMO_END_COUNT
};

struct demo_result {
    enum demo_end end;
    char text[400];         /* the table's cell */
    unsigned long long raw; /* accesses to user memory outside an accessor */
    size_t left_behind;
};

static inline bool demo_is_harm(enum demo_end end)
{
    return end == DEMO_LEAKED || end == DEMO_OVERWROTE || end == DEMO_BUGCHECK || end == DEMO_TIMEOUT;
}

/* Runs the case in a child process and waits for it. smap: a raw access is a bug check. */
void demo_run_case(const char *driver, const char *requests, bool smap, struct demo_result *result);
