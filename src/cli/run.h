/*
 * run.h - `uma run` for those who want to look on: the same session, and a call at each of its turns.
 */
#pragma once
#include "run_options.h"
#include "send.h"

struct run_view {
    /* The kernel has started, no driver is loaded. False: it has said why, and nothing is run. */
    bool (*begin)(const struct run_options *options);
    /* Around each request, numbers from 1; after: its line has been printed. */
    void (*before)(size_t number, const struct request *request);
    void (*after)(size_t number, const struct request *request, const struct outcome *outcome);
    /* Any thread: the process is about to end, by a bug check or (null) because the driver did not come back. */
    void (*died)(const struct uma_bugcheck *bugcheck);
};

/* The whole session; view may be null. Returns the exit status. */
int run_driver(struct run_options *options, const struct run_view *view);
