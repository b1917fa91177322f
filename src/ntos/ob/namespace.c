/*
 * namespace.c - names of objects, and symbolic links.
 *
 * A flat list of full paths: a system here has a few dozen names. A name is found only while every directory on its way
 * has its own name.
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
        mm_heap_free(path->Buffer, NAME_TAG);
    *path = (UNICODE_STRING){0};
}

/* first + second, in a new block. */
NTSTATUS ob_path_join(const UNICODE_STRING *first, const UNICODE_STRING *second, PUNICODE_STRING joined)
{
    SIZE_T bytes = (SIZE_T)first->Length + second->Length;
    if (bytes > LONGEST_PATH)
        return STATUS_NAME_TOO_LONG;
    WCHAR *buffer = mm_heap_allocate(bytes + sizeof(WCHAR), NAME_TAG);
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
    if (source.Length % sizeof(WCHAR) || source.Length < sizeof(WCHAR) || source.Buffer[0] != '\\')
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(aliases); i++) {
        UNICODE_STRING alias = literal(aliases[i]);
        if (!RtlPrefixUnicodeString(&alias, &source, TRUE))
            continue;
        UNICODE_STRING rest = tail_from(&source, alias.Length);
        return ob_path_join(&global, &rest, normalized);
    }
    return ob_path_join(&source, &nothing, normalized);
}

static struct ob_header *find_exact(const UNICODE_STRING *path)
{
    for (LIST_ENTRY *entry = names.Flink; entry != &names; entry = entry->Flink) {
        struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, named);
        if (RtlEqualUnicodeString(&header->name, path, TRUE))
            return header;
    }
    return NULL;
}

