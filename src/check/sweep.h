/*
 * sweep.h - many control codes sent to a device one after the other, to see which of them it knows.
 */
#pragma once
#include "case.h"
#include "coverage.h"
#include "uma.h"

/* What came of one code. */
struct sweep_reply {
    uint32_t code;
    bool ended; /* the kernel stopped, or it did not come back, or the process died: how says which */
    enum case_end how;
    uma_status status;
    uint64_t information;
    bool new_code; /* blocks of the driver ran that no request had reached before */
};

struct sweep_options {
    const char *device;
    uint32_t in_length, out_length;  /* of zeroed user memory that comes with each; 0: null */
    const struct coverage *coverage; /* null: new_code stays false */
    unsigned milliseconds;           /* for a process, which sends some hundreds */
};

/*
 * Fills a reply for each of count codes, whose code the caller has set. A code that ends its process is the last one
 * there: the next begins another. False: there were no processes or memory to be had. As case_run's caller.
 */
bool sweep_codes(const struct sweep_options *options, struct sweep_reply *replies, size_t count);

/*
 * Marks the codes the device knows: with the same method, they are answered in another way than most, or ran code that
 * the others do not. known: count elements. Returns how many there are.
 */
size_t sweep_known(const struct sweep_reply *replies, size_t count, bool *known);
