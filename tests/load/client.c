/*
 * client.c - one of the threads that send requests. Each has memory of its own, where answers are checked, and names
 * memory it should not: the mappers', unmapped, read-only, the kernel's, across the end of a page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "load_client.h"
#include "uma.h"

/* The client's own memory: the page after PAGES is never mapped. */
enum { INPUT = PAGE, OUTPUT = 2 * PAGE, READ_ONLY = 3 * PAGE, EDGE = 4 * PAGE, PAGES = 5 };

void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s (seed %llu)\n", what, (unsigned long long)shared.seed);
    exit(1);
}

uint32_t pick(struct client *client, uint32_t limit)
{
    client->random ^= client->random << 13;
    client->random ^= client->random >> 7;
    client->random ^= client->random << 17;
    return (uint32_t)(client->random >> 33) % limit;
}

static void check(const char *service, uma_status status)
{
    static const uma_status legal[] = {OK,        TIMED_OUT,      GUARD_PAGE,    MISALIGNED,           ACCESS_VIOLATION,
                                       CANCELLED, INVALID_HANDLE, ACCESS_DENIED, OBJECT_TYPE_MISMATCH, NOT_FOUND,
                                       PENDING,   USER_APC};
    for (unsigned i = 0; i < sizeof(legal) / sizeof(*legal); i++)
        if (status == legal[i])
            return;
    /* A closed handle's number may be an asynchronous file's by now, which keeps no position. */
    if (status == INVALID_PARAMETER && (!strcmp(service, "NtReadFile") || !strcmp(service, "NtWriteFile")))
        return;
    fprintf(stderr, "%s answered %s (seed %llu)\n", service, uma_status_name(status), (unsigned long long)shared.seed);
    exit(1);
}

uma_status call(const char *service, const uint64_t *arguments, size_t count)
{
    uma_status status = uma_call(service, arguments, count);
    check(service, status);
    return status;
}

uint64_t address_for(struct client *client, uint64_t good, uint32_t length)
{
    switch (pick(client, 20)) {
    case 0:
        return 0;
    case 1:
        return client->area + PAGES * PAGE;
    case 2:
        return shared.kernel_address;
    case 3:
        return client->area + EDGE + PAGE - (length + 1) / 2;
    case 4:
        return client->area + READ_ONLY;
    case 5:
        return ~0ull - pick(client, 64);
    case 6:
    case 7:
    case 8:
        return shared.regions[pick(client, LOAD_REGIONS)] + pick(client, LOAD_REGION_SIZE);
    default:
        return good;
    }
}

bool is_mapped_by_others(uint64_t address)
{
    for (unsigned i = 0; i < LOAD_REGIONS; i++)
        if (address - shared.regions[i] < LOAD_REGION_SIZE)
            return true;
    return false;
}

static uint64_t any_handle(struct client *client)
{
    return __atomic_load_n(&shared.handles[pick(client, LOAD_HANDLES)], __ATOMIC_ACQUIRE);
}

uint64_t put_name(struct client *client, const char *text)
{
    const uint64_t at = client->area;
    uint16_t wide[80];
    uint16_t length = 0;
    for (; text[length]; length++)
        wide[length] = (uint16_t)text[length];
    length *= 2;
    const struct {
        uint16_t length, maximum;
        uint64_t buffer;
    } name = {length, length, at + TEXT};
    const struct {
        uint64_t length, root, name, attributes, security, quality;
    } attributes = {48, 0, at + NAME, 0x40, 0, 0};
    uma_user_store(at + TEXT, wide, length);
    uma_user_store(at + NAME, &name, sizeof(name));
    uma_user_store(at + ATTRIBUTES, &attributes, sizeof(attributes));
    return at + ATTRIBUTES;
}

uint64_t handle_out(struct client *client)
{
    uint64_t handle = 0;
    expect(uma_user_load(client->area + HANDLE_OUT, &handle, sizeof(handle)) && handle, "a handle can be read");
    return handle;
}

uint64_t open_device(struct client *client, uint32_t options)
{
    char name[] = "\\Device\\Load0";
    name[12] = (char)('0' + pick(client, LOAD_DEVICES));
    uint64_t attributes = put_name(client, name);
    expect(CALL("NtOpenFile", client->area + HANDLE_OUT, FILE_ACCESS, attributes, client->area + IO, 7, options) == OK,
           "a device opens");
    return handle_out(client);
}

uint64_t duplicate(struct client *client, uint64_t handle)
{
    if (CALL("NtDuplicateObject", THIS_PROCESS, handle, THIS_PROCESS, client->area + HANDLE_OUT, 0, 0, 2) != OK)
        return 0;
    return handle_out(client);
}

uint64_t create_event(struct client *client)
{
    expect(CALL("NtCreateEvent", client->area + HANDLE_OUT, EVENT_ALL, 0, SYNCHRONIZATION, 0) == OK, "an event");
    return handle_out(client);
}

uma_status wait_for(struct client *client, uint64_t handle, bool alertable, int64_t interval)
{
    expect(uma_user_store(client->area + TIMEOUT, &interval, sizeof(interval)), "a client's own memory");
    return CALL("NtWaitForSingleObject", handle, alertable, client->area + TIMEOUT);
}

/* A closed handle's number may be that of an asynchronous file by now: then there is something to wait for. */
uma_status ask(struct client *client, uma_status status)
{
    if (status == PENDING)
        expect(wait_for(client, client->event, false, -100000000) == OK, "a request's event is set");
    return status;
}

