/*
 * touch.h - what record_test.c and its driver agree on: a control code for each group of accesses. Input is `in`, the
 * second user address `out`; how much is mapped behind each the test knows.
 */
#pragma once

enum touch_group {
    TOUCH_SCALARS,
    TOUCH_COPIES,
    TOUCH_STRINGS,
    TOUCH_INTERLOCKED,
    TOUCH_FAMILIES,
    TOUCH_RAW,
    TOUCH_REPEATED,
    TOUCH_EXPORTS,
    TOUCH_PROBES,
    TOUCH_LOCK,
    TOUCH_FAULTS, /* out has no page */
    TOUCH_RAW_FAULTS,
    TOUCH_NO_HANDLER,
    TOUCH_BESIDE_HANDLER, /* in __try/__finally, in its __finally, in an __except block, behind one */
    TOUCH_RAW_NO_HANDLER,
    TOUCH_IRQL,
    TOUCH_THREAD,
    TOUCH_BENCH_ACCESSOR, /* input: how often */
    TOUCH_BENCH_RAW,
    TOUCH_GROUPS
};
#define TOUCH_CODE(group) (0x220003u | (0x800u + (group)) << 2) /* METHOD_NEITHER */
#define TOUCH_BUFFERED    (0x220000u | 0x900u << 2)             /* METHOD_BUFFERED: answers with its input */
#define TOUCH_DIRECT      (0x220002u | 0x900u << 2)             /* METHOD_OUT_DIRECT */
