/*
 * finding.h - what `uma check` found out: runs, the findings in them, and the proof of each.
 *
 * Plain structures that the engine fills in, the reporters (report.h) print, and a JSON file keeps: shape.c describes
 * every field once, for writing, reading and docs/report.schema.json. Nothing here needs the kernel. No text holds an
 * address of this process or a time apart from the fields that say so: two runs with one seed make the same report.
 *
 * All memory of a report belongs to it and lives until report_free. Strings come from report_text, so they are one
 * line of UTF-8 that does nothing to a terminal; null where a field is unknown.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_ERROR_MAX   512
#define REPORT_FINGERPRINT 32 /* hexadecimal digits */

enum finding_level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR, LEVEL_COUNT };
extern const char *const finding_level_names[LEVEL_COUNT];

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_PROBE, ACCESS_KIND_COUNT };
extern const char *const access_kind_names[ACCESS_KIND_COUNT];

/* A line of source text, as it was when the report was made. */
struct source_line {
    uint64_t line;
    char *text;
};

/* Where in the driver. Without symbols only pc is known. */
struct finding_place {
    char *function;
    char *file; /* as the symbols name it */
    uint64_t line;
    uint64_t pc; /* offset from the image's base */
    struct source_line *source;
    size_t source_count;
};

/* One access of the driver to user memory. Addresses are told as a piece of memory and an offset in it. */
struct finding_access {
    enum access_kind kind;
    char *by;     /* "ReadULongFromUser", "memcpy", or the instruction: "mov" */
    bool raw;     /* outside an accessor: what enforcement would refuse */
    bool guarded; /* an exception handler was in force */
    bool faulted; /* it was made to fail at least once */
    char *buffer; /* "in", "out", "in+16 ->", "kernel" */
    uint64_t offset;
    uint64_t size;
    uint64_t count; /* how many in a row, each behind the one before; 1 for a single one */
    char *value;    /* what was read or written, in hexadecimal */
    struct finding_place place;
};

/* A step of the proof, in order: an access, or something else that happened. */
struct finding_step {
    char *message;
    char *injected; /* what the checker did here: "the page is unmapped", "0x10 became 0x1000" */
    struct finding_place place;
    struct finding_access *access; /* null, or one */
};

struct request_buffer {
    char *name; /* as accesses name it */
    char *bad;  /* a kind of bad address (docs/requests.md); null: good memory */
    uint64_t size;
    char *bytes; /* its first bytes, in hexadecimal pairs with a space between */
};

/* A request that shows the finding; several if it takes a sequence. */
struct finding_request {
    char *type; /* "ioctl", "read", "write", "open", "close", "load", "unload" */
    char *device;
    uint64_t code; /* of an ioctl; its method is in it */
    uint64_t in_length;
    uint64_t out_length;
    struct request_buffer *buffers;
    size_t buffer_count;
};

/* One thing the checker did while the requests ran. */
struct finding_injection {
    char *when; /* "at access 3", "between accesses 1 and 3", "at pool allocation 2" */
    char *what; /* "in+0 changes from 0x10 to 0x1000" */
};

struct finding {
    char *rule; /* an id of rules/rules.def */
    enum finding_level level;
    char *message; /* one sentence */
    /* What tells this cause from another of the same rule in the same function: the bytes or the resource concerned,
     * without addresses; null if nothing does. Goes into the fingerprint. */
    char *cause;
    struct finding_place place;
    struct finding_request *requests;
    size_t request_count;
    struct finding_injection *schedule;
    size_t schedule_count;
    struct finding_step *steps;
    size_t step_count;
    char *replay; /* the command that shows it again */
    uint64_t reproduced, tried;
    char *fingerprint; /* finding_identify; REPORT_FINGERPRINT digits */
};

/* A control code (or read, write) the driver answers to, with the accesses of one harmless request, in order. */
struct report_code {
    char *type; /* as in a finding_request */
    char *device;
    uint64_t code;
    uint64_t in_length; /* the least that gets through; 0: any */
    uint64_t out_length;
    struct request_buffer *buffers; /* those of the harmless request */
    size_t buffer_count;
    struct finding_access *accesses;
    size_t access_count;
};

struct report_run {
    char *driver; /* the file, as given */
    char *sha256; /* of the file */
    char *options;
    uint64_t seed;
    char *started;         /* ISO 8601, UTC */
    uint64_t milliseconds; /* elapsed */
    uint64_t cases;
    char *blocks; /* a bit per basic block of the driver, lowest first, in hexadecimal bytes: 1 was reached */
    uint64_t block_count;
    struct report_code *codes;
    size_t code_count;
    struct finding *findings;
    size_t finding_count;
};

struct report {
    char *tool;     /* "uma 0.1.0" */
    uint64_t known; /* findings left out because a baseline has them */
    struct report_run *runs;
    size_t run_count;
    void *memory;
};

/* ---- memory ---- */

void report_init(struct report *report);
void report_free(struct report *report);
/* Zeroed memory that lives as long as the report. Never null: a process out of memory says so and ends, status 2. */
void *report_allocate(struct report *report, size_t count, size_t size);
/* Room for one more element at the end of an array, zeroed. array: the address of the pointer to the first, which
 * changes, as *count does. Every array of a report is made by this alone. */
void *report_append(struct report *report, void *array, size_t *count, size_t size);
/* Copies of text. What is not UTF-8 becomes U+FFFD, and so do control characters (but tabs) and those that turn the
 * direction of text: driver names and messages are hostile. report_text of null is null. */
char *report_text(struct report *report, const char *text);
char *report_format(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- meaning ---- */

/*
 * Sets the fingerprint: rule, driver file's name without folder, function and source file's name without folder, cause.
 * Not the line, so that an edit further up changes nothing; without a function the offset in the image stands in.
 */
void finding_identify(struct report *report, const struct report_run *run, struct finding *finding);
/* Makes one run of those of one driver file (coverage united, cases added up), one finding of those with one
 * fingerprint (the one with the fewest steps stays, the counts of reproductions are added up), and puts everything in
 * order: runs by driver, codes by device and code, findings by level, rule, place. */
void report_sort(struct report *report);
/* Adds from's runs to report, which then wants report_sort. from is left empty. */
void report_merge(struct report *report, struct report *from);
/* Takes out findings that baseline has too, for any version of the driver file; counts them in report->known. */
void report_subtract(struct report *report, const struct report *baseline);

struct report_totals {
    uint64_t level[LEVEL_COUNT];
    uint64_t findings;
};
struct report_totals report_count(const struct report *report);
struct run_totals {
    uint64_t blocks_reached, accesses, accesses_faulted, cases_per_second; /* the last 0: too short to say */
};
struct run_totals report_run_count(const struct report_run *run);
/* The n-th file name without its folders; \ and / both end one. */
const char *path_base(const char *path);
/* "neither", "buffered", "in direct", "out direct" of a control code. */
const char *code_method(uint64_t code);

/* ---- source text ---- */

/* Gives every place of a finding the lines around it from files below folder (which is opened once); a file outside of
 * it, however it is named, is not read. False: folder cannot be opened, errno says why. */
bool report_add_source(struct report *report, const char *folder);
