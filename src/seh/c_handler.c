/*
 * c_handler.c - __C_specific_handler: the language handler of C code compiled for Windows, driven by the function's
 * scope table.
 *
 * A scope is a range of code with a filter and a handler block (__except) or a termination function (__finally). The
 * table is read from the image as anything else in it is: checked. Follows the documented SCOPE_TABLE of x64.
 */
#include "seh_internal.h"

struct scope {
    ULONG begin;
    ULONG end;
    ULONG handler; /* filter, 1 for "always", or the termination function */
    ULONG target;  /* the __except block; 0: this is a __finally */
};

typedef LONG(NTAPI *filter_function)(EXCEPTION_POINTERS *pointers, PVOID frame);
typedef void(NTAPI *termination_function)(BOOLEAN abnormal, PVOID frame);

struct table {
    const struct seh_image *image;
    ULONG64 rva; /* of the first scope */
    ULONG count;
    ULONG pc; /* where the frame is, as an offset */
};

static bool table_open(const DISPATCHER_CONTEXT *dispatcher, struct table *table)
{
    table->image = seh_image_find(dispatcher->ImageBase);
    if (!table->image)
        return false;
    ULONG64 data = (ULONG64)dispatcher->HandlerData - table->image->base;
    table->rva = data + sizeof(ULONG);
    table->pc = (ULONG)(dispatcher->ControlPc - table->image->base);
    return seh_image_read(table->image, data, &table->count, sizeof(table->count));
}

/* False at the end of the table, or of the image. */
static bool scope_read(const struct table *table, ULONG index, struct scope *scope)
{
    return index < table->count &&
           seh_image_read(table->image, table->rva + (ULONG64)index * sizeof(*scope), scope, sizeof(*scope));
}

static bool scope_holds(const struct scope *scope, ULONG pc)
{
    return pc >= scope->begin && pc < scope->end;
}

static bool in_image(const struct table *table, ULONG rva)
{
    return rva < table->image->size;
}

/* First pass: asks the filters from the innermost scope out. */
static EXCEPTION_DISPOSITION search(EXCEPTION_RECORD *record, PVOID frame, CONTEXT *context,
                                    DISPATCHER_CONTEXT *dispatcher, const struct table *table)
{
    EXCEPTION_POINTERS pointers = {record, context};
    struct scope scope;
    for (ULONG i = dispatcher->ScopeIndex; scope_read(table, i, &scope); i++) {
        if (!scope_holds(&scope, table->pc) || !scope.target)
            continue;
        LONG answer = EXCEPTION_EXECUTE_HANDLER;
        if (scope.handler != EXCEPTION_EXECUTE_HANDLER) {
            if (!in_image(table, scope.handler))
                continue;
            answer = ((filter_function)(table->image->base + scope.handler))(&pointers, frame);
        }
        if (answer < 0)
            return ExceptionContinueExecution;
        if (answer > 0 && in_image(table, scope.target))
            RtlUnwindEx(frame, (PVOID)(table->image->base + scope.target), record,
                        (PVOID)(ULONG_PTR)(ULONG)record->ExceptionCode, dispatcher->ContextRecord,
                        dispatcher->HistoryTable);
    }
    return ExceptionContinueSearch;
}

/* Second pass: runs the __finally functions that the way to the target leaves. */
static void terminate(const EXCEPTION_RECORD *record, PVOID frame, DISPATCHER_CONTEXT *dispatcher,
                      const struct table *table)
{
    bool at_target = (record->ExceptionFlags & EXCEPTION_TARGET_UNWIND) != 0;
    ULONG target = (ULONG)(dispatcher->TargetIp - table->image->base);
    struct scope scope;
    for (ULONG i = dispatcher->ScopeIndex; scope_read(table, i, &scope); i++) {
        if (!scope_holds(&scope, table->pc))
            continue;
        if (at_target && scope.target && scope.target == target)
            return; /* what encloses the __except block being entered is not left */
        if (at_target && !scope.target && scope_holds(&scope, target))
            return;
        if (scope.target || !in_image(table, scope.handler))
            continue;
        /* An exception or jump out of the function must not run it again. */
        dispatcher->ScopeIndex = i + 1;
        ((termination_function)(table->image->base + scope.handler))(TRUE, frame);
    }
}

EXCEPTION_DISPOSITION NTAPI __C_specific_handler(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame,
                                                 PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext)
{
    struct table table;
    if (!table_open(DispatcherContext, &table))
        return ExceptionContinueSearch;
    if (ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND)
        terminate(ExceptionRecord, EstablisherFrame, DispatcherContext, &table);
    else
        return search(ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext, &table);
    return ExceptionContinueSearch;
}
