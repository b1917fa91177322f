/*
 * flip.c - a thread changes one word of a service's input back and forth while the service is called: the status must
 * be that of one world or of the other, never a third, and nothing may be left over. Each 8-byte word of each input in
 * turn, names and texts included; the other world's word is a kernel address, zero, or all ones but for the attributes
 * that would outlive the call. Of a text one byte changes: a copy of more need not be of one moment.
 *
 * What the service also writes is not raced: the test could not tell its result from the thread's. fetch.c has those.
 * As KernelMode the caller is trusted, so there the word changes between two pointers, or values, that are both good.
 */
#include "svc_pointers.h"

enum { CALLS = 12, WORDS = 16 };

static volatile ULONG64 *flipped; /* in a second view of the area, or in the kernel's; null: the thread rests */
static ULONG64 worlds[2];
static bool resting, over;

static void flip(void *context)
{
    UNREFERENCED_PARAMETER(context);
    for (ULONG64 i = 0; !__atomic_load_n(&over, __ATOMIC_ACQUIRE); i++) {
        volatile ULONG64 *at = __atomic_load_n(&flipped, __ATOMIC_ACQUIRE);
        __atomic_store_n(&resting, !at, __ATOMIC_RELEASE);
        if (at)
            __atomic_store_n(at, worlds[i & 1], __ATOMIC_RELAXED);
        else
            plat_yield();
    }
}

static void race(volatile ULONG64 *at, ULONG64 one, ULONG64 other)
{
    worlds[0] = one;
    worlds[1] = other;
    __atomic_store_n(&resting, false, __ATOMIC_RELEASE);
    __atomic_store_n(&flipped, at, __ATOMIC_RELEASE);
}

static void rest(void)
{
    __atomic_store_n(&flipped, NULL, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&resting, __ATOMIC_ACQUIRE))
        plat_yield();
}

/* Offsets in the slot of the words that the service only reads; returns how many. */
static ULONG input_words(const struct svc_row *row, ULONG i, ULONG *offsets)
{
    const struct svc_kind_row *kind = &svc_kinds[row->kinds[i]];
    ULONG count = 0;
    if (row->kinds[i] == SVC_BUFFER_IN || row->kinds[i] == SVC_HANDLES || row->kinds[i] == SVC_DATA_IN) {
        offsets[count++] = 0;
    } else if ((kind->flags & SVC_IN) && !(kind->flags & SVC_OUT)) {
        for (ULONG at = 0; at + 8 <= kind->bytes; at += 8)
            offsets[count++] = at;
        if (row->kinds[i] == SVC_ATTRIBUTES) /* the name's header, the name's text */
            for (ULONG at = 64; at <= 96; at += 8)
                offsets[count++] = at;
        if (row->kinds[i] == SVC_STRING || row->kinds[i] == SVC_STRING_OPT)
            offsets[count++] = 64;
    }
    return count;
}

/* The call with the word as it is now, in a quiet world. */
static NTSTATUS quiet(ULONG number, ULONG offset, ULONG64 word)
{
    const struct svc_row *row = &svc_table[number];
    ULONG64 values[SVC_ARGUMENTS_MAX];
    good_build(row, good_area(UserMode), values);
    assert_true(plat_user_store(good_area(UserMode) + offset, &word, sizeof(word)));
    NTSTATUS status = bench_call(number, values);
    good_clean(row, status, good_area(UserMode), values);
    return status;
}

/* Whether what stands at offset of the argument's slot is text, which is copied; other words are read at once. */
static bool is_text(const struct svc_row *row, ULONG i, ULONG offset)
{
    return offset >= (row->kinds[i] == SVC_ATTRIBUTES ? 80u : 64u);
}

