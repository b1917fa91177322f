/*
 * report_html.c - a report as one page that needs nothing but itself: no script, no network, the style sheet inside. A
 * content security policy holds the page to that, should an escape ever fail.
 */
#include "html.h"
#include "report.h"
#include "rules.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

__asm__(".pushsection .rodata\nreport_css:\n.incbin \"" STYLE_SHEET "\"\n.byte 0\n.popsection");
extern const char report_css[] __attribute__((visibility("hidden")));

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- the summary ---- */

static void write_total(FILE *out, const char *kind, uint64_t count)
{
    if (count)
        fprintf(out, "<li class=\"%s\"><b>%" PRIu64 "</b> %s%s</li>", kind, count, kind, plural(count));
}

static void write_header(const struct report *report, FILE *out)
{
    struct report_totals totals = report_count(report);
    fputs("<header>\n<h1>", out);
    if (report->run_count == 1)
        html_escape(out, path_base(report->runs[0].driver));
    else
        fprintf(out, "%zu drivers", report->run_count);
    fputs("</h1>\n<p class=\"faint\">How it treats user memory, by ", out);
    html_escape(out, report->tool);
    fputs("</p>\n<ul class=\"totals\">", out);
    if (totals.findings == 0)
        fputs("<li class=\"good\"><b>no findings</b></li>", out);
    for (int level = LEVEL_COUNT - 1; level >= 0; level--)
        write_total(out, finding_level_names[level], totals.level[level]);
    if (report->known)
        fprintf(out, "<li>%" PRIu64 " of the baseline left out</li>", report->known);
    fputs("</ul>\n</header>\n", out);
}

static void write_share(FILE *out, const char *title, uint64_t part, uint64_t whole)
{
    fprintf(out, "<div><dt>%s</dt><dd>%" PRIu64 " <small>of %" PRIu64 "</small></dd>", title, part, whole);
    if (whole)
        fprintf(out, "<progress max=\"%" PRIu64 "\" value=\"%" PRIu64 "\" aria-label=\"%s\"></progress>", whole, part,
                title);
    fputs("</div>\n", out);
}

static void write_facts(FILE *out, const struct report_run *run)
{
    struct run_totals totals = report_run_count(run);
    fprintf(out, "<dl class=\"facts\">\n<div><dt>Control codes</dt><dd>%zu</dd></div>\n", run->code_count);
    if (run->block_count)
        write_share(out, "Blocks reached", totals.blocks_reached, run->block_count);
    write_share(out, "User accesses made to fail", totals.accesses_faulted, totals.accesses);
    fprintf(out, "<div><dt>Cases</dt><dd>%" PRIu64, run->cases);
    if (totals.cases_per_second)
        fprintf(out, " <small>%" PRIu64 " a second</small>", totals.cases_per_second);
    fputs("</dd></div>\n</dl>\n<p class=\"faint mono\">", out);
    html_escape(out, run->driver);
    fputs("<br>sha256 ", out);
    html_escape(out, run->sha256);
    fprintf(out, "<br>seed %" PRIu64, run->seed);
    if (run->milliseconds)
        fprintf(out, ", %" PRIu64 ".%" PRIu64 " s", run->milliseconds / 1000, run->milliseconds / 100 % 10);
    if (run->options)
        fputs(", ", out);
    html_escape(out, run->options);
    fputs("</p>\n", out);
}

static void write_index(FILE *out, const struct report_run *run, size_t number)
{
    fputs("<ol class=\"index\">\n", out);
    for (size_t i = 0; i < run->finding_count; i++) {
        const struct finding *finding = &run->findings[i];
        fprintf(out, "<li><span class=\"level %s\">%s</span><span><a href=\"#f%zu-%.*s\">",
                finding_level_names[finding->level], finding_level_names[finding->level], number, REPORT_FINGERPRINT,
                finding->fingerprint);
        html_escape(out, finding->message);
        fputs("</a> <span class=\"faint mono\">", out);
        html_escape(out, finding->rule);
        fputs("</span></span><span class=\"where mono\">", out);
        html_escape(out, finding->place.function);
        if (finding->place.line)
            fprintf(out, ":%" PRIu64, finding->place.line);
        fputs("</span></li>\n", out);
    }
    fputs("</ol>\n", out);
}

/* ---- the accesses of a control code ---- */

static void write_access(FILE *out, const struct finding_access *access)
{
    html_escape(out, access->by);
    fprintf(out, " %ss ", access_kind_names[access->kind]);
    html_escape(out, access->buffer);
    fprintf(out, "+%" PRIu64 ", %" PRIu64 " byte%s", access->offset, access->size, plural(access->size));
    if (access->count > 1)
        fprintf(out, ", %" PRIu64 " times on end", access->count);
    if (access->value)
        fputs(": ", out);
    html_escape(out, access->value);
    if (access->raw)
        fputs(", outside an accessor", out);
}

