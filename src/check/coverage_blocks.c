/*
 * coverage_blocks.c - finds the blocks of a driver's code: follows control flow from every function of .pdata and every
 * handler of its scope tables, through branches, direct calls and jump tables.
 *
 * Only what control flow reaches is taken for code, since a breakpoint in data, or inside an instruction, would change
 * what the driver does. Where two readings of the same bytes disagree the later one is dropped.
 */
#include "coverage_internal.h"
#include "pe_parse.h"
#include "plat.h"
#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

#define SCOPES_MAX 1024u

struct finder {
    struct code *code;
    ULONG size;
    ZydisDecoder decoder;
    ULONG *targets; /* still to be followed */
    size_t target_count, target_room;
    struct code_jump *jumps; /* through a register or memory, looked at once the rest is known */
    size_t jump_count, jump_room;
    bool no_memory;
};

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room ? 2 * *room : 256;
    void *grown = realloc(array, more * size);
    *room = grown ? more : *room;
    return grown;
}

static void follow(struct finder *finder, ULONG64 rva)
{
    if (rva >= finder->size || !(finder->code->marks[rva] & CODE_EXECUTABLE) || finder->code->marks[rva] & CODE_BLOCK)
        return;
    ULONG *targets = grow(finder->targets, finder->target_count, &finder->target_room, sizeof(*targets));
    if (!targets) {
        finder->no_memory = true;
        return;
    }
    finder->targets = targets;
    finder->targets[finder->target_count++] = (ULONG)rva;
}

static void keep_jump(struct finder *finder, const struct code_jump *jump)
{
    struct code_jump *jumps = grow(finder->jumps, finder->jump_count, &finder->jump_room, sizeof(*jumps));
    if (!jumps) {
        finder->no_memory = true;
        return;
    }
    finder->jumps = jumps;
    finder->jumps[finder->jump_count++] = *jump;
}

/* ---- one run of instructions ---- */

struct instruction {
    ZydisDecodedInstruction info;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* Decodes and marks; false if there is no instruction here that agrees with what is known. */
static bool take(struct finder *finder, ULONG rva, struct instruction *instruction)
{
    uint8_t *marks = finder->code->marks;
    ULONG left = 0;
    while (left < ZYDIS_MAX_INSTRUCTION_LENGTH && rva + left < finder->size && marks[rva + left] & CODE_EXECUTABLE)
        left++;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&finder->decoder, finder->code->image->base + rva, left,
                                             &instruction->info, instruction->operands)))
        return false;
    for (ULONG i = 0; i < instruction->info.length; i++)
        if (marks[rva + i] & (CODE_START | CODE_BODY))
            return false;
    marks[rva] |= CODE_START;
    for (ULONG i = 1; i < instruction->info.length; i++)
        marks[rva + i] |= CODE_BODY;
    return true;
}

static struct code_step step_of(const struct instruction *instruction, ULONG rva)
{
    struct code_step step = {.compared = -1};
    for (unsigned i = 0; i < instruction->info.operand_count_visible; i++) {
        const ZydisDecodedOperand *operand = &instruction->operands[i];
        ZyanU64 address;
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && instruction->info.mnemonic == ZYDIS_MNEMONIC_LEA &&
            operand->mem.base == ZYDIS_REGISTER_RIP &&
            ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction->info, operand, rva, &address)))
            step.lea = address <= UINT32_MAX ? (ULONG)address : 0;
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.scale == 4 && operand->size == 32 &&
            operand->mem.disp.has_displacement && operand->mem.disp.value > 0)
            step.rva_table = (ULONG)operand->mem.disp.value;
        if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && instruction->info.mnemonic == ZYDIS_MNEMONIC_CMP)
            step.compared = operand->imm.value.s;
    }
    return step;
}

/* Where a branch or call with an address in it goes; false: it has none. */
static bool direct_target(const struct instruction *instruction, ULONG rva, ZyanU64 *target)
{
    return instruction->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && instruction->operands[0].imm.is_relative &&
           ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction->info, &instruction->operands[0], rva, target));
}

static bool never_returns(const ZydisDecodedInstruction *info, const ZydisDecodedOperand *operands)
{
    switch (info->mnemonic) {
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_SYSRET:
        return true;
    case ZYDIS_MNEMONIC_INT:
        return operands[0].imm.value.u == 0x29;
    default:
        return info->meta.category == ZYDIS_CATEGORY_RET;
    }
}

