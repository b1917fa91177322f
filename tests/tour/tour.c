/*
 * tour.c - calls every public accessor through a real driver, uma_tour.sys, as a user-mode program would: with good
 * memory, with each kind of bad address, with KernelMode, and with requests made of chance.
 */
#include "uma.h"
#include "ddi_call.h"
#include "tour.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tour_rows.inc"
#include "../protect_asked.h"

#define OK               0
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define LENGTH           16u
#define VALUE            0x4142434445464748u
#define RANDOM_REQUESTS  20000

static struct uma_driver *driver;
static uma_file file;
static uint64_t limit, request_at, reply_at, data_at, second_at, unmapped_at;

static struct uma_result send(const struct ddi_row *row, struct tour_request *request, struct tour_reply *reply)
{
    request->index = row->index;
    memset(reply, 0xEE, sizeof *reply);
    assert_true(uma_user_store(request_at, request, sizeof *request));
    struct uma_result result =
        uma_ioctl(file, TOUR_IOCTL(row->family_number), request_at, sizeof *request, reply_at, sizeof *reply);
    assert_true(uma_user_load(reply_at, reply, sizeof *reply));
    return result;
}

static struct tour_request good_request(void)
{
    return (struct tour_request){
        .mode = 1, .address = data_at, .second = second_at, .length = LENGTH, .value = {VALUE, 0}, .alignment = 8};
}

/* Checked user memory before each call: "umaccess", then a value, then zeros. */
static void set_data(void)
{
    unsigned char data[64] = "umaccess";
    memset(data + 8, 0x11, 8);
    assert_true(uma_user_store(data_at, data, sizeof data));
    memset(data, 0, sizeof data);
    assert_true(uma_user_store(second_at, data, sizeof data));
}

/* Sum of the driver's own memory, with the first LENGTH bytes of its copy buffer replaced by user data, or not. */
static uint32_t kernel_sum(bool replaced)
{
    uint32_t sum = 0;
    unsigned char data[LENGTH];
    assert_true(uma_user_load(data_at, data, sizeof data));
    for (unsigned block = 0; block < 2; block++)
        for (unsigned i = 0; i < TOUR_KERNEL_SIZE; i++)
            if (block == 0 && i < LENGTH && replaced)
                sum += data[i];
            else if (block == 0 || i < TOUR_KERNEL_SIZE - 4)
                sum += (unsigned char)(VALUE + i);
    return sum;
}

static void check_good(const struct ddi_row *row, const struct tour_reply *reply)
{
    unsigned char data[LENGTH], second[LENGTH];
    assert_true(uma_user_load(data_at, data, sizeof data) && uma_user_load(second_at, second, sizeof second));
    bool both = row->flags & DDI_BOTH_USER;
    switch (row->shape) {
    case DDI_READ:
        assert_int_equal(reply->result[0] & 0xff, 'u');
        break;
    case DDI_WRITE:
        assert_int_equal(data[0], VALUE & 0xff);
        break;
    case DDI_COPY_FROM:
        assert_int_equal(reply->sum, kernel_sum(!both));
        if (both)
            assert_memory_equal(data, second, LENGTH);
        break;
    case DDI_COPY_TO:
        for (unsigned i = 0; i < LENGTH; i++)
            assert_int_equal(data[i], (VALUE + i) & 0xff);
        break;
    case DDI_FILL:
        assert_int_equal(data[LENGTH - 1], VALUE & 0xff);
        break;
    case DDI_ZERO:
        assert_int_equal(data[0] | data[LENGTH - 1], 0);
        break;
    case DDI_AND:
        assert_int_equal(data[0], 'u' & VALUE & 0xff);
        break;
    case DDI_OR:
        assert_int_equal(data[0], 'u' | (VALUE & 0xff));
        break;
    case DDI_COMPARE_EXCHANGE:
        assert_int_equal(reply->result[0] & 0xff, 'u');
        break;
    case DDI_STRING:
        assert_int_equal(reply->result[0], 16);
        break;
    case DDI_WIDE_STRING:
        assert_int_equal(reply->result[0], 8);
        break;
    case DDI_FILTER:
        assert_int_equal(reply->result[0], 1);
        break;
    default:
        fail_msg("%s: not a public DDI", row->name);
    }
}

static void every_accessor_works_on_good_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ddi_row_count; i++) {
        struct tour_request request = good_request();
        struct tour_reply reply;
        set_data();
        struct uma_result result = send(&ddi_rows[i], &request, &reply);
        if (result.status != OK || reply.status != OK || result.information != sizeof reply)
            fail_msg("%s: %s", ddi_rows[i].name, uma_status_name(result.status));
        check_good(&ddi_rows[i], &reply);
    }
    print_message("%u public DDIs called through the driver\n", ddi_row_count);
}

static void every_accessor_refuses_bad_addresses(void **state)
{
    (void)state;
    const uint64_t bad[] = {0, unmapped_at, limit, uma_decoy(), 0x800000000000u, ~(uint64_t)0 - 7};
    for (unsigned i = 0; i < ddi_row_count; i++)
        for (unsigned b = 0; b < sizeof bad / sizeof bad[0] && ddi_rows[i].shape != DDI_FILTER; b++) {
            struct tour_request request = good_request();
            struct tour_reply reply;
            set_data();
            request.address = bad[b];
            struct uma_result result = send(&ddi_rows[i], &request, &reply);
            if (result.status != ACCESS_VIOLATION || reply.status != ACCESS_VIOLATION)
                fail_msg("%s at %#llx: %s", ddi_rows[i].name, (unsigned long long)bad[b],
                         uma_status_name(result.status));
        }
    assert_false(uma_decoy_changed());
}

