/*
 * report_read.c - a report from JSON, as shape.c describes it. The file is not trusted: keys, kinds, forms and sizes
 * are checked, and the first mistake is told with its place.
 */
#include "report.h"
#include "rules.h"
#include "shape.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
    struct report *report;
    const char *label;
    char path[256]; /* "runs[0].findings[2].rule" */
    char *error;
};

static bool fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct reader *reader, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
            *at = '?';
    snprintf(reader->error, REPORT_ERROR_MAX, "%.120s: %s%s%s", reader->label, reader->path,
             reader->path[0] ? ": " : "", text);
    return false;
}

/* Extends the path; the length to cut it back to. */
static size_t enter(struct reader *reader, const char *key)
{
    size_t length = strlen(reader->path);
    snprintf(reader->path + length, sizeof(reader->path) - length, "%s%s", length ? "." : "", key);
    return length;
}

static size_t enter_index(struct reader *reader, size_t index)
{
    size_t length = strlen(reader->path);
    snprintf(reader->path + length, sizeof(reader->path) - length, "[%zu]", index);
    return length;
}

static bool is_hexadecimal(const char *text, size_t digits)
{
    size_t length = strspn(text, "0123456789abcdef");
    return !text[length] && (digits ? length == digits : length % 2 == 0);
}

static bool has_format(const char *text, enum shape_format format)
{
    switch (format) {
    case FORMAT_HEX:
        return is_hexadecimal(text, 0);
    case FORMAT_SHA256:
        return is_hexadecimal(text, 64);
    case FORMAT_FINGERPRINT:
        return is_hexadecimal(text, REPORT_FINGERPRINT);
    case FORMAT_RULE:
        return rule_find(text) != NULL;
    case FORMAT_REQUEST:
        for (size_t i = 0; shape_request_types[i]; i++)
            if (!strcmp(text, shape_request_types[i]))
                return true;
        return false;
    default:
        return true;
    }
}

static bool read_text(struct reader *reader, const struct shape_field *field, json_t *value, char **text)
{
    static const char *const wanted[] = {[FORMAT_HEX] = "pairs of hexadecimal digits in lower case",
                                         [FORMAT_SHA256] = "64 hexadecimal digits in lower case",
                                         [FORMAT_FINGERPRINT] = "32 hexadecimal digits in lower case",
                                         [FORMAT_RULE] = "a rule",
                                         [FORMAT_REQUEST] = "a kind of request"};
    if (!json_is_string(value))
        return fail(reader, "not a text");
    if (json_string_length(value) > SHAPE_MAX_TEXT)
        return fail(reader, "longer than %u bytes", SHAPE_MAX_TEXT);
    if (!has_format(json_string_value(value), field->format))
        return fail(reader, "'%.60s' is not %s", json_string_value(value), wanted[field->format]);
    *text = report_text(reader->report, json_string_value(value));
    return true;
}

static bool read_number(struct reader *reader, json_t *value, uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fail(reader, "not a number from 0 to 9223372036854775807");
    *number = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_hex(struct reader *reader, json_t *value, uint64_t *number)
{
    const char *text = json_string_value(value);
    if (!text || strncmp(text, "0x", 2) || !text[2] || strspn(text + 2, "0123456789abcdef") != strlen(text + 2) ||
        strlen(text) > 18)
        return fail(reader, "not a text like \"0x1f\"");
    *number = strtoull(text + 2, NULL, 16);
    return true;
}

static bool read_choice(struct reader *reader, const struct shape_field *field, json_t *value, int *choice)
{
    for (size_t i = 0; json_is_string(value) && i < field->name_count; i++) {
        if (!strcmp(json_string_value(value), field->names[i])) {
            *choice = (int)i;
            return true;
        }
    }
    return fail(reader, "none of the words that are allowed here");
}

static bool read_object(struct reader *reader, const struct shape *shape, json_t *object, char *base);

static bool read_array(struct reader *reader, const struct shape_field *field, json_t *value, char *base)
{
    size_t index, mark;
    json_t *item;
    if (!json_is_array(value))
        return fail(reader, "not an array");
    if (json_array_size(value) > SHAPE_MAX_ITEMS)
        return fail(reader, "more than %u elements", SHAPE_MAX_ITEMS);
    json_array_foreach(value, index, item)
    {
        mark = enter_index(reader, index);
        char *element = report_append(reader->report, base + field->offset, (size_t *)(base + field->count_offset),
                                      field->inside->size);
        if (!read_object(reader, field->inside, item, element))
            return false;
        reader->path[mark] = 0;
    }
    return true;
}

static bool read_field(struct reader *reader, const struct shape_field *field, json_t *value, char *base)
{
    char *at = base + field->offset;
    switch (field->kind) {
    case SHAPE_TEXT:
        return read_text(reader, field, value, (char **)at);
    case SHAPE_NUMBER:
        return read_number(reader, value, (uint64_t *)at);
    case SHAPE_HEX:
        return read_hex(reader, value, (uint64_t *)at);
    case SHAPE_FLAG:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value) || fail(reader, "neither true nor false");
    case SHAPE_CHOICE:
        return read_choice(reader, field, value, (int *)at);
    case SHAPE_OBJECT:
        return read_object(reader, field->inside, value, at);
    case SHAPE_OPTIONAL:
        *(void **)at = report_allocate(reader->report, 1, field->inside->size);
        return read_object(reader, field->inside, value, *(void **)at);
    default:
        return read_array(reader, field, value, base);
    }
}

