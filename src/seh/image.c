/*
 * image.c - which image holds an address, and which function of it: the list of registered PE images and their .pdata.
 *
 * Owns the list and every read of an image's tables. What the tables mean stands in unwind.c. Tables come from a file
 * nobody vouches for: each offset is checked against the image, each read may fail.
 */
#include "seh_internal.h"

#include "plat.h"

static struct seh_image *images;

void seh_image_register(struct seh_image *image)
{
    /* Checked once here, so that the binary search below need not ask for every entry. */
    ULONG_PTR table = (ULONG_PTR)image->functions;
    if (!table || image->count > image->size / sizeof(RUNTIME_FUNCTION) ||
        !plat_is_readable(table, (SIZE_T)image->count * sizeof(RUNTIME_FUNCTION)))
        image->count = 0;
    struct seh_image *head = __atomic_load_n(&images, __ATOMIC_ACQUIRE);
    do
        image->next = head;
    while (!__atomic_compare_exchange_n(&images, &head, image, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

void seh_image_unregister(struct seh_image *image)
{
    struct seh_image **link = &images;
    while (*link && *link != image)
        link = &(*link)->next;
    if (*link)
        __atomic_store_n(link, image->next, __ATOMIC_RELEASE);
}

const struct seh_image *seh_image_find(ULONG_PTR pc)
{
    const struct seh_image *image = __atomic_load_n(&images, __ATOMIC_ACQUIRE);
    while (image && pc - image->base >= image->size)
        image = image->next;
    return image;
}

bool seh_image_read(const struct seh_image *image, ULONG64 rva, void *to, SIZE_T size)
{
    if (rva > image->size || size > image->size - rva)
        return false;
    return plat_safe_read(to, image->base + rva, size) == size;
}

PRUNTIME_FUNCTION seh_function_find(const struct seh_image *image, ULONG64 pc)
{
    ULONG64 rva = pc - image->base;
    ULONG low = 0;
    ULONG high = image->count;
    while (low < high) {
        ULONG middle = low + (high - low) / 2;
        const RUNTIME_FUNCTION *function = &image->functions[middle];
        if (rva < function->BeginAddress) {
            high = middle;
        } else if (rva >= function->EndAddress) {
            low = middle + 1;
        } else if (!(function->UnwindData & 1)) {
            return (PRUNTIME_FUNCTION)function;
        } else {
            /* An odd UnwindData is the offset, plus one, of another entry that describes the same code. */
            ULONG64 other = image->base + (function->UnwindData & ~1u) - (ULONG_PTR)image->functions;
            ULONG64 index = other / sizeof(RUNTIME_FUNCTION);
            if (other % sizeof(RUNTIME_FUNCTION) || index >= image->count || (image->functions[index].UnwindData & 1))
                return NULL;
            return (PRUNTIME_FUNCTION)&image->functions[index];
        }
    }
    return NULL;
}

PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, ULONG64 *ImageBase, PVOID HistoryTable)
{
    UNREFERENCED_PARAMETER(HistoryTable);
    const struct seh_image *image = seh_image_find(ControlPc);
    if (!image)
        return NULL;
    *ImageBase = image->base;
    return seh_function_find(image, ControlPc);
}

PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage)
{
    const struct seh_image *image = seh_image_find((ULONG_PTR)PcValue);
    *BaseOfImage = image ? (PVOID)image->base : NULL;
    return *BaseOfImage;
}
