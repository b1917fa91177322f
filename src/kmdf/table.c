/*
 * table.c - the framework's function table and the names in it; what a call of a stub does.
 */
#include "kmdf.h"

#define KMDF_DONE(index, Name) extern __attribute__((visibility("hidden"))) char kmdf_thunk_##Name[];
#define KMDF_STUB(index, Name) extern __attribute__((visibility("hidden"))) char kmdf_thunk_##Name[];
#include "functions.def"
#undef KMDF_DONE
#undef KMDF_STUB

#define KMDF_DONE(index, Name) [index] = (WDFFUNC)(void *)kmdf_thunk_##Name,
#define KMDF_STUB(index, Name) [index] = (WDFFUNC)(void *)kmdf_thunk_##Name,
const WDFFUNC kmdf_functions[KMDF_FUNCTIONS] = {
#include "functions.def"
};
#undef KMDF_DONE
#undef KMDF_STUB

static const struct {
    const char *name;
    bool done;
} rows[KMDF_FUNCTIONS] = {
#define KMDF_DONE(index, Name) [index] = {#Name, true},
#define KMDF_STUB(index, Name) [index] = {#Name, false},
#include "functions.def"
#undef KMDF_DONE
#undef KMDF_STUB
};

const char *kmdf_function_name(ULONG index)
{
    return index < KMDF_FUNCTIONS ? rows[index].name : NULL;
}

bool kmdf_function_done(ULONG index)
{
    return index < KMDF_FUNCTIONS && rows[index].done;
}

/* Why functions that begin so are not there; what is not listed may come. */
static const struct {
    const char *prefix, *reason;
} families[] = {
    {"WdfUsb", "there are no USB devices here"},
    {"WdfDma", "there is no DMA here, as there is no hardware"},
    {"WdfCommonBuffer", "there is no DMA here, as there is no hardware"},
    {"WdfInterrupt", "there are no interrupts here, as there is no hardware"},
    {"WdfIoResource", "there are no hardware resources here"},
    {"WdfCmResource", "there are no hardware resources here"},
    {"WdfCx", "there are no class extensions here"},
    {"WdfCompanion", "there are no companions here"},
};

static const char *reason_for(const char *name)
{
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(families); i++) {
        SIZE_T at = 0;
        while (families[i].prefix[at] && families[i].prefix[at] == name[at])
            at++;
        if (!families[i].prefix[at])
            return families[i].reason;
    }
    return "docs/kmdf.md lists those that are written";
}

/* Target of the stubs: bug check with the function's name, as for a stub of an export. */
NTAPI DECLSPEC_NORETURN void kmdf_missing(ULONG index);
NTAPI DECLSPEC_NORETURN void kmdf_missing(ULONG index)
{
    char place[512] = "", why[768];
    ULONG_PTR caller = seh_export_caller() - 1;
    if (ke_symbolize)
        ke_symbolize(caller, place, sizeof(place));
    rtl_print(why, sizeof(why), "a driver called the unimplemented framework function %s (slot %u) at %s; %s",
              rows[index].name, index, place, reason_for(rows[index].name));
    const ULONG_PTR parameters[4] = {(ULONG_PTR)rows[index].name, caller, 0, 0};
    ke_bugcheck_because((ULONG)STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, parameters, why);
}
