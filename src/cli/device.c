/*
 * device.c - finds the device that a run opens: by name, or by an interface of a driver on the virtual bus.
 */
#include "device.h"
#include <stdio.h>
#include <strings.h>

/* The first enabled interface; class null: of any class. */
static bool find_interface(const struct uma_driver *driver, const char *class, char link[UMA_LINK_MAX])
{
    struct uma_interface interface;
    for (unsigned i = 0; uma_driver_interface(driver, i, &interface); i++) {
        if (!interface.enabled || (class && strcasecmp(class, interface.class_guid)))
            continue;
        snprintf(link, UMA_LINK_MAX, "%s", interface.link);
        return true;
    }
    return false;
}

bool device_choose(const struct uma_driver *driver, const char *wanted, char name[UMA_LINK_MAX],
                   char error[DEVICE_ERROR_MAX])
{
    char first[UMA_NAME_MAX];
    name[0] = error[0] = 0;
    if (wanted[0] == '{') {
        if (find_interface(driver, wanted, name))
            return true;
        snprintf(error, DEVICE_ERROR_MAX, "the driver has enabled no interface of class %.100s", wanted);
        return false;
    }
    if (wanted[0] || uma_driver_device(driver, 0, first)) {
        snprintf(name, UMA_LINK_MAX, "%s", wanted[0] ? wanted : first);
        return true;
    }
    if (find_interface(driver, NULL, name))
        return true;
    snprintf(error, DEVICE_ERROR_MAX,
             "the driver has enabled no interface and has created no device with a name; give --device");
    return false;
}

void device_print(const struct uma_driver *driver)
{
    struct uma_interface interface;
    char instance[UMA_NAME_MAX];
    if (!uma_driver_instance(driver, instance))
        return;
    printf("device %s: started on the virtual bus\n", instance);
    for (unsigned i = 0; uma_driver_interface(driver, i, &interface); i++)
        if (interface.enabled)
            printf("   interface %s: %s\n", interface.class_guid, interface.link);
    fflush(stdout);
}
