/*
 * run_options.h - the command line of `uma run`, checked, with its requests as a plan.
 */
#pragma once
#include "requests.h"
#include "uma.h"

struct run_options {
    const char *driver;
    const char *device; /* null: the request file's, else the driver's first */
    const char *requests;
    const char *registry; /* a file of presets, or null */
    const char *root;     /* null: an empty folder */
    struct plan plan;
    enum uma_protect protect;
    bool smap;
    bool verify;
    bool quiet;
    unsigned timeout;
    size_t limit; /* uma trace: rows kept of each request */
    bool json;    /* uma trace: a document in place of text */
};

/* Parses; on any mistake prints one line and ends the process with status 2, as argp does. */
void run_options_parse(int argc, char **argv, struct run_options *options);
/* The same for `uma trace`, which has two options more. */
void trace_options_parse(int argc, char **argv, struct run_options *options);
