/*
 * leaks.c - what drivers have not given back, one line each; and how the I/O manager speaks of places in drivers.
 *
 * The lines name functions and source lines, which can only be found while the image is mapped: io_driver_unload has
 * them written down before it lets go of the driver, and io_leaks then repeats them.
 */
#include "io_internal.h"
#include "cm.h"
#include "ps.h"
#include "seh.h"

#define REMEMBERED_MAX 0x10000

static char remembered[REMEMBERED_MAX];
static SIZE_T remembered_used, remembered_count;
static bool remembered_valid;

void io_place(ULONG_PTR address, char *text, SIZE_T size)
{
    text[0] = 0;
    if (address && ke_symbolize)
        ke_symbolize(address - 1, text, size); /* a return address: back into the call */
    if (!text[0] && address)
        rtl_print(text, size, "0x%llx", (ULONG64)address);
    else if (!text[0])
        rtl_print(text, size, "unknown code");
}

void io_warn(ULONG_PTR place, const char *format, ...)
{
    char text[256], where[512], line[800];
    __builtin_va_list list;
    __builtin_va_start(list, format);
    rtl_vprint(text, sizeof(text), format, list);
    __builtin_va_end(list);
    io_place(place, where, sizeof(where));
    SIZE_T length = rtl_print(line, sizeof(line), "*** warning: %s, at %s\n", text, where);
    plat_debug_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
}

static io_leak_source *sources[4];

void io_leaks_add(io_leak_source *more)
{
    ULONG i = 0;
    while (i + 1 < RTL_NUMBER_OF(sources) && sources[i] && sources[i] != more)
        i++;
    sources[i] = more;
}

struct reporter {
    io_leak_callback *callback;
    void *context;
    SIZE_T count;
};

static void tell(void *context, ULONG_PTR caller, const char *verb, const char *what)
{
    struct reporter *reporter = context;
    char line[1200], place[512];
    reporter->count++;
    if (!reporter->callback)
        return;
    io_place(caller, place, sizeof(place));
    rtl_print(line, sizeof(line), "%s, %s by %s", what, verb, place);
    reporter->callback(reporter->context, line);
}

static void narrow(const UNICODE_STRING *wide, char *text, ULONG size)
{
    ULONG length;
    RtlUnicodeToMultiByteN(text, size - 1, &length, wide->Buffer, wide->Length);
    text[length] = 0;
}

static void tell_link(void *context, const struct ob_link_info *link)
{
    char what[300], name[128], target[128];
    if (link->caller == IO_KERNEL_OWNED)
        return;
    narrow(&link->name, name, sizeof(name));
    narrow(&link->target, target, sizeof(target));
    rtl_print(what, sizeof(what), "symbolic link %s -> %s", name, target);
    tell(context, link->caller, "created", what);
}

static void tell_block(void *context, const struct mm_pool_block *block)
{
    char what[128], tag[5] = {0};
    for (int i = 0; i < 4; i++) {
        UCHAR letter = (UCHAR)(block->tag >> 8 * i);
        tag[i] = nt_isprint(letter) ? (char)letter : '.';
    }
    rtl_print(what, sizeof(what), "pool block, tag %s, %llu bytes at 0x%llx", tag, (ULONG64)block->size,
              (ULONG64)block->address);
    tell(context, block->caller, "allocated", what);
}

static void tell_handle(void *context, const struct ob_handle_leak *leak)
{
    char what[128];
    rtl_print(what, sizeof(what), "%s handle 0x%llx (%s)", ObIsKernelHandle(leak->handle) ? "kernel" : "process",
              (ULONG64)(ULONG_PTR)leak->handle, leak->type->name);
    tell(context, leak->caller, "opened", what);
}