static void write_code(FILE *out, const struct report_code *code)
{
    const struct finding_access **list = calloc(code->access_count + 1, sizeof(*list));
    fputs("<section class=\"card\"><h3>", out);
    if (!strcmp(code->type, "ioctl"))
        fprintf(out, "0x%" PRIx64 " <span class=\"faint\">%s</span>", code->code, code_method(code->code));
    else
        html_escape(out, code->type);
    fputs("</h3>\n<p class=\"faint mono\">", out);
    html_escape(out, code->device);
    fprintf(out, "</p>\n");
    for (size_t i = 0; list && i < code->access_count; i++)
        list[i] = &code->accesses[i];
    if (list)
        html_map(out, "accesses to user memory", list, code->access_count, code->buffers, code->buffer_count);
    free(list);
    if (code->access_count == 0) {
        fputs("<p class=\"faint\">Touches no user memory.</p></section>\n", out);
        return;
    }
    fprintf(out, "<details><summary>%zu access%s</summary>\n<ol class=\"steps\">\n", code->access_count,
            code->access_count == 1 ? "" : "es");
    for (size_t i = 0; i < code->access_count; i++) {
        fputs("<li>", out);
        write_access(out, &code->accesses[i]);
        fputs("<span class=\"faint mono\">", out);
        html_place(out, &code->accesses[i].place);
        fputs("</span></li>\n", out);
    }
    fputs("</ol></details></section>\n", out);
}

static void write_codes(FILE *out, const struct report_run *run)
{
    static const char *const legend[][2] = {{"read faulted", "read"},
                                            {"write faulted", "write"},
                                            {"probe faulted", "probe"},
                                            {"read", "never made to fail"},
                                            {"read raw", "outside an accessor"}};
    if (run->code_count == 0)
        return;
    fputs("<h2>User memory, request by request</h2>\n<p class=\"legend\">", out);
    for (size_t i = 0; i < sizeof(legend) / sizeof(legend[0]); i++)
        fprintf(out,
                "<span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><rect class=\"%s\" x=\"1\" y=\"1\" width=\"24\" "
                "height=\"8\" rx=\"2\"/></svg>%s</span>",
                legend[i][0], legend[i][1]);
    fputs("<span><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path class=\"again\" d=\"M2 1C26 1 26 9 2 "
          "9\"/></svg>the "
          "same bytes again</span></p>\n<div class=\"codes\">\n",
          out);
    for (size_t i = 0; i < run->code_count; i++)
        write_code(out, &run->codes[i]);
    fputs("</div>\n", out);
}

/* ---- the page ---- */

static bool is_used(const struct report *report, const struct rule *rule)
{
    for (size_t i = 0; i < report->run_count; i++)
        for (size_t j = 0; j < report->runs[i].finding_count; j++)
            if (!strcmp(report->runs[i].findings[j].rule, rule->id))
                return true;
    return false;
}

static void write_rules(const struct report *report, FILE *out)
{
    if (report_count(report).findings)
        fputs("<h2>The rules</h2>\n", out);
    for (size_t i = 0; i < rule_count; i++) {
        if (!is_used(report, &rules[i]))
            continue;
        fprintf(out, "<article class=\"card\" id=\"rule-%s\"><h3>%s</h3>\n<p class=\"faint\">%s.</p>\n", rules[i].id,
                rules[i].id, rules[i].summary);
        html_markdown(out, rules[i].help);
        fputs("</article>\n", out);
    }
}

void report_write_html(const struct report *report, FILE *out)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          out);
    if (report->run_count == 1)
        html_escape(out, path_base(report->runs[0].driver));
    else
        fprintf(out, "%zu drivers", report->run_count);
    fprintf(out, " - uma</title>\n<style>\n%s</style>\n</head>\n<body>\n", report_css);
    write_header(report, out);
    fputs("<main>\n", out);
    for (size_t i = 0; i < report->run_count; i++) {
        const struct report_run *run = &report->runs[i];
        fputs("<h2>", out);
        html_escape(out, report->run_count == 1 ? "What was tried" : path_base(run->driver));
        fputs("</h2>\n", out);
        write_facts(out, run);
        if (run->finding_count) {
            fputs("<h2>Findings</h2>\n", out);
            write_index(out, run, i);
        }
        write_codes(out, run);
        if (run->finding_count)
            fputs("<h2>The proof of each</h2>\n", out);
        for (size_t j = 0; j < run->finding_count; j++)
            html_finding(out, &run->findings[j], i);
    }
    write_rules(report, out);
    fputs("</main>\n<footer>", out);
    html_escape(out, report->tool);
    fputs("</footer>\n</body>\n</html>\n", out);
}
