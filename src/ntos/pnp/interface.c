/*
 * interface.c - device interfaces: their registration, their state, and the symbolic links by which they are opened.
 *
 * An instance is a class and maybe a reference string of a device: "\??\ROOT#UMA#0000#{class}\reference". The link is
 * made with the first enabled instance of its device and class, and leads to the PDO; the reference string comes to the
 * driver as the file's name. An instance goes with its device.
 */
#include "pnp_internal.h"
#include "wdk/pnp.h"

static LIST_ENTRY interfaces = {&interfaces, &interfaces}; /* oldest first; pnp_lock */

struct pnp_interface *pnp_interface_next(struct pnp_interface *after)
{
    LIST_ENTRY *entry = after ? after->link.Flink : interfaces.Flink;
    return entry == &interfaces ? NULL : CONTAINING_RECORD(entry, struct pnp_interface, link);
}

/* ---- names ---- */

static bool same_guid(const GUID *first, const GUID *second)
{
    return __builtin_memcmp(first, second, sizeof(*first)) == 0;
}

/* The instance of this name. Lock held. */
static struct pnp_interface *find_by_name(PCUNICODE_STRING name)
{
    UNICODE_STRING wanted, own;
    if (!pnp_name_without_prefix(name, &wanted))
        return NULL;
    for (struct pnp_interface *each = pnp_interface_next(NULL); each; each = pnp_interface_next(each))
        if (pnp_name_without_prefix(&each->name, &own) && RtlEqualUnicodeString(&own, &wanted, TRUE))
            return each;
    return NULL;
}

struct pnp_interface *pnp_interface_find(const struct pnp_node *node, const GUID *class, PCUNICODE_STRING reference)
{
    for (struct pnp_interface *each = pnp_interface_next(NULL); each; each = pnp_interface_next(each)) {
        UNICODE_STRING own = pnp_interface_reference(each);
        if (each->node == node && same_guid(&each->class, class) && RtlEqualUnicodeString(&own, reference, TRUE))
            return each;
    }
    return NULL;
}

/* ---- registration ---- */

static void destroy(struct pnp_interface *instance)
{
    pnp_properties_free(&instance->properties);
    pnp_node_release(instance->node);
    if (instance->name.Buffer)
        mm_heap_free(instance->name.Buffer, PNP_TAG);
    mm_heap_free(instance, PNP_TAG);
}

void pnp_interface_release(struct pnp_interface *instance)
{
    if (!__atomic_sub_fetch(&instance->references, 1, __ATOMIC_ACQ_REL))
        destroy(instance);
}

struct pnp_interface *pnp_interface_open(PCUNICODE_STRING name)
{
    plat_lock_acquire(&pnp_lock);
    struct pnp_interface *instance = find_by_name(name);
    if (instance)
        __atomic_add_fetch(&instance->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&pnp_lock);
    return instance;
}

/* The instance, referenced; made if it is not there yet. */
static NTSTATUS register_instance(struct pnp_node *node, const GUID *class, PCUNICODE_STRING reference,
                                  struct pnp_interface **registered)
{
    struct pnp_interface *made = mm_heap_allocate(sizeof(*made), PNP_TAG);
    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    *made = (struct pnp_interface){.references = 2, .node = node, .class = *class};
    pnp_node_reference(node);
    InitializeListHead(&made->properties);
    NTSTATUS status = pnp_interface_name(made, reference);
    if (!NT_SUCCESS(status)) {
        destroy(made);
        return status;
    }
    plat_lock_acquire(&pnp_lock);
    struct pnp_interface *there = pnp_interface_find(node, class, reference);
    if (there)
        __atomic_add_fetch(&there->references, 1, __ATOMIC_RELAXED);
    else
        InsertTailList(&interfaces, &made->link);
    plat_lock_release(&pnp_lock);
    if (there)
        destroy(made);
    *registered = there ? there : made;
    return STATUS_SUCCESS;
}

static bool is_reference(PCUNICODE_STRING reference)
{
    for (USHORT i = 0; i < reference->Length / sizeof(WCHAR); i++)
        if (reference->Buffer[i] == '\\' || reference->Buffer[i] == '/')
            return false;
    return true;
}