/* From a block's first byte to where control flow can only leave, or to what is known already. */
static void run(struct finder *finder, ULONG rva)
{
    uint8_t *marks = finder->code->marks;
    struct code_jump jump = {0};
    for (ULONG i = 0; i < CODE_BEFORE; i++)
        jump.before[i].compared = -1;
    if (marks[rva] & CODE_BODY) /* inside an instruction: not a place to go to */
        return;
    marks[rva] |= CODE_BLOCK;
    if (marks[rva] & CODE_START)
        return;
    for (ULONG first = rva;;) {
        struct instruction instruction;
        ZyanU64 target;
        bool known = rva < finder->size && marks[rva] & CODE_START;
        if (known || rva >= finder->size || !take(finder, rva, &instruction)) {
            if (rva == first)
                marks[first] &= (uint8_t)~CODE_BLOCK;
            return;
        }
        ULONG next = rva + instruction.info.length;
        switch (instruction.info.meta.category) {
        case ZYDIS_CATEGORY_UNCOND_BR:
            if (direct_target(&instruction, rva, &target)) {
                follow(finder, target);
            } else {
                jump.rva = rva;
                keep_jump(finder, &jump);
            }
            return;
        case ZYDIS_CATEGORY_COND_BR:
            if (direct_target(&instruction, rva, &target))
                follow(finder, target);
            if (next < finder->size && marks[next] & CODE_EXECUTABLE && !(marks[next] & CODE_BODY))
                marks[next] |= CODE_BLOCK;
            break;
        case ZYDIS_CATEGORY_CALL:
            if (direct_target(&instruction, rva, &target))
                follow(finder, target);
            break;
        default:
            if (never_returns(&instruction.info, instruction.operands))
                return;
            break;
        }
        memmove(&jump.before[1], &jump.before[0], (CODE_BEFORE - 1) * sizeof(jump.before[0]));
        jump.before[0] = step_of(&instruction, rva);
        rva = next;
    }
}

/* ---- where it begins ---- */

static void mark_executable(struct code *code)
{
    const struct pe_file *pe = code->image->pe;
    for (ULONG i = 0; i < pe->section_count; i++) {
        const struct pe_section *section = &pe->sections[i];
        if (!(section->flags & PE_SCN_EXECUTE) || section->rva >= code->image->size)
            continue;
        SIZE_T end = section->rva + (SIZE_T)section->size;
        end = end < code->image->size ? end : code->image->size;
        for (SIZE_T page = section->rva; page < end; page = (page | (PLAT_PAGE_SIZE - 1)) + 1) {
            SIZE_T page_end = (page | (PLAT_PAGE_SIZE - 1)) + 1;
            /* What is discarded after DriverEntry is no longer there. */
            if (plat_is_readable((ULONG_PTR)code->image->base + page, 1))
                memset(code->marks + page, CODE_EXECUTABLE, (page_end < end ? page_end : end) - page);
        }
    }
}

/* The __except blocks of a function: nothing branches to them. */
static void follow_handlers(struct finder *finder, const RUNTIME_FUNCTION *function)
{
    const UCHAR *base = finder->code->image->base;
    UCHAR info[4];
    ULONG count, scope[4];
    if (function->UnwindData & 1 || function->UnwindData >= finder->size ||
        plat_safe_read(info, (ULONG_PTR)base + function->UnwindData, sizeof(info)) != sizeof(info))
        return;
    ULONG data = function->UnwindData + 4 + 2 * ((info[2] + 1u) & ~1u) + 4; /* behind the codes and the handler */
    bool has_handler = (info[0] >> 3 & 3) && !(info[0] >> 3 & 4);
    if (!has_handler || data > finder->size - sizeof(count) ||
        plat_safe_read(&count, (ULONG_PTR)base + data, sizeof(count)) != sizeof(count) || count > SCOPES_MAX)
        return;
    for (ULONG i = 0; i < count; i++) {
        ULONG at = data + (ULONG)sizeof(count) + i * (ULONG)sizeof(scope);
        if (at > finder->size - sizeof(scope) ||
            plat_safe_read(scope, (ULONG_PTR)base + at, sizeof(scope)) != sizeof(scope) || scope[0] >= scope[1] ||
            scope[1] > finder->size)
            return; /* another language's data */
        if (scope[3] >= function->BeginAddress && scope[3] < function->EndAddress)
            follow(finder, scope[3]);
    }
}

static void follow_all(struct finder *finder)
{
    while (finder->target_count && !finder->no_memory)
        run(finder, finder->targets[--finder->target_count]);
}

static void found_target(void *context, ULONG rva)
{
    follow(context, rva);
}

bool code_find_blocks(struct code *code)
{
    const struct seh_image *tables = &code->image->seh;
    struct finder finder = {.code = code, .size = (ULONG)code->image->size};
    ZydisDecoderInit(&finder.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    mark_executable(code);
    for (ULONG i = 0; i < tables->count; i++) {
        follow(&finder, tables->functions[i].BeginAddress);
        follow_all(&finder);
    }
    for (ULONG i = 0; i < tables->count; i++)
        follow_handlers(&finder, &tables->functions[i]);
    follow_all(&finder);
    /* The targets of one table may lead to the next. */
    for (size_t i = 0; i < finder.jump_count && !finder.no_memory; i++) {
        struct code_jump jump = finder.jumps[i];
        code_jump_targets(code, &jump, found_target, &finder);
        follow_all(&finder);
    }
    free(finder.targets);
    free(finder.jumps);
    return !finder.no_memory;
}
