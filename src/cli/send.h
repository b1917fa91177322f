/*
 * send.h - sends a plan's requests to the driver under test and tells what came of each.
 */
#pragma once
#include "requests.h"
#include "uma.h"

#define SEND_STATUSES 8

/* What one request did, over all its repetitions. */
struct outcome {
    uma_status status; /* of the last repetition */
    uint64_t information;
    bool timed_out; /* it ended the repetitions */
    struct {
        uma_status status;
        uint64_t count;
    } tally[SEND_STATUSES]; /* distinct statuses, in order of appearance */
    size_t tally_count;
    uint64_t stores;       /* by racing threads */
    bool leaked;           /* bytes of the decoy stand in user memory */
    const char *leaked_to; /* the buffer's name, or "" */
    bool overwrote;        /* the decoy was written */
};

struct session {
    struct plan *plan;
    struct uma_driver *driver;
    char device[UMA_LINK_MAX];
    uma_file file;
    bool stuck; /* a request belongs to the driver for ever: it cannot be unloaded */
};

/* Sends one request, repetitions and races included. False: a race could not be set up. */
bool send_request(struct session *session, const struct request *request, struct outcome *outcome);
/* Opens the session's device if no file is open. */
uma_status send_open(struct session *session);
