/*
 * case.h - one case in a process of its own: whatever the driver does there, the one who asked goes on.
 *
 * The process is a fork of the caller's, kernel and loaded drivers included, with user memory, timers and worker
 * threads of its own. Threads that drivers have made are not in it. What it leaves behind is in memory shared with it,
 * which a driver that runs wild may have written to as well: everything read there is checked.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "wdk/ntdef.h"

enum case_end {
    CASE_DONE,     /* the body came back */
    CASE_BUGCHECK, /* the kernel stopped */
    CASE_HANG,     /* time was up */
    CASE_DIED      /* the process ended otherwise: what was to contain the driver did not */
};

enum { CASE_STACK = 32, CASE_WHY = 256 };

struct case_result {
    enum case_end end;
    ULONG code; /* the bug check and its parameters */
    ULONG_PTR parameters[4];
    char why[CASE_WHY]; /* one line of plain words, or empty */
    ULONG_PTR culprit;  /* bug check: the code to blame; hang: the driver code that runs or waits; 0: unknown */
    ULONG_PTR stack[CASE_STACK]; /* code addresses, the innermost first */
    ULONG depth;
    int status; /* of waitpid, if it died */
};

/* Runs in the new process; room is what case_runner_room gives. */
typedef void case_body(void *context, void *room);

struct case_runner;
/* room: bytes shared with each case. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS case_runner_open(size_t room, struct case_runner **runner);
void case_runner_close(struct case_runner *runner);
/* What the last case has written, and what the next one finds. */
void *case_runner_room(struct case_runner *runner);

/*
 * Runs body in a process of its own and waits for its end, at most a second longer than milliseconds. False: there was
 * no process to be had. The caller is the thread that called uma_start, and nothing runs in the kernel meanwhile.
 */
bool case_run(struct case_runner *runner, case_body *body, void *context, unsigned milliseconds,
              struct case_result *result);
