/*
 * requests_internal.h - what the parts of the request file reader share: the reader, its place in the file, its errors.
 */
#pragma once
#include "requests.h"
#include <jansson.h>

struct reader {
    struct plan *plan;
    const char *label;
    char path[160]; /* "requests[2].in[1].u32" */
    size_t path_length;
    unsigned depth;
    size_t bytes; /* of all buffers so far */
    char *error;
};

enum key_object { KEY_file, KEY_request, KEY_buffer, KEY_target, KEY_field, KEY_fill, KEY_race, KEY_value };

/* Sets the error, prefixed with the label and the path; always returns false. The first error stays. */
bool reader_fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Extends the path by ".key" or "[index]"; returns the mark to give to reader_leave. */
size_t reader_enter_key(struct reader *reader, const char *key);
size_t reader_enter_index(struct reader *reader, size_t index);
void reader_leave(struct reader *reader, size_t mark);

/* Every key of object must be one of kind's (or of also's, when that is not the same). */
bool reader_check_keys(struct reader *reader, json_t *object, enum key_object kind, enum key_object also);
/* A number, or a string with a decimal or 0x number in it; bits: what it must fit in, signed or unsigned. */
bool reader_number(struct reader *reader, json_t *value, unsigned bits, uint64_t *number);
/* object[key] as a number from 0 to limit; absent: *number stays. */
bool reader_limited(struct reader *reader, json_t *object, const char *key, uint64_t limit, uint64_t *number);
bool reader_text(struct reader *reader, json_t *value, char *text, size_t size);
/* The contents of a field: hexadecimal text, a number of size bytes, text in UTF-16. */
bool reader_hex(struct reader *reader, json_t *value, struct field *field);
bool reader_integer(struct reader *reader, json_t *value, unsigned size, struct field *field);
bool reader_utf16(struct reader *reader, json_t *value, struct field *field);
/* An object of registry keys. */
bool reader_registry(struct reader *reader, json_t *object);
/* count * size bytes of the plan's memory, or an error. */
void *reader_allocate(struct reader *reader, size_t count, size_t size);

/* A buffer's name, its fields, its size, or an object: makes or finds the buffer. */
bool reader_buffer(struct reader *reader, json_t *value, struct buffer **buffer);
/* The same into an existing (named) buffer. */
bool reader_buffer_into(struct reader *reader, json_t *value, struct buffer *buffer);
/* A buffer, or {"to": buffer, "offset": n}. */
bool reader_target(struct reader *reader, json_t *value, struct target *target);
struct buffer *reader_find(struct reader *reader, const char *name);
/* One element of "requests". Named buffers have been read before. */
bool reader_request(struct reader *reader, json_t *object, struct request *request);
