/*
 * decode.c - what the instruction at a pc touches, by Zydis.
 *
 * Owns reading the instruction's bytes and computing its operands' addresses. Zydis does not allocate, so this
 * runs in signal handlers.
 */
#include <Zydis/Zydis.h>
#include <string.h>

#include "linux.h"

#define FLAG_DIRECTION 0x400u
#define LAST_CODE      0x7FFFFFFFFFF0ull
#define SIZE_LIMIT     (1ull << 46) /* a repeat count can be anything; no access is longer than user memory */

static uint64_t register_value(const CONTEXT *context, ZydisRegister reg)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    if (reg == ZYDIS_REGISTER_NONE)
        return 0;
    if (full == ZYDIS_REGISTER_RIP)
        return context->Rip;
    if (full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15)
        return (&context->Rax)[full - ZYDIS_REGISTER_RAX];
    return 0;
}

static uint64_t segment_base(ZydisRegister segment)
{
    if (segment == ZYDIS_REGISTER_GS && plat_current)
        return (uint64_t)plat_current->arch;
    if (segment == ZYDIS_REGISTER_FS)
        return (uint64_t)__builtin_thread_pointer();
    return 0;
}

static void add_access(struct decoded *decoded, const CONTEXT *context, const ZydisDecodedInstruction *instruction,
                       const ZydisDecodedOperand *operand)
{
    const ZydisDecodedOperandMem *mem = &operand->mem;
    if (mem->type != ZYDIS_MEMOP_TYPE_MEM || decoded->access_count == RTL_NUMBER_OF(decoded->access))
        return;
    uint64_t address = register_value(context, mem->base) + register_value(context, mem->index) * mem->scale +
                       (mem->disp.has_displacement ? (uint64_t)mem->disp.value : 0);
    if (mem->base == ZYDIS_REGISTER_RIP)
        address += instruction->length;
    if (instruction->address_width == 32)
        address &= UINT32_MAX;
    address += segment_base(mem->segment);
    uint64_t size = operand->size / 8;
    if (decoded->repeats) {
        uint64_t count = instruction->address_width == 32 ? (uint32_t)context->Rcx : context->Rcx;
        count = size && count > SIZE_LIMIT / size ? SIZE_LIMIT / size : count;
        if (context->EFlags & FLAG_DIRECTION && count)
            address -= (count - 1) * size;
        size *= count;
    }
    decoded->access[decoded->access_count++] = (struct decoded_access){
        .address = address,
        .size = size,
        .read = operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ,
        .write = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE,
    };
}

static void set_divisor(struct decoded *decoded, const CONTEXT *context, const ZydisDecodedOperand *operand)
{
    decoded->divide = true;
    decoded->divisor = 0;
    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        uint64_t value = register_value(context, operand->reg.value);
        if (operand->reg.value >= ZYDIS_REGISTER_AH && operand->reg.value <= ZYDIS_REGISTER_BH)
            value = (&context->Rax)[operand->reg.value - ZYDIS_REGISTER_AH] >> 8;
        decoded->divisor = operand->size < 64 ? value & ((1ull << operand->size) - 1) : value;
    } else if (decoded->access_count) {
        const struct decoded_access *access = &decoded->access[0];
        ULONG_PTR from = access->address;
        if (user_range(from, 8)) /* closed; look at the frame instead */
            from = (ULONG_PTR)user_frames + (PAGE_FRAME(page_load(from)) << PAGE_SHIFT) + (from & ~PAGE_MASK);
        signal_safe_read(&decoded->divisor, from, access->size < 8 ? access->size : 8);
    }
}

/* Does the same wherever it stands, and goes on behind itself. */
static bool is_relocatable(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands)
{
    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
        return false;
    default:
        break;
    }
    for (ZyanU8 i = 0; i < instruction->operand_count; i++)
        if ((operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].mem.base == ZYDIS_REGISTER_RIP) ||
            (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER && operands[i].reg.value == ZYDIS_REGISTER_RIP))
            return false;
    return true;
}

/*
 * The processor has just fetched the instruction at pc, so its bytes are there; the next page only if it reaches into
 * it. A jump to a non-canonical address may leave that address as pc: there is no instruction then.
 */
static bool decode_bytes(ULONG_PTR pc, ZydisDecodedInstruction *instruction, ZydisDecodedOperand *operands)
{
    UCHAR bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
    ZydisDecoder decoder;
    SIZE_T length = PLAT_PAGE_SIZE - (pc & ~PAGE_MASK);
    length = length < sizeof bytes ? length : sizeof bytes;
    if (pc > LAST_CODE || !ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return false;
    for (;;) {
        memcpy(bytes, (const void *)pc, length);
        ZyanStatus status = ZydisDecoderDecodeFull(&decoder, bytes, length, instruction, operands);
        if (ZYAN_SUCCESS(status))
            return true;
        if (status != ZYDIS_STATUS_NO_MORE_DATA || length == sizeof bytes)
            return false;
        length = sizeof bytes;
    }
}

void decode_at(struct decoded *decoded, const CONTEXT *context)
{
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    *decoded = (struct decoded){.interrupt = -1};
    if (!decode_bytes(context->Rip, &instruction, operands))
        return;
    decoded->valid = true;
    decoded->length = instruction.length;
    decoded->repeats =
        instruction.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE) ? true : false;
    decoded->relocatable = is_relocatable(&instruction, operands);
    decoded->privileged = instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ? true : false;
    switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_CLI: /* privileged by IOPL, which Zydis does not count */
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        decoded->privileged = true;
        break;
    case ZYDIS_MNEMONIC_INT:
        decoded->interrupt = (int)(operands[0].imm.value.u & 0xff);
        break;
    default:
        break;
    }
    for (ZyanU8 i = 0; i < instruction.operand_count; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            add_access(decoded, context, &instruction, &operands[i]);
    if (instruction.mnemonic == ZYDIS_MNEMONIC_DIV || instruction.mnemonic == ZYDIS_MNEMONIC_IDIV)
        set_divisor(decoded, context, &operands[0]);
}
