/*
 * codes.c - control codes that a driver's machine code knows.
 *
 * A switch over codes is compiled to comparisons with them, to differences (sub eax, first; sub eax, 4; ...), or to a
 * difference that is the index of a table. So what was subtracted from each register is followed along the code: a
 * comparison of such a register with a number is one with the sum. Where two paths meet, the one that falls through
 * counts; at the target of a jump behind which nothing falls through, what was known at the jump.
 */
#include "codes.h"
#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

#include "pe_parse.h"
#include "plat.h"

enum { REGISTERS = 16, TARGETS = 256, TABLE_MAX = 1024, FREE_MAX = 4 };

/* A register holds (something - base), rotated right by shift bits; some bits of it, free, have been cleared. */
struct difference {
    uint32_t base, free;
    unsigned shift;
};

struct state {
    struct difference of[REGISTERS];
};

struct scan {
    ZydisDecoder decoder;
    uint32_t *codes;
    size_t room, count;
    struct state now;
    struct {
        uint64_t address;
        struct state state;
    } targets[TARGETS]; /* of jumps */
    unsigned target_count;
};

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void make_unique(struct scan *scan)
{
    size_t kept = 0;
    qsort(scan->codes, scan->count, sizeof(scan->codes[0]), by_value);
    for (size_t i = 0; i < scan->count; i++)
        if (!i || scan->codes[i] != scan->codes[kept - 1])
            scan->codes[kept++] = scan->codes[i];
    scan->count = kept;
}

static void add(struct scan *scan, uint32_t code)
{
    if (!(code >> 16))
        return;
    if (scan->count == scan->room)
        make_unique(scan);
    if (scan->count < scan->room)
        scan->codes[scan->count++] = code;
}

/* 0 to 15, or -1: not a general register of 64 bits. */
static int number_of_register(ZydisRegister name)
{
    return name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15 ? (int)(name - ZYDIS_REGISTER_RAX) : -1;
}

/* The same for an operand that is one of 32 bits at least. */
static int number_of(const ZydisDecodedOperand *operand)
{
    if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || operand->size < 32)
        return -1;
    return number_of_register(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand->reg.value));
}

/* The number with each set of free bits. */
static void add_all(struct scan *scan, uint32_t number, uint32_t free)
{
    uint32_t set = free;
    do
        add(scan, number | set);
    while ((set = (set - 1) & free) != free);
}

/* A difference is compared: with this number, or with all up to it if a table follows. */
static void compared(struct scan *scan, const struct difference *with, uint32_t number, bool table)
{
    add_all(scan, with->base + (number << with->shift), with->free);
    for (uint32_t i = 0; table && with->base && i <= number && number <= TABLE_MAX; i++)
        add(scan, with->base + (i << with->shift));
}

static bool is_range_jump(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_JNBE || mnemonic == ZYDIS_MNEMONIC_JNB || mnemonic == ZYDIS_MNEMONIC_JB ||
           mnemonic == ZYDIS_MNEMONIC_JBE;
}

static void subtract(struct scan *scan, int to, int from, uint32_t number)
{
    struct difference *difference = &scan->now.of[to];
    *difference = scan->now.of[from];
    if (difference->shift || difference->free)
        *difference = (struct difference){0};
    difference->base += number;
    add(scan, difference->base);
}

