/*
 * count.h - counts the instructions a call executes, by stepping through it, and tells the time.
 *
 * Code in COUNT_SECTION is the caller's and is not counted; everything it calls is.
 */
#pragma once
#include <stdint.h>

#ifdef _WIN32
#define COUNT_SECTION __attribute__((noinline, section(".count$m")))
#else
#define COUNT_SECTION __attribute__((noinline, section("count_code")))
#endif

/* Instructions executed outside COUNT_SECTION while once(address) runs. */
unsigned count_instructions(void (*once)(uint64_t address), uint64_t address);
uint64_t count_now_ns(void);
