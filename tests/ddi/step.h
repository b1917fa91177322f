/*
 * step.h - sees every access a call makes to a range of user memory, by stepping a traced child through it.
 *
 * Only where user pages are not protected from kernel code (protection none), as a step over a fault is no access.
 */
#pragma once
#include "ddi.h"

struct step_access {
    uint64_t address;
    unsigned size; /* bytes */
    bool write;
};

/* Fills list with the accesses to [low, high) in order; returns how many there were, or UINT32_MAX if stepping failed.
 */
unsigned step_accesses(const struct ddi_row *row, const struct ddi_call *call, uint64_t low, uint64_t high,
                       struct step_access *list, unsigned capacity);
