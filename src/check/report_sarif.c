/*
 * report_sarif.c - a report as SARIF 2.1.0, for code scanning services and editors: a SARIF run per driver, the rules
 * with their help pages, a code flow per proof. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
#include "report.h"
#include "rules.h"
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SARIF_SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

/* Everything that is built; a null json_t means out of memory, which jansson passes on. */
static json_t *object_with(const char *key, json_t *value)
{
    json_t *object = json_object();
    json_object_set_new(object, key, value);
    return object;
}

/* A message: brackets and braces have a meaning in one, and may come from a driver (3.11.5, 3.11.6). */
static json_t *message(const char *text)
{
    char *escaped = malloc(2 * strlen(text) + 1), *end = escaped;
    if (!escaped)
        return NULL;
    for (; *text; text++) {
        if (*text == '[' || *text == ']' || *text == '\\')
            *end++ = '\\';
        if (*text == '{' || *text == '}')
            *end++ = *text;
        *end++ = *text;
    }
    *end = 0;
    json_t *result = object_with("text", json_string(escaped));
    free(escaped);
    return result;
}

/* ---- places ---- */

/* Appends path to uri, percent-encoded; a backslash separates as well. */
static void encode(char *uri, const char *path)
{
    for (uri += strlen(uri); *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte == '\\')
            *uri++ = '/';
        else if (isalnum(byte) || strchr("-._~/", byte))
            *uri++ = (char)byte;
        else
            uri += sprintf(uri, "%%%02X", byte);
    }
    *uri = 0;
}

static bool leads_up(const char *path)
{
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (!strncmp(at, "..", 2) && (at[2] == '/' || !at[2]))
            return true;
    return false;
}

static json_t *artifact(const char *file, const char *root)
{
    size_t length = root ? strlen(root) : 0;
    bool drive = isalpha((unsigned char)file[0]) && file[1] == ':' && (file[2] == '\\' || file[2] == '/');
    json_t *location = json_object();
    char *uri = calloc(3 * strlen(file) + 16, 1);
    if (!uri)
        return location;
    while (length > 1 && root[length - 1] == '/')
        length--;
    if (length && !strncmp(file, root, length) && file[length] == '/')
        file += length + 1;
    while (!strncmp(file, "./", 2))
        file += 2;
    if (drive) {
        sprintf(uri, "file:///%c:", file[0]);
        encode(uri, file + 2);
    } else if (file[0] == '/') {
        strcpy(uri, "file://");
        encode(uri, file);
    } else {
        encode(uri, file);
    }
    json_object_set_new(location, "uri", json_string(uri));
    if (!drive && file[0] != '/' && !leads_up(file))
        json_object_set_new(location, "uriBaseId", json_string("%SRCROOT%"));
    free(uri);
    return location;
}

static json_t *region(const struct finding_place *place)
{
    json_t *result = object_with("startLine", json_integer((json_int_t)place->line));
    for (size_t i = 0; i < place->source_count; i++)
        if (place->source[i].line == place->line)
            json_object_set_new(result, "snippet", object_with("text", json_string(place->source[i].text)));
    return result;
}

/* Without a source file the driver itself is the place, with the offset in it. */
static json_t *location(const struct report_run *run, const struct finding_place *place, const char *root)
{
    json_t *physical = object_with("artifactLocation", artifact(place->file ? place->file : run->driver, root));
    json_t *result = object_with("physicalLocation", physical);
    if (place->file && place->line && place->line <= INT32_MAX)
        json_object_set_new(physical, "region", region(place));
    if (place->pc && place->pc <= INT64_MAX)
        json_object_set_new(physical, "address", object_with("relativeAddress", json_integer((json_int_t)place->pc)));
    if (place->function)
        json_object_set_new(result, "logicalLocations",
                            json_pack("[{s:s, s:s}]", "name", place->function, "kind", "function"));
    return result;
}

/* ---- results ---- */

static json_t *flow_step(const struct report_run *run, const struct finding_step *step, size_t order, const char *root)
{
    size_t room = strlen(step->message) + strlen(step->injected ? step->injected : "") + 8;
    char *text = malloc(room);
    json_t *place = location(run, &step->place, root);
    if (text) {
        snprintf(text, room, "%s%s%s", step->message, step->injected ? " <- " : "",
                 step->injected ? step->injected : "");
        json_object_set_new(place, "message", message(text));
    }
    free(text);
    return json_pack("{s:o, s:I, s:s}", "location", place, "executionOrder", (json_int_t)order, "importance",
                     step->injected ? "essential" : "important");
}

