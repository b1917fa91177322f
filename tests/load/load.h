/* load.h - what the load driver and its clients agree on; plain C for both. */
#pragma once

enum { LOAD_DEVICES = 4 }; /* \Device\Load0 buffered, 1 direct, 2 neither, 3 buffered, its reads and writes pend */

/* Function codes, each with every method: completed at once, from a DPC out of a cancel-safe queue, by a work item, not
 * before it is cancelled. */
enum { LOAD_NOW = 0x800, LOAD_DPC = 0x801, LOAD_WORK = 0x802, LOAD_STAYS = 0x803, LOAD_FUNCTIONS = 4 };
#define LOAD_CODE(function, method) (0x22u << 16 | (unsigned)(function) << 2 | (unsigned)(method))
#define LOAD_COUNTS                 LOAD_CODE(0x810, 0) /* buffered: struct load_counts */

/* With input and output of 8 bytes or more, the answer is the input's first 8 bytes inverted. */
enum { LOAD_ANSWER = 8, LOAD_READ_FILL = 'r' };

struct load_counts {
    long long in, out;                     /* requests dispatched, completed */
    long long pended, finished, cancelled; /* of them: left pending, and how those ended */
};
