/*
 * remove.c - a device's way down: asked and then removed, ejected, or gone by surprise. Callers have begun work on
 * devices (action.c), except where a function does so itself.
 */
#include "pnp_internal.h"

LONG pnp_open_files(const struct pnp_node *node)
{
    LONG count = 0;
    plat_lock_acquire(&io_lock);
    for (const DEVICE_OBJECT *device = node->pdo; device; device = device->AttachedDevice)
        count += __atomic_load_n(&device->ReferenceCount, __ATOMIC_ACQUIRE);
    plat_lock_release(&io_lock);
    return count;
}

/* A driver that forgets its device leaves it on top of a PDO that goes. */
static void detach_leftovers(struct pnp_node *node)
{
    DEVICE_OBJECT *above = node->pdo->AttachedDevice;
    if (!above)
        return;
    io_warn((ULONG_PTR)node->driver->MajorFunction[IRP_MJ_PNP] + 1,
            "a device was removed and its driver has not detached its own device from it");
    plat_lock_acquire(&io_lock);
    io_device_of(above)->attached_to = NULL;
    node->pdo->AttachedDevice = NULL;
    plat_lock_release(&io_lock);
}

/* The drivers let go of the device; with present false, the bus as well. */
static void remove_stack(struct pnp_node *node)
{
    io_device_set_unready(node->pdo, true);
    if (pnp_node_state(node) == PNP_STARTED)
        pnp_notify_target(node, PNP_REMOVE_COMPLETE);
    pnp_send_minor(node, IRP_MN_REMOVE_DEVICE);
    detach_leftovers(node);
    if (!node->present && !io_device_of(node->pdo)->deleted) {
        io_warn((ULONG_PTR)node->driver->MajorFunction[IRP_MJ_PNP] + 1,
                "IRP_MN_REMOVE_DEVICE was not passed down to the bus");
        io_device_delete(node->pdo);
    }
    pnp_interfaces_disable(node);
}

void pnp_node_remove(struct pnp_node *node)
{
    node->present = false;
    if (pnp_node_state(node) == PNP_ENUMERATED)
        io_device_delete(node->pdo);
    else
        remove_stack(node);
    plat_lock_acquire(&pnp_lock);
    pnp_node_set_state(node, PNP_REMOVED);
    RemoveEntryList(&node->link);
    plat_lock_release(&pnp_lock);
    pnp_interfaces_drop(node);
    pnp_node_release(node);
}

/* Asks; STATUS_SUCCESS: the device may be removed, and cannot be opened any more. */
static NTSTATUS query_remove(struct pnp_node *node)
{
    NTSTATUS status = pnp_notify_target(node, PNP_QUERY_REMOVE);
    if (!NT_SUCCESS(status))
        return status;
    status = pnp_send_minor(node, IRP_MN_QUERY_REMOVE_DEVICE);
    io_device_set_unready(node->pdo, true);
    if (NT_SUCCESS(status) && pnp_open_files(node))
        status = STATUS_DEVICE_BUSY;
    if (!NT_SUCCESS(status)) {
        pnp_send_minor(node, IRP_MN_CANCEL_REMOVE_DEVICE);
        io_device_set_unready(node->pdo, false);
        pnp_notify_target(node, PNP_REMOVE_CANCELLED);
    }
    return status;
}

static NTSTATUS remove_in_order(struct pnp_node *node)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (pnp_node_state(node) == PNP_STARTED)
        status = query_remove(node);
    else if (pnp_open_files(node))
        status = STATUS_DEVICE_BUSY;
    if (NT_SUCCESS(status))
        pnp_node_remove(node);
    return status;
}

NTSTATUS pnp_driver_remove(DRIVER_OBJECT *driver)
{
    struct pnp_node *node;
    NTSTATUS status = STATUS_SUCCESS;
    pnp_work_begin();
    while (NT_SUCCESS(status) && (node = pnp_driver_node(driver, 0)) != NULL)
        status = remove_in_order(node);
    pnp_work_end();
    pnp_idle_wait();
    return status;
}

void pnp_driver_forget(const DRIVER_OBJECT *driver)
{
    pnp_listeners_forget(driver);
}

/* ---- surprises ---- */

static void surprise(struct pnp_node *node)
{
    plat_lock_acquire(&pnp_lock);
    pnp_node_set_state(node, PNP_SURPRISED);
    plat_lock_release(&pnp_lock);
    io_device_set_unready(node->pdo, true);
    pnp_send_minor(node, IRP_MN_SURPRISE_REMOVAL);
    pnp_interfaces_disable(node);
    pnp_notify_target(node, PNP_REMOVE_COMPLETE);
    pnp_node_remove_unused(node);
}

void pnp_node_remove_unused(struct pnp_node *node)
{
    if (pnp_node_state(node) == PNP_SURPRISED && !pnp_open_files(node))
        pnp_node_remove(node);
}

void pnp_node_fail(struct pnp_node *node)
{
    if (pnp_node_state(node) == PNP_STARTED)
        surprise(node);
    else
        pnp_node_remove(node);
}

void pnp_surprise_remove(struct pnp_node *node)
{
    pnp_work_begin();
    if (pnp_node_state(node) == PNP_STARTED)
        surprise(node);
    pnp_work_end();
}

void pnp_file_gone(DEVICE_OBJECT *device)
{
    DEVICE_OBJECT *bottom = io_device_bottom(device);
    struct pnp_node *node = pnp_node_of(bottom);
    bool surprised = node && pnp_node_state(node) == PNP_SURPRISED;
    if (surprised && !pnp_work_is_mine() && pnp_work_try()) {
        pnp_node_remove_unused(node);
        pnp_work_end();
    } else if (surprised) {
        pnp_act_later(node, PNP_ACT_REMOVE_UNUSED);
    }
    ob_dereference(bottom);
}

/* ---- ejection ---- */

NTSTATUS pnp_node_eject(struct pnp_node *node)
{
    if (pnp_node_state(node) != PNP_STARTED)
        return STATUS_DEVICE_NOT_READY;
    NTSTATUS status = query_remove(node);
    if (!NT_SUCCESS(status))
        return status;
    remove_stack(node); /* the bus keeps its device, and then ejects it */
    pnp_send_minor(node, IRP_MN_EJECT);
    pnp_node_set_state(node, PNP_ADDED);
    pnp_node_remove(node);
    return STATUS_SUCCESS;
}
