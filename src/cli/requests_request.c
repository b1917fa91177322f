/*
 * requests_request.c - one request of a request file: its type, its buffers and their lengths, and the user threads
 * that race it.
 */
#include "requests_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const request_type_names[REQUEST_TYPE_COUNT] = {
    "ioctl", "read", "write", "open", "close", "surprise-removal", "restart", "sleep", "wake"};

/* ---- races ---- */

/* The next step of a path: "+8" adds bytes, "[2]" goes to the field with that index, "->" follows the pointer there. */
static const char *race_step(struct reader *reader, const char *at, struct race *race)
{
    char *end;
    if (*at == '+') {
        unsigned long long bytes = strtoull(at + 1, &end, 0);
        if (end == at + 1 || bytes > REQUESTS_MAX_BYTES || at[1] == '-')
            return reader_fail(reader, "no offset after '+'"), NULL;
        race->offset += bytes;
        return end;
    }
    if (*at == '[') {
        unsigned long long index = strtoull(at + 1, &end, 10);
        if (end == at + 1 || at[1] == '-' || *end != ']' || index >= race->buffer->count || race->offset != 0)
            return reader_fail(reader, "no such field"), NULL;
        race->offset = race->buffer->fields[index].offset;
        return end + 1;
    }
    if (at[0] == '-' && at[1] == '>') {
        for (size_t i = 0; i < race->buffer->count; i++) {
            const struct field *field = &race->buffer->fields[i];
            if (field->kind == FIELD_POINTER && field->offset == race->offset && field->target.buffer) {
                race->buffer = field->target.buffer;
                race->offset = field->target.offset;
                return at + 2;
            }
        }
        return reader_fail(reader, "no pointer to follow"), NULL;
    }
    return reader_fail(reader, "\"%.20s\" is not +OFFSET, [FIELD] or ->", at), NULL;
}

static bool race_place(struct reader *reader, json_t *value, const struct request *request, struct race *race)
{
    char text[160], name[REQUESTS_NAME_MAX];
    size_t mark = reader_enter_key(reader, "at");
    if (!value)
        return reader_fail(reader, "is missing");
    if (!reader_text(reader, value, text, sizeof(text)))
        return false;
    size_t length = strcspn(text, "+[>");
    length -= text[length] == '>' && length > 0 && text[length - 1] == '-';
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    const struct target *target = !strcmp(name, "in") ? &request->in : !strcmp(name, "out") ? &request->out : NULL;
    if (target && target->buffer) {
        race->buffer = target->buffer;
        race->offset = target->offset;
    } else if (!(race->buffer = reader_find(reader, name))) {
        return false;
    }
    for (const char *at = text + length; *at;)
        if (!(at = race_step(reader, at, race)))
            return false;
    if (race->offset > race->buffer->size || race->buffer->size - race->offset < race->size)
        return reader_fail(reader, "%u bytes at offset %llu lie outside the buffer (%zu bytes)", race->size,
                           (unsigned long long)race->offset, race->buffer->size);
    if (race->buffer->bad != BAD_NO && race->buffer->bad != BAD_READ_ONLY)
        return reader_fail(reader, "a %s buffer cannot be raced", buffer_bad_names[race->buffer->bad]);
    reader_leave(reader, mark);
    return true;
}

static bool race_read(struct reader *reader, json_t *object, const struct request *request, struct race *race)
{
    uint64_t size = 4;
    size_t index;
    json_t *values = json_object_get(object, "values"), *value;

    if (!json_is_object(object))
        return reader_fail(reader, "not an object");
    if (!reader_check_keys(reader, object, KEY_race, KEY_race) || !reader_limited(reader, object, "size", 8, &size) ||
        !reader_limited(reader, object, "times", UINT64_MAX, &race->times))
        return false;
    if (size == 0 || (size & (size - 1)))
        return reader_fail(reader, "size is not 1, 2, 4 or 8");
    race->size = (unsigned)size;
    size_t mark = reader_enter_key(reader, "values");
    if (!json_is_array(values) || json_array_size(values) == 0 || json_array_size(values) > REQUESTS_MAX_VALUES)
        return reader_fail(reader, "not an array of 1 to %u numbers", REQUESTS_MAX_VALUES);
    json_array_foreach(values, index, value)
    {
        size_t inner = reader_enter_index(reader, index);
        if (!reader_number(reader, value, race->size * 8, &race->values[index]))
            return false;
        reader_leave(reader, inner);
    }
    race->count = json_array_size(values);
    reader_leave(reader, mark);
    return race_place(reader, json_object_get(object, "at"), request, race);
}

/* ---- requests ---- */

static bool request_races(struct reader *reader, json_t *value, struct request *request)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > REQUESTS_MAX_RACES)
        return reader_fail(reader, "more than %u races", REQUESTS_MAX_RACES);
    request->races = reader_allocate(reader, count, sizeof(*request->races));
    if (!request->races)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t mark = reader->path_length;
        if (json_is_array(value))
            reader_enter_index(reader, i);
        if (!race_read(reader, json_is_array(value) ? json_array_get(value, i) : value, request, &request->races[i]))
            return false;
        reader_leave(reader, mark);
    }
    request->race_count = count;
    return true;
}

