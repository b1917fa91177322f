/*
 * handle.c - handles of framework objects: opaque, checked by looking them up, and what happens to a bad one.
 *
 * A handle is an address in a range that is never accessible, 16 bytes for each: a driver that takes it for a pointer
 * faults there. Numbers are given out round robin, so that a stale handle is known as one for four million creations.
 */
#include "kmdf.h"

enum { HANDLES = 1 << 22, STEP = 16 };

static UCHAR *range;                 /* HANDLES * STEP inaccessible bytes */
static struct kmdf_object **objects; /* by number */
static ULONG next_number = 1;

static bool (*explain_next)(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size);

/* A fault in the range says which object's handle was taken for a pointer. */
static bool explain_fault(ULONG_PTR address, bool write, struct ke_bugcheck *bugcheck, char *why, SIZE_T size)
{
    ULONG_PTR offset = address - (ULONG_PTR)range;
    if (offset >= (SIZE_T)HANDLES * STEP)
        return explain_next && explain_next(address, write, bugcheck, why, size);
    const struct kmdf_object *object = objects[offset / STEP];
    rtl_print(why, size, "the driver took the handle of %s%s for a pointer and tried to %s through it",
              object ? "a " : "an object that is gone", object ? object->type->name : "", write ? "write" : "read");
    bugcheck->why = why;
    return true;
}

static bool start(void)
{
    if (!objects)
        objects = plat_system_map(HANDLES * sizeof(*objects), PLAT_READWRITE);
    if (!range && (range = plat_system_map((SIZE_T)HANDLES * STEP, PLAT_NOACCESS))) {
        explain_next = ke_explain_fault;
        ke_explain_fault = explain_fault;
    }
    return range && objects;
}

WDFOBJECT kmdf_handle_make(struct kmdf_object *object)
{
    if (!start())
        return NULL;
    for (ULONG tries = 0; tries < HANDLES; tries++) {
        ULONG number = next_number;
        next_number = (next_number + 1) % HANDLES;
        if (number && !objects[number]) {
            objects[number] = object;
            return range + (SIZE_T)number * STEP;
        }
    }
    return NULL;
}

/* Its number; 0 if it is no handle. */
static ULONG number_of(WDFOBJECT handle)
{
    ULONG_PTR offset = (ULONG_PTR)handle - (ULONG_PTR)range;
    return range && offset < (SIZE_T)HANDLES * STEP && offset % STEP == 0 ? (ULONG)(offset / STEP) : 0;
}

void kmdf_handle_free(WDFOBJECT handle)
{
    objects[number_of(handle)] = NULL;
}

struct kmdf_object *kmdf_handle_find(WDFOBJECT handle)
{
    ULONG number = number_of(handle);
    return number ? __atomic_load_n(&objects[number], __ATOMIC_ACQUIRE) : NULL;
}

void kmdf_violation(ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR culprit, const char *format, ...)
{
    char why[512];
    __builtin_va_list list;
    __builtin_va_start(list, format);
    rtl_vprint(why, sizeof(why), format, list);
    __builtin_va_end(list);
    struct ke_bugcheck bugcheck = {
        .code = BUGCHECK_WDF_VIOLATION, .parameters = {code, a, b, 0}, .why = why, .culprit = culprit};
    ke_bugcheck_report(&bugcheck);
}

void kmdf_require_parameter(const void *pointer, const char *name, const char *function)
{
    if (!pointer)
        kmdf_violation(KMDF_NULL_PARAMETER, 0, seh_export_caller(), 0, "%s: %s is NULL", function, name);
}

struct kmdf_object *kmdf_object_of(WDFOBJECT handle, const struct kmdf_type *type, const char *function)
{
    struct kmdf_object *object = kmdf_handle_find(handle);
    const char *wanted = type ? type->name : "framework";
    if (!handle)
        kmdf_violation(KMDF_WRONG_HANDLE, 0, 0, 0, "%s was given NULL where it wants a %s handle", function, wanted);
    if (!object && number_of(handle))
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)handle, 0, 0,
                       "%s was given the handle 0x%llx, whose object does not exist any more", function,
                       (ULONG64)(ULONG_PTR)handle);
    if (!object)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)handle, 0, 0, "%s was given 0x%llx, which is not a %s handle",
                       function, (ULONG64)(ULONG_PTR)handle, wanted);
    if (type && object->type != type)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)handle, 0, 0,
                       "%s was given the handle 0x%llx of a %s where it wants a %s", function,
                       (ULONG64)(ULONG_PTR)handle, object->type->name, wanted);
    if (kmdf_state_of(object) == KMDF_DESTROYED)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)handle, 0, 0,
                       "%s was called for the %s 0x%llx from its EvtDestroyCallback", function, object->type->name,
                       (ULONG64)(ULONG_PTR)handle);
    return object;
}
