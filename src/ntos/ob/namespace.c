/*
 * namespace.c - names of objects, and symbolic links.
 *
 * A flat list of full paths: a system here has a few dozen names. Directories exist only as parts of names, so creating
 * "\Foo\Bar" needs no "\Foo".
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"
#include "seh.h"

#define NAME_TAG     RTL_TAG('O', 'b', 'N', 'm')
#define LONGEST_PATH 0x7FFC /* bytes */
enum { LINKS_FOLLOWED = 16 };

static LIST_ENTRY names; /* of struct ob_header.named */

struct symbolic_link {
    UNICODE_STRING target; /* normalized, in pool */
    ULONG_PTR caller;
};

static void link_remove(void *body)
{
    ob_path_free(&((struct symbolic_link *)body)->target);
}

const struct ob_type ob_symbolic_link_type = {.name = "SymbolicLink",
                                              .tag = RTL_TAG('S', 'y', 'm', 'b'),
                                              .remove = link_remove,
                                              .mapping = {0x20001, 0x20000, 0x20001, 0xF0001}};

NTSTATUS ob_namespace_init(void)
{
    InitializeListHead(&names);
    return STATUS_SUCCESS;
}

void ob_path_free(PUNICODE_STRING path)
{
    if (path->Buffer)
        mm_pool_free(path->Buffer, NAME_TAG, 0);
    *path = (UNICODE_STRING){0};
}

/* first + second in new pool. */
static NTSTATUS join(const UNICODE_STRING *first, const UNICODE_STRING *second, PUNICODE_STRING joined)
{
    SIZE_T bytes = (SIZE_T)first->Length + second->Length;
    if (bytes > LONGEST_PATH)
        return STATUS_NAME_TOO_LONG;
    WCHAR *buffer = mm_pool_allocate(bytes + sizeof(WCHAR), NAME_TAG, 0, MM_POOL_KERNEL, 0);
    if (!buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    __builtin_memcpy(buffer, first->Buffer, first->Length);
    if (second->Length)
        __builtin_memcpy((UCHAR *)buffer + first->Length, second->Buffer, second->Length);
    buffer[bytes / sizeof(WCHAR)] = 0;
    *joined = (UNICODE_STRING){(USHORT)bytes, (USHORT)(bytes + sizeof(WCHAR)), buffer};
    return STATUS_SUCCESS;
}

static UNICODE_STRING literal(const WCHAR *text)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    return string;
}

#define WIDE(text) ((const WCHAR *)L##text) /* the build has 16-bit wchar_t */

static UNICODE_STRING tail_from(const UNICODE_STRING *string, USHORT bytes)
{
    return (UNICODE_STRING){(USHORT)(string->Length - bytes), (USHORT)(string->Length - bytes),
                            string->Buffer + bytes / sizeof(WCHAR)};
}

NTSTATUS ob_path_normalize(PCUNICODE_STRING name, PUNICODE_STRING normalized)
{
    static const WCHAR *const aliases[] = {WIDE("\\DosDevices\\"), WIDE("\\??\\"), WIDE("\\\\.\\"), WIDE("\\\\?\\"),
                                           WIDE("\\GLOBAL??\\")};
    const UNICODE_STRING global = literal(WIDE("\\GLOBAL??\\")), nothing = {0};
    UNICODE_STRING source = *name;
    if (source.Length % sizeof(WCHAR) || source.Length < 2 * sizeof(WCHAR) || source.Buffer[0] != '\\')
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(aliases); i++) {
        UNICODE_STRING alias = literal(aliases[i]);
        if (!RtlPrefixUnicodeString(&alias, &source, TRUE))
            continue;
        UNICODE_STRING rest = tail_from(&source, alias.Length);
        return join(&global, &rest, normalized);
    }
    return join(&source, &nothing, normalized);
}

/* The named object with the longest name that is path or a leading part of it up to a backslash. Lock held. */
static struct ob_header *find_prefix(const UNICODE_STRING *path)
{
    struct ob_header *best = NULL;
    for (LIST_ENTRY *entry = names.Flink; entry != &names; entry = entry->Flink) {
        struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, named);
        USHORT length = header->name.Length;
        if (!RtlPrefixUnicodeString(&header->name, path, TRUE))
            continue;
        if (length < path->Length && path->Buffer[length / sizeof(WCHAR)] != '\\')
            continue;
        if (length < path->Length && header->type == &ob_directory_type)
            continue; /* it has no say over the names in it */
        if (!best || length > best->name.Length)
            best = header;
    }
    return best;
}