/* Puts another handle into a shared slot; the one that was there is closed while others may be using it. */
static void replace_handle(struct client *client)
{
    bool asynchronous = !pick(client, 3);
    uint64_t *table = asynchronous ? shared.async_handles : shared.handles, handle;
    if (pick(client, 4))
        handle = open_device(client, asynchronous ? 0 : SYNCHRONOUS);
    else
        handle = duplicate(client, __atomic_load_n(&table[pick(client, LOAD_HANDLES)], __ATOMIC_ACQUIRE));
    uint64_t old = __atomic_exchange_n(&table[pick(client, LOAD_HANDLES)], handle, __ATOMIC_ACQ_REL);
    if (old)
        expect(CALL("NtClose", old) == OK, "a handle is closed once");
}

static void use_event(struct client *client)
{
    const uint64_t at = client->area;
    uint64_t event = 0, soon = 0, where = address_for(client, at + EVENT_HANDLE, 8);
    if (is_mapped_by_others(where)) /* a handle written there could be lost */
        where = at + EVENT_HANDLE;
    if (CALL("NtCreateEvent", where, EVENT_ALL, 0, 0, 0) != OK)
        return;
    expect(where == at + EVENT_HANDLE && uma_user_load(where, &event, sizeof(event)),
           "a handle goes to good memory only");
    CALL("NtSetEvent", event, address_for(client, at + NUMBER, 4));
    uma_user_store(at + NUMBER, &soon, sizeof(soon));
    CALL("NtWaitForSingleObject", event, 0, at + NUMBER);
    CALL("NtClose", event);
}

/* What a control with both buffers good must have answered. */
static void check_answer(struct client *client, uint64_t input, uint32_t method)
{
    uint64_t io[2], output;
    if (method == 1 || !uma_user_load(client->area + IO, io, sizeof(io)) ||
        !uma_user_load(client->area + OUTPUT, &output, sizeof(output)))
        return;
    client->answers++;
    if ((uint32_t)io[0] == OK && io[1] == LOAD_ANSWER && output == ~input)
        return;
    fprintf(stderr, "client %u, method %u: answer %llx to %llx, status %llx, information %llx (seed %llu)\n",
            client->index, method, (unsigned long long)output, (unsigned long long)input, (unsigned long long)io[0],
            (unsigned long long)io[1], (unsigned long long)shared.seed);
    exit(1);
}

static uma_status control(struct client *client)
{
    const uint64_t at = client->area, input = client->random;
    uint32_t function = pick(client, 16), method = pick(client, 4);
    uint32_t in_length = pick(client, 8) ? LOAD_ANSWER : pick(client, 600),
             out_length = pick(client, 8) ? LOAD_ANSWER : pick(client, 5000);
    uint64_t in = address_for(client, at + INPUT, in_length), out = address_for(client, at + OUTPUT, out_length);
    uint64_t io = pick(client, 16) ? at + IO : address_for(client, at + IO, 16);
    uint64_t nothing[2] = {~0ull, ~0ull};
    uma_user_store(at + IO, nothing, sizeof(nothing));
    uma_user_store(at + INPUT, &input, sizeof(input));
    function = LOAD_NOW + (function > 1 ? 0 : 1 + function);
    uma_status status = ask(client, CALL("NtDeviceIoControlFile", any_handle(client), client->event, 0, 0, io,
                                         LOAD_CODE(function, method), in, in_length, out, out_length));
    if (status == OK && in == at + INPUT && out == at + OUTPUT && io == at + IO && in_length >= LOAD_ANSWER &&
        out_length >= LOAD_ANSWER)
        check_answer(client, input, method);
    return status;
}

static uma_status transfer(struct client *client)
{
    const uint64_t at = client->area;
    uint32_t length = pick(client, 8) ? pick(client, 256) : pick(client, 5000);
    uint64_t buffer = address_for(client, at + OUTPUT, length);
    uint64_t offset = pick(client, 4) ? 0 : address_for(client, at + NUMBER, 8);
    uint64_t zero = 0;
    uma_user_store(at + NUMBER, &zero, sizeof(zero));
    return ask(client, CALL(pick(client, 2) ? "NtReadFile" : "NtWriteFile", any_handle(client), client->event, 0, 0,
                            at + IO, buffer, length, offset, 0));
}

static bool step(struct client *client)
{
    uint32_t what = pick(client, 100);
    if (what < 3)
        replace_handle(client);
    else if (what < 8)
        use_event(client);
    else if (what < 10)
        cancel_any(client);
    else if (what < 13)
        mixed_step(client);
    else if (what < 35)
        async_step(client);
    else if (what < 50)
        return transfer(client) == OK;
    else
        return control(client) == OK;
    return false;
}

void client_begin(struct client *client)
{
    expect(uma_user_alloc(PAGES * PAGE, UMA_READ_WRITE, &client->area) == OK, "memory for a client");
    expect(uma_user_protect(client->area + READ_ONLY, PAGE, UMA_READ) == OK, "a read-only page");
    client->event = create_event(client);
    async_begin(client);
}

void client_end(struct client *client)
{
    expect(CALL("NtClose", client->event) == OK, "a client's event is closed");
    async_end(client);
    uma_user_free(client->area, PAGES * PAGE);
}

void client_run(void *context)
{
    struct client *client = context;
    client_begin(client);
    mixed_begin(client);
    while (client->sent < client->requests) {
        client->sent++;
        client->succeeded += step(client);
        client->back++;
    }
    mixed_end(client);
    async_settle(client);
    __atomic_sub_fetch(&shared.running, 1, __ATOMIC_ACQ_REL);
}

void client_close_shared(void)
{
    for (unsigned i = 0; i < LOAD_HANDLES; i++) {
        uint64_t both[] = {shared.handles[i], shared.async_handles[i]};
        for (unsigned j = 0; j < 2; j++)
            if (both[j])
                expect(uma_call("NtClose", &both[j], 1) == OK, "a shared handle is closed");
    }
}
