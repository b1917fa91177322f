/*
 * attempt.c - one hostile session with a driver, in a process of its own.
 */
#include "attempt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm.h"
#include "seh.h"

enum { PAGE = 0x1000 };

struct attempter {
    struct case_runner *runner;
    struct attempt_result *result; /* the runner's room */
    struct attempt_result copy;    /* of the last attempt, after it was checked */
};

/* In the process of the attempt. */
static const struct attempt *current;
static struct attempt_result *out;
static uint64_t wanted; /* so far, by driver code */

static uint64_t address_of(const struct attempt_address *address)
{
    return address->absolute ? address->offset : out->blocks[address->block] + address->offset;
}

/* ---- what happens on the way ---- */

static void spoil(const struct attempt_change *change, const struct uma_trace_row *row)
{
    uint64_t first = row->address & ~(uint64_t)(PAGE - 1), end = row->address + (row->size ? row->size : 1);
    enum uma_access access = change->what == ATTEMPT_UNMAP ? UMA_NO_ACCESS : UMA_READ;
    for (uint64_t at = first; at < end && at - first < ATTEMPT_MEMORY; at += PAGE) {
        if (change->what == ATTEMPT_IN_PAGE)
            uma_user_poison(at);
        else
            uma_user_protect(at, PAGE, access);
    }
}

/* Before each access; often in a signal handler. */
static void before_access(void *context, size_t index, const struct uma_trace_row *row)
{
    (void)context;
    for (unsigned i = 0; current && i < current->change_count; i++) {
        const struct attempt_change *change = &current->changes[i];
        if (change->row != index)
            continue;
        if (change->what == ATTEMPT_STORE)
            uma_user_store(address_of(&change->at), &change->value, change->size);
        else
            spoil(change, row);
    }
}

/* Asked before memory is given, by any thread; what drivers ask for counts. */
static bool refuses(enum mm_want want)
{
    ULONG_PTR caller = seh_export_caller();
    (void)want;
    if (!caller)
        return false;
    uint64_t number = __atomic_add_fetch(&wanted, 1, __ATOMIC_RELAXED);
    if (number != current->refuse)
        return false;
    out->refused_by = caller - 1;
    return true;
}

/* ---- the session ---- */

static bool lay_out(void)
{
    for (unsigned i = 0; i < current->block_count; i++) {
        const struct attempt_block *block = &current->blocks[i];
        uint64_t pages = ((uint64_t)block->size + PAGE - 1) & ~(uint64_t)(PAGE - 1), at;
        if (uma_user_alloc(pages ? pages : PAGE, UMA_READ_WRITE, &at) < 0)
            return false;
        out->blocks[i] = at + (pages ? pages : PAGE) - block->size;
        if (block->bytes && !uma_user_store(out->blocks[i], block->bytes, block->size))
            return false;
    }
    for (unsigned i = 0; i < current->link_count; i++) {
        uint64_t to = address_of(&current->links[i].to);
        if (!uma_user_store(address_of(&current->links[i].at), &to, sizeof(to)))
            return false;
    }
    for (unsigned i = 0; i < current->block_count; i++) {
        const struct attempt_block *block = &current->blocks[i];
        uint64_t first = out->blocks[i] & ~(uint64_t)(PAGE - 1);
        if (block->access != UMA_READ_WRITE &&
            uma_user_protect(first, out->blocks[i] + block->size - first, block->access) < 0)
            return false;
    }
    return true;
}

static struct uma_result send(uma_file file, const struct attempt_request *request)
{
    uint64_t in = address_of(&request->in), to = address_of(&request->out);
    switch (request->type) {
    case ATTEMPT_READ:
        return uma_read(file, to, request->out_length, 0);
    case ATTEMPT_WRITE:
        return uma_write(file, in, request->in_length, 0);
    default:
        return uma_ioctl(file, request->code, in, request->in_length, to, request->out_length);
    }
}

static void send_all(void)
{
    uma_file file = 0;
    out->opened = uma_open(current->device, &file);
    for (unsigned i = 0; i < current->request_count && file; i++) {
        const struct attempt_request *request = &current->requests[i];
        struct attempt_reply *reply = &out->replies[i];
        uma_trace_request(i);
        if (request->type == ATTEMPT_CLOSE) {
            uma_close(file);
            reply->status = uma_open(current->device, &file);
        } else {
            struct uma_result result = send(file, request);
            reply->status = result.status;
            reply->information = result.information;
        }
        reply->came = true;
    }
    uma_close(file);
}

