/*
 * report.h - a report on paper: the four formats, and JSON back in.
 *
 * Writers print to a stream and leave its error flag to the caller. Everything a driver or a file could have put into a
 * report is escaped for the format, so that no name can act on the terminal, the page or the reader. Fields that
 * shape.c calls required are not null.
 */
#pragma once
#include "finding.h"
#include <stdio.h>

#define REPORT_MAX_FILE (64u << 20) /* bytes of JSON that are read */

/* colour: with terminal colours. */
void report_write_text(const struct report *report, FILE *out, bool colour);
void report_write_json(const struct report *report, FILE *out);
/* root: the folder that source files are named relative to, or null. */
void report_write_sarif(const struct report *report, FILE *out, const char *root);
/* One page that needs nothing but itself. */
void report_write_html(const struct report *report, FILE *out);

/* Reads what report_write_json wrote. False: error is one line, with the place in the file; the report is empty. */
bool report_read(const char *path, struct report *report, char error[REPORT_ERROR_MAX]);
/* The same of a text in memory; label stands for the file's name in messages. */
bool report_parse(const char *text, size_t length, const char *label, struct report *report,
                  char error[REPORT_ERROR_MAX]);
