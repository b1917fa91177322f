/*
 * query.c - the information classes of keys and values.
 */
#include "cm_internal.h"

/* A structure being written into a buffer that may be too short for it. */
struct output {
    UCHAR *buffer;
    ULONG length, fixed, needed;
};

static void put(struct output *out, ULONG offset, const void *data, ULONG bytes)
{
    ULONG room = offset < out->length ? out->length - offset : 0;
    if (out->length >= out->fixed && room && bytes)
        __builtin_memcpy(out->buffer + offset, data, bytes < room ? bytes : room);
    if (out->needed < offset + bytes)
        out->needed = offset + bytes;
}

static NTSTATUS finish(const struct output *out, ULONG *needed)
{
    *needed = out->needed;
    if (out->length < out->fixed)
        return STATUS_BUFFER_TOO_SMALL;
    return out->length < out->needed ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* The fixed part: a structure without its variable end. */
static void put_fixed(struct output *out, const void *data, ULONG bytes)
{
    out->fixed = bytes;
    put(out, 0, data, bytes);
}

static ULONG align(ULONG value, ULONG to)
{
    return (value + to - 1) & ~(to - 1);
}

/* ---- keys ---- */

struct largest {
    ULONG name, class, value_name, value_data;
};

static void raise_to(ULONG *largest, ULONG value)
{
    if (*largest < value)
        *largest = value;
}

static struct largest measure(const struct cm_node *node)
{
    struct largest most = {0};
    for (LIST_ENTRY *at = node->subkeys.Flink; at != &node->subkeys; at = at->Flink) {
        const struct cm_node *child = CONTAINING_RECORD(at, struct cm_node, sibling);
        raise_to(&most.name, child->name.Length);
        raise_to(&most.class, child->class.Length);
    }
    for (LIST_ENTRY *at = node->values.Flink; at != &node->values; at = at->Flink) {
        const struct cm_value *value = CONTAINING_RECORD(at, struct cm_value, link);
        raise_to(&most.value_name, value->name.Length);
        raise_to(&most.value_data, value->bytes);
    }
    return most;
}

static void put_basic(struct output *out, const struct cm_node *node)
{
    KEY_BASIC_INFORMATION info = {.LastWriteTime.QuadPart = node->last_write, .NameLength = node->name.Length};
    put_fixed(out, &info, offsetof(KEY_BASIC_INFORMATION, Name));
    put(out, offsetof(KEY_BASIC_INFORMATION, Name), node->name.Buffer, node->name.Length);
}

static void put_node(struct output *out, const struct cm_node *node)
{
    const ULONG name = offsetof(KEY_NODE_INFORMATION, Name);
    KEY_NODE_INFORMATION info = {.LastWriteTime.QuadPart = node->last_write,
                                 .ClassOffset = node->class.Length ? align(name + node->name.Length, 4) : ~0u,
                                 .ClassLength = node->class.Length,
                                 .NameLength = node->name.Length};
    put_fixed(out, &info, name);
    put(out, name, node->name.Buffer, node->name.Length);
    if (node->class.Length)
        put(out, info.ClassOffset, node->class.Buffer, node->class.Length);
}

static void put_full(struct output *out, const struct cm_node *node)
{
    struct largest most = measure(node);
    const ULONG class = offsetof(KEY_FULL_INFORMATION, Class);
    KEY_FULL_INFORMATION info = {.LastWriteTime.QuadPart = node->last_write,
                                 .ClassOffset = node->class.Length ? class : ~0u,
                                 .ClassLength = node->class.Length,
                                 .SubKeys = node->subkey_count,
                                 .MaxNameLen = most.name,
                                 .MaxClassLen = most.class,
                                 .Values = node->value_count,
                                 .MaxValueNameLen = most.value_name,
                                 .MaxValueDataLen = most.value_data};
    put_fixed(out, &info, class);
    put(out, class, node->class.Buffer, node->class.Length);
}

static void put_cached(struct output *out, const struct cm_node *node)
{
    struct largest most = measure(node);
    KEY_CACHED_INFORMATION info = {.LastWriteTime.QuadPart = node->last_write,
                                   .SubKeys = node->subkey_count,
                                   .MaxNameLen = most.name,
                                   .Values = node->value_count,
                                   .MaxValueNameLen = most.value_name,
                                   .MaxValueDataLen = most.value_data,
                                   .NameLength = node->name.Length};
    put_fixed(out, &info, sizeof(info));
}

static void put_path(struct output *out, const struct cm_node *node)
{
    const ULONG name = offsetof(KEY_NAME_INFORMATION, Name);
    ULONG bytes = cm_node_path(node, out->buffer, 0);
    put_fixed(out, &bytes, name);
    if (out->length > name)
        cm_node_path(node, out->buffer + name, out->length - name);
    out->needed = name + bytes;
}

/* Virtualization, flags and tags: there are none of any. */
static void put_zeroes(struct output *out, ULONG bytes)
{
    static const UCHAR zeroes[12];
    put_fixed(out, zeroes, bytes);
}

static NTSTATUS put_key(struct output *out, const struct cm_node *node, ULONG information)
{
    switch (information) {
    case KeyBasicInformation:
        put_basic(out, node);
        break;
    case KeyNodeInformation:
        put_node(out, node);
        break;
    case KeyFullInformation:
        put_full(out, node);
        break;
    case KeyNameInformation:
        put_path(out, node);
        break;
    case KeyCachedInformation:
        put_cached(out, node);
        break;
    case KeyFlagsInformation:
        put_zeroes(out, 12);
        break;
    case KeyVirtualizationInformation:
    case KeyHandleTagsInformation:
        put_zeroes(out, sizeof(ULONG));
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS do_query(struct cm_key *key, ULONG information, void *buffer, ULONG length, ULONG *needed)
{
    struct output out = {.buffer = buffer, .length = length};
    plat_lock_acquire(&cm_lock);
    NTSTATUS status = key->node->deleted ? STATUS_KEY_DELETED : put_key(&out, key->node, information);
    plat_lock_release(&cm_lock);
    return NT_SUCCESS(status) ? finish(&out, needed) : status;
}

NTSTATUS cm_query(struct cm_key *key, ULONG information, void *buffer, ULONG length, ULONG *needed)
{
    REG_QUERY_KEY_INFORMATION info = {.Object = key,
                                      .KeyInformationClass = (KEY_INFORMATION_CLASS)information,
                                      .KeyInformation = buffer,
                                      .Length = length,
                                      .ResultLength = needed};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreQueryKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_query(key, information, buffer, length, needed);
    return cm_notified(&notice, RegNtPostQueryKey, status);
}

static NTSTATUS do_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length,
                             ULONG *needed)
{
    struct output out = {.buffer = buffer, .length = length};
    NTSTATUS status;
    if (information > KeyFullInformation)
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&cm_lock);
    const struct cm_node *child = cm_node_at(key->node, index);
    if (key->node->deleted)
        status = STATUS_KEY_DELETED;
    else
        status = child ? put_key(&out, child, information) : STATUS_NO_MORE_ENTRIES;
    plat_lock_release(&cm_lock);
    return status == STATUS_SUCCESS ? finish(&out, needed) : status;
}

NTSTATUS cm_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length, ULONG *needed)
{
    REG_ENUMERATE_KEY_INFORMATION info = {.Object = key,
                                          .Index = index,
                                          .KeyInformationClass = (KEY_INFORMATION_CLASS)information,
                                          .KeyInformation = buffer,
                                          .Length = length,
                                          .ResultLength = needed};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreEnumerateKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_enumerate(key, index, information, buffer, length, needed);
    return cm_notified(&notice, RegNtPostEnumerateKey, status);
}

