/*
 * step.c - a traced child makes one call between two breakpoints; each instruction on the way is decoded before it
 * runs.
 */
#define _GNU_SOURCE
#include "step.h"
#include <Zydis/Zydis.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_MAX  200000u
#define BREAKPOINT 0xCC

struct recorder {
    uint64_t low, high;
    struct step_access *list;
    unsigned capacity, count;
};

static ZydisRegisterContext register_context(const struct user_regs_struct *registers)
{
    ZydisRegisterContext context;
    memset(&context, 0, sizeof context);
    const struct {
        ZydisRegister name;
        uint64_t value;
    } pairs[] = {
        {ZYDIS_REGISTER_RAX, registers->rax}, {ZYDIS_REGISTER_RBX, registers->rbx},
        {ZYDIS_REGISTER_RCX, registers->rcx}, {ZYDIS_REGISTER_RDX, registers->rdx},
        {ZYDIS_REGISTER_RSI, registers->rsi}, {ZYDIS_REGISTER_RDI, registers->rdi},
        {ZYDIS_REGISTER_RBP, registers->rbp}, {ZYDIS_REGISTER_RSP, registers->rsp},
        {ZYDIS_REGISTER_R8, registers->r8},   {ZYDIS_REGISTER_R9, registers->r9},
        {ZYDIS_REGISTER_R10, registers->r10}, {ZYDIS_REGISTER_R11, registers->r11},
        {ZYDIS_REGISTER_R12, registers->r12}, {ZYDIS_REGISTER_R13, registers->r13},
        {ZYDIS_REGISTER_R14, registers->r14}, {ZYDIS_REGISTER_R15, registers->r15},
        {ZYDIS_REGISTER_RIP, registers->rip},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        context.values[pairs[i].name] = pairs[i].value;
    return context;
}

static void record(struct recorder *recorder, uint64_t address, unsigned size, bool write)
{
    if (address >= recorder->high || address + size <= recorder->low)
        return;
    if (recorder->count < recorder->capacity)
        recorder->list[recorder->count] = (struct step_access){.address = address, .size = size, .write = write};
    recorder->count++;
}

static bool record_instruction(struct recorder *recorder, const struct user_regs_struct *registers,
                               const unsigned char *bytes, size_t size)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &instruction, operands)))
        return false;
    ZydisRegisterContext context = register_context(registers);
    for (unsigned i = 0; i < instruction.operand_count; i++) {
        uint64_t address;
        if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY || operands[i].mem.type != ZYDIS_MEMOP_TYPE_MEM ||
            operands[i].mem.segment == ZYDIS_REGISTER_GS || operands[i].mem.segment == ZYDIS_REGISTER_FS)
            continue;
        if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&instruction, &operands[i], registers->rip, &context, &address)))
            record(recorder, address, operands[i].size / 8, operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
    }
    return true;
}

/* Steps from the first breakpoint to the second. */
static bool step_to_breakpoint(pid_t child, struct recorder *recorder)
{
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        struct user_regs_struct registers;
        unsigned char bytes[15];
        int status;
        if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0)
            return false;
        struct iovec local = {bytes, sizeof bytes}, remote = {(void *)registers.rip, sizeof bytes};
        ssize_t size = process_vm_readv(child, &local, 1, &remote, 1, 0);
        if (size <= 0)
            return false;
        if (bytes[0] == BREAKPOINT)
            return true;
        if (!record_instruction(recorder, &registers, bytes, (size_t)size) ||
            ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
            !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            return false;
    }
    return false;
}

unsigned step_accesses(const struct ddi_row *row, const struct ddi_call *call, uint64_t low, uint64_t high,
                       struct step_access *list, unsigned capacity)
{
    struct recorder recorder = {.low = low, .high = high, .list = list, .capacity = capacity};
    struct ddi_call made = *call;
    bool good = false;
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        __asm__ volatile("int3" ::: "memory");
        row->thunk(&made);
        __asm__ volatile("int3" ::: "memory");
        _exit(0);
    }
    if (child < 0)
        return UINT32_MAX;
    if (waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP)
        good = step_to_breakpoint(child, &recorder);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return good ? recorder.count : UINT32_MAX;
}
