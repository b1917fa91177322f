/*
 * async.c - requests that are not waited for: sent through asynchronous files, left pending, cancelled by their own and
 * by other threads, by closing the file and by the end of the thread, and reported by status block, event and APC.
 *
 * A slot is one request at a time. What is reported of it must be reported once: a status block that has been read is
 * marked, and the mark must still be there when the slot is used again; its event, which one wait resets, must not be
 * signalled again; each APC carries its slot's sequence number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "load_client.h"

enum { SLOT_SIZE = 64, BLOCK = 0, IN = 16, OUT = 24, CANCEL_IO = LOAD_SLOTS * SLOT_SIZE, OFFSET = CANCEL_IO + 16 };
enum { MILLISECOND = -10000, PATIENCE = 30000 };
#define UNTOUCHED 0x5EED5EED5EED5EEDull
#define TAKEN     0x7A4E7A4E7A4E7A4Eull
#define APC_NAME  0xA9C0A9C0A9C0ull

static __thread struct client *self;

static uint64_t at(const struct client *client, const struct slot *slot)
{
    return client->slot_area + (uint64_t)(slot - client->slots) * SLOT_SIZE;
}

static void wrong(const struct client *client, const struct slot *slot, const char *what, uint64_t value)
{
    fprintf(stderr, "client %u, slot %u: %s: %llx (seed %llu)\n", client->index, (unsigned)(slot - client->slots), what,
            (unsigned long long)value, (unsigned long long)shared.seed);
    exit(1);
}

static uint64_t block_of(const struct client *client, const struct slot *slot, uint64_t *information)
{
    uint64_t io[2];
    expect(uma_user_load(at(client, slot) + BLOCK, io, sizeof(io)), "a slot's memory");
    if (information)
        *information = io[1];
    return io[0];
}

static void set_block(const struct client *client, const struct slot *slot, uint64_t value)
{
    const uint64_t io[2] = {value, value};
    expect(uma_user_store(at(client, slot) + BLOCK, io, sizeof(io)), "a slot's memory");
}

static bool block_is_good(const struct client *client, const struct slot *slot)
{
    return slot->block == at(client, slot) + BLOCK;
}

/* ---- what is reported ---- */

void async_apc(void *context, uint64_t routine, const uint64_t arguments[3])
{
    struct slot *slot = &self->slots[arguments[0] >> 32 & 0xFF];
    (void)context;
    if (routine != APC_NAME || arguments[0] >> 40 != self->index || arguments[2])
        wrong(self, slot, "an APC of another request", arguments[0]);
    if ((uint32_t)arguments[0] != slot->sequence || arguments[1] != slot->block)
        wrong(self, slot, "an APC that comes late", arguments[0]);
    slot->apcs++;
}

/* The request has ended: everything that was asked for must be there, once. */
static void check_report(struct client *client, struct slot *slot)
{
    uint64_t information, output, status = block_of(client, slot, &information);
    CALL("NtTestAlert");
    if (slot->apcs != slot->with_apc)
        wrong(client, slot, "APCs run", slot->apcs);
    if (block_is_good(client, slot)) {
        uma_status ended = (uma_status)status;
        if (ended != OK && ended != CANCELLED && ended != ACCESS_VIOLATION && ended != GUARD_PAGE)
            wrong(client, slot, "a request ended with", status);
        if (slot->stays && ended != CANCELLED)
            wrong(client, slot, "a request that stays ended with", status);
        expect(uma_user_load(at(client, slot) + OUT, &output, sizeof(output)), "a slot's memory");
        if (slot->checkable && ended == OK && (information != LOAD_ANSWER || output != ~slot->input))
            wrong(client, slot, "answer", output);
        client->answers += slot->checkable && ended == OK;
    }
    set_block(client, slot, TAKEN);
}

/* Nothing was reported of an earlier request a second time. */
static void check_quiet(struct client *client, struct slot *slot)
{
    if (block_of(client, slot, NULL) != TAKEN)
        wrong(client, slot, "a status block was written twice", block_of(client, slot, NULL));
    if (wait_for(client, slot->event, false, 0) != TIMED_OUT)
        wrong(client, slot, "an event was set twice", 0);
    CALL("NtTestAlert"); /* async_apc looks for late ones */
}

/* ---- sending ---- */

static uint64_t choose_file(struct client *client, const struct slot *slot)
{
    if (slot->own)
        return pick(client, 2) ? client->file : client->second;
    return __atomic_load_n(&shared.async_handles[pick(client, LOAD_HANDLES)], __ATOMIC_ACQUIRE);
}

