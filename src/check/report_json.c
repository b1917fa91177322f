/*
 * report_json.c - a report as JSON: the fields in the order of shape.c, two spaces of indentation, nothing that depends
 * on the process. Reading back is report_read.c.
 */
#include "report.h"
#include "shape.h"
#include <inttypes.h>
#include <string.h>

struct writer {
    FILE *out;
    unsigned depth;
    bool first; /* of the object or array being written */
};

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)(text ? text : ""); *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}

static void new_line(struct writer *writer)
{
    fprintf(writer->out, "%s\n%*s", writer->first ? "" : ",", (int)(2 * writer->depth), "");
    writer->first = false;
}

static void open_bracket(struct writer *writer, char bracket)
{
    fputc(bracket, writer->out);
    writer->depth++;
    writer->first = true;
}

static void close_bracket(struct writer *writer, char bracket)
{
    writer->depth--;
    if (!writer->first)
        fprintf(writer->out, "\n%*s", (int)(2 * writer->depth), "");
    fputc(bracket, writer->out);
    writer->first = false;
}

static bool is_empty(const struct shape *shape, const char *base);

static bool field_is_empty(const struct shape_field *field, const char *at, const char *base)
{
    switch (field->kind) {
    case SHAPE_TEXT:
    case SHAPE_OPTIONAL:
        return *(void *const *)at == NULL;
    case SHAPE_NUMBER:
    case SHAPE_HEX:
        return *(const uint64_t *)at == 0;
    case SHAPE_FLAG:
        return !*(const bool *)at;
    case SHAPE_OBJECT:
        return is_empty(field->inside, at);
    case SHAPE_ARRAY:
        return *(const size_t *)(base + field->count_offset) == 0;
    default:
        return false;
    }
}

static bool is_empty(const struct shape *shape, const char *base)
{
    for (size_t i = 0; i < shape->field_count; i++)
        if (!field_is_empty(&shape->fields[i], base + shape->fields[i].offset, base))
            return false;
    return true;
}

static void write_object(struct writer *writer, const struct shape *shape, const char *base);

static void write_field(struct writer *writer, const struct shape_field *field, const char *base)
{
    const char *at = base + field->offset;
    switch (field->kind) {
    case SHAPE_TEXT:
        write_text(writer->out, *(char *const *)at);
        break;
    case SHAPE_NUMBER:
        fprintf(writer->out, "%" PRIu64, *(const uint64_t *)at & INT64_MAX);
        break;
    case SHAPE_HEX:
        fprintf(writer->out, "\"0x%" PRIx64 "\"", *(const uint64_t *)at);
        break;
    case SHAPE_FLAG:
        fputs(*(const bool *)at ? "true" : "false", writer->out);
        break;
    case SHAPE_CHOICE:
        write_text(writer->out, field->names[*(const int *)at]);
        break;
    case SHAPE_OBJECT:
        write_object(writer, field->inside, at);
        break;
    case SHAPE_OPTIONAL:
        write_object(writer, field->inside, *(char *const *)at);
        break;
    case SHAPE_ARRAY:
        open_bracket(writer, '[');
        for (size_t i = 0; i < *(const size_t *)(base + field->count_offset); i++) {
            new_line(writer);
            write_object(writer, field->inside, *(char *const *)at + i * field->inside->size);
        }
        close_bracket(writer, ']');
        break;
    }
}

static void write_object(struct writer *writer, const struct shape *shape, const char *base)
{
    open_bracket(writer, '{');
    if (shape == &shape_report) {
        new_line(writer);
        fprintf(writer->out, "\"version\": %d", SHAPE_VERSION);
    }
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct shape_field *field = &shape->fields[i];
        if (!field->required && field_is_empty(field, base + field->offset, base))
            continue;
        new_line(writer);
        fprintf(writer->out, "\"%s\": ", field->key);
        write_field(writer, field, base);
    }
    close_bracket(writer, '}');
}

void report_write_json(const struct report *report, FILE *out)
{
    struct writer writer = {.out = out};
    write_object(&writer, &shape_report, (const char *)report);
    fputc('\n', out);
}
