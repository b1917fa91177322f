/*
 * record_accessor.c - rows of the accessors: drivers get the functions of arch's traced.S, whose hooks stand here.
 *
 * What an accessor read is its result, or what it left in kernel memory: never a second look at user memory, which may
 * have changed.
 */
#include "record_internal.h"
#include "arch.h"
#include "ke.h"
#include "ldr.h"
#include "uma_kernel.h"
#include <string.h>

enum family { COPY_FROM, COPY_TO, COPY_BOTH, FILL, READ, WRITE, LENGTH, COMPARE_EXCHANGE, OR, AND };

static const struct {
    const char *name;
    enum family family;
    unsigned width;
} slots[ARCH_UMA_SLOTS] = {
    {"CopyFromUser", COPY_FROM, 1},
    {"CopyFromUserNonTemporal", COPY_FROM, 1},
    {"CopyToUser", COPY_TO, 1},
    {"CopyToUserNonTemporal", COPY_TO, 1},
    {"CopyToUserFromUser", COPY_BOTH, 1},
    {"MoveToUserFromUser", COPY_BOTH, 1},
    {"SetUserMemory", FILL, 1},
    {"ReadUCharFromUser", READ, 1},
    {"WriteUCharToUser", WRITE, 1},
    {"ReadUShortFromUser", READ, 2},
    {"WriteUShortToUser", WRITE, 2},
    {"ReadULongFromUser", READ, 4},
    {"WriteULongToUser", WRITE, 4},
    {"ReadULong64FromUser", READ, 8},
    {"WriteULong64ToUser", WRITE, 8},
    {"StringLengthFromUser", LENGTH, 1},
    {"WideStringLengthFromUser", LENGTH, 2},
    {"InterlockedCompareExchange64ToUser", COMPARE_EXCHANGE, 8},
    {"InterlockedOr32ToUser", OR, 4},
    {"InterlockedOr64ToUser", OR, 8},
    {"InterlockedAnd32ToUser", AND, 4},
    {"InterlockedAnd64ToUser", AND, 8},
    {"InterlockedCompareExchange32ToUser", COMPARE_EXCHANGE, 4},
};

bool record_accessor_has_name(const char *name)
{
    for (unsigned i = 0; i < ARCH_UMA_SLOTS; i++)
        if (slots[i].name == name)
            return true;
    return false;
}

static void (*next_raise_hook)(EXCEPTION_RECORD *record, CONTEXT *context);

/* ---- before ---- */

static void context_of(const struct arch_traced_call *call, CONTEXT *context)
{
    memset(context, 0, sizeof(*context));
    context->ContextFlags = CONTEXT_FULL;
    context->Rbx = call->rbx;
    context->Rbp = call->rbp;
    context->Rsi = call->rsi;
    context->Rdi = call->rdi;
    context->R12 = call->r12;
    context->R13 = call->r13;
    context->R14 = call->r14;
    context->R15 = call->r15;
    context->Rip = call->return_address;
    context->Rsp = (ULONG_PTR)(&call->return_address + 1);
}

static void begin(const struct record_place *place, unsigned slot, enum uma_trace_access access, uint64_t address,
                  uint64_t size)
{
    record_begin(
        &(struct record_access){
            .how = UMA_TRACE_ACCESSOR, .access = access, .name = slots[slot].name, .address = address, .size = size},
        place);
}

/* The verifier's check stands in functions that these have taken the place of. */
static void check_level(const struct arch_traced_call *call)
{
    struct ke_bugcheck bugcheck = {.code = 0xC4,
                                   .parameters = {0xE5, arch_self()->irql},
                                   .why = "a user-mode accessor was used above APC_LEVEL",
                                   .culprit = call->return_address - 1};
    if (ke_verify && arch_self()->irql > APC_LEVEL)
        ke_bugcheck_report(&bugcheck);
}

