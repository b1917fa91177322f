/*
 * merge.c - reports put in order, joined, and compared with a baseline.
 */
#include "finding.h"
#include <stdlib.h>
#include <string.h>

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The worst first; then by what a reader looks for. The fingerprint makes the order total. */
static int compare_findings(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    int order = (int)b->level - (int)a->level;
    order = order ? order : compare_text(a->rule, b->rule);
    order = order ? order : compare_text(a->place.file, b->place.file);
    order = order ? order : compare_number(a->place.line, b->place.line);
    order = order ? order : compare_text(a->place.function, b->place.function);
    return order ? order : compare_text(a->fingerprint, b->fingerprint);
}

/* By fingerprint; of one cause the shortest proof first, the surest of these, and then any fixed order. */
static int compare_causes(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    int order = compare_text(a->fingerprint, b->fingerprint);
    order = order ? order : compare_number(a->step_count, b->step_count);
    order = order ? order : compare_number(b->reproduced, a->reproduced);
    order = order ? order : compare_text(a->replay, b->replay);
    return order ? order : compare_text(a->message, b->message);
}

static int compare_codes(const void *left, const void *right)
{
    const struct report_code *a = left, *b = right;
    int order = compare_text(a->device, b->device);
    order = order ? order : compare_text(a->type, b->type);
    return order ? order : compare_number(a->code, b->code);
}

static int compare_runs(const void *left, const void *right)
{
    const struct report_run *a = left, *b = right;
    int order = compare_text(path_base(a->driver), path_base(b->driver));
    order = order ? order : compare_text(a->sha256, b->sha256);
    return order ? order : compare_text(a->driver, b->driver);
}

/* qsort of an empty array may not be given a null pointer. */
static void sort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(array, count, size, compare);
}

/* A proof that was seen with a higher level is that bad. */
static void join_findings(struct report_run *run)
{
    size_t kept = 0;
    sort(run->findings, run->finding_count, sizeof(run->findings[0]), compare_causes);
    for (size_t i = 0; i < run->finding_count; i++) {
        struct finding *last = kept ? &run->findings[kept - 1] : NULL, *next = &run->findings[i];
        if (!last || compare_text(last->fingerprint, next->fingerprint)) {
            run->findings[kept++] = *next;
            continue;
        }
        last->reproduced += next->reproduced;
        last->tried += next->tried;
        if (next->level > last->level)
            last->level = next->level;
    }
    run->finding_count = kept;
    sort(run->findings, run->finding_count, sizeof(run->findings[0]), compare_findings);
}

/* Of one code the record with more accesses stays; if both have the same, what failed in either failed. */
static void join_codes(struct report_run *run)
{
    size_t kept = 0;
    sort(run->codes, run->code_count, sizeof(run->codes[0]), compare_codes);
    for (size_t i = 0; i < run->code_count; i++) {
        struct report_code *last = kept ? &run->codes[kept - 1] : NULL, *next = &run->codes[i];
        if (!last || compare_codes(last, next)) {
            run->codes[kept++] = *next;
            continue;
        }
        for (size_t j = 0; last->access_count == next->access_count && j < last->access_count; j++)
            last->accesses[j].faulted |= next->accesses[j].faulted;
        if (next->access_count > last->access_count)
            *last = *next;
    }
    run->code_count = kept;
}

/* ---- joining ---- */

static void join_blocks(struct report_run *run, const struct report_run *other)
{
    static const char digits[] = "0123456789abcdef";
    if (run->block_count != other->block_count || !run->blocks || !other->blocks) {
        if (other->block_count > run->block_count) {
            run->block_count = other->block_count;
            run->blocks = other->blocks;
        }
        return;
    }
    for (size_t i = 0; run->blocks[i] && other->blocks[i]; i++) {
        size_t a = (size_t)(strchr(digits, run->blocks[i]) - digits);
        size_t b = (size_t)(strchr(digits, other->blocks[i]) - digits);
        run->blocks[i] = digits[a | b];
    }
}

/* Shards run side by side: they took as long as the longest. */
static void join_runs(struct report *report, struct report_run *run, const struct report_run *other)
{
    run->cases += other->cases;
    if (other->milliseconds > run->milliseconds)
        run->milliseconds = other->milliseconds;
    if (other->started && (!run->started || strcmp(other->started, run->started) < 0))
        run->started = other->started;
    if (other->seed < run->seed)
        run->seed = other->seed;
    if (compare_text(other->options, run->options) < 0)
        run->options = other->options;
    join_blocks(run, other);
    for (size_t i = 0; i < other->code_count; i++) {
        struct report_code *code = report_append(report, &run->codes, &run->code_count, sizeof(*code));
        *code = other->codes[i];
    }
    for (size_t i = 0; i < other->finding_count; i++) {
        struct finding *finding = report_append(report, &run->findings, &run->finding_count, sizeof(*finding));
        *finding = other->findings[i];
    }
}

static bool is_same_driver(const struct report_run *a, const struct report_run *b)
{
    return !compare_text(a->sha256, b->sha256) && !compare_text(path_base(a->driver), path_base(b->driver));
}

void report_sort(struct report *report)
{
    size_t kept = 0;
    sort(report->runs, report->run_count, sizeof(report->runs[0]), compare_runs);
    for (size_t i = 0; i < report->run_count; i++) {
        if (kept && is_same_driver(&report->runs[kept - 1], &report->runs[i]))
            join_runs(report, &report->runs[kept - 1], &report->runs[i]);
        else
            report->runs[kept++] = report->runs[i];
    }
    report->run_count = kept;
    for (size_t i = 0; i < kept; i++) {
        join_findings(&report->runs[i]);
        join_codes(&report->runs[i]);
    }
}

/* The memory of both becomes report's: a chunk begins with the pointer to the next. */
static void take_memory(struct report *report, struct report *from)
{
    void **last = &from->memory;
    while (*last)
        last = *last;
    *last = report->memory;
    report->memory = from->memory;
}

void report_merge(struct report *report, struct report *from)
{
    for (size_t i = 0; i < from->run_count; i++) {
        struct report_run *run = report_append(report, &report->runs, &report->run_count, sizeof(*run));
        *run = from->runs[i];
    }
    if (!report->tool || compare_text(report->tool, from->tool) > 0)
        report->tool = from->tool;
    report->known += from->known;
    take_memory(report, from);
    report_init(from);
}

/* ---- baseline ---- */

static int compare_fingerprints(const void *left, const void *right)
{
    return compare_text(*(const char *const *)left, *(const char *const *)right);
}

void report_subtract(struct report *report, const struct report *baseline)
{
    size_t count = 0;
    char **known = report_allocate(report, report_count(baseline).findings + 1, sizeof(*known));
    for (size_t i = 0; i < baseline->run_count; i++)
        for (size_t j = 0; j < baseline->runs[i].finding_count; j++)
            known[count++] = baseline->runs[i].findings[j].fingerprint;
    sort(known, count, sizeof(*known), compare_fingerprints);
    for (size_t i = 0; i < report->run_count; i++) {
        struct report_run *run = &report->runs[i];
        size_t kept = 0;
        for (size_t j = 0; j < run->finding_count; j++) {
            if (bsearch(&run->findings[j].fingerprint, known, count, sizeof(*known), compare_fingerprints))
                report->known++;
            else
                run->findings[kept++] = run->findings[j];
        }
        run->finding_count = kept;
    }
}
