/*
 * scribe_driver.h - the seam between the part of a scribe driver that is alike in all three (scribe_driver.c) and its
 * story.
 */
#pragma once

/* mingw-w64 declares these two twice, first as external: in a driver of two files they would be defined twice. */
#define __INTRINSIC_DEFINED_InterlockedBitTestAndSet
#define __INTRINSIC_DEFINED_InterlockedBitTestAndReset
#include <ntddk.h>
#include "ddk_missing.h"
#include "scribe.h"

/* The story's names: \Device\X and \DosDevices\X. */
extern const WCHAR ScribeDeviceName[];
extern const WCHAR ScribeLinkName[];

/*
 * The story's service. Request and Result are user addresses, exactly as user mode gave them (METHOD_NEITHER); Result
 * may be null when ResultLength is 0. Catches what access to user memory raises and returns it as a status.
 */
NTSTATUS ScribeCopy(PSCRIBE_REQUEST Request, ULONG RequestLength, PSCRIBE_RESULT Result, ULONG ResultLength,
                    PULONG_PTR Information);

/* The same service with the request captured by the system: only the pointers in it are user addresses. */
NTSTATUS ScribeCopyBuffered(const SCRIBE_REQUEST *Request, PSCRIBE_RESULT Result);

/* Upper-cases Size bytes of kernel memory if Flags say so; returns their sum. */
ULONG ScribeTransform(PUCHAR Bytes, ULONG Size, ULONG Flags);
