/* bench_io.h - what bench_io.sys is asked; layouts hold for both sides. */
#pragma once

#define BENCH_CODE(Method) (0x222000u | (0x800u << 2) | (Method)) /* FILE_DEVICE_UNKNOWN, any access; does nothing */
#define BENCH_LOCK_CODE    (0x222000u | (0x801u << 2) | 3u)       /* METHOD_NEITHER, input BENCH_LOCK */

typedef struct _BENCH_LOCK {
    unsigned long long Address; /* in user space */
    unsigned int Bytes, Times;
} BENCH_LOCK;
