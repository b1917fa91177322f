/*
 * emulate.c - what the hardware would do for kernel code and traps in a process: cr8, interrupt flag, rdmsr,
 * KUSER_SHARED_DATA.
 *
 * Owns the meaning of these instructions. Moves from KUSER_SHARED_DATA are done here; any other instruction that reads
 * it is run on the processor against our copy of the page, with its base register substituted. Writes to it are
 * refused: the page is read-only to kernel code.
 */
#include <Zydis/Zydis.h>
#include <string.h>

#include "arch.h"
#include "emulate.h"
#include "kuser.h"
#include "plat.h"

#define FLAG_DIRECTION 0x400u

struct instruction {
    ZydisDecodedInstruction is;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

/* The bytes at Rip were being executed, so their page is there; the next one only if the instruction reaches into it.
 */
static bool decode(const CONTEXT *context, struct instruction *instruction)
{
    UCHAR bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
    ZydisDecoder decoder;
    SIZE_T length = PLAT_PAGE_SIZE - (context->Rip & (PLAT_PAGE_SIZE - 1));
    if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return false;
    length = length < sizeof bytes ? length : sizeof bytes;
    for (;;) {
        memcpy(bytes, (const void *)context->Rip, length);
        ZyanStatus status = ZydisDecoderDecodeFull(&decoder, bytes, length, &instruction->is, instruction->operand);
        if (ZYAN_SUCCESS(status))
            return true;
        if (status != ZYDIS_STATUS_NO_MORE_DATA || length == sizeof bytes)
            return false;
        length = sizeof bytes;
    }
}

/* The general register that holds reg, by encoding order; null if it is none. */
static ULONG64 *general(CONTEXT *context, ZydisRegister reg)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    return full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15 ? &context->Rax + (full - ZYDIS_REGISTER_RAX)
                                                                    : NULL;
}

static ULONG64 value_of(const CONTEXT *context, ZydisRegister reg)
{
    const ULONG64 *value = general((CONTEXT *)(ULONG_PTR)context, reg);
    return value ? *value : 0;
}

/* Stores as the processor does: 32 bits clear the upper half, 8 and 16 leave the rest alone. */
static void set_register(CONTEXT *context, ZydisRegister reg, unsigned bits, ULONG64 value)
{
    ULONG64 *to = general(context, reg);
    unsigned shift = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH ? 8 : 0;
    if (bits >= 32) {
        *to = bits == 32 ? (ULONG)value : value;
        return;
    }
    ULONG64 mask = ((1ull << bits) - 1) << shift;
    *to = (*to & ~mask) | (value << shift & mask);
}

/* ---- privileged instructions ---- */

static bool read_msr(CONTEXT *context)
{
    ULONG64 value;
    switch ((ULONG)context->Rcx) {
    case 0x10: /* time stamp counter */
        value = __builtin_ia32_rdtsc();
        break;
    case 0x1b: /* local APIC: bootstrap processor, enabled */
        value = 0xFEE00900;
        break;
    case 0x277: /* page attribute table, as Windows programs it */
        value = 0x0007010600070106;
        break;
    case 0xC0000080: /* EFER: syscall, long mode, no-execute */
        value = 0xD01;
        break;
    case 0xC0000101: /* gs base */
        value = (ULONG_PTR)arch_self();
        break;
    case 0xC0000100: /* fs base, kernel gs base: no user-mode TEB here */
    case 0xC0000102:
    case 0xC0000103: /* TSC_AUX: processor 0 */
        value = 0;
        break;
    default:
        return false;
    }
    context->Rax = (ULONG)value;
    context->Rdx = value >> 32;
    return true;
}

/* IRQL through cr8 moves the number only; DPCs that wait for a lower IRQL run at the next KeLowerIrql. */
static bool move_cr8(CONTEXT *context, const struct instruction *instruction)
{
    ZydisRegister to = instruction->operand[0].reg.value, from = instruction->operand[1].reg.value;
    if (from == ZYDIS_REGISTER_CR8 && general(context, to)) {
        *general(context, to) = arch_self()->irql;
    } else if (to == ZYDIS_REGISTER_CR8 && general(context, from) && *general(context, from) <= 15) {
        arch_self()->irql = (uint32_t)*general(context, from);
    } else {
        return false;
    }
    return true;
}

