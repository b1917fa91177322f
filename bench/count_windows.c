/*
 * count_windows.c - stepping in a Windows program: the trap flag, and a handler that counts.
 */
#include <windows.h>
#include "count.h"

#define TRAP_FLAG 0x100u

static COUNT_SECTION void traced(void (*once)(uint64_t address), uint64_t address);
static __attribute__((section(".count$a"), used)) void section_start(void)
{
}
static __attribute__((section(".count$z"), used)) void section_end(void)
{
}
static volatile unsigned counted;
static volatile int stepping;

static LONG CALLBACK count_step(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode != (DWORD)EXCEPTION_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    uintptr_t pc = pointers->ContextRecord->Rip;
    if (pc < (uintptr_t)section_start || pc >= (uintptr_t)section_end)
        counted++;
    if (stepping)
        pointers->ContextRecord->EFlags |= TRAP_FLAG;
    else
        pointers->ContextRecord->EFlags &= ~TRAP_FLAG;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void traced(void (*once)(uint64_t address), uint64_t address)
{
    once(address);
    counted = 0;
    stepping = 1;
    __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
    once(address);
    stepping = 0;
    __asm__ volatile("nop");
}

unsigned count_instructions(void (*once)(uint64_t address), uint64_t address)
{
    void *handler = AddVectoredExceptionHandler(1, count_step);
    traced(once, address);
    RemoveVectoredExceptionHandler(handler);
    return counted;
}

uint64_t count_now_ns(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (uint64_t)((double)now.QuadPart * 1e9 / (double)frequency.QuadPart);
}
