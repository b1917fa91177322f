/*
 * wdfio.h - I/O queues. Include wdf.h.
 */
#ifndef _WDFIO_H_
#define _WDFIO_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT(PWDF_IO_QUEUE_CONFIG Config, WDF_IO_QUEUE_DISPATCH_TYPE DispatchType)
{
    RtlZeroMemory(Config, sizeof(*Config));
    Config->Size = sizeof(*Config);
    Config->DispatchType = DispatchType;
    Config->PowerManaged = WdfUseDefault;
    if (DispatchType == WdfIoQueueDispatchParallel)
        Config->Settings.Parallel.NumberOfPresentedRequests = (ULONG)-1;
}

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(PWDF_IO_QUEUE_CONFIG Config,
                                                        WDF_IO_QUEUE_DISPATCH_TYPE DispatchType)
{
    WDF_IO_QUEUE_CONFIG_INIT(Config, DispatchType);
    Config->DefaultQueue = TRUE;
}

/* So many requests in reserve: for every IRP that there is no memory for; for those that the driver's callback chooses;
 * for paging I/O. */
FORCEINLINE VOID WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY Policy,
                                                                   ULONG TotalForwardProgressRequests)
{
    RtlZeroMemory(Policy, sizeof(*Policy));
    Policy->Size = sizeof(*Policy);
    Policy->TotalForwardProgressRequests = TotalForwardProgressRequests;
    Policy->ForwardProgressReservedPolicy = WdfIoForwardProgressReservedPolicyAlwaysUseReservedRequest;
}

FORCEINLINE VOID WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_EXAMINE_INIT(
    PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY Policy, ULONG TotalForwardProgressRequests,
    PFN_WDF_IO_WDM_IRP_FOR_FORWARD_PROGRESS EvtIoWdmIrpForForwardProgress)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(Policy, TotalForwardProgressRequests);
    Policy->ForwardProgressReservedPolicy = WdfIoForwardProgressReservedPolicyUseExamine;
    Policy->ForwardProgressReservePolicySettings.Policy.ExaminePolicy.EvtIoWdmIrpForForwardProgress =
        EvtIoWdmIrpForForwardProgress;
}

FORCEINLINE VOID WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT(PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY Policy,
                                                                    ULONG TotalForwardProgressRequests)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(Policy, TotalForwardProgressRequests);
    Policy->ForwardProgressReservedPolicy = WdfIoForwardProgressReservedPolicyPagingIO;
}

#define WDF_IO_QUEUE_IDLE(State)    (((State) & WdfIoQueueNoRequests) && ((State) & WdfIoQueueDriverNoRequests))
#define WDF_IO_QUEUE_READY(State)   (((State) & WdfIoQueueDispatchRequests) && ((State) & WdfIoQueueAcceptRequests))
#define WDF_IO_QUEUE_STOPPED(State) (!((State) & WdfIoQueueDispatchRequests) && ((State) & WdfIoQueueDriverNoRequests))
#define WDF_IO_QUEUE_DRAINED(State)                                                                                    \
    (!((State) & WdfIoQueueAcceptRequests) && ((State) & WdfIoQueueNoRequests) &&                                      \
     ((State) & WdfIoQueueDriverNoRequests))
#define WDF_IO_QUEUE_PURGED(State) WDF_IO_QUEUE_DRAINED(State)

#endif
