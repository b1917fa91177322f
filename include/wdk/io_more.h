/*
 * io_more.h - I/O manager, the less common part: requests a driver builds, volumes to verify. For ELF builds; see
 * wdm.h.
 */
#pragma once
#include "wdk/io.h"

#define IRP_ASSOCIATED_IRP        0x8
#define IRP_NOCACHE               0x1
#define IRP_PAGING_IO             0x2
#define IRP_SYNCHRONOUS_PAGING_IO 0x40

PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                        PLARGE_INTEGER StartingOffset, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock);
PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                         PLARGE_INTEGER StartingOffset, PIO_STATUS_BLOCK IoStatusBlock);
PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize);
BOOLEAN NTAPI IoIsOperationSynchronous(PIRP Irp);
VOID NTAPI IoRaiseHardError(PIRP Irp, PVOID Vpb, PDEVICE_OBJECT RealDeviceObject);
VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql);
VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql);
PDEVICE_OBJECT NTAPI IoGetDeviceToVerify(PETHREAD Thread);
VOID NTAPI IoSetDeviceToVerify(PETHREAD Thread, PDEVICE_OBJECT DeviceObject);

/* ---- stacks of devices ---- */
NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                               PDEVICE_OBJECT *AttachedToDeviceObject);
NTSTATUS NTAPI IoAttachDeviceByPointer(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice);
NTSTATUS NTAPI IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice,
                              PDEVICE_OBJECT *AttachedDevice);
PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject);
PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject);
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp);
