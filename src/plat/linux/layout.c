/*
 * layout.c - the split of the address space, and bringing the platform up.
 *
 * Owns plat_layout and plat_init. A user range that something of the process already lies in is an error here, once,
 * and not a surprise later: the program must be position independent (DESIGN 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

struct plat_layout plat_layout = {
    .user_low = LAYOUT_USER_LOW,
    .user_limit = LAYOUT_USER_LIMIT,
    .system_start = LAYOUT_SYSTEM_START,
};

static _Atomic(enum plat_raw_policy) raw_policy;
static bool initialized;

/* No host mapping may lie below system_start. Sanitizers put their shadow there; explicit maps never replace it. */
static bool user_range_is_free(void)
{
#if defined(UMA_SANITIZE)
    return true;
#else
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return true; /* no /proc: MAP_FIXED_NOREPLACE still keeps us from replacing anything */
    char line[512];
    bool is_free = true;
    while (fgets(line, sizeof line, maps)) {
        ULONG_PTR start = strtoull(line, NULL, 16);
        if (start < LAYOUT_SYSTEM_START && is_free) {
            fprintf(stderr, "uma: the program's own mapping %.*s lies in the user range; build it as a PIE\n",
                    (int)strcspn(line, " \n"), line);
            is_free = false;
        }
    }
    fclose(maps);
    return is_free;
#endif
}

/* The 64 KB from the limit up: accesses clamped to the limit must fault for ever. */
static bool reserve_limit(void)
{
    void *at = (void *)LAYOUT_USER_LIMIT;
    return mmap(at, LAYOUT_SYSTEM_START - LAYOUT_USER_LIMIT, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == at;
}

NTSTATUS plat_init(const struct plat_options *options)
{
    if (initialized)
        return STATUS_SUCCESS;
    if (sysconf(_SC_PAGESIZE) != PLAT_PAGE_SIZE)
        return STATUS_NOT_SUPPORTED;
    if (!user_range_is_free() || !reserve_limit())
        return STATUS_CONFLICTING_ADDRESSES;
    NTSTATUS status = protect_init(options->protect);
    if (!NT_SUCCESS(status)) {
        munmap((void *)LAYOUT_USER_LIMIT, LAYOUT_SYSTEM_START - LAYOUT_USER_LIMIT); /* another mode may be tried */
        return status;
    }
    plat_set_raw_policy(options->raw);
    status = user_init();
    if (NT_SUCCESS(status))
        status = fault_init();
    if (NT_SUCCESS(status))
        status = plat_thread_attach();
    initialized = NT_SUCCESS(status);
    return status;
}

void plat_set_raw_policy(enum plat_raw_policy policy)
{
    atomic_store(&raw_policy, policy);
}

enum plat_raw_policy layout_raw_policy(void)
{
    return atomic_load(&raw_policy);
}
