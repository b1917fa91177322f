/*
 * pe_unwind.c - checks an image's unwind tables once, at load, so that the unwinder may follow them without checks of
 * its own.
 *
 * Public format: "x64 exception handling" on Microsoft Learn. It does not unwind; that is src/seh.
 */
#include "pe_bytes.h"
#include "pe_parse.h"

enum {
    FUNCTION_SIZE = 12,
    FLAG_EXCEPTION = 1,
    FLAG_TERMINATION = 2,
    FLAG_CHAIN = 4,
    CHAIN_MAX = 32,
    FUNCTIONS_MAX = 1 << 20,
    WORK_MAX = 1 << 22 /* unwind data looked at; an honest image needs little more than one per function */
};

/* Slots that a code takes, itself included; 0 if the code is unknown. */
static ULONG code_slots(UCHAR operation, UCHAR info, UCHAR version)
{
    switch (operation) {
    case 0:
        return 1; /* push nonvolatile */
    case 1:
        return info == 0 ? 2 : info == 1 ? 3 : 0; /* allocate large */
    case 2:
        return 1; /* allocate small */
    case 3:
        return 1; /* set frame pointer */
    case 4:
        return 2; /* save nonvolatile */
    case 5:
        return 3;
    case 6:
        return version >= 2 ? 1 : 2; /* epilogue (version 2) */
    case 7:
        return version >= 2 ? 1 : 3; /* spare */
    case 8:
        return 2; /* save xmm */
    case 9:
        return 3;
    case 10:
        return info <= 1 ? 1 : 0; /* machine frame */
    default:
        return 0;
    }
}

static const char *check_codes(const UCHAR *info, ULONG count, UCHAR version)
{
    for (ULONG i = 0; i < count;) {
        UCHAR byte = info[4 + 2 * i + 1];
        ULONG slots = code_slots(byte & 15, byte >> 4, version);
        if (slots == 0 || slots > count - i)
            return "damaged: a function's unwind codes are unknown or cut short";
        i += slots;
    }
    return NULL;
}

/* One UNWIND_INFO; *chain gets the rva of the entry it continues with, or 0. */
static const char *check_info(const struct pe_file *pe, const UCHAR *image, ULONG rva, struct pe_unwind *unwind,
                              ULONG *chain)
{
    *chain = 0;
    if (rva % 4 || !pe_inside(rva, 4, pe->image_size))
        return "damaged: unwind data lies outside the image";
    const UCHAR *info = image + rva;
    UCHAR version = info[0] & 7, flags = info[0] >> 3;
    if (version != 1 && version != 2)
        return "damaged: unwind data of an unknown version";
    ULONG count = info[2], size = 4 + 2 * ((count + 1) & ~1u);
    ULONG tail = flags & FLAG_CHAIN ? FUNCTION_SIZE : flags & (FLAG_EXCEPTION | FLAG_TERMINATION) ? 4 : 0;
    if (!pe_inside(rva, size + tail, pe->image_size))
        return "damaged: unwind data lies outside the image";
    if ((flags & FLAG_CHAIN) && (flags & (FLAG_EXCEPTION | FLAG_TERMINATION)))
        return "damaged: chained unwind data has a handler";
    if (rva < unwind->data_low)
        unwind->data_low = rva;
    if (rva + size + tail > unwind->data_high)
        unwind->data_high = rva + size + tail;
    const char *error = check_codes(info, count, version);
    if (error)
        return error;
    if (flags & FLAG_CHAIN)
        *chain = rva + size;
    else if (tail && !pe_section_at(pe, pe_u32(info + size)))
        return "damaged: an exception handler lies outside the image";
    return NULL;
}

static const char *check_function(const struct pe_file *pe, const UCHAR *image, ULONG entry, ULONG *work,
                                  struct pe_unwind *unwind)
{
    for (int depth = 0; depth < CHAIN_MAX; depth++) {
        ULONG begin = pe_u32(image + entry), end = pe_u32(image + entry + 4), data = pe_u32(image + entry + 8);
        if (begin >= end || end > pe->image_size)
            return "damaged: an unwind table entry describes no code";
        ULONG chain;
        const char *error;
        if (++*work > WORK_MAX)
            break;
        if (data & 1) { /* the whole entry is another one's copy */
            chain = data & ~1u;
            error =
                pe_inside(chain, FUNCTION_SIZE, pe->image_size) ? NULL : "damaged: unwind data lies outside the image";
        } else {
            error = check_info(pe, image, data, unwind, &chain);
        }
        if (error || !chain)
            return error;
        entry = chain;
    }
    return "damaged: chains of unwind data do not end";
}

const char *pe_check_unwind(const struct pe_file *pe, const UCHAR *image, struct pe_unwind *unwind)
{
    const struct pe_directory *directory = &pe->directories[PE_DIR_EXCEPTION];
    *unwind = (struct pe_unwind){.data_low = pe->image_size};
    if (!directory->rva) {
        unwind->data_low = 0;
        return NULL;
    }
    if (directory->size % FUNCTION_SIZE || directory->rva % 4)
        return "damaged: the unwind table has an impossible size or address";
    ULONG count = directory->size / FUNCTION_SIZE, end = 0, work = 0;
    if (count > FUNCTIONS_MAX)
        return "more than 1048576 functions in the unwind table";
    for (ULONG i = 0; i < count; i++) {
        ULONG entry = directory->rva + FUNCTION_SIZE * i;
        if (pe_u32(image + entry) == 0 && pe_u32(image + entry + 4) == 0) {
            count = i; /* padding */
            break;
        }
        if (pe_u32(image + entry) < end)
            return "damaged: the unwind table is not in order";
        const char *error = check_function(pe, image, entry, &work, unwind);
        if (error)
            return error;
        end = pe_u32(image + entry + 4);
    }
    unwind->functions = directory->rva;
    unwind->count = count;
    return NULL;
}
