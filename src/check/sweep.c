/*
 * sweep.c - many control codes, one after the other.
 *
 * Requests of one process share what the driver keeps from one to the next: a sweep finds candidates quickly, and who
 * wants to know more of a code sends it in a process of its own (attempt.h).
 */
#include "sweep.h"
#include <stdlib.h>
#include <string.h>

enum { METHODS = 4, TOGETHER = 500 /* codes in a process */ };
#define NOBODYS_CODE 0xFFFFFFFCu /* and a method: no driver knows it, as far as one can tell */

struct room {
    size_t at; /* the code that is being sent */
    struct sweep_reply replies[TOGETHER];
};

struct sweep {
    const struct sweep_options *options;
    const struct sweep_reply *replies;
    size_t count; /* in this process, at most TOGETHER */
};

static uint64_t buffer(uint32_t length)
{
    uint64_t at = 0;
    if (length && uma_user_alloc(length, UMA_READ_WRITE, &at) < 0)
        at = 0;
    return at;
}

static void send_codes(void *context, void *shared)
{
    const struct sweep *sweep = context;
    const struct sweep_options *options = sweep->options;
    struct room *room = shared;
    uma_file file;
    uint64_t in = buffer(options->in_length), out = buffer(options->out_length);
    uma_status opened = uma_open(options->device, &file);
    for (uint32_t method = 0; method < METHODS && opened >= 0; method++) /* what runs for every code is not news */
        uma_ioctl(file, NOBODYS_CODE | method, in, options->in_length, out, options->out_length);
    for (size_t i = 0; i < sweep->count; i++) {
        struct sweep_reply *reply = &room->replies[i];
        size_t before = options->coverage ? coverage_hit(options->coverage) : 0;
        __atomic_store_n(&room->at, i, __ATOMIC_RELEASE);
        struct uma_result result = {.status = opened};
        if (opened >= 0)
            result = uma_ioctl(file, sweep->replies[i].code, in, options->in_length, out, options->out_length);
        reply->status = result.status;
        reply->information = result.information;
        reply->new_code = options->coverage && coverage_hit(options->coverage) > before;
    }
    __atomic_store_n(&room->at, sweep->count, __ATOMIC_RELEASE);
    uma_close(file);
}

/* What one process has done: returns how many codes are dealt with. */
static size_t take_replies(const struct room *room, const struct case_result *result, size_t count,
                           struct sweep_reply *replies)
{
    size_t at = result->end == CASE_DONE ? count : room->at;
    if (at > count)
        at = count; /* the driver wrote there */
    for (size_t i = 0; i < at; i++) {
        uint32_t code = replies[i].code;
        replies[i] = room->replies[i];
        replies[i].code = code;
        replies[i].ended = false;
    }
    if (at == count)
        return count;
    replies[at].ended = true;
    replies[at].how = result->end;
    return at + 1;
}

bool sweep_codes(const struct sweep_options *options, struct sweep_reply *replies, size_t count)
{
    struct case_runner *runner;
    struct case_result result;
    bool well = true;
    if (case_runner_open(sizeof(struct room), &runner) < 0)
        return false;
    struct room *room = case_runner_room(runner);
    for (size_t done = 0; done < count && well;) {
        struct sweep sweep = {options, replies + done, count - done < TOGETHER ? count - done : TOGETHER};
        memset(room, 0, sizeof(*room));
        well = case_run(runner, send_codes, &sweep, options->milliseconds, &result);
        if (well)
            done += take_replies(room, &result, sweep.count, replies + done);
    }
    case_runner_close(runner);
    return well;
}

/* ---- which are known ---- */

struct usual {
    uma_status status;
    uint64_t information;
};

static bool is_as(const struct sweep_reply *reply, const struct usual *usual)
{
    return !reply->ended && reply->status == usual->status && reply->information == usual->information;
}

/* The answer that most codes of a method get: the candidate that is left when each different one has taken one away. */
static struct usual most(const struct sweep_reply *replies, size_t count, unsigned method)
{
    struct usual usual = {0};
    size_t lead = 0;
    for (size_t i = 0; i < count; i++) {
        if ((replies[i].code & 3) != method || replies[i].ended)
            continue;
        if (lead && !is_as(&replies[i], &usual)) {
            lead--;
            continue;
        }
        if (!lead)
            usual = (struct usual){replies[i].status, replies[i].information};
        lead++;
    }
    return usual;
}

size_t sweep_known(const struct sweep_reply *replies, size_t count, bool *known)
{
    struct usual usual[METHODS];
    size_t found = 0;
    for (unsigned method = 0; method < METHODS; method++)
        usual[method] = most(replies, count, method);
    for (size_t i = 0; i < count; i++) {
        known[i] = replies[i].new_code || !is_as(&replies[i], &usual[replies[i].code & 3]);
        found += known[i];
    }
    return found;
}
