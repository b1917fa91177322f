/*
 * arm64.c - the AArch64 primitives, in their ELF build, run as an AArch64 program (under qemu-user elsewhere): values,
 * exact fault offsets at every length up to 200, ordered forms at every alignment, the user limit. Its own fault
 * handler and exceptions.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "arch.h"
#include "usermode_accessors.h"

#define PAGE 0x1000ul
ULONG_PTR MmUserProbeAddress;
static sigjmp_buf raised_to;
static ULONG_PTR raised_address, raised_status;
static unsigned failures, checks;

void on_raise(ULONG_PTR address, ULONG_PTR status);
void on_raise(ULONG_PTR address, ULONG_PTR status)
{
    raised_address = address;
    raised_status = status;
    siglongjmp(raised_to, 1);
}
__asm__(".globl arch_raise_fault\n.globl arch_raise_status\narch_raise_status:\n\tmov x16, #0\n"
        "arch_raise_fault:\n\tmov x0, x16\n\tmov x1, x17\n\tb on_raise\n");

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    ULONG_PTR fixup;
    if (!arch_fault_lookup(user->uc_mcontext.pc, &fixup)) {
        signal(number, SIG_DFL);
        return;
    }
    user->uc_mcontext.regs[16] = (ULONG_PTR)info->si_addr;
    user->uc_mcontext.regs[17] = 0xC0000005u;
    user->uc_mcontext.pc = fixup;
}

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition) && failures++ < 20)                                                                           \
            printf("not ok - " __VA_ARGS__);                                                                           \
    } while (0)
#define RAISES(statement) (sigsetjmp(raised_to, 1) ? true : ((void)(statement), false))

typedef VOID NTAPI copy(volatile VOID *, const volatile VOID *, SIZE_T);
static unsigned char *user, *second; /* two readable pages each, then an inaccessible one */
static unsigned char kernel[3 * PAGE], before[3 * PAGE];

/* One copy of length bytes of which `reach` lie before the inaccessible page of the user side. */
static void copy_case(const char *name, copy *call, bool to_user, unsigned length, unsigned reach, unsigned shift)
{
    unsigned char *side = user + 2 * PAGE - reach, *other = kernel + 64 + shift;
    unsigned char *source = to_user ? other : side, *destination = to_user ? side : other;
    unsigned moved = reach < length ? reach : length;
    for (unsigned i = 0; i < length; i++) {
        if (to_user || i < moved)
            source[i] = (unsigned char)(i * 7 + 1);
        if (!to_user || i < moved)
            destination[i] = 0xEE;
    }
    bool raised = RAISES(call(destination, source, length));
    CHECK(raised == (moved < length), "%s %u/%u: raised %d\n", name, reach, length, raised);
    CHECK(!raised || raised_address == (ULONG_PTR)(user + 2 * PAGE), "%s %u/%u: address\n", name, reach, length);
    CHECK(memcmp(destination, source, moved) == 0, "%s %u/%u: bytes before the fault\n", name, reach, length);
    for (unsigned i = moved; i < length && !to_user; i++)
        CHECK(destination[i] == 0xEE, "%s %u/%u: byte %u after the fault\n", name, reach, length, i);
}

static void copies(void)
{
    static const struct {
        const char *name;
        copy *call;
        bool to_user;
    } rows[] = {{"CopyFromUser", RtlCopyFromUser, false},
                {"CopyToUser", RtlCopyToUser, true},
                {"CopyFromUserNonTemporal", RtlCopyFromUserNonTemporal, false},
                {"CopyToUserNonTemporal", RtlCopyToUserNonTemporal, true}};
    for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (unsigned length = 0; length <= 200; length++)
            for (unsigned reach = 0; reach <= length; reach += length < 70 ? 1 : 3)
                copy_case(rows[row].name, rows[row].call, rows[row].to_user, length, reach, (length + reach) % 16);
}

static void moves(void)
{
    for (unsigned length = 1; length < 150; length += 3)
        for (int distance = -(int)length; distance <= (int)length; distance++) {
            unsigned char *source = user + PAGE - 70, *destination = source + distance;
            for (unsigned i = 0; i < 2 * PAGE; i++)
                user[i] = before[i] = (unsigned char)(i * 11 + length);
            memmove(before + (destination - user), before + (source - user), length);
            CHECK(!RAISES(RtlMoveToUserFromUser(destination, source, length)), "move raised\n");
            CHECK(memcmp(before, user, 2 * PAGE) == 0, "MoveToUserFromUser by %d, %u bytes\n", distance, length);
            memcpy(second, user, PAGE);
            RtlCopyToUserFromUser(second + PAGE - 31, user + PAGE - 7, length);
            CHECK(memcmp(second + PAGE - 31, user + PAGE - 7, length) == 0, "CopyToUserFromUser, %u bytes\n", length);
        }
}

