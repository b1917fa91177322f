/*
 * html_finding.c - a finding on the HTML page: where, the source lines, the steps beside the request and its map, the
 * replay command.
 */
#include "html.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void html_place(FILE *out, const struct finding_place *place)
{
    if (place->function)
        html_escape(out, place->function);
    else if (place->pc || !place->file)
        fprintf(out, "image+0x%" PRIx64, place->pc);
    if (place->file) {
        fputs(" (", out);
        html_escape(out, place->file);
        if (place->line)
            fprintf(out, ":%" PRIu64, place->line);
        fputc(')', out);
    }
}

static bool place_is_known(const struct finding_place *place)
{
    return place->function || place->file || place->pc;
}

static void write_source(FILE *out, const struct finding_place *place)
{
    if (place->source_count == 0)
        return;
    fputs("<pre class=\"source\">", out);
    for (size_t i = 0; i < place->source_count; i++) {
        const struct source_line *line = &place->source[i];
        fprintf(out, "<code%s><i>%" PRIu64 "</i>", line->line == place->line ? " class=\"here\"" : "", line->line);
        html_escape(out, line->text);
        fputs("</code>", out);
    }
    fputs("</pre>\n", out);
}

static void write_request(FILE *out, const struct finding_request *request)
{
    fputs("<dl class=\"request\"><dt>", out);
    html_escape(out, request->type);
    fputs("</dt><dd class=\"mono\">", out);
    if (!strcmp(request->type, "ioctl"))
        fprintf(out, "0x%" PRIx64 " %s, %" PRIu64 " bytes in, %" PRIu64 " out ", request->code,
                code_method(request->code), request->in_length, request->out_length);
    html_escape(out, request->device);
    fputs("</dd>\n", out);
    for (size_t i = 0; i < request->buffer_count; i++) {
        const struct request_buffer *buffer = &request->buffers[i];
        fputs("<dt class=\"mono\">", out);
        html_escape(out, buffer->name);
        fprintf(out, "</dt><dd class=\"mono\">%" PRIu64 " byte%s%s", buffer->size, plural(buffer->size),
                buffer->bad ? ", " : "");
        html_escape(out, buffer->bad);
        fputs(buffer->bytes ? ": " : "", out);
        html_escape(out, buffer->bytes);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
}

static void write_steps(FILE *out, const struct finding *finding)
{
    if (finding->step_count == 0)
        return;
    fputs("<h4>What happened</h4>\n<ol class=\"steps\">\n", out);
    for (size_t i = 0; i < finding->step_count; i++) {
        const struct finding_step *step = &finding->steps[i];
        fputs("<li>", out);
        html_escape(out, step->message);
        if (step->injected) {
            fputs("<span class=\"injected\">", out);
            html_escape(out, step->injected);
            fputs("</span>", out);
        }
        if (place_is_known(&step->place)) {
            fputs("<span class=\"faint mono\">", out);
            html_place(out, &step->place);
            fputs("</span>", out);
        }
        fputs("</li>\n", out);
    }
    fputs("</ol>\n", out);
}

static void write_finding_map(FILE *out, const struct finding *finding)
{
    const struct finding_access **list = calloc(finding->step_count + 1, sizeof(*list));
    const struct finding_request *request = finding->request_count ? &finding->requests[0] : NULL;
    size_t count = 0;
    for (size_t i = 0; list && i < finding->step_count; i++)
        if (finding->steps[i].access)
            list[count++] = finding->steps[i].access;
    if (count)
        html_map(out, "the accesses of the proof", list, count, request ? request->buffers : NULL,
                 request ? request->buffer_count : 0);
    free(list);
}

static void write_proof(FILE *out, const struct finding *finding)
{
    fputs("<div class=\"two\">\n<div>\n", out);
    write_steps(out, finding);
    fputs("</div>\n<div>\n", out);
    if (finding->request_count)
        fputs("<h4>The request</h4>\n", out);
    for (size_t i = 0; i < finding->request_count; i++)
        write_request(out, &finding->requests[i]);
    write_finding_map(out, finding);
    if (finding->schedule_count)
        fputs("<h4>What the checker did</h4>\n<dl class=\"request\">", out);
    for (size_t i = 0; i < finding->schedule_count; i++) {
        fputs("<dt>", out);
        html_escape(out, finding->schedule[i].when);
        fputs("</dt><dd>", out);
        html_escape(out, finding->schedule[i].what);
        fputs("</dd>\n", out);
    }
    fputs(finding->schedule_count ? "</dl>\n</div>\n</div>\n" : "</div>\n</div>\n", out);
}

void html_finding(FILE *out, const struct finding *finding, size_t number)
{
    fprintf(out, "<article class=\"card %s\" id=\"f%zu-%.*s\">\n<h3><span class=\"level %s\">%s</span>",
            finding_level_names[finding->level], number, REPORT_FINGERPRINT, finding->fingerprint,
            finding_level_names[finding->level], finding_level_names[finding->level]);
    html_escape(out, finding->message);
    fputs("</h3>\n<p class=\"faint\"><a href=\"#rule-", out);
    html_escape(out, finding->rule);
    fputs("\">", out);
    html_escape(out, finding->rule);
    fputs("</a> at <span class=\"mono\">", out);
    html_place(out, &finding->place);
    fprintf(out, "</span>, reproduced %" PRIu64 " of %" PRIu64 "</p>\n", finding->reproduced, finding->tried);
    write_source(out, &finding->place);
    write_proof(out, finding);
    fputs("<h4>Replay</h4>\n<pre class=\"replay\">", out);
    html_escape(out, finding->replay);
    fprintf(out, "</pre>\n</article>\n");
}
