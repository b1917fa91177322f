/*
 * remove.c - a device's way down: asked and then removed, or gone by surprise.
 */
#include "pnp_internal.h"

LONG pnp_open_files(const struct pnp_node *node)
{
    LONG count = 0;
    for (const DEVICE_OBJECT *device = node->pdo; device; device = device->AttachedDevice)
        count += __atomic_load_n(&device->ReferenceCount, __ATOMIC_ACQUIRE);
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
    io_device_of(above)->attached_to = NULL;
    node->pdo->AttachedDevice = NULL;
}

void pnp_node_remove(struct pnp_node *node)
{
    bool added = node->state != PNP_ENUMERATED;
    io_device_of(node->pdo)->unready = true;
    if (added)
        pnp_send_minor(node, IRP_MN_REMOVE_DEVICE);
    else
        io_device_delete(node->pdo);
    detach_leftovers(node);
    if (added && !io_device_of(node->pdo)->deleted) {
        io_warn((ULONG_PTR)node->driver->MajorFunction[IRP_MJ_PNP] + 1,
                "IRP_MN_REMOVE_DEVICE was not passed down to the bus");
        io_device_delete(node->pdo);
    }
    node->state = PNP_REMOVED;
    plat_lock_acquire(&pnp_lock);
    RemoveEntryList(&node->link);
    plat_lock_release(&pnp_lock);
    ((struct pnp_node **)node->pdo->DeviceExtension)[0] = NULL;
    pnp_node_release(node);
}

/* Asks; STATUS_SUCCESS: the device may be removed. */
static NTSTATUS query_remove(struct pnp_node *node)
{
    NTSTATUS status = pnp_send_minor(node, IRP_MN_QUERY_REMOVE_DEVICE);
    if (NT_SUCCESS(status) && pnp_open_files(node))
        status = STATUS_DEVICE_BUSY;
    if (!NT_SUCCESS(status))
        pnp_send_minor(node, IRP_MN_CANCEL_REMOVE_DEVICE);
    return status;
}

NTSTATUS pnp_driver_remove(DRIVER_OBJECT *driver)
{
    struct pnp_node *node;
    while ((node = pnp_driver_node(driver, 0)) != NULL) {
        NTSTATUS status = STATUS_SUCCESS;
        if (node->state == PNP_STARTED)
            status = query_remove(node);
        else if (pnp_open_files(node))
            status = STATUS_DEVICE_BUSY;
        if (!NT_SUCCESS(status))
            return status;
        node->present = false;
        pnp_node_remove(node);
    }
    return STATUS_SUCCESS;
}

void pnp_surprise_remove(struct pnp_node *node)
{
    if (node->state != PNP_STARTED)
        return;
    node->state = PNP_SURPRISED;
    node->present = false;
    pnp_send_minor(node, IRP_MN_SURPRISE_REMOVAL);
    if (!pnp_open_files(node))
        pnp_node_remove(node);
}
