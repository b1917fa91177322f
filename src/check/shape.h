/*
 * shape.h - every field of a report described once: its key in JSON, its kind, where it lies in its structure. The
 * writer, the reader and the schema (docs/report.schema.json) follow this description.
 */
#pragma once
#include "finding.h"

#define SHAPE_MAX_TEXT  (1u << 20) /* bytes of one string */
#define SHAPE_MAX_ITEMS (1u << 20) /* elements of one array */
#define SHAPE_VERSION   1

enum shape_kind {
    SHAPE_TEXT,     /* char * */
    SHAPE_NUMBER,   /* uint64_t, up to 2^63 - 1 in JSON */
    SHAPE_HEX,      /* uint64_t as "0x..." */
    SHAPE_FLAG,     /* bool */
    SHAPE_CHOICE,   /* an enumeration, by name */
    SHAPE_OBJECT,   /* a structure inside */
    SHAPE_OPTIONAL, /* a pointer to one, or null */
    SHAPE_ARRAY     /* a pointer to the first, and a count */
};

/* What a text has to look like. */
enum shape_format { FORMAT_ANY, FORMAT_HEX, FORMAT_SHA256, FORMAT_FINGERPRINT, FORMAT_RULE, FORMAT_REQUEST };
extern const char *const shape_request_types[]; /* ends with null */

struct shape;
struct shape_field {
    const char *key;
    const char *about; /* for the schema */
    enum shape_kind kind;
    bool required; /* else it is left out where it is null, 0, false or empty */
    size_t offset;
    size_t count_offset;        /* SHAPE_ARRAY */
    const struct shape *inside; /* of objects and arrays */
    enum shape_format format;   /* SHAPE_TEXT */
    const char *const *names;   /* SHAPE_CHOICE */
    size_t name_count;
};

struct shape {
    const char *name;
    size_t size;
    const struct shape_field *fields;
    size_t field_count;
};

extern const struct shape shape_report;
