/*
 * interface_list.c - finding device interfaces: those of a class, those of a driver, and the alias of one in another
 * class.
 */
#include "pnp_internal.h"

/* Whether the list is to have this instance. Lock held. */
static bool wanted(const struct pnp_interface *instance, const GUID *class, const struct pnp_node *node, ULONG flags)
{
    return __builtin_memcmp(&instance->class, class, sizeof(*class)) == 0 && (!node || instance->node == node) &&
           (instance->enabled || (flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE));
}

/* Copies the names, each with a terminator, as far as there is room; returns the units they take. Lock held. */
static SIZE_T list_names(const GUID *class, const struct pnp_node *node, ULONG flags, WCHAR *list, SIZE_T room)
{
    SIZE_T used = 0;
    for (struct pnp_interface *each = pnp_interface_next(NULL); each; each = pnp_interface_next(each)) {
        SIZE_T units = each->name.Length / sizeof(WCHAR);
        if (!wanted(each, class, node, flags))
            continue;
        if (used + units < room) {
            __builtin_memcpy(list + used, each->name.Buffer, each->name.Length);
            list[used + units] = 0;
        }
        used += units + 1;
    }
    return used;
}

/*
 * *SymbolicLinkList: the names of the class's interfaces, each terminated, and one terminator more; for ExFreePool. Of
 * one device only, if PhysicalDeviceObject is not null; enabled ones, or all with DEVICE_INTERFACE_INCLUDE_NONACTIVE.
 * STATUS_INVALID_DEVICE_REQUEST: PhysicalDeviceObject is no PDO. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoGetDeviceInterfaces(const GUID *InterfaceClassGuid, PDEVICE_OBJECT PhysicalDeviceObject, ULONG Flags,
                                     PWSTR *SymbolicLinkList)
{
    const GUID class = *InterfaceClassGuid;
    struct pnp_node *node = pnp_node_of(PhysicalDeviceObject);
    SIZE_T room = 0, used;
    WCHAR *list = NULL;
    *SymbolicLinkList = NULL;
    if (PhysicalDeviceObject && !node)
        return STATUS_INVALID_DEVICE_REQUEST;
    for (;;) {
        plat_lock_acquire(&pnp_lock);
        used = list_names(&class, node, Flags, list, room);
        plat_lock_release(&pnp_lock);
        if (list && used < room)
            break;
        if (list)
            rtl_pool.release(list);
        room = used + 1;
        list = rtl_pool.allocate(room * sizeof(WCHAR), RTL_STRING_TAG);
        if (!list)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    list[used] = 0;
    *SymbolicLinkList = list;
    return STATUS_SUCCESS;
}

/*
 * The interface of another class that the same device has with the same reference string. AliasSymbolicLinkName is
 * freed with RtlFreeUnicodeString. STATUS_OBJECT_NAME_NOT_FOUND: there is none. PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoGetDeviceInterfaceAlias(PUNICODE_STRING SymbolicLinkName, const GUID *AliasInterfaceClassGuid,
                                         PUNICODE_STRING AliasSymbolicLinkName)
{
    const GUID class = *AliasInterfaceClassGuid;
    struct pnp_interface *instance = pnp_interface_open(SymbolicLinkName), *alias = NULL;
    NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;
    *AliasSymbolicLinkName = (UNICODE_STRING){0};
    if (!instance)
        return status;
    UNICODE_STRING reference = pnp_interface_reference(instance);
    plat_lock_acquire(&pnp_lock);
    alias = pnp_interface_find(instance->node, &class, &reference);
    if (alias)
        __atomic_add_fetch(&alias->references, 1, __ATOMIC_RELAXED);
    plat_lock_release(&pnp_lock);
    if (alias) {
        status = pnp_name_give(&alias->name, AliasSymbolicLinkName);
        pnp_interface_release(alias);
    }
    pnp_interface_release(instance);
    return status;
}

bool pnp_driver_interface(const DRIVER_OBJECT *driver, ULONG index, struct pnp_interface_info *info)
{
    ULONG length = 0;
    struct pnp_interface *found = NULL;
    plat_lock_acquire(&pnp_lock);
    for (struct pnp_interface *each = pnp_interface_next(NULL); each && !found; each = pnp_interface_next(each))
        if (each->node->driver == driver && !index--)
            found = each;
    if (found) {
        info->enabled = found->enabled;
        pnp_guid_print(info->class, sizeof(info->class), &found->class);
        RtlUnicodeToMultiByteN(info->link, sizeof(info->link) - 1, &length, found->name.Buffer, found->name.Length);
        info->link[length] = 0;
        info->link[1] = '\\';
    }
    plat_lock_release(&pnp_lock);
    return found != NULL;
}
