/*
 * stubs.c - code for imports we do not know: the driver loads, and a call stops with the export's name and the
 * caller's.
 *
 * Stubs are made at load in executable pages of their own, one slot per unknown import. Stubs of exports we do know are
 * built in (export_stubs.S); both end in ldr_stop.
 */
#include <stdio.h>
#include <string.h>

#include "ldr_internal.h"
#include "plat.h"

/* Code and the names it passes on. */
struct ldr_stub {
    UCHAR entry[24];  /* mov $target, %r11; mov $seh_export_entry, %rax; jmp *%rax */
    UCHAR target[24]; /* mov $this, %rcx; mov $stub_called, %rax; jmp *%rax */
    const char *module;
    const char *name;
};

static void default_stop(const char *text, const char *name, ULONG_PTR caller)
{
    (void)name;
    (void)caller;
    plat_debug_write("uma: ", 5);
    plat_debug_write(text, strlen(text));
    plat_debug_write("\n", 1);
    plat_exit(1);
}

void (*ldr_stop_hook)(const char *text, const char *name, ULONG_PTR caller) = default_stop;

DECLSPEC_NORETURN void ldr_stop(const char *module, const char *name)
{
    ULONG_PTR caller =
        seh_export_caller() - 1; /* in the call itself: what follows it may be another line, or nothing */
    struct ldr_image *image = ldr_find(caller);
    char where[LDR_ERROR_MAX * 2], text[LDR_ERROR_MAX * 4];
    ldr_symbolize(caller, where, sizeof(where));
    snprintf(text, sizeof(text), "driver %s called unimplemented export %s!%s at %s", image ? image->name : "?", module,
             name, where);
    ldr_stop_hook(text, name, caller);
    plat_exit(1);
}

static NTAPI DECLSPEC_NORETURN void stub_called(const struct ldr_stub *stub)
{
    ldr_stop(stub->module, stub->name);
}

bool ldr_stubs_make(struct ldr_image *image, ULONG count)
{
    image->stubs_size = (count * sizeof(struct ldr_stub) + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1);
    if (count)
        image->stubs = plat_system_map(image->stubs_size, PLAT_READWRITE);
    return !count || image->stubs;
}

/* movabs $first, %reg; movabs $second, %rax; jmp *%rax. The opcode chooses reg. */
static void write_jump(UCHAR code[24], USHORT load, ULONG_PTR first, ULONG_PTR second)
{
    memcpy(code, &load, 2);
    memcpy(code + 2, &first, 8);
    memcpy(code + 10, "\x48\xb8", 2);
    memcpy(code + 12, &second, 8);
    memcpy(code + 20, "\xff\xe0\xcc\xcc", 4);
}

void *ldr_stub_set(struct ldr_image *image, ULONG index, const char *module, const char *name)
{
    struct ldr_stub *stub = &image->stubs[index];
    stub->module = module;
    stub->name = name;
    write_jump(stub->entry, 0xbb49 /* r11 */, (ULONG_PTR)stub->target, (ULONG_PTR)seh_export_entry);
    write_jump(stub->target, 0xb948 /* rcx */, (ULONG_PTR)stub, (ULONG_PTR)stub_called);
    return stub->entry;
}

void ldr_stubs_seal(struct ldr_image *image)
{
    if (image->stubs)
        plat_system_protect(image->stubs, image->stubs_size, PLAT_READ | PLAT_EXECUTE);
}

void ldr_stubs_free(struct ldr_image *image)
{
    if (image->stubs)
        plat_system_unmap(image->stubs, image->stubs_size);
    image->stubs = NULL;
}
