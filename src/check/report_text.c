/*
 * report_text.c - a report for a terminal. Every string of a report is one harmless line (report_text), so nothing
 * needs escaping here.
 */
#include "report.h"
#include <inttypes.h>
#include <string.h>

struct style {
    const char *level[LEVEL_COUNT];
    const char *strong, *faint, *good, *end;
};

static const struct style plain = {{"", "", ""}, "", "", "", ""};
static const struct style coloured = {
    {"\033[36m", "\033[33m", "\033[1;31m"}, "\033[1m", "\033[2m", "\033[32m", "\033[0m"};

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_place(FILE *out, const struct finding_place *place)
{
    if (place->function)
        fprintf(out, "%s", place->function);
    else
        fprintf(out, "image+0x%" PRIx64, place->pc);
    if (place->file && place->line)
        fprintf(out, " (%s:%" PRIu64 ")", place->file, place->line);
    else if (place->file)
        fprintf(out, " (%s)", place->file);
}

static bool place_is_known(const struct finding_place *place)
{
    return place->function || place->file || place->pc;
}

static void print_access(FILE *out, const struct finding_access *access)
{
    fprintf(out, "%s %ss %s+%" PRIu64 ", %" PRIu64 " byte%s", access->by, access_kind_names[access->kind],
            access->buffer, access->offset, access->size, plural(access->size));
    if (access->count > 1)
        fprintf(out, ", %" PRIu64 " times on end", access->count);
    if (access->value)
        fprintf(out, ": %s", access->value);
    if (access->raw)
        fputs(" [raw]", out);
}

static void print_source(FILE *out, const struct style *style, const struct finding_place *place)
{
    for (size_t i = 0; i < place->source_count; i++) {
        const struct source_line *line = &place->source[i];
        bool here = line->line == place->line;
        fprintf(out, "    %s%s%6" PRIu64 " | %s%s\n", here ? style->strong : style->faint, here ? ">" : " ", line->line,
                line->text, style->end);
    }
}

static void print_request(FILE *out, const struct style *style, const struct finding_request *request)
{
    fprintf(out, "  %srequest%s     %s", style->faint, style->end, request->type);
    if (!strcmp(request->type, "ioctl"))
        fprintf(out, " 0x%" PRIx64 " (%s), %" PRIu64 " in, %" PRIu64 " out", request->code, code_method(request->code),
                request->in_length, request->out_length);
    fprintf(out, "%s%s\n", request->device ? " to " : "", request->device ? request->device : "");
    for (size_t i = 0; i < request->buffer_count; i++) {
        const struct request_buffer *buffer = &request->buffers[i];
        fprintf(out, "              %s: %" PRIu64 " byte%s%s%s%s%s\n", buffer->name, buffer->size, plural(buffer->size),
                buffer->bad ? ", " : "", buffer->bad ? buffer->bad : "", buffer->bytes ? ": " : "",
                buffer->bytes ? buffer->bytes : "");
    }
}

static void print_step(FILE *out, const struct style *style, size_t number, const struct finding_step *step)
{
    fprintf(out, "  %11zu  %s", number, step->message);
    if (place_is_known(&step->place)) {
        fprintf(out, "%s at ", style->faint);
        print_place(out, &step->place);
        fputs(style->end, out);
    }
    fputc('\n', out);
    if (step->access) {
        fprintf(out, "               %s", style->faint);
        print_access(out, step->access);
        fprintf(out, "%s\n", style->end);
    }
    if (step->injected)
        fprintf(out, "               %s<- %s%s\n", style->strong, step->injected, style->end);
}

static void print_finding(FILE *out, const struct style *style, const struct finding *finding)
{
    fprintf(out, "\n%s%s%s %s%s%s: %s\n", style->level[finding->level], finding_level_names[finding->level], style->end,
            style->strong, finding->rule, style->end, finding->message);
    fprintf(out, "  %sat%s          ", style->faint, style->end);
    print_place(out, &finding->place);
    fputc('\n', out);
    print_source(out, style, &finding->place);
    for (size_t i = 0; i < finding->request_count; i++)
        print_request(out, style, &finding->requests[i]);
    for (size_t i = 0; i < finding->schedule_count; i++)
        fprintf(out, "  %sinjected%s    %s: %s\n", style->faint, style->end, finding->schedule[i].when,
                finding->schedule[i].what);
    for (size_t i = 0; i < finding->step_count; i++)
        print_step(out, style, i + 1, &finding->steps[i]);
    fprintf(out, "  %sreproduced%s  %" PRIu64 " of %" PRIu64 "\n", style->faint, style->end, finding->reproduced,
            finding->tried);
    fprintf(out, "  %sreplay%s      %s\n", style->faint, style->end, finding->replay);
}

static void print_run(FILE *out, const struct style *style, const struct report_run *run)
{
    struct run_totals totals = report_run_count(run);
    fprintf(out, "%s%s%s  %ssha256 %.16s, seed %" PRIu64 "%s%s%s\n", style->strong, run->driver, style->end,
            style->faint, run->sha256, run->seed, run->options ? ", " : "", run->options ? run->options : "",
            style->end);
    fprintf(out, "  %zu control code%s", run->code_count, plural(run->code_count));
    if (run->block_count)
        fprintf(out, ", %" PRIu64 " of %" PRIu64 " blocks", totals.blocks_reached, run->block_count);
    fprintf(out, ", %" PRIu64 " of %" PRIu64 " user accesses faulted, %" PRIu64 " case%s", totals.accesses_faulted,
            totals.accesses, run->cases, plural(run->cases));
    if (run->milliseconds)
        fprintf(out, " in %" PRIu64 ".%" PRIu64 " s", run->milliseconds / 1000, run->milliseconds / 100 % 10);
    if (totals.cases_per_second)
        fprintf(out, " (%" PRIu64 " a second)", totals.cases_per_second);
    fputc('\n', out);
    for (size_t i = 0; i < run->finding_count; i++)
        print_finding(out, style, &run->findings[i]);
}

void report_write_text(const struct report *report, FILE *out, bool colour)
{
    const struct style *style = colour ? &coloured : &plain;
    struct report_totals totals = report_count(report);
    for (size_t i = 0; i < report->run_count; i++) {
        print_run(out, style, &report->runs[i]);
        fputc('\n', out);
    }
    if (totals.findings == 0)
        fprintf(out, "%sno findings%s", style->good, style->end);
    else
        fprintf(out, "%s%" PRIu64 " error%s, %" PRIu64 " warning%s, %" PRIu64 " note%s%s", style->strong,
                totals.level[LEVEL_ERROR], plural(totals.level[LEVEL_ERROR]), totals.level[LEVEL_WARNING],
                plural(totals.level[LEVEL_WARNING]), totals.level[LEVEL_NOTE], plural(totals.level[LEVEL_NOTE]),
                style->end);
    if (report->known)
        fprintf(out, "; %" PRIu64 " of the baseline left out", report->known);
    fputc('\n', out);
}
