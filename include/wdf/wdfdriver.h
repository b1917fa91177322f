/*
 * wdfdriver.h - the driver object and its configuration. Include wdf.h.
 */
#ifndef _WDFDRIVER_H_
#define _WDFDRIVER_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_DRIVER_CONFIG_INIT(PWDF_DRIVER_CONFIG Config, PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd)
{
    *Config = (WDF_DRIVER_CONFIG){.Size = sizeof(WDF_DRIVER_CONFIG), .EvtDriverDeviceAdd = EvtDriverDeviceAdd};
}

FORCEINLINE VOID WDF_DRIVER_VERSION_AVAILABLE_PARAMS_INIT(PWDF_DRIVER_VERSION_AVAILABLE_PARAMS Params,
                                                          ULONG MajorVersion, ULONG MinorVersion)
{
    *Params = (WDF_DRIVER_VERSION_AVAILABLE_PARAMS){sizeof(*Params), MajorVersion, MinorVersion};
}

#ifdef _WIN32
FORCEINLINE WDFDRIVER WdfGetDriver(VOID)
{
    return WdfDriverGlobals->Driver;
}
#endif

#endif
