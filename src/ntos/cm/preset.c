/*
 * preset.c - the keys that a system has before any driver comes, and those of the driver that comes.
 */
#include "cm_internal.h"

#define WIDE(text) ((const WCHAR *)L##text)

enum { SYSTEM = 1, VOLATILE = 2, CLOSED = 4 };

/* Each parent stands before its children. */
static const struct {
    const WCHAR *path; /* below \Registry */
    ULONG flags;
} keys[] = {
    {WIDE("MACHINE"), SYSTEM | CLOSED},
    {WIDE("MACHINE\\HARDWARE"), SYSTEM | VOLATILE},
    {WIDE("MACHINE\\HARDWARE\\DESCRIPTION"), VOLATILE},
    {WIDE("MACHINE\\HARDWARE\\DESCRIPTION\\System"), VOLATILE},
    {WIDE("MACHINE\\HARDWARE\\DEVICEMAP"), VOLATILE},
    {WIDE("MACHINE\\HARDWARE\\RESOURCEMAP"), VOLATILE},
    {WIDE("MACHINE\\SOFTWARE"), SYSTEM},
    {WIDE("MACHINE\\SOFTWARE\\Microsoft"), 0},
    {WIDE("MACHINE\\SOFTWARE\\Microsoft\\Windows NT"), 0},
    {WIDE("MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"), 0},
    {WIDE("MACHINE\\SYSTEM"), SYSTEM},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001"), SYSTEM},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Control"), 0},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Control\\Class"), 0},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Control\\DeviceClasses"), 0},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Enum"), 0},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Hardware Profiles"), 0},
    {WIDE("MACHINE\\SYSTEM\\ControlSet001\\Services"), 0},
    {WIDE("MACHINE\\SYSTEM\\Select"), 0},
    {WIDE("USER"), SYSTEM | CLOSED},
    {WIDE("USER\\.DEFAULT"), SYSTEM},
};

static UNICODE_STRING string(const WCHAR *text)
{
    UNICODE_STRING made;
    RtlInitUnicodeString(&made, text);
    return made;
}

/* The key with this path below \Registry, made if only its last name is missing. Lock held. */
static struct cm_node *node_at(const WCHAR *path)
{
    UNICODE_STRING whole = string(path), last;
    WCHAR *storage = NULL;
    struct cm_node *node;
    NTSTATUS status = cm_walk(cm_root, &whole, true, &node, &last, &storage);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND && node)
        node = cm_node_create(node, &last, NULL);
    if (storage)
        mm_pool_free(storage, CM_TAG, 0);
    return node;
}

static NTSTATUS set_text(struct cm_node *node, const WCHAR *name, ULONG type, const WCHAR *text)
{
    UNICODE_STRING value = string(name), data = string(text);
    return cm_value_store(node, &value, type, text, data.Length + (type == REG_LINK ? 0 : sizeof(WCHAR)));
}

static NTSTATUS set_number(struct cm_node *node, const WCHAR *name, ULONG number)
{
    UNICODE_STRING value = string(name);
    return cm_value_store(node, &value, REG_DWORD, &number, sizeof(number));
}

static NTSTATUS set_version(void)
{
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    struct cm_node *node = node_at(WIDE("MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"));
    WCHAR build[12], *at = build + RTL_NUMBER_OF(build);
    RtlGetVersion(&version);
    *--at = 0;
    for (ULONG rest = version.dwBuildNumber; rest; rest /= 10)
        *--at = (WCHAR)('0' + rest % 10);
    if (!node)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = set_text(node, WIDE("ProductName"), REG_SZ, WIDE("umaccess"));
    if (NT_SUCCESS(status))
        status = set_text(node, WIDE("SystemRoot"), REG_SZ, WIDE("C:\\Windows"));
    if (NT_SUCCESS(status))
        status = set_text(node, WIDE("CurrentVersion"), REG_SZ, WIDE("6.3")); /* as every Windows since 8.1 has it */
    if (NT_SUCCESS(status))
        status = set_text(node, WIDE("CurrentBuild"), REG_SZ, at);
    if (NT_SUCCESS(status))
        status = set_text(node, WIDE("CurrentBuildNumber"), REG_SZ, at);
    if (NT_SUCCESS(status))
        status = set_number(node, WIDE("CurrentMajorVersionNumber"), version.dwMajorVersion);
    return NT_SUCCESS(status) ? set_number(node, WIDE("CurrentMinorVersionNumber"), version.dwMinorVersion) : status;
}

static NTSTATUS set_control_set(void)
{
    struct cm_node *select = node_at(WIDE("MACHINE\\SYSTEM\\Select"));
    struct cm_node *link = node_at(WIDE("MACHINE\\SYSTEM\\CurrentControlSet"));
    if (!select || !link)
        return STATUS_INSUFFICIENT_RESOURCES;
    link->is_link = link->is_volatile = link->fixed = true;
    NTSTATUS status = set_number(select, WIDE("Current"), 1);
    if (!NT_SUCCESS(status))
        return status;
    return set_text(link, WIDE("SymbolicLinkValue"), REG_LINK, WIDE("\\Registry\\Machine\\System\\ControlSet001"));
}

