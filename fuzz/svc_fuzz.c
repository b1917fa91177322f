/*
 * svc_fuzz.c - hostile user mode: threads that make random system calls at a kernel with two drivers loaded, in batches
 * that each have a process and a seed. What no batch may do: end by a bug check or a signal, take longer than its
 * limit, leave requests, locked pages or handles behind, see or change kernel memory, or reach out of the root folder.
 *
 * usage: svc_fuzz [--seconds N] [--seed S] [--batches N] [--threads N] [--calls N] [--services TEXT] DRIVER...
 * A finding prints its seed and each thread's last calls; --seed S --batches 1 makes the same calls again (with
 * --threads 1 in the same order too). --services: only those whose name has TEXT in it.
 */
#define _GNU_SOURCE
#include "svc_fuzz.h"
#include "uma.h"
#include "arity.h"
#include "ob.h"
#include "ke.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_SECONDS = 60, DRIVERS_MAX = 8 };

#define KIND_OF(k, n) FUZZ_##k
#define NAME_OF(k, n) #n
#define KIND_OF_NONE
#define NAME_OF_NONE
#define SERVICE(n, name, ...) {#name, n, {SVC_EACH_##n(KIND_OF, __VA_ARGS__)}, {SVC_EACH_##n(NAME_OF, __VA_ARGS__)}},
const struct fuzz_row fuzz_rows[] = {
#include "services.def"
};
#undef SERVICE
const size_t fuzz_row_count = sizeof(fuzz_rows) / sizeof(*fuzz_rows);
const unsigned char fuzz_kind_bytes[FUZZ_KINDS] = {
#define KIND(name, type, bytes, alignment, flags, text) bytes,
#include "kinds.def"
#undef KIND
};

static struct {
    unsigned seconds, batches, threads;
    uint64_t seed, calls;
    const char *services, *drivers[DRIVERS_MAX];
    unsigned driver_count;
} options = {.threads = 3, .calls = 4000};

static char top[64], root[80]; /* the folder with the canary, and the one in it that is C: */
static const char canary[] = "nobody of user mode can read this";

/* ---- the child: one batch ---- */

static void fail(const char *what)
{
    fprintf(stderr, "finding: %s\n", what);
    fflush(NULL);
    _exit(3);
}

static void need(bool holds, const char *what)
{
    if (!holds)
        fail(what);
}

static void keep_results(struct fuzz_thread *thread, const struct fuzz_row *row, const uint64_t *values)
{
    for (unsigned i = 0; i < row->count; i++) {
        uint64_t value;
        const char *kind = row->arguments[i];
        if ((row->kinds[i] != FUZZ_OUT_HANDLE && row->kinds[i] != FUZZ_OUT_HANDLE_OPT) ||
            !uma_user_load(values[i], &value, sizeof(value)))
            continue;
        for (unsigned k = 0; k < FUZZ_SLOTS && row->kinds[i] == FUZZ_OUT_HANDLE_OPT; k++)
            if (fuzz_world.handles[k].value == values[1] && fuzz_world.handles[k].argument)
                kind = fuzz_world.handles[k].argument; /* a copy is of its source's type */
        fuzz_keep_handle(thread, kind, value);
    }
}

static void make_call(struct fuzz_thread *thread)
{
    uint32_t number = (uint32_t)(fuzz_random(thread) % fuzz_row_count);
    const struct fuzz_row *row = &fuzz_rows[number];
    struct fuzz_call call = {.service = number + 1};
    struct fuzz_history *history = fuzz_world.history;
    if (options.services && !strstr(row->name, options.services))
        return;
    for (unsigned i = 0; i < row->count; i++)
        call.arguments[i] = fuzz_argument(thread, row, i, call.arguments);
    struct fuzz_call *slot = &history->calls[thread->index][history->made[thread->index]++ % FUZZ_HISTORY];
    *slot = call;
    char name[64];
    snprintf(name, sizeof(name), "Nt%s", row->name);
    slot->status = uma_call(name, call.arguments, row->count);
    slot->back = true;
    if (slot->status >= 0) {
        history->succeeded[thread->index]++;
        keep_results(thread, row, call.arguments);
    }
    if (fuzz_random(thread) % 64 == 0) /* and one whose arguments stand anywhere */
        uma_syscall((uint32_t)(fuzz_random(thread) % (fuzz_row_count + 2)) |
                        (fuzz_random(thread) % 8 ? 0x80000000u : 0),
                    fuzz_world.guarded + 0x1000 - fuzz_random(thread) % 128);
}

static void run_thread(void *context)
{
    struct fuzz_thread *thread = context;
    for (uint64_t i = 0; i < options.calls; i++)
        make_call(thread);
}

