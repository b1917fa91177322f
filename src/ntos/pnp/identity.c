/*
 * identity.c - what a device of the virtual bus says of itself: its identifiers, texts and capabilities.
 */
#include "pnp_internal.h"

enum { TEXT_MAX = 256 };

/* "\Driver\X" without its folder, as bytes. */
void pnp_driver_name(const struct pnp_node *node, char *name, SIZE_T size)
{
    const USHORT skip = 8;
    UNICODE_STRING whole = node->driver->DriverName;
    ULONG length = 0;
    if (whole.Length / sizeof(WCHAR) > skip)
        RtlUnicodeToMultiByteN(name, (ULONG)size - 1, &length, whole.Buffer + skip,
                               whole.Length - skip * (ULONG)sizeof(WCHAR));
    name[length] = 0;
}

/* A pool block with these characters and two terminators. '|' becomes a terminator: the end of one text of a list. */
static WCHAR *widen(const char *text)
{
    SIZE_T length = nt_strlen(text);
    WCHAR *wide = rtl_pool.allocate((length + 2) * sizeof(WCHAR), PNP_TAG);
    ULONG bytes = 0;
    if (!wide)
        return NULL;
    RtlMultiByteToUnicodeN(wide, (ULONG)(length * sizeof(WCHAR)), &bytes, text, (ULONG)length);
    for (ULONG i = 0; i < bytes / sizeof(WCHAR); i++)
        wide[i] = wide[i] == '|' ? 0 : wide[i];
    wide[bytes / sizeof(WCHAR)] = wide[bytes / sizeof(WCHAR) + 1] = 0;
    return wide;
}

static NTSTATUS give(const char *text, WCHAR **wide)
{
    *wide = widen(text);
    return *wide ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS pnp_identity(const struct pnp_node *node, BUS_QUERY_ID_TYPE type, WCHAR **text)
{
    char line[TEXT_MAX], driver[TEXT_MAX / 2];
    switch (type) {
    case BusQueryDeviceID:
        return give("ROOT\\UMA", text);
    case BusQueryInstanceID:
        rtl_print(line, sizeof(line), "%04u", node->number);
        return give(line, text);
    case BusQueryHardwareIDs: /* as for a root-enumerated device: the names an INF of the driver would list */
        pnp_driver_name(node, driver, sizeof(driver));
        rtl_print(line, sizeof(line), "ROOT\\%s|ROOT\\UMA", driver);
        return give(line, text);
    case BusQueryCompatibleIDs:
        return give("UMA\\DEVICE", text);
    default:
        return STATUS_NOT_SUPPORTED;
    }
}

NTSTATUS pnp_text(const struct pnp_node *node, DEVICE_TEXT_TYPE type, WCHAR **text)
{
    char line[TEXT_MAX], driver[TEXT_MAX / 2];
    if (type == DeviceTextDescription) {
        pnp_driver_name(node, driver, sizeof(driver));
        rtl_print(line, sizeof(line), "%s device", driver);
    } else if (type == DeviceTextLocationInformation) {
        rtl_print(line, sizeof(line), "virtual bus, slot %u", node->number);
    } else {
        return STATUS_NOT_SUPPORTED;
    }
    return give(line, text);
}

/* The device sleeps as deep as it can whenever the system does, and does not wake it. */
void pnp_capabilities_fill(const struct pnp_node *node, DEVICE_CAPABILITIES *capabilities)
{
    capabilities->UniqueID = TRUE;
    capabilities->SilentInstall = TRUE;
    capabilities->SurpriseRemovalOK = TRUE;
    capabilities->EjectSupported = TRUE;
    capabilities->Removable = TRUE;
    capabilities->Address = capabilities->UINumber = node->number;
    capabilities->DeviceState[PowerSystemUnspecified] = PowerDeviceUnspecified;
    capabilities->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    for (ULONG i = PowerSystemSleeping1; i < PowerSystemMaximum; i++)
        capabilities->DeviceState[i] = PowerDeviceD3;
    capabilities->SystemWake = PowerSystemUnspecified;
    capabilities->DeviceWake = PowerDeviceUnspecified;
}
