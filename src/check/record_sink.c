/*
 * record_sink.c - who begins and ends rows: raw instructions, from the platform's hook; exports, probes, locks and the
 * I/O manager's copies, from the trace sink; exceptions, which end what was going on or tell of an instruction that
 * faulted before anybody heard of it.
 */
#include "record_internal.h"
#include "exports.h"
#include "ke.h"
#include "trace.h"

static trace_sink *next_sink;
static void (*next_raw_hook)(const struct plat_raw_access *access);

/* Begins a row whose bytes, if it reads any, are there now. */
static void begin_read_now(const struct record_access *access, const struct record_place *place)
{
    struct record_slot *slot = record_begin(access, place);
    if (slot && record_moves_data(access->how) && access->access & UMA_TRACE_READ)
        record_value_peek(&slot->row, access->address, access->size);
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
    if (context && !record_is_full())
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

/* Of a row that has grown, the part that failed is none of it. */
static void drop_last_part(void)
{
    for (unsigned i = 0; i < record_self.open_count; i++) {
        const struct record_open *open = &record_self.open[i];
        if (open->slot && open->address != open->slot->row.address)
            open->slot->row.size -= open->size;
    }
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
        drop_last_part();
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
    if (!record_is_full())
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

/* ---- on and off ---- */

void record_sinks_start(void)
{
    next_sink = trace_sink_current;
    next_raw_hook = ke_raw_access_hook;
    trace_sink_current = on_row;
    ke_raw_access_hook = on_raw_access;
}

void record_sinks_stop(void)
{
    ke_raw_access_hook = next_raw_hook;
    trace_sink_current = next_sink;
}
