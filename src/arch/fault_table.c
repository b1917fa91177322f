/*
 * fault_table.c - the fault table of this program: which instructions may fault on user memory, and where they go on.
 *
 * Owns the look-up only. The entries are placed by the assembly primitives in the section "uma_fault_table"; the linker
 * gives its bounds. A program without any such primitive has no section, hence the weak bounds.
 */
#include "arch.h"

struct fault_entry {
    int32_t pc; /* each relative to its own field */
    int32_t fixup;
};

extern const struct fault_entry __start_uma_fault_table[] __attribute__((weak));
extern const struct fault_entry __stop_uma_fault_table[] __attribute__((weak));
extern const struct fault_entry __start_uma_kernel_fault_table[] __attribute__((weak));
extern const struct fault_entry __stop_uma_kernel_fault_table[] __attribute__((weak));

/*
 * Called from signal handlers: no locks, no allocation. The tables have tens and hundreds of entries; they are in link
 * order, not sorted.
 */
static bool find(const struct fault_entry *entry, const struct fault_entry *end, ULONG_PTR pc, ULONG_PTR *fixup)
{
    for (; entry < end; entry++) {
        if ((ULONG_PTR)&entry->pc + (ULONG_PTR)(LONG_PTR)entry->pc != pc)
            continue;
        *fixup = (ULONG_PTR)&entry->fixup + (ULONG_PTR)(LONG_PTR)entry->fixup;
        return true;
    }
    return false;
}

bool arch_fault_lookup(ULONG_PTR pc, ULONG_PTR *fixup)
{
    return find(__start_uma_fault_table, __stop_uma_fault_table, pc, fixup);
}

bool arch_kernel_fault_lookup(ULONG_PTR pc, ULONG_PTR *fixup)
{
    return find(__start_uma_kernel_fault_table, __stop_uma_kernel_fault_table, pc, fixup);
}
