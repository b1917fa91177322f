/*
 * send.c - sends requests through the embedding API, with their racing threads, and looks at what user memory holds
 * afterwards.
 *
 * Prints nothing: run.c and demo.c do.
 */
#include "send.h"
#include "wdk/ntstatus.h"
#include <stdlib.h>

static struct uma_result send_once(struct session *session, const struct request *request)
{
    struct uma_result result = {0};
    switch (request->type) {
    case REQUEST_IOCTL:
        return uma_ioctl(session->file, request->code, target_address(&request->in), request->in_length,
                         target_address(&request->out), request->out_length);
    case REQUEST_READ:
        return uma_read(session->file, target_address(&request->out), request->out_length, request->offset);
    case REQUEST_WRITE:
        return uma_write(session->file, target_address(&request->in), request->in_length, request->offset);
    case REQUEST_OPEN:
        result.status = session->file ? STATUS_INVALID_DEVICE_STATE : send_open(session);
        return result;
    case REQUEST_SURPRISE_REMOVAL:
        result.status = uma_surprise_removal(session->driver);
        return result;
    case REQUEST_RESTART:
        result.status = uma_restart_device(session->driver);
        return result;
    case REQUEST_SLEEP:
    case REQUEST_WAKE:
        result.status = uma_system_power(request->type == REQUEST_SLEEP ? 3 : 0);
        return result;
    default:
        result.status = uma_close(session->file);
        session->file = 0;
        return result;
    }
}

uma_status send_open(struct session *session)
{
    return session->file ? STATUS_SUCCESS : uma_open(session->device, &session->file);
}

static void tally(struct outcome *outcome, uma_status status)
{
    size_t i = 0;
    while (i < outcome->tally_count && outcome->tally[i].status != status)
        i++;
    if (i == SEND_STATUSES)
        i--;
    else if (i == outcome->tally_count)
        outcome->tally_count++;
    if (outcome->tally[i].count++ == 0)
        outcome->tally[i].status = status;
}

static bool holds_decoy(const struct buffer *buffer)
{
    if (!buffer->region || buffer->bad == BAD_UNMAPPED || buffer->size == 0)
        return false;
    uint8_t *copy = malloc(buffer->size);
    bool holds = copy && uma_user_load(buffer->address, copy, buffer->size) && uma_decoy_in(copy, buffer->size);
    free(copy);
    return holds;
}

static bool uses_decoy(const struct plan *plan)
{
    for (const struct buffer *buffer = plan->buffers; buffer; buffer = buffer->next)
        if (buffer->bad == BAD_KERNEL)
            return true;
    return false;
}

static void look_for_harm(const struct plan *plan, struct outcome *outcome)
{
    outcome->overwrote = uma_decoy_changed() || outcome->overwrote;
    for (const struct buffer *buffer = plan->buffers; buffer && !outcome->leaked; buffer = buffer->next) {
        if (holds_decoy(buffer)) {
            outcome->leaked = true;
            outcome->leaked_to = buffer->name;
        }
    }
}

static bool start_races(const struct request *request, struct uma_race *races[REQUESTS_MAX_RACES])
{
    for (size_t i = 0; i < request->race_count; i++) {
        const struct race *race = &request->races[i];
        if (uma_race_start(race->buffer->address + race->offset, race->size, race->values, race->count, race->times,
                           &races[i]) < 0) {
            while (i--)
                uma_race_stop(races[i]);
            return false;
        }
    }
    return true;
}

bool send_request(struct session *session, const struct request *request, struct outcome *outcome)
{
    struct uma_race *races[REQUESTS_MAX_RACES];
    bool decoy = uses_decoy(session->plan);

    *outcome = (struct outcome){.leaked_to = ""};
    if (!start_races(request, races))
        return false;
    for (uint32_t i = 0; i < request->repeat; i++) {
        struct uma_result result = send_once(session, request);
        outcome->status = result.status;
        outcome->information = result.information;
        outcome->timed_out = result.timed_out;
        tally(outcome, result.status);
        if (decoy)
            look_for_harm(session->plan, outcome);
        if (result.timed_out)
            break;
    }
    for (size_t i = 0; i < request->race_count; i++) {
        outcome->stores += uma_race_stop(races[i]);
        plan_fill(request->races[i].buffer);
    }
    return true;
}
