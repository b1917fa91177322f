/*
 * wdfpnp.h - plug and play and power of devices: structures that drivers fill, idle references. Include wdf.h.
 */
#ifndef _WDFPNP_H_
#define _WDFPNP_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_PNPPOWER_EVENT_CALLBACKS_INIT(PWDF_PNPPOWER_EVENT_CALLBACKS Callbacks)
{
    RtlZeroMemory(Callbacks, sizeof(*Callbacks));
    Callbacks->Size = sizeof(*Callbacks);
}

FORCEINLINE VOID WDF_POWER_POLICY_EVENT_CALLBACKS_INIT(PWDF_POWER_POLICY_EVENT_CALLBACKS Callbacks)
{
    RtlZeroMemory(Callbacks, sizeof(*Callbacks));
    Callbacks->Size = sizeof(*Callbacks);
}

FORCEINLINE VOID WDF_FDO_EVENT_CALLBACKS_INIT(PWDF_FDO_EVENT_CALLBACKS Callbacks)
{
    RtlZeroMemory(Callbacks, sizeof(*Callbacks));
    Callbacks->Size = sizeof(*Callbacks);
}

FORCEINLINE VOID WDF_REMOVE_LOCK_OPTIONS_INIT(PWDF_REMOVE_LOCK_OPTIONS Options, ULONG Flags)
{
    RtlZeroMemory(Options, sizeof(*Options));
    Options->Size = sizeof(*Options);
    Options->Flags = Flags;
}

FORCEINLINE VOID WDF_DEVICE_STATE_INIT(PWDF_DEVICE_STATE DeviceState)
{
    RtlZeroMemory(DeviceState, sizeof(*DeviceState));
    DeviceState->Size = sizeof(*DeviceState);
    DeviceState->Disabled = WdfUseDefault;
    DeviceState->DontDisplayInUI = WdfUseDefault;
    DeviceState->Failed = WdfUseDefault;
    DeviceState->NotDisableable = WdfUseDefault;
    DeviceState->Removed = WdfUseDefault;
    DeviceState->ResourcesChanged = WdfUseDefault;
    DeviceState->AssignedToGuest = WdfUseDefault;
}

FORCEINLINE VOID WDF_DEVICE_PNP_CAPABILITIES_INIT(PWDF_DEVICE_PNP_CAPABILITIES Capabilities)
{
    RtlZeroMemory(Capabilities, sizeof(*Capabilities));
    Capabilities->Size = sizeof(*Capabilities);
    Capabilities->LockSupported = WdfUseDefault;
    Capabilities->EjectSupported = WdfUseDefault;
    Capabilities->Removable = WdfUseDefault;
    Capabilities->DockDevice = WdfUseDefault;
    Capabilities->UniqueID = WdfUseDefault;
    Capabilities->SilentInstall = WdfUseDefault;
    Capabilities->SurpriseRemovalOK = WdfUseDefault;
    Capabilities->HardwareDisabled = WdfUseDefault;
    Capabilities->NoDisplayInUI = WdfUseDefault;
    Capabilities->Address = (ULONG)-1;
    Capabilities->UINumber = (ULONG)-1;
}

FORCEINLINE VOID WDF_DEVICE_POWER_CAPABILITIES_INIT(PWDF_DEVICE_POWER_CAPABILITIES Capabilities)
{
    RtlZeroMemory(Capabilities, sizeof(*Capabilities));
    Capabilities->Size = sizeof(*Capabilities);
    Capabilities->DeviceD1 = WdfUseDefault;
    Capabilities->DeviceD2 = WdfUseDefault;
    Capabilities->WakeFromD0 = WdfUseDefault;
    Capabilities->WakeFromD1 = WdfUseDefault;
    Capabilities->WakeFromD2 = WdfUseDefault;
    Capabilities->WakeFromD3 = WdfUseDefault;
    Capabilities->DeviceWake = PowerDeviceMaximum;
    Capabilities->SystemWake = PowerSystemMaximum;
    Capabilities->D1Latency = (ULONG)-1;
    Capabilities->D2Latency = (ULONG)-1;
    Capabilities->D3Latency = (ULONG)-1;
    Capabilities->IdealDxStateForSx = PowerDeviceMaximum;
    for (ULONG State = 0; State < sizeof(Capabilities->DeviceState) / sizeof(*Capabilities->DeviceState); State++)
        Capabilities->DeviceState[State] = PowerDeviceMaximum;
}

