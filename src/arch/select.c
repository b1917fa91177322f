/*
 * select.c - which build of the primitives this process uses. Owns the table the public names jump through, the
 * processor's abilities, and the data the primitives read: the user limit, PKRU's other bits, the length from which
 * rep movsb is used.
 */
#include "arch.h"
#include <cpuid.h>

#define COPY_SLOTS 6

void *arch_uma_functions[ARCH_UMA_SLOTS];
ULONG_PTR MmUserProbeAddress;
uint32_t arch_pkru_keep = UINT32_MAX;
SIZE_T arch_rep_threshold = SIZE_MAX;
void (*arch_raise_hook)(EXCEPTION_RECORD *record, CONTEXT *context);
void (*arch_window_close_hook)(void);
void(NTAPI *arch_traced_begin)(const struct arch_traced_call *call);
ULONG64(NTAPI *arch_traced_end)(ULONG64 result);

extern void *const uma_none_table[], *const uma_none_avx_table[];
extern void *const uma_pku_table[], *const uma_pku_avx_table[];
extern void *const uma_hook_table[], *const uma_hook_avx_table[];

static const struct {
    void *const *all;
    void *const *avx_copies;
} variants[] = {
    [ARCH_UMA_NONE] = {uma_none_table, uma_none_avx_table},
    [ARCH_UMA_PKU] = {uma_pku_table, uma_pku_avx_table},
    [ARCH_UMA_HOOK] = {uma_hook_table, uma_hook_avx_table},
};

/* AVX, and an operating system that keeps its state. */
static bool cpu_has_avx(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
        return false;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

/* Enhanced rep movsb: worth its start from some KB on. */
static bool cpu_has_erms(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 9));
}

NTSTATUS arch_uma_select(enum arch_uma_variant variant, bool avx)
{
    if ((size_t)variant >= sizeof(variants) / sizeof(variants[0]))
        return STATUS_INVALID_PARAMETER;
    for (size_t slot = 0; slot < ARCH_UMA_SLOTS; slot++)
        arch_uma_functions[slot] = variants[variant].all[slot];
    if (avx && cpu_has_avx()) {
        for (size_t slot = 0; slot < COPY_SLOTS; slot++)
            arch_uma_functions[slot] = variants[variant].avx_copies[slot];
    }
    arch_pkru_keep = ~arch_pkru_mask;
    arch_rep_threshold = cpu_has_erms() ? ARCH_REP_THRESHOLD : SIZE_MAX;
    return STATUS_SUCCESS;
}
