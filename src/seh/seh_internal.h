/*
 * seh_internal.h - what the files of src/seh share: the walk over frames, the nodes' full shapes, the image reader.
 *
 * Nothing outside this folder includes it. The offsets of struct seh_call and struct seh_c_frame are used by entry.S.
 */
#pragma once
#include "arch.h"
#include "seh.h"
#include "wdk/seh.h"

#define UNW_FLAG_EHANDLER  1
#define UNW_FLAG_UHANDLER  2
#define UNW_FLAG_CHAININFO 4

/* A driver's call into an export: its registers as they will be after the export returns. */
struct seh_call {
    struct seh_node node;
    ULONG64 return_address; /* 24 */
    ULONG64 rbx, rbp, rsi, rdi, r12, r13, r14, r15;
    ULONG mxcsr; /* 96 */
    ULONG unused;
    ULONG64 target; /* 104: the export */
    M128A xmm[10];  /* 112: xmm6 to xmm15 */
};
_Static_assert(offsetof(struct seh_call, return_address) == 24, "used by assembly");
_Static_assert(offsetof(struct seh_call, mxcsr) == 96, "used by assembly");
_Static_assert(offsetof(struct seh_call, target) == 104, "used by assembly");
_Static_assert(offsetof(struct seh_call, xmm) == 112, "used by assembly");
_Static_assert(sizeof(struct seh_call) == 272, "used by assembly");

_Static_assert(offsetof(struct seh_c_frame, jump) == 24, "used by assembly");
_Static_assert(offsetof(struct seh_c_frame, phase) == 88, "used by assembly");

/*
 * A dispatcher or unwinder running somebody's handler. An exception out of that handler continues, for the new
 * dispatcher, at *context: where the first exception was raised, or, in an unwind, at the frame whose handler was
 * running (the unwound ones are gone).
 */
struct seh_dispatch {
    struct seh_node node;
    bool unwinding;
    const CONTEXT *context;
    ULONG64 establisher;      /* frame whose handler runs; 0 for a C frame */
    const ULONG *scope_index; /* unwinding: first scope of that frame not yet run */
};

enum seh_step { SEH_STEP_PE, SEH_STEP_C, SEH_STEP_END, SEH_STEP_BAD };

/* One walk over all frames, from newest to oldest. After seh_walk_next the fields tell about the frame it found. */
struct seh_walk {
    CONTEXT context;       /* registers in the frame */
    CONTEXT caller;        /* registers in its caller, after SEH_STEP_PE */
    struct seh_node *node; /* next node to use once the pc is in ELF code */
    bool advance;          /* go on at caller */
    bool begun;            /* the first frame has been asked for */
    bool collided;         /* the frame is one whose unwind was interrupted */
    ULONG scope_index;
    ULONG64 nested_frame; /* frames up to this one have an exception of their own in dispatch */
    ULONG64 image_base;
    ULONG64 establisher;
    PRUNTIME_FUNCTION function;
    PEXCEPTION_ROUTINE handler;
    PVOID handler_data;
    struct seh_c_frame *c_frame;
};
/* A call through a bad pointer faults at its target, where there is no code: such a pc is a leaf function's. */
void seh_leave_nowhere(CONTEXT *context);
void seh_walk_begin(struct seh_walk *walk, const CONTEXT *context, struct seh_node *node);
/* handlers: UNW_FLAG_EHANDLER or UNW_FLAG_UHANDLER, which language handlers to report. */
enum seh_step seh_walk_next(struct seh_walk *walk, ULONG handlers);

/* Drops nodes newer than keep, and their call records. */
void seh_nodes_pop_to(struct seh_node *keep);
/* Drops the nodes of stack frames that are gone once the stack pointer is context->Rsp. */
void seh_nodes_pop_below(const CONTEXT *context);
void seh_call_context(const struct seh_call *call, CONTEXT *context);
/* The newest node if it is a call that returns through seh_export_exit at this context; else null. */
const struct seh_call *seh_call_at(const CONTEXT *context);

