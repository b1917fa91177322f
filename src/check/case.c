/*
 * case.c - one case in a process of its own.
 */
#include "case.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "ke.h"
#include "rtl.h"
#include "seh.h"

/* Exit statuses of a case's process; any other is not its own. */
enum { EXIT_DONE = 0, EXIT_STOPPED = 91, EXIT_HANGS = 92, EXIT_NOT_STARTED = 93 };

/* At the front of the shared memory; the room follows. */
struct shared {
    struct case_result result;
};

struct case_runner {
    struct shared *shared;
    size_t size;
};

/* Of the process that runs a case. */
static struct shared *ours;

static size_t room_offset(void)
{
    return (sizeof(struct shared) + 63) & ~(size_t)63;
}

NTSTATUS case_runner_open(size_t room, struct case_runner **runner)
{
    struct case_runner *made = malloc(sizeof(*made));
    *runner = NULL;
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->size = room_offset() + room;
    void *shared = mmap(NULL, made->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        free(made);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    made->shared = shared;
    *runner = made;
    return STATUS_SUCCESS;
}

void case_runner_close(struct case_runner *runner)
{
    munmap(runner->shared, runner->size);
    free(runner);
}

void *case_runner_room(struct case_runner *runner)
{
    return (char *)runner->shared + room_offset();
}

/* ---- in the process of the case ---- */

/* What the kernel does in place of its report. */
static void stopped(const struct ke_bugcheck *bugcheck, const ULONG_PTR *stack, ULONG depth)
{
    struct case_result *result = &ours->result;
    result->code = bugcheck->code;
    memcpy(result->parameters, bugcheck->parameters, sizeof(result->parameters));
    if (bugcheck->why)
        rtl_print(result->why, sizeof(result->why), "%s", bugcheck->why);
    result->culprit = bugcheck->culprit;
    result->depth = depth < CASE_STACK ? depth : CASE_STACK;
    memcpy(result->stack, stack, result->depth * sizeof(stack[0]));
    _exit(EXIT_STOPPED);
}

/* Time is up: the interrupted code is the driver's, or it was called from there. */
static void on_time_up(int number, siginfo_t *info, void *argument)
{
    const ucontext_t *context = argument;
    ULONG_PTR pc = (ULONG_PTR)context->uc_mcontext.gregs[REG_RIP], caller = seh_export_caller();
    UNREFERENCED_PARAMETER(number);
    UNREFERENCED_PARAMETER(info);
    ours->result.culprit = seh_image_find(pc) ? pc : caller ? caller - 1 : 0;
    _exit(EXIT_HANGS);
}

static int time_up_signal(void)
{
    return SIGRTMIN + 4;
}

/* The signal goes to this thread, which runs the case. */
static bool start_clock(unsigned milliseconds)
{
    struct sigaction action = {.sa_sigaction = on_time_up, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = time_up_signal()};
    const struct itimerspec limit = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000}};
    timer_t timer;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigemptyset(&action.sa_mask);
    return sigaction(time_up_signal(), &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
           timer_settime(timer, 0, &limit, NULL) == 0;
}

static DECLSPEC_NORETURN void run_here(struct case_runner *runner, case_body *body, void *context,
                                       unsigned milliseconds, pid_t parent)
{
    const struct rlimit none = {0};
    ours = runner->shared;
    ke_bugcheck_instead = stopped;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    if (getppid() != parent || !NT_SUCCESS(plat_fork_child()) || !NT_SUCCESS(ke_fork_child()) ||
        !start_clock(milliseconds))
        _exit(EXIT_NOT_STARTED);
    body(context, case_runner_room(runner));
    _exit(EXIT_DONE);
}

/* ---- in the caller's ---- */

/* The process's status; it is killed if it has not ended by itself in time. */
static int wait_for(pid_t child, unsigned milliseconds)
{
    int status = 0, descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd end = {.fd = descriptor, .events = POLLIN};
    int ready;
    do
        ready = descriptor < 0 ? 1 : poll(&end, 1, (int)milliseconds + 1000);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (descriptor >= 0)
        close(descriptor);
    return ready == 0 ? EXIT_HANGS << 8 : status;
}

/* The shared memory may hold anything. */
static void take_result(const struct case_runner *runner, int status, struct case_result *result)
{
    *result = runner->shared->result;
    result->why[CASE_WHY - 1] = 0;
    for (char *c = result->why; *c; c++)
        *c = *c >= ' ' && *c < 0x7F ? *c : '?';
    if (result->depth > CASE_STACK)
        result->depth = CASE_STACK;
    result->status = status;
    result->end = CASE_DIED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE)
        result->end = CASE_DONE;
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_STOPPED)
        result->end = CASE_BUGCHECK;
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HANGS)
        result->end = CASE_HANG;
}

bool case_run(struct case_runner *runner, case_body *body, void *context, unsigned milliseconds,
              struct case_result *result)
{
    const pid_t self = getpid();
    memset(&runner->shared->result, 0, sizeof(runner->shared->result));
    memset(result, 0, sizeof(*result));
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0)
        run_here(runner, body, context, milliseconds, self);
    int status = wait_for(child, milliseconds);
    take_result(runner, status, result);
    return !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_NOT_STARTED;
}