static void keep_memory(void)
{
    size_t at = 0;
    for (unsigned i = 0; i < current->block_count; at += current->blocks[i].size, i++)
        uma_user_load(out->blocks[i], out->memory + at, current->blocks[i].size);
}

static void keep_line(void *context, const char *line)
{
    size_t *used = context;
    int added = snprintf(out->left_lines + *used, ATTEMPT_LINES - *used, "%s\n", line);
    if (added > 0 && (size_t)added < ATTEMPT_LINES - *used)
        *used += (size_t)added;
    else
        out->left_lines[*used] = 0;
}

static void session(void *context, void *room)
{
    size_t before = uma_leftovers(NULL, NULL), used = 0;
    current = context;
    out = room;
    wanted = 0;
    out->opened = STATUS_NO_MEMORY;
    if (!lay_out())
        return;
    uma_trace_clear();
    mm_short = refuses;
    send_all();
    mm_short = NULL;
    size_t after = uma_leftovers(NULL, NULL);
    out->left = after > before ? after - before : 0;
    if (current->name_leftovers)
        uma_leftovers(keep_line, &used);
    out->wanted = wanted;
    out->decoy_changed = uma_decoy_changed();
    keep_memory();
}

/* ---- the caller's side ---- */

static bool address_is_sound(const struct attempt *attempt, const struct attempt_address *address, uint64_t size)
{
    return address->absolute ||
           (address->block < attempt->block_count && address->offset <= attempt->blocks[address->block].size &&
            size <= attempt->blocks[address->block].size - address->offset);
}

static bool is_sound(const struct attempt *attempt)
{
    uint64_t bytes = 0;
    if (!attempt->device || attempt->block_count > ATTEMPT_BLOCKS || attempt->link_count > ATTEMPT_LINKS ||
        attempt->request_count > ATTEMPT_REQUESTS || attempt->change_count > ATTEMPT_CHANGES)
        return false;
    for (unsigned i = 0; i < attempt->block_count; i++)
        bytes += attempt->blocks[i].size;
    bool sound = bytes <= ATTEMPT_MEMORY;
    for (unsigned i = 0; i < attempt->link_count; i++)
        sound = sound && address_is_sound(attempt, &attempt->links[i].at, sizeof(uint64_t)) &&
                address_is_sound(attempt, &attempt->links[i].to, 0);
    for (unsigned i = 0; i < attempt->request_count; i++)
        sound = sound && address_is_sound(attempt, &attempt->requests[i].in, 0) &&
                address_is_sound(attempt, &attempt->requests[i].out, 0);
    for (unsigned i = 0; i < attempt->change_count; i++)
        sound = sound && attempt->changes[i].size <= sizeof(uint64_t) &&
                (attempt->changes[i].what != ATTEMPT_STORE ||
                 address_is_sound(attempt, &attempt->changes[i].at, attempt->changes[i].size));
    return sound;
}

NTSTATUS attempter_open(size_t rows, struct attempter **attempter)
{
    const struct uma_trace_options options = {
        .size = sizeof(options), .limit = rows, .shared = true, .before = before_access};
    struct attempter *made = calloc(1, sizeof(*made));
    *attempter = NULL;
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = case_runner_open(sizeof(struct attempt_result), &made->runner);
    if (NT_SUCCESS(status)) {
        status = uma_trace_start(&options);
        if (!NT_SUCCESS(status))
            case_runner_close(made->runner);
    }
    if (!NT_SUCCESS(status)) {
        free(made);
        return status;
    }
    made->result = case_runner_room(made->runner);
    *attempter = made;
    return status;
}

void attempter_close(struct attempter *attempter)
{
    uma_trace_stop();
    case_runner_close(attempter->runner);
    free(attempter);
}

bool attempt_run(struct attempter *attempter, const struct attempt *attempt, const struct attempt_result **result)
{
    struct case_result how;
    if (!is_sound(attempt))
        return false;
    memset(attempter->result, 0, offsetof(struct attempt_result, memory));
    if (!case_run(attempter->runner, session, (void *)attempt, attempt->milliseconds, &how))
        return false;
    attempter->copy = *attempter->result;
    attempter->copy.how = how;
    attempter->copy.left_lines[ATTEMPT_LINES - 1] = 0;
    *result = &attempter->copy;
    return true;
}
