/*
 * walk.c - the walk over a thread's frames, newest to oldest, and the list of nodes it uses to cross ELF code.
 *
 * Owns the rule that joins the two kinds of frame: a pc in a registered image is unwound by its tables, any other pc
 * belongs to ELF code, and the next older node tells what comes after it. What is done with a frame found stands in
 * dispatch.c and rtlunwind.c.
 */
#include "seh_internal.h"

#include "plat.h"

/* Nodes may hold a stack pointer a little lower than their function uses later (arguments not yet popped). */
#define NODE_SLACK 4096

void seh_nodes_pop_to(struct seh_node *keep)
{
    struct arch_thread *thread = arch_self();
    struct seh_node *node = thread->seh_top;
    for (; node && node != keep; node = node->next)
        if (node->kind == SEH_CALL)
            thread->seh_calls = node;
    thread->seh_top = node;
}

void seh_nodes_pop_below(const CONTEXT *context)
{
    ULONG64 stack = context->Rsp;
    if (context->Rip == (ULONG64)seh_export_exit)
        stack -= 8; /* the call that is about to return is still needed */
    struct seh_node *node = arch_self()->seh_top;
    while (node && node->stack < stack)
        node = node->next;
    seh_nodes_pop_to(node);
}

void seh_call_context(const struct seh_call *call, CONTEXT *context)
{
    context->Rbx = call->rbx;
    context->Rbp = call->rbp;
    context->Rsi = call->rsi;
    context->Rdi = call->rdi;
    context->R12 = call->r12;
    context->R13 = call->r13;
    context->R14 = call->r14;
    context->R15 = call->r15;
    context->MxCsr = call->mxcsr;
    for (int i = 0; i < 10; i++)
        context->FltSave.Xmm[6 + i] = call->xmm[i];
    context->Rip = call->return_address;
    context->Rsp = call->node.stack + 8;
}

const struct seh_call *seh_call_at(const CONTEXT *context)
{
    const struct seh_node *top = arch_self()->seh_top;
    if (context->Rip != (ULONG64)seh_export_exit || !top || top->kind != SEH_CALL)
        return NULL;
    return (const struct seh_call *)top;
}

ULONG_PTR seh_export_caller(void)
{
    const struct seh_node *node = arch_self()->seh_top;
    while (node && node->kind != SEH_CALL)
        node = node->next;
    return node ? ((const struct seh_call *)node)->return_address : 0;
}

bool seh_export_is(const void *export)
{
    const struct seh_node *node = arch_self()->seh_top;
    return node && node->kind == SEH_CALL && ((const struct seh_call *)node)->target == (ULONG64) export;
}

void seh_leave_nowhere(CONTEXT *context)
{
    ULONG64 caller;
    bool code = context->Rip >= plat_layout.system_start && plat_is_readable(context->Rip, 1);
    if (seh_image_find(context->Rip) || code ||
        plat_safe_read(&caller, context->Rsp, sizeof(caller)) != sizeof(caller) || !seh_image_find(caller))
        return;
    context->Rip = caller;
    context->Rsp += 8;
}

void seh_walk_begin(struct seh_walk *walk, const CONTEXT *context, struct seh_node *node)
{
    walk->context = *context;
    walk->node = node;
    walk->advance = false;
    walk->begun = false;
    walk->collided = false;
    walk->scope_index = 0;
    walk->nested_frame = 0;
    walk->c_frame = NULL;
}

/* Crosses one stretch of ELF code. SEH_STEP_PE: look at the context again. */
static enum seh_step cross_node(struct seh_walk *walk)
{
    struct seh_node *node = walk->node;
    if (!node)
        return SEH_STEP_END;
    walk->node = node->next;
    switch (node->kind) {
    case SEH_C_FRAME:
        walk->c_frame = (struct seh_c_frame *)node;
        return SEH_STEP_C;
    case SEH_CALL:
        seh_call_context((const struct seh_call *)node, &walk->context);
        return SEH_STEP_PE;
    default: {
        const struct seh_dispatch *inner = (const struct seh_dispatch *)node;
        walk->context = *inner->context;
        if (inner->unwinding) {
            walk->collided = true;
            walk->scope_index = inner->scope_index ? *inner->scope_index : 0;
        } else if (inner->establisher > walk->nested_frame) {
            walk->nested_frame = inner->establisher;
        }
        return SEH_STEP_PE;
    }
    }
}

/* A frame must lie on the stack, above the one before it and below the next ELF frame: this also bounds the walk. */
static bool frame_makes_sense(const struct seh_walk *walk)
{
    const struct arch_thread *thread = arch_self();
    ULONG64 frame = walk->establisher;
    if (walk->caller.Rsp <= walk->context.Rsp || (frame & 7))
        return false;
    if (thread->stack_high && (frame < thread->stack_low || frame >= thread->stack_high))
        return false;
    return !walk->node || frame < walk->node->stack + NODE_SLACK;
}

enum seh_step seh_walk_next(struct seh_walk *walk, ULONG handlers)
{
    bool first = !walk->advance && !walk->begun;
    walk->begun = true;
    walk->c_frame = NULL;
    if (walk->advance) {
        walk->context = walk->caller;
        walk->advance = false;
        walk->collided = false;
        walk->scope_index = 0;
    }
    const struct seh_image *image;
    if (first)
        seh_leave_nowhere(&walk->context);
    while (!(image = seh_image_find(walk->context.Rip))) {
        enum seh_step step = cross_node(walk);
        if (step != SEH_STEP_PE)
            return step;
    }
    struct seh_frame_info info;
    walk->image_base = image->base;
    walk->function = seh_function_find(image, walk->context.Rip);
    walk->caller = walk->context;
    NTSTATUS status = seh_virtual_unwind(image, handlers, walk->context.Rip, walk->function, &walk->caller, &info);
    walk->establisher = info.establisher;
    walk->handler = info.handler;
    walk->handler_data = info.handler_data;
    if (!NT_SUCCESS(status) || !frame_makes_sense(walk))
        return SEH_STEP_BAD;
    walk->advance = true;
    return SEH_STEP_PE;
}
