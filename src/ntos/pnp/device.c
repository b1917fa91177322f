/*
 * device.c - a device's way up: AddDevice, resources, start, and the questions that follow; and its restart.
 */
#include "pnp_internal.h"

/* What AddDevice made is above the PDO. It has to say itself that its device is ready. */
static void check_added(const struct pnp_node *node, ULONG_PTR routine)
{
    for (const DEVICE_OBJECT *device = node->pdo->AttachedDevice; device; device = device->AttachedDevice)
        if (device->Flags & DO_DEVICE_INITIALIZING)
            io_warn(routine + 1, "AddDevice left DO_DEVICE_INITIALIZING set in its device");
}

static NTSTATUS add_device(struct pnp_node *node)
{
    struct pnp_context context;
    ULONG_PTR routine = (ULONG_PTR)node->driver->DriverExtension->AddDevice;
    struct io_balance before = io_balance_take();
    pnp_enter_system(&context);
    NTSTATUS status = (NTSTATUS)seh_driver_call(routine, (ULONG_PTR)node->driver, (ULONG_PTR)node->pdo, 0, 0);
    pnp_leave_system(&context);
    io_balance_check(&before, routine);
    if (NT_SUCCESS(status)) {
        pnp_node_set_state(node, PNP_ADDED);
        if (ke_verify)
            pnp_verify_added(node, routine);
        check_added(node, routine);
    }
    return status;
}

/* The root enumerates devices without resources, but drivers may ask for some; there are none to be had. */
static void query_resources(struct pnp_node *node)
{
    ULONG_PTR list = 0, filtered = 0;
    struct pnp_request query = {.minor = IRP_MN_QUERY_RESOURCE_REQUIREMENTS};
    if (!NT_SUCCESS(pnp_send(node, &query, &list)))
        list = 0;
    struct pnp_request filter = {
        .minor = IRP_MN_FILTER_RESOURCE_REQUIREMENTS, .information = list, .list = (PVOID)list};
    if (NT_SUCCESS(pnp_send(node, &filter, &filtered)))
        list = filtered; /* who replaces the list frees the old one */
    if (list)
        rtl_pool.release((PVOID)list);
}

static void query_capabilities(struct pnp_node *node)
{
    DEVICE_CAPABILITIES capabilities = {.Size = sizeof(capabilities), .Version = 1, .Address = ~0u, .UINumber = ~0u};
    struct pnp_request query = {.minor = IRP_MN_QUERY_CAPABILITIES, .capabilities = &capabilities};
    if (NT_SUCCESS(pnp_send(node, &query, NULL)))
        node->capabilities = capabilities;
}

/* STATUS_DEVICE_NOT_READY: its drivers say that it has failed, is gone or disabled. */
static NTSTATUS query_state(struct pnp_node *node)
{
    ULONG_PTR flags = 0;
    NTSTATUS status = pnp_send(node, &(struct pnp_request){.minor = IRP_MN_QUERY_PNP_DEVICE_STATE}, &flags);
    node->flags = NT_SUCCESS(status) ? (PNP_DEVICE_STATE)flags : 0;
    return node->flags & (PNP_DEVICE_FAILED | PNP_DEVICE_REMOVED | PNP_DEVICE_DISABLED) ? STATUS_DEVICE_NOT_READY
                                                                                        : STATUS_SUCCESS;
}

/* Devices behind the device are not enumerated: the list is given back. */
void pnp_node_query_children(struct pnp_node *node)
{
    ULONG_PTR list = 0;
    struct pnp_request query = {.minor = IRP_MN_QUERY_DEVICE_RELATIONS, .relation = BusRelations};
    if (pnp_node_state(node) != PNP_STARTED || !NT_SUCCESS(pnp_send(node, &query, &list)) || !list)
        return;
    DEVICE_RELATIONS *relations = (DEVICE_RELATIONS *)list;
    for (ULONG i = 0; i < relations->Count; i++)
        ob_dereference(relations->Objects[i]);
    rtl_pool.release(relations);
}

static NTSTATUS start_device(struct pnp_node *node, const char **step)
{
    query_resources(node);
    *step = "IRP_MN_START_DEVICE";
    NTSTATUS status = pnp_send_minor(node, IRP_MN_START_DEVICE);
    if (!NT_SUCCESS(status))
        return status;
    pnp_node_set_state(node, PNP_STARTED);
    io_device_set_unready(node->pdo, false);
    query_capabilities(node);
    *step = "IRP_MN_QUERY_PNP_DEVICE_STATE";
    status = query_state(node);
    if (NT_SUCCESS(status)) {
        pnp_node_query_children(node);
        pnp_interfaces_started(node);
    }
    return status;
}

/* Serialized by the caller. */
static NTSTATUS bring_up(DRIVER_OBJECT *driver, struct pnp_node **started, const char **step)
{
    struct pnp_node *node;
    *step = "its enumeration";
    NTSTATUS status = pnp_bus_enumerate(driver, &node);
    if (!NT_SUCCESS(status))
        return status;
    *step = "AddDevice";
    status = add_device(node);
    if (NT_SUCCESS(status))
        status = start_device(node, step);
    if (NT_SUCCESS(status))
        *started = node;
    else
        pnp_node_fail(node);
    return status;
}

NTSTATUS pnp_driver_start(DRIVER_OBJECT *driver, struct pnp_node **started, struct pnp_failure *failure)
{
    const char *step;
    struct pnp_node *node = NULL;
    pnp_work_begin();
    NTSTATUS status = bring_up(driver, &node, &step);
    pnp_work_end();
    if (started)
        *started = node;
    *failure = (struct pnp_failure){node ? NULL : step, status};
    return status;
}

struct pnp_node *pnp_driver_node(const DRIVER_OBJECT *driver, ULONG index)
{
    struct pnp_node *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (LIST_ENTRY *entry = pnp_nodes.Flink; entry != &pnp_nodes && !found; entry = entry->Flink) {
        struct pnp_node *node = CONTAINING_RECORD(entry, struct pnp_node, link);
        if (node->driver == driver && !index--)
            found = node;
    }
    plat_lock_release(&pnp_lock);
    return found;
}

/* ---- restart ---- */

static NTSTATUS stop_device(struct pnp_node *node)
{
    NTSTATUS status = pnp_send_minor(node, IRP_MN_QUERY_STOP_DEVICE);
    if (!NT_SUCCESS(status)) {
        pnp_send_minor(node, IRP_MN_CANCEL_STOP_DEVICE);
        return status;
    }
    io_device_set_unready(node->pdo, true);
    return pnp_send_minor(node, IRP_MN_STOP_DEVICE);
}

/* Serialized by the caller. */
static NTSTATUS restart(struct pnp_node *node)
{
    const char *step;
    if (pnp_node_state(node) != PNP_STARTED)
        return STATUS_DEVICE_NOT_READY;
    NTSTATUS status = stop_device(node);
    if (!NT_SUCCESS(status))
        return status;
    status = start_device(node, &step);
    if (!NT_SUCCESS(status))
        pnp_node_fail(node);
    return status;
}

NTSTATUS pnp_restart(struct pnp_node *node)
{
    pnp_work_begin();
    NTSTATUS status = restart(node);
    pnp_work_end();
    return status;
}

void pnp_node_check_state(struct pnp_node *node)
{
    if (pnp_node_state(node) != PNP_STARTED)
        return;
    if (!NT_SUCCESS(query_state(node)))
        pnp_node_fail(node);
    else if (node->flags & PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED)
        restart(node);
}
