/*
 * send.c - requests of the PnP manager to a device's drivers, as the system process.
 *
 * They go the way of every request that is waited for (io's request.c): one that stays pending past the time-out is
 * cancelled and then abandoned with STATUS_IO_TIMEOUT.
 */
#include "pnp_internal.h"

void pnp_enter_system(struct pnp_context *context)
{
    KeStackAttachProcess(PsInitialSystemProcess, &context->before);
}

void pnp_leave_system(struct pnp_context *context)
{
    KeUnstackDetachProcess(&context->before);
}

static void set_parameters(IO_STACK_LOCATION *stack, const struct pnp_request *request)
{
    switch (request->minor) {
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        stack->Parameters.QueryDeviceRelations.Type = request->relation;
        break;
    case IRP_MN_QUERY_CAPABILITIES:
        stack->Parameters.DeviceCapabilities.Capabilities = request->capabilities;
        break;
    case IRP_MN_FILTER_RESOURCE_REQUIREMENTS:
        stack->Parameters.FilterResourceRequirements.IoResourceRequirementList = request->list;
        break;
    default: /* IRP_MN_START_DEVICE: no resources, null, as for every device that the root enumerates */
        break;
    }
}

NTSTATUS pnp_send_to(DEVICE_OBJECT *device, const struct pnp_request *request, ULONG_PTR *information)
{
    struct io_irp *packet;
    struct io_request *sent;
    struct pnp_context context;
    IO_STATUS_BLOCK result = {0};
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(device);
    NTSTATUS status = io_request_create(top, NULL, IRP_MJ_PNP, KernelMode, &packet, &sent);
    if (NT_SUCCESS(status)) {
        IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(&packet->irp);
        stack->MinorFunction = request->minor;
        stack->FileObject = request->file;
        set_parameters(stack, request);
        packet->irp.IoStatus.Status = STATUS_NOT_SUPPORTED;
        packet->irp.IoStatus.Information = request->information;
        pnp_enter_system(&context);
        io_request_send(top, packet, KernelMode, &sent, &result);
        pnp_leave_system(&context);
        io_request_release(sent);
        status = result.Status;
    }
    ob_dereference(top);
    if (information)
        *information = result.Information;
    return status;
}

NTSTATUS pnp_send(struct pnp_node *node, const struct pnp_request *request, ULONG_PTR *information)
{
    struct pnp_stack stack;
    const bool surprise = request->minor == IRP_MN_SURPRISE_REMOVAL;
    const bool removes = surprise || request->minor == IRP_MN_REMOVE_DEVICE;
    if (!ke_verify)
        return pnp_send_to(node->pdo, request, information);
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(node->pdo);
    node->asked = false;
    if (removes)
        pnp_verify_stack_take(node, &stack);
    NTSTATUS status = pnp_send_to(node->pdo, request, information);
    pnp_verify_answer(top, node, request->minor, status);
    if (removes)
        pnp_verify_stack_check(&stack, surprise);
    ob_dereference(top);
    return status;
}

NTSTATUS pnp_send_minor(struct pnp_node *node, UCHAR minor)
{
    return pnp_send(node, &(struct pnp_request){.minor = minor}, NULL);
}
