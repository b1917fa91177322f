/*
 * scalars.c - what one accessor call costs: nanoseconds, and instructions counted by stepping through it.
 *
 * The same source measures the ELF library (the protection is UMA_PROTECT's) and, as a Windows program, the down-level
 * umaccess.lib. Prints one tab-separated line per case: name, median ns per call, instructions of the callee including
 * its return (0: inline). The world is tests/ddi's; stepping is count_elf.c's or count_windows.c's.
 */
#ifdef _WIN32
#include <ntddk.h>
#else
#include "wdk/ntdef.h"
#endif
#include "usermode_accessors.h"
#include "ddi.h"
#include "count.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 15
#define CALLS  200000

void ddi_record(const char *name)
{
    (void)name;
}

static volatile uint64_t sink;

/* A call that does nothing: what calling costs by itself. */
static __attribute__((noinline)) void NTAPI empty_call(uint64_t address)
{
    __asm__ volatile("" ::"r"(address));
}

#define AT(type) ((volatile type *)(uintptr_t)address)

/* name, statement. Each becomes a loop for the clock and a single call for the counter. */
#define CASES(X)                                                                                                       \
    X(volatile_load, "plain volatile load", value += *AT(ULONG64))                                                     \
    X(volatile_store, "plain volatile store", *AT(ULONG64) = value)                                                    \
    X(empty, "empty call", empty_call(address))                                                                        \
    X(read_uchar, "ReadUCharFromUser", value += ReadUCharFromUser(AT(UCHAR)))                                          \
    X(read_ushort, "ReadUShortFromUser", value += ReadUShortFromUser(AT(USHORT)))                                      \
    X(read_ulong, "ReadULongFromUser", value += ReadULongFromUser(AT(ULONG)))                                          \
    X(read_ulong64, "ReadULong64FromUser", value += ReadULong64FromUser(AT(ULONG64)))                                  \
    X(read_acquire, "ReadULong64FromUserAcquire", value += ReadULong64FromUserAcquire(AT(ULONG64)))                    \
    X(read_mode, "ReadULong64FromMode (UserMode)", value += ReadULong64FromMode(AT(ULONG64), UserMode))                \
    X(write_uchar, "WriteUCharToUser", WriteUCharToUser(AT(UCHAR), (UCHAR)value))                                      \
    X(write_ushort, "WriteUShortToUser", WriteUShortToUser(AT(USHORT), (USHORT)value))                                 \
    X(write_ulong, "WriteULongToUser", WriteULongToUser(AT(ULONG), (ULONG)value))                                      \
    X(write_ulong64, "WriteULong64ToUser", WriteULong64ToUser(AT(ULONG64), value))                                     \
    X(write_release, "WriteULong64ToUserRelease", WriteULong64ToUserRelease(AT(ULONG64), value))                       \
    X(write_mode, "WriteULong64ToMode (UserMode)", WriteULong64ToMode(AT(ULONG64), value, UserMode))                   \
    X(interlocked, "InterlockedOr64ToUser", value += (uint64_t)InterlockedOr64ToUser(AT(LONG64), 0))

#define LOOP(id, name, statement)                                                                                      \
    static __attribute__((noinline)) void loop_##id(uint64_t address, uint64_t count)                                  \
    {                                                                                                                  \
        uint64_t value = 0;                                                                                            \
        for (; count; count--) {                                                                                       \
            statement;                                                                                                 \
            __asm__ volatile("" : "+r"(value));                                                                        \
        }                                                                                                              \
        sink = value;                                                                                                  \
    }                                                                                                                  \
    static COUNT_SECTION void once_##id(uint64_t address)                                                              \
    {                                                                                                                  \
        uint64_t value = 0;                                                                                            \
        statement;                                                                                                     \
        sink = value;                                                                                                  \
    }
CASES(LOOP)

static const struct {
    const char *name;
    void (*loop)(uint64_t address, uint64_t count);
    void (*once)(uint64_t address);
} cases[] = {
#define ENTRY(id, name, statement) {name, loop_##id, once_##id},
    CASES(ENTRY)};

#define CASE_COUNT (sizeof cases / sizeof cases[0])

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(void)
{
    static double rounds[CASE_COUNT][ROUNDS];
    if (!env_start())
        return 77;
    uint64_t address = env.arena + 0x1040;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < CASE_COUNT; i++) {
            /* Where a call takes microseconds (mprotect), fewer of them are enough. */
            uint64_t calls = 200, start = count_now_ns();
            cases[i].loop(address, calls);
            if (count_now_ns() - start < 100000) {
                calls = CALLS;
                start = count_now_ns();
                cases[i].loop(address, calls);
            } else {
                start = count_now_ns();
                cases[i].loop(address, calls);
            }
            rounds[i][round] = (double)(count_now_ns() - start) / (double)calls;
        }
    for (unsigned i = 0; i < CASE_COUNT; i++) {
        qsort(rounds[i], ROUNDS, sizeof(double), by_value);
        printf("%s\t%.2f\t%u\n", cases[i].name, rounds[i][ROUNDS / 2], count_instructions(cases[i].once, address));
    }
    return 0;
}
