/*
 * watchdog.c - a driver that does not come back must not hang its host.
 *
 * A thread sleeps until the armed thread's deadline. Past it, a signal makes the armed thread note where it is and
 * park; the watchdog names the place and ends the process. A thread that merely waits for a pending request is left to
 * the I/O manager, whose own time-out cancels the request, for as long again.
 */
#include "lib.h"
#include "ke.h"
#include "seh.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define REPORT_SECONDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static bool armed;
static pthread_t watched;
static const char *watched_doing;
static struct timespec deadline;

/* Filled by the watched thread's signal handler. */
static atomic_bool sampled, release;
static ULONG_PTR sample_pc, sample_caller;

static int interrupt_signal(void)
{
    return SIGRTMIN + 3;
}

static void on_interrupt(int number, siginfo_t *info, void *argument)
{
    const ucontext_t *context = argument;
    (void)number;
    (void)info;
    sample_pc = (ULONG_PTR)context->uc_mcontext.gregs[REG_RIP];
    sample_caller = seh_export_caller();
    atomic_store(&sampled, true);
    while (!atomic_load(&release))
        usleep(1000);
}

/* Interrupts the watched thread; true once it is parked with its sample taken. */
static bool take_sample(void)
{
    atomic_store(&sampled, false);
    atomic_store(&release, false);
    if (pthread_kill(watched, interrupt_signal()) != 0)
        return false;
    for (int i = 0; i < 1000 && !atomic_load(&sampled); i++)
        usleep(1000);
    return atomic_load(&sampled);
}

DECLSPEC_NORETURN static void give_up(bool known)
{
    char place[UMA_PLACE_MAX] = "an unknown place", line[UMA_PLACE_MAX + 160];
    ULONG_PTR pc = ldr_find(sample_pc) || !sample_caller ? sample_pc : sample_caller;

    alarm(10); /* naming the place must not hang either: the thread may hold any lock */
    if (known)
        ldr_symbolize(pc, place, sizeof(place));
    int length =
        snprintf(line, sizeof(line), "uma: %s did not come back within %u s; the driver is %s %s\n", watched_doing,
                 lib_options.timeout_seconds, pc == sample_pc ? "at" : "in a kernel routine called from", place);
    if (lib_options.timeout)
        lib_options.timeout(lib_options.context, watched_doing, place);
    else if (write(STDERR_FILENO, line, (size_t)length) < 0)
        _exit(1);
    _exit(1);
}

/* Half a second after the I/O manager's own time-out, so that a cancel routine is not taken for a driver that hangs. */
static void set_deadline(void)
{
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += lib_options.timeout_seconds;
    deadline.tv_nsec += 500000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
}

static bool deadline_passed(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline.tv_sec || (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

static void *watch(void *argument)
{
    bool patience = true, report_patience = true;
    (void)argument;
    pthread_mutex_lock(&lock);
    for (;;) {
        if (!armed) {
            patience = true;
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        pthread_cond_timedwait(&changed, &lock, &deadline);
        if (!armed || !deadline_passed())
            continue;
        if (report_patience && ke_bugcheck_reporting()) { /* it has stopped already, and is saying where */
            report_patience = false;
            set_deadline();
            deadline.tv_sec += REPORT_SECONDS;
            continue;
        }
        bool known = take_sample();
        bool waits_for_pending = known && !ldr_find(sample_pc) && !sample_caller;
        if (!waits_for_pending || !patience)
            give_up(known);
        patience = false;
        set_deadline();
        deadline.tv_sec += 2;
        atomic_store(&release, true);
    }
    return NULL;
}

NTSTATUS watchdog_start(void)
{
    pthread_t thread;
    pthread_condattr_t attributes;
    struct sigaction action;

    if (lib_options.timeout_seconds == 0)
        return STATUS_SUCCESS;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_interrupt;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(interrupt_signal(), &action, NULL) != 0 || pthread_create(&thread, NULL, watch, NULL) != 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    pthread_detach(thread);
    return STATUS_SUCCESS;
}

NTSTATUS watchdog_fork_child(void)
{
    pthread_mutex_init(&lock, NULL); /* the thread that may have held it is not here */
    armed = false;
    return watchdog_start();
}

void watchdog_arm(const char *doing)
{
    if (lib_options.timeout_seconds == 0)
        return;
    pthread_mutex_lock(&lock);
    watched = pthread_self();
    watched_doing = doing;
    set_deadline();
    armed = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

void watchdog_disarm(void)
{
    ke_bugcheck_join();
    if (lib_options.timeout_seconds == 0)
        return;
    pthread_mutex_lock(&lock);
    armed = false;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}
