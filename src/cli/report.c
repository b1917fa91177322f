/*
 * report.c - `uma report` and `uma merge`: a report that was kept as JSON is read, joined with others, held against a
 * baseline, and written in one of the four formats. No driver is loaded.
 */
#include "cli.h"
#include "report.h"
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_HTML, FORMAT_COUNT };
static const char *const format_names[FORMAT_COUNT] = {"text", "json", "sarif", "html"};

struct report_options {
    char **files;
    size_t count;
    const char *output; /* null: standard output */
    const char *baseline;
    const char *source; /* null: no source lines are added */
    enum format format;
    bool merge;
};

enum { KEY_BASELINE = 0x100, KEY_SOURCE };

#define COMMON_OPTIONS                                                                                                 \
    {"output", 'o', "FILE", 0, "write to FILE instead of standard output", 0},                                         \
        {"baseline", KEY_BASELINE, "FILE", 0, "leave out the findings that this report has", 0}

static const struct argp_option report_table[] = {
    {"format", 'f', "FORMAT", 0, "text (the default), json, sarif or html", 0},
    COMMON_OPTIONS,
    {"source", KEY_SOURCE, "FOLDER", 0, "show source lines from FOLDER, and name files relative to it", 0},
    {0},
};
static const struct argp_option merge_table[] = {COMMON_OPTIONS, {0}};

static enum format parse_format(const char *text, struct argp_state *state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (!strcmp(text, format_names[i]))
            return (enum format)i;
    argp_error(state, "--format: '%.40s' is not text, json, sarif or html", text);
    return FORMAT_TEXT;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct report_options *options = state->input;
    switch (key) {
    case 'f':
        options->format = parse_format(argument, state);
        return 0;
    case 'o':
        options->output = argument;
        return 0;
    case KEY_BASELINE:
        options->baseline = argument;
        return 0;
    case KEY_SOURCE:
        options->source = argument;
        return 0;
    case ARGP_KEY_ARGS:
        options->files = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        if (options->count > 1 && !options->merge)
            argp_error(state, "one report at a time: '%.60s'; `uma merge` joins several", options->files[1]);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which report?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Reads all files into report, in order. False: said why. */
static bool read_all(const struct report_options *options, struct report *report)
{
    char error[REPORT_ERROR_MAX];
    struct report next;
    report_init(report);
    for (size_t i = 0; i < options->count; i++) {
        if (!report_read(options->files[i], &next, error)) {
            fprintf(stderr, "uma: %s\n", error);
            return false;
        }
        report_merge(report, &next);
    }
    report_sort(report);
    if (!options->baseline)
        return true;
    if (!report_read(options->baseline, &next, error)) {
        fprintf(stderr, "uma: --baseline: %s\n", error);
        return false;
    }
    report_subtract(report, &next);
    report_free(&next);
    return true;
}

/* https://no-color.org: set and not empty means no colour. */
static bool wants_colour(const struct report_options *options)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !options->output && !(no_colour && *no_colour) && !(terminal && !strcmp(terminal, "dumb")) &&
           isatty(STDOUT_FILENO);
}

static void write_report(const struct report_options *options, const struct report *report, FILE *out)
{
    char *root = options->source ? realpath(options->source, NULL) : NULL;
    switch (options->format) {
    case FORMAT_JSON:
        report_write_json(report, out);
        break;
    case FORMAT_SARIF:
        report_write_sarif(report, out, root);
        break;
    case FORMAT_HTML:
        report_write_html(report, out);
        break;
    default:
        report_write_text(report, out, wants_colour(options));
    }
    free(root);
}

/* Everything has been read before: the output may be one of the inputs. False: said why. */
static bool write_out(const struct report_options *options, const struct report *report)
{
    const char *name = options->output ? options->output : "standard output";
    FILE *out = options->output ? fopen(options->output, "w") : stdout;
    if (!out) {
        fprintf(stderr, "uma: %s: %s\n", name, strerror(errno));
        return false;
    }
    write_report(options, report, out);
    bool good = !ferror(out) && !fflush(out);
    if (out != stdout)
        good = !fclose(out) && good;
    if (!good)
        fprintf(stderr, "uma: %s: %s\n", name, strerror(errno ? errno : EIO));
    return good;
}

static int run(const struct report_options *options)
{
    struct report report;
    if (!read_all(options, &report)) {
        report_free(&report);
        return CLI_UNUSABLE;
    }
    if (options->source && !report_add_source(&report, options->source)) {
        fprintf(stderr, "uma: --source %s: %s\n", options->source, strerror(errno));
        report_free(&report);
        return CLI_UNUSABLE;
    }
    struct report_totals totals = report_count(&report);
    bool found = totals.level[LEVEL_ERROR] + totals.level[LEVEL_WARNING] > 0;
    int result = !write_out(options, &report) ? CLI_UNUSABLE : found && !options->merge ? CLI_FAILED : CLI_OK;
    report_free(&report);
    return result;
}

int cli_report(int argc, char **argv)
{
    static const struct argp parser = {report_table,
                                       parse_option,
                                       "REPORT.json",
                                       "Prints a report that was kept as JSON (docs/report.md). Exit status: 0 no "
                                       "findings, or notes alone; 1 errors or warnings; 2 it could not be read.",
                                       NULL,
                                       NULL,
                                       NULL};
    struct report_options options = {0};
    argp_err_exit_status = CLI_UNUSABLE;
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    return run(&options);
}

int cli_merge(int argc, char **argv)
{
    static const struct argp parser = {merge_table,
                                       parse_option,
                                       "REPORT.json...",
                                       "Joins reports, those of several drivers or of the shards of one, to one report "
                                       "in JSON: runs of one driver file become one run, findings of one cause one "
                                       "finding. Exit status: 0, or 2 if one could not be read.",
                                       NULL,
                                       NULL,
                                       NULL};
    struct report_options options = {.merge = true, .format = FORMAT_JSON};
    argp_err_exit_status = CLI_UNUSABLE;
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    return run(&options);
}
