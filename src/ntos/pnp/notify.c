/*
 * notify.c - plug and play events: interfaces that come and go, devices that are to go or have gone, and events that
 * drivers make up. Hardware profiles never change here.
 */
#include "listener.h"

/* Public constants of wdmguid.h: they differ in the first number only. */
#define EVENT_GUID(number) {number, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}}
enum { EVENTS_FIRST = 0xcb3a4001, EVENTS_LAST = 0xcb3a4008 };
static const GUID arrival = EVENT_GUID(0xcb3a4004), removal = EVENT_GUID(0xcb3a4005);
static const GUID target_events[] = {[PNP_QUERY_REMOVE] = EVENT_GUID(0xcb3a4006),
                                     [PNP_REMOVE_CANCELLED] = EVENT_GUID(0xcb3a4007),
                                     [PNP_REMOVE_COMPLETE] = EVENT_GUID(0xcb3a4008)};

/* ---- interfaces ---- */

static bool wants_class(const struct pnp_listener *listener, const void *class)
{
    return listener->category == EventCategoryDeviceInterfaceChange &&
           __builtin_memcmp(&listener->class, class, sizeof(GUID)) == 0;
}

static void tell_interface(struct pnp_listener *listener, const struct pnp_interface *instance, bool arrives)
{
    UNICODE_STRING name;
    if (!NT_SUCCESS(pnp_name_give(&instance->name, &name))) /* the routine may do to it what it likes */
        return;
    DEVICE_INTERFACE_CHANGE_NOTIFICATION notification = {.Version = 1,
                                                         .Size = sizeof(notification),
                                                         .Event = arrives ? arrival : removal,
                                                         .InterfaceClassGuid = instance->class,
                                                         .SymbolicLinkName = &name};
    PWCH buffer = name.Buffer;
    pnp_listener_call(listener, &notification);
    rtl_pool.release(buffer);
}

void pnp_interface_announce(struct pnp_interface *instance)
{
    struct pnp_listener *listener = NULL;
    plat_lock_acquire(&pnp_lock);
    bool arrives = instance->enabled && pnp_node_state(instance->node) == PNP_STARTED;
    bool news = arrives != instance->announced && (arrives || !instance->enabled);
    instance->announced = news ? arrives : instance->announced;
    plat_lock_release(&pnp_lock);
    while (news && (listener = pnp_listener_next(listener, wants_class, &instance->class)) != NULL)
        tell_interface(listener, instance, arrives);
}

/* The index-th interface that listeners know to be there, referenced, or null. */
static struct pnp_interface *announced(ULONG index)
{
    struct pnp_interface *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (struct pnp_interface *each = pnp_interface_next(NULL); each && !found; each = pnp_interface_next(each))
        if (each->announced && !index--)
            found = each;
    if (found)
        __atomic_add_fetch(&found->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&pnp_lock);
    return found;
}

static void tell_existing(struct pnp_listener *listener)
{
    struct pnp_interface *instance;
    for (ULONG i = 0; (instance = announced(i)) != NULL; i++) {
        if (wants_class(listener, &instance->class))
            tell_interface(listener, instance, true);
        pnp_interface_release(instance);
    }
}

/* ---- devices ---- */

static bool wants_target(const struct pnp_listener *listener, const void *pdo)
{
    return listener->category == EventCategoryTargetDeviceChange && listener->target == pdo;
}

static NTSTATUS tell_target(struct pnp_listener *listener, enum pnp_event event)
{
    TARGET_DEVICE_REMOVAL_NOTIFICATION notification = {
        .Version = 1, .Size = sizeof(notification), .Event = target_events[event], .FileObject = listener->file};
    return pnp_listener_call(listener, &notification);
}

NTSTATUS pnp_notify_target(struct pnp_node *node, enum pnp_event event)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct pnp_listener *listener = NULL;
    while ((listener = pnp_listener_next(listener, wants_target, node->pdo)) != NULL) {
        NTSTATUS answer = tell_target(listener, event);
        if (event != PNP_QUERY_REMOVE || NT_SUCCESS(answer))
            continue;
        status = answer;
        pnp_listener_release(listener);
        break;
    }
    if (!NT_SUCCESS(status))
        pnp_notify_target(node, PNP_REMOVE_CANCELLED);
    return status;
}

static bool is_system_event(const GUID *event)
{
    const GUID like = EVENT_GUID(event->Data1);
    return event->Data1 >= EVENTS_FIRST && event->Data1 <= EVENTS_LAST &&
           __builtin_memcmp(event, &like, sizeof(like)) == 0;
}

