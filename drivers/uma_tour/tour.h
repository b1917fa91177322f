/*
 * tour.h - what user mode sends to uma_tour and gets back. Standard types, for the driver and for host programs alike.
 */
#pragma once
#include <stdint.h>

/*
 * One METHOD_NEITHER code per family of DDIs, numbered in the order in which the families of public DDIs appear in
 * docs/spec/ddis.tsv: CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900 + family, METHOD_NEITHER, FILE_ANY_ACCESS).
 */
#define TOUR_IOCTL(family) ((0x22u << 16) | ((0x900u + (family)) << 2) | 3u)
#define TOUR_FAMILY(code)  ((((code) >> 2) & 0xfffu) - 0x900u)

/*
 * Input. address is what the DDI checks; second the other side of a copy, where that is user memory too. The kernel
 * side of a copy, and the address under KernelMode, are always the driver's own memory, TOUR_KERNEL_SIZE bytes filled
 * with value[0] + 0, 1, 2 ... (low byte).
 */
struct tour_request {
    uint32_t index; /* of the DDI in its family, in the table's order */
    int8_t mode;    /* 0 KernelMode, else UserMode; only for DDIs that take one */
    uint8_t reserved[3];
    uint64_t address;
    uint64_t second;
    uint64_t length;
    uint64_t value[2]; /* value, fill byte or exchange; comperand */
    uint32_t alignment;
    uint32_t reserved2;
};

/* Output, when the output buffer is at least this long; status is also the status of the request. */
struct tour_reply {
    int32_t status; /* what the DDI raised, or STATUS_SUCCESS */
    uint32_t sum;   /* of the bytes of the driver's memory after the call */
    uint64_t result[2];
};

#define TOUR_KERNEL_SIZE 0x1000u
