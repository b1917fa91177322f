/*
 * verify_irql.c - holds drivers to the documented IRQL of each export (irql.def), by putting a check before it.
 *
 * The check stands in the export table in place of the export, so that nothing is looked at without the verifier.
 */
#include <stdio.h>
#include <string.h>

#include "exports.h"
#include "ke.h"
#include "ldr_internal.h"
#include "uma_kernel.h"

enum { PASSIVE = PASSIVE_LEVEL, APC = APC_LEVEL, DISPATCH = DISPATCH_LEVEL, HIGH = HIGH_LEVEL };

#define IRQL_ROW(Name, Lowest, Highest, Subcode) extern __attribute__((visibility("hidden"))) char ldr_checked_##Name[];
#include "irql.def"
#undef IRQL_ROW

#define IRQL_ROW(Name, Lowest, Highest, Subcode) {#Name, 0, Lowest, Highest, Subcode, ldr_checked_##Name},
struct ldr_irql_row ldr_irql_rows[] = {
#include "irql.def"
};
#undef IRQL_ROW

_Static_assert(sizeof(struct ldr_irql_row) == 32, "used by assembly");
_Static_assert(offsetof(struct ldr_irql_row, target) == 8, "used by assembly");
_Static_assert(offsetof(struct ldr_irql_row, lowest) == 16, "used by assembly");
_Static_assert(offsetof(struct ldr_irql_row, highest) == 17, "used by assembly");

extern __attribute__((visibility("hidden"))) void *const ldr_checked_accessors[ARCH_UMA_SLOTS];
_Static_assert(ARCH_UMA_SLOTS == 23, "counted by assembly");

const SIZE_T ldr_irql_count = RTL_NUMBER_OF(ldr_irql_rows);

static const char *level_name(ULONG irql)
{
    static const char *const names[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"};
    return irql < RTL_NUMBER_OF(names) ? names[irql] : "a level above DISPATCH_LEVEL";
}

static void explain(const struct ldr_irql_row *row, ULONG irql, char *why, SIZE_T size)
{
    const char *bound = row->lowest == row->highest ? "only" : irql > row->highest ? "at most" : "at least";
    ULONG limit = irql > row->highest ? row->highest : row->lowest;
    snprintf(why, size, "%s was called at %s; %s %s is allowed", row->name, level_name(irql), bound, level_name(limit));
}

/* Target of the checks: called in place of the export, with its first two arguments. */
NTAPI DECLSPEC_NORETURN void ldr_irql_violation(const struct ldr_irql_row *row, ULONG_PTR first, ULONG_PTR second);
NTAPI DECLSPEC_NORETURN void ldr_irql_violation(const struct ldr_irql_row *row, ULONG_PTR first, ULONG_PTR second)
{
    char why[160];
    ULONG irql = KeGetCurrentIrql();
    explain(row, irql, why, sizeof(why));
    switch (row->subcode) {
    case 0xE5: /* a level and nothing else */
        ke_violation(row->subcode, irql, 0, 0, why);
    case 0xE6: /* Zw routines */
        ke_violation(row->subcode, seh_export_caller(), irql, ke_thread_current()->SpecialApcDisable != 0, why);
    case 0x39: /* a mutex "unsafe" */
    case 0x3A:
        ke_violation(row->subcode, irql, (ULONG_PTR)ke_thread_current()->KernelApcDisable, first, why);
    case 0x7E:
        ke_violation(row->subcode, irql, row->highest, 0, why);
    case 0x11A:
    case 0x11B:
        ke_violation(row->subcode, irql, 0, 0, why);
    case 0x70: /* MDL and access mode */
    case 0x71:
    case 0x74:
    case 0x76:
    case 0x79: /* address and MDL */
    case 0x7B: /* address and bytes */
    case 0x73:
        ke_violation(row->subcode, irql, first, second, why);
    default: /* the lock, mutex or event */
        ke_violation(row->subcode, irql, first, 0, why);
    }
}

/* The same for a driver's use of an accessor, which stands in no export table. */
NTAPI DECLSPEC_NORETURN void ldr_accessor_violation(ULONG slot);
NTAPI DECLSPEC_NORETURN void ldr_accessor_violation(ULONG slot)
{
    char why[160];
    ULONG irql = KeGetCurrentIrql();
    UNREFERENCED_PARAMETER(slot);
    snprintf(why, sizeof(why), "a user-mode accessor was used at %s; at most APC_LEVEL is allowed", level_name(irql));
    ke_violation(0xE5, irql, 0, 0, why);
}

void ldr_verify_irql(void)
{
    uma_redirect_checked(ldr_checked_accessors);
    for (SIZE_T i = 0; i < ldr_irql_count; i++) {
        struct ldr_irql_row *row = &ldr_irql_rows[i];
        struct ldr_export *export = ldr_export_find(row->name);
        if (!export || export->state != LDR_EXPORT_DONE)
            continue;
        row->target = export->address;
        export->address = row->check;
    }
}
