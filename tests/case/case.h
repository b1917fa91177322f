/* case.h - what the suite asks its driver to do. */
#pragma once

enum {
    CASE_COUNT = 0x800,
    CASE_NULL,
    CASE_LOOP,
    CASE_LOOP_MASKED,
    CASE_WAIT,
    CASE_LATER,
    CASE_WORK,
    CASE_SAYS_TIMEOUT
};
#define CASE_CODE(function) ((0x22u << 16) | ((function) << 2)) /* METHOD_BUFFERED */
