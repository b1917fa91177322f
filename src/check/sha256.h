/*
 * sha256.h - SHA-256 (FIPS 180-4), for naming driver files and findings. Not for secrets: it takes no care of timing.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_TEXT  65 /* hexadecimal, with the terminator */

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);
/* The digest as text, in lower case. */
void sha256_text(struct sha256 *hash, char text[SHA256_TEXT]);
