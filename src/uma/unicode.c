/*
 * unicode.c - UNICODE_STRING descriptors. They travel as two words, so that the padding after MaximumLength, which
 * belongs to no field, is never taken from the kernel's stack to user memory.
 */
#include "world.h"

union descriptor {
    ULONG64 words[2];
    UNICODE_STRING string;
};
_Static_assert(sizeof(union descriptor) == 16, "64-bit UNICODE_STRING");

UNICODE_STRING NTAPI ReadUnicodeStringFromUser(const volatile UNICODE_STRING *Source)
{
    union descriptor value;
    CopyFromUser(&value, Source, sizeof(value));
    return value.string;
}

UNICODE_STRING NTAPI ReadUnicodeStringFromMode(const UNICODE_STRING *Source, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return ReadUnicodeStringFromUser(Source);
    arch_expect_kernel_pointer(Source);
    union descriptor value;
    umap_copy_direct(&value, Source, sizeof(value));
    return value.string;
}

static union descriptor descriptor_of(UNICODE_STRING string)
{
    union descriptor value;
    value.words[0] = string.Length | (ULONG64)string.MaximumLength << 16;
    value.words[1] = (ULONG_PTR)string.Buffer;
    return value;
}

VOID NTAPI WriteUnicodeStringToUser(volatile UNICODE_STRING *Destination, UNICODE_STRING Value)
{
    union descriptor value = descriptor_of(Value);
    CopyToUser(Destination, &value, sizeof(value));
}

VOID NTAPI WriteUnicodeStringToMode(UNICODE_STRING *Destination, UNICODE_STRING Value, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode) {
        WriteUnicodeStringToUser(Destination, Value);
        return;
    }
    arch_expect_kernel_pointer(Destination);
    union descriptor value = descriptor_of(Value);
    umap_copy_direct(Destination, &value, sizeof(value));
}
