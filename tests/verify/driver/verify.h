/* verify.h - what the parts of the sinful driver share. */
#pragma once
#include <ntifs.h>
#include "ddk_missing.h"
#include "usermode_accessors.h"

#define VERIFY_TAG 'freV'

typedef struct _VERIFY_REQUEST {
    PDEVICE_OBJECT Device;
    PIRP Irp;
    BOOLEAN Wrong; /* commit the sin, else do it right */
    BOOLEAN Done;  /* the routine has completed the request, or passed it on */
} VERIFY_REQUEST, *PVERIFY_REQUEST;

typedef NTSTATUS NTAPI VERIFY_SIN(PVERIFY_REQUEST Request);

#define PNP_SIN(...)
#define SIN(Name, ...) static VERIFY_SIN Name;
#include "sins.def"
#undef SIN

static PDEVICE_OBJECT VerifyLower; /* a second device of the driver, for requests that are passed on */

static VOID NTAPI VerifyRunThread(PKSTART_ROUTINE Routine, PVOID Context);