static bool emulate_privileged(CONTEXT *context, const struct instruction *instruction)
{
    bool done = false;
    switch (instruction->is.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        done = move_cr8(context, instruction);
        break;
    case ZYDIS_MNEMONIC_RDMSR:
        done = read_msr(context);
        break;
    case ZYDIS_MNEMONIC_CLI: /* a thread is a processor of its own, and nothing interrupts it */
    case ZYDIS_MNEMONIC_STI:
        done = true;
        break;
    default:
        break;
    }
    if (done)
        context->Rip += instruction->is.length;
    return done;
}

/* ---- KUSER_SHARED_DATA ---- */

static ULONG_PTR operand_address(const CONTEXT *context, const ZydisDecodedOperand *operand)
{
    return value_of(context, operand->mem.base) + value_of(context, operand->mem.index) * operand->mem.scale +
           (operand->mem.disp.has_displacement ? (ULONG_PTR)operand->mem.disp.value : 0);
}

static bool move_from_page(CONTEXT *context, const struct instruction *instruction, unsigned offset)
{
    const ZydisDecodedOperand *to = &instruction->operand[0], *from = &instruction->operand[1];
    bool extends =
        instruction->is.mnemonic == ZYDIS_MNEMONIC_MOVSX || instruction->is.mnemonic == ZYDIS_MNEMONIC_MOVSXD;
    ULONG64 value = 0;
    memcpy(&value, ke_kuser_page + offset, from->size / 8);
    if (extends) {
        unsigned unused = 64u - from->size;
        value = (ULONG64)((LONG64)(value << unused) >> unused);
    }
    set_register(context, to->reg.value, to->size, value);
    context->Rip += instruction->is.length;
    return true;
}

static bool is_string(const struct instruction *instruction)
{
    return instruction->is.meta.category == ZYDIS_CATEGORY_STRINGOP;
}

/* Runs the instruction against the copy. The base register must serve for nothing but the address. */
static bool step_on_copy(CONTEXT *context, const struct instruction *instruction, const ZydisDecodedOperand *memory)
{
    ULONG64 *base = general(context, memory->mem.base);
    if (!base || instruction->is.address_width != 64 || general(context, memory->mem.index) == base)
        return false;
    for (unsigned i = 0; i < instruction->is.operand_count; i++) {
        const ZydisDecodedOperand *other = &instruction->operand[i];
        bool uses = other != memory &&
                    ((other->type == ZYDIS_OPERAND_TYPE_REGISTER && general(context, other->reg.value) == base) ||
                     (other->type == ZYDIS_OPERAND_TYPE_MEMORY &&
                      (general(context, other->mem.base) == base || general(context, other->mem.index) == base)));
        if (uses && !is_string(instruction))
            return false;
    }
    return plat_emulate_step(context, (unsigned)(base - &context->Rax),
                             *base - KUSER_ADDRESS + (ULONG_PTR)ke_kuser_page);
}

static bool emulate_kuser(CONTEXT *context, const struct instruction *instruction, ULONG_PTR address)
{
    const ZydisDecodedOperand *memory = NULL;
    for (unsigned i = 0; i < instruction->is.operand_count; i++) {
        const ZydisDecodedOperand *operand = &instruction->operand[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        ULONG_PTR at = operand_address(context, operand);
        if (at - KUSER_ADDRESS >= KUSER_SIZE)
            continue;
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            return false;
        if (at == address)
            memory = operand;
    }
    if (!memory)
        return false;
    ULONG64 count = 1, offset = address - KUSER_ADDRESS, room = KUSER_SIZE - offset;
    if (instruction->is.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        count = context->EFlags & FLAG_DIRECTION ? KUSER_SIZE + 1 : context->Rcx;
    if (count > room || count * (memory->size / 8) > room)
        return false;
    ke_kuser_refresh();
    switch (instruction->is.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
        if (general(context, instruction->operand[0].reg.value))
            return move_from_page(context, instruction, (unsigned)offset);
        return false;
    default:
        return step_on_copy(context, instruction, memory);
    }
}

bool ke_emulate(CONTEXT *context, ULONG_PTR address)
{
    struct instruction instruction;
    if (address != 0 && address - KUSER_ADDRESS >= KUSER_SIZE)
        return false;
    if (!decode(context, &instruction))
        return false;
    return address == 0 ? emulate_privileged(context, &instruction) : emulate_kuser(context, &instruction, address);
}