static const struct shape_field *find_field(const struct shape *shape, const char *key)
{
    for (size_t i = 0; i < shape->field_count; i++)
        if (!strcmp(shape->fields[i].key, key))
            return &shape->fields[i];
    return NULL;
}

static bool read_version(struct reader *reader, json_t *object)
{
    json_t *version = json_object_get(object, "version");
    if (!version)
        return fail(reader, "no \"version\": this is no report of uma");
    if (!json_is_integer(version) || json_integer_value(version) != SHAPE_VERSION)
        return fail(reader, "a report of another version; this program reads version %d", SHAPE_VERSION);
    return true;
}

static bool read_object(struct reader *reader, const struct shape *shape, json_t *object, char *base)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fail(reader, "not an object");
    if (shape == &shape_report && !read_version(reader, object))
        return false;
    json_object_foreach(object, key, value)
    {
        const struct shape_field *field = find_field(shape, key);
        if (!field && shape == &shape_report && (!strcmp(key, "version") || !strcmp(key, "$schema")))
            continue;
        if (!field)
            return fail(reader, "unknown key \"%.60s\"", key);
        size_t mark = enter(reader, key);
        if (!read_field(reader, field, value, base))
            return false;
        reader->path[mark] = 0;
    }
    for (size_t i = 0; i < shape->field_count; i++)
        if (shape->fields[i].required && !json_object_get(object, shape->fields[i].key))
            return fail(reader, "\"%s\" is missing", shape->fields[i].key);
    return true;
}

/* What no single field shows. */
static bool check_runs(struct reader *reader)
{
    for (size_t i = 0; i < reader->report->run_count; i++) {
        const struct report_run *run = &reader->report->runs[i];
        size_t mark = enter(reader, "runs");
        enter_index(reader, i);
        if (strlen(run->blocks ? run->blocks : "") != (run->block_count / 8 + (run->block_count % 8 != 0)) * 2)
            return fail(reader, "\"blocks\" does not have a bit for each of %" PRIu64 " blocks", run->block_count);
        if (report_run_count(run).blocks_reached > run->block_count)
            return fail(reader, "\"blocks\" has bits beyond the last block");
        reader->path[mark] = 0;
    }
    return true;
}

bool report_parse(const char *text, size_t length, const char *label, struct report *report,
                  char error[REPORT_ERROR_MAX])
{
    struct reader reader = {.report = report, .label = label, .error = error};
    json_error_t problem;
    report_init(report);
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        return fail(&reader, "line %d: %s", problem.line, problem.text);
    bool good = read_object(&reader, &shape_report, root, (char *)report) && check_runs(&reader);
    json_decref(root);
    if (!good)
        report_free(report);
    return good;
}

bool report_read(const char *path, struct report *report, char error[REPORT_ERROR_MAX])
{
    struct reader reader = {.report = report, .label = path, .error = error};
    struct stat status;
    char *text = NULL;
    bool good = false;
    report_init(report);
    /* A pipe or a device may never end, and opening one may wait: looked at before it is opened. */
    if (stat(path, &status))
        return fail(&reader, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fail(&reader, S_ISDIR(status.st_mode) ? "Is a directory" : "not a regular file");
    if (status.st_size > (off_t)REPORT_MAX_FILE)
        return fail(&reader, "larger than %u MB", REPORT_MAX_FILE >> 20);
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(&reader, "%s", strerror(errno));
    text = malloc((size_t)status.st_size + 1);
    size_t length = text ? fread(text, 1, (size_t)status.st_size, file) : 0;
    if (!text || ferror(file))
        fail(&reader, "%s", strerror(text ? errno : ENOMEM));
    else
        good = report_parse(text, length, path, report, error);
    fclose(file);
    free(text);
    return good;
}
