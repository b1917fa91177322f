/*
 * bus.c - the virtual bus: its driver object, the PDOs it enumerates, and how they answer as a bus driver does.
 *
 * A request that a bus driver has nothing to say to is completed with the status it came with, as documented.
 */
#include "pnp_internal.h"
#include "wdk/power.h"

struct plat_lock pnp_lock;
LIST_ENTRY pnp_nodes = {&pnp_nodes, &pnp_nodes};

/* Of our own making: the bus is none that Windows has. */
const GUID pnp_bus_type = {0x7561614d, 0x6275, 0x4e73, {0x9d, 0x1c, 0x52, 0x1f, 0x66, 0x8a, 0x40, 0x01}};

static DRIVER_OBJECT *bus;

struct pnp_node *pnp_node_of(DEVICE_OBJECT *device)
{
    struct pnp_node *node = device ? io_device_of(device)->node : NULL;
    return node && pnp_node_state(node) != PNP_REMOVED ? node : NULL;
}

DEVICE_OBJECT *pnp_node_pdo(const struct pnp_node *node)
{
    return node->pdo;
}

const char *pnp_node_instance(const struct pnp_node *node)
{
    return node->instance;
}

static void node_free(void *node)
{
    pnp_properties_free(&((struct pnp_node *)node)->properties);
    mm_heap_free(node, PNP_TAG);
}

/* ---- the PDO's answers ---- */

static NTSTATUS give_text(NTSTATUS status, WCHAR *text, ULONG_PTR *information)
{
    if (NT_SUCCESS(status))
        *information = (ULONG_PTR)text;
    return status;
}

static NTSTATUS query_identity(const struct pnp_node *node, const IO_STACK_LOCATION *stack, IRP *irp)
{
    WCHAR *text = NULL;
    NTSTATUS status = stack->MinorFunction == IRP_MN_QUERY_ID
                          ? pnp_identity(node, stack->Parameters.QueryId.IdType, &text)
                          : pnp_text(node, stack->Parameters.QueryDeviceText.DeviceTextType, &text);
    return status == STATUS_NOT_SUPPORTED ? irp->IoStatus.Status : give_text(status, text, &irp->IoStatus.Information);
}

/* A bus driver handles TargetDeviceRelation for its children: the PDO, referenced. */
static NTSTATUS query_relations(struct pnp_node *node, const IO_STACK_LOCATION *stack, IRP *irp)
{
    if (stack->Parameters.QueryDeviceRelations.Type != TargetDeviceRelation)
        return irp->IoStatus.Status;
    DEVICE_RELATIONS *relations = rtl_pool.allocate(sizeof(*relations), PNP_TAG);
    if (!relations)
        return STATUS_INSUFFICIENT_RESOURCES;
    ob_reference(node->pdo);
    *relations = (DEVICE_RELATIONS){1, {node->pdo}};
    irp->IoStatus.Information = (ULONG_PTR)relations;
    return STATUS_SUCCESS;
}

static NTSTATUS query_bus(IRP *irp)
{
    PNP_BUS_INFORMATION *information = rtl_pool.allocate(sizeof(*information), PNP_TAG);
    if (!information)
        return STATUS_INSUFFICIENT_RESOURCES;
    *information = (PNP_BUS_INFORMATION){pnp_bus_type, Internal, 0};
    irp->IoStatus.Information = (ULONG_PTR)information;
    return STATUS_SUCCESS;
}

static NTSTATUS query_capabilities(const struct pnp_node *node, const IO_STACK_LOCATION *stack)
{
    DEVICE_CAPABILITIES *capabilities = stack->Parameters.DeviceCapabilities.Capabilities;
    if (capabilities->Version != 1 || capabilities->Size < sizeof(*capabilities))
        return STATUS_UNSUCCESSFUL;
    pnp_capabilities_fill(node, capabilities);
    return STATUS_SUCCESS;
}

static NTSTATUS answer_pnp(struct pnp_node *node, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    switch (stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_EJECT:
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        return STATUS_SUCCESS;
    case IRP_MN_QUERY_ID:
    case IRP_MN_QUERY_DEVICE_TEXT:
        return query_identity(node, stack, irp);
    case IRP_MN_QUERY_CAPABILITIES:
        return query_capabilities(node, stack);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return query_relations(node, stack, irp);
    case IRP_MN_QUERY_BUS_INFORMATION:
        return query_bus(irp);
    default:
        return irp->IoStatus.Status;
    }
}

