/*
 * irps.c - the live IRPs: which addresses are IRPs of IoAllocateIrp, and walking over them.
 *
 * They stand in a hash table by address, a lock per bucket, so that no request waits for another's. An IRP leaves the
 * table when it is freed; its memory goes when nobody holds it any more, so that one can be cancelled while it is
 * completed by another thread.
 */
#include "io_internal.h"

enum { BUCKET_BITS = 6, BUCKETS = 1 << BUCKET_BITS };

static struct bucket {
    struct plat_lock lock;
    LIST_ENTRY irps;
} buckets[BUCKETS];
static ULONG sweeps;

void io_irps_init(void)
{
    for (ULONG i = 0; i < BUCKETS; i++) {
        plat_lock_init(&buckets[i].lock);
        InitializeListHead(&buckets[i].irps);
    }
}

static struct bucket *bucket_of(const IRP *irp)
{
    return &buckets[((ULONG_PTR)irp >> 4) * 0x9E3779B97F4A7C15ull >> (64 - BUCKET_BITS)];
}

void io_irps_add(struct io_irp *packet)
{
    struct bucket *bucket = bucket_of(&packet->irp);
    packet->references = 1;
    plat_lock_acquire(&bucket->lock);
    InsertTailList(&bucket->irps, &packet->link);
    plat_lock_release(&bucket->lock);
}

/* Lock held. */
static struct io_irp *find(const struct bucket *bucket, const IRP *irp)
{
    for (LIST_ENTRY *entry = bucket->irps.Flink; entry != &bucket->irps; entry = entry->Flink) {
        struct io_irp *packet = CONTAINING_RECORD(entry, struct io_irp, link);
        if (&packet->irp == irp)
            return packet;
    }
    return NULL;
}

struct io_irp *io_irp_find(const IRP *irp)
{
    struct bucket *bucket = bucket_of(irp);
    plat_lock_acquire(&bucket->lock);
    struct io_irp *packet = find(bucket, irp);
    plat_lock_release(&bucket->lock);
    return packet;
}

struct io_irp *io_irp_remove(const IRP *irp)
{
    struct bucket *bucket = bucket_of(irp);
    plat_lock_acquire(&bucket->lock);
    struct io_irp *packet = find(bucket, irp);
    if (packet)
        RemoveEntryList(&packet->link);
    plat_lock_release(&bucket->lock);
    return packet;
}

struct io_irp *io_irp_hold(const IRP *irp, const struct io_request *request)
{
    struct bucket *bucket = bucket_of(irp);
    plat_lock_acquire(&bucket->lock);
    struct io_irp *packet = find(bucket, irp);
    if (packet && io_irp_request(packet) != request) /* another one at the same address */
        packet = NULL;
    if (packet)
        __atomic_add_fetch(&packet->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&bucket->lock);
    return packet;
}

void io_irp_drop(struct io_irp *packet)
{
    if (!__atomic_sub_fetch(&packet->references, 1, __ATOMIC_ACQ_REL))
        mm_pool_free(packet, IO_IRP_TAG, packet->freed_by);
}

/* The bucket's next IRP that this sweep has not seen and match takes, held; null: none is left. */
static struct io_irp *sweep_next(struct bucket *bucket, ULONG sweep,
                                 bool (*match)(const struct io_irp *packet, const void *context), const void *context)
{
    struct io_irp *next = NULL;
    plat_lock_acquire(&bucket->lock);
    for (LIST_ENTRY *entry = bucket->irps.Flink; entry != &bucket->irps && !next; entry = entry->Flink) {
        struct io_irp *packet = CONTAINING_RECORD(entry, struct io_irp, link);
        if (packet->sweep == sweep || !match(packet, context))
            continue;
        packet->sweep = sweep;
        __atomic_add_fetch(&packet->references, 1, __ATOMIC_RELAXED);
        next = packet;
    }
    plat_lock_release(&bucket->lock);
    return next;
}

ULONG io_irps_sweep(bool (*match)(const struct io_irp *packet, const void *context), bool (*act)(struct io_irp *packet),
                    const void *context)
{
    ULONG count = 0, sweep = __atomic_add_fetch(&sweeps, 1, __ATOMIC_RELAXED);
    struct io_irp *packet;
    for (ULONG i = 0; i < BUCKETS; i++) {
        while ((packet = sweep_next(&buckets[i], sweep, match, context)) != NULL) {
            count += act(packet);
            io_irp_drop(packet);
        }
    }
    return count;
}

void io_irps_each(void (*callback)(const struct io_irp *packet, void *context), void *context)
{
    for (ULONG i = 0; i < BUCKETS; i++) {
        plat_lock_acquire(&buckets[i].lock);
        for (LIST_ENTRY *entry = buckets[i].irps.Flink; entry != &buckets[i].irps; entry = entry->Flink)
            callback(CONTAINING_RECORD(entry, struct io_irp, link), context);
        plat_lock_release(&buckets[i].lock);
    }
}
