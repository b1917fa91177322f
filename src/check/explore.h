/*
 * explore.h - one harmless session with a driver, made hostile in every way that is known; what comes to light becomes
 * findings of a report.
 *
 * The kernel best runs with the verifier (uma_options.verify): some rules rest on what it sees. The order of what is
 * tried is fixed, and the seed decides the one value in it that is not, so a seed stands for a report.
 */
#pragma once
#include "attempt.h"
#include "finding.h"

struct explore_options {
    uint64_t seed;
    size_t budget;    /* attempts at most, replays not counted; 0: all there are */
    unsigned replays; /* of what looks like a finding; 0: 3, which is the least */
};

/*
 * Runs base, a session that the driver gets along with, and its hostile variants; adds the findings to run, each once
 * and without those that run has already, the requests as base shows them to its codes, and the attempts to its cases.
 * run->driver is the driver's file: findings are identified by it. False: there were no processes or no memory to be
 * had, base contradicts itself, or its two runs were not alike, so that nothing can be learned from a third; what was
 * found before stays.
 */
bool explore(struct attempter *attempter, const struct attempt *base, const struct explore_options *options,
             struct report *report, struct report_run *run);
