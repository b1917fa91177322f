/* kernel_side.h - what the driver kernel_side.c is asked to do. */
#pragma once

/* METHOD_NEITHER: input is a KERNEL_SIDE at its user address. */
#define KERNEL_SIDE_CODE 0x222003

enum { SIDE_FROM, SIDE_TO, SIDE_FROM_STREAM, SIDE_TO_STREAM, SIDES };

struct kernel_side {
    unsigned long long kernel, user, length; /* the address that is to be the driver's own, and is none */
    unsigned which;
};
