/*
 * pnp_fixture.h - what the suites of plug and play share: a bus driver inside the test with one physical device, a
 * framework driver above it that notes each callback, and the PnP manager's part, played by the test.
 */
#pragma once
#include "../ntos/ntos_test.h"
#include "kmdf_device.h"

int run_pnp_tests(void);
int run_pnp_failure_tests(void);
int run_power_tests(void);
int run_pnp_query_tests(void);
int run_power_queue_tests(void);
int run_preprocess_tests(void);
int run_local_target_tests(void);
int run_wmi_tests(void);
int run_property_tests(void);
int run_query_interface_tests(void);

extern PWDF_DRIVER_GLOBALS fdo_globals;
extern DRIVER_OBJECT *fdo_driver;
extern WDFDRIVER fdo_wdf_driver;
extern DEVICE_OBJECT *fdo_pdo;
extern WDFDEVICE fdo_device;

/* What was called, in order: "prepare; D0 from 5; ". */
extern char fdo_record[2048];
void fdo_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The record is exactly that, and begins anew. */
void fdo_expect(const char *record);

/*
 * How the driver behaves, set anew by fdo_load: which callback fails, with STATUS_UNSUCCESSFUL; what EvtDriverDeviceAdd
 * does before and after the device is made (may be null); whether the bus refuses requests of a minor function.
 */
struct fdo_behaviour {
    const char *fails;
    NTSTATUS (*before)(PWDFDEVICE_INIT init);
    NTSTATUS (*after)(WDFDEVICE device);
    bool no_device; /* EvtDriverDeviceAdd makes none */
    bool quiet;     /* no PnP and power callbacks */
    bool short_of;  /* memory: making the device may fail */
    LONG bus_refuses;
};
extern struct fdo_behaviour fdo_behaviour;

/* The driver is loaded and the bus has its physical device. */
void fdo_load(void);
/* Both go; nothing may be left. */
void fdo_unload(void);
/* The PnP manager calls AddDevice. */
NTSTATUS fdo_add(void);
/* fdo_load, fdo_add and IRP_MN_START_DEVICE, and the record is empty. */
void fdo_start(void);
/* IRP_MN_REMOVE_DEVICE and fdo_unload. */
void fdo_end(void);

/* The same with the system's own bus and PnP manager: the driver is loaded; its device is started (the status with
 * which that fails); the device and the driver go, and nothing may be left. */
void fdo_load_on_bus(void);
NTSTATUS fdo_start_on_bus(void);
void fdo_end_on_bus(void);

/* Sends an IRP to the top of the stack and waits for it. fill (may be null) sets the parameters. */
NTSTATUS fdo_send_irp(UCHAR major, UCHAR minor, void (*fill)(IO_STACK_LOCATION *stack), ULONG_PTR *information);
NTSTATUS fdo_send(UCHAR minor);
NTSTATUS fdo_set_device_power(DEVICE_POWER_STATE state);

/* A request that the test keeps, as in queue_fixture.h. */
struct fdo_sent {
    IRP *irp;
    LONG completed;
    NTSTATUS status;
    ULONG_PTR information;
};
/* number: of a METHOD_NEITHER control code, or bytes of a transfer. */
void fdo_request(struct fdo_sent *sent, UCHAR major, ULONG number);
void fdo_gone(struct fdo_sent *sent, NTSTATUS status);