/* Instructions after which something is known of a register; false: what it writes is not known any more. */
static bool follow(struct scan *scan, const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operand,
                   ZydisMnemonic next)
{
    int to = number_of(&operand[0]), from = instruction->operand_count_visible > 1 ? number_of(&operand[1]) : -1;
    bool number = instruction->operand_count_visible > 1 && operand[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    uint32_t value = number ? (uint32_t)operand[1].imm.value.u : 0;
    switch (instruction->mnemonic) {
    case ZYDIS_MNEMONIC_CMP:
        if (number)
            compared(scan, to >= 0 ? &scan->now.of[to] : &(struct difference){0}, value, is_range_jump(next));
        add(scan, value);
        return true;
    case ZYDIS_MNEMONIC_TEST:
        return true;
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_ADD:
        if (!number || to < 0)
            return false;
        if (instruction->mnemonic == ZYDIS_MNEMONIC_SUB)
            compared(scan, &scan->now.of[to], value, is_range_jump(next));
        add(scan, value);
        subtract(scan, to, to, instruction->mnemonic == ZYDIS_MNEMONIC_SUB ? value : 0u - value);
        return true;
    case ZYDIS_MNEMONIC_LEA:
        from = number_of_register(operand[1].mem.base);
        if (to < 0 || from < 0 || operand[1].mem.index != ZYDIS_REGISTER_NONE)
            return false;
        subtract(scan, to, from, 0u - (uint32_t)operand[1].mem.disp.value);
        return true;
    case ZYDIS_MNEMONIC_AND:
        if (!number || to < 0 || __builtin_popcount(~value) > FREE_MAX)
            return false;
        scan->now.of[to].free |= ~value;
        return true;
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_SHR:
        if (!number || to < 0)
            return false;
        scan->now.of[to].shift = instruction->mnemonic == ZYDIS_MNEMONIC_ROL ? 32 - (value & 31) : value & 31;
        return true;
    case ZYDIS_MNEMONIC_MOV:
        if (number) {
            add(scan, value);
            return false;
        }
        if (to < 0 || from < 0)
            return false;
        scan->now.of[to] = scan->now.of[from];
        return true;
    default:
        if (number)
            add(scan, value);
        return false;
    }
}

static void remember_target(struct scan *scan, uint64_t address)
{
    if (scan->target_count == TARGETS)
        return;
    scan->targets[scan->target_count].address = address;
    scan->targets[scan->target_count++].state = scan->now;
}

static void recall_target(struct scan *scan, uint64_t address)
{
    memset(&scan->now, 0, sizeof(scan->now));
    for (unsigned i = 0; i < scan->target_count; i++)
        if (scan->targets[i].address == address) {
            scan->now = scan->targets[i].state;
            return;
        }
}

static void forget_written(struct scan *scan, const ZydisDecodedInstruction *instruction,
                           const ZydisDecodedOperand *operand)
{
    for (unsigned i = 0; i < instruction->operand_count; i++) {
        if (operand[i].type != ZYDIS_OPERAND_TYPE_REGISTER || !(operand[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            continue;
        int number =
            number_of_register(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand[i].reg.value));
        if (number >= 0)
            scan->now.of[number] = (struct difference){0};
    }
}

static ZydisMnemonic peek(const ZydisDecoder *decoder, const uint8_t *code, size_t length)
{
    ZydisDecodedInstruction next;
    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, code, length, &next)) ? next.mnemonic
                                                                                           : ZYDIS_MNEMONIC_INVALID;
}

/* Whether unwind information says that a function begins there. The functions are in order. */
static bool begins(const struct seh_image *seh, uint64_t address, ULONG *next)
{
    while (*next < seh->count && seh->base + seh->functions[*next].BeginAddress < address)
        ++*next;
    return *next < seh->count && seh->base + seh->functions[*next].BeginAddress == address;
}

/* All of a section, from one instruction to the next: functions without a frame have no unwind information. */
static void scan_code(struct scan *scan, const struct ldr_image *image, const uint8_t *code, size_t length,
                      uint64_t address)
{
    bool falls_through = false;
    ULONG function = 0;
    scan->target_count = 0;
    for (size_t at = 0; at < length;) {
        ZydisDecodedInstruction instruction;
        ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
        ZyanU64 target;
        if (begins(&image->seh, address + at, &function))
            scan->target_count = falls_through = 0;
        if (!falls_through)
            recall_target(scan, address + at);
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&scan->decoder, code + at, length - at, &instruction, operand))) {
            at++; /* data between the code */
            falls_through = false;
            continue;
        }
        size_t after = at + instruction.length;
        if (!follow(scan, &instruction, operand, peek(&scan->decoder, code + after, length - after)))
            forget_written(scan, &instruction, operand);
        bool jump = instruction.meta.category == ZYDIS_CATEGORY_COND_BR ||
                    instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
        if (jump && ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, &operand[0], address + at, &target)))
            remember_target(scan, target);
        falls_through =
            instruction.meta.category != ZYDIS_CATEGORY_UNCOND_BR && instruction.meta.category != ZYDIS_CATEGORY_RET;
        at = after;
    }
}

static void scan_section(struct scan *scan, const struct ldr_image *image, const struct pe_section *section)
{
    uint8_t *code = malloc(section->size);
    uint64_t address = (uint64_t)(uintptr_t)image->base + section->rva;
    if (code)
        scan_code(scan, image, code, plat_safe_read(code, address, section->size), address);
    free(code);
}

/* Numbers in the image's data, and in its code, where the compiler has put a table. */
static void scan_words(struct scan *scan, const struct ldr_image *image, uint16_t device_type)
{
    uint32_t words[1024];
    for (SIZE_T at = 0; at < image->size; at += sizeof(words)) {
        size_t got = plat_safe_read(words, (ULONG_PTR)image->base + at, sizeof(words));
        for (size_t i = 0; i < got / sizeof(words[0]); i++)
            if (words[i] >> 16 == device_type)
                add(scan, words[i]);
    }
}

size_t codes_in_image(const struct ldr_image *image, uint16_t device_type, uint32_t *codes, size_t room)
{
    struct scan *scan = calloc(1, sizeof(*scan));
    size_t count = 0;
    if (scan && ZYAN_SUCCESS(ZydisDecoderInit(&scan->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
        scan->codes = codes;
        scan->room = room;
        for (ULONG i = 0; i < image->pe->section_count; i++)
            if (image->pe->sections[i].flags & PE_SCN_EXECUTE)
                scan_section(scan, image, &image->pe->sections[i]);
        make_unique(scan);
        if (device_type)
            scan_words(scan, image, device_type);
        make_unique(scan);
        count = scan->count;
    }
    free(scan);
    return count;
}
