/* kmdf_template.h - what programs need to know of kmdf_template: its interface, its requests. */
#pragma once

/* The class of its device interface. */
#define TEMPLATE_CLASS {0x2b8f0c7e, 0x51d4, 0x4a39, {0x8e, 0x16, 0xd3, 0x70, 0x9c, 0x42, 0xfb, 0x05}}

/* All buffered. */
#define TEMPLATE_QUERY 0x222000u /* out: struct template_state */
#define TEMPLATE_SET   0x222004u /* in: 4 bytes, the new value, which whoever waits gets */
#define TEMPLATE_WAIT  0x222008u /* out: 4 bytes, the value that is set next; one can wait, others are refused */

struct template_state {
    unsigned value;    /* set last */
    unsigned prepared; /* how often the hardware was made ready */
    unsigned powered;  /* how often the device came to D0 */
    unsigned waiting;  /* 1: somebody waits */
    unsigned stopped;  /* how often a waiting request was stopped */
    unsigned resumed;  /* and how often it was resumed */
};