/* Bounds-checked copy out of a mapped image; false if any byte is outside of it or cannot be read. */
bool seh_image_read(const struct seh_image *image, ULONG64 rva, void *to, SIZE_T size);
/* The entry that covers pc, following one indirection; null for a leaf function. */
PRUNTIME_FUNCTION seh_function_find(const struct seh_image *image, ULONG64 pc);
/* Copies from the thread's stack, or from anywhere readable. */
bool seh_stack_read(ULONG64 address, void *to, SIZE_T size);

struct seh_frame_info {
    PEXCEPTION_ROUTINE handler; /* null if none of the kinds asked for, or pc in prologue or epilogue */
    PVOID handler_data;
    ULONG64 establisher;
};
/*
 * Unwinds *context by one frame of function (null: leaf). STATUS_BAD_FUNCTION_TABLE: the image's data makes no sense;
 * STATUS_BAD_STACK: a saved register cannot be read. *context is then undefined.
 */
NTSTATUS seh_virtual_unwind(const struct seh_image *image, ULONG handlers, ULONG64 pc, PRUNTIME_FUNCTION function,
                            CONTEXT *context, struct seh_frame_info *info);
/* If pc stands in an epilogue, carries the rest of it out on *context and returns true. */
bool seh_unwind_epilogue(const struct seh_image *image, ULONG64 pc, const RUNTIME_FUNCTION *function,
                         UCHAR frame_register, CONTEXT *context);
/* The function's entry with chained pieces followed to the first; null if the chain is bad. */
bool seh_function_primary(const struct seh_image *image, const RUNTIME_FUNCTION *function, RUNTIME_FUNCTION *primary);

struct seh_unwind {
    ULONG64 target_frame; /* establisher of a PE frame, 0: none */
    struct seh_c_frame *target_node;
    ULONG64 target_ip;
    ULONG64 return_value;
    EXCEPTION_RECORD *record;
};
/* Runs termination handlers from *context up to the target and continues there. */
DECLSPEC_NORETURN void seh_unwind_to(struct seh_unwind *unwind, const CONTEXT *context, struct seh_node *node);
/* Goes on with an unwind that stopped to run the __finally block of frame. */
DECLSPEC_NORETURN void seh_unwind_continue(struct seh_c_frame *frame);

DECLSPEC_NORETURN void seh_unhandled(EXCEPTION_RECORD *record, CONTEXT *context);
/* Before the stack pointer moves up: AddressSanitizer forgets what it knew about the frames skipped. */
void seh_sanitizer_leave_stack(void);
DECLSPEC_NORETURN void seh_context_load(const CONTEXT *context);
DECLSPEC_NORETURN void seh_c_frame_jump(struct seh_c_frame *frame);
extern const char seh_export_exit[];

/* C halves of the assembly stubs; context holds the caller's registers. */
DECLSPEC_NORETURN void seh_raise_record_at(EXCEPTION_RECORD *record, CONTEXT *context);
DECLSPEC_NORETURN void seh_raise_status_at(NTSTATUS status, CONTEXT *context);
DECLSPEC_NORETURN void seh_raise_access_violation_at(ULONG kind, ULONG_PTR address, CONTEXT *context);
DECLSPEC_NORETURN void seh_call_overflow(CONTEXT *context);
DECLSPEC_NORETURN void seh_call_mismatch(CONTEXT *context);
DECLSPEC_NORETURN void seh_rtl_unwind_at(ULONG64 frame, ULONG64 ip, EXCEPTION_RECORD *record, ULONG64 value,
                                         CONTEXT *context);
DECLSPEC_NORETURN void seh_rtl_restore_at(CONTEXT *context, EXCEPTION_RECORD *record);
void seh_capture_fix(CONTEXT *context);
DECLSPEC_NORETURN void seh_longjmp_at(const ULONG64 *buffer, ULONG64 value, CONTEXT *context);