/* Whether each directory that path lies in has its name. Lock held. */
static bool directories_exist(const UNICODE_STRING *path)
{
    for (USHORT i = 1; i < path->Length / sizeof(WCHAR); i++) {
        const UNICODE_STRING part = {(USHORT)(i * sizeof(WCHAR)), (USHORT)(i * sizeof(WCHAR)), path->Buffer};
        if (path->Buffer[i] != '\\')
            continue;
        const struct ob_header *header = find_exact(&part);
        if (!header || header->type != &ob_directory_type)
            return false;
    }
    return true;
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

/* kept: with OBJ_PERMANENT the name space holds a reference. */
static NTSTATUS insert(void *body, PCUNICODE_STRING name, bool permanent, bool kept)
{
    struct ob_header *header = ob_header_of(body);
    UNICODE_STRING path;
    NTSTATUS status = ob_path_normalize(name, &path);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_acquire(&ob_lock);
    if (find_exact(&path)) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else if (!directories_exist(&path)) {
        status = STATUS_OBJECT_PATH_NOT_FOUND;
    } else {
        header->name = path;
        header->permanent = permanent;
        header->kept = kept;
        if (kept)
            ob_reference(body);
        InsertTailList(&names, &header->named);
    }
    plat_lock_release(&ob_lock);
    if (!NT_SUCCESS(status))
        ob_path_free(&path);
    return status;
}

NTSTATUS ob_insert(void *body, PCUNICODE_STRING name)
{
    return insert(body, name, true, false);
}

NTSTATUS ob_insert_as(void *body, PCUNICODE_STRING name, ULONG attributes)
{
    bool permanent = attributes & OBJ_PERMANENT;
    return insert(body, name, permanent, permanent);
}

/* Lock held. Returns the name, to be freed without the lock. */
static UNICODE_STRING take_name(struct ob_header *header)
{
    UNICODE_STRING name = header->name;
    header->name = (UNICODE_STRING){0};
    RemoveEntryList(&header->named);
    InitializeListHead(&header->named);
    return name;
}

void ob_remove_name(void *body)
{
    struct ob_header *header = ob_header_of(body);
    if (IsListEmpty(&header->named))
        return; /* without a name and, as it is going, without anybody to give it one */
    plat_lock_acquire(&ob_lock);
    UNICODE_STRING name = take_name(header);
    plat_lock_release(&ob_lock);
    ob_path_free(&name);
}

void ob_last_handle(void *body)
{
    struct ob_header *header = ob_header_of(body);
    UNICODE_STRING name = {0};
    if (IsListEmpty(&header->named))
        return;
    plat_lock_acquire(&ob_lock);
    if (!header->permanent && !ob_handle_count(body))
        name = take_name(header);
    plat_lock_release(&ob_lock);
    ob_path_free(&name);
}

void ob_make_temporary(void *body)
{
    struct ob_header *header = ob_header_of(body);
    UNICODE_STRING name = {0};
    plat_lock_acquire(&ob_lock);
    bool kept = header->kept;
    header->permanent = header->kept = false;
    if (!ob_handle_count(body))
        name = take_name(header);
    plat_lock_release(&ob_lock);
    ob_path_free(&name);
    if (kept)
        ob_dereference(body);
}

void ob_make_permanent(void *body)
{
    struct ob_header *header = ob_header_of(body);
    plat_lock_acquire(&ob_lock);
    if (!header->permanent && !IsListEmpty(&header->named)) {
        header->permanent = header->kept = true;
        ob_reference(body);
    }
    plat_lock_release(&ob_lock);
}

NTSTATUS ob_name_copy(const void *body, PUNICODE_STRING copy)
{
    const UNICODE_STRING nothing = {0};
    plat_lock_acquire(&ob_lock);
    NTSTATUS status = ob_path_join(&ob_header_of(body)->name, &nothing, copy);
    plat_lock_release(&ob_lock);
    return status;
}

/* The last part of header's name, if it stands directly in the directory. */
static bool name_in(const UNICODE_STRING *directory, const struct ob_header *header, PUNICODE_STRING last)
{
    bool root = directory->Length == sizeof(WCHAR);
    USHORT skip = (USHORT)(directory->Length + (root ? 0 : sizeof(WCHAR)));
    if (header->name.Length <= skip || !RtlPrefixUnicodeString(directory, &header->name, TRUE) ||
        header->name.Buffer[skip / sizeof(WCHAR) - 1] != '\\')
        return false;
    *last = tail_from(&header->name, skip);
    for (USHORT i = 0; i < last->Length / sizeof(WCHAR); i++)
        if (last->Buffer[i] == '\\')
            return false;
    return true;
}

bool ob_directory_entry(const void *directory, ULONG index, WCHAR name[OB_ENTRY_NAME_MAX], PUSHORT bytes,
                        const struct ob_type **type)
{
    bool found = false;
    plat_lock_acquire(&ob_lock);
    const UNICODE_STRING path = ob_header_of(directory)->name;
    for (LIST_ENTRY *entry = names.Flink; path.Length && entry != &names && !found; entry = entry->Flink) {
        const struct ob_header *header = CONTAINING_RECORD(entry, struct ob_header, named);
        UNICODE_STRING last;
        if (!name_in(&path, header, &last) || index--)
            continue;
        found = true;
        *type = header->type;
        *bytes =
            last.Length < OB_ENTRY_NAME_MAX * sizeof(WCHAR) ? last.Length : (USHORT)(OB_ENTRY_NAME_MAX * sizeof(WCHAR));
        __builtin_memcpy(name, last.Buffer, *bytes);
    }
    plat_lock_release(&ob_lock);
    return found;
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
        bool reachable = directories_exist(header ? &header->name : &path);
        void *found = header && reachable ? header + 1 : NULL;
        UNICODE_STRING tail = header ? tail_from(&path, header->name.Length) : (UNICODE_STRING){0};
        if (found && !ob_reference_alive(found))
            found = NULL; /* it is on its way out */
        plat_lock_release(&ob_lock);
        if (!found) {
            status = reachable ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
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
            status = followed < LINKS_FOLLOWED ? ob_path_join(&((struct symbolic_link *)found)->target, &tail, &next)
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
    status = ob_insert_as(link, name, OBJ_PERMANENT);
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
    ob_make_temporary(link);
    ob_dereference(link);
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
