/*
 * wdfrequest.h - I/O requests. Include wdf.h.
 */
#ifndef _WDFREQUEST_H_
#define _WDFREQUEST_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_REQUEST_PARAMETERS_INIT(PWDF_REQUEST_PARAMETERS Parameters)
{
    *Parameters = (WDF_REQUEST_PARAMETERS){.Size = sizeof(WDF_REQUEST_PARAMETERS)};
}

FORCEINLINE VOID WDF_REQUEST_COMPLETION_PARAMS_INIT(PWDF_REQUEST_COMPLETION_PARAMS Params)
{
    *Params =
        (WDF_REQUEST_COMPLETION_PARAMS){.Size = sizeof(WDF_REQUEST_COMPLETION_PARAMS), .Type = WdfRequestTypeNoFormat};
}

#endif
