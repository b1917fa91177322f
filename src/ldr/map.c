/*
 * map.c - loads a driver file: read, check, lay out in system space, relocate, bind, protect; and takes it out again.
 *
 * The list of loaded images changes only in load and unload, which the caller serialises; lookups may come from a
 * signal handler or a bug check at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldr_internal.h"
#include "plat.h"
#include "uma_kernel.h"

static struct ldr_image *images;

struct ldr_image *ldr_first(void)
{
    return images;
}

struct ldr_image *ldr_find(ULONG_PTR address)
{
    for (struct ldr_image *image = images; image; image = image->next)
        if (address - (ULONG_PTR)image->base < image->size)
            return image;
    return NULL;
}

const char *ldr_note_text(ULONG note)
{
    switch (note) {
    case LDR_NOTE_TLS:
        return "has a TLS directory, which drivers cannot use; ignored";
    case LDR_NOTE_WRITE_EXECUTE:
        return "has pages that are both writable and executable";
    case LDR_NOTE_NO_COOKIE:
        return "its stack cookie lies outside the image; not set";
    case LDR_NOTE_DELAY:
        return "has delay imports; bound at load like the others";
    case LDR_NOTE_OVERRIDE:
        return "has function overrides; not applied, calls are redirected by its UMA table";
    case LDR_NOTE_BAD_UMA_TABLE:
        return "its UMA table is misaligned or lies outside the image; not filled";
    case LDR_NOTE_BAD_GUARD:
        return "a control flow guard pointer lies outside the image; not set";
    default:
        return "?";
    }
}

/* ---- the file ---- */

/* The whole file, in malloc'ed memory. Never blocks on a pipe or a device. */
static const char *read_file(const char *path, UCHAR **data, SIZE_T *size)
{
    struct stat stat;
    const char *error = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &stat) < 0)
        error = strerror(errno);
    else if (S_ISDIR(stat.st_mode))
        error = "is a directory, not a driver file";
    else if (!S_ISREG(stat.st_mode))
        error = "not a regular file";
    else if (stat.st_size > PE_IMAGE_MAX)
        error = "file larger than 256 MB";
    else if (!(*data = malloc((SIZE_T)stat.st_size + 1)))
        error = "out of memory";
    while (!error && *size < (SIZE_T)stat.st_size) {
        ssize_t got = read(fd, *data + *size, (SIZE_T)stat.st_size - *size);
        if (got < 0 && errno != EINTR)
            error = strerror(errno);
        if (got == 0)
            break; /* shrank meanwhile: the parser sees what there is */
        if (got > 0)
            *size += (SIZE_T)got;
    }
    close(fd);
    return error;
}

void ldr_image_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%.*s", (int)size - 1, slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = 0;
    for (char *c = name; *c; c++)
        if (*c < 0x21 || *c > 0x7e)
            *c = '?';
}

/* ---- protection ---- */

/* What a page needs: the union of the sections that touch it. A page without any (headers, gaps) is read-only. */
static ULONG page_protection(const struct pe_file *pe, ULONG page)
{
    ULONG prot = PLAT_READ;
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        if (section->size == 0 || section->rva >= page + PLAT_PAGE_SIZE || section->rva + section->size <= page)
            continue;
        if (section->flags & PE_SCN_WRITE)
            prot |= PLAT_WRITE;
        if (section->flags & PE_SCN_EXECUTE)
            prot |= PLAT_EXECUTE;
    }
    return prot;
}

/* Applies protections in runs of equal pages. */
static bool protect_pages(struct ldr_image *image)
{
    ULONG size = (ULONG)image->size;
    for (ULONG start = 0; start < size;) {
        ULONG prot = page_protection(image->pe, start), end = start + PLAT_PAGE_SIZE;
        while (end < size && page_protection(image->pe, end) == prot)
            end += PLAT_PAGE_SIZE;
        if ((prot & PLAT_WRITE) && (prot & PLAT_EXECUTE))
            image->notes |= LDR_NOTE_WRITE_EXECUTE;
        if (!plat_system_protect(image->base + start, end - start, prot))
            return false;
        start = end;
    }
    return true;
}

void ldr_discard_init(struct ldr_image *image)
{
    const struct pe_file *pe = image->pe;
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        if (!(section->flags & PE_SCN_DISCARDABLE) || pe->section_alignment < PLAT_PAGE_SIZE)
            continue;
        UCHAR *start = image->base + section->rva;
        UCHAR *end = start + ((section->size + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1));
        /* Unwind data is read for as long as the driver runs, whatever its section says. */
        bool tables =
            (start < image->unwind_end && image->unwind_begin < end) ||
            (start < (UCHAR *)(image->seh.functions + image->seh.count) && (UCHAR *)image->seh.functions < end) ||
            (image->uma_table >= (ULONG_PTR)start && image->uma_table < (ULONG_PTR)end);
        if (!tables && start < end)
            plat_system_protect(start, (SIZE_T)(end - start), PLAT_NOACCESS);
    }
}

