/*
 * loadconfig.c - acts on a driver's load configuration: stack cookie, control flow guard's pointers, the UMA function
 * table.
 *
 * Field offsets are those of the public IMAGE_LOAD_CONFIG_DIRECTORY64; UmaFunctionPointers is described in
 * docs/spec/uma_table.md.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ldr_internal.h"
#include "uma_kernel.h"

#define DEFAULT_COOKIE 0x2B992DDFA232ull

/* The compiler's start-up code stops a driver whose cookie still has the linked-in value: the loader must have changed
 * it. */
static void set_cookie(struct ldr_image *image, ULONG64 va)
{
    ULONG rva = pe_rva_of(image->pe, (ULONG_PTR)image->base, va, 8);
    if (!rva) {
        image->notes |= LDR_NOTE_NO_COOKIE;
        return;
    }
    ULONG64 cookie;
    memcpy(&cookie, image->base + rva, 8);
    if (cookie != DEFAULT_COOKIE && cookie != 0)
        return;
    if (getrandom(&cookie, sizeof(cookie), GRND_NONBLOCK) != sizeof(cookie))
        cookie = (ULONG_PTR)image->base * 0x9e3779b97f4a7c15ull;
    cookie = cookie >> 16 | 1; /* 48 bits, as Windows has it: the top 16 are 0 */
    if (cookie == DEFAULT_COOKIE)
        cookie++;
    memcpy(image->base + rva, &cookie, 8);
}

static void set_guard(struct ldr_image *image, ULONG64 va, void (*routine)(void))
{
    if (!va)
        return;
    ULONG rva = pe_rva_of(image->pe, (ULONG_PTR)image->base, va, 8);
    if (rva)
        memcpy(image->base + rva, &routine, 8);
    else
        image->notes |= LDR_NOTE_BAD_GUARD;
}

const char *ldr_apply_load_config(struct ldr_image *image)
{
    struct pe_load_config config;
    const char *error = pe_read_load_config(image->pe, image->base, &config);
    if (error)
        return error;
    if (config.security_cookie)
        set_cookie(image, config.security_cookie);
    set_guard(image, config.guard_check, ldr_guard_check);
    set_guard(image, config.guard_dispatch, ldr_guard_dispatch);
    set_guard(image, config.guard_xfg_check, ldr_guard_check);
    set_guard(image, config.guard_xfg_dispatch, ldr_guard_dispatch);
    set_guard(image, config.guard_xfg_table_dispatch, ldr_guard_dispatch);
    if (pe_has_function_override(image->pe, image->base, &config))
        image->notes |= LDR_NOTE_OVERRIDE;
    if (config.uma_functions) {
        ULONG rva = pe_rva_of(image->pe, (ULONG_PTR)image->base, config.uma_functions, PE_UMA_TABLE_SIZE);
        if (!rva || rva % 8) {
            image->notes |= LDR_NOTE_BAD_UMA_TABLE;
            return NULL;
        }
        image->uma_table = (ULONG_PTR)image->base + rva;
        uma_redirect_fill((void *)image->uma_table, PE_UMA_TABLE_SIZE);
    }
    return NULL;
}
