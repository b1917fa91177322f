/*
 * requests_test.c - the request file reader: what it makes of good files, and the one line it answers bad ones with.
 */
#include "requests.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool parse(const char *text, struct plan *plan, char error[REQUESTS_ERROR_MAX])
{
    return requests_parse(text, strlen(text), "f.json", plan, error);
}

/* ---- bad files ---- */

#define IN(fields) "{\"requests\": [{\"code\": 1, \"in\": " fields "}]}"

static const struct {
    const char *text;
    const char
        *message; /* what follows "f.json", or its beginning; after a '~': found anywhere in jansson's own words */
} bad_files[] = {
    {"", ":1:0: "},
    {"nonsense", "~'[' or '{' expected"},
    {"{\"requests\": [", ":1:"},
    {"{\"requests\": [{\"code\": 1}]} x", "~end of file expected"},
    {"\xff\xfe{}", "~unable to decode byte 0xff"},
    {"[]", ": the file does not hold an object"},
    {"{}", ": requests: is missing"},
    {"{\"requests\": []}", ": requests: not an array of 1 to 4096 requests"},
    {"{\"requests\": {}}", ": requests: not an array"},
    {"{\"requests\": [5]}", ": requests[0]: not an object"},
    {"{\"requests\": [{\"code\": 1}], \"request\": 1}", ": unknown key \"request\""},
    {"{\"requests\": [{\"code\": 1}], \"requests\": []}", "~duplicate object key"},
    {"{\"requests\": [{\"code\": 1, \"cod\": 1}]}", ": requests[0]: unknown key \"cod\""},
    {"{\"requests\": [{}]}", ": requests[0]: an ioctl needs a code"},
    {"{\"requests\": [{\"type\": \"ioctrl\"}]}",
     ": requests[0].type: not ioctl, read, write, open, close, surprise-removal, restart, sleep or wake"},
    {"{\"requests\": [{\"type\": \"read\", \"code\": 1}]}", ": requests[0]: only an ioctl has a code"},
    {"{\"requests\": [{\"type\": \"read\", \"in\": 4}]}", ": requests[0]: read takes no \"in\""},
    {"{\"requests\": [{\"type\": \"close\", \"out\": 4}]}", ": requests[0]: close takes no \"out\""},
    {"{\"requests\": [{\"code\": 1, \"offset\": 4}]}", ": requests[0]: only a read or a write has an offset"},
    {"{\"requests\": [{\"code\": \"0x1g\"}]}", ": requests[0].code: not a number"},
    {"{\"requests\": [{\"code\": \"\"}]}", ": requests[0].code: not a number"},
    {"{\"requests\": [{\"code\": 1.5}]}", ": requests[0].code: not a number"},
    {"{\"requests\": [{\"code\": true}]}", ": requests[0].code: not a number"},
    {"{\"requests\": [{\"code\": \"0x100000000\"}]}", ": requests[0].code: does not fit in 32 bits"},
    {"{\"requests\": [{\"code\": 1, \"repeat\": 0}]}", ": requests[0]: repeat is 0"},
    {"{\"requests\": [{\"code\": 1, \"repeat\": 1000001}]}", ": requests[0].repeat: not in 0 .. 1000000"},
    {"{\"requests\": [{\"code\": 1, \"out-length\": -1}]}", ": requests[0].out-length: not in 0 .. 4294967295"},
    {"{\"device\": 5, \"requests\": [{\"code\": 1}]}", ": device: not a string"},
    {"{\"device\": \"\", \"requests\": [{\"code\": 1}]}", ": device: not a text of 1 to 255 bytes"},
#define REGISTRY(keys) "{\"registry\": " keys ", \"requests\": [{\"code\": 1}]}"
    {REGISTRY("5"), ": registry: not an object of registry keys"},
    {REGISTRY("{\"\": {}}"), ": registry.: a key is \\Registry\\..., or below the driver's own key"},
    {REGISTRY("{\"\\\\Device\": {}}"), ": registry.\\Device: a key is \\Registry\\..."},
    {REGISTRY("{\"K\": 5}"), ": registry.K: a key is an object of values"},
    {REGISTRY("{\"K\": {\"V\": 5}}"), ": registry.K.V: a value is an object such as"},
    {REGISTRY("{\"K\": {\"V\": {}}}"), ": registry.K.V: a value is one of sz, expand-sz"},
    {REGISTRY("{\"K\": {\"V\": {\"sz\": \"\", \"dword\": 1}}}"), ": registry.K.V: a value is one of sz, expand-sz"},
    {REGISTRY("{\"K\": {\"V\": {\"word\": 1}}}"), ": registry.K.V: unknown key \"word\""},
    {REGISTRY("{\"K\": {\"V\": {\"dword\": \"0x100000000\"}}}"), ": registry.K.V.dword: does not fit in 32 bits"},
    {REGISTRY("{\"K\": {\"V\": {\"binary\": \"0\"}}}"), ": registry.K.V.binary: an odd number"},
    {REGISTRY("{\"K\": {\"V\": {\"sz\": 1}}}"), ": registry.K.V.sz: not a string"},
    {REGISTRY("{\"K\": {\"V\": {\"multi-sz\": \"a\"}}}"), ": registry.K.V.multi-sz: not an array of texts"},
    {REGISTRY("{\"K\": {\"V\": {\"multi-sz\": [\"a\", \"\"]}}}"), ": registry.K.V.multi-sz[1]: an empty text"},
    {REGISTRY("{\"K\": {\"V\": {\"multi-sz\": [\"a\", 5]}}}"), ": registry.K.V.multi-sz[1]: not a string"},
    {IN("true"), ": requests[0].in: a buffer is a name, an array of fields, a size or an object"},
    {IN("-1"), ": requests[0].in: more than 67108864 bytes"},
    {IN("67108865"), ": requests[0].in: more than 67108864 bytes"},
    {IN("\"nowhere\""), ": requests[0].in: there is no buffer named \"nowhere\""},
    {IN("[5]"), ": requests[0].in[0]: a field is an object such as {\"u32\": 1}"},
    {IN("[{}]"), ": requests[0].in[0]: an empty field"},
    {IN("[{\"u8\": 1, \"u16\": 2}]"), ": requests[0].in[0]: both \"u8\" and \"u16\"; a field is one of them"},
    {IN("[{\"u8\": 1}, {\"u32\": \"five\"}]"), ": requests[0].in[1].u32: not a number"},
    {IN("[{\"u8\": 256}]"), ": requests[0].in[0].u8: does not fit in 8 bits"},
    {IN("[{\"u8\": -129}]"), ": requests[0].in[0].u8: does not fit in 8 bits"},
    {IN("[{\"u64\": \"0x10000000000000000\"}]"), ": requests[0].in[0].u64: does not fit in 64 bits"},
    {IN("[{\"u64\": \"-9223372036854775809\"}]"), ": requests[0].in[0].u64: does not fit in 64 bits"},
    {IN("[{\"bytes\": \"0\"}]"), ": requests[0].in[0].bytes: an odd number of hexadecimal digits"},
    {IN("[{\"bytes\": \"0x12\"}]"), ": requests[0].in[0].bytes: 'x' is not a hexadecimal digit"},
    {IN("[{\"bytes\": 12}]"), ": requests[0].in[0].bytes: not a string of hexadecimal digits"},
    {IN("[{\"ascii\": 12}]"), ": requests[0].in[0].ascii: not a string"},
    {IN("[{\"fill\": {\"byte\": 1}}]"), ": requests[0].in[0].fill: count is missing"},
    {IN("[{\"fill\": {\"byte\": 256, \"count\": 1}}]"), ": requests[0].in[0].fill.byte: not in 0 .. 255"},
    {IN("[{\"fill\": {\"count\": 99999999}}]"), ": requests[0].in[0].fill.count: not in 0 .. 67108864"},
    {IN("[{\"fill\": {\"count\": 50000000}}, {\"fill\": {\"count\": 50000000}}]"),
     ": requests[0].in[1].fill: the buffers take more than 67108864 bytes together"},
    {IN("[{\"align\": 3}]"), ": requests[0].in[0].align: not a power of two up to 4096"},
    {IN("[{\"length-of\": \"x\"}]"), ": requests[0].in[0].length-of: there is no buffer named \"x\""},
    {IN("[{\"u8\": 1, \"width\": 4}]"), ": requests[0].in[0]: width goes with length-of only"},
    {IN("[{\"pointer\": {\"too\": 8}}]"), ": requests[0].in[0].pointer: unknown key \"too\""},
    {IN("[{\"pointer\": {\"to\": 8, \"offset\": \"a\"}}]"), ": requests[0].in[0].pointer.offset: not a number"},
    {IN("{\"bad\": \"evil\"}"), ": requests[0].in.bad: no such kind of bad pointer (null, unmapped"},
    {IN("{\"bad\": \"kernel\", \"fields\": []}"),
     ": requests[0].in.fields: a pointer that is kernel leads to no contents"},
    {IN("{}"), ": requests[0].in: a buffer has fields, a size, or is bad"},
    {IN("{\"fields\": [{\"u64\": 1}], \"size\": 4}"), ": requests[0].in: size 4 is less than its fields take (8)"},
    {IN("{\"size\": 4, \"where\": \"middle\"}"), ": requests[0].in.where: not \"start\" or \"end\""},
    {"{\"buffers\": [], \"requests\": [{\"code\": 1}]}", ": buffers: not an object"},
    {"{\"buffers\": {\"a+b\": 1}, \"requests\": [{\"code\": 1}]}", ": buffers.a+b: not a name for a buffer"},
    {"{\"buffers\": {\"in\": 1}, \"requests\": [{\"code\": 1}]}", ": buffers.in: not a name for a buffer"},
    {"{\"buffers\": {\"a\": \"a\"}, \"requests\": [{\"code\": 1}]}",
     ": buffers.a: a named buffer cannot be another's name"},
    {"{\"requests\": [{\"code\": 1, \"show\": [\"in\"]}]}", ": requests[0].show[0]: there is no buffer named \"in\""},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in\"}}]}",
     ": requests[0].race.values: not an array of 1 to 64 numbers"},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"values\": [1]}}]}", ": requests[0].race.at: is missing"},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in+5\", \"values\": [1]}}]}",
     ": requests[0].race.at: 4 bytes at offset 5 lie outside the buffer (8 bytes)"},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in[0]\", \"values\": [1]}}]}",
     ": requests[0].race.at: no such field"},
    {"{\"requests\": [{\"code\": 1, \"in\": [{\"u32\": 1}], \"race\": {\"at\": \"in->\", \"values\": [1]}}]}",
     ": requests[0].race.at: no pointer to follow"},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in+\", \"values\": [1]}}]}",
     ": requests[0].race.at: no offset after '+'"},
    {"{\"requests\": [{\"code\": 1, \"race\": {\"at\": \"in\", \"values\": [1]}}]}",
     ": requests[0].race.at: there is no buffer named \"in\""},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in\", \"size\": 3, \"values\": [1]}}]}",
     ": requests[0].race: size is not 1, 2, 4 or 8"},
    {"{\"requests\": [{\"code\": 1, \"in\": 8, \"race\": {\"at\": \"in\", \"size\": 1, \"values\": [1, 300]}}]}",
     ": requests[0].race.values[1]: does not fit in 8 bits"},
    {"{\"requests\": [{\"code\": 1, \"in\": {\"bad\": \"null\"}, \"race\": {\"at\": \"in\", \"values\": [1]}}]}",
     ": requests[0].race.at: a null buffer cannot be raced"},
};

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
        struct plan plan;
        char error[REQUESTS_ERROR_MAX];
        assert_false(parse(bad_files[i].text, &plan, error));
        const char *message = bad_files[i].message;
        bool right =
            message[0] == '~' ? strstr(error, message + 1) != NULL : !strncmp(error + 6, message, strlen(message));
        if (strncmp(error, "f.json", 6) || !right)
            fail_msg("%s\n gives  %s\n wanted f.json%s", bad_files[i].text, error, message);
        assert_null(strchr(error, '\n'));
        assert_null(plan.memory);
    }
}

