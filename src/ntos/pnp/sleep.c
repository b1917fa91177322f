/*
 * sleep.c - the whole system's power: what the power manager asks and tells devices when the system sleeps and wakes.
 * Nothing really sleeps.
 */
#include "pnp_internal.h"

static SYSTEM_POWER_STATE current = PowerSystemWorking; /* work on devices */

static NTSTATUS send(struct pnp_node *node, UCHAR minor, SYSTEM_POWER_STATE state)
{
    struct io_irp *packet;
    struct io_request *sent;
    struct pnp_context context;
    IO_STATUS_BLOCK result = {0};
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(node->pdo);
    NTSTATUS status = io_request_create(top, NULL, IRP_MJ_POWER, KernelMode, &packet, &sent);
    if (NT_SUCCESS(status)) {
        IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
        stack->MinorFunction = minor;
        stack->Parameters.Power.Type = SystemPowerState;
        stack->Parameters.Power.State.SystemState = state;
        stack->Parameters.Power.ShutdownType = state == PowerSystemHibernate ? PowerActionHibernate : PowerActionSleep;
        /* SYSTEM_POWER_STATE_CONTEXT: the target, effective and current states, four bits each from bit 8 on */
        stack->Parameters.Power.SystemContext = (ULONG)state << 8 | (ULONG)state << 12 | (ULONG)current << 16;
        packet->irp.IoStatus.Status = STATUS_NOT_SUPPORTED;
        pnp_enter_system(&context);
        io_request_send(top, packet, KernelMode, &sent, &result);
        pnp_leave_system(&context);
        io_request_release(sent);
        status = result.Status;
    }
    ob_dereference(top);
    return status;
}

/* The index-th device that has started, in order of enumeration, referenced, or null. */
static struct pnp_node *started(ULONG index)
{
    struct pnp_node *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (LIST_ENTRY *entry = pnp_nodes.Flink; entry != &pnp_nodes && !found; entry = entry->Flink) {
        struct pnp_node *node = CONTAINING_RECORD(entry, struct pnp_node, link);
        if (pnp_node_state(node) == PNP_STARTED && !index--)
            found = node;
    }
    if (found)
        pnp_node_reference(found);
    plat_lock_release(&pnp_lock);
    return found;
}

static ULONG count_started(void)
{
    ULONG count = 0;
    struct pnp_node *node;
    while ((node = started(count)) != NULL) {
        pnp_node_release(node);
        count++;
    }
    return count;
}

/* Sends to devices [first, end), newest first if down. Stops at the first refusal: *stopped is where. */
static NTSTATUS tell(UCHAR minor, SYSTEM_POWER_STATE state, ULONG first, ULONG end, bool down, ULONG *stopped)
{
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = first; i < end && (minor == IRP_MN_SET_POWER || NT_SUCCESS(status)); i++) {
        *stopped = down ? end - 1 - (i - first) : i;
        struct pnp_node *node = started(*stopped);
        if (!node)
            continue;
        status = send(node, minor, state);
        pnp_node_release(node);
    }
    return status;
}

/* Serialized by the caller. */
static NTSTATUS go_down(SYSTEM_POWER_STATE state)
{
    ULONG count = count_started(), stopped = 0, ignored;
    NTSTATUS status = tell(IRP_MN_QUERY_POWER, state, 0, count, true, &stopped);
    if (!NT_SUCCESS(status)) { /* who was asked, the one that refused included, hears that nothing changes */
        tell(IRP_MN_SET_POWER, PowerSystemWorking, stopped, count, false, &ignored);
        return status;
    }
    tell(IRP_MN_SET_POWER, state, 0, count, true, &ignored);
    current = state;
    return STATUS_SUCCESS;
}

NTSTATUS pnp_system_power(SYSTEM_POWER_STATE state)
{
    ULONG ignored;
    NTSTATUS status = STATUS_SUCCESS;
    if (state < PowerSystemWorking || state > PowerSystemHibernate)
        return STATUS_INVALID_PARAMETER;
    pnp_work_begin();
    if (state == current) {
        status = STATUS_SUCCESS;
    } else if (state != PowerSystemWorking) {
        status = current == PowerSystemWorking ? go_down(state) : STATUS_INVALID_DEVICE_STATE;
    } else {
        tell(IRP_MN_SET_POWER, PowerSystemWorking, 0, count_started(), false, &ignored);
        current = PowerSystemWorking;
    }
    pnp_work_end();
    return status;
}
