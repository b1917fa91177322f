/*
 * system.c - what a user thread pays for the kernel's services, beside what Linux takes on this machine for the nearest
 * thing: a system call that does nothing, a device control by each method, opening and closing a device, locking pages;
 * and a device control of a framework driver beside that of a driver without.
 *
 * Rounds of the two take turns; the median of each counts. Prints one tab-separated line per case: its name, ns, the
 * peer's name, its ns. Arguments: bench_io.sys, bench_kmdf.sys. Exit 77: this processor lacks the protection asked for.
 */
#define _GNU_SOURCE
#include "uma.h"
#include "count.h"
#include "driver/bench_io.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 11, TIMES = 4000, LOCK_TIMES = 500, BUFFER_BYTES = 64, PAGE = 4096, MOST_PAGES = 256, NAME_UNITS = 15 };

/* User memory: one page. */
enum {
    AT_ARGUMENTS = 0x000,
    AT_HANDLE = 0x100,
    AT_STATUS_BLOCK = 0x120,
    AT_ATTRIBUTES = 0x140,
    AT_NAME = 0x180,
    AT_TEXT = 0x1A0,
    AT_FRAMEWORK_ARGUMENTS = 0x1C0,
    AT_IN = 0x240,
    AT_OUT = 0x300
};

static uint64_t area, locked, file, framework_file;
static int pipe_end, discard;
static unsigned char *linux_pages;

static void need(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "bench_system: %s\n", what);
    exit(2);
}

static uint32_t number_of(const char *service)
{
    uint32_t number = 0;
    need(uma_service(service, &number), service);
    return number;
}

static void store_arguments(const uint64_t *arguments, size_t count)
{
    need(uma_user_store(area + AT_ARGUMENTS, arguments, count * sizeof(*arguments)), "user memory");
}

/* ---- each case: a preparation and the loop, for either side ---- */

struct measured {
    const char *name, *peer;
    void (*prepare)(unsigned parameter);
    void (*run)(unsigned parameter, unsigned times);
    void (*run_peer)(unsigned parameter, unsigned times);
    unsigned parameter, times;
};

static uint32_t service;

static void run_service(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++)
        need(uma_syscall(service, area + AT_ARGUMENTS) >= 0, "a system call failed");
}

static void prepare_null(unsigned parameter)
{
    (void)parameter;
    service = number_of("NtTestAlert");
}

static void run_null(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++)
        uma_syscall(service, area + AT_ARGUMENTS);
}

static void run_getppid(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++)
        discard += (int)syscall(SYS_getppid);
}

static void store_control(uint64_t at, uint64_t device, unsigned method)
{
    const uint64_t arguments[] = {
        device,        0,           0, 0, area + AT_STATUS_BLOCK, BENCH_CODE(method), area + AT_IN, BUFFER_BYTES,
        area + AT_OUT, BUFFER_BYTES};
    need(uma_user_store(at, arguments, sizeof(arguments)), "user memory");
    service = number_of("NtDeviceIoControlFile");
}

static void prepare_control(unsigned method)
{
    store_control(area + AT_ARGUMENTS, file, method);
}

static void prepare_framework(unsigned method)
{
    prepare_control(method);
    store_control(area + AT_FRAMEWORK_ARGUMENTS, framework_file, method);
}

static void run_framework(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++)
        need(uma_syscall(service, area + AT_FRAMEWORK_ARGUMENTS) >= 0, "a system call failed");
}

static void run_ioctl(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++)
        need(ioctl(pipe_end, FIONREAD, &discard) == 0, "ioctl");
}

static void prepare_open_of(const uint16_t name[static NAME_UNITS])
{
    const uint64_t counted[] = {NAME_UNITS * 2 | NAME_UNITS * 2 << 16, area + AT_TEXT};
    const uint64_t object[] = {48, 0, area + AT_NAME, 0, 0, 0};
    const uint64_t arguments[] = {area + AT_HANDLE, 0xC0100000u, area + AT_ATTRIBUTES, area + AT_STATUS_BLOCK, 7, 0x20};
    uma_user_store(area + AT_TEXT, name, NAME_UNITS * 2);
    uma_user_store(area + AT_NAME, counted, sizeof(counted));
    uma_user_store(area + AT_ATTRIBUTES, object, sizeof(object));
    store_arguments(arguments, 6);
    service = number_of("NtOpenFile");
}

static void prepare_open(unsigned parameter)
{
    static const uint16_t name[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'B', 'e', 'n', 'c', 'h', 'I', 'o'};
    (void)parameter;
    prepare_open_of(name);
}

static void open_framework(void)
{
    static const uint16_t name[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'B', 'e', 'n', 'c', 'h', 'K', 'm'};
    prepare_open_of(name);
    need(uma_syscall(service, area + AT_ARGUMENTS) == 0, "\\Device\\BenchKm does not open");
    uma_user_load(area + AT_HANDLE, &framework_file, sizeof(framework_file));
}

static void run_open_close(unsigned parameter, unsigned times)
{
    const uint32_t close_number = number_of("NtClose");
    (void)parameter;
    for (unsigned i = 0; i < times; i++) /* the handle is the argument of NtClose where NtOpenFile left it */
        need(uma_syscall(service, area + AT_ARGUMENTS) >= 0 && uma_syscall(close_number, area + AT_HANDLE) >= 0,
             "open and close");
}

