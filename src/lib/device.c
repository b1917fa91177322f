/*
 * device.c - the embedding API's plug and play: a driver's device on the virtual bus, its interfaces, and what happens
 * to it.
 */
#include "lib.h"
#include "pnp.h"
#include <stdio.h>

bool uma_driver_interface(const struct uma_driver *driver, unsigned index, struct uma_interface *interface)
{
    struct pnp_interface_info info;
    *interface = (struct uma_interface){0};
    if (!pnp_driver_interface(driver->object, index, &info))
        return false;
    interface->enabled = info.enabled;
    snprintf(interface->class_guid, sizeof(interface->class_guid), "%s", info.class);
    snprintf(interface->link, sizeof(interface->link), "%s", info.link);
    return true;
}

bool uma_driver_instance(const struct uma_driver *driver, char name[UMA_NAME_MAX])
{
    const struct pnp_node *node = pnp_driver_node(driver->object, 0);
    snprintf(name, UMA_NAME_MAX, "%s", node ? pnp_node_instance(node) : "");
    return node != NULL;
}

uma_status uma_surprise_removal(struct uma_driver *driver)
{
    struct pnp_node *node = pnp_driver_node(driver->object, 0);
    if (!node)
        return STATUS_NO_SUCH_DEVICE;
    watchdog_arm("the surprise removal");
    pnp_surprise_remove(node);
    watchdog_disarm();
    return STATUS_SUCCESS;
}

uma_status uma_restart_device(struct uma_driver *driver)
{
    struct pnp_node *node = pnp_driver_node(driver->object, 0);
    if (!node)
        return STATUS_NO_SUCH_DEVICE;
    watchdog_arm("the restart of the device");
    NTSTATUS status = pnp_restart(node);
    watchdog_disarm();
    return status;
}

uma_status uma_system_power(unsigned state)
{
    static const SYSTEM_POWER_STATE states[] = {PowerSystemWorking, PowerSystemSleeping1, PowerSystemSleeping2,
                                                PowerSystemSleeping3, PowerSystemHibernate};
    if (state >= RTL_NUMBER_OF(states))
        return STATUS_INVALID_PARAMETER;
    watchdog_arm("a power request");
    NTSTATUS status = pnp_system_power(states[state]);
    watchdog_disarm();
    return status;
}
