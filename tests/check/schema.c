/*
 * schema.c - docs/report.schema.json, printed from the description of a report's fields (src/check/shape.c).
 */
#include "rules.h"
#include "sample.h"
#include "shape.h"
#include <stdio.h>

static const char *pattern_of(enum shape_format format)
{
    static const char *const patterns[] = {[FORMAT_HEX] = "^([0-9a-f]{2})*$",
                                           [FORMAT_SHA256] = "^[0-9a-f]{64}$",
                                           [FORMAT_FINGERPRINT] = "^[0-9a-f]{32}$",
                                           [FORMAT_REQUEST] = NULL};
    return format == FORMAT_ANY || format == FORMAT_RULE ? NULL : patterns[format];
}

static void print_words(const char *const *words, size_t count)
{
    printf("\"enum\": [");
    for (size_t i = 0; i < count; i++)
        printf("%s\"%s\"", i ? ", " : "", words[i]);
    printf("]");
}

static void print_kind(const struct shape_field *field)
{
    size_t types = 0;
    while (shape_request_types[types])
        types++;
    switch (field->kind) {
    case SHAPE_TEXT:
        printf("\"type\": \"string\"");
        if (pattern_of(field->format))
            printf(", \"pattern\": \"%s\"", pattern_of(field->format));
        if (field->format == FORMAT_REQUEST) {
            printf(", ");
            print_words(shape_request_types, types);
        }
        if (field->format == FORMAT_RULE) {
            printf(", \"enum\": [");
            for (size_t i = 0; i < rule_count; i++)
                printf("%s\"%s\"", i ? ", " : "", rules[i].id);
            printf("]");
        }
        break;
    case SHAPE_NUMBER:
        printf("\"type\": \"integer\", \"minimum\": 0");
        break;
    case SHAPE_HEX:
        printf("\"type\": \"string\", \"pattern\": \"^0x[0-9a-f]{1,16}$\"");
        break;
    case SHAPE_FLAG:
        printf("\"type\": \"boolean\"");
        break;
    case SHAPE_CHOICE:
        print_words(field->names, field->name_count);
        break;
    case SHAPE_ARRAY:
        printf("\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}", field->inside->name);
        break;
    default:
        printf("\"$ref\": \"#/$defs/%s\"", field->inside->name);
    }
}

static const struct shape *printed[32];
static size_t printed_count;

/* Those inside first. */
static void print_shape(const struct shape *shape)
{
    for (size_t i = 0; i < printed_count; i++)
        if (printed[i] == shape)
            return;
    for (size_t i = 0; i < shape->field_count; i++)
        if (shape->fields[i].inside)
            print_shape(shape->fields[i].inside);
    printf(
        "%s    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n      \"required\": [",
        printed_count ? ",\n" : "", shape->name);
    const char *comma = "";
    if (shape == &shape_report) {
        printf("\"version\"");
        comma = ", ";
    }
    for (size_t i = 0; i < shape->field_count; i++) {
        if (shape->fields[i].required) {
            printf("%s\"%s\"", comma, shape->fields[i].key);
            comma = ", ";
        }
    }
    printf("],\n      \"properties\": {\n");
    if (shape == &shape_report)
        printf("        \"$schema\": {\"type\": \"string\"},\n        \"version\": {\"enum\": [%d]},\n", SHAPE_VERSION);
    for (size_t i = 0; i < shape->field_count; i++) {
        printf("        \"%s\": {\"description\": \"%s\", ", shape->fields[i].key, shape->fields[i].about);
        print_kind(&shape->fields[i]);
        printf("}%s\n", i + 1 < shape->field_count ? "," : "");
    }
    printf("      }\n    }");
    printed[printed_count++] = shape;
}

int sample_schema(void)
{
    printf("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"umaccess report\",\n"
           "  \"description\": \"What `uma report` and `uma merge` read and write. Generated from src/check/shape.c by "
           "`test_report --schema`; docs/report.md explains it.\",\n  \"$ref\": \"#/$defs/report\",\n  \"$defs\": {\n");
    print_shape(&shape_report);
    printf("\n  }\n}\n");
    return 0;
}
