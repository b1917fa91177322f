/*
 * requests_registry.c - the registry keys of a request file, or of a file of their own: what is there before the driver
 * is loaded.
 *
 *     {"\\Registry\\Machine\\Software\\Acme": {"Size": {"dword": 5}}, "Parameters": {"Name": {"sz": "text"}}}
 */
#include "requests_internal.h"
#include <string.h>
#include <strings.h>

enum { TYPE_SZ = 1, TYPE_EXPAND_SZ = 2, TYPE_BINARY = 3, TYPE_DWORD = 4, TYPE_MULTI_SZ = 7, TYPE_QWORD = 11 };

/* Text and its terminator. */
static bool read_text(struct reader *reader, json_t *value, struct field *data)
{
    struct field text = {0};
    if (!reader_utf16(reader, value, &text))
        return false;
    data->size = text.size + 2;
    data->bytes = reader_allocate(reader, data->size, 1);
    if (data->bytes)
        memcpy(data->bytes, text.bytes, text.size);
    return data->bytes != NULL;
}

/* Each text with its terminator, and one more at the end. */
static bool read_texts(struct reader *reader, json_t *array, struct field *data)
{
    json_t *value;
    size_t index, at = 0, room = 2;
    if (!json_is_array(array))
        return reader_fail(reader, "not an array of texts");
    json_array_foreach(array, index, value) room += 2 * (json_string_length(value) + 1);
    if (room > 2 * REQUESTS_MAX_DATA)
        return reader_fail(reader, "more than %u bytes", REQUESTS_MAX_DATA);
    data->bytes = reader_allocate(reader, room, 1);
    if (!data->bytes)
        return false;
    json_array_foreach(array, index, value)
    {
        struct field text = {0};
        size_t mark = reader_enter_index(reader, index);
        if (!read_text(reader, value, &text))
            return false;
        if (text.size == 2)
            return reader_fail(reader, "an empty text would end the list");
        memcpy(data->bytes + at, text.bytes, text.size);
        at += text.size;
        reader_leave(reader, mark);
    }
    data->size = at + 2;
    return true;
}

static bool read_data(struct reader *reader, const char *kind, json_t *value, struct preset *preset)
{
    struct field *data = &preset->data;
    if (!strcmp(kind, "dword") || !strcmp(kind, "qword")) {
        preset->type = kind[0] == 'd' ? TYPE_DWORD : TYPE_QWORD;
        return reader_integer(reader, value, kind[0] == 'd' ? 4 : 8, data);
    }
    if (!strcmp(kind, "binary")) {
        preset->type = TYPE_BINARY;
        return reader_hex(reader, value, data);
    }
    if (!strcmp(kind, "multi-sz")) {
        preset->type = TYPE_MULTI_SZ;
        return read_texts(reader, value, data);
    }
    preset->type = kind[0] == 's' ? TYPE_SZ : TYPE_EXPAND_SZ;
    return read_text(reader, value, data);
}

static char *keep(struct reader *reader, const char *text)
{
    char *copy = reader_allocate(reader, strlen(text) + 1, 1);
    return copy ? strcpy(copy, text) : NULL;
}

/* At the end of the plan's list. name null: the key alone. */
static struct preset *add(struct reader *reader, struct preset ***end, const char *key, const char *name)
{
    struct plan *plan = reader->plan;
    if (plan->preset_count == REQUESTS_MAX_PRESETS) {
        reader_fail(reader, "more than %u keys and values", REQUESTS_MAX_PRESETS);
        return NULL;
    }
    struct preset *preset = reader_allocate(reader, 1, sizeof(*preset));
    if (!preset || !(preset->key = keep(reader, key)) || (name && !(preset->name = keep(reader, name))))
        return NULL;
    **end = preset;
    *end = &preset->next;
    plan->preset_count++;
    return preset;
}

static bool read_value(struct reader *reader, json_t *object, struct preset *preset)
{
    if (!json_is_object(object))
        return reader_fail(reader, "a value is an object such as {\"dword\": 1}");
    if (!reader_check_keys(reader, object, KEY_value, KEY_value))
        return false;
    if (json_object_size(object) != 1)
        return reader_fail(reader, "a value is one of sz, expand-sz, multi-sz, dword, qword, binary");
    const char *kind = json_object_iter_key(json_object_iter(object));
    size_t mark = reader_enter_key(reader, kind);
    if (!read_data(reader, kind, json_object_get(object, kind), preset))
        return false;
    if (preset->data.size > REQUESTS_MAX_DATA)
        return reader_fail(reader, "more than %u bytes", REQUESTS_MAX_DATA);
    reader_leave(reader, mark);
    return true;
}

static bool read_key(struct reader *reader, const char *key, json_t *values, struct preset ***end)
{
    const char *name;
    json_t *value;
    if (!*key || (key[0] == '\\' && strncasecmp(key, "\\Registry\\", 10)))
        return reader_fail(reader, "a key is \\Registry\\..., or below the driver's own key without a backslash first");
    if (!json_is_object(values))
        return reader_fail(reader, "a key is an object of values");
    if (json_object_size(values) == 0 && !add(reader, end, key, NULL))
        return false;
    json_object_foreach(values, name, value)
    {
        size_t mark = reader_enter_key(reader, name);
        struct preset *preset = add(reader, end, key, name);
        if (!preset || !read_value(reader, value, preset))
            return false;
        reader_leave(reader, mark);
    }
    return true;
}

bool reader_registry(struct reader *reader, json_t *object)
{
    struct preset **end = &reader->plan->presets;
    const char *key;
    json_t *values;
    while (*end)
        end = &(*end)->next;
    if (!json_is_object(object))
        return reader_fail(reader, "not an object of registry keys");
    json_object_foreach(object, key, values)
    {
        size_t mark = reader_enter_key(reader, key);
        if (!read_key(reader, key, values, &end))
            return false;
        reader_leave(reader, mark);
    }
    return true;
}
