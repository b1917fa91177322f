/*
 * pnp.h - plug and play: the requests of IRP_MJ_PNP and what goes with them. For ELF builds; see wdm.h.
 */
#pragma once
#include "wdk/io.h"

enum {
    IRP_MN_START_DEVICE = 0x00,
    IRP_MN_QUERY_REMOVE_DEVICE = 0x01,
    IRP_MN_REMOVE_DEVICE = 0x02,
    IRP_MN_CANCEL_REMOVE_DEVICE = 0x03,
    IRP_MN_STOP_DEVICE = 0x04,
    IRP_MN_QUERY_STOP_DEVICE = 0x05,
    IRP_MN_CANCEL_STOP_DEVICE = 0x06,
    IRP_MN_QUERY_DEVICE_RELATIONS = 0x07,
    IRP_MN_QUERY_INTERFACE = 0x08,
    IRP_MN_QUERY_CAPABILITIES = 0x09,
    IRP_MN_QUERY_RESOURCES = 0x0A,
    IRP_MN_QUERY_RESOURCE_REQUIREMENTS = 0x0B,
    IRP_MN_QUERY_DEVICE_TEXT = 0x0C,
    IRP_MN_FILTER_RESOURCE_REQUIREMENTS = 0x0D,
    IRP_MN_READ_CONFIG = 0x0F,
    IRP_MN_WRITE_CONFIG = 0x10,
    IRP_MN_EJECT = 0x11,
    IRP_MN_SET_LOCK = 0x12,
    IRP_MN_QUERY_ID = 0x13,
    IRP_MN_QUERY_PNP_DEVICE_STATE = 0x14,
    IRP_MN_QUERY_BUS_INFORMATION = 0x15,
    IRP_MN_DEVICE_USAGE_NOTIFICATION = 0x16,
    IRP_MN_SURPRISE_REMOVAL = 0x17,
    IRP_MN_DEVICE_ENUMERATED = 0x19
};

/* DEVICE_OBJECT.Flags */
#define DO_BUS_ENUMERATED_DEVICE 0x1000
#define DO_POWER_PAGABLE         0x2000
#define DO_POWER_INRUSH          0x4000

typedef struct _DEVICE_CAPABILITIES {
    USHORT Size, Version;
    ULONG DeviceD1 : 1;
    ULONG DeviceD2 : 1;
    ULONG LockSupported : 1;
    ULONG EjectSupported : 1;
    ULONG Removable : 1;
    ULONG DockDevice : 1;
    ULONG UniqueID : 1;
    ULONG SilentInstall : 1;
    ULONG RawDeviceOK : 1;
    ULONG SurpriseRemovalOK : 1;
    ULONG WakeFromD0 : 1;
    ULONG WakeFromD1 : 1;
    ULONG WakeFromD2 : 1;
    ULONG WakeFromD3 : 1;
    ULONG HardwareDisabled : 1;
    ULONG NonDynamic : 1;
    ULONG WarmEjectSupported : 1;
    ULONG NoDisplayInUI : 1;
    ULONG Reserved : 14;
    ULONG Address, UINumber;
    DEVICE_POWER_STATE DeviceState[PowerSystemMaximum];
    SYSTEM_POWER_STATE SystemWake;
    DEVICE_POWER_STATE DeviceWake;
    ULONG D1Latency, D2Latency, D3Latency;
} DEVICE_CAPABILITIES, *PDEVICE_CAPABILITIES;

typedef struct _DEVICE_RELATIONS {
    ULONG Count;
    PDEVICE_OBJECT Objects[1];
} DEVICE_RELATIONS, *PDEVICE_RELATIONS;

typedef struct _PNP_BUS_INFORMATION {
    GUID BusTypeGuid;
    INTERFACE_TYPE LegacyBusType;
    ULONG BusNumber;
} PNP_BUS_INFORMATION, *PPNP_BUS_INFORMATION;

typedef ULONG PNP_DEVICE_STATE;
#define PNP_DEVICE_DISABLED                      0x01
#define PNP_DEVICE_DONT_DISPLAY_IN_UI            0x02
#define PNP_DEVICE_FAILED                        0x04
#define PNP_DEVICE_REMOVED                       0x08
#define PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED 0x10
#define PNP_DEVICE_NOT_DISABLEABLE               0x20
