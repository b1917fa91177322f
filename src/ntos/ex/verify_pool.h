/* verify_pool.h - what the verifier holds callers of the pool routines to. Called under ke_verify only. */
#pragma once
#include "ex.h"

/* type: the POOL_TYPE, or the one that POOL_FLAGS mean. 0xC4: zero bytes; 0xC2: must-succeed pool, a tag of zero, of
 * "BIG", or without letters and digits. */
void ex_verify_allocation(ULONG type, SIZE_T size, ULONG tag);
/* 0x11: paged pool above APC_LEVEL; 0x105: an IRP; 0xCB: an MDL whose pages are locked; 0xB8: one that is mapped; and
 * what is in use inside the block. */
void ex_verify_free(PVOID address);
