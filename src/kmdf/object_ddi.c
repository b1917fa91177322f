/*
 * object_ddi.c - WdfObject...: general objects, references and deletion as drivers ask for them; calls of callbacks.
 */
#include "kmdf.h"

const struct kmdf_type kmdf_general_type = {
    .name = "WDFOBJECT", .size = sizeof(struct kmdf_object), .flags = KMDF_PARENT_ALLOWED | KMDF_EXECUTION};

/*
 * An object of the driver's own, child of the driver object unless Attributes names a parent. STATUS_INVALID_PARAMETER,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_WDF_... for bad attributes. IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS NTAPI WdfObjectCreate(PWDF_DRIVER_GLOBALS DriverGlobals, PWDF_OBJECT_ATTRIBUTES Attributes, WDFOBJECT *Object)
{
    struct kmdf_object *object;
    struct kmdf_client *client = kmdf_client_of(DriverGlobals, __func__);
    kmdf_require(Object);
    *Object = NULL;
    NTSTATUS status = kmdf_object_create(client, &kmdf_general_type, Attributes,
                                         client->driver ? &client->driver->object : NULL, seh_export_caller(), &object);
    if (NT_SUCCESS(status))
        *Object = object->handle;
    return status;
}

/*
 * Deletes the object and its children; may return before that has happened. An object whose deletion is the framework's
 * is WDF_VIOLATION. IRQL <= DISPATCH_LEVEL, PASSIVE_LEVEL for a control device.
 */
VOID NTAPI WdfObjectDelete(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Object)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    struct kmdf_object *object = kmdf_object_of(Object, NULL, __func__);
    if ((object->type->flags & KMDF_NO_DELETE) || (object->type->no_delete && object->type->no_delete(object)))
        kmdf_violation(KMDF_OBJECT_ERROR, (ULONG_PTR)Object, (ULONG_PTR)(LONG_PTR)STATUS_CANNOT_DELETE, 0,
                       "WdfObjectDelete was called for the %s 0x%llx, which only the framework deletes",
                       object->type->name, (ULONG64)(ULONG_PTR)Object);
    kmdf_object_delete(object);
}

/* Takes a reference, which keeps the handle and the contexts until WdfObjectDereference. Tag, Line and File are the
 * driver's notes; leftovers name the caller. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfObjectReferenceActual(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Handle, PVOID Tag, LONG Line,
                                    PCCH File)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(File);
    kmdf_reference(kmdf_object_of(Handle, NULL, __func__), seh_export_caller());
}

/* Gives a reference of WdfObjectReference back. One too many is WDF_VIOLATION (7, handle). IRQL <= DISPATCH_LEVEL. */
VOID NTAPI WdfObjectDereferenceActual(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Handle, PVOID Tag, LONG Line,
                                      PCCH File)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(File);
    kmdf_dereference(kmdf_object_of(Handle, NULL, __func__));
}

/* "Not implemented", says its page. */
NTSTATUS NTAPI WdfObjectQuery(PWDF_DRIVER_GLOBALS DriverGlobals, WDFOBJECT Object, CONST GUID *Guid,
                              ULONG QueryBufferLength, PVOID QueryBuffer)
{
    UNREFERENCED_PARAMETER(DriverGlobals);
    UNREFERENCED_PARAMETER(QueryBufferLength);
    UNREFERENCED_PARAMETER(QueryBuffer);
    kmdf_object_of(Object, NULL, __func__);
    kmdf_require(Guid);
    return STATUS_NOT_IMPLEMENTED;
}

ULONG_PTR kmdf_call(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e)
{
    return kmdf_call_7(routine, a, b, c, d, e, 0, 0);
}

ULONG_PTR kmdf_call_7(ULONG_PTR routine, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d, ULONG_PTR e, ULONG_PTR f,
                      ULONG_PTR g)
{
    PKTHREAD self = ke_thread_current();
    KIRQL irql = KeGetCurrentIrql();
    SHORT kernel_apc = self->KernelApcDisable, special_apc = self->SpecialApcDisable;
    ULONG_PTR result = seh_driver_call_7(routine, a, b, c, d, e, f, g);
    if (KeGetCurrentIrql() != irql)
        kmdf_violation(KMDF_CALLBACK_IRQL, irql, KeGetCurrentIrql(), routine,
                       "an event callback was called at IRQL %u and returned at %u", irql, KeGetCurrentIrql());
    if (self->KernelApcDisable != kernel_apc || self->SpecialApcDisable != special_apc)
        kmdf_violation(KMDF_CALLBACK_REGION, routine, 0, routine,
                       "an event callback entered a critical region and did not leave it, or the reverse");
    return result;
}
