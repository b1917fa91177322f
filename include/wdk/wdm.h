/*
 * wdm.h - the kernel's interface to drivers, for our own ELF builds: what ntddk.h and ntifs.h give a PE driver.
 *
 * One header per NT prefix; this one only gathers them. Definitions are ours, written from the public documentation;
 * every layout a driver can see is held against mingw-w64's headers by tests/layout.
 */
#pragma once
#include "wdk/ntexcept.h"
#include "wdk/rtl.h"
#include "wdk/ke.h"
#include "wdk/mm.h"
#include "wdk/ex.h"
#include "wdk/ob.h"
#include "wdk/ob_callback.h"
#include "wdk/ps.h"
#include "wdk/cm.h"
#include "wdk/io.h"
#include "wdk/tables.h"
#include "wdk/vm.h"
#include "wdk/sync.h"
#include "wdk/lookaside.h"
#include "wdk/csq.h"
#include "wdk/rtl_more.h"
#include "wdk/ke_more.h"
#include "wdk/io_more.h"
#include "wdk/power.h"
#include "wdk/pnp.h"
#include "wdk/resource.h"
