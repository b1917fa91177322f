/*
 * decoy.c - a page of kernel memory for hostile requests to point at: if its bytes show up in user memory a driver has
 * leaked kernel memory, if they change it has written there for user mode.
 *
 * No byte is an ASCII character, so that a driver that changes text on its way does not hide a leak; no eight bytes in
 * a row occur twice.
 */
#include "lib.h"
#include <string.h>

_Static_assert(UMA_DECOY_SIZE == PLAT_PAGE_SIZE, "one page");

static UCHAR *decoy;
static UCHAR original[UMA_DECOY_SIZE];

NTSTATUS decoy_start(void)
{
    uint64_t random = 88172645463325252ull;
    for (size_t i = 0; i < sizeof(original); i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        original[i] = (UCHAR)(0x80 | random);
    }
    decoy = plat_system_map(UMA_DECOY_SIZE, PLAT_READWRITE);
    if (!decoy)
        return STATUS_NO_MEMORY;
    memcpy(decoy, original, sizeof(original));
    return STATUS_SUCCESS;
}

uint64_t uma_decoy(void)
{
    return (uint64_t)(uintptr_t)decoy;
}

bool uma_decoy_changed(void)
{
    if (memcmp(decoy, original, sizeof(original)) == 0)
        return false;
    memcpy(decoy, original, sizeof(original));
    return true;
}

bool uma_decoy_in(const void *data, size_t size)
{
    const UCHAR *bytes = data;
    for (size_t i = 0; i + 8 <= size; i++)
        if ((bytes[i] & bytes[i + 7] & 0x80) && memmem(original, sizeof(original), bytes + i, 8))
            return true;
    return false;
}
