/*
 * coverage.h - which blocks of a driver's code have run.
 *
 * A block begins where control flow can arrive or part. Each has a breakpoint until it runs for the first time, so that
 * code which has run costs nothing. Threads and forked children take part: what a child runs its parent sees.
 */
#pragma once
#include "uma.h"

struct coverage;

/*
 * Finds the blocks of a loaded driver and puts breakpoints on them; what DriverEntry ran is not counted, nor what is
 * discarded after it. No driver code may be running. STATUS_NO_MEMORY; STATUS_NOT_SUPPORTED: there is no code whose
 * blocks can be told.
 */
uma_status coverage_open(const struct uma_driver *driver, struct coverage **coverage);
/* Takes what breakpoints are left out again. No driver code may be running. */
void coverage_close(struct coverage *coverage);

size_t coverage_total(const struct coverage *coverage);
/* How many have run, here and in children. */
size_t coverage_hit(const struct coverage *coverage);
/* Where the index-th block begins, in ascending order, and whether it has run. */
uint64_t coverage_block(const struct coverage *coverage, size_t index);
bool coverage_block_hit(const struct coverage *coverage, size_t index);
/*
 * The blocks that have run for the first time since the last call, in that order: writes up to capacity indexes and
 * returns how many it wrote; what is left over comes next time.
 */
size_t coverage_new(struct coverage *coverage, size_t *indexes, size_t capacity);
/* Takes the breakpoints out that children have hit, so that later children need not. No driver code may be running. */
void coverage_settle(struct coverage *coverage);
/*
 * Makes it that the blocks with hit[index] have run and no others, or none if hit is null; none of them is new. What
 * one child runs is told from what others ran that way. No driver code may be running.
 */
void coverage_set(struct coverage *coverage, const bool *hit);
/* Takes all breakpoints out until coverage_set is called, so that the code can be read. No driver code may be running.
 */
void coverage_lift(struct coverage *coverage);
