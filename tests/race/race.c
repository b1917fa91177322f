/*
 * race.c - accessors against a user thread that changes the same memory at the same time.
 *
 * Every scalar read and write of the table, aligned: no value is torn. Interlocked: no update is lost. Memory that is
 * unmapped, mapped and protected meanwhile: a call moves its bytes or raises an access violation on the range, and
 * never anything else. The user thread stores through a second view of the same frames, as user mode would. Each part
 * is short.
 */
#include <cpuid.h>
#include "plat.h"
#include "ddi.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ACCESS_VIOLATION 0xC0000005u
#define ROW_NS           6000000u
#define CHANGE_NS        400000000u

static unsigned failures;

void ddi_record(const char *name)
{
    (void)name;
}

typedef unsigned char vector __attribute__((vector_size(16), aligned(16)));

/* ---- a user thread that stores or checks two values in turn ---- */

struct user_thread {
    unsigned char *view; /* 16-byte aligned */
    unsigned size;
    bool stores;
    atomic_bool stop;
    atomic_uint torn;
    atomic_ullong turns;
};

static void store(unsigned char *to, unsigned size, unsigned char byte)
{
    uint64_t value = 0x0101010101010101u * byte;
    switch (size) {
    case 1:
        *(volatile uint8_t *)to = byte;
        break;
    case 2:
        *(volatile uint16_t *)to = (uint16_t)value;
        break;
    case 4:
        *(volatile uint32_t *)to = (uint32_t)value;
        break;
    case 8:
        *(volatile uint64_t *)to = value;
        break;
    default:
        *(volatile vector *)to = (vector){0} + byte;
        break;
    }
}

/* All bytes of a value are alike, or it is torn. */
static bool is_torn(const void *value, unsigned size)
{
    const unsigned char *bytes = value;
    for (unsigned i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            return true;
    return false;
}

static void load(const unsigned char *from, unsigned size, void *value)
{
    switch (size) {
    case 1:
        *(uint8_t *)value = *(const volatile uint8_t *)from;
        break;
    case 2:
        *(uint16_t *)value = *(const volatile uint16_t *)from;
        break;
    case 4:
        *(uint32_t *)value = *(const volatile uint32_t *)from;
        break;
    case 8:
        *(uint64_t *)value = *(const volatile uint64_t *)from;
        break;
    default:
        *(vector *)value = *(const volatile vector *)from;
        break;
    }
}

static void *user_main(void *context)
{
    struct user_thread *thread = context;
    while (!atomic_load_explicit(&thread->stop, memory_order_relaxed)) {
        if (thread->stores) {
            store(thread->view, thread->size, 0xFF);
            store(thread->view, thread->size, 0x00);
        } else {
            vector value = {0};
            load(thread->view, thread->size, &value);
            atomic_fetch_add(&thread->torn, is_torn(&value, thread->size));
        }
        atomic_fetch_add_explicit(&thread->turns, 1, memory_order_relaxed);
    }
    return NULL;
}

/* Calls the row until its time is up while the user thread runs; every value must be whole. */
static void race_row(const struct ddi_row *row, unsigned size)
{
    struct user_thread thread = {.view = env.pages[1] + 0x40, .size = size};
    struct ddi_call call = {.user = env.arena + ARENA_PAGE + 0x40, .length = size, .mode = 1, .alignment = 1};
    bool copy = row->shape == DDI_COPY_FROM || row->shape == DDI_COPY_TO;
    vector other = {0};
    call.other = (uint64_t)(uintptr_t)&other;
    thread.stores = row->shape == DDI_READ || row->shape == DDI_COPY_FROM;
    memset(thread.view, 0, 16);
    pthread_t id;
    if (pthread_create(&id, NULL, user_main, &thread) != 0)
        return;
    unsigned torn = 0;
    uint64_t calls = 0, start = plat_time_ns();
    while (plat_time_ns() - start < ROW_NS || atomic_load(&thread.turns) < 100)
        for (unsigned i = 0; i < 50; i++, calls++) {
            struct env_seen seen = {0};
            call.value[0] = call.value[1] = calls & 1 ? ~(uint64_t)0 : 0;
            if (!thread.stores)
                memset(&other, calls & 1 ? 0xFF : 0, sizeof other);
            env_call(row->thunk, &call, &seen);
            torn += seen.raised;
            if (thread.stores)
                torn += is_torn(copy ? (const void *)&other : (const void *)call.result, size);
        }
    atomic_store(&thread.stop, true);
    pthread_join(id, NULL);
    torn += atomic_load(&thread.torn);
    printf("%s - %s, %u bytes: no torn value in %llu calls against %llu turns\n", torn ? "not ok" : "ok", row->name,
           size, (unsigned long long)calls, (unsigned long long)atomic_load(&thread.turns));
    failures += torn != 0;
}

static unsigned scalar_size(const struct ddi_row *row)
{
    for (unsigned i = 0; i < ddi_case_count; i++)
        if (&ddi_rows[ddi_cases[i].row] == row)
            return (unsigned)ddi_cases[i].length;
    return 0;
}

/* The architecture makes aligned 16-byte accesses atomic where there is AVX; QEMU's TCG has it and splits them all the
 * same. */
static bool vectors_are_atomic(void)
{
    unsigned eax, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_AVX))
        return false;
    __cpuid(0x40000000, eax, ebx, ecx, edx);
    return ebx != 0x54474354; /* "TCGT" */
}

static void torn_values(void)
{
    const unsigned widest = vectors_are_atomic() ? 16 : 8;
    if (widest < 16)
        puts("not checked: 16-byte structures, which this processor does not access at once");
    for (unsigned i = 0; i < ddi_row_count; i++) {
        const struct ddi_row *row = &ddi_rows[i];
        unsigned size = scalar_size(row);
        if ((row->shape == DDI_READ || row->shape == DDI_WRITE) && size <= 8)
            race_row(row, size);
        else if (strcmp(row->family, "struct macro") == 0)
            for (size = 1; size <= widest; size *= 2)
                race_row(row, size);
    }
}

