/* pnp_test.h - what the suites of plug and play share: a function driver inside the test, which notes what it is asked.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdk/wdm.h"
#include "io.h"
#include "ke.h"
#include "pnp.h"
#include "ps.h"
#include "rtl.h"

#include <cmocka.h>

#define WIDE(text) ((const WCHAR *)L##text)

/* How the driver behaves; reset by driver_load. */
struct behaviour {
    NTSTATUS add, start, query_remove;    /* what it answers; a failure is its own, and not passed down */
    PNP_DEVICE_STATE state;               /* adds to IRP_MN_QUERY_PNP_DEVICE_STATE */
    void (*on_start)(DEVICE_OBJECT *pdo); /* after the drivers below have started */
    void (*on_remove)(DEVICE_OBJECT *pdo);
    bool quiet;          /* notes nothing: several threads use it */
    bool starts_later;   /* IRP_MN_START_DEVICE stays pending, and another thread completes it */
    bool keeps_attached; /* forgets IoDetachDevice */
};
extern struct behaviour behaviour;

/* What it noted, as words: "add start capabilities ...", and where. */
extern char driver_log[2048];
extern DRIVER_OBJECT *driver;
extern DEVICE_OBJECT *driver_pdo, *driver_fdo; /* of its newest device */
extern PEPROCESS seen_process;                 /* that AddDevice and IRP_MJ_PNP ran in */
extern KPROCESSOR_MODE seen_mode;
extern DEVICE_CAPABILITIES seen_capabilities;
void driver_note(const char *word);
/* A name that a routine gave goes; what it said stays until the next call. */
UNICODE_STRING kept_name(UNICODE_STRING *name);

/* Loads the driver; its device is not started yet. */
void driver_load(void);
/* The same and starts its device, which must succeed. */
struct pnp_node *driver_start(void);
/* Removes its devices, unloads it, and holds what it leaves behind against nothing. */
void driver_end(void);

int run_device_tests(void);
int run_race_tests(void);
int run_interface_tests(void);
int run_notify_tests(void);
int run_property_tests(void);
int run_power_tests(void);
