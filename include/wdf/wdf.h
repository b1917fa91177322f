/*
 * wdf.h - the kernel-mode driver framework, for drivers built with it: include ntddk.h (or wdm.h, ntifs.h), then this.
 *
 * Ours, written from the public documentation and source compatible with the public header for what is done. All
 * functions of the table are declared; docs/kmdf.md says which of them do something. KMDF version 1.33. For C and C++.
 */
#ifndef _WDF_H_
#define _WDF_H_

#define KMDF_VERSION_MAJOR 1
#define KMDF_VERSION_MINOR 33

/* mingw-w64's FORCEINLINE leaves no body behind, and clang inlines no call inside __try: the linker would miss it. */
#ifdef __MINGW32__
#pragma push_macro("FORCEINLINE")
#undef FORCEINLINE
#define FORCEINLINE static __inline
#endif

#ifdef __cplusplus
extern "C" {
#endif
#include "wdftypes.h"
#include "wdfnames.h"
#include "wdfcallbacks.h"
#include "wdfstructs.h"
#include "wdffuncs.h"
#include "wdfobject.h"
#include "wdfdriver.h"
#include "wdfdevice.h"
#include "wdfpnp.h"
#include "wdfio.h"
#include "wdfrequest.h"
#include "wdfmemory.h"
#include "wdfiotarget.h"
#include "wdfdeferred.h"
#include "wdfwmi.h"
#ifdef __cplusplus
}
#endif
#ifdef __MINGW32__
#pragma pop_macro("FORCEINLINE")
#endif

#endif
