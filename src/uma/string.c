/* string.c - string lengths by mode. Kernel text is read one character at a time, each once. */
#include "world.h"

SIZE_T NTAPI StringLengthFromMode(volatile const CHAR *String, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return RtlStringLengthFromUser(String);
    arch_expect_kernel_pointer(String);
    SIZE_T length = 0;
    while (String[length] != 0)
        length++;
    return length;
}

SIZE_T NTAPI WideStringLengthFromMode(volatile const WCHAR *String, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return RtlWideStringLengthFromUser((const volatile wchar_t *)String);
    arch_expect_kernel_pointer(String);
    SIZE_T length = 0;
    while (String[length] != 0)
        length++;
    return length;
}