static void kernel_mode_uses_the_drivers_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ddi_row_count; i++) {
        if (!(ddi_rows[i].flags & DDI_MODE))
            continue;
        struct tour_request request = good_request();
        struct tour_reply reply;
        set_data();
        request.mode = 0;
        if (!(ddi_rows[i].flags & DDI_BOTH_USER)) /* else the source is user memory in any mode */
            request.address = uma_decoy();
        assert_int_equal(send(&ddi_rows[i], &request, &reply).status, OK);
    }
    assert_false(uma_decoy_changed());
}

static void bad_request_and_reply_addresses_are_refused(void **state)
{
    (void)state;
    const uint64_t bad[] = {0, unmapped_at, limit, uma_decoy()};
    const uint32_t code = TOUR_IOCTL(ddi_rows[0].family_number);
    struct tour_request request = good_request();
    request.index = ddi_rows[0].index;
    set_data();
    assert_true(uma_user_store(request_at, &request, sizeof request));
    for (unsigned b = 0; b < sizeof bad / sizeof bad[0]; b++) {
        assert_int_equal(uma_ioctl(file, code, bad[b], sizeof request, reply_at, sizeof(struct tour_reply)).status,
                         ACCESS_VIOLATION);
        assert_int_equal(uma_ioctl(file, code, request_at, sizeof request, bad[b], sizeof(struct tour_reply)).status,
                         ACCESS_VIOLATION);
    }
    assert_true(uma_ioctl(file, code, request_at, sizeof request - 1, 0, 0).status < 0);
    assert_false(uma_decoy_changed());
}

static uint64_t chance(void)
{
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t any_address(void)
{
    const uint64_t choices[] = {0,
                                data_at,
                                second_at,
                                request_at,
                                reply_at,
                                unmapped_at,
                                limit - 8,
                                limit - (chance() & 63),
                                limit,
                                uma_decoy(),
                                ~(uint64_t)0 - (chance() & 63),
                                chance(),
                                data_at + 4096 - (chance() & 63)};
    return choices[chance() % (sizeof choices / sizeof choices[0])];
}

static void no_request_made_of_chance_harms_the_kernel(void **state)
{
    (void)state;
    unsigned succeeded = 0;
    for (unsigned i = 0; i < RANDOM_REQUESTS; i++) {
        const struct ddi_row *row = &ddi_rows[chance() % ddi_row_count];
        struct tour_request request = {.mode = (int8_t)(chance() % 3),
                                       .address = any_address(),
                                       .second = any_address(),
                                       .value = {chance(), chance()},
                                       .alignment = (uint32_t)(chance() % 17)};
        struct tour_reply reply;
        const uint64_t lengths[] = {chance() % 64, chance() % 9000, chance(), 1ull << (chance() & 63)};
        request.length = lengths[chance() & 3];
        if (chance() % 50 == 0) /* any code, METHOD_BUFFERED or METHOD_NEITHER */
            uma_ioctl(file, ((uint32_t)chance() & ~3u) | (chance() & 1 ? 3 : 0), any_address(), (uint32_t)chance(),
                      any_address(), (uint32_t)chance());
        succeeded += send(row, &request, &reply).status == OK;
    }
    assert_in_range(succeeded, RANDOM_REQUESTS / 100, RANDOM_REQUESTS);
    assert_false(uma_decoy_changed());
}

static void line_left_over(void *context, const char *line)
{
    (void)context;
    print_error("left over: %s\n", line);
}

static void unload_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(uma_close(file), OK);
    assert_int_equal(uma_unload(driver), OK);
    assert_int_equal(uma_leftovers(line_left_over, NULL), 0);
    assert_int_equal(uma_raw_accesses(), 0);
}

/* 0, or the exit status of a run that cannot be made here. */
static int set_up(const char *path)
{
    const struct uma_options options = {.size = sizeof options, .protect = protect_asked()};
    char error[UMA_ERROR_MAX];
    uint64_t low;
    if (uma_start(&options) < 0) {
        printf("not run: this processor lacks that protection\n");
        return 77;
    }
    uma_user_range(&low, &limit);
    if (uma_load(path, &driver, error) < 0) {
        printf("%s\n", error);
        return 1;
    }
    if (uma_open("\\Device\\UmaTour", &file) < 0 || uma_user_alloc(4096, UMA_READ_WRITE, &request_at) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &reply_at) < 0 || uma_user_alloc(4096, UMA_READ_WRITE, &data_at) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &second_at) < 0 ||
        uma_user_alloc(4096, UMA_READ_WRITE, &unmapped_at) < 0 || uma_user_free(unmapped_at, 4096) < 0) {
        printf("the device or user memory cannot be had\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accessor_works_on_good_memory),
        cmocka_unit_test(every_accessor_refuses_bad_addresses),
        cmocka_unit_test(kernel_mode_uses_the_drivers_memory),
        cmocka_unit_test(bad_request_and_reply_addresses_are_refused),
        cmocka_unit_test(no_request_made_of_chance_harms_the_kernel),
        cmocka_unit_test(unload_leaves_nothing_behind),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_tour DRIVER\n");
        return 2;
    }
    int status = set_up(argv[1]);
    return status ? status : cmocka_run_group_tests(tests, NULL, NULL);
}
