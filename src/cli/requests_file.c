/*
 * requests_file.c - reads a request file: the file as a whole, its named buffers, numbers and texts, and the errors'
 * places.
 *
 * Fields and the contents of buffers stand in requests_fields.c, the requests in requests_request.c.
 */
#include "requests_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    enum key_object object;
    const char *key;
} keys[] = {
#define KEY(object, key) {KEY_##object, key},
#include "request_keys.def"
#undef KEY
};

/* ---- the plan's memory ---- */

struct allocation {
    struct allocation *next;
    max_align_t data[];
};

void plan_init(struct plan *plan)
{
    memset(plan, 0, sizeof(*plan));
}

void plan_free(struct plan *plan)
{
    struct allocation *next;
    for (struct allocation *a = plan->memory; a; a = next) {
        next = a->next;
        free(a);
    }
    plan_init(plan);
}

void *plan_allocate(struct plan *plan, size_t size)
{
    struct allocation *a = calloc(1, sizeof(*a) + size);
    if (!a)
        return NULL;
    a->next = plan->memory;
    plan->memory = a;
    return a->data;
}

struct buffer *plan_add_buffer(struct plan *plan, const char *name)
{
    if (plan->buffer_count == REQUESTS_MAX_BUFFERS)
        return NULL;
    struct buffer *buffer = plan_allocate(plan, sizeof(*buffer)), **last = &plan->buffers;
    if (!buffer)
        return NULL;
    snprintf(buffer->name, sizeof(buffer->name), "%s", name);
    while (*last)
        last = &(*last)->next;
    *last = buffer;
    plan->buffer_count++;
    return buffer;
}

/* ---- errors and their places ---- */

bool reader_fail(struct reader *reader, const char *format, ...)
{
    if (reader->error[0])
        return false;
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *path = reader->path[0] == '.' ? reader->path + 1 : reader->path;
    snprintf(reader->error, REQUESTS_ERROR_MAX, "%.96s: %s%s%s", reader->label, path, *path ? ": " : "", text);
    for (char *c = reader->error; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return false;
}

static size_t reader_extend(struct reader *reader, const char *text)
{
    size_t mark = reader->path_length;
    int added = snprintf(reader->path + mark, sizeof(reader->path) - mark, "%s", text);
    reader->path_length += (size_t)added;
    if (reader->path_length >= sizeof(reader->path))
        reader->path_length = sizeof(reader->path) - 1;
    return mark;
}

size_t reader_enter_key(struct reader *reader, const char *key)
{
    char text[REQUESTS_NAME_MAX + 2];
    snprintf(text, sizeof(text), ".%s", key);
    return reader_extend(reader, text);
}

size_t reader_enter_index(struct reader *reader, size_t index)
{
    char text[32];
    snprintf(text, sizeof(text), "[%zu]", index);
    return reader_extend(reader, text);
}

void reader_leave(struct reader *reader, size_t mark)
{
    reader->path_length = mark;
    reader->path[mark] = 0;
}

bool reader_check_keys(struct reader *reader, json_t *object, enum key_object kind, enum key_object also)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            known = known || ((keys[i].object == kind || keys[i].object == also) && !strcmp(keys[i].key, key));
        if (!known)
            return reader_fail(reader, "unknown key \"%.40s\"", key);
    }
    return true;
}

void *reader_allocate(struct reader *reader, size_t count, size_t size)
{
    if (count > REQUESTS_MAX_BYTES || (reader->bytes += count * size) > REQUESTS_MAX_BYTES) {
        reader_fail(reader, "the buffers take more than %u bytes together", REQUESTS_MAX_BYTES);
        return NULL;
    }
    void *memory = plan_allocate(reader->plan, count * size);
    if (!memory)
        reader_fail(reader, "out of memory");
    return memory;
}

/* ---- values ---- */

