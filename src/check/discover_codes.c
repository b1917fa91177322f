/*
 * discover_codes.c - the control codes a device knows.
 *
 * Two steps: sweeps over all codes of a device type, and over the numbers in the driver's code, give candidates. Then
 * each is sent in a process of its own, and so are its neighbours that are no candidates: what those are answered, and
 * the code they run, is what a driver does with a code it does not know.
 */
#include "discover_internal.h"
#include <string.h>

#include "codes.h"

enum { TOGETHER = 0x2000 /* codes that are swept before time is looked at */ };
#define NOBODYS_CODE 0xFFFFFFFCu

/* ---- candidates ---- */

static const struct discover_candidate *candidate_of(const struct discover_search *search, uint32_t code)
{
    for (size_t i = 0; i < search->candidate_count; i++)
        if (search->candidates[i].code == code)
            return &search->candidates[i];
    return NULL;
}

static void add_candidate(struct discover_search *search, uint32_t code)
{
    if (candidate_of(search, code))
        return;
    if (search->candidate_count < DISCOVER_CANDIDATES)
        search->candidates[search->candidate_count++].code = code;
    else
        search->device->left_out++;
}

/* What ran in the sweep counts for the driver's coverage, and not for the next sweep. */
static void note_blocks(struct trials *trials)
{
    for (size_t i = 0; i < trials->total; i++)
        trials->known[i] = trials->known[i] || coverage_block_hit(trials->coverage, i);
    trials->forgotten = true;
}

static bool sweep(struct discover_search *search, size_t count, uint32_t length)
{
    const struct sweep_options options = {.device = search->device->name,
                                          .in_length = length,
                                          .out_length = length,
                                          .coverage = search->options->coverage,
                                          .milliseconds = search->options->case_milliseconds};
    size_t done = 0;
    bool well = true;
    if (search->trials.total)
        coverage_set(search->options->coverage, NULL);
    while (well && done < count && trials_go_on(&search->trials)) {
        size_t some = count - done < TOGETHER ? count - done : TOGETHER;
        well = sweep_codes(&options, search->replies + done, some);
        done += some;
    }
    note_blocks(&search->trials);
    if (!well)
        return false;
    sweep_known(search->replies, done, search->known);
    for (size_t i = 0; i < done; i++)
        if (search->known[i])
            add_candidate(search, search->replies[i].code);
    return true;
}

/* Of the lower half of a code: any access, and a function that is not Microsoft's. */
static bool is_likely(uint32_t code)
{
    return code >> 14 == 0 && code >> 2 >= 0x800;
}

static bool sweep_type(struct discover_search *search, uint16_t type)
{
    bool well = true;
    for (unsigned round = 0; round < DISCOVER_LENGTHS && well; round++) {
        size_t count = 0;
        memset(search->replies, 0, (DISCOVER_IMAGE + DISCOVER_OF_TYPE) * sizeof(*search->replies));
        for (uint32_t i = 0; i < DISCOVER_OF_TYPE; i++)
            if (!search->options->quick || is_likely(i))
                search->replies[count++].code = (uint32_t)type << 16 | i;
        for (size_t i = 0; i < search->image_count; i++)
            if (search->image[i] >> 16 != type)
                search->replies[count++].code = search->image[i];
        well = sweep(search, count, discover_lengths[round]);
    }
    return well;
}

/* ---- which of them are known ---- */

/* The nearest code of the same method and type that is no candidate; step is 4 or -4. */
static uint32_t neighbour(const struct discover_search *search, uint32_t code, int step)
{
    uint32_t next = code;
    do
        next += (uint32_t)step;
    while (next >> 16 == code >> 16 && candidate_of(search, next));
    return next >> 16 == code >> 16 ? next : NOBODYS_CODE | (code & 3);
}

static void ask_neighbours(struct discover_search *search, struct discover_candidate *candidate)
{
    for (unsigned i = 0; i < DISCOVER_LENGTHS; i++)
        for (unsigned j = 0; j < DISCOVER_NEIGHBOURS; j++) {
            uint32_t code = neighbour(search, candidate->code, j ? 4 : -4);
            if (!discover_ask(search, ATTEMPT_CONTROL, code, discover_lengths[i]))
                return;
            candidate->usual[i][j] = search->trial.answer;
            keys_add_all(&search->strange, &search->trial.reached);
        }
}

/* It is answered, or it runs, as none of its neighbours with some length. False: it could not be asked. */
static bool is_known(struct discover_search *search, const struct discover_candidate *candidate, bool *known)
{
    *known = false;
    for (unsigned i = 0; i < DISCOVER_LENGTHS && !*known; i++) {
        if (!discover_ask(search, ATTEMPT_CONTROL, candidate->code, discover_lengths[i]))
            return false;
        uint64_t answer = search->trial.answer;
        *known = (answer != candidate->usual[i][0] && answer != candidate->usual[i][1]) ||
                 keys_missing(&search->strange, &search->trial.reached) > 0;
    }
    return true;
}

static void add_code(struct discover_device *device, uint32_t code)
{
    discover_add_type(device, (uint16_t)(code >> 16));
    if (device->code_count == DISCOVER_CODES) {
        device->left_out++;
        return;
    }
    unsigned at = device->code_count++;
    for (; at && device->codes[at - 1] > code; at--)
        device->codes[at] = device->codes[at - 1];
    device->codes[at] = code;
}

static void settle(struct discover_search *search)
{
    for (size_t i = 0; i < search->candidate_count; i++)
        if (!search->candidates[i].settled)
            ask_neighbours(search, &search->candidates[i]);
    for (size_t i = 0; i < search->candidate_count; i++) {
        struct discover_candidate *candidate = &search->candidates[i];
        bool known;
        if (candidate->settled)
            continue;
        candidate->settled = true;
        if (!is_known(search, candidate, &known))
            search->device->left_out++;
        else if (known)
            add_code(search->device, candidate->code);
    }
}

/* ---- all of it ---- */

/* Breakpoints would hide what is there. */
void discover_scan(struct discover_search *search)
{
    const struct uma_driver *driver = search->options->driver;
    const DEVICE_OBJECT *object = io_driver_device(driver->object, 0);
    trials_lift_breakpoints(&search->trials);
    search->image_count =
        codes_in_image(driver->image, object ? (uint16_t)object->DeviceType : 0, search->image, DISCOVER_IMAGE);
}

bool discover_codes(struct discover_search *search)
{
    search->candidate_count = 0;
    memset(search->candidates, 0, sizeof(search->candidates));
    keys_clear(&search->strange);
    for (unsigned i = 0; i < search->device->type_count; i++) { /* more come on the way */
        if (!sweep_type(search, search->device->types[i]))
            return false;
        settle(search);
    }
    return true;
}
