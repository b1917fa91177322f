/*
 * test_corrupt.c - a driver whose unwind data was overwritten: exceptions through its frames must end, one way or
 * another.
 *
 * Each round forks, changes some bytes of the driver's unwind data or scope tables, and runs functions of the driver
 * that raise. The child may come back, or report an unhandled exception, or stop in the platform's own checks, or
 * repeat its fault for ever if a corrupted handler says CONTINUE_EXECUTION each time (that is the driver's loop); it
 * must not hang or fault in our code.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat.h"
#include "world.h"

#define ROUNDS    400
#define TRAPS_MAX 20000 /* more than this many faults in one round: the driver repeats itself */
enum { CAME_BACK, REPORTED, REPEATS, OUR_FAULT, OUT_OF_TIME, OTHER, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {"came back",         "reported",    "repeats its fault",
                                                    "fault in our code", "out of time", "other"};

static ULONG next_random(ULONG64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (ULONG)(*seed >> 16);
}

void NTAPI test_mark(char what);
void NTAPI test_mark(char what)
{
    UNREFERENCED_PARAMETER(what);
}

typedef void(NTAPI *callback)(void *context);
int NTAPI test_call_back(callback function, void *context, int mode);
int NTAPI test_call_back(callback function, void *context, int mode)
{
    if (mode == 0)
        function(context);
    else
        __try {
            function(context);
        } __except (mode & 1 ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
            return 3;
        }
    return 2;
}

extern const char __executable_start[], etext[];

/* A fault of this program's own code, but not in the export that jumps where the driver tells it to. */
static bool is_our_fault(const EXCEPTION_RECORD *record)
{
    ULONG_PTR pc = (ULONG_PTR)record->ExceptionAddress;
    return record->ExceptionCode == STATUS_ACCESS_VIOLATION && record->NumberParameters == 2 &&
           pc >= (ULONG_PTR)__executable_start && pc < (ULONG_PTR)etext && pc - (ULONG_PTR)test_call_back >= 0x100;
}

static void on_unhandled(EXCEPTION_RECORD *record, CONTEXT *context)
{
    ULONG_PTR pcs[64];
    seh_backtrace(context, pcs, RTL_NUMBER_OF(pcs));
    if (!is_our_fault(record))
        _exit(REPORTED);
    printf("fault at %p\n", record->ExceptionAddress);
    fflush(stdout);
    _exit(OUR_FAULT);
}

static void on_trap(struct plat_trap *trap)
{
    static ULONG count;
    if (++count > TRAPS_MAX)
        _exit(REPEATS);
    seh_trap(trap);
}

static void on_fatal(struct plat_trap *trap)
{
    EXCEPTION_RECORD record = {.ExceptionCode = trap->code, .ExceptionAddress = (PVOID)trap->context->Rip};
    on_unhandled(&record, trap->context);
}

/* Changes up to four bytes in unwind data some function of the driver refers to. */
static void corrupt(struct ldr_image *image, ULONG64 *seed)
{
    ULONG changes = 1 + next_random(seed) % 4;
    while (changes--) {
        const RUNTIME_FUNCTION *function = &image->seh.functions[next_random(seed) % image->seh.count];
        ULONG_PTR at = (ULONG_PTR)image->base + function->UnwindData + next_random(seed) % 24;
        plat_system_protect((void *)(at & ~(ULONG_PTR)(PLAT_PAGE_SIZE - 1)), PLAT_PAGE_SIZE, PLAT_READWRITE);
        *(UCHAR *)at = (UCHAR)next_random(seed);
    }
}

static int run_round(struct ldr_image *image, ULONG round)
{
    static int(NTAPI * step[16])(int);
    ULONG64 seed = 0x9E3779B97F4A7C15ull * (round + 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        plat_fork_child();
        ((NTSTATUS(NTAPI *)(void *, void *))image->entry)(step, NULL);
        corrupt(image, &seed);
        for (int mode = 0; mode < 3; mode++)
            step[0](mode);
        step[1](3);
        _exit(CAME_BACK);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status))
        return WEXITSTATUS(status) < OTHER ? WEXITSTATUS(status) : OTHER;
    return WTERMSIG(status) == SIGALRM ? OUT_OF_TIME : WTERMSIG(status) == SIGABRT ? REPORTED : OTHER;
}

int main(int argc, char **argv)
{
    ULONG outcomes[OUTCOMES] = {0};
    const struct plat_hooks hooks = {.trap = on_trap, .fatal = on_fatal};
    if (argc < 2)
        return 2;
    world_start();
    plat_set_hooks(&hooks);
    seh_unhandled_hook = on_unhandled;
    struct ldr_image *image = world_load(argv[1]);
    ULONG first = argc > 2 ? (ULONG)atoi(argv[2]) : 0; /* to repeat a round, or go further than the suite does */
    ULONG last = first + (argc > 3 ? (ULONG)atoi(argv[3]) : argc > 2 ? 1 : ROUNDS);
    for (ULONG round = first; round < last; round++) {
        int outcome = run_round(image, round);
        outcomes[outcome]++;
        if (outcome >= OUR_FAULT)
            printf("round %u: %s\n", round, outcome_names[outcome]);
    }
    for (int i = 0; i < OUTCOMES; i++)
        printf("%s: %u\n", outcome_names[i], outcomes[i]);
    return outcomes[OUR_FAULT] || outcomes[OTHER] || outcomes[OUT_OF_TIME];
}
