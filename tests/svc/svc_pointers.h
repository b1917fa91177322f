/* svc_pointers.h - good calls of every service, generated from services.def: what the files that spoil them share. */
#pragma once
#include "svc_test.h"

enum { SLOT = 256, TEXT = 128, DATA_BYTES = 8, BUFFER_BYTES = 16, BIG_BYTES = 64 };

/* Arguments of a call that succeeds; what argument i points to stands in area + i * SLOT. */
void good_build(const struct svc_row *row, ULONG_PTR area, ULONG64 *values);
/* Takes back what the call made, and what good_build made where the call did not take it. */
void good_clean(const struct svc_row *row, NTSTATUS status, ULONG_PTR area, const ULONG64 *values);

/* The page for what the arguments of a call in this mode point to. */
ULONG_PTR good_area(KPROCESSOR_MODE mode);

/* fetch.c */
void every_byte_is_fetched_once(void **state);
/* flip.c */
void every_racing_word_gives_one_of_two_outcomes(void **state);
