/*
 * requests_fields.c - the inside of a request file's buffers: fields, numbers, text, pointers to other buffers.
 *
 * The file as a whole and its requests stand in requests_file.c.
 */
#include "requests_internal.h"
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

const char *const buffer_bad_names[BAD_COUNT] = {
    [BAD_NO] = "no",
    [BAD_NULL] = "null",
    [BAD_UNMAPPED] = "unmapped",
    [BAD_READ_ONLY] = "read-only",
    [BAD_GUARD] = "guard",
    [BAD_KERNEL] = "kernel",
    [BAD_STRADDLE_LIMIT] = "straddle-limit",
    [BAD_STRADDLE_END] = "straddle-end",
    [BAD_NONCANONICAL] = "noncanonical",
    [BAD_WRAP] = "wrap",
    [BAD_IN_PAGE_ERROR] = "in-page-error",
};

static bool field_bytes(struct reader *reader, struct field *field, size_t size)
{
    field->kind = FIELD_BYTES;
    field->size = size;
    field->bytes = reader_allocate(reader, size, 1);
    return field->bytes != NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool reader_hex(struct reader *reader, json_t *value, struct field *field)
{
    const char *text = json_string_value(value);
    size_t digits = 0;
    if (!text)
        return reader_fail(reader, "not a string of hexadecimal digits");
    for (const char *c = text; *c; c++) {
        if (hex_digit(*c) >= 0)
            digits++;
        else if (!isspace((unsigned char)*c))
            return reader_fail(reader, "'%c' is not a hexadecimal digit", isprint((unsigned char)*c) ? *c : '?');
    }
    if (digits % 2)
        return reader_fail(reader, "an odd number of hexadecimal digits");
    if (!field_bytes(reader, field, digits / 2))
        return false;
    size_t at = 0;
    for (const char *c = text; *c; c++) {
        if (hex_digit(*c) < 0)
            continue;
        field->bytes[at / 2] = (uint8_t)(field->bytes[at / 2] << 4 | hex_digit(*c));
        at++;
    }
    return true;
}

bool reader_integer(struct reader *reader, json_t *value, unsigned size, struct field *field)
{
    uint64_t number;
    if (!reader_number(reader, value, size * 8, &number) || !field_bytes(reader, field, size))
        return false;
    for (unsigned i = 0; i < size; i++)
        field->bytes[i] = (uint8_t)(number >> (8 * i));
    return true;
}

static bool field_ascii(struct reader *reader, json_t *value, struct field *field)
{
    if (!json_is_string(value))
        return reader_fail(reader, "not a string");
    if (!field_bytes(reader, field, json_string_length(value)))
        return false;
    memcpy(field->bytes, json_string_value(value), field->size);
    return true;
}

/* jansson has checked that the text is UTF-8. */
bool reader_utf16(struct reader *reader, json_t *value, struct field *field)
{
    if (!json_is_string(value))
        return reader_fail(reader, "not a string");
    const uint8_t *text = (const uint8_t *)json_string_value(value);
    size_t length = json_string_length(value), units = 0;
    if (!field_bytes(reader, field, length * 2))
        return false;
    for (size_t i = 0; i < length;) {
        uint32_t c = text[i++];
        unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
        if (more)
            c &= 0x3fu >> more;
        while (more-- && i < length)
            c = c << 6 | (text[i++] & 0x3f);
        uint32_t pair[2] = {c, 0};
        if (c >= 0x10000) {
            pair[0] = 0xd800 + ((c - 0x10000) >> 10);
            pair[1] = 0xdc00 + (c & 0x3ff);
        }
        for (unsigned k = 0; k < (c >= 0x10000 ? 2u : 1u); k++) {
            field->bytes[2 * units] = (uint8_t)pair[k];
            field->bytes[2 * units + 1] = (uint8_t)(pair[k] >> 8);
            units++;
        }
    }
    field->size = units * 2;
    return true;
}

static bool field_fill(struct reader *reader, json_t *value, struct field *field)
{
    uint64_t byte = 0, count = 0;
    if (!json_is_object(value))
        return reader_fail(reader, "not an object");
    if (!json_object_get(value, "count"))
        return reader_fail(reader, "count is missing");
    if (!reader_check_keys(reader, value, KEY_fill, KEY_fill) || !reader_limited(reader, value, "byte", 255, &byte) ||
        !reader_limited(reader, value, "count", REQUESTS_MAX_BYTES, &count) || !field_bytes(reader, field, count))
        return false;
    memset(field->bytes, (int)byte, count);
    return true;
}

static bool field_align(struct reader *reader, json_t *value, size_t offset, struct field *field)
{
    uint64_t to;
    if (!reader_number(reader, value, 16, &to))
        return false;
    if (to == 0 || to > 4096 || (to & (to - 1)))
        return reader_fail(reader, "not a power of two up to 4096");
    return field_bytes(reader, field, (size_t)(-offset & (to - 1)));
}

static bool field_length(struct reader *reader, json_t *object, json_t *value, struct field *field)
{
    uint64_t width = 4;
    const char *name = json_string_value(value);
    if (!name)
        return reader_fail(reader, "not the name of a buffer");
    if (!reader_limited(reader, object, "width", 8, &width))
        return false;
    if (width == 0 || (width & (width - 1)))
        return reader_fail(reader, "the width is not 1, 2, 4 or 8");
    field->kind = FIELD_LENGTH;
    field->size = width;
    field->target.buffer = reader_find(reader, name);
    return field->target.buffer != NULL;
}

static bool field_read_as(struct reader *reader, json_t *object, const char *key, json_t *value, size_t offset,
                          struct field *field)
{
    if (!strcmp(key, "bytes"))
        return reader_hex(reader, value, field);
    if (key[0] == 'u' && strcmp(key, "utf16"))
        return reader_integer(reader, value, (unsigned)atoi(key + 1) / 8, field);
    if (!strcmp(key, "ascii"))
        return field_ascii(reader, value, field);
    if (!strcmp(key, "utf16"))
        return reader_utf16(reader, value, field);
    if (!strcmp(key, "fill"))
        return field_fill(reader, value, field);
    if (!strcmp(key, "align"))
        return field_align(reader, value, offset, field);
    if (!strcmp(key, "length-of"))
        return field_length(reader, object, value, field);
    field->kind = FIELD_POINTER;
    field->size = 8;
    return reader_target(reader, value, &field->target);
}

static bool field_read(struct reader *reader, json_t *object, size_t offset, struct field *field)
{
    const char *kind = NULL, *key;
    json_t *value;

    if (!json_is_object(object))
        return reader_fail(reader, "a field is an object such as {\"u32\": 1}");
    if (!reader_check_keys(reader, object, KEY_field, KEY_field))
        return false;
    json_object_foreach(object, key, value)
    {
        if (!strcmp(key, "width"))
            continue;
        if (kind)
            return reader_fail(reader, "both \"%s\" and \"%s\"; a field is one of them", kind, key);
        kind = key;
    }
    if (!kind)
        return reader_fail(reader, "an empty field");
    if (json_object_get(object, "width") && strcmp(kind, "length-of"))
        return reader_fail(reader, "width goes with length-of only");
    size_t mark = reader_enter_key(reader, kind);
    field->offset = offset;
    if (!field_read_as(reader, object, kind, json_object_get(object, kind), offset, field))
        return false;
    reader_leave(reader, mark);
    return true;
}

static bool buffer_fields(struct reader *reader, json_t *array, struct buffer *buffer)
{
    json_t *value;
    size_t index;

    if (!json_is_array(array))
        return reader_fail(reader, "not an array of fields");
    if (json_array_size(array) > REQUESTS_MAX_COUNT)
        return reader_fail(reader, "more than %u fields", REQUESTS_MAX_COUNT);
    struct field *fields = reader_allocate(reader, json_array_size(array), sizeof(*fields));
    if (!fields)
        return false;
    buffer->fields = fields;
    json_array_foreach(array, index, value)
    {
        size_t mark = reader_enter_index(reader, index);
        if (!field_read(reader, value, buffer->size, &fields[index]))
            return false;
        reader_leave(reader, mark);
        buffer->size += fields[index].size;
    }
    buffer->count = json_array_size(array);
    return true;
}

static bool buffer_bad(struct reader *reader, json_t *value, struct buffer *buffer)
{
    const char *name = json_string_value(value);
    for (int i = BAD_NO + 1; name && i < BAD_COUNT; i++) {
        if (!strcmp(name, buffer_bad_names[i])) {
            buffer->bad = (enum buffer_bad)i;
            return true;
        }
    }
    return reader_fail(reader, "no such kind of bad pointer (null, unmapped, read-only, guard, kernel, straddle-limit, "
                               "straddle-end, noncanonical, wrap, in-page-error)");
}

static bool buffer_object(struct reader *reader, json_t *object, struct buffer *buffer)
{
    json_t *fields = json_object_get(object, "fields"), *bad = json_object_get(object, "bad");
    json_t *where = json_object_get(object, "where");
    uint64_t size = 0;

    if (!reader_check_keys(reader, object, KEY_buffer, KEY_buffer))
        return false;
    if (bad) {
        size_t mark = reader_enter_key(reader, "bad");
        if (!buffer_bad(reader, bad, buffer))
            return false;
        reader_leave(reader, mark);
        size = 8;
    }
    if (fields) {
        size_t mark = reader_enter_key(reader, "fields");
        bool holds = !bad || buffer->bad == BAD_READ_ONLY || buffer->bad == BAD_GUARD ||
                     buffer->bad == BAD_STRADDLE_END || buffer->bad == BAD_IN_PAGE_ERROR;
        if (!holds)
            return reader_fail(reader, "a pointer that is %s leads to no contents", buffer_bad_names[buffer->bad]);
        if (!buffer_fields(reader, fields, buffer))
            return false;
        reader_leave(reader, mark);
        size = buffer->size;
    } else if (!bad && !json_object_get(object, "size")) {
        return reader_fail(reader, "a buffer has fields, a size, or is bad");
    }
    if (!reader_limited(reader, object, "size", REQUESTS_MAX_BYTES, &size))
        return false;
    if (size < buffer->size)
        return reader_fail(reader, "size %llu is less than its fields take (%zu)", (unsigned long long)size,
                           buffer->size);
    buffer->size = size;
    if (where) {
        const char *text = json_string_value(where);
        size_t mark = reader_enter_key(reader, "where");
        if (!text || (strcmp(text, "start") && strcmp(text, "end")))
            return reader_fail(reader, "not \"start\" or \"end\"");
        buffer->at_start = !strcmp(text, "start");
        reader_leave(reader, mark);
    }
    return true;
}

bool reader_buffer_into(struct reader *reader, json_t *value, struct buffer *buffer)
{
    uint64_t size;

    if (reader->depth >= REQUESTS_MAX_DEPTH)
        return reader_fail(reader, "buffers nested more than %u deep", REQUESTS_MAX_DEPTH);
    reader->depth++;
    bool read;
    size_t before = reader->bytes;
    if (json_is_array(value)) {
        read = buffer_fields(reader, value, buffer);
    } else if (json_is_object(value)) {
        read = buffer_object(reader, value, buffer);
    } else if (json_is_integer(value)) {
        read = reader_number(reader, value, 32, &size);
        if (read && size > REQUESTS_MAX_BYTES)
            read = reader_fail(reader, "more than %u bytes", REQUESTS_MAX_BYTES);
        buffer->size = read ? size : 0;
    } else {
        read = reader_fail(reader, "a buffer is a name, an array of fields, a size or an object");
    }
    reader->depth--;
    if (!read)
        return false;
    if (reader->bytes < before + buffer->size)
        reader->bytes = before + buffer->size;
    if (reader->bytes > REQUESTS_MAX_BYTES)
        return reader_fail(reader, "the buffers take more than %u bytes together", REQUESTS_MAX_BYTES);
    buffer->parsed = true;
    return true;
}

bool reader_buffer(struct reader *reader, json_t *value, struct buffer **buffer)
{
    if (json_is_string(value)) {
        *buffer = reader_find(reader, json_string_value(value));
        return *buffer != NULL;
    }
    *buffer = plan_add_buffer(reader->plan, "");
    if (!*buffer)
        return reader_fail(reader, "more than %u buffers", REQUESTS_MAX_BUFFERS);
    return reader_buffer_into(reader, value, *buffer);
}

bool reader_target(struct reader *reader, json_t *value, struct target *target)
{
    json_t *to = json_is_object(value) ? json_object_get(value, "to") : NULL;
    if (!to)
        return reader_buffer(reader, value, &target->buffer);
    if (!reader_check_keys(reader, value, KEY_target, KEY_target) ||
        !reader_limited(reader, value, "offset", REQUESTS_MAX_BYTES, &target->offset))
        return false;
    size_t mark = reader_enter_key(reader, "to");
    if (!reader_buffer(reader, to, &target->buffer))
        return false;
    reader_leave(reader, mark);
    return true;
}
