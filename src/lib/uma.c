/*
 * uma.c - the embedding API: start the kernel, load and unload drivers, names.
 *
 * Joins what lower layers must not know of each other: the loader names the bug check's addresses and resolves routines
 * for mm. Requests stand in requests.c, user memory in user.c and race.c.
 */
#include "lib.h"
#include "exports.h"
#include "ke.h"
#include "fs.h"
#include "pnp.h"
#include "ps.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct uma_options lib_options;
static struct uma_driver *drivers; /* loaded, newest first */

static void *find_routine(const char *name)
{
    void *address = NULL;
    return ldr_export_lookup(name, &address) == LDR_EXPORT_UNKNOWN ? NULL : address;
}

static void tell_bugcheck(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit)
{
    char place[UMA_PLACE_MAX] = "";
    struct uma_bugcheck bugcheck = {.code = code, .place = place};

    watchdog_disarm();
    if (culprit)
        ldr_symbolize(culprit, place, sizeof(place));
    for (int i = 0; i < 4; i++)
        bugcheck.parameters[i] = parameters[i];
    if (lib_options.bugcheck)
        lib_options.bugcheck(lib_options.context, &bugcheck);
}

static void pass_debug_output(const char *text, SIZE_T length)
{
    lib_options.debug_output(lib_options.context, text, length);
}

uma_status uma_start(const struct uma_options *options)
{
    if (options)
        memcpy(&lib_options, options, options->size < sizeof(lib_options) ? options->size : sizeof(lib_options));

    const struct plat_options plat = {
        .protect = (enum plat_protect)lib_options.protect,
        .raw = lib_options.stop_on_raw_access ? PLAT_RAW_STOP : PLAT_RAW_STEP,
    };
    ke_symbolize = ldr_symbolize;
    ke_symbolize_ahead = ldr_symbolize_ahead;
    ke_bugcheck_hook = tell_bugcheck;
    mm_routine_lookup = find_routine;
    raw_start();
    NTSTATUS status = nt_start(&plat);
    lib_user_thread = NT_SUCCESS(status);
    if (lib_options.debug_output)
        plat_debug_hook = pass_debug_output;
    ldr_exports_install();
    if (lib_options.verify) {
        ke_verify_start();
        ldr_verify_irql();
    }
    if (NT_SUCCESS(status))
        status = fs_start(lib_options.root);
    if (NT_SUCCESS(status))
        status = pnp_start();
    if (NT_SUCCESS(status))
        status = decoy_start();
    if (NT_SUCCESS(status))
        status = watchdog_start();
    io_pending_timeout_ms = lib_options.timeout_seconds * 1000;
    return status;
}

uma_status uma_fork_child(void)
{
    NTSTATUS status = plat_fork_child();
    if (NT_SUCCESS(status))
        status = ke_fork_child();
    if (NT_SUCCESS(status))
        status = watchdog_fork_child();
    return status;
}

const char *uma_protect_in_use(void)
{
    return plat_protect_name(plat_protect_in_use());
}

const char *uma_status_name(uma_status status)
{
    static _Thread_local char number[12];
    static const struct {
        uma_status value;
        const char *name;
    } names[] = {
#define STATUS_ROW(name, value) {name, #name},
#include "wdk/ntstatus.def"
#undef STATUS_ROW
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(names); i++)
        if (names[i].value == status)
            return names[i].name;
    snprintf(number, sizeof(number), "0x%08x", (unsigned)status);
    return number;
}

void uma_place(uint64_t address, char *text, size_t size)
{
    ldr_symbolize(address, text, size);
}

static NTSTATUS unload(DRIVER_OBJECT *driver)
{
    NTSTATUS status = io_driver_unload(driver);
    if (NT_SUCCESS(status))
        pnp_driver_forget(driver);
    return status;
}

/* A driver with an AddDevice routine gets its device on the virtual bus; one whose device does not start goes again. */
static NTSTATUS start_device(struct uma_driver *loaded, const char *path, char error[UMA_ERROR_MAX])
{
    struct pnp_failure failure;
    if (!loaded->object->DriverExtension->AddDevice)
        return STATUS_SUCCESS;
    watchdog_arm("AddDevice or the start of the device");
    NTSTATUS status = pnp_driver_start(loaded->object, NULL, &failure);
    if (!NT_SUCCESS(status))
        unload(loaded->object);
    watchdog_disarm();
    if (!NT_SUCCESS(status))
        snprintf(error, UMA_ERROR_MAX, "%.150s: its device does not start: %s returned %s", path, failure.step,
                 uma_status_name(failure.status));
    return status;
}

uma_status uma_load(const char *path, struct uma_driver **driver, char error[UMA_ERROR_MAX])
{
    struct uma_driver *loaded = calloc(1, sizeof(*loaded));
    error[0] = 0;
    if (!loaded)
        return STATUS_NO_MEMORY;

    NTSTATUS status = ldr_load(path, &loaded->image, error);
    if (!NT_SUCCESS(status)) {
        if (!error[0])
            snprintf(error, UMA_ERROR_MAX, "%.200s: %s", path, uma_status_name(status));
        free(loaded);
        return status;
    }
    watchdog_arm("DriverEntry");
    ps_image_notify(loaded->image->name, loaded->image->base, loaded->image->size);
    status = io_driver_load(loaded->image->entry, loaded->image->base, loaded->image->size, loaded->image->name,
                            &loaded->object);
    watchdog_disarm();
    if (!NT_SUCCESS(status)) {
        snprintf(error, UMA_ERROR_MAX, "%.150s: DriverEntry returned %s", path, uma_status_name(status));
        ldr_unload(loaded->image);
        free(loaded);
        return status;
    }
    ldr_discard_init(loaded->image);
    status = start_device(loaded, path, error);
    if (!NT_SUCCESS(status)) { /* the image stays, so that what is left of the driver can be named */
        free(loaded);
        return status;
    }
    loaded->next = drivers;
    drivers = loaded;
    *driver = loaded;
    return status;
}

bool uma_driver_device(const struct uma_driver *driver, unsigned index, char name[UMA_NAME_MAX])
{
    DEVICE_OBJECT *device = io_driver_device(driver->object, index);
    name[0] = 0;
    if (device)
        io_device_name(device, name, UMA_NAME_MAX);
    return name[0] != 0;
}

uma_status uma_unload(struct uma_driver *driver)
{
    watchdog_arm("unload");
    NTSTATUS status = driver->object->DriverUnload ? pnp_driver_remove(driver->object) : STATUS_INVALID_DEVICE_REQUEST;
    if (NT_SUCCESS(status))
        status = unload(driver->object);
    watchdog_disarm();
    if (!NT_SUCCESS(status))
        return status;
    struct uma_driver **link = &drivers;
    while (*link != driver)
        link = &(*link)->next;
    *link = driver->next;
    free(driver);
    return status;
}

size_t uma_leftovers(uma_leftover_callback *callback, void *context)
{
    return io_leaks(callback, context); /* to count them takes no names, which are slow */
}
