/*
 * template_test.c - the sample driver kmdf_template on the virtual bus, with a request that stays with the driver while
 * its device is stopped, sleeps, or is pulled out. Only include/uma.h.
 */
#include "uma.h"
#include "../../drivers/kmdf_template/kmdf_template.h"
#include "../protect_asked.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OK          0
#define PENDING     ((uma_status)0x00000103)
#define BUSY        ((uma_status)0x80000011)
#define DEVICE_BUSY ((uma_status)0x80000011)
#define NO_NAME     ((uma_status)0xC0000034)
#define CANCELLED   ((uma_status)0xC0000120)
enum {
    IO = 0,
    WAIT_IO = 64,
    SET_IO = 96,
    ATTRIBUTES = 128,
    NAME = 192,
    HANDLE = 256,
    IN = 320,
    OUT = 384,
    WAIT_OUT = 512,
    TEXT = 1024
};

#define CALL(service, ...)                                                                                             \
    uma_call(service, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static const char *driver_path;
static struct uma_driver *driver;
static uint64_t page; /* of user memory */

/* A handle by the device's interface, for requests that nobody waits for. */
static uma_status open_device(const char *link, uint64_t *handle)
{
    uint16_t text[UMA_LINK_MAX];
    size_t length = strlen(link);
    for (size_t i = 0; i < length; i++)
        text[i] = (uint16_t)link[i];
    text[1] = '?'; /* of \\?\, which stands for \??\ */
    const uint64_t name[2] = {length * 2 | length * 2 << 16, page + TEXT};
    const uint64_t attributes[6] = {48, 0, page + NAME, 0x40, 0, 0};
    uma_user_store(page + TEXT, text, length * 2);
    uma_user_store(page + NAME, name, sizeof(name));
    uma_user_store(page + ATTRIBUTES, attributes, sizeof(attributes));
    uma_status status = CALL("NtOpenFile", page + HANDLE, 0x12019F, page + ATTRIBUTES, page + IO, 7, 0);
    uma_user_load(page + HANDLE, handle, sizeof(*handle));
    return status;
}

static uint64_t load(void)
{
    struct uma_interface interface;
    char error[UMA_ERROR_MAX];
    uint64_t handle;
    assert_int_equal(uma_load(driver_path, &driver, error), OK);
    assert_true(uma_driver_interface(driver, 0, &interface));
    assert_true(interface.enabled);
    assert_int_equal(open_device(interface.link, &handle), OK);
    return handle;
}

static void print_leftover(void *context, const char *line)
{
    (void)context;
    print_message("left behind: %s\n", line);
}

static void unload(void)
{
    assert_int_equal(uma_unload(driver), OK);
    assert_int_equal(uma_leftovers(print_leftover, NULL), 0);
}

static void close_device(uint64_t handle)
{
    assert_int_equal(CALL("NtClose", handle), OK);
}

static uma_status io_status(uint64_t io)
{
    uma_status status = 0;
    assert_true(uma_user_load(page + io, &status, sizeof(status)));
    return status;
}

/* The status in the I/O status block; PENDING: the request is with its driver. */
static uma_status control(uint64_t handle, uint32_t code, uint64_t io, uint64_t out)
{
    const uint64_t none[2] = {PENDING};
    uma_user_store(page + io, none, sizeof(none));
    uma_status status = CALL("NtDeviceIoControlFile", handle, 0, 0, 0, page + io, code, page + IN, 4, page + out,
                             sizeof(struct template_state));
    return status == PENDING ? io_status(io) : status;
}

static void set(uint64_t handle, unsigned value)
{
    uma_user_store(page + IN, &value, sizeof(value));
    assert_int_equal(control(handle, TEMPLATE_SET, IO, OUT), OK);
}

static struct template_state state_of(uint64_t handle)
{
    struct template_state state;
    assert_int_equal(control(handle, TEMPLATE_QUERY, IO, OUT), OK);
    assert_true(uma_user_load(page + OUT, &state, sizeof(state)));
    return state;
}

/* A request that stays with the driver. */
static void begin_wait(uint64_t handle)
{
    assert_int_equal(control(handle, TEMPLATE_WAIT, WAIT_IO, WAIT_OUT), PENDING);
}

static void check_waited(unsigned value)
{
    unsigned found = 0;
    assert_int_equal(io_status(WAIT_IO), OK);
    assert_true(uma_user_load(page + WAIT_OUT, &found, sizeof(found)));
    assert_int_equal(found, value);
}

static void a_value_comes(void **unused)
{
    (void)unused;
    uint64_t handle = load();
    begin_wait(handle);
    assert_int_equal(state_of(handle).waiting, 1);
    assert_int_equal(control(handle, TEMPLATE_WAIT, IO, OUT), DEVICE_BUSY);
    assert_int_equal(io_status(WAIT_IO), PENDING);
    set(handle, 7);
    check_waited(7);
    assert_int_equal(state_of(handle).waiting, 0);
    assert_int_equal(state_of(handle).value, 7);
    close_device(handle);
    unload();
}

static void closing_cancels(void **unused)
{
    (void)unused;
    uint64_t handle = load();
    begin_wait(handle);
    assert_int_equal(CALL("NtCancelIoFile", handle, page + IO), OK);
    assert_int_equal(io_status(WAIT_IO), CANCELLED);
    assert_int_equal(state_of(handle).waiting, 0);
    close_device(handle);
    unload();
}

static void a_restart_keeps_the_request(void **unused)
{
    (void)unused;
    uint64_t handle = load();
    begin_wait(handle);
    assert_int_equal(uma_restart_device(driver), OK);
    assert_int_equal(io_status(WAIT_IO), PENDING);
    struct template_state state = state_of(handle);
    assert_int_equal(state.prepared, 2);
    assert_int_equal(state.powered, 2);
    assert_int_equal(state.stopped, 1);
    assert_int_equal(state.resumed, 1);
    assert_int_equal(state.waiting, 1);
    set(handle, 8);
    check_waited(8);
    close_device(handle);
    unload();
}

/* What comes while the device sleeps is held until it is awake. */
static void a_request_comes_in_sleep(void **unused)
{
    (void)unused;
    uint64_t handle = load();
    begin_wait(handle);
    assert_int_equal(uma_system_power(3), OK);
    const unsigned value = 9;
    uma_user_store(page + IN, &value, sizeof(value));
    assert_int_equal(control(handle, TEMPLATE_SET, SET_IO, OUT), PENDING);
    assert_int_equal(io_status(WAIT_IO), PENDING);
    assert_int_equal(uma_system_power(0), OK);
    struct template_state state = state_of(handle); /* behind it in the queue */
    assert_int_equal(io_status(SET_IO), OK);
    check_waited(9);
    assert_int_equal(state.value, 9);
    assert_int_equal(state.prepared, 1);
    assert_int_equal(state.powered, 2);
    assert_int_equal(state.stopped, 1);
    assert_int_equal(state.resumed, 1);
    close_device(handle);
    unload();
}

static void pulled_out_while_one_waits(void **unused)
{
    struct uma_interface interface;
    uint64_t other;
    (void)unused;
    uint64_t handle = load();
    assert_true(uma_driver_interface(driver, 0, &interface));
    begin_wait(handle);
    assert_int_equal(uma_surprise_removal(driver), OK);
    assert_int_equal(io_status(WAIT_IO), CANCELLED);
    assert_true(control(handle, TEMPLATE_QUERY, IO, OUT) < 0);
    assert_int_equal(open_device(interface.link, &other), NO_NAME);
    assert_int_equal(uma_unload(driver), BUSY);
    close_device(handle);
    unload();
}

static void an_open_file_keeps_the_device(void **unused)
{
    (void)unused;
    uint64_t handle = load();
    assert_int_equal(uma_unload(driver), BUSY);
    assert_int_equal(state_of(handle).prepared, 1);
    close_device(handle);
    unload();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes),
        cmocka_unit_test(closing_cancels),
        cmocka_unit_test(a_restart_keeps_the_request),
        cmocka_unit_test(a_request_comes_in_sleep),
        cmocka_unit_test(pulled_out_while_one_waits),
        cmocka_unit_test(an_open_file_keeps_the_device),
    };
    const struct uma_options options = {.size = sizeof(options),
                                        .protect = protect_asked(),
                                        .timeout_seconds = 60,
                                        .verify = getenv("UMA_VERIFY") != NULL};
    if (argc != 2) {
        fprintf(stderr, "usage: %s kmdf_template.sys\n", argv[0]);
        return 2;
    }
    driver_path = argv[1];
    uma_status status = uma_start(&options);
    if (status == (uma_status)0xC00000BB) {
        printf("not run: this CPU does not have the protection %s\n", getenv("UMA_PROTECT"));
        return 77;
    }
    if (status < 0 || uma_user_alloc(0x2000, UMA_READ_WRITE, &page) < 0)
        return 1;
    return cmocka_run_group_tests_name("kmdf_template", tests, NULL, NULL);
}
