/*
 * wdfdevice.h - devices, control devices and file objects. Include wdf.h.
 */
#ifndef _WDFDEVICE_H_
#define _WDFDEVICE_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_FILEOBJECT_CONFIG_INIT(PWDF_FILEOBJECT_CONFIG FileEventCallbacks,
                                            PFN_WDF_DEVICE_FILE_CREATE EvtDeviceFileCreate,
                                            PFN_WDF_FILE_CLOSE EvtFileClose, PFN_WDF_FILE_CLEANUP EvtFileCleanup)
{
    *FileEventCallbacks = (WDF_FILEOBJECT_CONFIG){.Size = sizeof(WDF_FILEOBJECT_CONFIG),
                                                  .EvtDeviceFileCreate = EvtDeviceFileCreate,
                                                  .EvtFileClose = EvtFileClose,
                                                  .EvtFileCleanup = EvtFileCleanup,
                                                  .AutoForwardCleanupClose = WdfUseDefault,
                                                  .FileObjectClass = WdfFileObjectWdfCannotUseFsContexts};
}

FORCEINLINE VOID WDF_IO_TYPE_CONFIG_INIT(PWDF_IO_TYPE_CONFIG IoTypeConfig)
{
    *IoTypeConfig = (WDF_IO_TYPE_CONFIG){.Size = sizeof(WDF_IO_TYPE_CONFIG),
                                         .ReadWriteIoType = WdfDeviceIoBuffered,
                                         .DeviceControlIoType = WdfDeviceIoBuffered};
}

#endif