static NTSTATUS make_keys(void)
{
    UNICODE_STRING name = string(WIDE("REGISTRY"));
    NTSTATUS status;
    cm_root = cm_node_create(NULL, &name, NULL);
    if (!cm_root)
        return STATUS_INSUFFICIENT_RESOURCES;
    cm_root->fixed = cm_root->closed = true;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(keys); i++) {
        struct cm_node *node = node_at(keys[i].path);
        if (!node)
            return STATUS_INSUFFICIENT_RESOURCES;
        node->fixed = keys[i].flags & SYSTEM;
        node->closed = keys[i].flags & CLOSED;
        node->is_volatile = keys[i].flags & VOLATILE;
    }
    status = set_control_set();
    return NT_SUCCESS(status) ? set_version() : status;
}

NTSTATUS cm_init(void)
{
    struct cm_key *key;
    UNICODE_STRING name = string(WIDE("\\Registry"));
    plat_lock_init(&cm_lock);
    cm_watch_init();
    cm_callback_init();
    NTSTATUS status = ob_create(&cm_key_type, sizeof(*key), (void **)&key);
    if (!NT_SUCCESS(status))
        return status;
    plat_lock_acquire(&cm_lock);
    status = make_keys();
    if (NT_SUCCESS(status)) {
        key->node = cm_root;
        cm_root->references++;
    }
    plat_lock_release(&cm_lock);
    return NT_SUCCESS(status) ? ob_insert(key, &name) : status;
}

static NTSTATUS set_if_missing(struct cm_node *node, const WCHAR *name, ULONG number)
{
    UNICODE_STRING value = string(name);
    return cm_value_find(node, &value) ? STATUS_SUCCESS : set_number(node, name, number);
}

/* "\SystemRoot\System32\drivers\X.sys" */
static NTSTATUS set_image_path(struct cm_node *node, PCUNICODE_STRING driver)
{
    WCHAR text[160] = {0};
    UNICODE_STRING path = {0, sizeof(text) - sizeof(WCHAR), text}, name = string(WIDE("ImagePath"));
    RtlAppendUnicodeToString(&path, WIDE("\\SystemRoot\\System32\\drivers\\"));
    RtlAppendUnicodeStringToString(&path, driver);
    RtlAppendUnicodeToString(&path, WIDE(".sys"));
    if (cm_value_find(node, &name))
        return STATUS_SUCCESS;
    return cm_value_store(node, &name, REG_EXPAND_SZ, text, path.Length + sizeof(WCHAR));
}

static NTSTATUS fill_service(struct cm_node *node, PCUNICODE_STRING driver)
{
    UNICODE_STRING parameters = string(WIDE("Parameters"));
    NTSTATUS status = set_image_path(node, driver);
    if (NT_SUCCESS(status))
        status = set_if_missing(node, WIDE("Type"), 1); /* a kernel driver */
    if (NT_SUCCESS(status))
        status = set_if_missing(node, WIDE("Start"), 3); /* on demand */
    if (NT_SUCCESS(status))
        status = set_if_missing(node, WIDE("ErrorControl"), 1);
    if (NT_SUCCESS(status) && !cm_node_find(node, &parameters) && !cm_node_create(node, &parameters, NULL))
        status = STATUS_INSUFFICIENT_RESOURCES;
    return status;
}

NTSTATUS cm_service_create(PCUNICODE_STRING name)
{
    plat_lock_acquire(&cm_lock);
    struct cm_node *services = node_at(WIDE("MACHINE\\SYSTEM\\ControlSet001\\Services"));
    struct cm_node *node = services ? cm_node_find(services, name) : NULL;
    if (services && !node)
        node = cm_node_create(services, name, NULL);
    NTSTATUS status = node ? fill_service(node, name) : STATUS_INSUFFICIENT_RESOURCES;
    plat_lock_release(&cm_lock);
    return status;
}

/* First things first: each leading part that ends where a name ends. */
NTSTATUS cm_path_make(PCUNICODE_STRING path, struct cm_key **key)
{
    const USHORT count = path->Length / sizeof(WCHAR);
    NTSTATUS status = STATUS_OBJECT_TYPE_MISMATCH;
    USHORT names = 0;
    *key = NULL;
    for (USHORT i = 1; i <= count; i++) {
        bool ends = (i == count || path->Buffer[i] == '\\') && path->Buffer[i - 1] != '\\';
        UNICODE_STRING part = {(USHORT)(i * sizeof(WCHAR)), (USHORT)(i * sizeof(WCHAR)), path->Buffer};
        if (!ends)
            continue;
        if (*key)
            ob_dereference(*key);
        *key = NULL;
        status = cm_open_path(&part, names++ > 0, key);
        if (!NT_SUCCESS(status))
            return status;
    }
    return status;
}