/* Buffers in buffers: 16 are fine, 17 are not, and a million brackets are the JSON reader's business. */
static char *nested(unsigned depth)
{
    size_t size = 64 + depth * 40;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    at += sprintf(at, "{\"requests\": [{\"code\": 1, \"in\": ");
    for (unsigned i = 0; i < depth; i++)
        at += sprintf(at, "[{\"pointer\": ");
    at += sprintf(at, "1");
    for (unsigned i = 0; i < depth; i++)
        at += sprintf(at, "}]");
    sprintf(at, "}]}");
    return text;
}

static void test_nesting(void **state)
{
    (void)state;
    struct plan plan;
    char error[REQUESTS_ERROR_MAX];
    char *text = nested(REQUESTS_MAX_DEPTH - 1);
    assert_true(parse(text, &plan, error));
    plan_free(&plan);
    free(text);
    text = nested(REQUESTS_MAX_DEPTH);
    assert_false(parse(text, &plan, error));
    assert_non_null(strstr(error, "buffers nested more than 16 deep"));
    free(text);
    text = nested(100000);
    assert_false(parse(text, &plan, error));
    free(text);
}

/* Every beginning of a good file is a bad file, and gets an answer. */
static void test_truncated(void **state)
{
    static const char good[] = "{\"buffers\": {\"a\": [{\"u8\": 1}, {\"pointer\": \"b\"}], \"b\": {\"fields\": "
                               "[{\"pointer\": \"a\"}], \"size\": 20}},"
                               "\"requests\": [{\"code\": \"0x222003\", \"in\": [{\"length-of\": \"b\"}, {\"pointer\": "
                               "{\"to\": \"a\", \"offset\": 1}}],"
                               "\"race\": {\"at\": \"in[1]->->+2\", \"size\": 1, \"values\": [1, -1]}}]}";
    struct plan plan;
    char error[REQUESTS_ERROR_MAX];
    (void)state;
    for (size_t length = 0; length < sizeof(good) - 1; length++) {
        assert_false(requests_parse(good, length, "f.json", &plan, error));
        assert_true(error[0] != 0);
    }
    assert_false(requests_parse(good, sizeof(good) - 2, "f.json", &plan, error));
    bool parsed = requests_parse(good, sizeof(good) - 1, "f.json", &plan, error);
    if (!parsed)
        fail_msg("%s", error);
    plan_free(&plan);
}

