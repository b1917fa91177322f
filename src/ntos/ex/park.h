/*
 * park.h - how threads wait for a word in a driver's memory to change.
 *
 * The word is only ever read by the waiter itself and outside every lock of ours, so a bad address faults as an
 * ordinary access of the driver's would.
 */
#pragma once
#include "ke.h"

/* Calls attempt(word) until it returns true, sleeping between calls until ex_park_wake. IRQL <= APC_LEVEL, else bug
 * check 0xB8. */
void ex_park_until(bool (*attempt)(ULONG_PTR *word), ULONG_PTR *word);
/* After each change that may let an attempt succeed. */
void ex_park_wake(void);
