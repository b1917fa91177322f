/*
 * seh.h - structured exceptions: raising, dispatching and unwinding over PE frames and our own C frames.
 *
 * Two kinds of frames share one stack. PE images are walked by their .pdata. ELF code is never walked: it is
 * skipped from node to node of the thread's list (arch_thread.seh_top), newest first:
 *   SEH_C_FRAME  a __try of our own C code (include/wdk/seh.h), on the stack;
 *   SEH_CALL     a driver's call into an export, recorded by seh_export_entry: the driver's registers at the call;
 *   SEH_DISPATCH a dispatcher or unwinder that is running a PE handler right now (nested and collided unwinds).
 * Freestanding. Uses arch, and plat's reads that cannot fault; the platform's fault hook calls in.
 *
 * Rows of exports.def for these names must bind directly, without the seh_export_entry stub, since they look at their
 * own caller's frame or pass all registers through: RtlUnwind, RtlUnwindEx, RtlRestoreContext, RtlVirtualUnwind,
 * RtlLookupFunctionEntry, RtlCaptureContext, RtlPcToFileHeader, __C_specific_handler, _local_unwind, __chkstk,
 * _setjmp (seh_setjmp), longjmp (seh_longjmp). The raising ones work either way.
 */
#pragma once
#include "wdk/ntexcept.h"
#include "wdk/seh.h"

enum seh_node_kind { SEH_C_FRAME, SEH_CALL, SEH_DISPATCH };

/* A mapped PE image with unwind tables. name is for bug checks; it and the tables must outlive the registration. */
struct seh_image {
    struct seh_image *next;
    ULONG_PTR base;
    SIZE_T size;
    const RUNTIME_FUNCTION *functions;
    ULONG count;
    const char *name;
};
void seh_image_register(struct seh_image *image);
void seh_image_unregister(struct seh_image *image);
/* The image that holds pc, or null. Async-signal-safe. */
const struct seh_image *seh_image_find(ULONG_PTR pc);

/*
 * Raises *record at *context: dispatches to the handlers of PE and C frames in order. Returns only by resuming (a
 * filter said CONTINUE_EXECUTION) or by unwinding; an unhandled exception goes to the hook below. IRQL: any.
 */
DECLSPEC_NORETURN void seh_raise(EXCEPTION_RECORD *record, CONTEXT *context);
/* The platform's trap hook (struct plat_hooks.trap): makes the record and raises it at trap->context. */
struct plat_trap;
DECLSPEC_NORETURN void seh_trap(struct plat_trap *trap);
/* Raises from C code: the search starts at the caller's newest node. */
DECLSPEC_NORETURN void seh_raise_status(NTSTATUS status);
DECLSPEC_NORETURN void seh_raise_record(EXCEPTION_RECORD *record);
DECLSPEC_NORETURN void seh_raise_access_violation(ULONG kind, ULONG_PTR address);

/* Called with an exception nobody handled; never returns (ke makes it a bug check). */
extern void (*seh_unhandled_hook)(EXCEPTION_RECORD *record, CONTEXT *context);

/*
 * Entry of a driver's call into an export: assembly, made per row of exports.def. target in r11. Keeps a SEH_CALL
 * record.
 */
void seh_export_entry(void);
/* Caller's address of the export that is running on this thread (the newest SEH_CALL), 0 if none. */
ULONG_PTR seh_export_caller(void);
/* The same as registers: what the driver goes on with after its call; the rest of *context stays. False: none runs. */
bool seh_export_context(CONTEXT *context);
/* Which call it is: its target, and a number that no two calls in progress share; false: none runs. */
bool seh_export_call(ULONG_PTR *target, ULONG_PTR *identity);
/* The newest thing on this thread's list is a driver's call of that export: it was not called by our own C code on
 * behalf of another. */
bool seh_export_is(const void *export);

/*
 * Calls a driver's routine with up to four arguments. If it comes back with another stack pointer or without the
 * registers it must preserve, seh_spoilt_hook hears of it and does not return; direction flag and MXCSR are put right.
 */
ULONG_PTR seh_driver_call(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d);
ULONG_PTR seh_driver_call_5(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e);
ULONG_PTR seh_driver_call_6(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e,
                            ULONG_PTR f);
ULONG_PTR seh_driver_call_7(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e,
                            ULONG_PTR f, ULONG_PTR g);
extern void (*seh_spoilt_hook)(ULONG_PTR routine, bool stack);

enum seh_in_force { SEH_NO_HANDLER, SEH_DRIVER_HANDLER, SEH_KERNEL_HANDLER };
/*
 * What an exception raised at *context by the running thread would find first: an __except of a PE frame or of our own
 * C code. Filters are not asked. pcs gets up to capacity addresses: that of *context and, newest first, the return
 * addresses of the PE frames below it down to the first of ours. Never faults; signal-safe.
 */
enum seh_in_force seh_handler_in_force(const CONTEXT *context, ULONG_PTR *pcs, ULONG capacity, ULONG *count);

/* A stack walk for bug checks: fills pcs, newest first, through PE and ELF frames; starts at *context. Never faults. */
ULONG seh_backtrace(const CONTEXT *context, ULONG_PTR *pcs, ULONG capacity);

/* Thread set-up: the call records. Called by ke for each thread it creates and by tests. */
NTSTATUS seh_thread_init(void);
/* Gives them back; the thread's nodes must be gone. */
void seh_thread_fini(void);

/* ---- the documented routines, exported to drivers ---- */
PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, ULONG64 *ImageBase, PVOID HistoryTable);
PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord, PVOID *HandlerData,
                                          ULONG64 *EstablisherFrame, PVOID ContextPointers);
void NTAPI RtlUnwind(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue);
void NTAPI RtlUnwindEx(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue,
                       PCONTEXT ContextRecord, PVOID HistoryTable);
void NTAPI RtlCaptureContext(PCONTEXT ContextRecord);
void NTAPI RtlRestoreContext(PCONTEXT ContextRecord, PEXCEPTION_RECORD ExceptionRecord);
void NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord);
EXCEPTION_DISPOSITION NTAPI __C_specific_handler(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame,
                                                 PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);
void NTAPI ExRaiseStatus(NTSTATUS Status);
void NTAPI ExRaiseAccessViolation(void);
void NTAPI ExRaiseDatatypeMisalignment(void);
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage);
void NTAPI RtlRaiseStatus(NTSTATUS Status);
void NTAPI _local_unwind(PVOID TargetFrame, PVOID TargetIp);
/* Not C functions: rax holds the size for __chkstk; drivers import the others as _setjmp and longjmp. */
void __chkstk(void);
void seh_setjmp(void);
void seh_longjmp(void);
