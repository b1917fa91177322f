/*
 * clock.c - what drivers can ask about time. One tick is 15.625 ms, as on an ordinary Windows machine.
 */
#include "ke.h"

#define TICK_100NS 156250u

VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)plat_system_time_100ns();
}

VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)plat_system_time_100ns();
}

VOID NTAPI KeQueryTickCount(PLARGE_INTEGER CurrentCount)
{
    CurrentCount->QuadPart = (LONGLONG)(plat_time_ns() / 100 / TICK_100NS);
}

/* 100 ns units per tick. */
ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return TICK_100NS;
}

/* 100 ns since the start. */
ULONGLONG NTAPI KeQueryInterruptTime(VOID)
{
    return plat_time_ns() / 100;
}

ULONGLONG NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    uint64_t now = plat_time_ns() / 100;
    if (QpcTimeStamp)
        *QpcTimeStamp = now;
    return now;
}

/* Counts at 10 MHz, as current Windows does. */
LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER count = {.QuadPart = (LONGLONG)(plat_time_ns() / 100)};
    if (PerformanceFrequency)
        PerformanceFrequency->QuadPart = 10000000;
    return count;
}

/* Busy-waits; meant for at most 50 microseconds. */
VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds)
{
    uint64_t end = plat_time_ns() + MicroSeconds * 1000ull;
    while (plat_time_ns() < end)
        continue;
}
