/*
 * dispatch.c - the first pass: offers an exception to each handler, newest frame first, and starts the unwind.
 *
 * Owns raising and the search. A handler of a PE frame (usually __C_specific_handler) starts the unwind itself; for a
 * C frame the search here does. The second pass stands in rtlunwind.c.
 */
#include "seh_internal.h"

#include "plat.h"
#include "trace.h"

/* Exceptions raised by handlers of exceptions raised by handlers ...: beyond this only the stack would end it. */
#define NESTING_LIMIT 64

static void unhandled_default(EXCEPTION_RECORD *record, CONTEXT *context)
{
    UNREFERENCED_PARAMETER(record);
    UNREFERENCED_PARAMETER(context);
}

void (*seh_unhandled_hook)(EXCEPTION_RECORD *record, CONTEXT *context) = unhandled_default;

void seh_unhandled(EXCEPTION_RECORD *record, CONTEXT *context)
{
    static const char text[] = "seh: unhandled exception, and nobody to report it\n";
    seh_unhandled_hook(record, context);
    plat_debug_write(text, sizeof(text) - 1);
    plat_exit(3);
}

extern void __asan_handle_no_return(void) __attribute__((weak));

void seh_sanitizer_leave_stack(void)
{
    if (__asan_handle_no_return)
        __asan_handle_no_return();
}

/* A search in progress: where it began, for nested ones and for the unwind. */
struct search {
    EXCEPTION_RECORD *record;
    CONTEXT *context; /* the handlers' view, which they may change */
    CONTEXT start;
    struct seh_node *top;
    struct seh_walk walk;
};

static void push_dispatch(struct seh_dispatch *self, const struct search *search, ULONG64 establisher)
{
    struct arch_thread *thread = arch_self();
    *self = (struct seh_dispatch){
        .node = {search->top, SEH_DISPATCH, (ULONG_PTR)self}, .context = &search->start, .establisher = establisher};
    thread->seh_top = self;
}

/*
 * Raises what the dispatcher itself has to say about a record: a handler's answer that cannot be. Searched from the
 * same place.
 */
DECLSPEC_NORETURN static void raise_about(NTSTATUS status, const struct search *search)
{
    struct seh_dispatch self;
    EXCEPTION_RECORD about = {
        .ExceptionCode = status, .ExceptionFlags = EXCEPTION_NONCONTINUABLE, .ExceptionRecord = search->record};
    push_dispatch(&self, search, 0);
    seh_raise_record(&about);
}

DECLSPEC_NORETURN static void resume(const struct search *search)
{
    if (search->record->ExceptionFlags & EXCEPTION_NONCONTINUABLE)
        raise_about(STATUS_NONCONTINUABLE_EXCEPTION, search);
    seh_nodes_pop_to(search->top);
    seh_nodes_pop_below(search->context);
    seh_sanitizer_leave_stack();
    seh_context_load(search->context);
}

static EXCEPTION_DISPOSITION offer_pe(struct search *search)
{
    struct seh_walk *walk = &search->walk;
    struct seh_dispatch self;
    DISPATCHER_CONTEXT dispatcher = {.ControlPc = walk->context.Rip,
                                     .ImageBase = walk->image_base,
                                     .FunctionEntry = walk->function,
                                     .EstablisherFrame = walk->establisher,
                                     .ContextRecord = &walk->context,
                                     .LanguageHandler = walk->handler,
                                     .HandlerData = walk->handler_data,
                                     .ScopeIndex = walk->scope_index};
    if (walk->nested_frame)
        search->record->ExceptionFlags |= EXCEPTION_NESTED_CALL;
    push_dispatch(&self, search, walk->establisher);
    EXCEPTION_DISPOSITION answer =
        walk->handler(search->record, (PVOID)walk->establisher, search->context, &dispatcher);
    seh_nodes_pop_to(search->top);
    if (walk->nested_frame == walk->establisher) {
        search->record->ExceptionFlags &= ~EXCEPTION_NESTED_CALL;
        walk->nested_frame = 0;
    }
    return answer;
}

/* The answer of a C frame's filter. */
static LONG offer_c(struct search *search)
{
    struct seh_c_frame *frame = search->walk.c_frame;
    struct seh_dispatch self;
    if (frame->finally)
        return EXCEPTION_CONTINUE_SEARCH;
    if (!frame->function)
        return frame->filter;
    EXCEPTION_POINTERS pointers = {search->record, search->context};
    push_dispatch(&self, search, 0);
    LONG answer = frame->function(&pointers, frame->function_context);
    seh_nodes_pop_to(search->top);
    return answer;
}

DECLSPEC_NORETURN static void take_c(struct search *search)
{
    struct seh_unwind unwind = {.target_node = search->walk.c_frame, .record = search->record};
    seh_unwind_to(&unwind, &search->start, search->top);
}

static bool nested_too_deep(void)
{
    ULONG depth = 0;
    for (const struct seh_node *node = arch_self()->seh_top; node; node = node->next)
        depth += node->kind == SEH_DISPATCH;
    return depth > NESTING_LIMIT;
}

