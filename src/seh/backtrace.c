/*
 * backtrace.c - a stack walk for bug checks: PE frames by their tables, ELF frames by the frame pointers our build
 * keeps.
 *
 * Where a frame-pointer chain breaks, the walk goes on at the next node. Runs in a process that may be in any state,
 * so it reads memory only through reads that cannot fault, and every step must go up the stack.
 */
#include "seh_internal.h"

#include "plat.h"

void (*seh_spoilt_hook)(ULONG_PTR routine, bool stack);

/* driver_call.S; does not return. */
DECLSPEC_NORETURN void seh_driver_spoilt(ULONG_PTR routine, bool stack);

void seh_driver_spoilt(ULONG_PTR routine, bool stack)
{
    if (seh_spoilt_hook)
        seh_spoilt_hook(routine, stack);
    plat_exit(1);
}

struct trace_state {
    CONTEXT context;
    struct seh_node *node;
};

/* The call into the export that this pc returns through: the driver's registers are there. */
static bool follow_call(struct trace_state *state)
{
    while (state->node && state->node->kind != SEH_CALL && state->node->stack < state->context.Rsp)
        state->node = state->node->next;
    struct seh_node *node = state->node;
    while (node && node->kind != SEH_CALL)
        node = node->next;
    if (!node)
        return false;
    state->node = node->next;
    seh_call_context((const struct seh_call *)node, &state->context);
    return true;
}

static void skip_passed_nodes(struct trace_state *state)
{
    while (state->node && state->node->stack < state->context.Rsp)
        state->node = state->node->next;
}

/* One ELF frame up by rbp. Right from the first instruction after the prologue on; before it, the caller is missed. */
static bool follow_frame_pointer(struct trace_state *state)
{
    ULONG64 pair[2];
    ULONG64 frame = state->context.Rbp;
    if (frame < state->context.Rsp || (frame & 7) || plat_safe_read(pair, frame, sizeof(pair)) != sizeof(pair))
        return false;
    const struct arch_thread *thread = arch_self();
    if (thread->stack_high && state->context.Rsp < thread->stack_high && frame >= thread->stack_high)
        return false;
    state->context.Rip = pair[1];
    state->context.Rsp = frame + 16;
    state->context.Rbp = pair[0];
    return true;
}

static bool step_elf(struct trace_state *state)
{
    if (state->context.Rip != (ULONG64)seh_export_exit && follow_frame_pointer(state)) {
        if (state->context.Rip == (ULONG64)seh_export_exit)
            return follow_call(state);
        return state->context.Rip > PLAT_PAGE_SIZE;
    }
    return follow_call(state);
}

static bool step_pe(struct trace_state *state, const struct seh_image *image)
{
    struct seh_frame_info info;
    ULONG64 before = state->context.Rsp;
    PRUNTIME_FUNCTION function = seh_function_find(image, state->context.Rip);
    if (!NT_SUCCESS(seh_virtual_unwind(image, 0, state->context.Rip, function, &state->context, &info)))
        return false;
    return state->context.Rsp > before;
}

ULONG seh_backtrace(const CONTEXT *context, ULONG_PTR *pcs, ULONG capacity)
{
    struct trace_state state = {.context = *context, .node = arch_self()->seh_top};
    ULONG count = 0;
    ULONG64 last_stack = 0;
    if (state.context.Rip == (ULONG64)seh_export_exit)
        follow_call(&state);
    while (count < capacity && state.context.Rip) {
        pcs[count++] = state.context.Rip;
        if (count > 1 && state.context.Rsp <= last_stack)
            break;
        last_stack = state.context.Rsp;
        if (count == 1)
            seh_leave_nowhere(&state.context);
        if (state.context.Rip != pcs[count - 1])
            continue;
        const struct seh_image *image = seh_image_find(state.context.Rip);
        if (image ? !step_pe(&state, image) : !step_elf(&state))
            break;
        skip_passed_nodes(&state);
    }
    return count;
}