ULONG ldr_page_protection(const struct ldr_image *image, ULONG_PTR address)
{
    return page_protection(image->pe, (ULONG)(address - (ULONG_PTR)image->base) & ~(PLAT_PAGE_SIZE - 1));
}

void ldr_redirect_again(void)
{
    for (struct ldr_image *image = ldr_first(); image; image = image->next) {
        if (!image->uma_table)
            continue;
        ULONG first = (ULONG)(image->uma_table - (ULONG_PTR)image->base) & ~(PLAT_PAGE_SIZE - 1);
        ULONG last = (ULONG)(image->uma_table + PE_UMA_TABLE_SIZE - 1 - (ULONG_PTR)image->base);
        for (ULONG page = first; page <= last; page += PLAT_PAGE_SIZE)
            plat_system_protect(image->base + page, PLAT_PAGE_SIZE, PLAT_READWRITE);
        uma_redirect_fill((void *)image->uma_table, PE_UMA_TABLE_SIZE);
        for (ULONG page = first; page <= last; page += PLAT_PAGE_SIZE)
            plat_system_protect(image->base + page, PLAT_PAGE_SIZE, page_protection(image->pe, page));
    }
}

/* ---- load ---- */

static const char *register_unwind(struct ldr_image *image)
{
    struct pe_unwind unwind;
    const char *error = pe_check_unwind(image->pe, image->base, &unwind);
    if (error)
        return error;
    image->unwind_begin = image->base + unwind.data_low;
    image->unwind_end = image->base + unwind.data_high;
    image->seh = (struct seh_image){
        .base = (ULONG_PTR)image->base,
        .size = image->size,
        .functions = (const RUNTIME_FUNCTION *)(image->base + unwind.functions),
        .count = unwind.count,
        .name = image->name,
    };
    return NULL;
}

static const char *place(struct ldr_image *image)
{
    struct pe_file *pe = image->pe;
    image->size = (pe->image_size + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1);
    image->base = plat_system_map(image->size, PLAT_READWRITE);
    if (!image->base)
        return "out of memory";
    pe_copy(pe, image->base);
    const char *error = pe_relocate(pe, image->base, pe->image_base, (ULONG_PTR)image->base);
    if (!error)
        error = ldr_bind(image);
    if (!error)
        error = ldr_apply_load_config(image);
    if (!error)
        error = register_unwind(image);
    if (error)
        return error;
    if (pe->directories[PE_DIR_TLS].rva)
        image->notes |= LDR_NOTE_TLS;
    image->entry = (ULONG_PTR)image->base + pe->entry;
    return protect_pages(image) ? NULL : "cannot set the protection of its pages";
}

static void free_image(struct ldr_image *image)
{
    if (!image)
        return;
    ldr_unbind(image);
    if (image->base)
        plat_system_unmap(image->base, image->size);
    free(image->pe);
    free(image);
}

static const char *load(const char *path, struct ldr_image *image)
{
    UCHAR *data = NULL;
    SIZE_T size = 0;
    const char *error = read_file(path, &data, &size);
    if (!error && !(image->pe = malloc(sizeof(*image->pe))))
        error = "out of memory";
    if (!error)
        error = pe_parse(data, size, image->pe);
    if (!error)
        error = place(image);
    if (image->pe)
        image->pe->file = NULL;
    free(data);
    return error;
}

NTSTATUS ldr_load(const char *path, struct ldr_image **out, char text[LDR_ERROR_MAX])
{
    *out = NULL;
    struct ldr_image *image = calloc(1, sizeof(*image));
    const char *error = "out of memory";
    if (image && strlen(path) >= sizeof(image->path)) {
        error = "path too long";
    } else if (image) {
        ldr_image_name(path, image->name, sizeof(image->name));
        char *full = realpath(path, NULL);
        snprintf(image->path, sizeof(image->path), "%s", full && strlen(full) < sizeof(image->path) ? full : path);
        free(full);
        error = load(path, image);
    }
    if (error) {
        snprintf(text, LDR_ERROR_MAX, "%.*s: %s", LDR_ERROR_MAX - 120, path, error);
        for (char *c = text; *c; c++)
            if ((UCHAR)*c < 0x20 || *c == 0x7f)
                *c = '?';
        free_image(image);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    seh_image_register(&image->seh);
    image->next = images;
    __atomic_store_n(&images, image, __ATOMIC_RELEASE);
    *out = image;
    return STATUS_SUCCESS;
}

void ldr_unload(struct ldr_image *image)
{
    for (struct ldr_image **link = &images; *link; link = &(*link)->next) {
        if (*link == image) {
            *link = image->next;
            break;
        }
    }
    seh_image_unregister(&image->seh);
    ldr_symbols_forget();
    free_image(image);
}
