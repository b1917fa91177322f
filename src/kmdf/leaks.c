/*
 * leaks.c - framework objects that are still there, as lines among the leftovers of io_leaks.
 */
#include "kmdf.h"

struct listing {
    io_leak_teller *tell;
    void *reporter;
};

static void tell_object(struct kmdf_object *object, void *context)
{
    char what[600], place[400];
    struct listing *listing = context;
    SIZE_T used = rtl_print(what, sizeof(what), "%s 0x%llx, %d reference%s", object->type->name,
                            (ULONG64)(ULONG_PTR)object->handle, object->references, object->references == 1 ? "" : "s");
    if (object->referenced_by && ke_symbolize) {
        ke_symbolize(object->referenced_by - 1, place, sizeof(place));
        rtl_print(what + used, sizeof(what) - used, " (the newest from %s)", place);
    }
    listing->tell(listing->reporter, object->caller, "created", what);
}

static void tell_all(io_leak_teller *tell, void *reporter)
{
    struct listing listing = {tell, reporter};
    kmdf_objects_each(tell_object, &listing);
}

void kmdf_leaks_install(void)
{
    io_leaks_add(tell_all);
}
