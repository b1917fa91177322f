/*
 * inforce.c - whether an exception would find a handler, without raising one: the frames that a search would visit, and
 * the first __except block around one of them.
 *
 * Runs nothing of the driver's: filters are not asked, so a handler in force may still decline. Reads only what cannot
 * fault, so signal handlers may ask too.
 */
#include "seh_internal.h"

#define FRAMES_MAX 64u
#define SCOPES_MAX 1024u

/* A row of the scope table of C code compiled for Windows (c_handler.c). */
struct scope {
    ULONG begin, end;
    ULONG handler; /* filter, 1 for "always", or the termination function */
    ULONG target;  /* the __except block; 0: this is a __finally */
};

static bool scope_is_sane(const struct seh_image *image, const struct scope *scope)
{
    return scope->begin < scope->end && scope->end <= image->size &&
           (scope->handler == EXCEPTION_EXECUTE_HANDLER || scope->handler < image->size) && scope->target < image->size;
}

/*
 * Whether the frame's handler data is a scope table with an __except around pc. Handlers of other languages keep other
 * data: a table with a row that makes no sense is none.
 */
static bool has_except(const struct seh_walk *walk)
{
    const struct seh_image *image = seh_image_find(walk->image_base);
    ULONG count;
    bool found = false;
    if (!image || !walk->handler)
        return false;
    ULONG64 rva = (ULONG64)walk->handler_data - image->base, pc = walk->context.Rip - image->base;
    if (!seh_image_read(image, rva, &count, sizeof(count)) || count > SCOPES_MAX)
        return false;
    for (ULONG i = 0; i < count; i++) {
        struct scope scope;
        if (!seh_image_read(image, rva + sizeof(count) + i * sizeof(scope), &scope, sizeof(scope)) ||
            !scope_is_sane(image, &scope))
            return false;
        found = found || (scope.target && pc >= scope.begin && pc < scope.end);
    }
    return found;
}

enum seh_in_force seh_handler_in_force(const CONTEXT *context, ULONG_PTR *pcs, ULONG capacity, ULONG *count)
{
    enum seh_in_force found = SEH_NO_HANDLER;
    struct seh_walk walk;
    bool in_driver = true; /* the frames so far were all of the driver that is looked at first */
    *count = 0;
    seh_walk_begin(&walk, context, arch_self()->seh_top);
    for (ULONG i = 0; i < FRAMES_MAX; i++) {
        enum seh_step step = seh_walk_next(&walk, UNW_FLAG_EHANDLER);
        if (step != SEH_STEP_PE && step != SEH_STEP_C)
            break;
        in_driver = in_driver && step == SEH_STEP_PE;
        if (in_driver && *count < capacity)
            pcs[(*count)++] = walk.context.Rip;
        if (found)
            continue;
        if (step == SEH_STEP_C && !walk.c_frame->finally && (walk.c_frame->function || walk.c_frame->filter > 0))
            found = SEH_KERNEL_HANDLER;
        else if (step == SEH_STEP_PE && has_except(&walk))
            found = SEH_DRIVER_HANDLER;
        if (found && (!in_driver || *count == capacity))
            break;
    }
    return found;
}

static const struct seh_call *newest_call(void)
{
    const struct seh_node *node = arch_self()->seh_top;
    while (node && node->kind != SEH_CALL)
        node = node->next;
    return (const struct seh_call *)node;
}

bool seh_export_context(CONTEXT *context)
{
    const struct seh_call *call = newest_call();
    if (call)
        seh_call_context(call, context);
    return call;
}

bool seh_export_call(ULONG_PTR *target, ULONG_PTR *identity)
{
    const struct seh_call *call = newest_call();
    *target = call ? call->target : 0;
    *identity = (ULONG_PTR)call;
    return call;
}
