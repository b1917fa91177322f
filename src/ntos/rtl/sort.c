/*
 * sort.c - sorting, searching, numbers from text, and rand: what else the C runtime of ntoskrnl has.
 *
 * Sorting is a heap sort: a comparison that contradicts itself cannot make it run long or out of the array.
 */
#include "crt_more.h"

struct order {
    int(NTAPI *plain)(const void *, const void *);
    int(NTAPI *with_context)(void *, const void *, const void *);
    void *context;
};

static int compare(const struct order *order, const void *a, const void *b)
{
    return order->plain ? order->plain(a, b) : order->with_context(order->context, a, b);
}

static void swap(UCHAR *a, UCHAR *b, SIZE_T width)
{
    while (width--) {
        UCHAR kept = *a;
        *a++ = *b;
        *b++ = kept;
    }
}

static void sift_down(UCHAR *base, SIZE_T root, SIZE_T count, SIZE_T width, const struct order *order)
{
    for (SIZE_T child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(order, base + child * width, base + (child + 1) * width) < 0)
            child++;
        if (compare(order, base + root * width, base + child * width) >= 0)
            return;
        swap(base + root * width, base + child * width, width);
    }
}

static void sort(UCHAR *base, SIZE_T count, SIZE_T width, const struct order *order)
{
    for (SIZE_T root = count / 2; root-- > 0;)
        sift_down(base, root, count, width, order);
    for (SIZE_T end = count; end > 1;) {
        swap(base, base + --end * width, width);
        sift_down(base, 0, end, width, order);
    }
}

static void *search(const void *key, const UCHAR *base, SIZE_T count, SIZE_T width, const struct order *order)
{
    for (SIZE_T low = 0, high = count; low < high;) {
        SIZE_T middle = low + (high - low) / 2;
        int difference = compare(order, key, base + middle * width);
        if (!difference)
            return (void *)(ULONG_PTR)(base + middle * width);
        if (difference < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void NTAPI nt_qsort(void *base, SIZE_T count, SIZE_T width, int(NTAPI *order)(const void *, const void *))
{
    sort(base, count, width, &(struct order){.plain = order});
}

void NTAPI nt_qsort_s(void *base, SIZE_T count, SIZE_T width, int(NTAPI *order)(void *, const void *, const void *),
                      void *context)
{
    if ((base || !count) && width && order)
        sort(base, count, width, &(struct order){.with_context = order, .context = context});
}

void *NTAPI nt_bsearch(const void *key, const void *base, SIZE_T count, SIZE_T width,
                       int(NTAPI *order)(const void *, const void *))
{
    return search(key, base, count, width, &(struct order){.plain = order});
}

void *NTAPI nt_bsearch_s(const void *key, const void *base, SIZE_T count, SIZE_T width,
                         int(NTAPI *order)(void *, const void *, const void *), void *context)
{
    if ((!base && count) || !width || !order)
        return NULL;
    return search(key, base, count, width, &(struct order){.with_context = order, .context = context});
}

static ULONG digit_of(ULONG character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'z' ? character - 'a' + 10 : 36;
}

/* Blanks, a sign, a prefix that base 0 or 16 allows, digits. What exceeds limit is limit. *end: where it stopped. */
#define TEXT_TO_NUMBER(name, T, result, limit)                                                                         \
    result NTAPI name(const T *text, T **end, int base)                                                                \
    {                                                                                                                  \
        const T *at = text, *digits;                                                                                   \
        result value = 0;                                                                                              \
        bool over = false;                                                                                             \
        if (end)                                                                                                       \
            *end = (T *)(ULONG_PTR)text;                                                                               \
        if (base < 0 || base == 1 || base > 36)                                                                        \
            return 0;                                                                                                  \
        while (nt_isspace(*at))                                                                                        \
            at++;                                                                                                      \
        bool negative = *at == '-';                                                                                    \
        at += *at == '-' || *at == '+';                                                                                \
        if ((base == 0 || base == 16) && *at == '0' && (at[1] | 0x20) == 'x' && digit_of(at[2]) < 16) {                \
            at += 2;                                                                                                   \
            base = 16;                                                                                                 \
        }                                                                                                              \
        base = base ? base : *at == '0' ? 8 : 10;                                                                      \
        for (digits = at; digit_of(*at) < (ULONG)base; at++) {                                                         \
            over = over || value > (limit - digit_of(*at)) / (ULONG)base;                                              \
            value = value * (ULONG)base + digit_of(*at);                                                               \
        }                                                                                                              \
        if (end && at != digits)                                                                                       \
            *end = (T *)(ULONG_PTR)at;                                                                                 \
        return over ? limit : negative ? 0 - value : value;                                                            \
    }
TEXT_TO_NUMBER(nt_wcstoul, WCHAR, ULONG, MAXULONG)
TEXT_TO_NUMBER(nt_strtoui64, char, ULONG64, ~0ull)

/* One sequence for everybody, of values up to 32767. */
static ULONG rand_state = 1;

void NTAPI nt_srand(ULONG seed)
{
    __atomic_store_n(&rand_state, seed, __ATOMIC_RELAXED);
}

int NTAPI nt_rand(void)
{
    ULONG old = __atomic_load_n(&rand_state, __ATOMIC_RELAXED), next;
    do
        next = old * 1103515245u + 12345u;
    while (!__atomic_compare_exchange_n(&rand_state, &old, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return (int)(next >> 16 & 0x7FFF);
}
