/*
 * discover.c - what a loaded driver can be asked: its devices, and which kinds of request they take.
 */
#include "discover_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

const uint32_t discover_lengths[DISCOVER_LENGTHS] = {0, DISCOVER_LENGTH};

bool discover_ask(struct discover_search *search, enum attempt_type type, uint32_t code, uint32_t length)
{
    const struct attempt attempt = {
        .device = search->device->name,
        .blocks = {{length, UMA_READ_WRITE, NULL}, {length, UMA_READ_WRITE, NULL}},
        .block_count = 2,
        .requests = {{.type = type, .code = code, .out = {.block = 1}, .in_length = length, .out_length = length}},
        .request_count = type != ATTEMPT_CLOSE,
        .milliseconds = search->options->case_milliseconds,
    };
    return trial_run(&search->trials, &attempt, true, &search->trial);
}

static bool has_type(const struct discover_device *device, uint16_t type)
{
    for (unsigned i = 0; i < device->type_count; i++)
        if (device->types[i] == type)
            return true;
    return false;
}

void discover_add_type(struct discover_device *device, uint16_t type)
{
    if (!has_type(device, type) && device->type_count < DISCOVER_TYPES)
        device->types[device->type_count++] = type;
}

/* ---- a device ---- */

/* Reads or writes of either length are answered in another way than by refusing the kind of request. */
static bool takes(struct discover_search *search, enum attempt_type type)
{
    for (unsigned i = 0; i < DISCOVER_LENGTHS; i++)
        if (discover_ask(search, type, 0, discover_lengths[i]) &&
            (search->trial.end != CASE_DONE || search->trial.status != STATUS_INVALID_DEVICE_REQUEST))
            return true;
    return false;
}

static bool add_device(struct discover_search *search, struct discovery *found, const char *name)
{
    const DEVICE_OBJECT *object;
    if (found->count == DISCOVER_DEVICES)
        return true;
    struct discover_device *device = search->device = &found->devices[found->count];
    memset(device, 0, sizeof(*device));
    strncpy(device->name, name, sizeof(device->name) - 1);
    if (!discover_ask(search, ATTEMPT_CLOSE, 0, 0) || search->trial.result->opened < 0)
        return true;
    found->count++;
    for (ULONG i = 0; (object = io_driver_device(search->options->driver->object, i)); i++)
        discover_add_type(device, (uint16_t)object->DeviceType);
    device->reads = takes(search, ATTEMPT_READ);
    device->writes = takes(search, ATTEMPT_WRITE);
    return discover_codes(search);
}

static bool add_devices(struct discover_search *search, struct discovery *found)
{
    const struct uma_driver *driver = search->options->driver;
    struct uma_interface interface;
    char name[UMA_NAME_MAX];
    bool well = true;
    for (unsigned i = 0; well && io_driver_device(driver->object, i); i++)
        if (uma_driver_device(driver, i, name))
            well = add_device(search, found, name);
    for (unsigned i = 0; well && uma_driver_interface(driver, i, &interface); i++)
        if (interface.enabled)
            well = add_device(search, found, interface.link);
    return well;
}

NTSTATUS discover(const struct discover_options *options, struct discovery **found)
{
    struct discover_search *search = calloc(1, sizeof(*search));
    struct discovery *made = calloc(1, sizeof(*made) + DISCOVER_DEVICES * sizeof(made->devices[0]));
    bool well = false;
    *found = NULL;
    if (search && made) {
        search->options = options;
        search->trials = (struct trials){.attempter = options->attempter,
                                         .coverage = options->coverage,
                                         .limit = options->cases,
                                         .milliseconds = options->milliseconds};
        search->replies = calloc(DISCOVER_IMAGE + DISCOVER_OF_TYPE, sizeof(*search->replies));
        search->known = calloc(DISCOVER_IMAGE + DISCOVER_OF_TYPE, sizeof(*search->known));
        if (search->replies && search->known && trials_open(&search->trials)) {
            discover_scan(search);
            well = add_devices(search, made);
            trials_close(&search->trials);
        }
        trial_free(&search->trial);
        keys_free(&search->strange);
        free(search->replies);
        free(search->known);
    }
    free(search);
    if (well)
        *found = made;
    else
        free(made);
    return well ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