static uma_status submit(struct client *client, struct slot *slot)
{
    const uint64_t here = at(client, slot), file = choose_file(client, slot);
    uint32_t function = LOAD_NOW + pick(client, slot->own ? 4 : 3), method = pick(client, 4);
    uint64_t in = address_for(client, here + IN, LOAD_ANSWER), out = address_for(client, here + OUT, LOAD_ANSWER);
    uint64_t event = slot->with_event ? slot->event : 0, apc = slot->with_apc ? APC_NAME : 0;
    uint64_t context = (uint64_t)client->index << 40 | (uint64_t)(slot - client->slots) << 32 | slot->sequence;
    if (!pick(client, 4)) {
        slot->stays = slot->checkable = false;
        return CALL(pick(client, 2) ? "NtReadFile" : "NtWriteFile", file, event, apc, context, slot->block, out,
                    LOAD_ANSWER, client->slot_area + OFFSET, 0);
    }
    slot->stays = function == LOAD_STAYS;
    slot->checkable = in == here + IN && out == here + OUT && method != 1;
    return CALL("NtDeviceIoControlFile", file, event, apc, context, slot->block, LOAD_CODE(function, method), in,
                LOAD_ANSWER, out, LOAD_ANSWER);
}

/* It came back with an error: nothing may be reported, except where the error was met after the end. */
static void check_refused(struct client *client, struct slot *slot, uma_status status)
{
    bool strict = slot->own && block_is_good(client, slot) && (uint32_t)status >> 30 == 3;
    uma_status event = wait_for(client, slot->event, false, 0);
    CALL("NtTestAlert");
    if (strict && event != TIMED_OUT)
        wrong(client, slot, "a refused request's event is set, status", (uint32_t)status);
    if (strict && slot->apcs)
        wrong(client, slot, "a refused request's APC ran, status", (uint32_t)status);
    if (strict && block_of(client, slot, NULL) != UNTOUCHED)
        wrong(client, slot, "a refused request's block was written, status", (uint32_t)status);
    set_block(client, slot, TAKEN);
}

static void send(struct client *client, struct slot *slot)
{
    const uint64_t here = at(client, slot), nothing = 0;
    check_quiet(client, slot);
    slot->input = client->random;
    slot->own = pick(client, 2);
    slot->with_event = pick(client, 2);
    slot->with_apc = pick(client, 2);
    slot->block = pick(client, 12) ? here + BLOCK : address_for(client, here + BLOCK, 16);
    slot->with_event |= !block_is_good(client, slot);
    slot->sequence++;
    slot->apcs = 0;
    set_block(client, slot, UNTOUCHED);
    expect(uma_user_store(here + IN, &slot->input, 8) && uma_user_store(here + OUT, &nothing, 8), "a slot's memory");
    uma_status status = submit(client, slot);
    if (status == PENDING) {
        slot->pending = true;
        client->pended++;
    } else if (status == OK) {
        if (slot->with_event && wait_for(client, slot->event, false, 0) != OK)
            wrong(client, slot, "the event of a request that is done is not set", 0);
        check_report(client, slot);
    } else {
        check_refused(client, slot, status);
    }
}

/* ---- cancelling ---- */

static void cancel(struct client *client, uint64_t file, uint64_t block)
{
    uint64_t io = address_for(client, client->slot_area + CANCEL_IO, 16);
    client->cancels++;
    switch (pick(client, 3)) {
    case 0:
        CALL("NtCancelIoFile", file, io);
        break;
    case 1:
        CALL("NtCancelIoFileEx", file, 0, io);
        break;
    default:
        CALL("NtCancelIoFileEx", file, block, io);
    }
}

void cancel_any(struct client *client)
{
    uint64_t other = __atomic_load_n(&shared.own_files[pick(client, LOAD_CLIENTS)], __ATOMIC_ACQUIRE);
    uint64_t table = __atomic_load_n(&shared.async_handles[pick(client, LOAD_HANDLES)], __ATOMIC_ACQUIRE);
    uint64_t thread = __atomic_load_n(&shared.threads[pick(client, LOAD_CLIENTS)], __ATOMIC_ACQUIRE);
    uint64_t block = address_for(client, at(client, client->slots), 16);
    if (pick(client, 3)) {
        cancel(client, pick(client, 2) ? other : table, block);
        return;
    }
    client->cancels++;
    CALL("NtCancelSynchronousIoFile", thread, pick(client, 2) ? 0 : block,
         address_for(client, client->slot_area + CANCEL_IO, 16));
}

