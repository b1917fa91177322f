/*
 * sample.c - reports for the tests, built as the engine will build them.
 */
#include "sample.h"
#include <string.h>

#define SAMPLE_SHA "5f0c9a3e7b1d24680f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef"

static struct finding_place at(struct report *report, const char *function, uint64_t line, uint64_t pc)
{
    return (struct finding_place){
        report_text(report, function), report_text(report, "drivers/legacy_race/legacy_race.c"), line, pc, NULL, 0};
}

static struct finding_access access_of(struct report *report, const char *by, enum access_kind kind, const char *buffer,
                                       uint64_t offset, uint64_t size, const char *value, struct finding_place place)
{
    return (struct finding_access){.kind = kind,
                                   .by = report_text(report, by),
                                   .raw = by[0] == 'm',
                                   .guarded = true,
                                   .faulted = true,
                                   .buffer = report_text(report, buffer),
                                   .offset = offset,
                                   .size = size,
                                   .value = report_text(report, value),
                                   .place = place};
}

static void add_step(struct report *report, struct finding *finding, const char *message, const char *injected,
                     struct finding_place place, const struct finding_access *access)
{
    struct finding_step *step = report_append(report, &finding->steps, &finding->step_count, sizeof(*step));
    *step = (struct finding_step){report_text(report, message), report_text(report, injected), place, NULL};
    if (access) {
        step->access = report_allocate(report, 1, sizeof(*access));
        *step->access = *access;
    }
}

static void add_buffer(struct report *report, struct request_buffer **buffers, size_t *count, const char *name,
                       const char *bad, uint64_t size, const char *bytes)
{
    struct request_buffer *buffer = report_append(report, buffers, count, sizeof(*buffer));
    *buffer =
        (struct request_buffer){report_text(report, name), report_text(report, bad), size, report_text(report, bytes)};
}

static void add_access(struct report *report, struct report_code *code, struct finding_access access)
{
    struct finding_access *added = report_append(report, &code->accesses, &code->access_count, sizeof(*added));
    *added = access;
}

static struct finding *add_finding(struct report *report, struct report_run *run, const char *rule,
                                   enum finding_level level, const char *message, struct finding_place place)
{
    struct finding *finding = report_append(report, &run->findings, &run->finding_count, sizeof(*finding));
    finding->rule = report_text(report, rule);
    finding->level = level;
    finding->message = report_text(report, message);
    finding->place = place;
    finding->replay = report_format(report, "uma check out/drivers/legacy_race.sys --replay %s:%llu", rule,
                                    (unsigned long long)place.line);
    finding->reproduced = finding->tried = 5;
    finding_identify(report, run, finding);
    return finding;
}

static struct report_run *add_run(struct report *report, const char *driver, const char *sha256)
{
    struct report_run *run = report_append(report, &report->runs, &report->run_count, sizeof(*run));
    report->tool = report_text(report, "uma 0.1.0");
    run->driver = report_text(report, driver);
    run->sha256 = report_text(report, sha256);
    run->seed = 1;
    return run;
}

static void add_copy_code(struct report *report, struct report_run *run)
{
    struct report_code *code = report_append(report, &run->codes, &run->code_count, sizeof(*code));
    struct finding_place serve = at(report, "Serve", 35, 0x1150), copy = at(report, "CopyText", 19, 0x1018);
    code->type = report_text(report, "ioctl");
    code->device = report_text(report, "\\Device\\LegacyRace");
    code->code = 0x222003;
    code->in_length = 24;
    add_buffer(report, &code->buffers, &code->buffer_count, "in", NULL, 24, NULL);
    add_buffer(report, &code->buffers, &code->buffer_count, "in+8 ->", NULL, 64, NULL);
    add_access(report, code, access_of(report, "ProbeForRead", ACCESS_PROBE, "in", 0, 24, NULL, serve));
    add_access(report, code, access_of(report, "mov", ACCESS_READ, "in", 0, 4, "0x10", serve));
    add_access(report, code, access_of(report, "mov", ACCESS_READ, "in", 0, 4, "0x10", copy));
    add_access(report, code, access_of(report, "mov", ACCESS_READ, "in", 8, 8, NULL, copy));
    add_access(report, code, access_of(report, "memcpy", ACCESS_READ, "in+8 ->", 0, 16, NULL, copy));
    add_access(report, code,
               access_of(report, "mov", ACCESS_READ, "in", 16, 8, NULL, at(report, "WriteReply", 25, 0x1090)));
    struct finding_access last =
        access_of(report, "memcpy", ACCESS_WRITE, "in+16 ->", 0, 16, NULL, at(report, "WriteReply", 25, 0x1094));
    last.faulted = false;
    add_access(report, code, last);
}

static void add_status_code(struct report *report, struct report_run *run)
{
    struct report_code *code = report_append(report, &run->codes, &run->code_count, sizeof(*code));
    code->type = report_text(report, "ioctl");
    code->device = report_text(report, "\\Device\\LegacyRace");
    code->code = 0x222004;
    code->in_length = 24;
    code->out_length = 8;
}

