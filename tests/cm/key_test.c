/* key_test.c - creating, opening, deleting, renaming and enumerating keys; links; what the system has from the start.
 */
#include "cm_test.h"

static void created_then_opened(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child, again;
    UNICODE_STRING name = text(WIDE("One"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .RootDirectory = key, .ObjectName = &name};
    ULONG disposition = 0;
    assert_int_equal(ZwCreateKey(&child, KEY_READ, &attributes, 0, NULL, 0, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    assert_int_equal(ZwCreateKey(&again, KEY_READ, &attributes, 0, NULL, 0, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_OPENED_EXISTING_KEY);
    ZwClose(again);
    assert_int_equal(open_key(NULL, WIDE("\\REGISTRY\\machine\\SOFTWARE\\cmtest\\ONE\\"), 0, &again), STATUS_SUCCESS);
    ZwClose(again);
    assert_int_equal(open_key(key, WIDE(""), 0, &again), STATUS_SUCCESS);
    ZwClose(again);
    ZwClose(child);
    drop(key);
    check_counts(&before);
}

static void what_cannot_be_opened(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child;
    static WCHAR longest[260];
    for (int i = 0; i < 256; i++)
        longest[i] = 'a';
    assert_int_equal(open_key(key, WIDE("No"), 0, &child), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create_key(key, WIDE("No\\Such"), 0, &child), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_key(key, WIDE("\\One"), 0, &child), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(open_key(NULL, WIDE("Registry"), 0, &child), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(open_key(NULL, WIDE("\\Device"), 0, &child), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(create_key(key, longest, 0, &child), STATUS_INVALID_PARAMETER);
    longest[255] = 0;
    assert_int_equal(create_key(key, longest, 0, &child), STATUS_SUCCESS);
    ZwClose(child);
    assert_int_equal(create_key(key, WIDE("One"), 0x100, &child), STATUS_INVALID_PARAMETER);
    assert_int_equal(create_key(NULL, WIDE("\\Registry\\Machine\\Mine"), 0, &child), STATUS_INVALID_PARAMETER);
    assert_int_equal(create_key((HANDLE)0x7770, WIDE("One"), 0, &child), STATUS_INVALID_HANDLE);
    drop(key);
    check_counts(&before);
}

static void deleted_keys_say_so(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child, other;
    UCHAR buffer[64];
    ULONG needed, number = 1;
    UNICODE_STRING name = text(WIDE("V"));
    assert_int_equal(create_key(key, WIDE("One"), 0, &child), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
    assert_int_equal(set_value(child, WIDE("V"), REG_DWORD, &number, 4), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(child), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(child), STATUS_KEY_DELETED);
    assert_int_equal(set_value(child, WIDE("V"), REG_DWORD, &number, 4), STATUS_KEY_DELETED);
    assert_int_equal(ZwDeleteValueKey(child, &name), STATUS_KEY_DELETED);
    assert_int_equal(ZwQueryKey(child, KeyBasicInformation, buffer, 64, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwQueryKey(child, KeyNameInformation, buffer, 64, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwEnumerateKey(child, 0, KeyBasicInformation, buffer, 64, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwQueryValueKey(child, &name, 0, buffer, 64, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwEnumerateValueKey(child, 0, 0, buffer, 64, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwFlushKey(child), STATUS_KEY_DELETED);
    assert_int_equal(create_key(child, WIDE("Two"), 0, &other), STATUS_KEY_DELETED);
    assert_int_equal(ZwRenameKey(child, &name), STATUS_KEY_DELETED);
    assert_int_equal(create_key(key, WIDE("One"), 0, &other), STATUS_SUCCESS); /* the name is free again */
    assert_int_equal(number_of(other, WIDE("V")), 0);
    ZwClose(other);
    ZwClose(child);
    drop(key);
    check_counts(&before);
}

static void the_system_keeps_its_keys(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const WCHAR *const names[] = {WIDE("\\Registry"), WIDE("\\Registry\\Machine"),
                                         WIDE("\\Registry\\Machine\\System"), WIDE("\\Registry\\User\\.Default")};
    UNICODE_STRING mine = text(WIDE("Mine"));
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(names); i++) {
        HANDLE key;
        assert_int_equal(open_key(NULL, names[i], 0, &key), STATUS_SUCCESS);
        assert_int_equal(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
        assert_int_equal(ZwRenameKey(key, &mine), STATUS_ACCESS_DENIED);
        ZwClose(key);
    }
}

static void a_stable_key_cannot_be_below_a_volatile_one(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), above, below;
    assert_int_equal(create_key(key, WIDE("V"), REG_OPTION_VOLATILE, &above), STATUS_SUCCESS);
    assert_int_equal(create_key(above, WIDE("S"), 0, &below), STATUS_CHILD_MUST_BE_VOLATILE);
    assert_int_equal(create_key(above, WIDE("S"), REG_OPTION_VOLATILE, &below), STATUS_SUCCESS);
    ZwClose(below);
    assert_int_equal(create_key(above, WIDE("S"), 0, &below), STATUS_SUCCESS); /* it exists: opened */
    ZwClose(below);
    ZwClose(above);
    drop(key);
    assert_int_equal(create_key(NULL, WIDE("\\Registry\\Machine\\Hardware\\Mine"), 0, &below),
                     STATUS_CHILD_MUST_BE_VOLATILE);
    check_counts(&before);
}

/* The index-th subkey's name, as narrow text. */
static const char *name_at(HANDLE key, ULONG index)
{
    static char narrow[64];
    union {
        KEY_BASIC_INFORMATION info;
        UCHAR bytes[200];
    } child;
    ULONG needed, i;
    if (ZwEnumerateKey(key, index, KeyBasicInformation, &child, sizeof(child), &needed) != STATUS_SUCCESS)
        return "";
    for (i = 0; i < child.info.NameLength / 2; i++)
        narrow[i] = (char)child.info.Name[i];
    narrow[i] = 0;
    return narrow;
}

static void subkeys_come_by_name(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child;
    static const WCHAR *const names[] = {WIDE("delta"), WIDE("Alpha"), WIDE("CHARLIE"), WIDE("bravo")};
    UCHAR buffer[64];
    ULONG needed;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(create_key(key, names[i], 0, &child), STATUS_SUCCESS);
        ZwClose(child);
    }
    assert_string_equal(name_at(key, 0), "Alpha");
    assert_string_equal(name_at(key, 1), "bravo");
    assert_string_equal(name_at(key, 2), "CHARLIE");
    assert_string_equal(name_at(key, 3), "delta");
    assert_int_equal(ZwEnumerateKey(key, 4, KeyBasicInformation, buffer, 64, &needed), STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwEnumerateKey(key, 0, KeyNameInformation, buffer, 64, &needed), STATUS_INVALID_PARAMETER);
    assert_int_equal(open_key(key, WIDE("alpha"), 0, &child), STATUS_SUCCESS);
    UNICODE_STRING taken = text(WIDE("BRAVO")), free_name = text(WIDE("echo")), path = text(WIDE("a\\b"));
    assert_int_equal(ZwRenameKey(child, &taken), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(ZwRenameKey(child, &path), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwRenameKey(child, &free_name), STATUS_SUCCESS);
    assert_string_equal(name_at(key, 0), "bravo");
    assert_string_equal(name_at(key, 3), "echo");
    ZwClose(child);
    drop(key);
    check_counts(&before);
}

static void key_information(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child;
    UNICODE_STRING name = text(WIDE("Child")), class = text(WIDE("Class"));
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .RootDirectory = key, .ObjectName = &name};
    assert_int_equal(ZwCreateKey(&child, KEY_ALL_ACCESS, &attributes, 0, &class, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(set_value(key, WIDE("Value"), REG_BINARY, "12345", 5), STATUS_SUCCESS);
    KEY_FULL_INFORMATION full;
    ULONG needed = 0;
    assert_int_equal(ZwQueryKey(key, KeyFullInformation, &full, sizeof(full), &needed), STATUS_SUCCESS);
    assert_int_equal(needed, offsetof(KEY_FULL_INFORMATION, Class));
    assert_int_equal(full.SubKeys, 1);
    assert_int_equal(full.MaxNameLen, 10);
    assert_int_equal(full.MaxClassLen, 10);
    assert_int_equal(full.Values, 1);
    assert_int_equal(full.MaxValueNameLen, 10);
    assert_int_equal(full.MaxValueDataLen, 5);
    assert_int_equal(full.ClassOffset, ~0u);
    UCHAR buffer[128];
    KEY_NODE_INFORMATION *node = (KEY_NODE_INFORMATION *)buffer;
    assert_int_equal(ZwEnumerateKey(key, 0, KeyNodeInformation, buffer, sizeof(buffer), &needed), STATUS_SUCCESS);
    assert_int_equal(node->NameLength, 10);
    assert_memory_equal(node->Name, name.Buffer, 10);
    assert_int_equal(node->ClassLength, 10);
    assert_memory_equal(buffer + node->ClassOffset, class.Buffer, 10);
    assert_int_equal(needed, node->ClassOffset + 10);
    KEY_CACHED_INFORMATION cached;
    assert_int_equal(ZwQueryKey(key, KeyCachedInformation, &cached, sizeof(cached), &needed), STATUS_SUCCESS);
    assert_int_equal(cached.NameLength, 12);
    assert_int_equal(cached.SubKeys, 1);
    KEY_NAME_INFORMATION *path = (KEY_NAME_INFORMATION *)buffer;
    UNICODE_STRING expected = text(WIDE("\\REGISTRY\\MACHINE\\SOFTWARE\\CmTest"));
    assert_int_equal(ZwQueryKey(key, KeyNameInformation, buffer, sizeof(buffer), &needed), STATUS_SUCCESS);
    assert_int_equal(path->NameLength, expected.Length);
    assert_int_equal(needed, 4 + expected.Length);
    assert_memory_equal(path->Name, expected.Buffer, expected.Length);
    memset(buffer, 0xEE, sizeof(buffer));
    assert_int_equal(ZwQueryKey(key, KeyNameInformation, buffer, 14, &needed), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(needed, 4 + expected.Length);
    assert_memory_equal(path->Name, expected.Buffer, 10);
    assert_int_equal(buffer[14], 0xEE);
    assert_int_equal(ZwQueryKey(key, KeyNameInformation, buffer, 3, &needed), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(needed, 4 + expected.Length);
    assert_int_equal(ZwQueryKey(key, 77, buffer, sizeof(buffer), &needed), STATUS_INVALID_PARAMETER);
    KEY_WRITE_TIME_INFORMATION time = {.LastWriteTime.QuadPart = 12345};
    assert_int_equal(ZwSetInformationKey(key, KeyWriteTimeInformation, &time, 4), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwSetInformationKey(key, 5, &time, 8), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwSetInformationKey(key, KeyWriteTimeInformation, &time, 8), STATUS_SUCCESS);
    assert_int_equal(ZwQueryKey(key, KeyFullInformation, &full, sizeof(full), &needed), STATUS_SUCCESS);
    assert_int_equal(full.LastWriteTime.QuadPart, 12345);
    ZwClose(child);
    drop(key);
    check_counts(&before);
}

static void links_lead_elsewhere(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), target, link, through;
    const UNICODE_STRING path = text(WIDE("\\Registry\\Machine\\Software\\CmTest\\Target"));
    ULONG seven = 7;
    assert_int_equal(create_key(key, WIDE("Target"), 0, &target), STATUS_SUCCESS);
    assert_int_equal(set_value(target, WIDE("N"), REG_DWORD, &seven, 4), STATUS_SUCCESS);
    assert_int_equal(create_key(key, WIDE("Link"), REG_OPTION_CREATE_LINK | REG_OPTION_VOLATILE, &link),
                     STATUS_SUCCESS);
    assert_int_equal(open_key(key, WIDE("Link"), 0, &through), STATUS_OBJECT_NAME_NOT_FOUND); /* leads nowhere yet */
    assert_int_equal(set_value(link, WIDE("SymbolicLinkValue"), REG_LINK, path.Buffer, path.Length), STATUS_SUCCESS);
    assert_int_equal(create_key(key, WIDE("Link"), REG_OPTION_CREATE_LINK, &through), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(open_key(key, WIDE("Link"), 0, &through), STATUS_SUCCESS);
    assert_int_equal(number_of(through, WIDE("N")), 7);
    ZwClose(through);
    assert_int_equal(open_key(key, WIDE("Link"), OBJ_OPENLINK, &through), STATUS_SUCCESS);
    assert_int_equal(number_of(through, WIDE("N")), 0);
    ZwClose(through);
    /* A link that leads to itself ends. */
    const UNICODE_STRING self = text(WIDE("\\Registry\\Machine\\Software\\CmTest\\Link"));
    assert_int_equal(set_value(link, WIDE("SymbolicLinkValue"), REG_LINK, self.Buffer, self.Length), STATUS_SUCCESS);
    assert_int_equal(open_key(key, WIDE("Link\\More"), 0, &through), STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(link);
    ZwClose(target);
    drop(key);
    check_counts(&before);
}

static void what_drivers_expect_is_there(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE key;
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    RtlGetVersion(&version);
    assert_int_equal(
        open_key(NULL, WIDE("\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion"), 0, &key),
        STATUS_SUCCESS);
    assert_int_equal(number_of(key, WIDE("CurrentMajorVersionNumber")), version.dwMajorVersion);
    ZwClose(key);
    assert_int_equal(open_key(NULL, WIDE("\\Registry\\Machine\\System\\CurrentControlSet\\Control"), 0, &key),
                     STATUS_SUCCESS);
    ZwClose(key);
    assert_int_equal(open_key(NULL, WIDE("\\Registry\\Machine\\Hardware\\DeviceMap"), 0, &key), STATUS_SUCCESS);
    ZwClose(key);
}

static HANDLE service_key;
static NTSTATUS NTAPI entry(DRIVER_OBJECT *object, PUNICODE_STRING path)
{
    OBJECT_ATTRIBUTES attributes = {
        .Length = sizeof(attributes), .ObjectName = path, .Attributes = OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE};
    UNREFERENCED_PARAMETER(object);
    NTSTATUS status = ZwOpenKey(&service_key, KEY_READ, &attributes);
    return NT_SUCCESS(status) ? STATUS_UNSUCCESSFUL : STATUS_INTERNAL_ERROR;
}

static void the_registry_path_opens(void **state)
{
    UNREFERENCED_PARAMETER(state);
    DRIVER_OBJECT *driver;
    HANDLE parameters;
    assert_int_equal(io_driver_load((ULONG_PTR)entry, NULL, 0, "cmtest", &driver), STATUS_UNSUCCESSFUL);
    assert_int_equal(number_of(service_key, WIDE("Type")), 1);
    assert_int_equal(number_of(service_key, WIDE("Start")), 3);
    assert_int_equal(number_of(service_key, WIDE("ErrorControl")), 1);
    assert_int_equal(open_key(service_key, WIDE("Parameters"), 0, &parameters), STATUS_SUCCESS);
    ZwClose(parameters);
    ZwClose(service_key);
}

static void the_number_of_keys_is_bounded(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), child;
    ULONG made = 0;
    NTSTATUS status;
    for (;; made++) {
        WCHAR name[5] = {(WCHAR)('a' + made / 676 % 26), (WCHAR)('a' + made / 26 % 26), (WCHAR)('a' + made % 26)};
        if (made >= 17576)
            break;
        status = create_key(key, name, REG_OPTION_VOLATILE, &child);
        if (!NT_SUCCESS(status))
            break;
        ZwClose(child);
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(cm_counts().keys, CM_KEYS_MAX);
    drop(key);
    check_counts(&before);
}

static void access_is_checked_for_user_mode(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct counts before = counts();
    HANDLE key = scratch(), user;
    struct cm_key *body;
    NTSTATUS status;
    assert_int_equal(ObReferenceObjectByHandle(key, 0, CmKeyObjectType, KernelMode, (PVOID *)&body, NULL),
                     STATUS_SUCCESS);
    ACCESS_MASK grants[] = {KEY_QUERY_VALUE, KEY_READ};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ob_handle_create(body, grants[i], 0, UserMode, &user), STATUS_SUCCESS);
        PKTHREAD self = ke_thread_current();
        self->PreviousMode = UserMode;
        status = NtDeleteKey(user);
        self->PreviousMode = KernelMode;
        assert_int_equal(status, STATUS_ACCESS_DENIED);
        self->PreviousMode = UserMode;
        status = NtFlushKey(user);
        self->PreviousMode = KernelMode;
        assert_int_equal(status, STATUS_SUCCESS);
        assert_int_equal(ZwClose(user), STATUS_SUCCESS);
    }
    ObfDereferenceObject(body);
    drop(key);
    check_counts(&before);
}

/* The first handle of each kind makes a table, which stays. */
static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE event;
    drop(scratch());
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    return ZwClose(event);
}

int run_key_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_then_opened),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(deleted_keys_say_so),
        cmocka_unit_test(the_system_keeps_its_keys),
        cmocka_unit_test(a_stable_key_cannot_be_below_a_volatile_one),
        cmocka_unit_test(subkeys_come_by_name),
        cmocka_unit_test(key_information),
        cmocka_unit_test(links_lead_elsewhere),
        cmocka_unit_test(what_drivers_expect_is_there),
        cmocka_unit_test(the_registry_path_opens),
        cmocka_unit_test(the_number_of_keys_is_bounded),
        cmocka_unit_test(access_is_checked_for_user_mode),
    };
    return cmocka_run_group_tests_name("keys", tests, set_up, NULL);
}
