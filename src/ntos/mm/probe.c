/*
 * probe.c - ProbeForRead and ProbeForWrite, and questions about addresses.
 */
#include "vad.h"
#include "mm_internal.h"
#include "rtl.h"
#include "seh.h"
#include "trace.h"
#include "usermode_accessors.h"

PVOID MmHighestUserAddress;
PVOID MmSystemRangeStart;

void *(*mm_routine_lookup)(const char *name);

/* What both probes check. False: nothing to check, the length is 0. */
static bool probe_range(ULONG_PTR address, SIZE_T length, ULONG alignment)
{
    if (!length)
        return false;
    if (!alignment || (alignment & (alignment - 1)))
        seh_raise_status(STATUS_INVALID_PARAMETER);
    if (address & (alignment - 1))
        ExRaiseDatatypeMisalignment();
    ULONG_PTR limit = plat_layout.user_limit;
    if (address >= limit || length > limit - address)
        ExRaiseAccessViolation();
    return true;
}

/*
 * Raises STATUS_DATATYPE_MISALIGNMENT or STATUS_ACCESS_VIOLATION unless [Address, +Length) is aligned and lies in the
 * user range. Touches nothing: the memory may be invalid all the same, or become so. Length 0 checks nothing. IRQL <=
 * APC_LEVEL.
 */
VOID NTAPI ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    trace_begin(TRACE_PROBE_READ, seh_export_caller(), (ULONG_PTR)Address, Length, "ProbeForRead");
    probe_range((ULONG_PTR)Address, Length, Alignment);
    trace_done();
}

/*
 * The same, and makes sure by a write that each page of the range can be written: it raises what that write raises. The
 * bytes keep their values even if user mode changes them meanwhile.
 */
VOID NTAPI ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    ULONG_PTR address = (ULONG_PTR)Address;
    trace_begin(TRACE_PROBE_WRITE, seh_export_caller(), address, Length, "ProbeForWrite");
    if (!probe_range(address, Length, Alignment))
        return;
    for (ULONG_PTR last = address + Length - 1, page = address; page <= last;
         page = (page & ~(ULONG_PTR)(PAGE_SIZE - 1)) + PAGE_SIZE)
        InterlockedOrToUser((volatile LONG *)(page & ~(ULONG_PTR)3), 0);
    trace_done();
}

/* Whether a read of the byte would fault right now. */
BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
    return plat_is_readable((ULONG_PTR)VirtualAddress, 1);
}

/* Address of an exported routine, null if there is none of that name. */
PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    char name[128];
    ULONG length;
    RtlUnicodeToMultiByteN(name, sizeof(name) - 1, &length, SystemRoutineName->Buffer, SystemRoutineName->Length);
    name[length] = 0;
    return mm_routine_lookup ? mm_routine_lookup(name) : NULL;
}

NTSTATUS mm_init(void)
{
    MmHighestUserAddress = (PVOID)(plat_layout.user_limit - 1);
    MmSystemRangeStart = (PVOID)plat_layout.system_start;
    mm_holds_init();
    mm_vads_init();
    return mm_pool_init();
}
