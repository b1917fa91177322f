/*
 * seh.h - structured exception handling for our own C code, which no compiler here gives to ELF builds:
 *
 *     __try { ... } __except (FILTER) { ... GetExceptionCode() ... }
 *     __try { ... } __except_call (function, context) { ... }       a filter that looks at the exception
 *     __try { ... } __finally { ... AbnormalTermination() ... }
 *
 * Limits, first. (1) FILTER is evaluated once, on entry, before the block runs: a constant, or a value like
 * UmaExceptionFilter(Mode); GetExceptionCode() does not work in it. Where the filter must see the exception use
 * __except_call: the function is LONG function(EXCEPTION_POINTERS *pointers, void *context). (2) Locals changed in
 * the block and read in or after the handler, or after __leave, must be volatile. (3) break and continue directly in
 * a block leave that block, not a loop around it. (4) return and goto out of a __try/__except block are fine. Out of
 * a __try/__finally block or out of the __finally block itself they are not: the __finally block would not run, so
 * the process stops with a message. (5) The blocks are no functions: they see all locals.
 *
 * The frame is linked into arch_thread.seh_top; src/seh/frames.c runs it.
 */
#pragma once
/* Frames nest, so the hidden variable shadows itself; that is the one warning this line is for. */
#pragma GCC system_header
#include "wdk/ntexcept.h"

struct seh_node {
    struct seh_node *next; /* older */
    ULONG kind;
    ULONG_PTR stack; /* stack pointer when the node was made; older nodes have higher ones */
};

typedef LONG seh_filter_function(EXCEPTION_POINTERS *pointers, void *context);

enum seh_phase {
    SEH_PHASE_FILTER,  /* noting the filter's value, or which kind of frame it is */
    SEH_PHASE_ARM,     /* next: link the frame */
    SEH_PHASE_BODY,    /* the frame is linked, its block runs */
    SEH_PHASE_HANDLER, /* the __except or __finally block runs */
    SEH_PHASE_DONE
};

struct seh_c_frame {
    struct seh_node node;
    ULONG64 jump[8];      /* rbx rbp r12 r13 r14 r15 rip, mxcsr */
    volatile ULONG phase; /* 88 */
    volatile bool finally;
    volatile bool abnormal; /* the __finally block runs because of an exception or unwind */
    volatile LONG filter;
    seh_filter_function *function;
    void *function_context;
    EXCEPTION_RECORD record; /* what is handled or unwound */
    /* An unwind to go on with after the __finally block. */
    ULONG64 target_frame;
    struct seh_c_frame *target_node;
    ULONG64 target_ip;
    ULONG64 return_value;
};

/* Links the frame and remembers where it returns to; returns a second time when the frame's handler is to run. */
void seh_c_frame_enter(struct seh_c_frame *frame) __attribute__((returns_twice));
/* End of the block or of the handler. */
void seh_c_frame_next(struct seh_c_frame *frame);
DECLSPEC_NORETURN void seh_c_frame_leave(struct seh_c_frame *frame);
/* The frame's scope is left, whichever way. */
void seh_c_frame_end(struct seh_c_frame *frame);

#define __try                                                                                                          \
    for (struct seh_c_frame seh_frame_ __attribute__((cleanup(seh_c_frame_end))) = {.phase = SEH_PHASE_FILTER};        \
         seh_frame_.phase == SEH_PHASE_ARM ? (seh_c_frame_enter(&seh_frame_), 1) : seh_frame_.phase != SEH_PHASE_DONE; \
         seh_c_frame_next(&seh_frame_))                                                                                \
        if (seh_frame_.phase == SEH_PHASE_BODY)                                                                        \
            for (int seh_once_ = 1; seh_once_; seh_once_ = 0)

#define __except(...)                                                                                                  \
    else if (seh_frame_.phase == SEH_PHASE_FILTER) seh_frame_.filter = (__VA_ARGS__);                                  \
    else for (int seh_once_ = 1; seh_once_; seh_once_ = 0)

#define __except_call(FUNCTION, CONTEXT_)                                                                              \
    else if (seh_frame_.phase == SEH_PHASE_FILTER) seh_frame_.function_context = (CONTEXT_),                           \
                                                   seh_frame_.function = (FUNCTION);                                   \
    else for (int seh_once_ = 1; seh_once_; seh_once_ = 0)

#define __finally                                                                                                      \
    else if (seh_frame_.phase == SEH_PHASE_FILTER) seh_frame_.finally = true;                                          \
    else for (int seh_once_ = 1; seh_once_; seh_once_ = 0)

/* Leaves the innermost __try block, from any depth of loops in it; __finally runs with AbnormalTermination() FALSE. */
#define __leave seh_c_frame_leave(&seh_frame_)

/* In a __except block: the exception being handled. */
#define GetExceptionCode()   (seh_frame_.record.ExceptionCode)
#define GetExceptionRecord() (&seh_frame_.record)
/* In a __finally block. */
#define AbnormalTermination() ((BOOLEAN)seh_frame_.abnormal)
