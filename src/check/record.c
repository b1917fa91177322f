/*
 * record.c - the record of accesses to user memory: its memory, its rows from begin to end, and the sinks that hear of
 * raw instructions, exports, probes, locks and the I/O manager's copies. Accessors are record_accessor.c's.
 */
#include "record_internal.h"
#include "arch.h"
#include "exports.h"
#include "ke.h"
#include "trace.h"
#include <string.h>
#include <sys/mman.h>

#define LIMIT_MAX (1u << 20)

struct record *record_now;
__thread struct record_thread record_self __attribute__((tls_model("initial-exec")));

static struct uma_trace_options trace_options;
static bool started;
static trace_sink *next_sink;
static void (*next_raw_hook)(const struct plat_raw_access *access);

/* ---- rows ---- */

void record_refresh(void)
{
    unsigned generation = atomic_load_explicit(&record_now->generation, memory_order_relaxed);
    if (record_self.generation == generation)
        return;
    record_self.generation = generation;
    record_self.open_count = 0;
    memset(record_self.grown, 0, sizeof(record_self.grown));
}

static unsigned thread_number(struct record *record)
{
    if (!record_self.number)
        record_self.number = atomic_fetch_add(&record->threads, 1) + 1;
    return record_self.number;
}

struct record_slot *record_begin(const struct record_access *access, const struct record_place *place)
{
    struct record *record = record_now;
    PKTHREAD thread = ke_thread_current();
    unsigned long long index = atomic_fetch_add(&record->next, 1);
    struct record_slot *slot = index < record->capacity ? &record->slots[index] : NULL;
    if (slot) {
        slot->row = (struct uma_trace_row){
            .request = record_self.has_request ? record_self.request : atomic_load(&record->request),
            .address = access->address,
            .size = access->size,
            .how = access->how,
            .access = access->access,
            .name = access->name,
            .handler = place->handler,
            .thread = thread_number(record),
            .irql = (uint8_t)arch_self()->irql,
            .user_mode = thread && thread->PreviousMode == UserMode,
        };
        memcpy(slot->row.pc, place->pc, sizeof(place->pc));
        atomic_store_explicit(&slot->begun, true, memory_order_release);
        if (trace_options.before)
            trace_options.before(trace_options.context, index, &slot->row);
    }
    if (record_self.open_count < RECORD_OPEN)
        record_self.open[record_self.open_count++] =
            (struct record_open){.slot = slot, .address = access->address, .size = access->size};
    return slot;
}

static void end_row(struct uma_trace_row *row, enum uma_trace_outcome outcome, uma_status status, uint64_t fault)
{
    row->status = status;
    row->fault_address = fault;
    if (outcome != UMA_TRACE_COMPLETE) {
        row->value_size = 0;
        row->digest = 0;
    }
    row->outcome = outcome;
}

static bool moves_data(enum uma_trace_how how)
{
    return how == UMA_TRACE_RAW || how == UMA_TRACE_EXPORT || how == UMA_TRACE_KERNEL;
}

void record_end_all(enum uma_trace_outcome outcome, uma_status status, uint64_t fault)
{
    for (unsigned i = 0; i < record_self.open_count; i++) {
        struct record_open *open = &record_self.open[i];
        if (!open->slot)
            continue;
        struct uma_trace_row *row = &open->slot->row;
        bool complete = outcome == UMA_TRACE_COMPLETE;
        if (complete && moves_data(row->how) && row->access == UMA_TRACE_WRITE)
            record_value_peek(row, open->address, open->size);
        if (complete && row->how == UMA_TRACE_RAW && row->access == UMA_TRACE_UPDATE)
            plat_user_peek(row->address, row->stored,
                           row->size < sizeof(row->stored) ? row->size : sizeof(row->stored));
        end_row(row, outcome, status, fault);
    }
    record_self.open_count = 0;
}

/* Begins a row whose bytes, if it reads any, are there now. */
static void begin_read_now(const struct record_access *access, const struct record_place *place)
{
    struct record_slot *slot = record_begin(access, place);
    if (slot && moves_data(access->how) && access->access & UMA_TRACE_READ)
        record_value_peek(&slot->row, access->address, access->size);
}

static bool is_full(void)
{
    return atomic_load(&record_now->next) >= record_now->capacity;
}

