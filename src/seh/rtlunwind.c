/*
 * rtlunwind.c - the second pass: runs the termination handlers between an exception and its target, then continues at
 * the target.
 *
 * Owns RtlUnwind and RtlUnwindEx, RtlRestoreContext and longjmp. The unwinder runs below the frames it unwinds. For
 * the __finally block of a C frame that is not possible: the block runs in its own function's frame, over the
 * unwinder's stack, so the rest of the unwind is written down in the frame and begun anew when the block ends.
 */
#include "seh_internal.h"

/* The search for it begins at the frame the walk has come to. */
DECLSPEC_NORETURN static void raise_unwind_error(NTSTATUS status, const struct seh_unwind *unwind,
                                                 const struct seh_walk *walk)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = status, .ExceptionFlags = EXCEPTION_NONCONTINUABLE, .ExceptionRecord = unwind->record};
    struct seh_dispatch self = {.node = {walk->node, SEH_DISPATCH, (ULONG_PTR)&self}, .context = &walk->context};
    seh_nodes_pop_to(walk->node);
    arch_self()->seh_top = &self;
    seh_raise_record(&record);
}

/* The frame's record is a copy: what it points at is about to be overwritten. */
DECLSPEC_NORETURN static void enter_c_frame(struct seh_unwind *unwind, struct seh_c_frame *frame)
{
    frame->record = *unwind->record;
    frame->record.ExceptionRecord = NULL;
    frame->phase = SEH_PHASE_HANDLER;
    frame->abnormal = frame->finally;
    frame->target_frame = unwind->target_frame;
    frame->target_node = unwind->target_node;
    frame->target_ip = unwind->target_ip;
    frame->return_value = unwind->return_value;
    seh_nodes_pop_to(frame->node.next);
    seh_sanitizer_leave_stack();
    seh_c_frame_jump(frame);
}

DECLSPEC_NORETURN static void enter_target(struct seh_unwind *unwind, struct seh_walk *walk)
{
    CONTEXT *context = &walk->context;
    context->Rax = unwind->return_value;
    context->Rip = unwind->target_ip;
    seh_nodes_pop_to(walk->node);
    seh_sanitizer_leave_stack();
    seh_context_load(context);
}

/* Runs the termination handlers of one PE frame. */
static void terminate_pe(struct seh_unwind *unwind, struct seh_walk *walk)
{
    EXCEPTION_RECORD *record = unwind->record;
    DISPATCHER_CONTEXT dispatcher = {.ControlPc = walk->context.Rip,
                                     .ImageBase = walk->image_base,
                                     .FunctionEntry = walk->function,
                                     .EstablisherFrame = walk->establisher,
                                     .TargetIp = unwind->target_ip,
                                     .ContextRecord = &walk->context,
                                     .LanguageHandler = walk->handler,
                                     .HandlerData = walk->handler_data,
                                     .ScopeIndex = walk->scope_index};
    struct seh_dispatch self = {.node = {walk->node, SEH_DISPATCH, (ULONG_PTR)&self},
                                .unwinding = true,
                                .context = &walk->context,
                                .establisher = walk->establisher,
                                .scope_index = &dispatcher.ScopeIndex};
    if (walk->establisher == unwind->target_frame)
        record->ExceptionFlags |= EXCEPTION_TARGET_UNWIND;
    if (walk->collided)
        record->ExceptionFlags |= EXCEPTION_COLLIDED_UNWIND;
    seh_nodes_pop_to(walk->node);
    arch_self()->seh_top = &self;
    EXCEPTION_DISPOSITION answer = walk->handler(record, (PVOID)walk->establisher, &walk->context, &dispatcher);
    seh_nodes_pop_to(walk->node);
    record->ExceptionFlags &= ~(ULONG)(EXCEPTION_TARGET_UNWIND | EXCEPTION_COLLIDED_UNWIND);
    if (answer != ExceptionContinueSearch)
        raise_unwind_error(STATUS_INVALID_DISPOSITION, unwind, walk);
}

