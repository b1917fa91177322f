/*
 * kuser.c - the image of KUSER_SHARED_DATA.
 *
 * Owns the page's contents: the documented fields at their documented offsets, clocks kept current on read. Who gets to
 * read it at its kernel address stands in emulate.c. Offsets follow the KUSER_SHARED_DATA page of the driver
 * documentation (ntddk.h).
 */
#include <cpuid.h>
#include <stdatomic.h>
#include <string.h>

#include "kuser.h"
#include "plat.h"

#define KUSER_TICK_COUNT_LOW     0x0
#define KUSER_TICK_MULTIPLIER    0x4
#define KUSER_INTERRUPT_TIME     0x8
#define KUSER_SYSTEM_TIME        0x14
#define KUSER_IMAGE_NUMBER_LOW   0x2c
#define KUSER_IMAGE_NUMBER_HIGH  0x2e
#define KUSER_SYSTEM_ROOT        0x30
#define KUSER_LARGE_PAGE_MINIMUM 0x244
#define KUSER_BUILD_NUMBER       0x260
#define KUSER_PRODUCT_TYPE       0x264
#define KUSER_PRODUCT_TYPE_VALID 0x268
#define KUSER_ARCHITECTURE       0x26a
#define KUSER_MAJOR_VERSION      0x26c
#define KUSER_MINOR_VERSION      0x270
#define KUSER_PROCESSOR_FEATURES 0x274
#define KUSER_SUITE_MASK         0x2d0
#define KUSER_NX_POLICY          0x2d5
#define KUSER_PHYSICAL_PAGES     0x2e8
#define KUSER_TICK_COUNT         0x320
#define KUSER_PROCESSOR_COUNT    0x3c0
#define KUSER_GROUP_COUNT        0x3c4

#define TICK_100NS      156250u    /* 15.625 ms */
#define TICK_MULTIPLIER 0xFA00000u /* milliseconds of a tick, in 8.24 fixed point */
#define BUILD_NUMBER    26100u
#define PHYSICAL_PAGES  0x100000u /* 4 GB */

__attribute__((aligned(4096))) UCHAR ke_kuser_page[KUSER_SIZE];

static atomic_flag busy = ATOMIC_FLAG_INIT;
static bool filled;

static void put(unsigned offset, uint64_t value, unsigned size)
{
    memcpy(ke_kuser_page + offset, &value, size);
}

/* KSYSTEM_TIME: readers compare High1 with High2, so High2 is stored first and High1 last. */
static void put_time(unsigned offset, uint64_t value)
{
    volatile ULONG *time = (volatile ULONG *)(void *)(ke_kuser_page + offset);
    time[2] = (ULONG)(value >> 32);
    atomic_signal_fence(memory_order_seq_cst);
    time[0] = (ULONG)value;
    atomic_signal_fence(memory_order_seq_cst);
    time[1] = (ULONG)(value >> 32);
}

static void put_features(void)
{
    UCHAR *features = ke_kuser_page + KUSER_PROCESSOR_FEATURES;
    /* On every x64: compare exchange double, MMX, SSE, rdtsc, PAE, SSE2, NX, compare exchange 128, fast fail. */
    static const UCHAR always[] = {2, 3, 6, 8, 9, 10, 12, 14, 23};
    for (size_t i = 0; i < sizeof always; i++)
        features[always[i]] = 1;
    unsigned eax, ebx, ecx, edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        features[13] = ecx & 1;       /* SSE3 */
        features[17] = ecx >> 27 & 1; /* XSAVE */
        features[28] = ecx >> 30 & 1; /* RDRAND */
        features[36] = ecx >> 9 & 1;  /* SSSE3 */
        features[37] = ecx >> 19 & 1; /* SSE4.1 */
        features[38] = ecx >> 20 & 1; /* SSE4.2 */
        features[39] = ecx >> 28 & 1; /* AVX */
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        features[22] = ebx & 1;       /* RDFSBASE and others */
        features[33] = ecx >> 22 & 1; /* RDPID */
        features[40] = ebx >> 5 & 1;  /* AVX2 */
        features[41] = ebx >> 16 & 1; /* AVX512F */
    }
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
        features[32] = edx >> 27 & 1; /* RDTSCP */
}

static void fill(void)
{
    static const char root[] = "C:\\Windows";
    for (size_t i = 0; i < sizeof root; i++)
        put(KUSER_SYSTEM_ROOT + (unsigned)(2 * i), (UCHAR)root[i], 2);
    put(KUSER_TICK_MULTIPLIER, TICK_MULTIPLIER, 4);
    put(KUSER_IMAGE_NUMBER_LOW, 0x8664, 2);
    put(KUSER_IMAGE_NUMBER_HIGH, 0x8664, 2);
    put(KUSER_LARGE_PAGE_MINIMUM, 0x200000, 4);
    put(KUSER_BUILD_NUMBER, BUILD_NUMBER, 4);
    put(KUSER_PRODUCT_TYPE, 1, 4); /* workstation */
    put(KUSER_PRODUCT_TYPE_VALID, 1, 1);
    put(KUSER_ARCHITECTURE, 9, 2); /* x64 */
    put(KUSER_MAJOR_VERSION, 10, 4);
    put(KUSER_MINOR_VERSION, 0, 4);
    put(KUSER_SUITE_MASK, 0x110, 4); /* terminal services, single user */
    put(KUSER_NX_POLICY, 2, 1);
    put(KUSER_PHYSICAL_PAGES, PHYSICAL_PAGES, 4);
    put(KUSER_PROCESSOR_COUNT, 1, 4);
    put(KUSER_GROUP_COUNT, 1, 2);
    put_features();
}

void ke_kuser_refresh(void)
{
    if (atomic_flag_test_and_set(&busy))
        return;
    if (!filled)
        fill();
    filled = true;
    uint64_t now = plat_time_ns() / 100, ticks = now / TICK_100NS;
    put_time(KUSER_INTERRUPT_TIME, now);
    put_time(KUSER_SYSTEM_TIME, plat_system_time_100ns());
    put(KUSER_TICK_COUNT_LOW, ticks, 4);
    put_time(KUSER_TICK_COUNT, ticks);
    atomic_flag_clear(&busy);
}