static void run_linux_open(unsigned parameter, unsigned times)
{
    (void)parameter;
    for (unsigned i = 0; i < times; i++) {
        int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
        need(opened >= 0, "/dev/null");
        close(opened);
    }
}

/* One request locks and unlocks many times. */
static void run_lock(unsigned pages, unsigned times)
{
    const BENCH_LOCK lock = {locked, pages * PAGE, times};
    const uint64_t arguments[] = {file,         0, 0, 0, area + AT_STATUS_BLOCK, BENCH_LOCK_CODE, area + AT_IN,
                                  sizeof(lock), 0, 0};
    need(uma_user_store(area + AT_IN, &lock, sizeof(lock)), "user memory");
    need(uma_call("NtDeviceIoControlFile", arguments, 10) == 0, "MmProbeAndLockPages");
}

static void run_mlock(unsigned pages, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        need(mlock(linux_pages, pages * PAGE) == 0 && munlock(linux_pages, pages * PAGE) == 0, "mlock");
}

static void prepare_nothing(unsigned parameter)
{
    (void)parameter;
}

static const struct measured cases[] = {
    {"null system call", "getppid", prepare_null, run_null, run_getppid, 0, TIMES},
    {"NtDeviceIoControlFile, METHOD_BUFFERED", "ioctl", prepare_control, run_service, run_ioctl, 0, TIMES},
    {"NtDeviceIoControlFile, METHOD_IN_DIRECT", "ioctl", prepare_control, run_service, run_ioctl, 1, TIMES},
    {"NtDeviceIoControlFile, METHOD_OUT_DIRECT", "ioctl", prepare_control, run_service, run_ioctl, 2, TIMES},
    {"NtDeviceIoControlFile, METHOD_NEITHER", "ioctl", prepare_control, run_service, run_ioctl, 3, TIMES},
    {"framework driver, METHOD_BUFFERED", "WDM driver", prepare_framework, run_framework, run_service, 0, TIMES},
    {"framework driver, METHOD_NEITHER", "WDM driver", prepare_framework, run_framework, run_service, 3, TIMES},
    {"NtOpenFile and NtClose of a device", "open, close", prepare_open, run_open_close, run_linux_open, 0, TIMES},
    {"MmProbeAndLockPages, MmUnlockPages: 1 page", "mlock, munlock", prepare_nothing, run_lock, run_mlock, 1, TIMES},
    {"MmProbeAndLockPages, MmUnlockPages: 256 pages", "mlock, munlock", prepare_nothing, run_lock, run_mlock,
     MOST_PAGES, LOCK_TIMES},
};

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double time_of(void (*run)(unsigned parameter, unsigned times), const struct measured *measured)
{
    uint64_t start = count_now_ns();
    run(measured->parameter, measured->times);
    return (double)(count_now_ns() - start) / measured->times;
}

static void measure(const struct measured *measured)
{
    double own[ROUNDS], peer[ROUNDS];
    measured->prepare(measured->parameter);
    time_of(measured->run, measured);
    for (unsigned round = 0; round < ROUNDS; round++) {
        own[round] = time_of(measured->run, measured);
        peer[round] = time_of(measured->run_peer, measured);
    }
    qsort(own, ROUNDS, sizeof(*own), by_value);
    qsort(peer, ROUNDS, sizeof(*peer), by_value);
    printf("%s\t%.1f\t%s\t%.1f\n", measured->name, own[ROUNDS / 2], measured->peer, peer[ROUNDS / 2]);
    fflush(stdout);
}

static void user_thread(void *context)
{
    (void)context;
    need(uma_user_alloc(PAGE, UMA_READ_WRITE, &area) == 0 &&
             uma_user_alloc(MOST_PAGES * PAGE, UMA_READ_WRITE, &locked) == 0,
         "user memory");
    prepare_open(0);
    need(uma_syscall(service, area + AT_ARGUMENTS) == 0, "\\Device\\BenchIo does not open");
    uma_user_load(area + AT_HANDLE, &file, sizeof(file));
    open_framework();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        measure(&cases[i]);
    uma_call("NtClose", &framework_file, 1);
    uma_call("NtClose", &file, 1);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("UMA_PROTECT");
    struct uma_options options = {.size = sizeof(options),
                                  .protect = wanted && !strcmp(wanted, "pku") ? UMA_PROTECT_PKU : UMA_PROTECT_NONE};
    struct uma_driver *driver, *framework;
    struct uma_thread *thread;
    char error[UMA_ERROR_MAX];
    int ends[2];
    if (argc != 3)
        return 2;
    if (uma_start(&options) != 0)
        return 77;
    need(uma_load(argv[1], &driver, error) == 0, argv[1]);
    need(uma_load(argv[2], &framework, error) == 0, argv[2]);
    need(pipe(ends) == 0, "pipe");
    pipe_end = ends[0];
    linux_pages =
        mmap(NULL, MOST_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    need(linux_pages != MAP_FAILED, "mmap");
    need(uma_thread_start(user_thread, NULL, &thread) == 0, "no thread");
    uma_thread_join(thread);
    return uma_unload(framework) != 0 || uma_unload(driver) != 0;
}