/* ---- values ---- */

static void put_value_full(struct output *out, const struct cm_value *value, ULONG data_alignment)
{
    const ULONG name = offsetof(KEY_VALUE_FULL_INFORMATION, Name);
    KEY_VALUE_FULL_INFORMATION info = {.Type = value->type,
                                       .DataOffset = align(name + value->name.Length, data_alignment),
                                       .DataLength = value->bytes,
                                       .NameLength = value->name.Length};
    put_fixed(out, &info, name);
    put(out, name, value->name.Buffer, value->name.Length);
    put(out, info.DataOffset, value->data, value->bytes);
}

static NTSTATUS put_value(struct output *out, const struct cm_value *value, ULONG information)
{
    const KEY_VALUE_BASIC_INFORMATION basic = {.Type = value->type, .NameLength = value->name.Length};
    const KEY_VALUE_PARTIAL_INFORMATION partial = {.Type = value->type, .DataLength = value->bytes};
    const KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 aligned = {.Type = value->type, .DataLength = value->bytes};
    switch (information) {
    case KeyValueBasicInformation:
        put_fixed(out, &basic, offsetof(KEY_VALUE_BASIC_INFORMATION, Name));
        put(out, offsetof(KEY_VALUE_BASIC_INFORMATION, Name), value->name.Buffer, value->name.Length);
        break;
    case KeyValueFullInformation:
    case KeyValueFullInformationAlign64:
        put_value_full(out, value, information == KeyValueFullInformation ? 4 : 8);
        break;
    case KeyValuePartialInformation:
        put_fixed(out, &partial, offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data));
        put(out, offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data), value->data, value->bytes);
        break;
    case KeyValuePartialInformationAlign64:
        put_fixed(out, &aligned, offsetof(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data));
        put(out, offsetof(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data), value->data, value->bytes);
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS do_value_query(struct cm_key *key, PCUNICODE_STRING name, ULONG information, void *buffer, ULONG length,
                               ULONG *needed)
{
    struct output out = {.buffer = buffer, .length = length};
    NTSTATUS status;
    if (information > KeyValuePartialInformationAlign64)
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&cm_lock);
    const struct cm_value *value = cm_value_find(key->node, name);
    if (key->node->deleted)
        status = STATUS_KEY_DELETED;
    else
        status = value ? put_value(&out, value, information) : STATUS_OBJECT_NAME_NOT_FOUND;
    plat_lock_release(&cm_lock);
    return NT_SUCCESS(status) ? finish(&out, needed) : status;
}

