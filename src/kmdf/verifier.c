/*
 * verifier.c - what drivers ask of the framework's verifier.
 */
#include "kmdf.h"

/* Breaks into a debugger on Windows, if the driver's DbgBreakOnError says so; here there is none: with the verifier on,
 * a line tells of the place. Any IRQL. */
VOID NTAPI WdfVerifierDbgBreakPoint(PWDF_DRIVER_GLOBALS DriverGlobals)
{
    kmdf_client_of(DriverGlobals, __func__);
    if (ke_verify)
        ke_verify_warn(seh_export_caller(), "WdfVerifierDbgBreakPoint was called");
}

/* The bug check, always. Any IRQL. */
VOID NTAPI WdfVerifierKeBugCheck(PWDF_DRIVER_GLOBALS DriverGlobals, ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                 ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                                 ULONG_PTR BugCheckParameter4)
{
    kmdf_client_of(DriverGlobals, __func__);
    KeBugCheckEx(BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4);
}