static bool request_show(struct reader *reader, json_t *array, struct request *request)
{
    json_t *value;
    size_t index;
    if (!json_is_array(array) || json_array_size(array) > REQUESTS_MAX_COUNT)
        return reader_fail(reader, "not an array of buffers' names");
    request->show = reader_allocate(reader, json_array_size(array), sizeof(*request->show));
    if (!request->show)
        return false;
    json_array_foreach(array, index, value)
    {
        size_t mark = reader_enter_index(reader, index);
        if (!json_is_string(value))
            return reader_fail(reader, "not the name of a buffer");
        request->show[index] = reader_find(reader, json_string_value(value));
        if (!request->show[index])
            return false;
        reader_leave(reader, mark);
    }
    request->show_count = json_array_size(array);
    return true;
}

static bool request_type(struct reader *reader, json_t *object, struct request *request)
{
    json_t *value = json_object_get(object, "type"), *code = json_object_get(object, "code");
    uint64_t number = 0;
    if (value) {
        size_t mark = reader_enter_key(reader, "type");
        const char *text = json_string_value(value);
        int i = 0;
        while (i < REQUEST_TYPE_COUNT && (!text || strcmp(text, request_type_names[i])))
            i++;
        if (i == REQUEST_TYPE_COUNT)
            return reader_fail(reader, "not ioctl, read, write, open, close, surprise-removal, restart, sleep or wake");
        request->type = (enum request_type)i;
        reader_leave(reader, mark);
    }
    if (request->type == REQUEST_IOCTL && !code)
        return reader_fail(reader, "an ioctl needs a code");
    if (request->type != REQUEST_IOCTL && code)
        return reader_fail(reader, "only an ioctl has a code");
    if (code) {
        size_t mark = reader_enter_key(reader, "code");
        if (!reader_number(reader, code, 32, &number))
            return false;
        reader_leave(reader, mark);
    }
    request->code = (uint32_t)number;
    return true;
}

/* in or out, and its length: what is left of the buffer from the offset on, unless the file says otherwise. */
static bool request_buffer(struct reader *reader, json_t *object, const char *key, struct target *target)
{
    json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    size_t mark = reader_enter_key(reader, key);
    if (!reader_target(reader, value, target))
        return false;
    reader_leave(reader, mark);
    return true;
}

static bool request_length(struct reader *reader, json_t *object, const char *key, const struct target *target,
                           uint32_t *length)
{
    uint64_t number = 0;
    if (target->buffer && target->buffer->size > target->offset)
        number = target->buffer->size - target->offset;
    if (!reader_limited(reader, object, key, UINT32_MAX, &number))
        return false;
    *length = (uint32_t)number;
    return true;
}

static bool request_uses(struct reader *reader, json_t *object, const struct request *request)
{
    bool in = request->type == REQUEST_IOCTL || request->type == REQUEST_WRITE;
    bool out = request->type == REQUEST_IOCTL || request->type == REQUEST_READ;
    if (!in && (json_object_get(object, "in") || json_object_get(object, "in-length")))
        return reader_fail(reader, "%s takes no \"in\"", request_type_names[request->type]);
    if (!out && (json_object_get(object, "out") || json_object_get(object, "out-length")))
        return reader_fail(reader, "%s takes no \"out\"", request_type_names[request->type]);
    if (json_object_get(object, "offset") && request->type != REQUEST_READ && request->type != REQUEST_WRITE)
        return reader_fail(reader, "only a read or a write has an offset");
    return true;
}

bool reader_request(struct reader *reader, json_t *object, struct request *request)
{
    json_t *name = json_object_get(object, "name"), *race = json_object_get(object, "race");
    json_t *show = json_object_get(object, "show");
    uint64_t offset = 0, repeat = 1;
    size_t mark = reader->path_length;

    if (!json_is_object(object))
        return reader_fail(reader, "not an object");
    if (!reader_check_keys(reader, object, KEY_request, KEY_request) || !request_type(reader, object, request) ||
        !request_uses(reader, object, request) || !request_buffer(reader, object, "in", &request->in) ||
        !request_buffer(reader, object, "out", &request->out) ||
        !request_length(reader, object, "in-length", &request->in, &request->in_length) ||
        !request_length(reader, object, "out-length", &request->out, &request->out_length) ||
        !reader_limited(reader, object, "offset", INT64_MAX, &offset) ||
        !reader_limited(reader, object, "repeat", REQUESTS_MAX_REPEAT, &repeat))
        return false;
    request->offset = (int64_t)offset;
    request->repeat = (uint32_t)repeat;
    if (repeat == 0)
        return reader_fail(reader, "repeat is 0");
    reader_enter_key(reader, "name");
    if (name && !reader_text(reader, name, request->name, sizeof(request->name)))
        return false;
    reader_leave(reader, mark);
    reader_enter_key(reader, "show");
    if (show && !request_show(reader, show, request))
        return false;
    reader_leave(reader, mark);
    reader_enter_key(reader, "race");
    if (race && !request_races(reader, race, request))
        return false;
    reader_leave(reader, mark);
    return true;
}
