/* verify_handle.h - what the verifier holds drivers to in their dealings with handles. Called under ke_verify only. */
#pragma once
#include "ob.h"

/* Of ObReferenceObjectByHandle: 0xF5 a null handle, 0xF6 a user handle as KernelMode, 0xF7 a kernel handle as UserMode
 * in the system process. */
void ob_verify_reference(HANDLE handle, const void *type, KPROCESSOR_MODE mode);
/* The lookup failed: 0x3C a handle that is none, as KernelMode. */
void ob_verify_referenced(HANDLE handle, const void *type, KPROCESSOR_MODE mode, NTSTATUS status);
/* A handle that a Zw routine was given: 0xF6, user mode made it. caller: of the routine. */
void ob_verify_zw_handle(HANDLE handle, ULONG_PTR caller);