static void fills_and_strings(void)
{
    for (unsigned length = 0; length < 200; length++)
        for (unsigned reach = length > 20 ? length - 20 : 0; reach <= length + 3; reach++) {
            unsigned char *at = user + 2 * PAGE - reach;
            unsigned moved = reach < length ? reach : length;
            memset(user + PAGE, 0xEE, PAGE);
            CHECK(RAISES(RtlSetUserMemory(at, 0x5A, length)) == (moved < length), "SetUserMemory %u/%u\n", reach,
                  length);
            for (unsigned i = 0; i < reach; i++)
                CHECK(at[i] == (i < moved ? 0x5A : 0xEE), "SetUserMemory %u/%u: byte %u\n", reach, length, i);
            memset(at, 'x', reach);
            bool ends = reach > length;
            if (ends)
                at[length] = 0;
            SIZE_T found = 0;
            CHECK(RAISES(found = RtlStringLengthFromUser((char *)at)) != ends && (!ends || found == length),
                  "string %u\n", length);
            memset(at, 'x', reach);
            bool wide = reach >= 2 * (length + 1);
            if (wide)
                memset(at + 2 * length, 0, 2);
            CHECK(RAISES(found = RtlWideStringLengthFromUser((wchar_t *)at)) != wide && (!wide || found == length),
                  "wide %u\n", length);
        }
}

static void scalars(void)
{
    for (unsigned shift = 0; shift < 8; shift++) {
        unsigned char *at = user + shift;
        RtlWriteULong64ToUserRelease((ULONG64 *)at, 0x1122334455667788);
        CHECK(RtlReadULong64FromUserAcquire((ULONG64 *)at) == 0x1122334455667788, "8 bytes, ordered, at %u\n", shift);
        CHECK(ReadUIntPtrFromUser((UINT_PTR *)at) == 0x1122334455667788, "8 bytes at %u\n", shift);
        CHECK(ReadLongFromUserAcquire((LONG *)at) == 0x55667788, "4 bytes at %u\n", shift);
        CHECK(ReadUShortFromUser((USHORT *)at) == 0x7788 && ReadUCharFromUserAcquire(at) == 0x88, "2 and 1 at %u\n",
              shift);
        CHECK(RAISES(ReadULongFromUser((ULONG *)(MmUserProbeAddress + shift))) &&
                  raised_address == MmUserProbeAddress + shift,
              "the limit and %u\n", shift);
        CHECK(RAISES(RtlInterlockedOr64ToUser((LONG64 *)at, 1)) == (shift != 0), "interlocked at %u\n", shift);
        CHECK(shift == 0 || raised_status == 0x80000002u, "interlocked at %u: status\n", shift);
    }
    LONG volatile *value = (LONG *)user;
    *value = 6;
    CHECK(InterlockedAndToUser(value, 3) == 6 && *value == 2, "and\n");
    CHECK(InterlockedCompareExchangeToUser(value, 9, 1) == 2 && *value == 2, "failed exchange\n");
    CHECK(InterlockedCompareExchangeToUser(value, 9, 2) == 2 && *value == 9, "exchange\n");
    CHECK(RAISES(RtlCopyFromUser(kernel, user, ~0ull)) && raised_address == (ULONG_PTR)user, "wrap\n");
    CHECK(RAISES(RtlCopyToUser((void *)(MmUserProbeAddress - 4), kernel, 5)) && raised_address == MmUserProbeAddress,
          "straddle\n");
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    user = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    second = user + 3 * PAGE;
    mprotect(user + 2 * PAGE, PAGE, PROT_NONE);
    MmUserProbeAddress = (ULONG_PTR)user + 8 * PAGE;
    copies();
    moves();
    fills_and_strings();
    scalars();
    printf("%s - %u checks of the AArch64 primitives, %u failed\n", failures ? "not ok" : "ok", checks, failures);
    return failures != 0;
}