NTSTATUS pnp_custom_event_copy(DEVICE_OBJECT *pdo, const void *structure, TARGET_DEVICE_CUSTOM_NOTIFICATION **copy)
{
    const TARGET_DEVICE_CUSTOM_NOTIFICATION *event = structure;
    *copy = NULL;
    if (!pnp_node_of(pdo) || event->FileObject || is_system_event(&event->Event) ||
        event->Size < offsetof(TARGET_DEVICE_CUSTOM_NOTIFICATION, CustomDataBuffer))
        return STATUS_INVALID_DEVICE_REQUEST;
    const USHORT size = event->Size;
    *copy = mm_heap_allocate(size, PNP_TAG);
    if (!*copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(*copy, event, size);
    (*copy)->Size = size;
    return STATUS_SUCCESS;
}

void pnp_custom_event_tell(const DEVICE_OBJECT *pdo, TARGET_DEVICE_CUSTOM_NOTIFICATION *event)
{
    struct pnp_listener *listener = NULL;
    while ((listener = pnp_listener_next(listener, wants_target, pdo)) != NULL) {
        event->FileObject = listener->file;
        pnp_listener_call(listener, event);
    }
}

/*
 * Tells those who listen to the device of an event that is none of the system's, before it returns.
 * STATUS_INVALID_DEVICE_REQUEST: it is one, or PhysicalDeviceObject is no PDO. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoReportTargetDeviceChange(PDEVICE_OBJECT PhysicalDeviceObject, PVOID NotificationStructure)
{
    TARGET_DEVICE_CUSTOM_NOTIFICATION *event;
    NTSTATUS status = pnp_custom_event_copy(PhysicalDeviceObject, NotificationStructure, &event);
    if (!NT_SUCCESS(status))
        return status;
    pnp_custom_event_tell(PhysicalDeviceObject, event);
    mm_heap_free(event, PNP_TAG);
    return STATUS_SUCCESS;
}

/* ---- registration ---- */

/* The PDO behind a file, referenced: its drivers are asked. */
static NTSTATUS find_target(FILE_OBJECT *file, DEVICE_OBJECT **target)
{
    ULONG_PTR list = 0;
    struct pnp_request query = {.minor = IRP_MN_QUERY_DEVICE_RELATIONS, .relation = TargetDeviceRelation, .file = file};
    NTSTATUS status = pnp_send_to(file->DeviceObject, &query, &list);
    if (!NT_SUCCESS(status))
        return status;
    DEVICE_RELATIONS *relations = (DEVICE_RELATIONS *)list;
    *target = relations && relations->Count ? relations->Objects[0] : NULL;
    if (relations)
        rtl_pool.release(relations);
    return *target ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS add(struct pnp_listener *listener, PVOID data, struct pnp_listener **added)
{
    NTSTATUS status = STATUS_SUCCESS;
    switch (listener->category) {
    case EventCategoryDeviceInterfaceChange:
        if (!data)
            return STATUS_INVALID_PARAMETER;
        listener->class = *(const GUID *)data;
        break;
    case EventCategoryTargetDeviceChange:
        if (!data)
            return STATUS_INVALID_PARAMETER;
        listener->file = data;
        status = find_target(data, &listener->target);
        break;
    case EventCategoryHardwareProfileChange:
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status))
        status = pnp_listener_add(listener, added);
    if (listener->target)
        ob_dereference(listener->target);
    return status;
}

/*
 * EventCategoryData: the class of interfaces, the file object of the device, or null for hardware profiles. With
 * PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES the routine is called for each that is there, before this
 * returns. *NotificationEntry goes to IoUnregisterPlugPlayNotificationEx. STATUS_INVALID_PARAMETER; of a device, the
 * status with which its drivers do not name their PDO. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoRegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY EventCategory, ULONG EventCategoryFlags,
                                              PVOID EventCategoryData, PDRIVER_OBJECT DriverObject,
                                              PDRIVER_NOTIFICATION_CALLBACK_ROUTINE CallbackRoutine, PVOID Context,
                                              PVOID *NotificationEntry)
{
    struct pnp_listener *added;
    struct pnp_listener listener = {.category = EventCategory,
                                    .driver = DriverObject,
                                    .routine = (ULONG_PTR)CallbackRoutine,
                                    .context = Context,
                                    .caller = seh_export_caller()};
    *NotificationEntry = NULL;
    NTSTATUS status = add(&listener, EventCategoryData, &added);
    if (!NT_SUCCESS(status))
        return status;
    *NotificationEntry = added;
    if (EventCategory == EventCategoryDeviceInterfaceChange &&
        (EventCategoryFlags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES))
        tell_existing(added);
    pnp_listener_release(added);
    return STATUS_SUCCESS;
}

/* No call of the routine begins any more, and none runs, but for one that this is called from.
 * STATUS_INVALID_PARAMETER: not registered. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoUnregisterPlugPlayNotificationEx(PVOID NotificationEntry)
{
    if (!pnp_listener_is(NotificationEntry))
        return STATUS_INVALID_PARAMETER;
    pnp_listener_leave(NotificationEntry);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoUnregisterPlugPlayNotification(PVOID NotificationEntry)
{
    return IoUnregisterPlugPlayNotificationEx(NotificationEntry);
}