NTSTATUS cm_value_query(struct cm_key *key, PCUNICODE_STRING name, ULONG information, void *buffer, ULONG length,
                        ULONG *needed)
{
    REG_QUERY_VALUE_KEY_INFORMATION info = {.Object = key,
                                            .ValueName = (PUNICODE_STRING)name,
                                            .KeyValueInformationClass = (KEY_VALUE_INFORMATION_CLASS)information,
                                            .KeyValueInformation = buffer,
                                            .Length = length,
                                            .ResultLength = needed};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreQueryValueKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_value_query(key, name, information, buffer, length, needed);
    return cm_notified(&notice, RegNtPostQueryValueKey, status);
}

static NTSTATUS do_value_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length,
                                   ULONG *needed)
{
    struct output out = {.buffer = buffer, .length = length};
    NTSTATUS status;
    if (information > KeyValuePartialInformationAlign64)
        return STATUS_INVALID_PARAMETER;
    plat_lock_acquire(&cm_lock);
    const struct cm_value *value = cm_value_at(key->node, index);
    if (key->node->deleted)
        status = STATUS_KEY_DELETED;
    else
        status = value ? put_value(&out, value, information) : STATUS_NO_MORE_ENTRIES;
    plat_lock_release(&cm_lock);
    return status == STATUS_SUCCESS ? finish(&out, needed) : status;
}

NTSTATUS cm_value_enumerate(struct cm_key *key, ULONG index, ULONG information, void *buffer, ULONG length,
                            ULONG *needed)
{
    REG_ENUMERATE_VALUE_KEY_INFORMATION info = {.Object = key,
                                                .Index = index,
                                                .KeyValueInformationClass = (KEY_VALUE_INFORMATION_CLASS)information,
                                                .KeyValueInformation = buffer,
                                                .Length = length,
                                                .ResultLength = needed};
    struct cm_notice notice;
    NTSTATUS status = cm_notify(&notice, RegNtPreEnumerateValueKey, key, &info, &info.CallContext);
    if (notice.perform)
        status = do_value_enumerate(key, index, information, buffer, length, needed);
    return cm_notified(&notice, RegNtPostEnumerateValueKey, status);
}
