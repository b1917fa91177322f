/* lamp.h - what the lamp's driver and its tests agree on. */
#pragma once

#define LAMP_CLASS_TEXT "{6f1a1b2c-0f3d-4c5e-9a77-2b1d3c4e5f60}"
#define LAMP_QUERY      0x222000u /* METHOD_BUFFERED: struct lamp_state */
#define LAMP_BREAK      0x222004u /* METHOD_BUFFERED: the device fails */

struct lamp_state {
    unsigned char brightness; /* what was written last */
    unsigned char power;      /* DEVICE_POWER_STATE */
    unsigned char starts;     /* how often the device was started */
    unsigned char second;     /* opened by the interface with the reference string "Second" */
};