void seh_unwind_to(struct seh_unwind *unwind, const CONTEXT *context, struct seh_node *node)
{
    struct seh_walk walk;
    bool exit_unwind = !unwind->target_frame && !unwind->target_node;
    unwind->record->ExceptionFlags |= EXCEPTION_UNWINDING | (exit_unwind ? EXCEPTION_EXIT_UNWIND : 0);
    seh_walk_begin(&walk, context, node);
    for (;;) {
        switch (seh_walk_next(&walk, UNW_FLAG_UHANDLER)) {
        case SEH_STEP_C:
            if (walk.c_frame->finally || walk.c_frame == unwind->target_node)
                enter_c_frame(unwind, walk.c_frame);
            break;
        case SEH_STEP_PE:
            if (unwind->target_frame && walk.establisher > unwind->target_frame)
                raise_unwind_error(STATUS_INVALID_UNWIND_TARGET, unwind, &walk);
            if (walk.handler)
                terminate_pe(unwind, &walk);
            if (unwind->target_frame && walk.establisher == unwind->target_frame)
                enter_target(unwind, &walk);
            break;
        case SEH_STEP_BAD:
            unwind->record->ExceptionFlags |= EXCEPTION_STACK_INVALID;
            seh_unhandled(unwind->record, &walk.context);
        case SEH_STEP_END:
            seh_unhandled(unwind->record, &walk.context);
        }
    }
}

void seh_unwind_continue(struct seh_c_frame *frame)
{
    /* Any pc outside the images says ELF code; the walk goes on at the next node. */
    CONTEXT context = {.Rsp = frame->node.stack};
    EXCEPTION_RECORD record = frame->record;
    struct seh_unwind unwind = {.target_frame = frame->target_frame,
                                .target_node = frame->target_node,
                                .target_ip = frame->target_ip,
                                .return_value = frame->return_value,
                                .record = &record};
    seh_unwind_to(&unwind, &context, arch_self()->seh_top);
}

/* RtlUnwind, RtlUnwindEx and _local_unwind; their ContextRecord and HistoryTable are scratch space we do not need. */
void seh_rtl_unwind_at(ULONG64 frame, ULONG64 ip, EXCEPTION_RECORD *record, ULONG64 value, CONTEXT *context)
{
    EXCEPTION_RECORD own = {.ExceptionCode = STATUS_UNWIND, .ExceptionAddress = (PVOID)context->Rip};
    struct seh_unwind unwind = {
        .target_frame = frame, .target_ip = ip, .return_value = value, .record = record ? record : &own};
    seh_unwind_to(&unwind, context, arch_self()->seh_top);
}

void seh_rtl_restore_at(CONTEXT *context, EXCEPTION_RECORD *record)
{
    if (record && record->ExceptionCode == STATUS_LONGJUMP && record->NumberParameters >= 1)
        seh_longjmp_at((const ULONG64 *)record->ExceptionInformation[0], context->Rax, context);
    seh_nodes_pop_below(context);
    seh_sanitizer_leave_stack();
    seh_context_load(context);
}

/* RtlCaptureContext called through seh_export_entry: the caller is the driver, not the entry. */
void seh_capture_fix(CONTEXT *context)
{
    const struct seh_call *call = seh_call_at(context);
    if (call)
        seh_call_context(call, context);
}

/* The words of the documented x64 _JUMP_BUFFER. */
enum { JUMP_FRAME, JUMP_RBX, JUMP_RSP, JUMP_RBP, JUMP_RSI, JUMP_RDI, JUMP_R12, JUMP_RIP = 10, JUMP_MXCSR, JUMP_XMM6 };

static void jump_context(const ULONG64 *buffer, CONTEXT *context)
{
    context->Rbx = buffer[JUMP_RBX];
    context->Rsp = buffer[JUMP_RSP];
    context->Rbp = buffer[JUMP_RBP];
    context->Rsi = buffer[JUMP_RSI];
    context->Rdi = buffer[JUMP_RDI];
    for (int i = 0; i < 4; i++)
        (&context->R12)[i] = buffer[JUMP_R12 + i];
    context->Rip = buffer[JUMP_RIP];
    context->MxCsr = (ULONG)buffer[JUMP_MXCSR];
    __builtin_memcpy(&context->FltSave.Xmm[6], &buffer[JUMP_XMM6], 10 * sizeof(M128A));
}

void seh_longjmp_at(const ULONG64 *buffer, ULONG64 value, CONTEXT *context)
{
    value = value ? value : 1;
    if (buffer[JUMP_FRAME]) {
        EXCEPTION_RECORD record = {
            .ExceptionCode = STATUS_LONGJUMP, .NumberParameters = 1, .ExceptionInformation = {(ULONG_PTR)buffer}};
        seh_rtl_unwind_at(buffer[JUMP_FRAME], buffer[JUMP_RIP], &record, value, context);
    }
    jump_context(buffer, context);
    context->Rax = value;
    seh_nodes_pop_below(context);
    seh_sanitizer_leave_stack();
    seh_context_load(context);
}