static json_t *code_flows(const struct report_run *run, const struct finding *finding, const char *root)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < finding->step_count; i++)
        json_array_append_new(steps, flow_step(run, &finding->steps[i], i + 1, root));
    return json_pack("[{s:[{s:o}]}]", "threadFlows", "locations", steps);
}

static json_t *schedule(const struct finding *finding)
{
    json_t *result = json_array();
    for (size_t i = 0; i < finding->schedule_count; i++)
        json_array_append_new(
            result, json_pack("{s:s, s:s}", "when", finding->schedule[i].when, "what", finding->schedule[i].what));
    return result;
}

static json_t *result_of(const struct report_run *run, const struct finding *finding, const char *root)
{
    const struct rule *rule = rule_find(finding->rule);
    json_t *result = json_pack("{s:s, s:I, s:s, s:o, s:[o], s:{s:s}}", "ruleId", finding->rule, "ruleIndex",
                               (json_int_t)(rule ? rule - rules : -1), "level", finding_level_names[finding->level],
                               "message", message(finding->message), "locations", location(run, &finding->place, root),
                               "partialFingerprints", "umaCause/v1", finding->fingerprint);
    if (finding->step_count)
        json_object_set_new(result, "codeFlows", code_flows(run, finding, root));
    json_object_set_new(result, "properties",
                        json_pack("{s:s, s:I, s:I, s:o}", "replay", finding->replay, "reproduced",
                                  (json_int_t)finding->reproduced, "tried", (json_int_t)finding->tried, "schedule",
                                  schedule(finding)));
    return result;
}

/* ---- rules ---- */

/* "external/cwe/cwe-367" is how code scanning services know a weakness. */
static json_t *tags_of(const struct rule *rule)
{
    json_t *tags = json_array();
    char text[200], *rest = text;
    snprintf(text, sizeof(text), "%s", rule->tags);
    for (char *tag; (tag = strtok_r(rest, " ", &rest));)
        json_array_append_new(tags, json_sprintf("%s%s", strncmp(tag, "cwe-", 4) ? "" : "external/cwe/", tag));
    return tags;
}

static json_t *rules_array(void)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = &rules[i];
        size_t first = (size_t)(strstr(rule->help, "\n\n") - rule->help); /* its first paragraph */
        json_array_append_new(array, json_pack("{s:s, s:{s:s}, s:{s:s%}, s:{s:s, s:s}, s:{s:s}, s:{s:o}}", "id",
                                               rule->id, "shortDescription", "text", rule->summary, "fullDescription",
                                               "text", rule->help, first, "help", "text", rule->help, "markdown",
                                               rule->help, "defaultConfiguration", "level",
                                               finding_level_names[rule->level], "properties", "tags", tags_of(rule)));
    }
    return array;
}

/* ---- the log ---- */

static json_t *run_of(const struct report *report, const struct report_run *run, const char *root)
{
    json_t *results = json_array();
    const char *version = strrchr(report->tool, ' ');
    for (size_t i = 0; i < run->finding_count; i++)
        json_array_append_new(results, result_of(run, &run->findings[i], root));
    return json_pack("{s:{s:{s:s, s:s, s:o}}, s:{s:o}, s:[{s:b}], s:[{s:o, s:[s], s:{s:s}}], s:{s:{s:{s:s}}}, s:s, "
                     "s:o, s:{s:I, s:I}}",
                     "tool", "driver", "name", "uma", "version", version ? version + 1 : report->tool, "rules",
                     rules_array(), "automationDetails", "id", json_sprintf("uma/%s/", path_base(run->driver)),
                     "invocations", "executionSuccessful", true, "artifacts", "location", artifact(run->driver, root),
                     "roles", "analysisTarget", "hashes", "sha-256", run->sha256, "originalUriBaseIds", "%SRCROOT%",
                     "description", "text", "The folder that source files are named relative to.", "columnKind",
                     "unicodeCodePoints", "results", results, "properties", "seed", (json_int_t)(run->seed & INT64_MAX),
                     "cases", (json_int_t)(run->cases & INT64_MAX));
}

void report_write_sarif(const struct report *report, FILE *out, const char *root)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < report->run_count; i++)
        json_array_append_new(runs, run_of(report, &report->runs[i], root));
    json_t *log = json_pack("{s:s, s:s, s:o}", "$schema", SARIF_SCHEMA, "version", "2.1.0", "runs", runs);
    json_dumpf(log, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(log);
}
