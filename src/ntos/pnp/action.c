/*
 * action.c - one thing at a time: what the PnP manager does to devices is serialized, and what drivers ask for from
 * anywhere is done later by a worker.
 */
#include "pnp_internal.h"
#include "park.h"

/* ---- one thing at a time ---- */

static KEVENT available; /* set while nobody works on devices */
static PKTHREAD owner;

void pnp_work_init(void)
{
    KeInitializeEvent(&available, SynchronizationEvent, TRUE);
}

void pnp_work_begin(void)
{
    KeWaitForSingleObject(&available, Executive, KernelMode, FALSE, NULL);
    __atomic_store_n(&owner, ke_thread_current(), __ATOMIC_RELAXED);
}

bool pnp_work_try(void)
{
    LARGE_INTEGER at_once = {.QuadPart = 0};
    if (KeWaitForSingleObject(&available, Executive, KernelMode, FALSE, &at_once) != STATUS_SUCCESS)
        return false;
    __atomic_store_n(&owner, ke_thread_current(), __ATOMIC_RELAXED);
    return true;
}

void pnp_work_end(void)
{
    __atomic_store_n(&owner, NULL, __ATOMIC_RELAXED);
    KeSetEvent(&available, IO_NO_INCREMENT, FALSE);
}

bool pnp_work_is_mine(void)
{
    return __atomic_load_n(&owner, __ATOMIC_RELAXED) == ke_thread_current();
}

/* ---- later ---- */

struct action {
    WORK_QUEUE_ITEM item;
    enum pnp_action kind;
    struct pnp_node *node; /* referenced */
    TARGET_DEVICE_CUSTOM_NOTIFICATION *event;
    ULONG_PTR callback;
    PVOID context;
};

static ULONG_PTR pending;

static bool is_zero(ULONG_PTR *count)
{
    return !__atomic_load_n(count, __ATOMIC_SEQ_CST);
}

void pnp_idle_wait(void)
{
    ex_park_until(is_zero, &pending);
}

static void act_on_device(const struct action *action)
{
    NTSTATUS status = STATUS_SUCCESS;
    pnp_work_begin();
    switch (action->kind) {
    case PNP_ACT_STATE:
        pnp_node_check_state(action->node);
        break;
    case PNP_ACT_RELATIONS:
        pnp_node_query_children(action->node);
        break;
    case PNP_ACT_EJECT:
        status = pnp_node_eject(action->node);
        break;
    default:
        pnp_node_remove_unused(action->node);
        break;
    }
    pnp_work_end();
    if (action->callback)
        seh_driver_call(action->callback, (ULONG_PTR)(ULONG)status, (ULONG_PTR)action->context, 0, 0);
}

static VOID NTAPI act(PVOID argument)
{
    struct action *action = argument;
    if (action->kind == PNP_ACT_EVENT) {
        pnp_custom_event_tell(action->node->pdo, action->event);
        if (action->callback)
            seh_driver_call(action->callback, (ULONG_PTR)action->context, 0, 0, 0);
        mm_heap_free(action->event, PNP_TAG);
    } else {
        act_on_device(action);
    }
    pnp_node_release(action->node);
    mm_heap_free(action, PNP_TAG);
    __atomic_sub_fetch(&pending, 1, __ATOMIC_SEQ_CST);
    ex_park_wake();
}

/* Takes over the event. */
static NTSTATUS queue(const struct action *wanted)
{
    struct action *action = mm_heap_allocate(sizeof(*action), PNP_TAG);
    if (!action)
        return STATUS_INSUFFICIENT_RESOURCES;
    *action = *wanted;
    action->item = (WORK_QUEUE_ITEM){.WorkerRoutine = act, .Parameter = action};
    pnp_node_reference(action->node);
    __atomic_add_fetch(&pending, 1, __ATOMIC_SEQ_CST);
    ExQueueWorkItem(&action->item, DelayedWorkQueue);
    return STATUS_SUCCESS;
}

NTSTATUS pnp_act_later(struct pnp_node *node, enum pnp_action kind)
{
    return node ? queue(&(struct action){.kind = kind, .node = node}) : STATUS_INVALID_DEVICE_REQUEST;
}

/* The drivers are asked for the device's state (IRP_MN_QUERY_PNP_DEVICE_STATE), and what they say is done: a failed
 * device is removed by surprise, one with other needs restarted. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoInvalidateDeviceState(PDEVICE_OBJECT PhysicalDeviceObject)
{
    pnp_act_later(pnp_node_of(PhysicalDeviceObject), PNP_ACT_STATE);
}

/* The drivers are asked for the device's children, if Type is BusRelations or SingleBusRelations; the other relations
 * are not kept. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    if (Type == BusRelations || Type == SingleBusRelations)
        pnp_act_later(pnp_node_of(DeviceObject), PNP_ACT_RELATIONS);
}

/*
 * The same before it returns. STATUS_INVALID_DEVICE_REQUEST: no PDO of a started device, or called from within the
 * work on a device; STATUS_NOT_SUPPORTED: other relations. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoSynchronousInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    struct pnp_node *node = pnp_node_of(DeviceObject);
    if (Type != BusRelations)
        return STATUS_NOT_SUPPORTED;
    if (!node || pnp_node_state(node) != PNP_STARTED || pnp_work_is_mine())
        return STATUS_INVALID_DEVICE_REQUEST;
    pnp_work_begin();
    pnp_node_query_children(node);
    pnp_work_end();
    return STATUS_SUCCESS;
}

/* The device is removed in order, if its drivers let it go, and then ejected (IRP_MN_EJECT). IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoRequestDeviceEject(PDEVICE_OBJECT PhysicalDeviceObject)
{
    pnp_act_later(pnp_node_of(PhysicalDeviceObject), PNP_ACT_EJECT);
}

/* The same; Callback, if not null, is told what came of it. STATUS_INVALID_DEVICE_REQUEST: no PDO of a device. */
NTSTATUS NTAPI IoRequestDeviceEjectEx(PDEVICE_OBJECT PhysicalDeviceObject, PIO_DEVICE_EJECT_CALLBACK Callback,
                                      PVOID Context, PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    struct action action = {.kind = PNP_ACT_EJECT,
                            .node = pnp_node_of(PhysicalDeviceObject),
                            .callback = (ULONG_PTR)Callback,
                            .context = Context};
    return action.node ? queue(&action) : STATUS_INVALID_DEVICE_REQUEST;
}

/*
 * As IoReportTargetDeviceChange, but a worker tells; Callback, if not null, is called afterwards. IRQL <=
 * DISPATCH_LEVEL.
 */
NTSTATUS NTAPI IoReportTargetDeviceChangeAsynchronous(PDEVICE_OBJECT PhysicalDeviceObject, PVOID NotificationStructure,
                                                      PDEVICE_CHANGE_COMPLETE_CALLBACK Callback, PVOID Context)
{
    struct action action = {.kind = PNP_ACT_EVENT,
                            .node = pnp_node_of(PhysicalDeviceObject),
                            .callback = (ULONG_PTR)Callback,
                            .context = Context};
    NTSTATUS status = pnp_custom_event_copy(PhysicalDeviceObject, NotificationStructure, &action.event);
    if (!NT_SUCCESS(status))
        return status;
    status = queue(&action);
    if (!NT_SUCCESS(status))
        mm_heap_free(action.event, PNP_TAG);
    return status;
}