NTSTATUS ob_insert(void *body, PCUNICODE_STRING name)
{
    struct ob_header *header = ob_header_of(body);
    UNICODE_STRING path;
    NTSTATUS status = ob_path_normalize(name, &path);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_acquire(&ob_lock);
    struct ob_header *other = find_prefix(&path);
    if (other && other->name.Length == path.Length) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else {
        header->name = path;
        InsertTailList(&names, &header->named);
    }
    plat_lock_release(&ob_lock);
    if (!NT_SUCCESS(status))
        ob_path_free(&path);
    return status;
}

void ob_remove_name(void *body)
{
    struct ob_header *header = ob_header_of(body);
    plat_lock_acquire(&ob_lock);
    UNICODE_STRING name = header->name;
    header->name = (UNICODE_STRING){0};
    RemoveEntryList(&header->named);
    InitializeListHead(&header->named);
    plat_lock_release(&ob_lock);
    ob_path_free(&name);
}

UNICODE_STRING ob_name(const void *body)
{
    return ob_header_of(body)->name;
}

NTSTATUS ob_lookup(PCUNICODE_STRING name, const struct ob_type *type, void **body, PUNICODE_STRING rest,
                   PUNICODE_STRING storage)
{
    UNICODE_STRING path;
    NTSTATUS status = ob_path_normalize(name, &path);
    for (ULONG followed = 0; NT_SUCCESS(status); followed++) {
        plat_lock_acquire(&ob_lock);
        struct ob_header *header = find_prefix(&path);
        void *found = header ? header + 1 : NULL;
        UNICODE_STRING tail = header ? tail_from(&path, header->name.Length) : (UNICODE_STRING){0};
        if (found && !ob_reference_alive(found))
            found = NULL; /* it is on its way out */
        plat_lock_release(&ob_lock);
        if (!found) {
            status = STATUS_OBJECT_NAME_NOT_FOUND;
        } else if (header->type != &ob_symbolic_link_type || (type == &ob_symbolic_link_type && !tail.Length)) {
            if (!type || header->type == type) {
                *body = found;
                *rest = tail;
                *storage = path;
                return STATUS_SUCCESS;
            }
            ob_dereference(found);
            status = STATUS_OBJECT_TYPE_MISMATCH;
        } else {
            UNICODE_STRING next = {0};
            status = followed < LINKS_FOLLOWED ? join(&((struct symbolic_link *)found)->target, &tail, &next)
                                               : STATUS_OBJECT_PATH_NOT_FOUND;
            ob_dereference(found);
            if (NT_SUCCESS(status)) {
                ob_path_free(&path);
                path = next;
            }
        }
        if (!NT_SUCCESS(status))
            ob_path_free(&path);
    }
    return status;
}

NTSTATUS ob_link_make(PCUNICODE_STRING target, ULONG_PTR caller, void **made)
{
    struct symbolic_link *link;
    NTSTATUS status = ob_create(&ob_symbolic_link_type, sizeof(*link), (void **)&link);
    if (!NT_SUCCESS(status))
        return status;
    link->caller = caller;
    status = ob_path_normalize(target, &link->target);
    if (NT_SUCCESS(status))
        *made = link;
    else
        ob_dereference(link);
    return status;
}

UNICODE_STRING ob_link_target(const void *link)
{
    return ((const struct symbolic_link *)link)->target;
}

NTSTATUS ob_link_create(PCUNICODE_STRING name, PCUNICODE_STRING target, ULONG_PTR caller)
{
    void *link;
    NTSTATUS status = ob_link_make(target, caller, &link);
    if (!NT_SUCCESS(status))
        return status;
    status = ob_insert(link, name);
    if (!NT_SUCCESS(status))
        ob_dereference(link);
    return status;
}

NTSTATUS ob_link_delete(PCUNICODE_STRING name)
{
    void *link;
    UNICODE_STRING rest, storage;
    NTSTATUS status = ob_lookup(name, &ob_symbolic_link_type, &link, &rest, &storage);
    if (!NT_SUCCESS(status))
        return status;
    ob_path_free(&storage);
    ob_dereference(link); /* the look-up's reference */
    ob_dereference(link); /* the one it was created with */
    return STATUS_SUCCESS;
}

SIZE_T ob_links_each(void (*callback)(void *context, const struct ob_link_info *link), void *context)
{
    SIZE_T count = 0;
    plat_lock_acquire(&ob_lock);
    for (LIST_ENTRY *entry = names.Flink; entry != &names; entry = entry->Flink) {
        struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, named);
        if (header->type != &ob_symbolic_link_type)
            continue;
        const struct symbolic_link *link = (const struct symbolic_link *)(header + 1);
        count++;
        if (callback)
            callback(context, &(struct ob_link_info){header->name, link->target, link->caller});
    }
    plat_lock_release(&ob_lock);
    return count;
}