/* The word at offset of the area races between what it should be and what it is with other's bits of mask. */
static void race_word(ULONG number, ULONG offset, ULONG64 other, ULONG64 mask, UCHAR *view)
{
    const struct svc_row *row = &svc_table[number];
    ULONG64 good, values[SVC_ARGUMENTS_MAX];
    good_build(row, good_area(UserMode), values);
    assert_true(plat_user_load(good_area(UserMode) + offset, &good, sizeof(good)));
    other = (good & ~mask) | (other & mask);
    NTSTATUS status = bench_call(number, values), spoilt;
    good_clean(row, status, good_area(UserMode), values);
    quiet(number, offset, other); /* what it may delete for good is gone */
    spoilt = quiet(number, offset, other);
    for (ULONG call = 0; call < CALLS; call++) {
        good_build(row, good_area(UserMode), values);
        race((volatile ULONG64 *)(view + offset), good, other);
        NTSTATUS now = bench_call(number, values);
        rest();
        good_clean(row, now, good_area(UserMode), values);
        if (now == status || now == spoilt)
            continue;
        print_error("Nt%s, word at %u racing between %llx and %llx: 0x%08x, neither 0x%08x nor 0x%08x\n", row->name,
                    (unsigned)offset, good, other, (unsigned)now, (unsigned)status, (unsigned)spoilt);
        fail();
    }
}

/* As KernelMode: the buffer of the argument's name races between two copies of one text. */
static void race_kernel_name(ULONG number, ULONG i)
{
    const struct svc_row *row = &svc_table[number];
    const bool attributes = row->kinds[i] == SVC_ATTRIBUTES;
    UCHAR *slot = (UCHAR *)good_area(KernelMode) + i * SLOT,
          *copy = (UCHAR *)good_area(KernelMode) + PLAT_PAGE_SIZE - TEXT;
    UNICODE_STRING *name = (UNICODE_STRING *)(attributes ? slot + 64 : slot);
    ULONG64 values[SVC_ARGUMENTS_MAX];
    for (ULONG call = 0; call < CALLS; call++) {
        good_build(row, good_area(KernelMode), values);
        bool named = !attributes || ((OBJECT_ATTRIBUTES *)slot)->ObjectName;
        if (named) {
            memcpy(copy, name->Buffer, name->Length);
            race((volatile ULONG64 *)&name->Buffer, (ULONG_PTR)name->Buffer, (ULONG_PTR)copy);
        }
        NTSTATUS status = svc_zw(number, values);
        if (named)
            rest();
        good_clean(row, status, good_area(KernelMode), values);
        if (!NT_SUCCESS(status))
            print_error("Zw%s, its name racing: 0x%08x\n", row->name, (unsigned)status);
        assert_true(NT_SUCCESS(status));
    }
}

void every_racing_word_gives_one_of_two_outcomes(void **state)
{
    const ULONG64 others[] = {good_area(KernelMode), ~(ULONG64)(OBJ_PROTECT_CLOSE | OBJ_PERMANENT), 0};
    ULONG words = 0, offsets[WORDS];
    uint64_t thread;
    void *view;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(plat_user_alias(good_area(UserMode), PLAT_PAGE_SIZE, &view), STATUS_SUCCESS);
    assert_int_equal(plat_thread_create(flip, NULL, &thread), STATUS_SUCCESS);
    for (ULONG number = 0; number < SVC_SERVICES; number++) {
        struct bench_counts before = bench_counts();
        for (ULONG i = 0; i < svc_table[number].count; i++) {
            ULONG count = input_words(&svc_table[number], i, offsets);
            for (ULONG k = 0; k < count * RTL_NUMBER_OF(others); k++) {
                ULONG offset = offsets[k / RTL_NUMBER_OF(others)], other = k % RTL_NUMBER_OF(others);
                ULONG64 mask = is_text(&svc_table[number], i, offset) ? 0xFFull << 16 * other : ~0ull;
                race_word(number, i * SLOT + offset, others[other], mask, view);
            }
            words += count;
            if (svc_table[number].kinds[i] == SVC_ATTRIBUTES || svc_table[number].kinds[i] == SVC_STRING)
                race_kernel_name(number, i);
        }
        if (strstr(svc_table[number].name, "Key")) /* a value or key of the other world's name stays */
            before.pool = bench_counts().pool;
        bench_check(&before);
    }
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    plat_thread_join(thread);
    plat_user_alias_release(view, PLAT_PAGE_SIZE);
    print_message("%u words of input raced\n", (unsigned)words);
    assert_true(words > 100);
}
