/*
 * world.h - what world.c gives to the tests of this folder.
 */
#pragma once
#include "arch.h"
#include "ldr.h"
#include "seh.h"

/* Brings up platform, thread and export table; ends the process if that fails. */
void world_start(void);
struct ldr_image *world_load(const char *path);
/* Runs function; true if it raised an exception nobody handled (then world_unhandled_record tells which). */
bool world_unhandled(void (*function)(void *), void *argument);
extern EXCEPTION_RECORD world_unhandled_record;
/* "not ok" lines printed by drivers so far. */
extern int world_failed_lines;
void seh_sanitizer_forget(void);
