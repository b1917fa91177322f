/*
 * rules.h - what each rule is called, how bad it is, and its help page. The rows are rules/rules.def, the pages
 * rules/<id>/rule.md, which the program carries inside.
 */
#pragma once
#include "finding.h"

struct rule {
    const char *id;
    enum finding_level level;
    const char *summary; /* one line, without a full stop */
    const char *tags;    /* separated by spaces; "cwe-367" for a weakness number */
    const char *help;    /* Markdown */
};

extern const struct rule rules[];
extern const size_t rule_count;

/* Null: there is no such rule. */
const struct rule *rule_find(const char *id);