/* ---- instructions ---- */

/*
 * An export that works byte by byte (strlen) is stepped instruction by instruction: what continues a row of the same
 * call makes it longer. False: it continues none.
 */
static bool grow(const struct plat_raw_access *access, ULONG_PTR call)
{
    for (unsigned i = 0; i < RTL_NUMBER_OF(record_self.grown); i++) {
        struct record_grown *grown = &record_self.grown[i];
        if (!grown->slot || grown->call != call || grown->end != access->address ||
            !(grown->slot->row.access & (access->write ? UMA_TRACE_WRITE : UMA_TRACE_READ)))
            continue;
        struct uma_trace_row *row = &grown->slot->row;
        row->size += access->size;
        grown->end += access->size;
        if (access->read)
            record_value_peek(row, access->address, access->size);
        row->outcome = UMA_TRACE_UNFINISHED;
        if (record_self.open_count < RECORD_OPEN)
            record_self.open[record_self.open_count++] =
                (struct record_open){.slot = grown->slot, .address = access->address, .size = access->size};
        return true;
    }
    return false;
}

static enum uma_trace_access access_of(const struct plat_raw_access *access)
{
    return (access->read ? UMA_TRACE_READ : 0) | (access->write ? UMA_TRACE_WRITE : 0);
}

/* An instruction of ours, in an export on the driver's behalf. */
static void begin_in_export(const struct plat_raw_access *access)
{
    ULONG_PTR target, call;
    struct record_place place;
    if (!seh_export_call(&target, &call)) /* our own code for itself: nothing of a driver's */
        return;
    if (grow(access, call))
        return;
    record_place_export(seh_export_caller(), &place);
    unsigned before = record_self.open_count;
    begin_read_now(&(struct record_access){.how = UMA_TRACE_EXPORT,
                                           .access = access_of(access),
                                           .name = ldr_export_name(target),
                                           .address = access->address,
                                           .size = access->size},
                   &place);
    if (record_self.open_count == before)
        return;
    record_self.grown[1] = record_self.grown[0];
    record_self.grown[0] = (struct record_grown){record_self.open[before].slot, access->address + access->size, call};
}

static void begin_instruction(const struct plat_raw_access *access, const CONTEXT *context)
{
    struct record_place place = {.pc = {access->pc}};
    record_refresh();
    if (!seh_image_find(access->pc)) {
        begin_in_export(access);
        return;
    }
    if (context && !is_full())
        record_place_at(context, true, &place);
    begin_read_now(
        &(struct record_access){
            .how = UMA_TRACE_RAW, .access = access_of(access), .address = access->address, .size = access->size},
        &place);
}

static void on_raw_access(const struct plat_raw_access *access)
{
    if (next_raw_hook)
        next_raw_hook(access);
    begin_instruction(access, access->context);
}

/* An instruction that faulted before anybody heard of it. */
static void end_instruction(const CONTEXT *context, ULONG_PTR address, enum uma_trace_outcome outcome, NTSTATUS status)
{
    struct plat_raw_access parts[3];
    ULONG count = plat_user_operands(context, parts);
    for (ULONG i = 0; i < count; i++) {
        if (address - parts[i].address >= parts[i].size)
            continue;
        begin_instruction(&parts[i], context);
        record_end_all(outcome, status, address);
        return;
    }
}

/* ---- rows of the lower layers ---- */

static void begin_row(const struct trace_row *row, enum uma_trace_how how, enum uma_trace_access access)
{
    struct record_place place = {0};
    const char *name = row->name;
    ULONG_PTR target, call;
    if (!is_full())
        record_place_export(row->pc, &place);
    if (how == UMA_TRACE_EXPORT && seh_export_call(&target, &call) && ldr_export_name(target))
        name = ldr_export_name(target);
    begin_read_now(
        &(struct record_access){.how = how, .access = access, .name = name, .address = row->address, .size = row->size},
        &place);
}

static bool is_user(ULONG_PTR address)
{
    return address < plat_layout.user_limit;
}

static void on_exception(const struct trace_row *row)
{
    enum uma_trace_outcome outcome = row->kind == TRACE_STOPPED ? UMA_TRACE_STOPPED : UMA_TRACE_RAISED;
    if (record_self.open_count)
        record_end_all(outcome, (uma_status)row->tag, row->address);
    else if (row->context && is_user(row->address))
        end_instruction(row->context, row->address, outcome, (NTSTATUS)row->tag);
}

