/* locker.h - what the lock test sends to its driver, and gets back. */
#pragma once
#include <stdint.h>

#define LOCKER_USE 0x222000u /* METHOD_BUFFERED */

struct locker_request {
    uint64_t address; /* locked for reading and for writing */
    uint32_t length;  /* whole pages: user mode writes the first half of each, the driver the second */
    uint32_t later;   /* a work item does it, and completes */
};

struct locker_reply {
    uint32_t wrong; /* bytes that were not what the driver had just written */
    uint32_t sum;   /* of what it read in user mode's halves */
};
