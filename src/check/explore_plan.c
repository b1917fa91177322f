/*
 * explore_plan.c - the order of what is tried, and the families about single accesses, addresses, lengths and memory
 * that is short.
 */
#include "explore_internal.h"
#include <stdio.h>
#include <string.h>

/* A description of what is done, for the report. */
#define SAY(text, ...) snprintf(text, EXPLORE_TEXT, __VA_ARGS__)

/* ---- each access fails ---- */

static enum plan_step plan_fault(struct plan *plan, size_t index, struct scenario *scenario)
{
    static const struct {
        enum attempt_what what;
        const char *text;
    } ways[] = {{ATTEMPT_UNMAP, "the page is unmapped"},
                {ATTEMPT_READ_ONLY, "the page becomes read-only"},
                {ATTEMPT_IN_PAGE, "the page cannot be read from its disk"}};
    size_t row = index / RTL_NUMBER_OF(ways), way = index % RTL_NUMBER_OF(ways);
    if (row >= plan->outcome->row_count)
        return PLAN_END;
    const struct uma_trace_row *met = &plan->outcome->rows[row];
    if (met->how == UMA_TRACE_KERNEL || (ways[way].what == ATTEMPT_READ_ONLY && !(met->access & UMA_TRACE_WRITE)))
        return PLAN_NONE_HERE;
    scenario->kind = SCENARIO_FAULT;
    scenario->row = row;
    scenario->attempt.change_count = 1;
    scenario->attempt.changes[0] = (struct attempt_change){.row = row, .what = ways[way].what};
    SAY(scenario->when, "at access %zu", row + 1);
    SAY(scenario->what, "%s", ways[way].text);
    return PLAN_HERE;
}

/* ---- each address is another ---- */

/* The index-th address that the driver gets: of the links, then of the requests. Null: there are not so many. */
static struct attempt_address *pointer_at(struct attempt *attempt, size_t index, char name[EXPLORE_TEXT])
{
    if (index < attempt->link_count) {
        const struct attempt_address *at = &attempt->links[index].at;
        SAY(name, "the pointer at byte %llu of block %u", (unsigned long long)at->offset, at->block);
        return &attempt->links[index].to;
    }
    index -= attempt->link_count;
    if (index >= 2 * (size_t)attempt->request_count)
        return NULL;
    SAY(name, "the address of the %s of request %zu", index % 2 ? "output" : "input", index / 2 + 1);
    struct attempt_request *request = &attempt->requests[index / 2];
    return index % 2 ? &request->out : &request->in;
}

static bool is_absolute_low(const struct attempt_address *address)
{
    return address->absolute && address->offset < 0x10000;
}

static enum plan_step plan_pointer(struct plan *plan, size_t index, struct scenario *scenario)
{
    enum { NO_ADDRESS, NOWHERE, DECOY, STRADDLES, MISALIGNED, ITSELF, OTHER, WAYS };
    struct attempt *attempt = &scenario->attempt;
    char name[EXPLORE_TEXT];
    struct attempt_address *address = pointer_at(attempt, index / WAYS, name);
    bool is_link = index / WAYS < attempt->link_count;
    uint64_t low, limit;
    (void)plan;
    uma_user_range(&low, &limit);
    if (!address)
        return PLAN_END;
    if (address->absolute ||
        (!is_link && attempt->requests[(index / WAYS - attempt->link_count) / 2].type == ATTEMPT_CLOSE))
        return PLAN_NONE_HERE;
    struct attempt_address was = *address;
    scenario->kind = SCENARIO_POINTER;
    SAY(scenario->when, "from the start");
    address->absolute = true;
    switch (index % WAYS) {
    case NO_ADDRESS:
        address->offset = 0;
        scenario->user_null = true;
        SAY(scenario->what, "%.80s is null", name);
        return PLAN_HERE;
    case NOWHERE:
        address->offset = EXPLORE_KERNEL_ADDRESS;
        SAY(scenario->what, "%.80s is a kernel address where nothing is", name);
        return PLAN_HERE;
    case DECOY:
        address->offset = uma_decoy();
        SAY(scenario->what, "%.80s is a kernel address", name);
        return PLAN_HERE;
    case STRADDLES:
        address->offset = limit - 4;
        SAY(scenario->what, "%.80s is four bytes below the end of user space", name);
        return PLAN_HERE;
    case MISALIGNED:
        *address = was;
        address->offset++;
        SAY(scenario->what, "%.80s is one byte higher", name);
        return was.offset < attempt->blocks[was.block].size ? PLAN_HERE : PLAN_NONE_HERE;
    case ITSELF:
        *address = is_link ? attempt->links[index / WAYS].at : was;
        address->offset = 0;
        SAY(scenario->what, "%.80s leads to the block it stands in", name);
        return is_link && !attempt->links[index / WAYS].at.absolute ? PLAN_HERE : PLAN_NONE_HERE;
    default:
        *address = (struct attempt_address){.block = attempt->block_count ? (was.block + 1) % attempt->block_count : 0};
        SAY(scenario->what, "%.80s leads to block %u", name, address->block);
        return attempt->block_count > 1 ? PLAN_HERE : PLAN_NONE_HERE;
    }
}

