/*
 * frames.c - the life of a C frame (__try in our own code, include/wdk/seh.h) and the thread's set-up.
 *
 * Owns the steps between the macros' phases; where an exception enters a frame stands in rtlunwind.c.
 */
#include "seh_internal.h"

#include "plat.h"

#define CALL_CAPACITY 512

NTSTATUS seh_thread_init(void)
{
    struct arch_thread *thread = arch_self();
    if (!thread->seh_calls_end) {
        struct seh_call *calls = plat_system_map(CALL_CAPACITY * sizeof(struct seh_call), PLAT_READWRITE);
        if (!calls)
            return STATUS_NO_MEMORY;
        thread->seh_calls = calls;
        thread->seh_calls_end = calls + CALL_CAPACITY;
    }
    return STATUS_SUCCESS;
}

void seh_thread_fini(void)
{
    struct arch_thread *thread = arch_self();
    if (thread->seh_calls_end)
        plat_system_unmap((struct seh_call *)thread->seh_calls_end - CALL_CAPACITY,
                          CALL_CAPACITY * sizeof(struct seh_call));
    thread->seh_calls = NULL;
    thread->seh_calls_end = NULL;
    thread->seh_top = NULL;
}

DECLSPEC_NORETURN static void stop(const char *text, SIZE_T length)
{
    plat_debug_write(text, length);
    plat_exit(3);
}

static void unlink_frame(struct seh_c_frame *frame)
{
    static const char text[] = "seh: a __try block ended while a newer one was still linked\n";
    if (arch_self()->seh_top != frame)
        stop(text, sizeof(text) - 1);
    arch_self()->seh_top = frame->node.next;
}

void seh_c_frame_next(struct seh_c_frame *frame)
{
    switch (frame->phase) {
    case SEH_PHASE_FILTER:
        frame->phase = SEH_PHASE_ARM;
        break;
    case SEH_PHASE_BODY:
        unlink_frame(frame);
        frame->phase = frame->finally ? SEH_PHASE_HANDLER : SEH_PHASE_DONE;
        break;
    case SEH_PHASE_HANDLER:
        if (frame->abnormal)
            seh_unwind_continue(frame);
        frame->phase = SEH_PHASE_DONE;
        break;
    default:
        break;
    }
}

void seh_c_frame_leave(struct seh_c_frame *frame)
{
    static const char text[] = "seh: __leave outside of a __try block\n";
    if (frame->phase != SEH_PHASE_BODY)
        stop(text, sizeof(text) - 1);
    unlink_frame(frame);
    frame->phase = frame->finally ? SEH_PHASE_HANDLER : SEH_PHASE_DONE;
    seh_sanitizer_leave_stack();
    seh_c_frame_jump(frame);
}

/* A frame left by return or goto is still linked; newer frames in the same function have been ended before it. */
void seh_c_frame_end(struct seh_c_frame *frame)
{
    static const char text[] = "seh: return or goto out of a __try/__finally; the __finally block would be lost\n";
    if (frame->finally && frame->phase != SEH_PHASE_DONE)
        stop(text, sizeof(text) - 1);
    if (frame->phase == SEH_PHASE_BODY)
        unlink_frame(frame);
}
