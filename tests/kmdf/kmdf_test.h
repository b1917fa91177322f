/* kmdf_test.h - what the suites of the framework share: a driver inside the test, and a record of its callbacks. */
#pragma once
#include "../ntos/ntos_test.h"
#include "kmdf.h"

int run_bind_tests(void);
int run_object_tests(void);
int run_lifecycle_tests(void);
int run_object_types_tests(void);
int run_end_of_use_tests(void);
int run_request_end_tests(void);
int run_shortage_tests(void);
int run_device_tests(void);
int run_deferred_tests(void);
int run_lock_tests(void);
int run_queue_tests(void);
int run_queue_load_tests(void);
int run_reserve_tests(void);
int run_collection_tests(void);
int run_registry_tests(void);
int run_memory_tests(void);
int run_buffer_tests(void);
int run_probe_lock_tests(void);
int run_target_tests(void);
int run_request_send_tests(void);
int run_request_sent_tests(void);
int run_request_misuse_tests(void);
int run_forward_tests(void);
int run_forward_cancel_tests(void);
int run_target_removal_tests(void);
/* Shows how each status of the two probe-and-lock calls was provoked, as a table. */
void print_probe_lock_table(void);

/* Bind information as a driver carries it; the pointers are variables of the driver's. */
struct test_bind {
    ULONG size;
    const WCHAR *component;
    ULONG major, minor, build, count;
    void *table, *module;
    ULONG *minimum;
    BOOLEAN *higher;
    ULONG *count_pointer, *struct_count;
    void *struct_table;
};
struct test_bind test_bind_info(void *table, ULONG count);
NTSTATUS test_bind(DRIVER_OBJECT *driver, struct test_bind *info, PWDF_DRIVER_GLOBALS *globals);

/*
 * Loads a non-PnP framework driver whose entry binds, creates its driver object and then calls entry (null: no more).
 * test_unload unloads and unbinds it.
 */
extern PWDF_DRIVER_GLOBALS test_globals;
extern DRIVER_OBJECT *test_driver;
extern WDFDRIVER test_wdf_driver;
NTSTATUS test_load(NTSTATUS (*entry)(void));
NTSTATUS test_unload(void);

/* A control device of the loaded driver, deleted with it. */
WDFDEVICE test_control_device(WDF_SYNCHRONIZATION_SCOPE scope, WDF_EXECUTION_LEVEL level);

/* Has attempt made again and again, with its first allocation refused, its second ...: each time it must fail for want
 * of resources and leave nothing. Returns how many allocations it makes when it succeeds in the end. (shortage_test.c)
 */
int with_each_refused(NTSTATUS (*attempt)(void));

/* What callbacks wrote down, in order: "cleanup child; destroy child; ". */
extern char test_record[1024];
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A control device whose requests go to test_in_caller in the sender's thread, unless that is null, then to
 * test_in_queue, unless that is null. What a hook does not complete (true: it has, or keeps the request) goes on, to
 * success in the end. test_close also unloads, and nothing may be left.
 */
extern bool (*test_in_caller)(WDFREQUEST request);
extern bool (*test_in_queue)(WDFREQUEST request);
extern WDFQUEUE test_queue;
struct io_file *test_open(WDF_DEVICE_IO_TYPE io_type);
void test_close(struct io_file *file);
