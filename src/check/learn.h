/*
 * learn.h - which requests a driver takes under one control code (or read, or write): a short list of them that
 * together reach all that was reached, each as small as it can be, and what the words of the first of them mean to the
 * driver. Found by trying, without source or help; the same seed gives the same list unless time runs out.
 */
#pragma once
#include "attempt.h"
#include "coverage.h"
#include "uma.h"

enum { LEARN_BASES = 16, LEARN_FIELDS = 64, LEARN_CONSTANTS = 8 };

struct learn_options {
    const struct uma_driver *driver;
    struct attempter *attempter;
    struct coverage *coverage; /* of the driver; null: what is reached is told by accesses and answers alone */
    const char *device;
    enum attempt_type type; /* not ATTEMPT_CLOSE */
    uint32_t code;          /* of ATTEMPT_CONTROL */
    uint64_t seed;
    size_t cases;          /* at most; one that hangs counts for many */
    unsigned milliseconds; /* for all of them; 0: no limit */
    unsigned case_milliseconds;
};

/* Its device and its blocks' bytes belong to the list. */
struct learn_base {
    struct attempt attempt;
    uint8_t *bytes;
    enum case_end end; /* CASE_DONE, or what the driver did to the system */
    uma_status status;
    uint64_t information;
};

/* Bits: what bytes of a request are to the driver. None: it was not seen to care for them. */
enum learn_kind {
    LEARN_POINTER = 1, /* memory that they lead to was accessed */
    LEARN_LENGTH = 2,  /* they change how much is accessed, allocated or given back, and nothing else */
    LEARN_COMPARED = 4 /* they decide where the driver goes on */
};
struct learn_field {
    unsigned block; /* of the attempt; 0 is the input, 1 the output */
    uint32_t offset, size;
    unsigned kinds;
    uint64_t value; /* in the base; not of a pointer */
    /* Constants of the driver's code at which it goes another way, ascending. */
    uint64_t constants[LEARN_CONSTANTS];
    unsigned constant_count;
};

struct learned {
    char device[UMA_LINK_MAX];
    /* The first succeeds if any does; those that end badly come only where nothing else reaches the same. */
    struct learn_base bases[LEARN_BASES];
    unsigned base_count;
    struct learn_field fields[LEARN_FIELDS]; /* of the first, by block and offset, without those that mean nothing */
    unsigned field_count;
    bool succeeded;                 /* the first base has a success status */
    uint32_t in_length, out_length; /* the least with which it does as it does */
    size_t cases, blocks;           /* tried; of the driver's code, reached by bases */
    bool out_of_time;
};

/* STATUS_NO_MEMORY: no memory or no processes. As case_run's caller. */
NTSTATUS learn(const struct learn_options *options, struct learned **learned);
void learn_free(struct learned *learned);