/* ---- looking after what pends ---- */

/* Whether the request has ended, by the first thing that would tell. */
static bool has_ended(struct client *client, struct slot *slot, int64_t interval)
{
    if (slot->with_event)
        return wait_for(client, slot->event, pick(client, 2), interval) == OK;
    if (interval || (slot->with_apc && pick(client, 2))) {
        expect(uma_user_store(client->area + TIMEOUT, &interval, sizeof(interval)), "a client's own memory");
        CALL("NtDelayExecution", 1, client->area + TIMEOUT);
    } else {
        CALL("NtTestAlert");
    }
    return slot->with_apc ? slot->apcs != 0 : block_of(client, slot, NULL) != UNTOUCHED;
}

static bool look_after(struct client *client, struct slot *slot, int64_t interval)
{
    if (!has_ended(client, slot, interval))
        return false;
    check_report(client, slot);
    slot->pending = false;
    client->reported++;
    return true;
}

static void open_own(struct client *client)
{
    client->file = open_device(client, 0);
    client->second = duplicate(client, client->file);
    expect(client->second, "a file's handle is duplicated");
    if (client->index < LOAD_CLIENTS)
        __atomic_store_n(&shared.own_files[client->index], client->file, __ATOMIC_RELEASE);
}

/* What pends there is cancelled with the second handle's end. */
static void close_own(struct client *client)
{
    expect(CALL("NtClose", client->file) == OK, "a file is closed");
    expect(CALL("NtClose", client->second) == OK, "a duplicate is closed");
}

void async_step(struct client *client)
{
    struct slot *slot = &client->slots[pick(client, LOAD_SLOTS)];
    if (!pick(client, 200)) {
        close_own(client);
        open_own(client);
    } else if (!slot->pending) {
        send(client, slot);
    } else if (!look_after(client, slot, pick(client, 20) ? 0 : MILLISECOND) && !pick(client, 3)) {
        cancel(client, slot->own ? client->file : choose_file(client, slot), slot->block);
    }
}

void async_begin(struct client *client)
{
    expect(uma_user_alloc(PAGE, UMA_READ_WRITE, &client->slot_area) == OK, "memory for the slots");
    self = client;
    for (struct slot *slot = client->slots; slot < client->slots + LOAD_SLOTS; slot++) {
        *slot = (struct slot){.event = create_event(client)};
        set_block(client, slot, TAKEN);
    }
    open_own(client);
    if (client->index < LOAD_CLIENTS)
        __atomic_store_n(&shared.threads[client->index], duplicate(client, THIS_THREAD), __ATOMIC_RELEASE);
}

void async_settle(struct client *client)
{
    for (struct slot *slot = client->slots; slot < client->slots + LOAD_SLOTS; slot++)
        for (int i = 0; slot->pending && !slot->stays && !look_after(client, slot, MILLISECOND); i++)
            if (i == PATIENCE)
                wrong(client, slot, "a request does not end, sequence", slot->sequence);
}

/* The thread has ended, and with it its requests; of user APCs nothing is left. */
static void check_left(struct client *client, struct slot *slot)
{
    uint64_t status = block_of(client, slot, NULL);
    if (slot->with_event && wait_for(client, slot->event, false, 0) != OK)
        wrong(client, slot, "the event of a request whose thread ended is not set", 0);
    if (block_is_good(client, slot) && (uma_status)status != CANCELLED && (slot->stays || status == UNTOUCHED))
        wrong(client, slot, "a request whose thread ended has status", status);
    set_block(client, slot, TAKEN);
    slot->pending = false;
    client->left++;
}

void async_end(struct client *client)
{
    for (struct slot *slot = client->slots; slot < client->slots + LOAD_SLOTS; slot++) {
        if (slot->pending)
            check_left(client, slot);
        if (block_of(client, slot, NULL) != TAKEN || wait_for(client, slot->event, false, 0) != TIMED_OUT)
            wrong(client, slot, "something was reported twice", block_of(client, slot, NULL));
        expect(CALL("NtClose", slot->event) == OK, "a slot's event is closed");
    }
    close_own(client);
    if (client->index < LOAD_CLIENTS)
        expect(CALL("NtClose", shared.threads[client->index]) == OK, "a thread's handle is closed");
    uma_user_free(client->slot_area, PAGE);
}

void leaver_run(void *context)
{
    struct client *client = context;
    client_begin(client);
    for (unsigned i = 0; i < LOAD_SLOTS; i++)
        send(client, &client->slots[i]);
}