static void prepare_memory(struct fuzz_thread *threads)
{
    static const int64_t moments[4] = {0, -1, -1000, -10000}; /* 100 ns */
    need(uma_user_alloc(FUZZ_AREA, UMA_READ_WRITE, &fuzz_world.area) == 0, "memory for the area");
    need(uma_user_alloc(0x1000, UMA_READ_WRITE, &fuzz_world.guarded) == 0, "a page with nothing behind");
    need(uma_user_alloc(0x1000, UMA_READ, &fuzz_world.read_only) == 0, "a page that can be read only");
    need(uma_user_alloc(0x1000, UMA_READ_WRITE, &fuzz_world.moments) == 0, "a page for times");
    need(uma_user_store(fuzz_world.moments, moments, sizeof(moments)), "the times are stored");
    need(uma_user_protect(fuzz_world.moments, 0x1000, UMA_READ) == 0, "the times are protected");
    for (unsigned i = 0; i < options.threads; i++)
        need(uma_user_alloc(FUZZ_SCRATCH, UMA_READ_WRITE, &threads[i].scratch) == 0, "memory for arguments");
    fuzz_world.decoy = uma_decoy();
}

static void count_line(void *context, const char *line)
{
    fprintf(stderr, "left behind: %s\n", line);
    ++*(unsigned *)context;
}

/* User mode's handles, its protected ones too. */
static void close_handles(void)
{
    uint64_t at; /* zeroes: not inherited, not protected */
    need(uma_user_alloc(0x1000, UMA_READ, &at) == 0, "memory for flags");
    for (uint64_t handle = 4; ob_handles_in(&ke_user.body) && handle < 0x100000; handle += 4) {
        uma_call("NtSetInformationObject", (const uint64_t[]){handle, 4, at, 2}, 4);
        uma_call("NtClose", &handle, 1);
    }
    need(ob_handles_in(&ke_user.body) == 0, "every handle can be closed");
}

static void check_memory(const struct fuzz_thread *threads)
{
    static char bytes[FUZZ_SCRATCH];
    need(!uma_decoy_changed(), "kernel memory has not been written to");
    need(!uma_user_load(fuzz_world.area, bytes, FUZZ_AREA) || !uma_decoy_in(bytes, FUZZ_AREA),
         "kernel memory has not been shown");
    for (unsigned i = 0; i < options.threads; i++)
        if (uma_user_load(threads[i].scratch, bytes, FUZZ_SCRATCH)) {
            need(!uma_decoy_in(bytes, FUZZ_SCRATCH), "kernel memory has not been shown");
            need(!memmem(bytes, FUZZ_SCRATCH, canary, sizeof(canary) - 1), "no file outside the root has been read");
        }
}

static void enter(const char *phase)
{
    __atomic_store_n(&fuzz_world.history->phase, phase, __ATOMIC_RELAXED);
}

static void run_batch(uint64_t seed)
{
    const struct uma_options start = {.size = sizeof(start), .timeout_seconds = 2, .root = root};
    static struct fuzz_thread threads[FUZZ_THREADS];
    struct uma_thread *started[FUZZ_THREADS];
    struct uma_driver *drivers[DRIVERS_MAX];
    char error[UMA_ERROR_MAX];
    unsigned left = 0;
    enter("starting");
    need(uma_start(&start) == 0, "the kernel starts");
    for (unsigned i = 0; i < options.driver_count; i++)
        need(uma_load(options.drivers[i], &drivers[i], error) == 0, error);
    prepare_memory(threads);
    for (unsigned i = 0; i < options.threads; i++) {
        threads[i].index = i;
        threads[i].random = (seed + i) * 0x9E3779B97F4A7C15u | 1;
        need(uma_thread_start(run_thread, &threads[i], &started[i]) == 0, "a thread starts");
    }
    enter("calling, or ending a thread");
    for (unsigned i = 0; i < options.threads; i++)
        uma_thread_join(started[i]);
    check_memory(threads);
    enter("closing handles");
    close_handles();
    enter("unloading");
    for (unsigned i = 0; i < options.driver_count; i++)
        need(uma_unload(drivers[i]) == 0, "a driver unloads");
    uma_leftovers(count_line, &left);
    need(left == 0, "nothing is left behind");
}

/* ---- the parent ---- */

static struct fuzz_history *history;

static void put_file(const char *folder, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(content, file) < 0 || fclose(file))
        perror(path);
}

static void make_root(void)
{
    char path[256];
    strcpy(top, "/tmp/svc_fuzz.XXXXXX");
    if (!mkdtemp(top)) {
        perror(top);
        exit(2);
    }
    snprintf(root, sizeof(root), "%s/root", top);
    snprintf(path, sizeof(path), "%s/dir", root);
    mkdir(root, 0700);
    mkdir(path, 0700);
    put_file(top, "canary", canary);
    put_file(root, "file", "hello");
    put_file(path, "x", "x");
    snprintf(path, sizeof(path), "%s/out", root);
    if (symlink("..", path))
        perror(path);
    snprintf(path, sizeof(path), "%s/up", root);
    if (symlink("../canary", path))
        perror(path);
}

