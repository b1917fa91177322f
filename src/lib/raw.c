/*
 * raw.c - counts what reaches user memory without an accessor: single instructions (ke's hook) and the memcpy-like
 * exports (trace rows). Both may come in a signal handler and from any thread: fixed memory, atomics, no lock.
 */
#include "lib.h"
#include "trace.h"
#include <stdatomic.h>

#define RAW_PLACES 256u

static atomic_ullong accesses;
static struct {
    _Atomic ULONG_PTR pc;
    _Atomic ULONG_PTR address;
    atomic_ullong count;
    atomic_uint size;
    atomic_bool write;
} places[RAW_PLACES];

static void count_access(ULONG_PTR pc, ULONG_PTR address, SIZE_T size, bool write)
{
    atomic_fetch_add(&accesses, 1);
    for (size_t i = 0; i < RAW_PLACES; i++) {
        ULONG_PTR found = 0;
        if (atomic_compare_exchange_strong(&places[i].pc, &found, pc)) {
            atomic_store(&places[i].address, address);
            atomic_store(&places[i].size, (unsigned)size);
            atomic_store(&places[i].write, write);
            found = pc;
        }
        if (found == pc) {
            atomic_fetch_add(&places[i].count, 1);
            return;
        }
    }
}

static void count_instruction(const struct plat_raw_access *access)
{
    race_give_way();
    count_access(access->pc, access->address, access->size, access->write);
}

/* pc is the export's return address in the driver; one byte back lies inside the call. */
static void count_row(const struct trace_row *row)
{
    race_give_way();
    if (row->name && (row->kind == TRACE_RAW_READ || row->kind == TRACE_RAW_WRITE))
        count_access(row->pc - 1, row->address, row->size, row->kind == TRACE_RAW_WRITE);
}

void raw_start(void)
{
    ke_raw_access_hook = count_instruction;
    trace_sink_current = count_row;
}

uint64_t uma_raw_accesses(void)
{
    return atomic_load(&accesses);
}

bool uma_raw_place(size_t index, struct uma_raw_place *place)
{
    if (index >= RAW_PLACES || atomic_load(&places[index].pc) == 0)
        return false;
    *place = (struct uma_raw_place){
        .pc = atomic_load(&places[index].pc),
        .address = atomic_load(&places[index].address),
        .count = atomic_load(&places[index].count),
        .size = atomic_load(&places[index].size),
        .write = atomic_load(&places[index].write),
    };
    return true;
}
