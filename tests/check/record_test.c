/*
 * record_test.c - the record of accesses, row by row: a driver (drivers/touch.c) does exactly known accesses, and every
 * row they leave is compared. Here the kernel is started, and rows are fetched and compared.
 *
 * One kernel for all tests, which run in order.
 */
#include "record_test.h"
#include "../protect_asked.h"

uma_file file;
uint64_t in, out;
struct uma_trace_row rows[ROWS_MAX];
size_t first[ROWS_MAX];
static struct uma_driver *driver;

int start_record(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX};
    (void)state;
    return uma_trace_start(&options);
}

bool sees_raw(void)
{
    return strcmp(uma_protect_in_use(), "none") != 0;
}

bool has_symbols(void)
{
    return access("/usr/bin/llvm-symbolizer-19", X_OK) == 0;
}

size_t rows_of_last(void)
{
    size_t count = uma_trace_count();
    assert_true(count <= ROWS_MAX);
    assert_int_equal(uma_trace_dropped(), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(uma_trace_row(i, &rows[i]));
    return count;
}

size_t touch(enum touch_group group, uint64_t input, uint64_t output)
{
    static uint64_t number;
    uma_trace_clear();
    uma_trace_request(++number);
    assert_int_equal(uma_ioctl(file, TOUCH_CODE(group), input, 8, output, 8).status, 0);
    size_t count = rows_of_last();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].request, number);
        assert_true(rows[i].user_mode || rows[i].thread != 1);
    }
    return count;
}

void check_row(const struct uma_trace_row *row, const struct expected *expected, size_t index)
{
    char text[256];
    snprintf(text, sizeof(text), "row %zu: how %d %s access %d at 0x%llx size %llu outcome %d status 0x%x", index,
             row->how, row->name ? row->name : "-", row->access, (unsigned long long)row->address,
             (unsigned long long)row->size, row->outcome, (unsigned)row->status);
    bool right = row->how == expected->how && row->access == expected->access &&
                 (row->name && expected->name ? !strcmp(row->name, expected->name) : row->name == expected->name) &&
                 row->address == expected->address && row->size == expected->size && row->status == expected->status &&
                 row->outcome == (expected->status ? UMA_TRACE_RAISED : UMA_TRACE_COMPLETE) &&
                 (expected->fault == ANY || row->fault_address == expected->fault);
    if (!right)
        fail_msg("%s", text);
    unsigned bytes = row->size < UMA_TRACE_VALUE ? (unsigned)row->size : UMA_TRACE_VALUE;
    if (row->value_size != (expected->value ? bytes : 0) ||
        (expected->value && memcmp(row->value, expected->value, bytes)))
        fail_msg("%s: value of %u bytes: %02x %02x ...", text, row->value_size, row->value[0], row->value[1]);
    assert_int_equal(row->digest != 0, expected->value && row->size > UMA_TRACE_VALUE);
    uint64_t stored;
    memcpy(&stored, row->stored, sizeof(stored));
    assert_int_equal(stored, expected->stored);
}

void check_rows(size_t count, const struct expected *expected, size_t expected_count, enum uma_trace_handler handler)
{
    for (size_t i = 0; i < count && i < expected_count; i++) {
        check_row(&rows[i], &expected[i], i);
        assert_int_equal(rows[i].handler, handler);
        assert_int_equal(rows[i].irql, 0);
        assert_true(rows[i].pc[0] != 0);
    }
    assert_int_equal(count, expected_count);
}

void fill(uint64_t address, const char *text)
{
    static const char nothing[64];
    assert_true(uma_user_store(address, nothing, sizeof(nothing)));
    assert_true(uma_user_store(address, text, strlen(text)));
}

static int start(const char *path)
{
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked(), .timeout_seconds = 60};
    char error[UMA_ERROR_MAX] = "";
    if (uma_start(&options) < 0) {
        printf("not run: this processor does not have the protection %s\n", getenv("UMA_PROTECT"));
        return 77;
    }
    if (uma_load(path, &driver, error) < 0 || uma_open("\\Device\\Touch", &file) < 0 ||
        uma_user_alloc(PAGE, UMA_READ_WRITE, &in) < 0 || uma_user_alloc(PAGE, UMA_READ_WRITE, &out) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    return 0;
}

static int run(const char *name, const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests(name, tests, count, start_record, NULL);
}

int main(int argc, char **argv)
{
    int result = start(argc > 1 ? argv[1] : "");
    if (result)
        return result;
    int failed = run("accessors", accessor_tests, accessor_count) + run("raw", raw_tests, raw_count);
    failed += run("faults", fault_tests, fault_count) + run("record", self_tests, self_count);
    return failed ? 1 : 0;
}
