/*
 * trace.c - what watching a driver costs: reads of four bytes by accessor and by a raw instruction, with the record of
 * accesses on and off; and coverage, for each block that runs the first time and for each block that there is.
 *
 * One request does many reads, so that the request itself does not count. Rounds of the two take turns; the median of
 * each counts. Prints one tab-separated line per case: its name, ns, the peer's name, its ns. Argument: touch.sys.
 * Without protection there are no raw reads to be seen, and no line of them. Exit 77: this processor lacks the
 * protection asked for.
 */
#include "coverage.h"
#include "count.h"
#include "touch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 11, TIMES = 4000, PAGE = 4096 };

static uma_file file;
static uint64_t input;

static void need(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "bench_trace: %s\n", what);
    exit(2);
}

static double time_of(enum touch_group group)
{
    const uint32_t times = TIMES;
    need(uma_user_store(input, &times, sizeof(times)), "user memory");
    uint64_t start = count_now_ns();
    struct uma_result result = uma_ioctl(file, TOUCH_CODE(group), input, sizeof(times), 0, 0);
    double ns = (double)(count_now_ns() - start) / TIMES;
    need(result.status == 0, "the request failed");
    return ns;
}

static double time_recorded(enum touch_group group)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = TIMES + 1};
    need(uma_trace_start(&options) == 0, "no record");
    time_of(group); /* its memory is there now */
    uma_trace_clear();
    double ns = time_of(group);
    need(uma_trace_count() == TIMES + 1 && uma_trace_dropped() == 0, "not every read has its row");
    uma_trace_stop();
    return ns;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const char *name, enum touch_group group)
{
    double recorded[ROUNDS], plain[ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        recorded[round] = time_recorded(group);
        plain[round] = time_of(group);
    }
    qsort(recorded, ROUNDS, sizeof(*recorded), by_value);
    qsort(plain, ROUNDS, sizeof(*plain), by_value);
    printf("%s, recorded\t%.1f\tnot recorded\t%.1f\n", name, recorded[ROUNDS / 2], plain[ROUNDS / 2]);
}

/* A first run is what a request takes longer that meets breakpoints, spread over them. */
static void measure_coverage(const struct uma_driver *driver)
{
    double first_run[ROUNDS], open_close[ROUNDS];
    const uint32_t times = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct coverage *coverage;
        uint64_t request[2];
        uint64_t start = count_now_ns();
        need(coverage_open(driver, &coverage) == 0, "no coverage");
        open_close[round] = (double)(count_now_ns() - start);
        for (unsigned i = 0; i < 2; i++) {
            need(uma_user_store(input, &times, sizeof(times)), "user memory");
            start = count_now_ns();
            uma_ioctl(file, TOUCH_CODE(TOUCH_BENCH_ACCESSOR), input, sizeof(times), 0, 0);
            request[i] = count_now_ns() - start;
        }
        need(coverage_hit(coverage) > 0, "no block has run");
        first_run[round] = ((double)request[0] - (double)request[1]) / (double)coverage_hit(coverage);
        const double blocks = (double)coverage_total(coverage);
        start = count_now_ns();
        coverage_close(coverage);
        open_close[round] = (open_close[round] + (double)(count_now_ns() - start)) / blocks;
    }
    qsort(first_run, ROUNDS, sizeof(*first_run), by_value);
    qsort(open_close, ROUNDS, sizeof(*open_close), by_value);
    printf("coverage, first run of a block\t%.1f\tfinding, opening, closing it\t%.1f\n", first_run[ROUNDS / 2],
           open_close[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"auto", "pku", "mprotect", "none"};
    const char *wanted = getenv("UMA_PROTECT");
    struct uma_options options = {.size = sizeof(options)};
    struct uma_driver *driver;
    char error[UMA_ERROR_MAX];
    if (argc != 2)
        return 2;
    for (int i = 0; wanted && i < 4; i++)
        if (!strcmp(wanted, names[i]))
            options.protect = (enum uma_protect)i;
    if (uma_start(&options) != 0)
        return 77;
    need(uma_load(argv[1], &driver, error) == 0, argv[1]);
    need(uma_open("\\Device\\Touch", &file) == 0, "\\Device\\Touch does not open");
    need(uma_user_alloc(PAGE, UMA_READ_WRITE, &input) == 0, "user memory");
    char name[64];
    snprintf(name, sizeof(name), "ReadULongFromUser (%s)", uma_protect_in_use());
    measure(name, TOUCH_BENCH_ACCESSOR);
    snprintf(name, sizeof(name), "raw read (%s)", uma_protect_in_use());
    if (strcmp(uma_protect_in_use(), "none"))
        measure(name, TOUCH_BENCH_RAW);
    else
        measure_coverage(driver);
    uma_close(file);
    return uma_unload(driver) != 0;
}