bool reader_number(struct reader *reader, json_t *value, unsigned bits, uint64_t *number)
{
    bool negative = false;
    if (json_is_integer(value)) {
        negative = json_integer_value(value) < 0;
        *number = (uint64_t)json_integer_value(value);
    } else if (json_is_string(value) && json_string_length(value) == strlen(json_string_value(value))) {
        const char *text = json_string_value(value);
        char *end;
        negative = text[0] == '-';
        if (!(text[negative] >= '0' && text[negative] <= '9'))
            return reader_fail(reader, "not a number");
        errno = 0;
        *number = strtoull(text, &end, text[negative] == '0' && (text[negative + 1] | 0x20) == 'x' ? 16 : 10);
        if (*end || errno)
            return reader_fail(reader, errno ? "does not fit in 64 bits" : "not a number");
        if (negative && (int64_t)*number >= 0 && *number != 0)
            return reader_fail(reader, "does not fit in %u bits", bits);
    } else {
        return reader_fail(reader, "not a number");
    }
    uint64_t rest = bits == 64 ? 0 : negative ? ~*number >> (bits - 1) : *number >> bits;
    return rest == 0 ? true : reader_fail(reader, "does not fit in %u bits", bits);
}

bool reader_limited(struct reader *reader, json_t *object, const char *key, uint64_t limit, uint64_t *number)
{
    json_t *value = json_object_get(object, key);
    uint64_t read;
    if (!value)
        return true;
    size_t mark = reader_enter_key(reader, key);
    if (!reader_number(reader, value, 64, &read))
        return false;
    if (read > limit)
        return reader_fail(reader, "not in 0 .. %llu", (unsigned long long)limit);
    reader_leave(reader, mark);
    *number = read;
    return true;
}

bool reader_text(struct reader *reader, json_t *value, char *text, size_t size)
{
    if (!json_is_string(value))
        return reader_fail(reader, "not a string");
    if (json_string_length(value) != strlen(json_string_value(value)) || json_string_length(value) >= size ||
        json_string_length(value) == 0)
        return reader_fail(reader, "not a text of 1 to %zu bytes", size - 1);
    memcpy(text, json_string_value(value), json_string_length(value) + 1);
    return true;
}

struct buffer *reader_find(struct reader *reader, const char *name)
{
    for (struct buffer *buffer = reader->plan->buffers; buffer; buffer = buffer->next)
        if (buffer->name[0] && !strcmp(buffer->name, name))
            return buffer;
    reader_fail(reader, "there is no buffer named \"%.40s\"", name);
    return NULL;
}

/* ---- the file ---- */

/* Names first, contents after, so that buffers can point at each other and at themselves. */
static bool file_buffers(struct reader *reader, json_t *object)
{
    const char *name;
    json_t *value;
    size_t mark = reader_enter_key(reader, "buffers");

    if (!json_is_object(object))
        return reader_fail(reader, "not an object");
    json_object_foreach(object, name, value)
    {
        size_t inner = reader_enter_key(reader, name);
        if (strlen(name) == 0 || strlen(name) >= REQUESTS_NAME_MAX || strpbrk(name, "+[]>") || !strcmp(name, "in") ||
            !strcmp(name, "out"))
            return reader_fail(reader, "not a name for a buffer (up to %d bytes, none of + [ ] >, not in or out)",
                               REQUESTS_NAME_MAX - 1);
        if (!plan_add_buffer(reader->plan, name))
            return reader_fail(reader, "more than %u buffers", REQUESTS_MAX_BUFFERS);
        reader_leave(reader, inner);
    }
    json_object_foreach(object, name, value)
    {
        size_t inner = reader_enter_key(reader, name);
        if (json_is_string(value))
            return reader_fail(reader, "a named buffer cannot be another's name");
        if (!reader_buffer_into(reader, value, reader_find(reader, name)))
            return false;
        reader_leave(reader, inner);
    }
    reader_leave(reader, mark);
    return true;
}

static bool file_requests(struct reader *reader, json_t *array)
{
    json_t *value;
    size_t index, mark = reader_enter_key(reader, "requests");

    if (!array)
        return reader_fail(reader, "is missing");
    if (!json_is_array(array) || json_array_size(array) == 0 || json_array_size(array) > REQUESTS_MAX_COUNT)
        return reader_fail(reader, "not an array of 1 to %u requests", REQUESTS_MAX_COUNT);
    reader->plan->requests = reader_allocate(reader, json_array_size(array), sizeof(struct request));
    if (!reader->plan->requests)
        return false;
    json_array_foreach(array, index, value)
    {
        size_t inner = reader_enter_index(reader, index);
        if (!reader_request(reader, value, &reader->plan->requests[index]))
            return false;
        reader_leave(reader, inner);
    }
    reader->plan->count = json_array_size(array);
    reader_leave(reader, mark);
    return true;
}