static void add_double_fetch(struct report *report, struct report_run *run)
{
    struct finding_place serve = at(report, "Serve", 35, 0x1150), copy = at(report, "CopyText", 19, 0x1018);
    struct finding *finding = add_finding(report, run, "double-fetch", LEVEL_ERROR,
                                          "CopyText reads in+0 (4 bytes) again after a block was allocated for it, and "
                                          "writes past the block",
                                          copy);
    struct finding_access first = access_of(report, "mov", ACCESS_READ, "in", 0, 4, "0x10", serve);
    struct finding_access second = access_of(report, "mov", ACCESS_READ, "in", 0, 4, "0x1000", copy);
    finding->cause = report_text(report, "in+0:4");
    finding_identify(report, run, finding);
    struct finding_request *request =
        report_append(report, &finding->requests, &finding->request_count, sizeof(*request));
    request->type = report_text(report, "ioctl");
    request->device = report_text(report, "\\Device\\LegacyRace");
    request->code = 0x222003;
    request->in_length = 24;
    add_buffer(report, &request->buffers, &request->buffer_count, "in", NULL, 24,
               "10 00 00 00 00 00 00 00 c0 ff 10 00 00 00 00 00 c0 ff 20 00 00 00 00 00");
    add_buffer(report, &request->buffers, &request->buffer_count, "in+8 ->", "straddle-end", 64, NULL);
    struct finding_injection *injection =
        report_append(report, &finding->schedule, &finding->schedule_count, sizeof(*injection));
    injection->when = report_text(report, "between accesses 1 and 2");
    injection->what = report_text(report, "in+0 changes from 0x10 to 0x1000");
    add_step(report, finding, "Serve reads the size, 0x10", NULL, serve, &first);
    add_step(report, finding, "a block of 16 bytes is allocated, tag Scrb", NULL, serve, NULL);
    add_step(report, finding, "CopyText reads the size again, 0x1000", "in+0 became 0x1000", copy, &second);
    add_step(report, finding, "bug check 0xD6: a write 0 bytes past the end of the block", NULL, copy, NULL);
}

void sample_report(struct report *report)
{
    report_init(report);
    struct report_run *run = add_run(report, "out/drivers/legacy_race.sys", SAMPLE_SHA);
    run->options = report_text(report, "--seed 1");
    run->started = report_text(report, "2026-01-02T03:04:05Z");
    run->milliseconds = 1234;
    run->cases = 4321;
    run->block_count = 60;
    run->blocks = report_text(report, "fffffffffff7ff0f");
    add_status_code(report, run);
    add_copy_code(report, run);
    add_finding(report, run, "double-fetch", LEVEL_NOTE, "WriteReply reads in+4 twice; no consequence was found",
                at(report, "WriteReply", 25, 0x1090));
    add_finding(report, run, "raw-user-access", LEVEL_WARNING, "Serve reads user memory by an instruction of its own",
                at(report, "Serve", 35, 0x1150));
    add_double_fetch(report, run);
    struct finding_place unknown = {.pc = 0x1a2b};
    add_finding(report, run, "unchecked-pointer", LEVEL_ERROR, "kernel memory is written where in+16 says", unknown);
    report_sort(report);
}

void sample_shard(struct report *report)
{
    report_init(report);
    struct report_run *run = add_run(report, "shards/2/legacy_race.sys", SAMPLE_SHA);
    run->options = report_text(report, "--seed 1 --shard 2/2");
    run->started = report_text(report, "2026-01-02T03:04:06Z");
    run->milliseconds = 2000;
    run->cases = 1000;
    run->block_count = 60;
    run->blocks = report_text(report, "0000000000080000");
    add_copy_code(report, run);
    for (size_t i = 0; i < run->codes[0].access_count; i++)
        run->codes[0].accesses[i].faulted = !run->codes[0].accesses[i].faulted;
    struct finding *finding =
        add_finding(report, run, "raw-user-access", LEVEL_WARNING,
                    "Serve reads user memory by an instruction of its own", at(report, "Serve", 36, 0x1160));
    finding->tried = 7;
    add_finding(report, run, "hang", LEVEL_ERROR, "Serve does not come back", at(report, "Serve", 40, 0x1200));
    report_sort(report);
}

void sample_hostile(struct report *report)
{
    static const char attack[] = "</title></style><script>alert(1)</script><img src=x onerror='alert(2)'>\"&{0}[x](y)";
    report_init(report);
    struct report_run *run = add_run(report, "</h1><b>\x1b[31mevil\x07\n\xff\xfe.sys", SAMPLE_SHA);
    run->options = report_text(report, attack);
    struct report_code *code = report_append(report, &run->codes, &run->code_count, sizeof(*code));
    code->type = report_text(report, "ioctl");
    code->device = report_text(report, attack);
    code->code = UINT64_MAX;
    struct finding_place place = {report_text(report, attack),
                                  report_text(report, "../a b/\xe2\x80\xae<i>%2e#?.c"),
                                  INT64_MAX,
                                  UINT64_MAX,
                                  NULL,
                                  0};
    struct source_line *line = report_append(report, &place.source, &place.source_count, sizeof(*line));
    *line = (struct source_line){INT64_MAX, report_text(report, attack)};
    struct finding_access access = access_of(report, attack, ACCESS_READ, attack, INT64_MAX, INT64_MAX, attack, place);
    access.count = INT64_MAX;
    add_access(report, code, access);
    add_buffer(report, &code->buffers, &code->buffer_count, attack, attack, 0, attack);
    struct finding *finding = add_finding(report, run, "hang", LEVEL_ERROR, attack, place);
    finding->cause = report_text(report, attack);
    finding->replay = report_text(report, attack);
    add_step(report, finding, attack, attack, place, &access);
    struct finding_request *request =
        report_append(report, &finding->requests, &finding->request_count, sizeof(*request));
    request->type = report_text(report, "ioctl");
    request->device = report_text(report, attack);
    add_buffer(report, &request->buffers, &request->buffer_count, attack, attack, INT64_MAX, attack);
    struct finding_injection *injection =
        report_append(report, &finding->schedule, &finding->schedule_count, sizeof(*injection));
    *injection = (struct finding_injection){report_text(report, attack), report_text(report, attack)};
    report_sort(report);
}