/* ---- interlocked: both sides add bits; none may be lost ---- */

#define ROUNDS 20000u

static void *user_adds(void *context)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        atomic_fetch_add((_Atomic uint32_t *)context, 1);
    return NULL;
}

static const struct ddi_row *find_row(const char *name)
{
    for (unsigned i = 0; i < ddi_row_count; i++)
        if (strcmp(ddi_rows[i].name, name) == 0)
            return &ddi_rows[i];
    return NULL;
}

static void lost_updates(void)
{
    const struct ddi_row *row = find_row("InterlockedCompareExchangeToUser");
    uint32_t *view = (uint32_t *)(env.pages[1] + 0x80);
    struct ddi_call call = {.user = env.arena + ARENA_PAGE + 0x80, .mode = 1};
    *view = 0;
    pthread_t id;
    if (!row || pthread_create(&id, NULL, user_adds, view) != 0)
        return;
    for (unsigned i = 0; i < ROUNDS / 4; i++)
        do {
            struct env_seen seen = {0};
            call.value[1] = *(volatile uint32_t *)view;
            call.value[0] = call.value[1] + 1;
            env_call(row->thunk, &call, &seen);
        } while ((uint32_t)call.result[0] != (uint32_t)call.value[1]);
    pthread_join(id, NULL);
    bool good = *view == ROUNDS + ROUNDS / 4;
    printf("%s - interlocked: %u additions, %u wanted\n", good ? "ok" : "not ok", *view, ROUNDS + ROUNDS / 4);
    failures += !good;
}

/* ---- memory that comes and goes ---- */

struct changer {
    uint64_t address; /* one page */
    bool unmaps;
    atomic_bool stop;
    atomic_uint turns, failed;
};

static void changer_main(void *context)
{
    struct changer *changer = context;
    while (!atomic_load(&changer->stop)) {
        ULONG_PTR base = changer->address;
        bool good;
        if (changer->unmaps) {
            good = NT_SUCCESS(plat_user_unmap(base, ARENA_PAGE));
            plat_yield();
            good = NT_SUCCESS(plat_user_map(&base, ARENA_PAGE, PLAT_READWRITE)) && good;
        } else {
            good = NT_SUCCESS(plat_user_protect(base, ARENA_PAGE, PLAT_READ));
            plat_yield();
            good = NT_SUCCESS(plat_user_protect(base, ARENA_PAGE, PLAT_NOACCESS)) && good;
            plat_yield();
            good = NT_SUCCESS(plat_user_protect(base, ARENA_PAGE, PLAT_READWRITE)) && good;
        }
        atomic_fetch_add(&changer->failed, !good);
        atomic_fetch_add(&changer->turns, 1);
        plat_yield();
    }
}

/* One call on the page; returns false for anything but success or an access violation inside the range. */
static bool clean_outcome(const struct ddi_row *row, uint64_t page, uint64_t length, unsigned char *other, bool *raised)
{
    struct ddi_call call = {
        .user = page + 0x40, .other = (uint64_t)(uintptr_t)other, .length = length, .mode = 1, .alignment = 1};
    struct env_seen seen = {0};
    env_call(row->thunk, &call, &seen);
    *raised = seen.raised;
    return !seen.raised || (seen.code == ACCESS_VIOLATION && seen.parameters == 2 && seen.information[0] <= 1 &&
                            seen.information[1] >= call.user && seen.information[1] < call.user + length);
}

static void changing_memory(bool unmaps)
{
    static const char *const names[] = {"ReadULong64FromUser", "WriteULong64ToUser", "CopyFromUser",
                                        "CopyToUser",          "ZeroUserMemory",     "InterlockedOr64ToUser",
                                        "StringLengthFromUser"};
    static unsigned char other[4096];
    struct changer changer = {.address = env.arena + 2 * ARENA_PAGE, .unmaps = unmaps};
    unsigned unclean = 0, moved = 0, refused = 0;
    uint64_t id, start = plat_time_ns();
    if (!NT_SUCCESS(plat_thread_create(changer_main, &changer, &id)))
        return;
    for (unsigned i = 0; plat_time_ns() - start < CHANGE_NS; i++) {
        const char *name = names[i % (sizeof names / sizeof names[0])];
        uint64_t length = strstr(name, "Copy") ? 2000 : strstr(name, "Zero") ? 3000 : strstr(name, "String") ? 4096 : 8;
        bool raised = false;
        unclean += !clean_outcome(find_row(name), changer.address, length, other, &raised);
        moved += !raised;
        refused += raised;
    }
    atomic_store(&changer.stop, true);
    plat_thread_join(id);
    bool good = !unclean && !atomic_load(&changer.failed) && moved && refused;
    printf("%s - %s meanwhile: %u calls moved, %u refused, %u neither, in %u changes of which %u failed\n",
           good ? "ok" : "not ok", unmaps ? "unmapped" : "protected", moved, refused, unclean,
           atomic_load(&changer.turns), atomic_load(&changer.failed));
    failures += !good;
    bool raised = true; /* the page is there again: nothing of the race lingers */
    good = clean_outcome(find_row("WriteULong64ToUser"), changer.address, 8, other, &raised) && !raised;
    printf("%s - the page is usable afterwards\n", good ? "ok" : "not ok");
    failures += !good;
}

int main(void)
{
    if (!env_start())
        return 77;
    torn_values();
    lost_updates();
    changing_memory(false);
    changing_memory(true);
    return failures != 0;
}