/* ---- lengths ---- */

static enum plan_step plan_length(struct plan *plan, size_t index, struct scenario *scenario)
{
    static const char *const sides[] = {"input", "output"};
    enum { NOTHING, ONE_LESS, ONE, HUGE_LENGTH, NO_BUFFERS, WAYS };
    size_t request = index / (2 * WAYS), side = index / WAYS % 2, way = index % WAYS;
    (void)plan;
    if (request >= scenario->attempt.request_count)
        return PLAN_END;
    struct attempt_request *changed = &scenario->attempt.requests[request];
    uint32_t *length = side ? &changed->out_length : &changed->in_length, was = *length;
    if (changed->type == ATTEMPT_CLOSE || (way == NO_BUFFERS && side))
        return PLAN_NONE_HERE;
    *length = way == ONE_LESS ? was - 1 : way == ONE ? 1 : way == HUGE_LENGTH ? 0xFFFFFFF0u : 0;
    if (way == NO_BUFFERS)
        changed->in_length = changed->out_length = 0;
    scenario->kind = SCENARIO_LENGTH;
    SAY(scenario->when, "from the start");
    if (way == NO_BUFFERS)
        SAY(scenario->what, "request %zu has no buffers", request + 1);
    else
        SAY(scenario->what, "the %s of request %zu is %u bytes long", sides[side], request + 1, *length);
    return *length == was || (way == ONE_LESS && !was) ? PLAN_NONE_HERE : PLAN_HERE;
}

/* ---- memory is short ---- */

static enum plan_step plan_refuse(struct plan *plan, size_t index, struct scenario *scenario)
{
    if (index >= plan->outcome->result.wanted || index >= ATTEMPT_MEMORY)
        return PLAN_END;
    scenario->kind = SCENARIO_REFUSE;
    scenario->attempt.refuse = (unsigned)index + 1;
    SAY(scenario->when, "at allocation, lock or mapping %zu", index + 1);
    SAY(scenario->what, "it is refused");
    return PLAN_HERE;
}

/* ---- all of them ---- */

typedef enum plan_step plan_family(struct plan *plan, size_t index, struct scenario *scenario);
static plan_family *const families[] = {plan_fault,  plan_pointer,  plan_length, plan_refuse,
                                        plan_longer, plan_sequence, plan_value,  plan_pointer_of_nothing};
static plan_family *const between_fetches[] = {plan_change};

bool plan_open(const struct attempt *base, const struct outcome *outcome, uint64_t seed, bool changes,
               struct plan *plan)
{
    *plan = (struct plan){.base = base, .outcome = outcome, .seed = seed, .changes = changes};
    return !changes || plan_find_words(plan);
}

/* A null that the base gives by itself. */
static bool gives_null(const struct attempt *attempt)
{
    bool null = false;
    for (unsigned i = 0; i < attempt->link_count; i++)
        null = null || is_absolute_low(&attempt->links[i].to);
    for (unsigned i = 0; i < attempt->request_count; i++) {
        const struct attempt_request *request = &attempt->requests[i];
        bool raw = request->type != ATTEMPT_CONTROL || (request->code & 3) == 3;
        null = null || (raw && request->type != ATTEMPT_CLOSE &&
                        (is_absolute_low(&request->in) || is_absolute_low(&request->out)));
    }
    return null;
}

bool plan_next(struct plan *plan, struct scenario *scenario)
{
    plan_family *const *all = plan->changes ? between_fetches : families;
    size_t count = plan->changes ? RTL_NUMBER_OF(between_fetches) : RTL_NUMBER_OF(families);
    while (plan->family < count) {
        memset(scenario, 0, offsetof(struct scenario, bytes));
        scenario->attempt = *plan->base;
        scenario->user_null = gives_null(plan->base);
        enum plan_step step = all[plan->family](plan, plan->index++, scenario);
        if (step == PLAN_HERE)
            return true;
        if (step == PLAN_END) {
            plan->family++;
            plan->index = 0;
        }
    }
    return false;
}