static bool file_read(struct reader *reader, json_t *file)
{
    json_t *device = json_object_get(file, "device"), *buffers = json_object_get(file, "buffers");
    json_t *description = json_object_get(file, "description"), *registry = json_object_get(file, "registry");
    if (!json_is_object(file))
        return reader_fail(reader, "the file does not hold an object");
    if (!reader_check_keys(reader, file, KEY_file, KEY_file))
        return false;
    if (description) {
        size_t mark = reader_enter_key(reader, "description");
        if (!reader_text(reader, description, reader->plan->description, sizeof(reader->plan->description)))
            return false;
        reader_leave(reader, mark);
    }
    if (device) {
        size_t mark = reader_enter_key(reader, "device");
        if (!reader_text(reader, device, reader->plan->device, sizeof(reader->plan->device)))
            return false;
        reader_leave(reader, mark);
    }
    if (registry) {
        size_t mark = reader_enter_key(reader, "registry");
        if (!reader_registry(reader, registry))
            return false;
        reader_leave(reader, mark);
    }
    return (!buffers || file_buffers(reader, buffers)) && file_requests(reader, json_object_get(file, "requests"));
}

typedef bool read_function(struct reader *reader, json_t *file);

static bool parse(const char *text, size_t length, const char *label, struct plan *plan, read_function *function,
                  char error[REQUESTS_ERROR_MAX])
{
    struct reader reader = {.plan = plan, .label = label, .error = error};
    json_error_t problem;

    error[0] = 0;
    json_t *file = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (!file) {
        snprintf(error, REQUESTS_ERROR_MAX, "%.96s:%d:%d: %.160s", label, problem.line, problem.column, problem.text);
        return false;
    }
    bool read = function(&reader, file);
    json_decref(file);
    return read;
}

bool requests_parse(const char *text, size_t length, const char *label, struct plan *plan,
                    char error[REQUESTS_ERROR_MAX])
{
    plan_init(plan);
    if (parse(text, length, label, plan, file_read, error))
        return true;
    plan_free(plan);
    return false;
}

FILE *requests_open(const char *path)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return NULL;
    if (fstat(file, &about) == 0 && S_ISDIR(about.st_mode))
        errno = EISDIR;
    else if (!S_ISREG(about.st_mode))
        errno = ENOTSUP;
    else
        return fdopen(file, "rb");
    int why = errno;
    close(file);
    errno = why;
    return NULL;
}

const char *requests_open_error(void)
{
    return errno == ENOTSUP ? "not a regular file" : strerror(errno ? errno : EIO);
}

static bool read_file(const char *path, struct plan *plan, read_function *function, char error[REQUESTS_ERROR_MAX])
{
    FILE *file = requests_open(path);
    char *text = file ? malloc(REQUESTS_MAX_FILE + 1) : NULL;
    size_t length = text ? fread(text, 1, REQUESTS_MAX_FILE + 1, file) : 0;
    bool read = false;
    if (!text || ferror(file))
        snprintf(error, REQUESTS_ERROR_MAX, "%.160s: %s", path, requests_open_error());
    else if (length > REQUESTS_MAX_FILE)
        snprintf(error, REQUESTS_ERROR_MAX, "%.160s: more than %u bytes", path, REQUESTS_MAX_FILE);
    else
        read = parse(text, length, path, plan, function, error);
    free(text);
    if (file)
        fclose(file);
    return read;
}

bool requests_read(const char *path, struct plan *plan, char error[REQUESTS_ERROR_MAX])
{
    plan_init(plan);
    if (read_file(path, plan, file_read, error))
        return true;
    plan_free(plan);
    return false;
}

bool requests_read_registry(const char *path, struct plan *plan, char error[REQUESTS_ERROR_MAX])
{
    return read_file(path, plan, reader_registry, error);
}
