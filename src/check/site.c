/*
 * site.c - the driver's line behind a row, and the DDI it used there.
 */
#include "check.h"
#include "accessor_names.h"
#include "ldr.h"
#include "plat.h"
#include "seh.h"
#include <stdio.h>
#include <string.h>

#define TOGETHER 40u /* what ldr_symbolize_ahead takes */
#define HELPER   "Helper"
#define CALL     0xE8 /* call rel32 */

static bool is_accessor(const char *name)
{
    if (!strncmp(name, "Umap", 4)) /* what the structure and alignment macros call */
        return true;
    for (size_t i = 0; i < sizeof(accessor_names) / sizeof(accessor_names[0]); i++)
        if (!strcmp(name, accessor_names[i]))
            return true;
    return false;
}

/* What the header's macros call stands for the macro; of a routine's two names the row's is as good. */
static void set_name(struct check_site *site, const char *function)
{
    if (!strncmp(function, "Rtl", 3) && !strcmp(function + 3, site->name))
        return;
    function += strncmp(function, "Umap", 4) ? 0 : 4;
    size_t length = strlen(function), helper = strlen(HELPER);
    if (length > helper && !strcmp(function + length - helper, HELPER))
        length -= helper;
    memcpy(site->name, function, length);
    site->name[length] = 0;
}

/* "driver!Function+0x12 (...)": its function, or "". */
static void function_of(const char *place, char name[CHECK_NAME_MAX])
{
    const char *start = strchr(place, '!');
    size_t length = start ? strcspn(++start, "+ ") : 0;
    length = length < CHECK_NAME_MAX ? length : 0;
    memcpy(name, start ? start : place, length);
    name[length] = 0;
}

/*
 * An accessor that ends by jumping to another has left no frame; the driver's call still names it. Scalars have many
 * names for one routine, so theirs stays the primitive's.
 */
static ULONG_PTR call_target(const struct uma_trace_row *row, uint64_t pc)
{
    uint8_t bytes[5];
    int32_t distance;
    bool has_one_name =
        row->how == UMA_TRACE_ACCESSOR && row->name &&
        (!strncmp(row->name, "Copy", 4) || !strncmp(row->name, "Move", 4) || !strncmp(row->name, "Set", 3));
    if (!has_one_name || plat_safe_read(bytes, pc + 1 - sizeof(bytes), sizeof(bytes)) != sizeof(bytes) ||
        bytes[0] != CALL)
        return 0;
    memcpy(&distance, bytes + 1, sizeof(distance));
    return pc + 1 + (ULONG_PTR)(LONG_PTR)distance;
}

static void name_by_call(const struct uma_trace_row *row, struct check_site *site)
{
    char place[UMA_PLACE_MAX], function[CHECK_NAME_MAX];
    ULONG_PTR target = call_target(row, site->pc);
    if (!target)
        return;
    uma_place(target, place, sizeof(place));
    function_of(place, function);
    if (is_accessor(function))
        set_name(site, function);
}

void check_site(const struct uma_trace_row *row, struct check_site *site)
{
    *site = (struct check_site){.pc = row->pc[0]};
    snprintf(site->name, sizeof(site->name), "%s", row->name ? row->name : "");
    if (!site->pc)
        return;
    uma_place(site->pc, site->place, sizeof(site->place));
    for (unsigned i = 1; i < UMA_TRACE_FRAMES && row->pc[i]; i++) {
        char function[CHECK_NAME_MAX];
        function_of(site->place, function);
        if (!is_accessor(function))
            break;
        set_name(site, function);
        site->pc = row->pc[i];
        uma_place(site->pc, site->place, sizeof(site->place));
    }
    name_by_call(row, site);
}

bool check_code(uint64_t pc, struct check_site *site)
{
    char function[CHECK_NAME_MAX];
    *site = (struct check_site){0};
    if (!seh_image_find(pc))
        return false;
    site->pc = pc;
    uma_place(pc, site->place, sizeof(site->place));
    function_of(site->place, function);
    return !is_accessor(function) && strncmp(function, "umap_", 5);
}

static void ask(ULONG_PTR asked[TOGETHER], size_t *count, ULONG_PTR address)
{
    size_t i = 0;
    while (i < *count && asked[i] != address)
        i++;
    if (i == *count)
        asked[(*count)++] = address;
    if (*count == TOGETHER) {
        ldr_symbolize_ahead(asked, *count);
        *count = 0;
    }
}

void check_sites_ahead(const struct uma_trace_row *rows, size_t count)
{
    ULONG_PTR asked[TOGETHER], target;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < 2 && rows[i].pc[k]; k++) {
            ask(asked, &n, rows[i].pc[k]);
            if ((target = call_target(&rows[i], rows[i].pc[k])))
                ask(asked, &n, target);
        }
    }
    if (n)
        ldr_symbolize_ahead(asked, n);
}
