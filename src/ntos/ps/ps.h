/*
 * ps.h - processes, threads and workers inside the kernel. Documented routines stand in wdk/ps.h.
 */
#pragma once
#include "wdk/ps.h"
#include "ob.h"

NTSTATUS ps_init(void);
/* Calls back with the code that made each system thread of a driver that still runs; returns how many. */
SIZE_T ps_driver_threads(void (*callback)(void *context, HANDLE id, ULONG_PTR caller), void *context);
