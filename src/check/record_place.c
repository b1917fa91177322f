/*
 * record_place.c - where in the driver an access happens, and which handler an exception there would meet first.
 */
#include "record_internal.h"
#include <string.h>

_Static_assert((int)SEH_DRIVER_HANDLER == UMA_TRACE_DRIVER_HANDLER &&
                   (int)SEH_KERNEL_HANDLER == UMA_TRACE_KERNEL_HANDLER,
               "one for one");

void record_place_at(const CONTEXT *context, bool exact, struct record_place *place)
{
    ULONG_PTR pcs[UMA_TRACE_FRAMES];
    ULONG count;
    memset(place, 0, sizeof(*place));
    place->handler = (enum uma_trace_handler)seh_handler_in_force(context, pcs, UMA_TRACE_FRAMES, &count);
    /* One byte back lies inside the call; the byte behind may be another function's. */
    for (ULONG i = 0; i < count; i++)
        place->pc[i] = pcs[i] - (i || !exact);
}

void record_place_export(ULONG_PTR caller, struct record_place *place)
{
    CONTEXT context = {.ContextFlags = CONTEXT_FULL};
    if (caller && seh_export_context(&context) && context.Rip == caller)
        record_place_at(&context, false, place);
    else
        *place = (struct record_place){.pc = {caller ? caller - 1 : 0}, .handler = UMA_TRACE_KERNEL_HANDLER};
}
