/*
 * thunks.c - the generated calls and cases, compiled against the public header as a driver would use it.
 */
#ifdef _WIN32
#include <ntddk.h>
#else
#include "wdk/ntdef.h"
#endif
#include "usermode_accessors.h"
#include "ddi.h"

#define DDI_RECORD(name) ddi_record(name)
#include "ddi_thunks.inc"
#include "ddi_prototypes.inc"

const struct ddi_case ddi_cases[] = {
#include "ddi_cases.inc"
};
const unsigned ddi_case_count = sizeof ddi_cases / sizeof ddi_cases[0];
