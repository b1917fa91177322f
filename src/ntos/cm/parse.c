/*
 * parse.c - finds keys by path, through symbolic links.
 *
 * A link is a key with a value SymbolicLinkValue of type REG_LINK: the full name of the key it stands for.
 */
#include "cm_internal.h"

#define WIDE(text) ((const WCHAR *)L##text)

enum { LINKS_FOLLOWED = 16, LONGEST_PATH = 0x7FFC };

struct cm_node *cm_root;

/* Takes the first name off path; false if there is none. */
static bool next_name(UNICODE_STRING *path, UNICODE_STRING *name)
{
    *name = (UNICODE_STRING){0};
    if (!path->Length) /* whose buffer may be null */
        return false;
    const WCHAR *at = path->Buffer, *end = at + path->Length / sizeof(WCHAR);
    while (at < end && *at == '\\')
        at++;
    const WCHAR *first = at;
    while (at < end && *at != '\\')
        at++;
    *name = (UNICODE_STRING){(USHORT)((at - first) * 2), (USHORT)((at - first) * 2), (WCHAR *)first};
    *path = (UNICODE_STRING){(USHORT)((end - at) * 2), (USHORT)((end - at) * 2), (WCHAR *)at};
    return name->Length != 0;
}

static bool is_empty(const UNICODE_STRING *path)
{
    UNICODE_STRING rest = *path, name;
    return !next_name(&rest, &name);
}

/* A link's target followed by rest, without the leading "\Registry", in new pool that replaces *storage. */
static NTSTATUS follow(const struct cm_node *link, UNICODE_STRING *rest, WCHAR **storage)
{
    UNICODE_STRING name, target;
    RtlInitUnicodeString(&name, WIDE("SymbolicLinkValue"));
    const struct cm_value *value = cm_value_find(link, &name);
    if (!value || value->type != REG_LINK || value->bytes + rest->Length > LONGEST_PATH)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    target = (UNICODE_STRING){(USHORT)(value->bytes & ~1u), (USHORT)value->bytes, (WCHAR *)value->data};
    if (!next_name(&target, &name) || !RtlEqualUnicodeString(&name, &cm_root->name, TRUE))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    USHORT bytes = (USHORT)(target.Length + rest->Length);
    WCHAR *joined = mm_pool_allocate(bytes + sizeof(WCHAR), CM_TAG, 0, MM_POOL_KERNEL, 0);
    if (!joined)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(joined, target.Buffer, target.Length);
    if (rest->Length)
        __builtin_memcpy((UCHAR *)joined + target.Length, rest->Buffer, rest->Length);
    if (*storage)
        mm_pool_free(*storage, CM_TAG, 0);
    *storage = joined;
    *rest = (UNICODE_STRING){bytes, bytes, joined};
    return STATUS_SUCCESS;
}

NTSTATUS cm_walk(struct cm_node *from, const UNICODE_STRING *path, bool open_link, struct cm_node **found,
                 UNICODE_STRING *last, WCHAR **storage)
{
    struct cm_node *node = from;
    UNICODE_STRING rest = *path;
    *found = NULL;
    for (ULONG followed = 0;;) {
        if (node->is_link && !(open_link && is_empty(&rest))) {
            NTSTATUS status = followed++ < LINKS_FOLLOWED ? follow(node, &rest, storage) : STATUS_OBJECT_NAME_NOT_FOUND;
            if (!NT_SUCCESS(status))
                return status;
            node = cm_root;
            continue;
        }
        if (!next_name(&rest, last)) {
            *found = node;
            return STATUS_SUCCESS;
        }
        if (last->Length > CM_KEY_NAME_MAX * sizeof(WCHAR))
            return STATUS_INVALID_PARAMETER;
        struct cm_node *child = cm_node_find(node, last);
        if (!child) {
            *found = is_empty(&rest) ? node : NULL;
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        node = child;
    }
}
