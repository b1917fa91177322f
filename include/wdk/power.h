/*
 * power.h - power states, and what drivers ask of the power manager. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/ntdef.h"

struct _DEVICE_OBJECT;
struct _IRP;
struct _IO_STATUS_BLOCK;

enum { IRP_MN_WAIT_WAKE = 0x00, IRP_MN_POWER_SEQUENCE = 0x01, IRP_MN_SET_POWER = 0x02, IRP_MN_QUERY_POWER = 0x03 };

typedef enum _SYSTEM_POWER_STATE {
    PowerSystemUnspecified,
    PowerSystemWorking,
    PowerSystemSleeping1,
    PowerSystemSleeping2,
    PowerSystemSleeping3,
    PowerSystemHibernate,
    PowerSystemShutdown,
    PowerSystemMaximum
} SYSTEM_POWER_STATE;

typedef enum _DEVICE_POWER_STATE {
    PowerDeviceUnspecified,
    PowerDeviceD0,
    PowerDeviceD1,
    PowerDeviceD2,
    PowerDeviceD3,
    PowerDeviceMaximum
} DEVICE_POWER_STATE;

typedef union _POWER_STATE {
    SYSTEM_POWER_STATE SystemState;
    DEVICE_POWER_STATE DeviceState;
} POWER_STATE;

typedef enum _POWER_STATE_TYPE { SystemPowerState, DevicePowerState } POWER_STATE_TYPE;

typedef enum {
    PowerActionNone,
    PowerActionReserved,
    PowerActionSleep,
    PowerActionHibernate,
    PowerActionShutdown,
    PowerActionShutdownReset,
    PowerActionShutdownOff,
    PowerActionWarmEject
} POWER_ACTION;

typedef VOID(NTAPI REQUEST_POWER_COMPLETE)(struct _DEVICE_OBJECT *DeviceObject, UCHAR MinorFunction,
                                           POWER_STATE PowerState, PVOID Context, struct _IO_STATUS_BLOCK *IoStatus);
typedef REQUEST_POWER_COMPLETE *PREQUEST_POWER_COMPLETE;

typedef NTSTATUS(NTAPI POWER_SETTING_CALLBACK)(const GUID *SettingGuid, PVOID Value, ULONG ValueLength, PVOID Context);
typedef POWER_SETTING_CALLBACK *PPOWER_SETTING_CALLBACK;

NTSTATUS NTAPI PoCallDriver(struct _DEVICE_OBJECT *DeviceObject, struct _IRP *Irp);
VOID NTAPI PoStartNextPowerIrp(struct _IRP *Irp);
NTSTATUS NTAPI PoRequestPowerIrp(struct _DEVICE_OBJECT *DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, struct _IRP **Irp);
POWER_STATE NTAPI PoSetPowerState(struct _DEVICE_OBJECT *DeviceObject, POWER_STATE_TYPE Type, POWER_STATE State);
PULONG NTAPI PoRegisterDeviceForIdleDetection(struct _DEVICE_OBJECT *DeviceObject, ULONG ConservationIdleTime,
                                              ULONG PerformanceIdleTime, DEVICE_POWER_STATE State);
VOID NTAPI PoSetDeviceBusyEx(PULONG IdlePointer);
VOID NTAPI PoStartDeviceBusy(PULONG IdlePointer);
VOID NTAPI PoEndDeviceBusy(PULONG IdlePointer);
VOID NTAPI PoSetSystemState(ULONG Flags);
VOID NTAPI PoSetSystemWake(struct _IRP *Irp);
PVOID NTAPI PoRegisterSystemState(PVOID StateHandle, ULONG Flags);
VOID NTAPI PoUnregisterSystemState(PVOID StateHandle);
NTSTATUS NTAPI PoRegisterPowerSettingCallback(struct _DEVICE_OBJECT *DeviceObject, const GUID *SettingGuid,
                                              PPOWER_SETTING_CALLBACK Callback, PVOID Context, PVOID *Handle);
NTSTATUS NTAPI PoUnregisterPowerSettingCallback(PVOID Handle);
