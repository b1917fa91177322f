/*
 * verify_unload.c - what the verifier asks of a driver that has just been unloaded: no pool, no locked pages, no timer
 * and no DPC may be left. The culprit is whoever took the first of what is left.
 */
#include "verify_io.h"
#include "seh.h"
#include "verify.h"

struct left {
    SIZE_T count, pages;
    struct mm_pool_block block;
    struct mm_hold hold;
};

static void count_block(void *context, const struct mm_pool_block *block)
{
    struct left *left = context;
    if (!left->count++)
        left->block = *block;
}

static void count_lock(void *context, const struct mm_hold *hold)
{
    struct left *left = context;
    if (hold->kind != MM_HOLD_LOCK)
        return;
    if (!left->count++)
        left->hold = *hold;
    left->pages += ADDRESS_AND_SIZE_TO_SPAN_PAGES(hold->base, hold->size);
}

static DECLSPEC_NORETURN void blame(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR caller, const char *why)
{
    struct ke_bugcheck bugcheck = {.code = code, .why = why, .culprit = caller ? caller - 1 : 0};
    __builtin_memcpy(bugcheck.parameters, parameters, sizeof(bugcheck.parameters));
    ke_bugcheck_report(&bugcheck);
}

static void check_locked_pages(void)
{
    struct left left = {0};
    mm_holds_each(MM_POOL_DRIVER, count_lock, &left);
    if (left.count)
        blame(BUGCHECK_DRIVER_LEFT_LOCKED_PAGES_IN_PROCESS, (ULONG_PTR[4]){0, 0, (ULONG_PTR)left.hold.mdl, left.pages},
              left.hold.caller, "a driver is unloaded and has left pages locked");
}

static void check_pool(const DRIVER_OBJECT *driver)
{
    struct left left = {0};
    char why[160];
    mm_pool_each(MM_POOL_DRIVER, count_block, &left);
    if (!left.count)
        return;
    rtl_print(why, sizeof(why), "a driver is unloaded and has not freed %llu pool blocks, the first of %llu bytes",
              (ULONG64)left.count, (ULONG64)left.block.size);
    blame(BUGCHECK_DRIVER_VERIFIER_DETECTED_VIOLATION,
          (ULONG_PTR[4]){0x62, (ULONG_PTR)driver->DriverName.Buffer, 0, left.count}, left.block.caller, why);
}

void io_verify_unload(DRIVER_OBJECT *driver)
{
    if (driver->DriverStart)
        ke_verify_image_going((ULONG_PTR)driver->DriverStart, driver->DriverSize);
    for (DEVICE_OBJECT *device = driver->DeviceObject; device; device = device->NextDevice)
        io_warn((ULONG_PTR)driver->DriverUnload + 1, "a driver is unloaded and has not deleted a device");
    check_locked_pages();
    check_pool(driver);
}