static void tell_hold(void *context, const struct mm_hold *hold)
{
    static const char *const verbs[] = {
        [MM_HOLD_LOCK] = "locked",     [MM_HOLD_VIEW] = "mapped",          [MM_HOLD_USER_VIEW] = "mapped",
        [MM_HOLD_PAGES] = "allocated", [MM_HOLD_CONTIGUOUS] = "allocated", [MM_HOLD_NONCACHED] = "allocated",
        [MM_HOLD_IO_SPACE] = "mapped", [MM_HOLD_SECURE] = "secured",       [MM_HOLD_SECTION_VIEW] = "mapped",
    };
    char what[160];
    rtl_print(what, sizeof(what), "%s, %llu bytes at 0x%llx", mm_hold_name(hold->kind), (ULONG64)hold->size,
              (ULONG64)hold->base);
    tell(context, hold->caller, verbs[hold->kind], what);
}

static void tell_thread(void *context, HANDLE id, ULONG_PTR caller)
{
    char what[128];
    rtl_print(what, sizeof(what), "system thread %llu, still running", (ULONG64)(ULONG_PTR)id);
    tell(context, caller, "created", what);
}

static void tell_handle_callback(void *context, ULONG_PTR caller)
{
    tell(context, caller, "registered", "callbacks for handles");
}

static void tell_registry_callback(void *context, ULONG_PTR caller)
{
    tell(context, caller, "registered", "registry callback, still called");
}

static void tell_irp(const struct io_irp *irp, void *context)
{
    char what[256];
    rtl_print(what, sizeof(what), "request at 0x%llx %s", (ULONG64)(ULONG_PTR)&irp->irp,
              io_irp_request(irp) ? "that was never completed" : "that was never freed");
    tell(context, irp->caller, io_irp_request(irp) ? "last seen" : "allocated", what);
}

static void tell_devices_and_irps(struct reporter *reporter)
{
    char what[256], name[128];
    plat_lock_acquire(&io_lock);
    for (LIST_ENTRY *entry = io_devices.Flink; entry != &io_devices; entry = entry->Flink) {
        struct io_device *device = CONTAINING_RECORD(entry, struct io_device, link);
        if (device->caller == IO_KERNEL_OWNED)
            continue;
        io_device_name(&device->object, name, sizeof(name));
        rtl_print(what, sizeof(what), "device %s", name[0] ? name : "(unnamed)");
        tell(reporter, device->caller, "created", what);
    }
    plat_lock_release(&io_lock);
    io_irps_each(tell_irp, reporter);
}

static SIZE_T report_now(io_leak_callback *callback, void *context)
{
    struct reporter reporter = {callback, context, 0};
    tell_devices_and_irps(&reporter);
    ob_links_each(tell_link, &reporter);
    cm_callbacks_each(tell_registry_callback, &reporter);
    ob_callbacks_each(tell_handle_callback, &reporter);
    ob_handles_each(tell_handle, &reporter);
    mm_holds_each(MM_POOL_DRIVER, tell_hold, &reporter);
    ps_driver_threads(tell_thread, &reporter);
    mm_pool_each(MM_POOL_DRIVER, tell_block, &reporter);
    for (ULONG i = 0; i < RTL_NUMBER_OF(sources) && sources[i]; i++)
        sources[i](tell, &reporter);
    return reporter.count;
}

static void remember_line(void *context, const char *line)
{
    UNREFERENCED_PARAMETER(context);
    SIZE_T length = nt_strlen(line) + 1;
    if (length > sizeof(remembered) - remembered_used)
        return; /* thousands of leaks: the first ones tell the story, the count is right */
    __builtin_memcpy(remembered + remembered_used, line, length);
    remembered_used += length;
}

void io_leaks_remember(void)
{
    remembered_used = 0;
    remembered_count = report_now(remember_line, NULL);
    remembered_valid = true;
}

void io_leaks_forget(void)
{
    remembered_valid = false;
}

/* Written down first, told then: the walks hold locks, and the callback may want them. */
SIZE_T io_leaks(io_leak_callback *callback, void *context)
{
    SIZE_T count = remembered_count;
    if (!remembered_valid) {
        remembered_used = 0;
        count = report_now(callback ? remember_line : NULL, NULL);
    }
    for (SIZE_T at = 0; callback && at < remembered_used; at += nt_strlen(remembered + at) + 1)
        callback(context, remembered + at);
    return count;
}
