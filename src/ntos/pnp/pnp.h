/*
 * pnp.h - plug and play for the floors above: a driver's device on the virtual bus, from AddDevice to its removal.
 *
 * The bus is a driver of our own (\Driver\UmaBus). It enumerates one device, ROOT\UMA\000N, for each driver that has an
 * AddDevice routine. IRQL PASSIVE_LEVEL throughout; drivers are called in the context of the system process.
 */
#pragma once
#include "wdk/pnp.h"
#include "io.h"

/* Makes the bus. Once, after nt_start. */
NTSTATUS pnp_start(void);

struct pnp_node; /* a device as the PnP manager knows it */

/* Which of a driver's answers ended a start: for messages. */
struct pnp_failure {
    const char *step; /* "AddDevice", "IRP_MN_START_DEVICE", ... */
    NTSTATUS status;
};

/*
 * Enumerates a device for the driver and starts it: AddDevice, resource requests, IRP_MN_START_DEVICE, capabilities,
 * state, relations. If one of them fails, the device is gone again, and *failure says which. node may be null.
 */
NTSTATUS pnp_driver_start(DRIVER_OBJECT *driver, struct pnp_node **node, struct pnp_failure *failure);
/*
 * Removes all devices of the driver: IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_REMOVE_DEVICE. STATUS_DEVICE_BUSY: files are
 * open on one; or the status with which its drivers refused. The device then goes on (IRP_MN_CANCEL_REMOVE_DEVICE).
 */
NTSTATUS pnp_driver_remove(DRIVER_OBJECT *driver);
/*
 * The device is gone without asking: IRP_MN_SURPRISE_REMOVAL, and IRP_MN_REMOVE_DEVICE once no file is open on it.
 */
void pnp_surprise_remove(struct pnp_node *node);
/* The device is stopped and started again, as when resources are shared out anew. The status of who refuses to stop; if
 * it does not start, it is removed by surprise. */
NTSTATUS pnp_restart(struct pnp_node *node);
/* After the driver's unload: what it has not taken back is called no more. */
void pnp_driver_forget(const DRIVER_OBJECT *driver);
/* Waits until the workers have done what drivers have asked for. */
void pnp_idle_wait(void);
/* The index-th device of a driver, in order of enumeration, or null. */
struct pnp_node *pnp_driver_node(const DRIVER_OBJECT *driver, ULONG index);
/* Its physical device object. */
DEVICE_OBJECT *pnp_node_pdo(const struct pnp_node *node);
/* Its instance: "ROOT\\UMA\\0000". */
const char *pnp_node_instance(const struct pnp_node *node);
/* The index-th interface of the driver's devices, in order of registration; false: there are not so many. */
struct pnp_interface_info {
    char class[40];  /* "{...}", in lower case */
    char link[1024]; /* "\\?\\..." as user mode has it, UTF-8 */
    bool enabled;
};
bool pnp_driver_interface(const DRIVER_OBJECT *driver, ULONG index, struct pnp_interface_info *info);

/*
 * The system goes to sleep (PowerSystemSleeping1 to 3, PowerSystemHibernate) or wakes (PowerSystemWorking): every
 * started device is asked, newest first, and told; told only, oldest first, on waking. The status with which one
 * refuses to sleep: then those that have agreed are told to stay awake.
 */
NTSTATUS pnp_system_power(SYSTEM_POWER_STATE state);
