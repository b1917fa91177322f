/*
 * device.h - which device of a driver a run opens, and what to say of one on the virtual bus.
 */
#pragma once
#include "uma.h"

#define DEVICE_ERROR_MAX 256

/*
 * The name to open. wanted: a device's name or link, a class of interfaces ("{...}": the first enabled one of the
 * driver's), or "": the driver's first device, if it has a name, else its first enabled interface. False: there is none
 * such, and error says so.
 */
bool device_choose(const struct uma_driver *driver, const char *wanted, char name[UMA_LINK_MAX],
                   char error[DEVICE_ERROR_MAX]);
/* One line for the driver's device on the virtual bus, and one for each interface it has enabled; none for a driver
 * without one. */
void device_print(const struct uma_driver *driver);
