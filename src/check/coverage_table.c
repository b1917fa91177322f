/*
 * coverage_table.c - the targets of a switch: a jump through a table of 32-bit numbers, relative to the table (clang)
 * or to the image (MSVC), as long as the comparison before it says.
 *
 * One entry that does not lead into the function makes the whole table none.
 */
#include "coverage_internal.h"
#include "plat.h"

#define ENTRIES_MAX 4096

struct bounds {
    ULONG low, high; /* [low, high) */
};

/* The function that holds rva; a leaf without an entry lies somewhere between two that have one. */
static struct bounds bounds_at(const struct code *code, ULONG rva)
{
    const struct seh_image *tables = &code->image->seh;
    struct bounds bounds = {0, (ULONG)code->image->size};
    ULONG low = 0, high = tables->count;
    while (low < high) {
        ULONG middle = low + (high - low) / 2;
        const RUNTIME_FUNCTION *function = &tables->functions[middle];
        if (rva < function->BeginAddress) {
            bounds.high = function->BeginAddress;
            high = middle;
        } else if (rva >= function->EndAddress) {
            bounds.low = function->EndAddress;
            low = middle + 1;
        } else {
            return (struct bounds){function->BeginAddress, function->EndAddress};
        }
    }
    return bounds;
}

/* The bytes of an instruction in the middle of another are no target. */
static bool is_target(const struct code *code, const struct bounds *bounds, ULONG64 rva)
{
    return rva >= bounds->low && rva < bounds->high && rva < code->image->size && code->marks[rva] & CODE_EXECUTABLE &&
           !(code->marks[rva] & CODE_BODY);
}

/* The entry's target; false: the table ends before it, or it leads elsewhere. */
static bool entry(const struct code *code, ULONG table, ULONG relative_to, ULONG index, ULONG64 *target)
{
    LONG offset;
    ULONG64 at = table + 4ull * index;
    if (at > code->image->size - sizeof(offset) ||
        plat_safe_read(&offset, (ULONG_PTR)code->image->base + at, sizeof(offset)) != sizeof(offset))
        return false;
    *target = (ULONG64)((LONG64)relative_to + offset);
    return true;
}

static bool try_table(const struct code *code, const struct code_jump *jump, ULONG table, ULONG relative_to,
                      ULONG entries, void (*found)(void *context, ULONG rva), void *context)
{
    const struct bounds bounds = bounds_at(code, jump->rva);
    ULONG64 target;
    for (ULONG i = 0; i < entries; i++)
        if (!entry(code, table, relative_to, i, &target) || !is_target(code, &bounds, target))
            return false;
    for (ULONG i = 0; i < entries; i++)
        if (entry(code, table, relative_to, i, &target))
            found(context, (ULONG)target);
    return entries != 0;
}

void code_jump_targets(const struct code *code, const struct code_jump *jump, void (*found)(void *context, ULONG rva),
                       void *context)
{
    int64_t compared = -1;
    for (ULONG i = 0; i < CODE_BEFORE && compared < 0; i++)
        compared = jump->before[i].compared;
    if (compared < 0 || compared >= ENTRIES_MAX)
        return;
    for (ULONG i = 0; i < CODE_BEFORE; i++) {
        const struct code_step *step = &jump->before[i];
        if (step->lea && try_table(code, jump, step->lea, step->lea, (ULONG)compared + 1, found, context))
            return;
        if (step->rva_table && try_table(code, jump, step->rva_table, 0, (ULONG)compared + 1, found, context))
            return;
    }
}