static NTSTATUS NTAPI dispatch_pnp(DEVICE_OBJECT *device, IRP *irp)
{
    struct pnp_node *node = pnp_node_of(device);
    UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    if (ke_verify)
        pnp_verify_arrival(device, irp, false);
    NTSTATUS status = node ? answer_pnp(node, irp) : STATUS_NO_SUCH_DEVICE;
    if (node) {
        node->asked = true;
        node->answer = status;
    }
    bool goes = node && minor == IRP_MN_REMOVE_DEVICE && !node->present;
    irp->IoStatus.Status = status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    if (goes)
        io_device_delete(device);
    return status;
}

static NTSTATUS answer_power(struct pnp_node *node, IRP *irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    switch (stack->MinorFunction) {
    case IRP_MN_SET_POWER:
        if (stack->Parameters.Power.Type == DevicePowerState)
            node->power = stack->Parameters.Power.State.DeviceState;
        return STATUS_SUCCESS;
    case IRP_MN_QUERY_POWER:
        return STATUS_SUCCESS;
    default: /* the device wakes nothing */
        return irp->IoStatus.Status;
    }
}

static NTSTATUS NTAPI dispatch_power(DEVICE_OBJECT *device, IRP *irp)
{
    struct pnp_node *node = pnp_node_of(device);
    if (ke_verify)
        pnp_verify_arrival(device, irp, true);
    NTSTATUS status = node ? answer_power(node, irp) : STATUS_NO_SUCH_DEVICE;
    irp->IoStatus.Status = status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* The bus has nothing to tell by WMI. */
static NTSTATUS NTAPI dispatch_system_control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    NTSTATUS status = irp->IoStatus.Status;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* ---- enumeration ---- */

static NTSTATUS NTAPI bus_entry(DRIVER_OBJECT *driver, PUNICODE_STRING registry)
{
    UNREFERENCED_PARAMETER(registry);
    driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    driver->MajorFunction[IRP_MJ_POWER] = dispatch_power;
    driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = dispatch_system_control;
    return STATUS_SUCCESS;
}

NTSTATUS pnp_start(void)
{
    plat_lock_init(&pnp_lock);
    pnp_work_init();
    io_device_unused = pnp_file_gone;
    io_device_gone = node_free;
    io_leaks_add(pnp_listeners_tell);
    return io_driver_load((ULONG_PTR)bus_entry, NULL, 0, "UmaBus", &bus);
}

/* The lowest that no device on the bus has. */
static ULONG free_number(void)
{
    ULONG number = 0;
    plat_lock_acquire(&pnp_lock);
    for (LIST_ENTRY *entry = pnp_nodes.Flink; entry != &pnp_nodes; entry = entry->Flink)
        if (CONTAINING_RECORD(entry, struct pnp_node, link)->number == number) {
            number++;
            entry = &pnp_nodes; /* from the beginning: they are in order of enumeration */
        }
    plat_lock_release(&pnp_lock);
    return number;
}

static NTSTATUS create_pdo(struct pnp_node *node)
{
    NTSTATUS status =
        IoCreateDevice(bus, 0, NULL, FILE_DEVICE_UNKNOWN, FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &node->pdo);
    if (!NT_SUCCESS(status))
        return status;
    io_device_of(node->pdo)->caller = IO_KERNEL_OWNED;
    io_device_set_unready(node->pdo, true);
    ob_reference(node->pdo);
    io_device_of(node->pdo)->node = node;
    node->pdo->Flags |= DO_BUS_ENUMERATED_DEVICE;
    node->pdo->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return status;
}

NTSTATUS pnp_bus_enumerate(DRIVER_OBJECT *driver, struct pnp_node **enumerated)
{
    NTSTATUS status;
    struct pnp_node *node = mm_heap_allocate(sizeof(*node), PNP_TAG);
    if (!node)
        return STATUS_INSUFFICIENT_RESOURCES;
    *node = (struct pnp_node){.driver = driver, .present = true, .power = PowerDeviceD3};
    InitializeListHead(&node->properties);
    node->number = free_number();
    rtl_print(node->instance, sizeof(node->instance), "ROOT\\UMA\\%04u", node->number);
    status = pnp_node_keys_make(node);
    if (NT_SUCCESS(status))
        status = create_pdo(node);
    if (!NT_SUCCESS(status)) {
        mm_heap_free(node, PNP_TAG);
        return status;
    }
    plat_lock_acquire(&pnp_lock);
    InsertTailList(&pnp_nodes, &node->link);
    plat_lock_release(&pnp_lock);
    *enumerated = node;
    return status;
}
