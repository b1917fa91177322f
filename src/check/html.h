/*
 * html.h - what the parts of the HTML reporter share (report_html.c, html_finding.c, html_map.c, html_markdown.c).
 */
#pragma once
#include "finding.h"
#include <stdio.h>

/* Text as character data or as the value of an attribute in quotes. Null is nothing. */
void html_escape(FILE *out, const char *text);
/* The same of length bytes. */
void html_escape_part(FILE *out, const char *text, size_t length);
/* Our own rule pages: headings, paragraphs, fenced code, `code`. No other markup. */
void html_markdown(FILE *out, const char *text);
/*
 * Accesses on a map of bytes: a strip per piece of memory, a row per access in order of time, and an arc from each read
 * to the next read of the same bytes. title: what a screen reader says.
 */
void html_map(FILE *out, const char *title, const struct finding_access *const *accesses, size_t count,
              const struct request_buffer *buffers, size_t buffer_count);
#define HTML_MAP_ROWS 96 /* accesses that are drawn */
/* "CopyText (race.c:19)". */
void html_place(FILE *out, const struct finding_place *place);
/* The article of a finding; number is its run's, which the article's id has in it. */
void html_finding(FILE *out, const struct finding *finding, size_t number);
