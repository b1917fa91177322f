/*
 * step.c - executing one instruction with something changed for it alone: user memory open, or a register substituted.
 *
 * Owns the trap flag and the scratch page. A step ends when the instruction has been left; a repeated string
 * instruction stays one step. PLAT_RAW_STEP reports here; nothing is reported for emulation.
 */
#include <string.h>

#include "linux.h"

#define FLAG_TRAP 0x100

static void report(const struct plat_raw_access *access)
{
    if (plat_hooks.raw_access)
        plat_hooks.raw_access(access);
}

static void report_raw(CONTEXT *context, const struct decoded *decoded, ULONG_PTR address, bool write)
{
    bool seen = false;
    struct plat_raw_access access = {.pc = context->Rip, .context = context};
    for (ULONG i = 0; i < decoded->access_count; i++) {
        const struct decoded_access *part = &decoded->access[i];
        bool faulted = address - part->address < part->size;
        /* The other operand of a movs is seen now too: with both pages open it would not fault. */
        if (!part->size || (!faulted && !user_range(part->address, part->size)))
            continue;
        access.address = part->address;
        access.size = part->size > UINT32_MAX ? UINT32_MAX : (ULONG)part->size;
        access.read = part->read;
        access.write = part->write;
        seen = seen || faulted;
        report(&access);
    }
    if (seen)
        return;
    /* Gathers, bit offsets: the operand's address says little, the fault's does. */
    access.address = address;
    access.size = decoded->access_count ? (ULONG)decoded->access[0].size : 0;
    access.read = !write;
    access.write = write;
    report(&access);
}

ULONG plat_user_operands(const CONTEXT *context, struct plat_raw_access parts[3])
{
    struct decoded decoded;
    ULONG count = 0;
    decode_at(&decoded, context);
    for (ULONG i = 0; i < decoded.access_count; i++) {
        const struct decoded_access *part = &decoded.access[i];
        if (!part->size || part->address >= plat_layout.user_limit)
            continue;
        parts[count++] = (struct plat_raw_access){.pc = context->Rip,
                                                  .address = part->address,
                                                  .size = part->size > UINT32_MAX ? UINT32_MAX : (ULONG)part->size,
                                                  .read = part->read,
                                                  .write = part->write};
    }
    return count;
}

static void step_end(struct plat_thread *thread, ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)FLAG_TRAP;
    if (thread->step.relocated)
        uc->uc_mcontext.gregs[REG_RIP] += (greg_t)(thread->step.pc - (ULONG_PTR)thread->scratch);
    if (thread->step.redirected >= 0) {
        CONTEXT context;
        context_from_ucontext(&context, uc);
        /* By difference, for string instructions, which advance the register. */
        ULONG64 *value = &context.Rax + thread->step.redirected;
        *value = thread->step.original + (*value - thread->step.substitute);
        context_to_ucontext(&context, uc);
    }
    if (thread->step.user_pages) {
        plat_window_close();
        protect_frame_pkru(uc, false);
    }
    thread->step.active = thread->step.user_pages = thread->step.relocated = false;
    thread->step.redirected = -1;
}

/*
 * An instruction that does not depend on where it stands runs as a copy in the thread's scratch page, with a breakpoint
 * behind it. That costs half of what the trap flag does, and a repeated string instruction, which the flag would stop
 * at each iteration, costs no more than any other. False: no scratch page.
 */
static bool step_relocate(struct plat_thread *thread, ucontext_t *uc)
{
    if (!thread->scratch)
        return false;
    memcpy(thread->scratch, (const void *)thread->step.pc, thread->step.length);
    thread->scratch[thread->step.length] = 0xcc; /* int3: unlike ud2 and the trap flag, no business of a hypervisor's */
    thread->step.relocated = true;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(ULONG_PTR)thread->scratch;
    return true;
}

void step_begin_raw(struct plat_thread *thread, ucontext_t *uc, ULONG_PTR address, bool write)
{
    CONTEXT context;
    struct decoded decoded;
    context_from_ucontext(&context, uc);
    decode_at(&decoded, &context);
    report_raw(&context, &decoded, address, write);
    thread->step.active = true;
    thread->step.user_pages = true;
    thread->step.repeats = decoded.repeats;
    thread->step.length = decoded.length;
    thread->step.pc = context.Rip;
    /* With a register substituted the step has begun already, in place. */
    if (thread->step.redirected >= 0 || !decoded.relocatable || !step_relocate(thread, uc))
        uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TRAP;
}

bool plat_emulate_step(CONTEXT *context, unsigned general_register, ULONG64 substitute)
{
    struct plat_thread *thread = plat_current;
    struct decoded decoded;
    if (!thread || general_register > 15 || thread->step.redirected >= 0)
        return false;
    decode_at(&decoded, context);
    if (!decoded.valid)
        return false;
    ULONG64 *value = &context->Rax + general_register;
    thread->step.redirected = (int)general_register;
    thread->step.original = *value;
    thread->step.substitute = substitute;
    *value = substitute;
    if (!thread->step.relocated) {
        thread->step.active = true;
        thread->step.repeats = decoded.repeats;
        thread->step.pc = context->Rip;
        context->EFlags |= FLAG_TRAP;
    }
    return true;
}

static void step_finish(struct plat_thread *thread, ucontext_t *uc)
{
    bool raw = thread->step.user_pages;
    step_end(thread, uc);
    if (raw && plat_hooks.raw_done)
        plat_hooks.raw_done();
}

bool step_trapped(struct plat_thread *thread, ucontext_t *uc)
{
    if (!thread->step.active)
        return false;
    if (thread->step.relocated) {
        greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];
        if ((ULONG_PTR)*rip != (ULONG_PTR)thread->scratch + thread->step.length + 1)
            return false;
        --*rip; /* the int3 is none of the program's */
        step_finish(thread, uc);
        return true;
    }
    if (!thread->step.repeats || (ULONG_PTR)uc->uc_mcontext.gregs[REG_RIP] != thread->step.pc)
        step_finish(thread, uc);
    return true;
}

void step_cancel(struct plat_thread *thread, ucontext_t *uc)
{
    if (thread->step.active)
        step_end(thread, uc);
}
