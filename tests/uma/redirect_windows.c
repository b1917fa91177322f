/*
 * redirect_windows.c - umaccess.lib in a Windows program: when a slot of __uma_functions is filled, the primitive of
 * that slot, and every name that stands for it, goes there with its arguments; when it is zero, it stays home. With
 * the argument "fail": a debug library stops at a user pointer given as a kernel pointer.
 */
#include <windows.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef ULONG64 __stdcall primitive(ULONG64 a, ULONG64 b, ULONG64 c);

extern void *__uma_functions[42];
extern ULONG_PTR MmUserProbeAddress;

/* Each run of clang-format would move another row. */
/* clang-format off */
#define PRIMITIVES(P) \
    P(0, RtlCopyFromUser) \
    P(1, RtlCopyFromUserNonTemporal) \
    P(2, RtlCopyToUser) \
    P(3, RtlCopyToUserNonTemporal) \
    P(4, RtlCopyToUserFromUser) \
    P(5, RtlMoveToUserFromUser) \
    P(6, RtlSetUserMemory) \
    P(7, RtlReadUCharFromUser) \
    P(8, RtlWriteUCharToUser) \
    P(9, RtlReadUShortFromUser) \
    P(10, RtlWriteUShortToUser) \
    P(11, RtlReadULongFromUser) \
    P(12, RtlWriteULongToUser) \
    P(13, RtlReadULong64FromUser) \
    P(14, RtlWriteULong64ToUser) \
    P(15, RtlStringLengthFromUser) \
    P(16, RtlWideStringLengthFromUser) \
    P(17, RtlInterlockedCompareExchange64ToUser) \
    P(18, RtlInterlockedOr32ToUser) \
    P(19, RtlInterlockedOr64ToUser) \
    P(20, RtlInterlockedAnd32ToUser) \
    P(21, RtlInterlockedAnd64ToUser) \
    P(22, RtlInterlockedCompareExchange32ToUser) \
    P(0, CopyFromUser) \
    P(6, SetUserMemory) \
    P(7, ReadBooleanFromUserAcquire) \
    P(11, ReadNtStatusFromUser) \
    P(14, WriteLargeIntegerToUser) \
    P(14, WritePointerToUserRelease) \
    P(18, InterlockedOrToUser) \
    P(22, InterlockedCompareExchangeToUser)
/* clang-format on */

#define DECLARE(slot, name) primitive name;
PRIMITIVES(DECLARE)
#define ENTRY(slot, name) {slot, #name, name},
static const struct {
    unsigned slot;
    const char *name;
    primitive *call;
} rows[] = {PRIMITIVES(ENTRY)};

static ULONG64 seen[3];
static unsigned calls;
static ULONG64 __stdcall replacement(ULONG64 a, ULONG64 b, ULONG64 c)
{
    seen[0] = a;
    seen[1] = b;
    seen[2] = c;
    calls++;
    return 0x5A;
}

ULONG ReadULongFromMode(const volatile ULONG *Source, char Mode);

static int run(bool fail)
{
    unsigned failures = 0;
    DWORD old;
    MmUserProbeAddress = 0x7ffffffeffff;
    if (fail) {
        ULONG value = 1;
        printf("before the fast fail\n");
        fflush(stdout);
        ReadULongFromMode(&value, 0);
        printf("not ok - a user pointer was taken for a kernel pointer\n");
        return 0;
    }
    for (unsigned slot = 0; slot < 42; slot++)
        if (__uma_functions[slot])
            failures++;
    if (VirtualProtect(__uma_functions, 42 * sizeof(void *), PAGE_READWRITE, &old) && old != PAGE_READONLY)
        failures++;
    printf("%s - the table is zero and read-only\n", failures ? "not ok" : "ok");
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ULONG64 memory[4] = {0}, other[4] = {0}, a = (ULONG64)memory, b = (ULONG64)other;
        calls = 0;
        __uma_functions[rows[i].slot] = (void *)replacement;
        ULONG64 result = rows[i].call(a, b, 4);
        bool good = calls == 1 && result == 0x5A && seen[0] == a && seen[1] == b && seen[2] == 4;
        __uma_functions[rows[i].slot] = NULL;
        rows[i].call(a, b, 4);
        good = good && calls == 1;
        failures += !good;
        printf("%s - %s goes through slot %u\n", good ? "ok" : "not ok", rows[i].name, rows[i].slot);
    }
    return failures != 0;
}

/* No C start-up code is linked. */
void mainCRTStartup(void);
void mainCRTStartup(void)
{
    int status = run(strstr(GetCommandLineA(), " fail") != NULL);
    fflush(stdout);
    ExitProcess((UINT)status);
}
