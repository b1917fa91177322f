/*
 * object.c - object headers and references. Names are namespace.c's.
 *
 * The header and body share one pool block that ends with the body, so that writing past the body faults.
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"
#include "seh.h"

struct plat_lock ob_lock;

struct ob_header *ob_header_of(const void *body)
{
    return (struct ob_header *)((ULONG_PTR)body - sizeof(struct ob_header));
}

NTSTATUS ob_create(const struct ob_type *type, SIZE_T size, void **body)
{
    struct ob_header *header =
        mm_pool_allocate(sizeof(*header) + size, type->tag, MM_POOL_ZERO, MM_POOL_KERNEL, seh_export_caller());
    if (!header)
        return STATUS_INSUFFICIENT_RESOURCES;
    header->type = type;
    header->references = 1;
    InitializeListHead(&header->named);
    *body = header + 1;
    return STATUS_SUCCESS;
}

void ob_adopt(void *body, const struct ob_type *type)
{
    struct ob_header *header = ob_header_of(body);
    *header = (struct ob_header){.type = type, .references = 1};
    InitializeListHead(&header->named);
}

NTSTATUS ob_init(void)
{
    plat_lock_init(&ob_lock);
    NTSTATUS status = ob_namespace_init();
    if (NT_SUCCESS(status))
        status = ob_handles_init();
    return NT_SUCCESS(status) ? ob_types_init() : status;
}

const struct ob_type *ob_type_of(const void *body)
{
    return ob_header_of(body)->type;
}

LONG_PTR ob_reference_count(const void *body)
{
    return __atomic_load_n(&ob_header_of(body)->references, __ATOMIC_RELAXED);
}

LONG_PTR ob_handle_count(const void *body)
{
    return __atomic_load_n(&ob_header_of(body)->handles, __ATOMIC_RELAXED);
}

DISPATCHER_HEADER *ob_dispatcher(void *body)
{
    const struct ob_type *type = ob_type_of(body);
    return type->waitable ? (DISPATCHER_HEADER *)((UCHAR *)body + type->dispatcher_offset) : NULL;
}

/* Bug check 0x18: an object without references is referenced or dereferenced. */
static void check_count(void *body, LONG_PTR count)
{
    if (count < 0)
        ke_bugcheck_because(BUGCHECK_REFERENCE_BY_POINTER,
                            (ULONG_PTR[4]){(ULONG_PTR)ob_type_of(body), (ULONG_PTR)body, 2, (ULONG_PTR)count},
                            "an object is dereferenced more often than it was referenced");
}

LONG_PTR ob_reference(void *body)
{
    return __atomic_add_fetch(&ob_header_of(body)->references, 1, __ATOMIC_RELAXED);
}

bool ob_reference_alive(void *body)
{
    LONG_PTR *references = &ob_header_of(body)->references, count = __atomic_load_n(references, __ATOMIC_RELAXED);
    while (count > 0)
        if (__atomic_compare_exchange_n(references, &count, count + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

LONG_PTR ob_dereference(void *body)
{
    struct ob_header *header = ob_header_of(body);
    LONG_PTR count = __atomic_sub_fetch(&header->references, 1, __ATOMIC_ACQ_REL);
    check_count(body, count);
    if (count)
        return count;
    ob_remove_name(body);
    if (header->type->remove)
        header->type->remove(body);
    if (header->type->free)
        header->type->free(body);
    else
        mm_pool_free(header, header->type->tag, seh_export_caller());
    return 0;
}

/* Keeps the object alive until a matching dereference. Returns the new count. IRQL <= DISPATCH_LEVEL. */
LONG_PTR NTAPI ObfReferenceObject(PVOID Object)
{
    return ob_reference(Object);
}

LONG_PTR NTAPI ObfDereferenceObject(PVOID Object)
{
    return ob_dereference(Object);
}

LONG_PTR NTAPI ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObfReferenceObject(Object);
}

LONG_PTR NTAPI ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObfDereferenceObject(Object);
}

/* The object may go later than the call, where the caller holds locks; here it goes at once. */
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    ObfDereferenceObject(Object);
}

VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    ObfDereferenceObject(Object);
}

/* The form of old imports; headers map the name to ObfDereferenceObject. */
LONG_PTR NTAPI ObDereferenceObject(PVOID Object)
{
    return ObfDereferenceObject(Object);
}