/* One changed byte anywhere: parsed or refused, never a crash (the sanitizer build looks on). */
static void test_mutated(void **state)
{
    static const char good[] = "{\"buffers\": {\"a\": {\"bad\": \"guard\", \"fields\": [{\"utf16\": \"a\xc3\xa9\"}]}}, "
                               "\"requests\": [{\"code\": 5,"
                               "\"in\": [{\"fill\": {\"byte\": 7, \"count\": 9}}, {\"pointer\": \"a\"}]}]}";
    char text[sizeof(good)], error[REQUESTS_ERROR_MAX];
    struct plan plan;
    size_t parsed = 0;
    (void)state;
    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        for (unsigned byte = 0; byte < 256; byte += 3) {
            memcpy(text, good, sizeof(good));
            text[at] = (char)byte;
            parsed += requests_parse(text, sizeof(good) - 1, "f.json", &plan, error);
            plan_free(&plan);
        }
    }
    assert_true(parsed > 0);
}

/* ---- good files ---- */

static void test_fields(void **state)
{
    static const char text[] =
        "{\"description\": \"d\", \"device\": \"\\\\Device\\\\X\", \"buffers\": {\"b\": 5}, \"requests\": [{\"code\": "
        "\"0x222003\", \"in\": ["
        "{\"u8\": -1}, {\"align\": 4}, {\"u32\": \"0xdeadbeef\"}, {\"bytes\": \"01 fF\"}, {\"ascii\": \"hi\"},"
        "{\"utf16\": \"\xc3\xa9\xf0\x9f\x98\x80\"}, {\"fill\": {\"byte\": 65, \"count\": 2}}, {\"length-of\": \"b\", "
        "\"width\": 2},"
        "{\"pointer\": {\"to\": \"b\", \"offset\": 3}}], \"out\": {\"to\": \"b\", \"offset\": 1}, \"repeat\": 3}]}";
    static const uint8_t expected[] = {0xff, 0,   0,    0, 0xef, 0xbe, 0xad, 0xde, 1,  0xff,
                                       'h',  'i', 0xe9, 0, 0x3d, 0xd8, 0x00, 0xde, 65, 65};
    struct plan plan;
    char error[REQUESTS_ERROR_MAX];
    (void)state;
    if (!parse(text, &plan, error))
        fail_msg("%s", error);
    const struct request *request = &plan.requests[0];
    const struct buffer *in = request->in.buffer;
    size_t at = 0;
    for (size_t i = 0; i < in->count && in->fields[i].kind == FIELD_BYTES; i++) {
        assert_int_equal(in->fields[i].offset, at);
        assert_memory_equal(in->fields[i].bytes, expected + at, in->fields[i].size);
        at += in->fields[i].size;
    }
    assert_int_equal(at, sizeof(expected));
    assert_int_equal(in->size, sizeof(expected) + 2 + 8);
    assert_int_equal(in->fields[7].kind, FIELD_LENGTH);
    assert_int_equal(in->fields[8].kind, FIELD_POINTER);
    assert_ptr_equal(in->fields[8].target.buffer, request->out.buffer);
    assert_int_equal(in->fields[8].target.offset, 3);
    assert_int_equal(request->out_length, 4);
    assert_int_equal(request->in_length, in->size);
    assert_int_equal(request->code, 0x222003);
    assert_int_equal(request->repeat, 3);
    assert_string_equal(plan.device, "\\Device\\X");
    plan_free(&plan);
}

