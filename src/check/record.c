/*
 * record.c - the record of accesses to user memory: its memory, its rows from begin to end, and the interface of uma.h.
 * Who begins rows stands in record_sink.c and record_accessor.c.
 */
#include "record_internal.h"
#include "arch.h"
#include "exports.h"
#include "ke.h"
#include <string.h>
#include <sys/mman.h>

#define LIMIT_MAX (1u << 20)

struct record *record_now;
size_t record_capacity;
__thread struct record_thread record_self __attribute__((tls_model("initial-exec")));

static struct uma_trace_options trace_options;
static size_t record_mapped; /* bytes */
static bool started;

/* ---- rows ---- */

void record_refresh(void)
{
    uint64_t generation = atomic_load_explicit(&record_now->generation, memory_order_relaxed);
    if (record_self.generation == generation)
        return;
    if (record_self.generation >> 32 != generation >> 32)
        record_self.number = 0;
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
    struct record_slot *slot = index < record_capacity ? &record->slots[index] : NULL;
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

bool record_moves_data(enum uma_trace_how how)
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
        if (complete && record_moves_data(row->how) && row->access == UMA_TRACE_WRITE)
            record_value_peek(row, open->address, open->size);
        if (complete && row->how == UMA_TRACE_RAW && row->access == UMA_TRACE_UPDATE)
            plat_user_peek(row->address, row->stored,
                           row->size < sizeof(row->stored) ? row->size : sizeof(row->stored));
        end_row(row, outcome, status, fault);
    }
    record_self.open_count = 0;
}

bool record_is_full(void)
{
    return atomic_load(&record_now->next) >= record_capacity;
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
        munmap(record_now, record_mapped);
    record_capacity = wanted.limit;
    record_mapped = size;
    record_now = record;
    trace_options = wanted;
    static uint64_t generation;
    generation += 1ull << 32; /* no thread has seen a record with this number */
    atomic_store(&record->generation, generation);
    atomic_store(&record->threads, 0);
    record_accessors_start();
    record_sinks_start();
    started = true;
    return STATUS_SUCCESS;
}

void uma_trace_stop(void)
{
    if (!started)
        return;
    record_sinks_stop();
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
    return next < record_capacity ? (size_t)next : record_capacity;
}

uint64_t uma_trace_dropped(void)
{
    return record_now ? atomic_load(&record_now->next) - uma_trace_count() : 0;
}

/* Names are pointers: only those that a row may have are given out. */
static const char *checked_name(const struct uma_trace_row *row)
{
    switch (row->how) {
    case UMA_TRACE_ACCESSOR:
        return record_accessor_has_name(row->name) ? row->name : NULL;
    case UMA_TRACE_EXPORT:
        return ldr_is_export_name(row->name) ? row->name : NULL;
    case UMA_TRACE_PROBE:
        return row->access == UMA_TRACE_READ ? "ProbeForRead" : "ProbeForWrite";
    default:
        return NULL;
    }
}

/* Makes a row of what may be anything. */
static void check(struct uma_trace_row *row)
{
    row->how = (unsigned)row->how <= UMA_TRACE_KERNEL ? row->how : UMA_TRACE_RAW;
    row->access = (unsigned)row->access - 1 < UMA_TRACE_UPDATE ? row->access : UMA_TRACE_READ;
    row->handler = (unsigned)row->handler <= UMA_TRACE_KERNEL_HANDLER ? row->handler : UMA_TRACE_NO_HANDLER;
    row->outcome = (unsigned)row->outcome <= UMA_TRACE_STOPPED ? row->outcome : UMA_TRACE_UNFINISHED;
    row->value_size = row->value_size <= UMA_TRACE_VALUE ? row->value_size : 0;
    uint8_t user_mode; /* as a bool it may have no value */
    memcpy(&user_mode, &row->user_mode, sizeof(user_mode));
    row->user_mode = user_mode != 0;
    row->name = checked_name(row);
}

bool uma_trace_row(size_t index, struct uma_trace_row *row)
{
    if (index >= uma_trace_count() || !atomic_load_explicit(&record_now->slots[index].begun, memory_order_acquire))
        return false;
    memcpy(row, &record_now->slots[index].row, sizeof(*row));
    check(row);
    return true;
}