static bool canary_stands(void)
{
    char path[256], content[sizeof(canary)] = "";
    snprintf(path, sizeof(path), "%s/canary", top);
    FILE *file = fopen(path, "r");
    bool same = file && fread(content, 1, sizeof(content), file) == sizeof(canary) - 1 && !strcmp(content, canary);
    if (file)
        fclose(file);
    struct stat status;
    return same && stat(top, &status) == 0 && status.st_nlink == 3; /* itself, its name, and root's ".." */
}

static void remove_root(void)
{
    char command[256];
    snprintf(command, sizeof(command), "chmod -R u+rwX %s; rm -rf %s", top, top);
    if (system(command))
        fprintf(stderr, "%s could not be removed\n", top);
}

static void show_calls(void)
{
    for (unsigned t = 0; t < options.threads; t++) {
        uint64_t made = history->made[t];
        printf("thread %u, call %llu:\n", t, (unsigned long long)made);
        for (uint64_t i = made > FUZZ_HISTORY ? made - FUZZ_HISTORY : 0; i < made; i++) {
            const struct fuzz_call *call = &history->calls[t][i % FUZZ_HISTORY];
            const struct fuzz_row *row = &fuzz_rows[call->service - 1];
            printf("  Nt%s(", row->name);
            for (unsigned k = 0; k < row->count; k++)
                printf("%s%s 0x%llx", k ? ", " : "", row->arguments[k], (unsigned long long)call->arguments[k]);
            printf(call->back ? ") = 0x%08x\n" : ") has not come back\n", (unsigned)call->status);
        }
    }
}

static void show_file(int file)
{
    char bytes[4096];
    ssize_t got;
    lseek(file, 0, SEEK_SET);
    while ((got = read(file, bytes, sizeof(bytes))) > 0)
        fwrite(bytes, 1, (size_t)got, stdout);
}

/* Waits for a batch; false: it took too long and has been ended. */
static bool wait_for(pid_t child, int *status)
{
    for (unsigned i = 0; i < BATCH_SECONDS * 100; i++) {
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, status, 0);
    return false;
}

/* True: nothing was found. */
static bool try_batch(uint64_t seed)
{
    int output = memfd_create("output", 0), status = 0;
    memset(history, 0, sizeof(*history));
    make_root();
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        fuzz_world.history = history;
        run_batch(seed);
        fflush(NULL);
        exit(0);
    }
    bool came = wait_for(child, &status), inside = canary_stands();
    bool well = came && WIFEXITED(status) && WEXITSTATUS(status) == 0 && inside;
    if (!well) {
        printf("\nFINDING with seed %llu: %s %d\n", (unsigned long long)seed,
               !came                 ? "it took too long, status"
               : !inside             ? "it got out of the root, status"
               : WIFSIGNALED(status) ? "signal"
                                     : "exit status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        printf("it was %s\n", history->phase ? history->phase : "not there yet");
        show_file(output);
        show_calls();
    }
    close(output);
    remove_root();
    return well;
}

static void read_options(int count, char **texts)
{
    options.seed = (uint64_t)time(NULL) << 16;
    for (int i = 1; i < count; i++) {
        const char *text = texts[i], *value = i + 1 < count ? texts[i + 1] : "";
        if (text[0] != '-') {
            if (options.driver_count < DRIVERS_MAX)
                options.drivers[options.driver_count++] = text;
            continue;
        }
        i++;
        if (!strcmp(text, "--seconds"))
            options.seconds = (unsigned)atoi(value);
        else if (!strcmp(text, "--seed"))
            options.seed = strtoull(value, NULL, 0);
        else if (!strcmp(text, "--batches"))
            options.batches = (unsigned)atoi(value);
        else if (!strcmp(text, "--threads"))
            options.threads = (unsigned)atoi(value);
        else if (!strcmp(text, "--calls"))
            options.calls = strtoull(value, NULL, 0);
        else if (!strcmp(text, "--services"))
            options.services = value;
        else {
            fprintf(stderr, "svc_fuzz: no option '%s'\n", text);
            exit(2);
        }
    }
    if (options.threads < 1 || options.threads > FUZZ_THREADS) {
        fprintf(stderr, "svc_fuzz: 1 to %d threads\n", FUZZ_THREADS);
        exit(2);
    }
}

int main(int count, char **texts)
{
    unsigned batches = 0, findings = 0;
    uint64_t calls = 0, succeeded = 0;
    time_t began = time(NULL);
    read_options(count, texts);
    history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (history == MAP_FAILED)
        return 2;
    while (options.batches ? batches < options.batches : !batches || time(NULL) - began < (time_t)options.seconds) {
        findings += !try_batch(options.seed + batches * 16);
        batches++;
        for (unsigned i = 0; i < options.threads; i++) {
            calls += history->made[i];
            succeeded += history->succeeded[i];
        }
    }
    printf("seeds from %llu: %u batches, %llu calls, %llu of them succeeded, %u findings\n",
           (unsigned long long)options.seed, batches, (unsigned long long)calls, (unsigned long long)succeeded,
           findings);
    return findings || succeeded < calls / 20 ? 1 : 0;
}
