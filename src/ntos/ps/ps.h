/*
 * ps.h - processes, threads and workers inside the kernel. Documented routines stand in wdk/ps.h.
 */
#pragma once
#include "wdk/ps.h"
#include "ob.h"

NTSTATUS ps_init(void);
/* Calls back with the code that made each system thread of a driver that still runs; returns how many. */
SIZE_T ps_driver_threads(void (*callback)(void *context, HANDLE id, ULONG_PTR caller), void *context);

/* ---- notify.c ---- */
void ps_notify_init(void);
/* Tells drivers: thread was made (in the maker's context) or ends (in its own). IRQL <= APC_LEVEL. */
void ps_thread_notify(PETHREAD thread, bool created);
/* Tells drivers of a driver image that has been mapped. name: without folder and extension. IRQL PASSIVE_LEVEL. */
void ps_image_notify(const char *name, PVOID base, SIZE_T size);
/* The process ends: its handles are closed, protected ones too, which gives drivers their cleanup and close requests.
 * Returns how many there were. The process object stays, and can open more. IRQL PASSIVE_LEVEL. */
SIZE_T ps_process_end(PEPROCESS process);
