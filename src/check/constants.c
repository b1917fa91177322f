/*
 * constants.c - numbers that a driver's code compares with.
 */
#include "constants.h"
#include <Zydis/Zydis.h>
#include <stdlib.h>

#include "pe_parse.h"
#include "plat.h"

/* The register that was the last to get (something - base), as long as it has that. */
struct difference {
    ZydisRegister of; /* of 64 bits; NONE: there is none */
    uint64_t base;
};

struct scan {
    ZydisDecoder decoder;
    struct difference difference;
    struct code_constant *constants;
    size_t room, count;
};

/* The number the instruction's result is told by; false: it has none. */
static bool constant_of(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operand, uint64_t *value)
{
    if ((instruction->mnemonic != ZYDIS_MNEMONIC_CMP && instruction->mnemonic != ZYDIS_MNEMONIC_SUB) ||
        instruction->operand_count_visible < 2 || operand[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return false;
    *value = operand[1].imm.value.u;
    if (operand[0].size < 64)
        *value &= ((uint64_t)1 << operand[0].size) - 1;
    return true;
}

static void add(struct scan *scan, uint64_t pc, uint64_t value)
{
    if (scan->count < scan->room)
        scan->constants[scan->count++] = (struct code_constant){pc, value};
}

static ZydisRegister whole(ZydisRegister name)
{
    return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
}

/* A range is compared by its distance from its beginning: lea eax, [rcx - 1]; cmp eax, 0x10. */
static void note_difference(struct scan *scan, const ZydisDecodedInstruction *instruction,
                            const ZydisDecodedOperand *operand)
{
    if (!instruction->operand_count_visible || operand[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
        !(operand[0].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        return;
    if (whole(operand[0].reg.value) == scan->difference.of)
        scan->difference.of = ZYDIS_REGISTER_NONE;
    if (instruction->mnemonic == ZYDIS_MNEMONIC_LEA && operand[1].mem.index == ZYDIS_REGISTER_NONE)
        scan->difference.base = 0 - (uint64_t)operand[1].mem.disp.value;
    else if (instruction->mnemonic == ZYDIS_MNEMONIC_ADD && operand[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        scan->difference.base = 0 - operand[1].imm.value.u;
    else if (instruction->mnemonic == ZYDIS_MNEMONIC_DEC || instruction->mnemonic == ZYDIS_MNEMONIC_INC)
        scan->difference.base = instruction->mnemonic == ZYDIS_MNEMONIC_DEC ? 1 : ~(uint64_t)0;
    else
        return;
    scan->difference.of = whole(operand[0].reg.value);
}

/* What the number is compared with that the difference was made from. */
static void add_undone(struct scan *scan, const ZydisDecodedOperand *operand, uint64_t pc, uint64_t value)
{
    if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || scan->difference.of == ZYDIS_REGISTER_NONE ||
        whole(operand->reg.value) != scan->difference.of)
        return;
    uint64_t undone = value + scan->difference.base, first = scan->difference.base;
    add(scan, pc, operand->size < 64 ? undone & (((uint64_t)1 << operand->size) - 1) : undone);
    add(scan, pc, operand->size < 64 ? first & (((uint64_t)1 << operand->size) - 1) : first);
}

static void scan_code(struct scan *scan, const uint8_t *code, size_t length, uint64_t address)
{
    struct code_constant before = {0}; /* of the instruction before, if it was a subtraction */
    for (size_t at = 0; at < length;) {
        ZydisDecodedInstruction instruction;
        ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
        uint64_t value;
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&scan->decoder, code + at, length - at, &instruction, operand))) {
            at++; /* data between the code */
            continue;
        }
        if (before.pc && instruction.meta.category == ZYDIS_CATEGORY_COND_BR)
            add(scan, before.pc, before.value);
        before.pc = 0;
        if (constant_of(&instruction, operand, &value)) {
            if (instruction.mnemonic == ZYDIS_MNEMONIC_CMP) {
                add(scan, address + at, value);
                add_undone(scan, &operand[0], address + at, value);
            } else {
                before = (struct code_constant){address + at, value};
            }
        }
        note_difference(scan, &instruction, operand);
        at += instruction.length;
    }
}

size_t constants_in_image(const struct ldr_image *image, struct code_constant *constants, size_t room)
{
    struct scan scan = {.constants = constants, .room = room};
    ZydisDecoderInit(&scan.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (ULONG i = 0; i < image->pe->section_count; i++) {
        const struct pe_section *section = &image->pe->sections[i];
        uint64_t address = (uint64_t)(uintptr_t)image->base + section->rva;
        uint8_t *code = section->flags & PE_SCN_EXECUTE ? malloc(section->size) : NULL;
        if (code)
            scan_code(&scan, code, plat_safe_read(code, address, section->size), address);
        free(code);
    }
    return scan.count;
}