/* Buffers may point at each other and at themselves; a race follows the pointers. */
static void test_cycles_and_races(void **state)
{
    static const char text[] = "{\"buffers\": {\"my-list\": [{\"u32\": 1}, {\"pointer\": \"other\"}], \"other\": "
                               "[{\"pointer\": \"my-list\"}]},"
                               "\"requests\": [{\"code\": 1, \"in\": \"my-list\", \"race\": ["
                               "{\"at\": \"my-list[1]->->+2\", \"size\": 2, \"values\": [1, 2]},"
                               "{\"at\": \"in+4\", \"size\": 8, \"values\": [\"-1\"], \"times\": 7}]}]}";
    struct plan plan;
    char error[REQUESTS_ERROR_MAX];
    (void)state;
    if (!parse(text, &plan, error))
        fail_msg("%s", error);
    const struct request *request = &plan.requests[0];
    assert_int_equal(request->race_count, 2);
    assert_string_equal(request->races[0].buffer->name, "my-list");
    assert_int_equal(request->races[0].offset, 2);
    assert_int_equal(request->races[1].offset, 4);
    assert_true(request->races[1].values[0] == UINT64_MAX);
    assert_int_equal(request->races[1].times, 7);
    plan_free(&plan);
}

static void test_missing_file(void **state)
{
    struct plan plan;
    char error[REQUESTS_ERROR_MAX];
    (void)state;
    assert_false(requests_read("/nowhere/at/all.json", &plan, error));
    assert_string_equal(error, "/nowhere/at/all.json: No such file or directory");
    assert_false(requests_read("/", &plan, error));
    assert_true(error[0] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),    cmocka_unit_test(test_nesting),          cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_mutated),      cmocka_unit_test(test_cycles_and_races), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