/*
 * A call to an address with no code faults there, with the return address on the stack: the search begins at the
 * caller.
 */
static void step_over_bad_call(const EXCEPTION_RECORD *record, CONTEXT *start)
{
    if (record->ExceptionCode == STATUS_ACCESS_VIOLATION && record->NumberParameters >= 2 &&
        record->ExceptionInformation[0] == EXCEPTION_EXECUTE_FAULT && record->ExceptionInformation[1] == start->Rip &&
        seh_stack_read(start->Rsp, &start->Rip, 8))
        start->Rsp += 8;
}

/* address: the data address of a fault; what is executed at a bad address is no access. */
static void trace_exception(const EXCEPTION_RECORD *record, const CONTEXT *context)
{
    bool fault = record->ExceptionCode == STATUS_ACCESS_VIOLATION || record->ExceptionCode == STATUS_IN_PAGE_ERROR ||
                 record->ExceptionCode == STATUS_GUARD_PAGE_VIOLATION;
    bool data = fault && record->NumberParameters >= 2 && record->ExceptionInformation[0] <= EXCEPTION_WRITE_FAULT;
    trace_emit(&(struct trace_row){.kind = TRACE_EXCEPTION,
                                   .pc = (ULONG_PTR)record->ExceptionAddress,
                                   .address = data ? record->ExceptionInformation[1] : 0,
                                   .tag = (ULONG)record->ExceptionCode,
                                   .context = context});
}

void seh_raise(EXCEPTION_RECORD *record, CONTEXT *context)
{
    struct search search = {.record = record, .context = context, .start = *context, .top = arch_self()->seh_top};
    if (nested_too_deep())
        seh_unhandled(record, context);
    trace_exception(record, context);
    step_over_bad_call(record, &search.start);
    seh_walk_begin(&search.walk, &search.start, search.top);
    for (;;) {
        enum seh_step step = seh_walk_next(&search.walk, UNW_FLAG_EHANDLER);
        if (step == SEH_STEP_BAD)
            record->ExceptionFlags |= EXCEPTION_STACK_INVALID;
        if (step == SEH_STEP_BAD || step == SEH_STEP_END)
            seh_unhandled(record, context);
        if (step == SEH_STEP_C) {
            LONG answer = offer_c(&search);
            if (answer > 0)
                take_c(&search);
            if (answer < 0)
                resume(&search);
        } else if (search.walk.handler) {
            EXCEPTION_DISPOSITION answer = offer_pe(&search);
            if (answer == ExceptionContinueExecution)
                resume(&search);
            if (answer != ExceptionContinueSearch)
                raise_about(STATUS_INVALID_DISPOSITION, &search);
        }
    }
}

/* ---- the ways to raise ---- */

void seh_trap(struct plat_trap *trap)
{
    EXCEPTION_RECORD record = {.ExceptionCode = trap->code, .ExceptionAddress = (PVOID)trap->context->Rip};
    record.NumberParameters = trap->info_count <= RTL_NUMBER_OF(trap->info) ? trap->info_count : 0;
    for (ULONG i = 0; i < record.NumberParameters; i++)
        record.ExceptionInformation[i] = trap->info[i];
    seh_raise(&record, trap->context);
}

void seh_raise_record_at(EXCEPTION_RECORD *record, CONTEXT *context)
{
    const struct seh_call *call = seh_call_at(context);
    record->ExceptionFlags &= EXCEPTION_NONCONTINUABLE;
    record->ExceptionAddress = (PVOID)(call ? call->return_address : context->Rip);
    if (record->NumberParameters > EXCEPTION_MAXIMUM_PARAMETERS)
        record->NumberParameters = EXCEPTION_MAXIMUM_PARAMETERS;
    seh_raise(record, context);
}

void seh_raise_status_at(NTSTATUS status, CONTEXT *context)
{
    EXCEPTION_RECORD record = {.ExceptionCode = status, .ExceptionFlags = EXCEPTION_NONCONTINUABLE};
    seh_raise_record_at(&record, context);
}

void seh_raise_access_violation_at(ULONG kind, ULONG_PTR address, CONTEXT *context)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = STATUS_ACCESS_VIOLATION, .NumberParameters = 2, .ExceptionInformation = {kind, address}};
    seh_raise_record_at(&record, context);
}

void seh_call_overflow(CONTEXT *context)
{
    EXCEPTION_RECORD record = {.ExceptionCode = STATUS_STACK_OVERFLOW,
                               .ExceptionFlags = EXCEPTION_NONCONTINUABLE | EXCEPTION_STACK_INVALID,
                               .ExceptionAddress = (PVOID)context->Rip};
    seh_unhandled(&record, context);
}

void seh_call_mismatch(CONTEXT *context)
{
    EXCEPTION_RECORD record = {.ExceptionCode = STATUS_BAD_STACK,
                               .ExceptionFlags = EXCEPTION_NONCONTINUABLE | EXCEPTION_STACK_INVALID,
                               .ExceptionAddress = (PVOID)context->Rip};
    seh_unhandled(&record, context);
}
