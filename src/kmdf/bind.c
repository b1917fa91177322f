/*
 * bind.c - WDFLDR.SYS: drivers bind to the framework, get its function table and their globals, and unbind.
 *
 * What a driver passes lies in its own image and is checked before it is used; a bind that is refused says why in one
 * line.
 */
#include "kmdf.h"

enum { COPIED_FUNCTIONS_MAX = 438, FUNCTIONS_MAX = 4096 };

typedef struct _WDF_BIND_INFO {
    ULONG Size;
    PWSTR Component;
    ULONG Major, Minor, Build;
    ULONG FuncCount;
    WDFFUNC *FuncTable;
    PVOID Module;
} WDF_BIND_INFO, *PWDF_BIND_INFO;

/* What drivers built with version 1.25 or later have: pointers to variables of theirs that learn about the framework.
 */
struct bind_info2 {
    WDF_BIND_INFO first;
    ULONG *MinimumVersionRequired;
    BOOLEAN *ClientVersionHigherThanFramework;
    ULONG *FuncCount;
    ULONG *StructCount;
    SIZE_T **StructTable;
};
_Static_assert(sizeof(WDF_BIND_INFO) == 0x30 && sizeof(struct bind_info2) == 0x58, "as in drivers");

static LIST_ENTRY clients; /* kmdf_lock */
static bool started;

static void start(void)
{
    if (started)
        return;
    plat_lock_init(&kmdf_lock);
    InitializeListHead(&clients);
    kmdf_leaks_install();
    started = true;
}

struct kmdf_client *kmdf_client_of(PWDF_DRIVER_GLOBALS globals, const char *function)
{
    struct kmdf_client *found = NULL;
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *entry = clients.Flink; entry != &clients && !found; entry = entry->Flink) {
        struct kmdf_client *client = CONTAINING_RECORD(entry, struct kmdf_client, link);
        if (&client->globals == globals)
            found = client;
    }
    plat_lock_release(&kmdf_lock);
    if (!found)
        kmdf_violation(KMDF_WRONG_HANDLE, (ULONG_PTR)globals, 0, 0,
                       "%s was given 0x%llx as driver globals; WdfVersionBind gave none such", function,
                       (ULONG64)(ULONG_PTR)globals);
    return found;
}

struct kmdf_client *kmdf_client_of_driver(const DRIVER_OBJECT *driver)
{
    struct kmdf_client *found = NULL;
    start();
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *entry = clients.Flink; entry != &clients && !found; entry = entry->Flink) {
        struct kmdf_client *client = CONTAINING_RECORD(entry, struct kmdf_client, link);
        if (client->driver_object == driver)
            found = client;
    }
    plat_lock_release(&kmdf_lock);
    return found;
}

void kmdf_objects_each(void (*callback)(struct kmdf_object *object, void *context), void *context)
{
    plat_lock_acquire(&kmdf_lock);
    for (LIST_ENTRY *at = clients.Flink; at != &clients; at = at->Flink) {
        struct kmdf_client *client = CONTAINING_RECORD(at, struct kmdf_client, link);
        for (LIST_ENTRY *entry = client->objects.Flink; entry != &client->objects; entry = entry->Flink)
            callback(CONTAINING_RECORD(entry, struct kmdf_object, all), context);
    }
    plat_lock_release(&kmdf_lock);
}

/* ---- what the driver says ---- */

static bool readable(const void *address, SIZE_T size)
{
    return address && plat_is_readable((ULONG_PTR)address, size);
}

static bool is_kmdf(const WCHAR *name)
{
    static const char component[] = "KmdfLibrary";
    if (!readable(name, sizeof(component) * sizeof(WCHAR)))
        return false;
    for (SIZE_T i = 0; i < sizeof(component); i++)
        if (name[i] != (UCHAR)component[i])
            return false;
    return true;
}

