/* kuser.h - KUSER_SHARED_DATA as kernel code sees it at 0xFFFFF78000000000. */
#pragma once
#include "wdk/ntdef.h"

#define KUSER_ADDRESS 0xFFFFF78000000000ull
#define KUSER_SIZE    0x1000u

/* The page's bytes. Stale until ke_kuser_refresh. */
extern UCHAR ke_kuser_page[KUSER_SIZE];

/*
 * Brings the clocks in the page up to date; the first call fills the constants. Signal-safe; any thread. Of several
 * threads at once one does it, the others go on with what stands there.
 */
void ke_kuser_refresh(void);
