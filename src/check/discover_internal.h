/*
 * discover_internal.h - what the files of discover share: one search, and how it asks.
 */
#pragma once
#include "discover.h"
#include "lib.h"
#include "sweep.h"
#include "trial.h"

enum {
    DISCOVER_OF_TYPE = 0x10000, /* functions, methods and access bits */
    DISCOVER_IMAGE = 0x4000,    /* numbers of the code that are tried */
    DISCOVER_CANDIDATES = 2 * DISCOVER_CODES,
    DISCOVER_LENGTH = 256, /* of the buffers, if there are any */
    DISCOVER_LENGTHS = 2,
    DISCOVER_NEIGHBOURS = 2
};
extern const uint32_t discover_lengths[DISCOVER_LENGTHS];

struct discover_candidate {
    uint32_t code;
    uint64_t usual[DISCOVER_LENGTHS][DISCOVER_NEIGHBOURS]; /* what its neighbours are answered */
    bool settled;
};

struct discover_search {
    const struct discover_options *options;
    struct discover_device *device;
    struct trials trials;
    struct trial trial;
    struct discover_candidate candidates[DISCOVER_CANDIDATES];
    size_t candidate_count;
    struct keys strange; /* reached by codes that are not known */
    uint32_t image[DISCOVER_IMAGE];
    size_t image_count;
    struct sweep_reply *replies; /* room for DISCOVER_IMAGE + DISCOVER_OF_TYPE */
    bool *known;
};

/* A request alone in its process, with all blocks it runs; none at all if type is ATTEMPT_CLOSE. False: no more. */
bool discover_ask(struct discover_search *search, enum attempt_type type, uint32_t code, uint32_t length);
/* If it is not there, and there is room. */
void discover_add_type(struct discover_device *device, uint16_t type);

/* ---- discover_codes.c ---- */
/* Once for a driver: numbers in its code. */
void discover_scan(struct discover_search *search);
/* The codes of search->device; types are added to it on the way. False: no memory or processes. */
bool discover_codes(struct discover_search *search);
