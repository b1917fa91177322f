/* relay.h - what the relay test asks its two drivers: the framework driver \Device\Relay above \Device\RelayLower. */
#pragma once

/* The lower driver's own, which the upper sends on as they came: it gives back the input, reversed. */
#define RELAY_BUFFERED 0x222000u
#define RELAY_DIRECT   0x222002u /* METHOD_OUT_DIRECT */
#define RELAY_NEITHER  0x222003u /* by the accessors, in the requestor's mode */
#define RELAY_KEEP     0x222004u /* it keeps this one until it is cancelled */

/* The upper's, METHOD_BUFFERED: its own requests to the lower driver. */
#define RELAY_SYNC        0x222100u /* WdfIoTargetSendIoctlSynchronously of RELAY_BUFFERED */
#define RELAY_OWN_NEITHER 0x222104u /* a request it makes: RELAY_NEITHER with kernel buffers, asynchronously */
#define RELAY_TIME_OUT    0x222108u /* RELAY_KEEP, for 2 ms */
#define RELAY_CANCEL      0x22210Cu /* RELAY_KEEP, cancelled at once; the status it came back with is the output */