static void on_row(const struct trace_row *row)
{
    if (next_sink)
        next_sink(row);
    record_refresh();
    switch (row->kind) {
    case TRACE_RAW_READ:
    case TRACE_RAW_WRITE:
        begin_row(row, UMA_TRACE_EXPORT, row->kind == TRACE_RAW_READ ? UMA_TRACE_READ : UMA_TRACE_WRITE);
        break;
    case TRACE_PROBE_READ:
    case TRACE_PROBE_WRITE:
        begin_row(row, UMA_TRACE_PROBE, row->kind == TRACE_PROBE_READ ? UMA_TRACE_READ : UMA_TRACE_WRITE);
        break;
    case TRACE_LOCK_READ:
    case TRACE_LOCK_WRITE:
        begin_row(row, UMA_TRACE_LOCK, row->kind == TRACE_LOCK_READ ? UMA_TRACE_READ : UMA_TRACE_WRITE);
        break;
    case TRACE_COPY_IN:
    case TRACE_COPY_OUT:
        begin_row(row, UMA_TRACE_KERNEL, row->kind == TRACE_COPY_IN ? UMA_TRACE_READ : UMA_TRACE_WRITE);
        break;
    case TRACE_DONE:
        record_end_all(UMA_TRACE_COMPLETE, 0, 0);
        break;
    case TRACE_EXCEPTION:
    case TRACE_STOPPED:
        on_exception(row);
        break;
    default:
        break;
    }
}

/* ---- the interface ---- */

uma_status uma_trace_start(const struct uma_trace_options *options)
{
    struct uma_trace_options wanted = {0};
    memcpy(&wanted, options, options->size < sizeof(wanted) ? options->size : sizeof(wanted));
    if (!wanted.limit || wanted.limit > LIMIT_MAX)
        return STATUS_INVALID_PARAMETER;
    uma_trace_stop();
    size_t size = sizeof(struct record) + wanted.limit * sizeof(struct record_slot);
    int flags = MAP_ANONYMOUS | MAP_NORESERVE | (wanted.shared ? MAP_SHARED : MAP_PRIVATE);
    struct record *record = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (record == MAP_FAILED)
        return STATUS_NO_MEMORY;
    if (record_now)
        munmap(record_now, record_now->mapped);
    record->capacity = wanted.limit;
    record->mapped = size;
    record_now = record;
    trace_options = wanted;
    static unsigned generation;
    generation += 1u << 16; /* no thread has seen a record with this number */
    atomic_store(&record->generation, generation);
    atomic_store(&record->threads, 0);
    next_sink = trace_sink_current;
    next_raw_hook = ke_raw_access_hook;
    record_accessors_start();
    trace_sink_current = on_row;
    ke_raw_access_hook = on_raw_access;
    started = true;
    return STATUS_SUCCESS;
}

void uma_trace_stop(void)
{
    if (!started)
        return;
    ke_raw_access_hook = next_raw_hook;
    trace_sink_current = next_sink;
    record_accessors_stop();
    started = false;
}

void uma_trace_request(uint64_t number)
{
    record_self.has_request = true;
    record_self.request = number;
    if (record_now)
        atomic_store(&record_now->request, number);
}

void uma_trace_clear(void)
{
    size_t count = uma_trace_count();
    for (size_t i = 0; i < count; i++)
        atomic_store(&record_now->slots[i].begun, false);
    if (!record_now)
        return;
    atomic_store(&record_now->next, 0);
    atomic_fetch_add(&record_now->generation, 1);
}

size_t uma_trace_count(void)
{
    if (!record_now)
        return 0;
    unsigned long long next = atomic_load(&record_now->next);
    return next < record_now->capacity ? (size_t)next : record_now->capacity;
}

uint64_t uma_trace_dropped(void)
{
    return record_now ? atomic_load(&record_now->next) - uma_trace_count() : 0;
}

bool uma_trace_row(size_t index, struct uma_trace_row *row)
{
    if (index >= uma_trace_count() || !atomic_load_explicit(&record_now->slots[index].begun, memory_order_acquire))
        return false;
    *row = record_now->slots[index].row;
    return true;
}
