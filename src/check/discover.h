/*
 * discover.h - what a loaded driver can be asked: its devices and interfaces, the control codes each knows, and whether
 * it takes reads and writes. Found by asking, without source or help.
 */
#pragma once
#include "attempt.h"
#include "coverage.h"
#include "uma.h"

enum { DISCOVER_DEVICES = 16, DISCOVER_TYPES = 8, DISCOVER_CODES = 256 };

struct discover_device {
    char name[UMA_LINK_MAX]; /* uma_open takes it */
    uint16_t types[DISCOVER_TYPES];
    unsigned type_count; /* device types whose codes were tried: the driver's devices', then those of codes it knows */
    uint32_t codes[DISCOVER_CODES]; /* that it knows, ascending */
    unsigned code_count;
    unsigned left_out; /* that may be known, but there was no room or no time for them */
    bool reads, writes;
};

struct discovery {
    unsigned count;
    struct discover_device devices[];
};

struct discover_options {
    const struct uma_driver *driver;
    struct attempter *attempter;
    struct coverage *coverage; /* of the driver; null: codes that answer as unknown ones do are not found */
    bool quick;                /* of codes that are not in the image, only any access and functions from 0x800 */
    size_t cases;              /* at most; beside the sweeps, which take a process for some hundred codes */
    unsigned milliseconds;     /* for all of it but a sweep that has begun; 0: no limit */
    unsigned case_milliseconds;
};

/*
 * STATUS_NO_MEMORY: no memory or no processes. *found is the caller's to free(). As case_run's caller. A device that
 * cannot be opened is not listed.
 */
NTSTATUS discover(const struct discover_options *options, struct discovery **found);
