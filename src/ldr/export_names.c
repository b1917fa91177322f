/*
 * export_names.c - which export a driver's call in progress is of: from the routine behind a thunk back to its name.
 *
 * Includes no system header, for the reason exports.c gives.
 */
#include "exports.h"

#define HIDDEN extern __attribute__((visibility("hidden"))) char

#define EXPORT_DONE(Name)       HIDDEN ldr_routine_##Name[] __asm__(#Name);
#define EXPORT_AS(Name, Symbol) HIDDEN ldr_routine_##Name[] __asm__(#Symbol);
#define EXPORT_LEAF(Name)
#define EXPORT_LEAF_AS(Name, Symbol)
#define EXPORT_DATA(Name)
#define EXPORT_DATA_AS(Name, Symbol)
#define EXPORT_STUB(Name)
#define EXPORT_DATA_STUB(Name)
#include "exports.def"
#include "wdfldr.def"
#undef EXPORT_DONE
#undef EXPORT_AS

#define EXPORT_DONE(Name)       {#Name, ldr_routine_##Name},
#define EXPORT_AS(Name, Symbol) {#Name, ldr_routine_##Name},
static const struct {
    const char *name;
    const char *routine;
} rows[] = {
#include "exports.def"
#include "wdfldr.def"
};

const char *ldr_export_name(ULONG_PTR routine)
{
    for (SIZE_T i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((ULONG_PTR)rows[i].routine == routine)
            return rows[i].name;
    return 0;
}

bool ldr_is_export_name(const char *name)
{
    for (SIZE_T i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].name == name)
            return true;
    return false;
}