/*
 * An instance of the class for the device, not enabled; one that is there already is as good. SymbolicLinkName is freed
 * with RtlFreeUnicodeString. STATUS_INVALID_DEVICE_REQUEST: PhysicalDeviceObject is no PDO, or ReferenceString has a
 * path separator; SymbolicLinkName is then empty. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, const GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName)
{
    struct pnp_interface *instance;
    struct pnp_node *node = pnp_node_of(PhysicalDeviceObject);
    UNICODE_STRING reference = ReferenceString ? *ReferenceString : (UNICODE_STRING){0};
    *SymbolicLinkName = (UNICODE_STRING){0};
    if (!node || !is_reference(&reference))
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS status = register_instance(node, InterfaceClassGuid, &reference, &instance);
    if (!NT_SUCCESS(status))
        return status;
    struct cm_key *key;
    if (NT_SUCCESS(pnp_interface_key(instance, &key)))
        ob_dereference(key);
    status = pnp_name_give(&instance->name, SymbolicLinkName);
    pnp_interface_release(instance);
    return status;
}

/* ---- state ---- */

static UNICODE_STRING link_name(const struct pnp_interface *instance)
{
    return (UNICODE_STRING){instance->link_bytes, instance->link_bytes, instance->name.Buffer};
}

/* Whether another enabled instance has the same link. Lock held. */
static bool link_is_shared(const struct pnp_interface *instance)
{
    for (struct pnp_interface *each = pnp_interface_next(NULL); each; each = pnp_interface_next(each))
        if (each != instance && each->enabled && each->node == instance->node &&
            same_guid(&each->class, &instance->class))
            return true;
    return false;
}

/* Turns the instance on or off. False: it is in that state already. *last: it is the only one of its link. */
static bool set_enabled(struct pnp_interface *instance, bool enable, bool *last)
{
    plat_lock_acquire(&pnp_lock);
    bool changes = instance->enabled != enable && (!enable || pnp_node_state(instance->node) != PNP_REMOVED);
    instance->enabled = changes ? enable : instance->enabled;
    *last = !link_is_shared(instance);
    plat_lock_release(&pnp_lock);
    return changes;
}

static NTSTATUS enable(struct pnp_interface *instance)
{
    bool first;
    UNICODE_STRING link = link_name(instance), device = ob_name(instance->node->pdo);
    if (!set_enabled(instance, true, &first))
        return STATUS_OBJECT_NAME_EXISTS;
    NTSTATUS status = first ? ob_link_create(&link, &device, IO_KERNEL_OWNED) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status))
        set_enabled(instance, false, &first);
    else
        pnp_interface_announce(instance);
    return status;
}

static NTSTATUS disable(struct pnp_interface *instance)
{
    bool last;
    UNICODE_STRING link = link_name(instance);
    if (!set_enabled(instance, false, &last))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (last)
        ob_link_delete(&link);
    pnp_interface_announce(instance);
    return STATUS_SUCCESS;
}

/*
 * STATUS_OBJECT_NAME_EXISTS (a success): it is enabled already; STATUS_OBJECT_NAME_NOT_FOUND: it is disabled already,
 * or no such instance is registered. Arrivals are told of once the device has started. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    struct pnp_interface *instance = pnp_interface_open(SymbolicLinkName);
    if (!instance)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS status = Enable ? enable(instance) : disable(instance);
    pnp_interface_release(instance);
    return status;
}

struct pnp_interface *pnp_interface_of(const struct pnp_node *node, ULONG index)
{
    struct pnp_interface *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (struct pnp_interface *each = pnp_interface_next(NULL); each && !found; each = pnp_interface_next(each))
        if (each->node == node && !index--)
            found = each;
    if (found)
        __atomic_add_fetch(&found->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&pnp_lock);
    return found;
}

void pnp_interfaces_started(struct pnp_node *node)
{
    struct pnp_interface *instance;
    for (ULONG i = 0; (instance = pnp_interface_of(node, i)) != NULL; i++) {
        pnp_interface_announce(instance);
        pnp_interface_release(instance);
    }
}

void pnp_interfaces_disable(struct pnp_node *node)
{
    struct pnp_interface *instance;
    for (ULONG i = 0; (instance = pnp_interface_of(node, i)) != NULL; i++) {
        disable(instance);
        pnp_interface_release(instance);
    }
}

void pnp_interfaces_drop(struct pnp_node *node)
{
    struct pnp_interface *instance;
    while ((instance = pnp_interface_of(node, 0)) != NULL) {
        plat_lock_acquire(&pnp_lock);
        RemoveEntryList(&instance->link);
        plat_lock_release(&pnp_lock);
        pnp_interface_release(instance); /* the list's */
        pnp_interface_release(instance);
    }
}
