/*
 * verify_pool.c - what the verifier holds callers of the pool routines to, beyond what the special pool always does.
 */
#include "verify_pool.h"
#include "verify.h"
#include "rtl.h"
#include "seh.h"

#define IRP_TAG         RTL_TAG('I', 'r', 'p', ' ') /* of the I/O manager's */
#define BIG_TAG         RTL_TAG('B', 'I', 'G', 0)
#define MUST_SUCCEED    2 /* NonPagedPoolMustSucceed, and with PagedPool's bit its paged and aligned forms */
#define POOL_KIND(type) ((type) & 7)

static bool has_letter_or_digit(ULONG tag)
{
    for (int i = 0; i < 4; i++)
        if (nt_isalnum((UCHAR)(tag >> 8 * i)))
            return true;
    return false;
}

static DECLSPEC_NORETURN void bad_caller(ULONG_PTR subcode, ULONG_PTR second, ULONG_PTR third, ULONG_PTR fourth,
                                         const char *why)
{
    ke_bugcheck_because(BUGCHECK_BAD_POOL_CALLER, (ULONG_PTR[4]){subcode, second, third, fourth}, why);
}

void ex_verify_allocation(ULONG type, SIZE_T size, ULONG tag)
{
    ULONG_PTR caller = seh_export_caller();
    if (!size)
        ke_violation(0x00, KeGetCurrentIrql(), type, 0, "a pool block of zero bytes is asked for");
    if (POOL_KIND(type) == MUST_SUCCEED || POOL_KIND(type) == (MUST_SUCCEED | 4))
        bad_caller(0x9A, type, size, tag, "must-succeed pool is asked for, which is no longer supported");
    if (!tag)
        bad_caller(0x9B, type, size, caller, "pool is allocated with a tag of zero");
    if (tag == BIG_TAG)
        bad_caller(0x9C, type, size, caller, "pool is allocated with the tag \"BIG\", which is the pool's own");
    if (!has_letter_or_digit(tag))
        bad_caller(0x9D, tag, type, caller, "pool is allocated with a tag without letters or digits");
}

struct mdl_search {
    const struct mm_pool_block *block;
    struct mm_hold found;
    bool any;
};

static void look_for_mdl(void *context, const struct mm_hold *hold)
{
    struct mdl_search *search = context;
    if (hold->mdl && (ULONG_PTR)hold->mdl - search->block->address < search->block->size && !search->any) {
        search->found = *hold;
        search->any = hold->kind == MM_HOLD_LOCK || hold->kind == MM_HOLD_VIEW || hold->kind == MM_HOLD_USER_VIEW;
    }
}

static void verify_no_mdl(const struct mm_pool_block *block)
{
    struct mdl_search search = {.block = block};
    mm_holds_each(MM_POOL_DRIVER, look_for_mdl, &search);
    ULONG_PTR mdl = (ULONG_PTR)search.found.mdl;
    if (search.any && search.found.kind == MM_HOLD_LOCK)
        ke_bugcheck_because(
            BUGCHECK_DRIVER_LEFT_LOCKED_PAGES_IN_PROCESS,
            (ULONG_PTR[4]){0, 0, mdl, ADDRESS_AND_SIZE_TO_SPAN_PAGES(search.found.base, search.found.size)},
            "an MDL is freed whose pages are locked");
    if (search.any)
        ke_violation(0xB8, mdl, (USHORT)search.found.mdl->MdlFlags, 0, "an MDL is freed whose pages are mapped");
}

void ex_verify_free(PVOID address)
{
    struct mm_pool_block block;
    ULONG_PTR from = (ULONG_PTR)address;
    if (!mm_pool_find(from, &block)) /* no block, or a freed one: the pool says so itself */
        return;
    if (block.address != from && block.owner == MM_POOL_KERNEL && block.tag == IRP_TAG)
        ke_violation(0x105, from, 0, 0, "a request is freed with ExFreePool instead of IoFreeIrp");
    if (block.address != from)
        return;
    if (block.paged && KeGetCurrentIrql() > APC_LEVEL)
        ke_violation(0x11, KeGetCurrentIrql(), PagedPool, from, "paged pool is freed above APC_LEVEL");
    verify_no_mdl(&block);
    ke_verify_memory_going(from, block.size, block.paged ? PagedPool : NonPagedPool);
}
