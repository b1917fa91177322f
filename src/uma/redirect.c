/*
 * redirect.c - makes a driver's accessors ours: fills the table its load configuration points at. Finding it is the
 * loader's.
 */
#include "uma_kernel.h"

static void *const *functions = arch_uma_functions;

static void *const *untraced = arch_uma_functions;

void uma_redirect_checked(void *const checked[ARCH_UMA_SLOTS])
{
    functions = untraced = checked;
}

void uma_redirect_traced(bool traced)
{
    functions = traced ? arch_traced_functions : untraced;
}

void uma_redirect_fill(void *table, SIZE_T size)
{
    void **slots = table;
    for (SIZE_T slot = 0; slot < ARCH_UMA_SLOTS && (slot + 1) * sizeof(void *) <= size; slot++)
        slots[slot] = functions[slot];
}
