/*
 * record_test.h - what the files of the record's tests share: one kernel with the driver drivers/touch.c, which does
 * exactly known accesses, and rows compared with what they must be.
 */
#pragma once
#include "check.h"
#include "touch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define PAGE             4096u
#define ROWS_MAX         64u
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define MISALIGNMENT     ((uma_status)0x80000002)
#define APC_LEVEL        1

#define ALPHABET "abcdefghijklmnopqrstuvwxyz"

extern uma_file file;
extern uint64_t in, out; /* a page each */
extern struct uma_trace_row rows[ROWS_MAX];
extern size_t first[ROWS_MAX];

/* What a row must be; ANY where the test does not know. */
struct expected {
    enum uma_trace_how how;
    enum uma_trace_access access;
    const char *name;
    uint64_t address, size;
    const char *value; /* value_size bytes; null: none */
    uma_status status; /* raised; 0: complete */
    uint64_t fault;
    uint64_t stored; /* of an update */
};
#define ANY UINT64_MAX

/* Without protection raw instructions leave no rows. */
bool sees_raw(void);
bool has_symbols(void);
/* A record of its own, of ROWS_MAX rows. */
int start_record(void **state);
void fill(uint64_t address, const char *text);
/* Fetches all rows there are. */
size_t rows_of_last(void);
/* Sends the group's request and fetches its rows. */
size_t touch(enum touch_group group, uint64_t input, uint64_t output);
void check_row(const struct uma_trace_row *row, const struct expected *expected, size_t index);
void check_rows(size_t count, const struct expected *expected, size_t expected_count, enum uma_trace_handler handler);
#define CHECK(count, expected, handler) check_rows(count, expected, sizeof(expected) / sizeof(expected[0]), handler)

/* The suites: record_accessor.c, record_raw.c, record_fault.c, record_self.c. */
extern const struct CMUnitTest accessor_tests[], raw_tests[], fault_tests[], self_tests[];
extern const size_t accessor_count, raw_count, fault_count, self_count;
#define SUITE(name, ...)                                                                                               \
    const struct CMUnitTest name##_tests[] = {__VA_ARGS__};                                                            \
    const size_t name##_count = sizeof(name##_tests) / sizeof(name##_tests[0])