FORCEINLINE VOID WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS Settings,
                                                            WDF_POWER_POLICY_S0_IDLE_CAPABILITIES IdleCaps)
{
    RtlZeroMemory(Settings, sizeof(*Settings));
    Settings->Size = sizeof(*Settings);
    Settings->IdleCaps = IdleCaps;
    Settings->DxState = IdleCaps == IdleCannotWakeFromS0 ? PowerDeviceD3 : PowerDeviceMaximum;
    Settings->IdleTimeout = IdleTimeoutDefaultValue;
    Settings->UserControlOfIdleSettings = IdleAllowUserControl;
    Settings->Enabled = WdfUseDefault;
    Settings->PowerUpIdleDeviceOnSystemWake = WdfUseDefault;
    Settings->IdleTimeoutType = DriverManagedIdleTimeout;
    Settings->ExcludeD3Cold = WdfUseDefault;
}

FORCEINLINE VOID WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS_INIT(PWDF_DEVICE_POWER_POLICY_WAKE_SETTINGS Settings)
{
    RtlZeroMemory(Settings, sizeof(*Settings));
    Settings->Size = sizeof(*Settings);
    Settings->DxState = PowerDeviceMaximum;
    Settings->UserControlOfWakeSettings = WakeAllowUserControl;
    Settings->Enabled = WdfUseDefault;
}

FORCEINLINE VOID WDF_DEVICE_PROPERTY_DATA_INIT(PWDF_DEVICE_PROPERTY_DATA PropertyData, const DEVPROPKEY *PropertyKey)
{
    RtlZeroMemory(PropertyData, sizeof(*PropertyData));
    PropertyData->Size = sizeof(*PropertyData);
    PropertyData->PropertyKey = PropertyKey;
}

FORCEINLINE VOID WDF_QUERY_INTERFACE_CONFIG_INIT(
    PWDF_QUERY_INTERFACE_CONFIG InterfaceConfig, PINTERFACE Interface, const GUID *InterfaceType,
    PFN_WDF_DEVICE_PROCESS_QUERY_INTERFACE_REQUEST EvtDeviceProcessQueryInterfaceRequest)
{
    RtlZeroMemory(InterfaceConfig, sizeof(*InterfaceConfig));
    InterfaceConfig->Size = sizeof(*InterfaceConfig);
    InterfaceConfig->Interface = Interface;
    InterfaceConfig->InterfaceType = InterfaceType;
    InterfaceConfig->EvtDeviceProcessQueryInterfaceRequest = EvtDeviceProcessQueryInterfaceRequest;
}

#ifdef _WIN32
/* For INTERFACE.InterfaceReference and InterfaceDereference, where nobody counts. */
FORCEINLINE VOID NTAPI WdfDeviceInterfaceReferenceNoOp(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

FORCEINLINE VOID NTAPI WdfDeviceInterfaceDereferenceNoOp(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}
#endif

#define WDF_INSERT_AT_END ((ULONG)0xFFFFFFFF)

#ifdef _WIN32
#define WdfDeviceStopIdle(Device, WaitForD0) WdfDeviceStopIdleActual(Device, WaitForD0, NULL, __LINE__, __FILE__)
#define WdfDeviceResumeIdle(Device)          WdfDeviceResumeIdleActual(Device, NULL, __LINE__, __FILE__)
#define WdfDeviceStopIdleWithTag(Device, WaitForD0, Tag)                                                               \
    WdfDeviceStopIdleActual(Device, WaitForD0, (PVOID)(Tag), __LINE__, __FILE__)
#define WdfDeviceResumeIdleWithTag(Device, Tag) WdfDeviceResumeIdleActual(Device, (PVOID)(Tag), __LINE__, __FILE__)
#endif

#endif
