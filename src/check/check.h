/*
 * check.h - what `uma trace` and the checker make of a record's rows: the code they come from, by name.
 */
#pragma once
#include "uma.h"

#define CHECK_NAME_MAX 64

/*
 * Where in the driver's own code an access was made, and by what. An accessor that is built on another is named itself,
 * and its caller shown: the library's code is not the driver's. That needs the driver's symbols; without them name is
 * the primitive's.
 */
struct check_site {
    uint64_t pc;               /* 0: not in a driver */
    char place[UMA_PLACE_MAX]; /* "driver!Function+0x12 (file.c:34)", or "" */
    char name[CHECK_NAME_MAX]; /* "ReadStructFromUser", "memcpy", or "" */
};
void check_site(const struct uma_trace_row *row, struct check_site *site);
/* The same of a code address. False: it is in no driver, or in an accessor or in the copies it is made of. */
bool check_code(uint64_t pc, struct check_site *site);
/* Finds the names for many rows at once, which is much faster than one by one. */
void check_sites_ahead(const struct uma_trace_row *rows, size_t count);
