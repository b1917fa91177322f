/*
 * copy.c - MmCopyMemory and physical addresses.
 *
 * Physical memory is the frames of user memory, from 1 MB on. Other system memory answers with its virtual address in
 * place of a physical one, which lies far above.
 */
#include "mm_internal.h"

/* The physical address of a valid system or user address; 0 for any other. */
PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS physical = {.QuadPart = 0};
    ULONG_PTR address = (ULONG_PTR)BaseAddress;
    if (plat_is_readable(address, 1))
        physical.QuadPart = (LONGLONG)(mm_frame_number(address) << PAGE_SHIFT | BYTE_OFFSET(address));
    return physical;
}

static SIZE_T read_physical(UCHAR *to, ULONG64 from, SIZE_T size)
{
    if (from >= plat_layout.system_start)
        return plat_safe_read(to, from, size);
    SIZE_T done = 0;
    while (done < size) {
        SIZE_T offset = BYTE_OFFSET(from + done), part = PAGE_SIZE - offset;
        part = part < size - done ? part : size - done;
        if (!plat_frame_load((from + done) >> PAGE_SHIFT, offset, to + done, part))
            break;
        done += part;
    }
    return done;
}

/*
 * Copies NumberOfBytes from a virtual (MM_COPY_MEMORY_VIRTUAL) or physical address, as far as there is memory; never
 * faults on the source. *NumberOfBytesTransferred says how far. STATUS_INVALID_PARAMETER: not exactly one of the flags;
 * STATUS_ACCESS_VIOLATION (virtual), STATUS_INVALID_ADDRESS (physical): not all was copied. IRQL <= APC_LEVEL.
 */
NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress, SIZE_T NumberOfBytes, ULONG Flags,
                            PSIZE_T NumberOfBytesTransferred)
{
    *NumberOfBytesTransferred = 0;
    if (Flags != MM_COPY_MEMORY_VIRTUAL && Flags != MM_COPY_MEMORY_PHYSICAL)
        return STATUS_INVALID_PARAMETER;
    bool physical = Flags == MM_COPY_MEMORY_PHYSICAL;
    SIZE_T done = physical
                      ? read_physical(TargetAddress, (ULONG64)SourceAddress.PhysicalAddress.QuadPart, NumberOfBytes)
                      : plat_safe_read(TargetAddress, (ULONG_PTR)SourceAddress.VirtualAddress, NumberOfBytes);
    *NumberOfBytesTransferred = done;
    if (done == NumberOfBytes)
        return STATUS_SUCCESS;
    return physical ? STATUS_INVALID_ADDRESS : STATUS_ACCESS_VIOLATION;
}
