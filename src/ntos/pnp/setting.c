/*
 * setting.c - power settings: a machine on mains, with its lid open, its display on, and nobody who changes that. Who
 * registers for a setting that has a value here is told of it at once; there are no changes to tell of.
 */
#include "pnp_internal.h"

/* PoAc, the lid is open, percent, PowerMonitorOn, and so on: each a ULONG. */
static const struct {
    GUID setting;
    ULONG value;
} settings[] = {
    /* GUID_ACDC_POWER_SOURCE */
    {{0x5d3e9a59, 0xe9d5, 0x4b00, {0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48}}, 0},
    /* GUID_LIDSWITCH_STATE_CHANGE */
    {{0xba3e0f4d, 0xb817, 0x4094, {0xa2, 0xd1, 0xd5, 0x63, 0x79, 0xe6, 0xa0, 0xf3}}, 1},
    /* GUID_BATTERY_PERCENTAGE_REMAINING */
    {{0xa7ad8041, 0xb45a, 0x4cae, {0x87, 0xa3, 0xee, 0xcb, 0xb4, 0x68, 0xa9, 0xe1}}, 100},
    /* GUID_MONITOR_POWER_ON */
    {{0x02731015, 0x4510, 0x4526, {0x99, 0xe6, 0xe5, 0xa1, 0x7e, 0xbd, 0x1a, 0xea}}, 1},
    /* GUID_CONSOLE_DISPLAY_STATE */
    {{0x6fe69556, 0x704a, 0x47a0, {0x8f, 0x24, 0xc2, 0x8d, 0x93, 0x6f, 0xda, 0x47}}, 1},
    /* GUID_SYSTEM_AWAYMODE */
    {{0x98a7f580, 0x01f7, 0x48aa, {0x9c, 0x0f, 0x44, 0x35, 0x2c, 0x29, 0xe5, 0xc0}}, 0},
};

/* A registration: a block of the driver's, so that one it does not give back is seen. */
struct registration {
    ULONG_PTR routine;
    PVOID context;
};

static void tell(const struct registration *registration, const GUID *setting)
{
    GUID copy = *setting;
    struct pnp_context context;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(settings); i++) {
        ULONG value = settings[i].value;
        if (__builtin_memcmp(&settings[i].setting, &copy, sizeof(copy)) != 0)
            continue;
        pnp_enter_system(&context);
        seh_driver_call(registration->routine, (ULONG_PTR)&copy, (ULONG_PTR)&value, sizeof(value),
                        (ULONG_PTR)registration->context);
        pnp_leave_system(&context);
    }
}

/*
 * The routine is called with the setting's value, if it has one here, before this returns. *Handle goes to
 * PoUnregisterPowerSettingCallback. STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI PoRegisterPowerSettingCallback(PDEVICE_OBJECT DeviceObject, const GUID *SettingGuid,
                                              PPOWER_SETTING_CALLBACK Callback, PVOID Context, PVOID *Handle)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    struct registration *registration =
        mm_pool_allocate(sizeof(*registration), RTL_TAG('P', 'o', 'S', 't'), 0, MM_POOL_DRIVER, seh_export_caller());
    if (!registration)
        return STATUS_INSUFFICIENT_RESOURCES;
    *registration = (struct registration){(ULONG_PTR)Callback, Context};
    if (Handle)
        *Handle = registration;
    tell(registration, SettingGuid);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PoUnregisterPowerSettingCallback(PVOID Handle)
{
    mm_pool_free(Handle, RTL_TAG('P', 'o', 'S', 't'), seh_export_caller());
    return STATUS_SUCCESS;
}