static void NTAPI on_begin(const struct arch_traced_call *call)
{
    struct record_thread *self = &record_self;
    const unsigned slot = (unsigned)call->slot;
    const ULONG64 *argument = call->argument;
    struct record_place place = {0};
    CONTEXT context;
    check_level(call);
    record_refresh();
    self->accessor_caller = call->return_address;
    self->accessor_slot = slot;
    memcpy(self->argument, argument, sizeof(self->argument));
    self->open_count = 0;
    if (slots[slot].family <= FILL && !argument[2])
        return; /* no bytes: no access */
    if (!record_is_full()) {
        context_of(call, &context);
        record_place_at(&context, false, &place);
    }
    switch (slots[slot].family) {
    case COPY_FROM:
        begin(&place, slot, UMA_TRACE_READ, argument[1], argument[2]);
        break;
    case COPY_BOTH:
        begin(&place, slot, UMA_TRACE_READ, argument[1], argument[2]);
        begin(&place, slot, UMA_TRACE_WRITE, argument[0], argument[2]);
        break;
    case COPY_TO:
    case FILL:
        begin(&place, slot, UMA_TRACE_WRITE, argument[0], argument[2]);
        break;
    case READ:
    case WRITE:
        begin(&place, slot, slots[slot].family == READ ? UMA_TRACE_READ : UMA_TRACE_WRITE, argument[0],
              slots[slot].width);
        break;
    case LENGTH: /* how long it is shows at the end */
        begin(&place, slot, UMA_TRACE_READ, argument[0], 0);
        break;
    default:
        begin(&place, slot, UMA_TRACE_UPDATE, argument[0], slots[slot].width);
        break;
    }
}

/* ---- after ---- */

static void add_fill(struct uma_trace_row *row, uint8_t fill, uint64_t size)
{
    uint8_t piece[64];
    memset(piece, fill, sizeof(piece));
    for (; size; size -= size < sizeof(piece) ? size : sizeof(piece))
        record_value_add(row, piece, size < sizeof(piece) ? size : sizeof(piece));
}

static uint64_t stored_by(enum family family, uint64_t old, const uint64_t *argument, unsigned width)
{
    const uint64_t mask = width == 8 ? UINT64_MAX : UINT32_MAX;
    switch (family) {
    case OR:
        return old | argument[1];
    case AND:
        return old & argument[1];
    default:
        return (old & mask) == (argument[2] & mask) ? argument[1] : old;
    }
}

static void complete(struct uma_trace_row *row, unsigned slot, const uint64_t *argument, uint64_t result)
{
    const unsigned width = slots[slot].width;
    switch (slots[slot].family) {
    case COPY_FROM:
        record_value_kernel(row, (const void *)(uintptr_t)argument[0], row->size, row->address);
        break;
    case COPY_TO:
        record_value_kernel(row, (const void *)(uintptr_t)argument[1], row->size, row->address);
        break;
    case COPY_BOTH: /* both sides can change; what was stored is the nearer */
        record_value_peek(row, argument[0], row->size);
        break;
    case FILL:
        add_fill(row, (uint8_t)argument[1], row->size);
        break;
    case READ:
        record_value_add(row, &result, width);
        break;
    case WRITE:
        record_value_add(row, &argument[1], width);
        break;
    case LENGTH:
        row->size = (result + 1) * width;
        record_value_peek(row, row->address, row->size);
        break;
    default: {
        uint64_t stored = stored_by(slots[slot].family, result, argument, width);
        record_value_add(row, &result, width);
        memcpy(row->stored, &stored, width);
        break;
    }
    }
}

static ULONG64 NTAPI on_end(ULONG64 result)
{
    struct record_thread *self = &record_self;
    for (unsigned i = 0; i < self->open_count; i++)
        if (self->open[i].slot)
            complete(&self->open[i].slot->row, (unsigned)self->accessor_slot, self->argument, result);
    record_end_all(UMA_TRACE_COMPLETE, 0, 0);
    return self->accessor_caller;
}

/* What an accessor raises appears in its caller, traced or not. */
static void on_raise(EXCEPTION_RECORD *record, CONTEXT *context)
{
    if (context->Rip == (ULONG_PTR)arch_traced_return) {
        struct record_thread *self = &record_self;
        context->Rip = self->accessor_caller;
        record->ExceptionAddress = (PVOID)self->accessor_caller;
        struct record_slot *slot = self->open_count ? self->open[0].slot : NULL;
        ULONG_PTR fault = record->NumberParameters >= 2 ? record->ExceptionInformation[1] : 0;
        if (slot && slots[self->accessor_slot].family == LENGTH && fault > slot->row.address)
            slot->row.size = fault - slot->row.address; /* this much it had read */
    }
    next_raise_hook(record, context);
}

void record_accessors_start(void)
{
    next_raise_hook = arch_raise_hook;
    arch_traced_begin = on_begin;
    arch_traced_end = on_end;
    arch_raise_hook = on_raise;
    uma_redirect_traced(true);
    ldr_redirect_again();
}

void record_accessors_stop(void)
{
    uma_redirect_traced(false);
    ldr_redirect_again();
    arch_raise_hook = next_raise_hook;
}
