/*
 * hostile.h - what the hostile drivers share: one control code per sin, in the order of sins.def, which the test reads
 * too.
 */
#pragma once
#include <ntddk.h>
#include "ddk_missing.h"

#define HOSTILE_CODE(Index, Method) CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (Index), Method, FILE_ANY_ACCESS)

enum sin {
#define SIN(Name, Expected) SIN_##Name,
#include "sins.def"
#undef SIN
    SIN_COUNT
};

typedef struct _HOSTILE_REQUEST {
    PDEVICE_OBJECT Device;
    PIRP Irp;
    PIO_STACK_LOCATION Stack;
    PVOID Input;
    ULONG InputLength;
    NTSTATUS Status;
    ULONG_PTR Information;
    BOOLEAN Done; /* the request is completed already, or will never be */
} HOSTILE_REQUEST;

#define WILD_SYSTEM  ((ULONG_PTR)0x5b05b05ad000ull) /* in the system half, nothing there */
#define WILD         ((PVOID)WILD_SYSTEM)
#define NONCANONICAL ((ULONG_PTR)0x8000000000001000ull)

FORCEINLINE NTSTATUS Complete(HOSTILE_REQUEST *Request, NTSTATUS Status, ULONG_PTR Information)
{
    Request->Irp->IoStatus.Status = Status;
    Request->Irp->IoStatus.Information = Information;
    IoCompleteRequest(Request->Irp, IO_NO_INCREMENT);
    Request->Done = TRUE;
    return Request->Status = Status;
}
