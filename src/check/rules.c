/*
 * rules.c - the table of rules. The help pages are put into the object file by the assembler, so that they are edited
 * as what they are: Markdown.
 */
#include "rules.h"
#include <string.h>

#define RULE(symbol, id, level, summary, tags)                                                                         \
    __asm__(".pushsection .rodata\nrule_help_" #symbol ":\n.incbin \"" RULES_FOLDER "/" id                             \
            "/rule.md\"\n.byte 0\n.popsection");                                                                       \
    extern const char rule_help_##symbol[] __attribute__((visibility("hidden")));
#include "rules/rules.def"
#undef RULE

const struct rule rules[] = {
#define RULE(symbol, id, level, summary, tags) {id, level, summary, tags, rule_help_##symbol},
#include "rules/rules.def"
#undef RULE
};
const size_t rule_count = sizeof(rules) / sizeof(rules[0]);

const struct rule *rule_find(const char *id)
{
    for (size_t i = 0; i < rule_count; i++)
        if (!strcmp(rules[i].id, id))
            return &rules[i];
    return NULL;
}
