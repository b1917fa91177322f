/*
 * user_thread.c - the embedding API's user threads, and the system call, their only way into the kernel.
 *
 * A user thread is a host thread with an identity in the user process and a stack in user memory. The program's own
 * code plays what the thread computes; its system calls take their arguments from the user stack, as a service stub
 * leaves them.
 */
#include "lib.h"
#include "ps.h"
#include "svc.h"
#include <stdlib.h>

#define USER_STACK_SIZE 0x4000u

struct uma_thread {
    void (*body)(void *context);
    void *context;
    PKTHREAD thread;
    uint64_t host;
};

__thread bool lib_user_thread;
static __thread ULONG_PTR user_stack; /* lowest address, 0 before the first call */

static void drop_stack(void)
{
    if (user_stack)
        plat_user_unmap(user_stack, USER_STACK_SIZE);
    user_stack = 0;
}

static void run(void *argument)
{
    struct uma_thread *thread = argument;
    lib_user_thread = true;
    thread->body(thread->context);
    ps_thread_notify(ke_thread_current(), false);
    drop_stack();
}

uma_status uma_thread_start(void (*body)(void *context), void *context, struct uma_thread **started)
{
    struct uma_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return STATUS_NO_MEMORY;
    thread->body = body;
    thread->context = context;
    NTSTATUS status = ke_thread_start(&ke_user.body, run, thread, 0, &thread->thread, &thread->host);
    if (!NT_SUCCESS(status)) {
        free(thread);
        return status;
    }
    ps_thread_notify(thread->thread, true);
    *started = thread;
    return status;
}

void uma_thread_join(struct uma_thread *thread)
{
    plat_thread_join(thread->host);
    ke_thread_release(thread->thread);
    free(thread);
}

bool uma_service(const char *name, uint32_t *number)
{
    *number = svc_find(name);
    return *number < SVC_SERVICES;
}

uma_status uma_syscall(uint32_t number, uint64_t arguments)
{
    return svc_system_call(number, arguments);
}

uma_status uma_call(const char *service, const uint64_t *arguments, size_t count)
{
    uint32_t number;
    if (!uma_service(service, &number))
        return STATUS_INVALID_SYSTEM_SERVICE;
    if (count != svc_table[number].count)
        return STATUS_INVALID_PARAMETER;
    if (!user_stack && !NT_SUCCESS(plat_user_map(&user_stack, USER_STACK_SIZE, PLAT_READWRITE)))
        return STATUS_NO_MEMORY;
    ULONG_PTR at = user_stack + USER_STACK_SIZE - SVC_ARGUMENTS_MAX * sizeof(*arguments);
    if (!plat_user_store(at, arguments, count * sizeof(*arguments)))
        return STATUS_ACCESS_VIOLATION; /* the program has taken its own stack away */
    return svc_system_call(number, at);
}

/* ---- user APCs ---- */

static uma_apc_function *apc_function;
static void *apc_context;

static void play_apc(ULONG_PTR routine, const ULONG_PTR arguments[3])
{
    if (apc_function)
        apc_function(apc_context, routine, (const uint64_t[]){arguments[0], arguments[1], arguments[2]});
}

void uma_set_apc(uma_apc_function *function, void *context)
{
    apc_function = function;
    apc_context = context;
    ke_user_apc = play_apc;
}
