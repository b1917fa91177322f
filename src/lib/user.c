/*
 * user.c - the embedding API's user memory: a thin face of the platform's.
 */
#include "lib.h"

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
    NTSTATUS status = plat_user_map(&at, whole_pages(size), access);
    *address = NT_SUCCESS(status) ? at : 0;
    return status;
}

uma_status uma_user_free(uint64_t address, size_t size)
{
    return plat_user_unmap(address, whole_pages(size));
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

bool uma_user_store(uint64_t address, const void *data, size_t size)
{
    return plat_user_store(address, data, size);
}

bool uma_user_load(uint64_t address, void *data, size_t size)
{
    return plat_user_load(address, data, size);
}
