/*
 * user.c - the embedding API's user memory: a thin face of mm's and the platform's.
 */
#include "lib.h"
#include "vm.h"
#include "ke.h"

static SIZE_T whole_pages(size_t size)
{
    return (size + PLAT_PAGE_SIZE - 1) & ~(SIZE_T)(PLAT_PAGE_SIZE - 1);
}

void uma_user_range(uint64_t *low, uint64_t *limit)
{
    *low = plat_layout.user_low;
    *limit = plat_layout.user_limit;
}

uma_status uma_user_alloc(size_t size, enum uma_access access, uint64_t *address)
{
    ULONG_PTR at = 0;
    if (size == 0 || size > plat_layout.user_limit)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = mm_user_alloc(&at, whole_pages(size), access);
    *address = NT_SUCCESS(status) ? at : 0;
    return status;
}

uma_status uma_user_free(uint64_t address, size_t size)
{
    return mm_user_free(address, whole_pages(size));
}

uma_status uma_user_protect(uint64_t address, size_t size, enum uma_access access)
{
    ULONG_PTR first = address & ~(ULONG_PTR)(PLAT_PAGE_SIZE - 1);
    return plat_user_protect(first, whole_pages(address - first + size), access);
}

uma_status uma_user_poison(uint64_t address)
{
    return plat_user_poison_in_page(address);
}

/* A thread in user mode can be interrupted anywhere; here it touches what an interruption may have changed. */
static void interruption_point(void)
{
    PKTHREAD self = lib_user_thread ? ke_thread_current() : NULL;
    if (self && self->PreviousMode == KernelMode && !self->TrapFrame)
        ke_apcs_check(self);
}

void uma_end_process(void)
{
    if (ke_verify)
        mm_check_no_locked_pages(&ke_user.body);
}

bool uma_user_store(uint64_t address, const void *data, size_t size)
{
    interruption_point();
    return plat_user_store(address, data, size);
}

bool uma_user_load(uint64_t address, void *data, size_t size)
{
    interruption_point();
    return plat_user_load(address, data, size);
}
