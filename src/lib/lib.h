/*
 * lib.h - what the parts of the embedding API (include/uma.h) share.
 */
#pragma once
#include "uma.h"
#include "io.h"
#include "ldr.h"

struct uma_driver {
    struct ldr_image *image;
    DRIVER_OBJECT *object;
    struct uma_driver *next;
};

/* The options of uma_start. */
extern struct uma_options lib_options;

/* The host thread plays a user thread: it is the one that called uma_start, or one of uma_thread_start's. */
extern __thread bool lib_user_thread;

/* Counts accesses to user memory outside the accessors, from now on. */
void raw_start(void);
/* Gives racing user threads a chance to store, if there are any. Signal-safe. */
void race_give_way(void);
/* The decoy page. */
NTSTATUS decoy_start(void);

/*
 * The watchdog: between watchdog_arm and watchdog_disarm the calling thread runs driver code; if that takes longer than
 * the time-out, the process says where it is and ends with status 1. doing: static text such as "an ioctl".
 */
NTSTATUS watchdog_start(void);
/* The child of a fork has the memory of a watchdog, and no thread. */
NTSTATUS watchdog_fork_child(void);
void watchdog_arm(const char *doing);
void watchdog_disarm(void);
