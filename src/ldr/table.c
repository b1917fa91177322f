/*
 * table.c - looks names up in the export table. Which table that is, ldr_set_exports says.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldr_internal.h"
#include "plat.h"

static struct ldr_export_table exports;
static struct {
    const char *module;
    struct ldr_export_table table;
} others[4];
static SIZE_T other_count;
static UCHAR *data_stubs; /* never accessible; 16 bytes for each row, so that a fault's address names its variable */

enum { DATA_STUB_SIZE = 16 };

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct ldr_export *)a)->name, ((const struct ldr_export *)b)->name);
}

void ldr_set_exports(const struct ldr_export_table *table)
{
    exports = *table;
    qsort(exports.rows, exports.count, sizeof(*exports.rows), compare_rows);
}

void ldr_add_exports(const char *module, const struct ldr_export_table *table)
{
    if (other_count == RTL_NUMBER_OF(others))
        return;
    qsort(table->rows, table->count, sizeof(*table->rows), compare_rows);
    others[other_count].module = module;
    others[other_count++].table = *table;
}

static struct ldr_export *find(const struct ldr_export_table *table, const char *name)
{
    struct ldr_export key = {.name = name};
    return table->count ? bsearch(&key, table->rows, table->count, sizeof(*table->rows), compare_rows) : NULL;
}

struct ldr_export *ldr_export_find(const char *name)
{
    return find(&exports, name);
}

const struct ldr_export *ldr_import_find(const char *module, const char *name)
{
    if (!strcasecmp(module, "ntoskrnl.exe") || !strcasecmp(module, "hal.dll"))
        return find(&exports, name);
    for (SIZE_T i = 0; i < other_count; i++)
        if (!strcasecmp(module, others[i].module))
            return find(&others[i].table, name);
    return NULL;
}

static SIZE_T data_stubs_size(void)
{
    return (exports.count * DATA_STUB_SIZE + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1);
}

void *ldr_data_stub_address(const struct ldr_export *row)
{
    if (!data_stubs)
        data_stubs = plat_system_map(data_stubs_size(), PLAT_NOACCESS);
    return data_stubs ? data_stubs + (SIZE_T)(row - exports.rows) * DATA_STUB_SIZE : NULL;
}

const char *ldr_data_stub_name(ULONG_PTR address)
{
    if (!data_stubs || address < (ULONG_PTR)data_stubs)
        return NULL;
    SIZE_T index = (address - (ULONG_PTR)data_stubs) / DATA_STUB_SIZE;
    return index < exports.count && exports.rows[index].data ? exports.rows[index].name : NULL;
}

enum ldr_export_state ldr_export_lookup(const char *name, void **address)
{
    const struct ldr_export *row = ldr_export_find(name);
    if (address)
        *address = row && row->state != LDR_EXPORT_STUB ? row->address : NULL;
    return row ? row->state : LDR_EXPORT_UNKNOWN;
}
