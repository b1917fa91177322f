/* svc_test.h - what the files of the service tests share: a driver inside the test, user memory, and calls by name. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdk/wdm.h"
#include "wdk/seh.h"
#include "wdk/fileinfo.h"
#include "fs.h"
#include "io.h"
#include "ke.h"
#include "ps.h"
#include "rtl.h"
#include "svc.h"

#include <cmocka.h>

#define WIDE(text) ((const WCHAR *)L##text)

enum { BENCH_FILE_BYTES = 0x10000 };

#define CODE_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_RUN  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)

/* The driver: \Device\SvcTest, buffered. CODE_RUN calls bench_routine in the driver's context. */
void bench_start(void);
void bench_stop(void);
extern NTSTATUS (*bench_routine)(IRP *irp);
/* Writes it saw, and what the last one began with. */
extern ULONG bench_writes;
extern UCHAR bench_written[2];

/* What must be the same after a test as before it. */
struct bench_counts {
    SIZE_T user_handles, kernel_handles, pool, irps;
};
struct bench_counts bench_counts(void);
void bench_check(const struct bench_counts *before);

/* Fresh user pages; page(1) is the last address of nothing: the page after it is unmapped. */
ULONG_PTR bench_user_page(ULONG prot);
/* A system call with these arguments, from a user-mode thread's point of view. */
NTSTATUS bench_call(ULONG number, const ULONG64 *values);
/* The user page that bench_call puts the arguments in. */
ULONG_PTR bench_block(void);
#define CALL(name, ...) bench_call(SVC_NUMBER_##name, (const ULONG64[]){__VA_ARGS__})

int run_memory_tests(void);
int run_section_tests(void);
int run_memory_race_tests(void);
int run_hostile_tests(void);
int run_pointer_tests(void);
int run_story_tests(void);
int run_object_tests(void);
int run_wait_tests(void);
int run_process_tests(void);
int run_async_tests(void);
