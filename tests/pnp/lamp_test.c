/* lamp_test.c - a real plug and play driver, as an embedding program sees it: only include/uma.h. */
#include "uma.h"
#include "drivers/lamp.h"
#include "../protect_asked.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OK           0
#define BUSY         ((uma_status)0x80000011)
#define NO_RESOURCES ((uma_status)0xC000009A)
#define NO_NAME      ((uma_status)0xC0000034)
#define NO_DEVICE    ((uma_status)0xC000000E)
#define LAMP_KEY     "\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\ROOT\\UMA\\0000\\Device Parameters"

static const char *lamp_path;
static struct uma_driver *driver;
static char link[UMA_LINK_MAX];
static uint64_t buffer;

static void load(void)
{
    struct uma_interface interface;
    char error[UMA_ERROR_MAX];
    assert_int_equal(uma_load(lamp_path, &driver, error), OK);
    assert_true(uma_driver_interface(driver, 0, &interface));
    assert_true(interface.enabled);
    assert_string_equal(interface.class_guid, LAMP_CLASS_TEXT);
    strcpy(link, interface.link);
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

static uma_file open_link(const char *name)
{
    uma_file file = 0;
    assert_int_equal(uma_open(name, &file), OK);
    return file;
}

static struct lamp_state state_of(uma_file file)
{
    struct lamp_state state = {0};
    assert_int_equal(uma_ioctl(file, LAMP_QUERY, 0, 0, buffer, sizeof(state)).status, OK);
    assert_true(uma_user_load(buffer, &state, sizeof(state)));
    return state;
}

static void a_lamp_is_found_and_lit(void **unused)
{
    struct uma_interface interface;
    char name[UMA_NAME_MAX];
    (void)unused;
    load();
    assert_true(uma_driver_instance(driver, name));
    assert_string_equal(name, "ROOT\\UMA\\0000");
    assert_false(uma_driver_device(driver, 0, name)); /* its device has no name */
    assert_string_equal(link, "\\\\?\\ROOT#UMA#0000#" LAMP_CLASS_TEXT);
    uma_file file = open_link(link);
    assert_true(uma_user_store(buffer, "\x2a", 1));
    assert_int_equal(uma_write(file, buffer, 1, 0).information, 1);
    assert_true(uma_user_store(buffer, "\0", 1));
    assert_int_equal(uma_read(file, buffer, 1, 0).status, OK);
    assert_int_equal(state_of(file).brightness, 42);
    assert_int_equal(state_of(file).power, 1); /* PowerDeviceD0 */
    assert_int_equal(state_of(file).second, 0);
    assert_int_equal(uma_close(file), OK);
    assert_true(uma_driver_interface(driver, 1, &interface));
    file = open_link(interface.link);
    assert_int_equal(state_of(file).second, 1);
    assert_int_equal(state_of(file).brightness, 42); /* the same lamp */
    assert_int_equal(uma_close(file), OK);
    assert_false(uma_driver_interface(driver, 2, &interface));
    unload();
    assert_int_equal(uma_open(link, &file), NO_NAME);
}

static void the_system_sleeps(void **unused)
{
    (void)unused;
    load();
    uma_file file = open_link(link);
    assert_int_equal(uma_system_power(3), OK);
    assert_int_equal(state_of(file).power, 4); /* PowerDeviceD3 */
    assert_int_equal(uma_system_power(0), OK);
    assert_int_equal(state_of(file).power, 1);
    assert_true(uma_system_power(9) < 0);
    assert_int_equal(uma_restart_device(driver), OK);
    assert_int_equal(state_of(file).starts, 2);
    assert_int_equal(uma_close(file), OK);
    unload();
}

static void an_open_file_keeps_the_driver(void **unused)
{
    (void)unused;
    load();
    uma_file file = open_link(link);
    assert_int_equal(uma_unload(driver), BUSY);
    assert_int_equal(state_of(file).starts, 1); /* it goes on */
    assert_int_equal(uma_close(file), OK);
    unload();
}

static void the_lamp_is_pulled_out(void **unused)
{
    char name[UMA_NAME_MAX];
    uma_file none;
    (void)unused;
    load();
    uma_file file = open_link(link);
    assert_int_equal(uma_surprise_removal(driver), OK);
    assert_int_equal(uma_open(link, &none), NO_NAME);
    assert_int_equal(uma_unload(driver), BUSY);
    assert_int_equal(uma_close(file), OK);
    assert_false(uma_driver_instance(driver, name));
    assert_int_equal(uma_surprise_removal(driver), NO_DEVICE);
    assert_int_equal(uma_restart_device(driver), NO_DEVICE);
    unload();
}

static void the_lamp_breaks(void **unused)
{
    (void)unused;
    load();
    uma_file file = open_link(link);
    assert_int_equal(uma_ioctl(file, LAMP_BREAK, 0, 0, 0, 0).status, OK);
    assert_int_equal(uma_close(file), OK);
    unload(); /* whether the PnP manager has removed the device by now, or this does */
}

static void set(const char *name, uma_status status)
{
    assert_int_equal(uma_registry_set(NULL, LAMP_KEY, name, 4, &status, sizeof(status)), OK);
}

static void a_lamp_does_not_start(void **unused)
{
    char error[UMA_ERROR_MAX], expected[UMA_ERROR_MAX];
    (void)unused;
    set("FailAdd", NO_RESOURCES);
    assert_int_equal(uma_load(lamp_path, &driver, error), NO_RESOURCES);
    snprintf(expected, sizeof(expected),
             "%.150s: its device does not start: AddDevice returned STATUS_INSUFFICIENT_RESOURCES", lamp_path);
    assert_string_equal(error, expected);
    assert_int_equal(uma_leftovers(print_leftover, NULL), 0);
    set("FailAdd", OK);
    set("FailStart", NO_RESOURCES);
    assert_int_equal(uma_load(lamp_path, &driver, error), NO_RESOURCES);
    snprintf(expected, sizeof(expected),
             "%.150s: its device does not start: IRP_MN_START_DEVICE returned STATUS_INSUFFICIENT_RESOURCES",
             lamp_path);
    assert_string_equal(error, expected);
    assert_int_equal(uma_leftovers(print_leftover, NULL), 0);
    set("FailStart", OK);
    load();
    unload();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lamp_is_found_and_lit),
        cmocka_unit_test(the_system_sleeps),
        cmocka_unit_test(an_open_file_keeps_the_driver),
        cmocka_unit_test(the_lamp_is_pulled_out),
        cmocka_unit_test(the_lamp_breaks),
        cmocka_unit_test(a_lamp_does_not_start),
    };
    const struct uma_options options = {.size = sizeof(options),
                                        .protect = protect_asked(),
                                        .timeout_seconds = 60,
                                        .verify = getenv("UMA_VERIFY") != NULL};
    if (argc != 2) {
        fprintf(stderr, "usage: %s LAMP.sys\n", argv[0]);
        return 2;
    }
    lamp_path = argv[1];
    uma_status status = uma_start(&options);
    if (status == (uma_status)0xC00000BB) {
        printf("not run: this CPU does not have the protection %s\n", getenv("UMA_PROTECT"));
        return 77;
    }
    if (status < 0 || uma_user_alloc(16, UMA_READ_WRITE, &buffer) < 0)
        return 1;
    return cmocka_run_group_tests_name("a lamp", tests, NULL, NULL);
}