static NTSTATUS refuse(NTSTATUS status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static NTSTATUS refuse(NTSTATUS status, const char *format, ...)
{
    char why[256], place[512] = "", line[900];
    __builtin_va_list list;
    __builtin_va_start(list, format);
    rtl_vprint(why, sizeof(why), format, list);
    __builtin_va_end(list);
    if (ke_symbolize)
        ke_symbolize(seh_export_caller() - 1, place, sizeof(place));
    SIZE_T length = rtl_print(line, sizeof(line), "*** WdfVersionBind refused: %s, at %s\n", why, place);
    plat_debug_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
    return status;
}

static NTSTATUS check_info(const WDF_BIND_INFO *info)
{
    if (!readable(info, sizeof(*info)))
        return refuse(STATUS_INVALID_PARAMETER, "the bind information at 0x%llx is not in memory",
                      (ULONG64)(ULONG_PTR)info);
    if (info->Size != sizeof(*info) && info->Size < sizeof(struct bind_info2))
        return refuse(STATUS_INVALID_PARAMETER, "the bind information says that it has %u bytes", info->Size);
    if (info->Size != sizeof(*info) && !readable(info, sizeof(struct bind_info2)))
        return refuse(STATUS_INVALID_PARAMETER, "the bind information is cut short");
    if (!is_kmdf(info->Component))
        return refuse(STATUS_INVALID_PARAMETER, "the component asked for is not KmdfLibrary");
    if (info->Major != KMDF_VERSION_MAJOR)
        return refuse(STATUS_INVALID_PARAMETER, "KMDF %u.%u was asked for; here is %u.%u", info->Major, info->Minor,
                      KMDF_VERSION_MAJOR, KMDF_VERSION_MINOR);
    if (!info->FuncCount || info->FuncCount > FUNCTIONS_MAX)
        return refuse(STATUS_INVALID_PARAMETER, "a function table of %u entries was asked for", info->FuncCount);
    return STATUS_SUCCESS;
}

/* ---- binding ---- */

static VOID NTAPI past_the_end(VOID)
{
    kmdf_violation(KMDF_WRONG_HANDLE, 0, 0, 0, "a driver called a framework function past the %u that there are",
                   KMDF_FUNCTIONS);
}

/* Fills the driver's own table (old drivers) or points its WdfFunctions at ours. */
static NTSTATUS give_table(const WDF_BIND_INFO *info, enum kmdf_flavour *flavour)
{
    bool copied = info->FuncCount <= COPIED_FUNCTIONS_MAX;
    SIZE_T size = copied ? info->FuncCount * sizeof(WDFFUNC) : sizeof(WDFFUNC *);
    if (!readable(info->FuncTable, size))
        return refuse(STATUS_INVALID_PARAMETER, "the function table at 0x%llx is not in memory",
                      (ULONG64)(ULONG_PTR)info->FuncTable);
    *flavour = copied                                    ? KMDF_BIND_COPIED
               : info->Size >= sizeof(struct bind_info2) ? KMDF_BIND_POINTER2
                                                         : KMDF_BIND_POINTER;
    if (!copied)
        *(const WDFFUNC **)info->FuncTable = kmdf_functions;
    for (ULONG i = 0; copied && i < info->FuncCount; i++)
        info->FuncTable[i] = i < KMDF_FUNCTIONS ? kmdf_functions[i] : past_the_end;
    return STATUS_SUCCESS;
}

/* Tells a driver that asks how far the framework goes; one that needs more than we have is refused. */
static NTSTATUS negotiate(const struct bind_info2 *info)
{
    bool higher = info->first.Minor > KMDF_VERSION_MINOR;
    if (readable(info->MinimumVersionRequired, sizeof(ULONG)) && *info->MinimumVersionRequired > KMDF_VERSION_MINOR)
        return refuse(STATUS_INVALID_PARAMETER, "the driver needs KMDF %u.%u at least; here is %u.%u",
                      info->first.Major, *info->MinimumVersionRequired, KMDF_VERSION_MAJOR, KMDF_VERSION_MINOR);
    if (readable(info->ClientVersionHigherThanFramework, sizeof(BOOLEAN)))
        *info->ClientVersionHigherThanFramework = higher;
    if (higher && readable(info->FuncCount, sizeof(ULONG)))
        *info->FuncCount = KMDF_FUNCTIONS;
    return STATUS_SUCCESS;
}

/* The first four characters of the service's name, after a WDF; "FxDr" if it has fewer. */
static ULONG tag_of(const CHAR *service)
{
    if ((service[0] | 32) == 'w' && (service[1] | 32) == 'd' && (service[2] | 32) == 'f')
        service += 3;
    for (ULONG i = 0; i < 4; i++)
        if (!service[i])
            return RTL_TAG('F', 'x', 'D', 'r');
    return RTL_TAG((UCHAR)service[0], (UCHAR)service[1], (UCHAR)service[2], (UCHAR)service[3]);
}

static void client_fill(struct kmdf_client *client, DRIVER_OBJECT *driver, const WDF_BIND_INFO *info)
{
    const UNICODE_STRING *name = &driver->DriverName;
    SIZE_T length = name->Length / sizeof(WCHAR), begin = length;
    while (begin && name->Buffer[begin - 1] != '\\')
        begin--;
    for (SIZE_T i = 0; begin + i < length && i + 1 < sizeof(client->globals.DriverName); i++)
        client->globals.DriverName[i] = (CHAR)name->Buffer[begin + i];
    client->globals.DriverTag = tag_of(client->globals.DriverName);
    client->driver_object = driver;
    client->minor = info->Minor;
    client->caller = seh_export_caller();
    InitializeListHead(&client->objects);
    InitializeListHead(&client->inits);
    KeInitializeEvent(&client->idle, NotificationEvent, TRUE);
}

/*
 * Binds a driver: gives it the function table and *ComponentGlobals. STATUS_INVALID_PARAMETER: the bind information is
 * not that of a KMDF 1.x driver, or asks for a version this is not. Called by a driver's entry code. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI WdfVersionBind(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath, PWDF_BIND_INFO BindInfo,
                              PWDF_DRIVER_GLOBALS *ComponentGlobals)
{
    start();
    if (!DriverObject || !RegistryPath || !readable(ComponentGlobals, sizeof(*ComponentGlobals)))
        return refuse(STATUS_INVALID_PARAMETER, "a parameter is NULL");
    NTSTATUS status = check_info(BindInfo);
    if (!NT_SUCCESS(status))
        return status;
    if (kmdf_client_of_driver(DriverObject))
        return refuse(STATUS_INVALID_DEVICE_STATE, "the driver is bound already");
    if (BindInfo->Size >= sizeof(struct bind_info2))
        status = negotiate((const struct bind_info2 *)BindInfo);
    else if (BindInfo->Minor > KMDF_VERSION_MINOR)
        status = refuse(STATUS_INVALID_PARAMETER, "KMDF 1.%u was asked for; here is 1.%u", BindInfo->Minor,
                        KMDF_VERSION_MINOR);
    if (!NT_SUCCESS(status))
        return status;
    struct kmdf_client *client = mm_pool_allocate(sizeof(*client), KMDF_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!client)
        return STATUS_INSUFFICIENT_RESOURCES;
    client_fill(client, DriverObject, BindInfo);
    status = give_table(BindInfo, &client->flavour);
    if (!NT_SUCCESS(status)) {
        mm_pool_free(client, KMDF_TAG, 0);
        return status;
    }
    plat_lock_acquire(&kmdf_lock);
    InsertTailList(&clients, &client->link);
    plat_lock_release(&kmdf_lock);
    *ComponentGlobals = &client->globals;
    return STATUS_SUCCESS;
}

/* The client is gone, unless something of the driver's is left: that stays, for the report of leftovers. */
static void client_drop(struct kmdf_client *client)
{
    plat_lock_acquire(&kmdf_lock);
    bool empty = IsListEmpty(&client->objects);
    client->driver_object = NULL;
    if (empty)
        RemoveEntryList(&client->link);
    plat_lock_release(&kmdf_lock);
    if (empty)
        mm_pool_free(client, KMDF_TAG, 0);
}

/* Ends what WdfVersionBind began: the driver's objects are deleted. PASSIVE_LEVEL. */
NTSTATUS NTAPI WdfVersionUnbind(PUNICODE_STRING RegistryPath, PWDF_BIND_INFO BindInfo,
                                PWDF_DRIVER_GLOBALS ComponentGlobals)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    UNREFERENCED_PARAMETER(BindInfo);
    start();
    struct kmdf_client *client = kmdf_client_of(ComponentGlobals, __func__);
    kmdf_driver_teardown(client);
    client_drop(client);
    return STATUS_SUCCESS;
}

/* Class extensions: there are none here. */
NTSTATUS NTAPI WdfVersionBindClass(PWDF_BIND_INFO BindInfo, PWDF_DRIVER_GLOBALS Globals, PVOID ClassBindInfo)
{
    UNREFERENCED_PARAMETER(BindInfo);
    UNREFERENCED_PARAMETER(Globals);
    UNREFERENCED_PARAMETER(ClassBindInfo);
    return refuse(STATUS_NOT_FOUND, "the driver wants a class extension, and there is none");
}

VOID NTAPI WdfVersionUnbindClass(PWDF_BIND_INFO BindInfo, PWDF_DRIVER_GLOBALS Globals, PVOID ClassBindInfo)
{
    UNREFERENCED_PARAMETER(BindInfo);
    UNREFERENCED_PARAMETER(Globals);
    UNREFERENCED_PARAMETER(ClassBindInfo);
}
