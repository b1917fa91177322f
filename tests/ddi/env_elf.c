/*
 * env_elf.c - the tests' world in our kernel process: the user arena from plat, kernel memory in system space,
 * exceptions through src/seh. UMA_PROTECT chooses the protection of user pages; UMA_COPY=sse2, avx or rep makes copies
 * and fills go that way wherever they can.
 */
#include "plat.h"
#include "seh.h"
#include "uma_kernel.h"
#include "wdk/seh.h"
#include "ddi.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct env env;

static enum plat_protect wanted_protection(void)
{
    const char *name = getenv("UMA_PROTECT");
    for (int protect = PLAT_PROTECT_PKU; name && protect <= PLAT_PROTECT_NONE; protect++)
        if (strcmp(name, plat_protect_name((enum plat_protect)protect)) == 0)
            return (enum plat_protect)protect;
    return PLAT_PROTECT_AUTO;
}

/* False: this processor cannot copy that way. */
static bool select_copy(const char *way)
{
    if (!way)
        return true;
    bool avx = strcmp(way, "avx") == 0;
    if (avx && !__builtin_cpu_supports("avx"))
        return false;
    enum plat_protect protect = plat_protect_in_use();
    enum arch_uma_variant variant = protect == PLAT_PROTECT_PKU        ? ARCH_UMA_PKU
                                    : protect == PLAT_PROTECT_MPROTECT ? ARCH_UMA_HOOK
                                                                       : ARCH_UMA_NONE;
    NTSTATUS status = arch_uma_select(variant, avx);
    arch_rep_threshold = strcmp(way, "rep") == 0 ? 1 : SIZE_MAX;
    return NT_SUCCESS(status);
}

static bool map(unsigned first, unsigned count, ULONG final)
{
    ULONG_PTR base = env.arena + first * ARENA_PAGE;
    void *alias = NULL;
    if (!NT_SUCCESS(plat_user_map(&base, count * ARENA_PAGE, PLAT_READWRITE)) ||
        !NT_SUCCESS(plat_user_alias(base, count * ARENA_PAGE, &alias)) ||
        !NT_SUCCESS(plat_user_protect(base, count * ARENA_PAGE, final)))
        return false;
    for (unsigned page = 0; page < count; page++)
        env.pages[first + page] = (unsigned char *)alias + page * ARENA_PAGE;
    return true;
}

bool env_start(void)
{
    struct plat_options options = {.protect = wanted_protection(), .raw = PLAT_RAW_STEP};
    NTSTATUS status = plat_init(&options);
    if (!NT_SUCCESS(status)) {
        printf("not run: no %s here (status %#x)\n", plat_protect_name(options.protect), (unsigned)status);
        return false;
    }
    if (!NT_SUCCESS(plat_thread_attach()) || !NT_SUCCESS(seh_thread_init()) ||
        !NT_SUCCESS(uma_init(plat_protect_in_use()))) {
        printf("not run: the thread or the accessors could not be set up\n");
        exit(1);
    }
    if (!select_copy(getenv("UMA_COPY"))) {
        printf("not run: this processor does not copy by %s\n", getenv("UMA_COPY"));
        return false;
    }
    env.limit = plat_layout.user_limit;
    env.arena = env.limit - ARENA_SIZE;
    env.kernel = (uint64_t)(uintptr_t)plat_system_map(KERNEL_SIZE, PLAT_READWRITE);
    if (!env.kernel || !map(ARENA_FIRST_RW, 3, PLAT_READWRITE) || !map(ARENA_READONLY, 1, PLAT_READ) ||
        !map(ARENA_LAST_RW, 9, PLAT_READWRITE)) {
        printf("not ok - the arena below %#llx could not be mapped\n", (unsigned long long)env.limit);
        exit(1);
    }
    return true;
}

static LONG see(EXCEPTION_POINTERS *pointers, void *context)
{
    struct env_seen *seen = context;
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    seen->raised = true;
    seen->code = (uint32_t)record->ExceptionCode;
    seen->parameters = record->NumberParameters;
    for (unsigned i = 0; i < 3 && i < record->NumberParameters; i++)
        seen->information[i] = record->ExceptionInformation[i];
    return EXCEPTION_EXECUTE_HANDLER;
}

void env_call(ddi_thunk *thunk, struct ddi_call *call, struct env_seen *seen)
{
    __try {
        thunk(call);
    }
    __except_call(see, seen)
    {
    }
}
