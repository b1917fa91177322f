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

const struct ob_type *ob_type_of(const void *body)
{
    return ob_header_of(body)->type;
}

LONG_PTR ob_reference_count(const void *body)
{
    return __atomic_load_n(&ob_header_of(body)->references, __ATOMIC_RELAXED);
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
    mm_pool_free(header, header->type->tag, seh_export_caller());
    return 0;
}

/* Threads are waitable and may be referenced, but live outside the pool. */
static bool is_thread(PVOID object)
{
    return object == (PVOID)ke_thread_current();
}

/* Keeps the object alive until a matching dereference. Returns the new count. IRQL <= DISPATCH_LEVEL. */
LONG_PTR NTAPI ObfReferenceObject(PVOID Object)
{
    return is_thread(Object) ? 1 : ob_reference(Object);
}

LONG_PTR NTAPI ObfDereferenceObject(PVOID Object)
{
    return is_thread(Object) ? 1 : ob_dereference(Object);
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

VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    ObfDereferenceObject(Object);
}
