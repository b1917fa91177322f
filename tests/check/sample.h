/*
 * sample.h - reports made up for the tests of src/check's reporters.
 */
#pragma once
#include "finding.h"

/* A driver with two control codes and four findings: a double fetch with everything a finding can have, a raw access, a
 * note, and one without symbols. Sorted. */
void sample_report(struct report *report);
/* One whose every text is an attack on its reader: markup, terminal escapes, text that turns, bytes that are no text.
 */
void sample_hostile(struct report *report);
/* The first driver again, as another shard saw it. */
void sample_shard(struct report *report);
/* Prints the JSON schema of a report; the exit status. */
int sample_schema(void);
