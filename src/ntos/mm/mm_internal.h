/* mm_internal.h - what the files of mm share: frame numbers, and the table of holds. */
#pragma once
#include "mm.h"
#include "rtl.h"
#include "seh.h"

/*
 * Frame numbers as drivers see them: of user memory, plat's; of other system memory the number of the virtual page,
 * which is above all of those.
 */
static inline bool mm_is_frame(PFN_NUMBER number)
{
    return number >= PLAT_FRAME_FIRST && number < PLAT_FRAME_END;
}
/* Number of the page at a system address, or at a user address that is mapped. */
PFN_NUMBER mm_frame_number(ULONG_PTR address);

static inline SIZE_T mm_mdl_pages(const MDL *mdl)
{
    return ADDRESS_AND_SIZE_TO_SPAN_PAGES(mdl->ByteOffset, mdl->ByteCount);
}
static inline ULONG_PTR mm_mdl_address(const MDL *mdl)
{
    return (ULONG_PTR)mdl->StartVa + mdl->ByteOffset;
}
/* A digest of an MDL's frame numbers, to see that nobody wrote over them. */
ULONG64 mm_frames_check(const PFN_NUMBER *numbers, SIZE_T count);

/* Adds a copy of *hold to the table. False: no memory. */
bool mm_hold_add(const struct mm_hold *hold);
/* Takes out the hold of kind that covers base (and is of mdl, unless that is null) and copies it to *hold. False: there
 * is none. */
bool mm_hold_take(enum mm_hold_kind kind, const MDL *mdl, ULONG_PTR base, struct mm_hold *hold);
/* The same without taking it out. */
bool mm_hold_find(enum mm_hold_kind kind, const MDL *mdl, ULONG_PTR base, struct mm_hold *hold);
void mm_holds_init(void);

/* A driver's mistake; blamed on the caller of the export that is running. */
static inline DECLSPEC_NORETURN void mm_mistake(ULONG code, ULONG_PTR first, const MDL *mdl, ULONG_PTR third,
                                                const char *why)
{
    ke_bugcheck_because(code, (ULONG_PTR[4]){first, (ULONG_PTR)mdl, third, 0}, why);
}
