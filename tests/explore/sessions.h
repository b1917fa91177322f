/* sessions.h - a harmless session with each driver of the corpus that the suite explores. */
#pragma once
#include "check/attempt.h"

struct session {
    const char *name; /* "rule.driver" */
    struct attempt attempt;
};

extern const struct session sessions[];
extern const size_t session_count;
