/*
 * objects.c - the rules of the name space and of handles, as user mode and drivers meet them: how long a name lives,
 * exclusive objects, paths that lead nowhere, what queries say and which lengths they want.
 */
#include "svc_test.h"

static OBJECT_ATTRIBUTES attributes;
static UNICODE_STRING name;

static OBJECT_ATTRIBUTES *named(const WCHAR *text, ULONG flags)
{
    RtlInitUnicodeString(&name, text);
    attributes = (OBJECT_ATTRIBUTES){.Length = sizeof(attributes), .ObjectName = &name, .Attributes = flags};
    return &attributes;
}

static HANDLE make(const WCHAR *text, ULONG flags)
{
    HANDLE handle;
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, named(text, flags), NotificationEvent, FALSE),
                     STATUS_SUCCESS);
    return handle;
}

static NTSTATUS open(const WCHAR *text, ULONG flags, HANDLE *handle)
{
    return ZwOpenEvent(handle, EVENT_ALL_ACCESS, named(text, flags));
}

static void a_name_goes_with_the_last_handle(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE first = make(WIDE("\\Temporary"), 0), second;
    PVOID object;
    assert_int_equal(ObReferenceObjectByHandle(first, 0, NULL, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_int_equal(open(WIDE("\\temporary"), 0, &second), STATUS_SUCCESS);
    ZwClose(first);
    assert_int_equal(open(WIDE("\\Temporary"), 0, &first), STATUS_SUCCESS);
    ZwClose(first);
    ZwClose(second);
    assert_int_equal(open(WIDE("\\Temporary"), 0, &first), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ob_reference_count(object), 1); /* the pointer keeps the object, not its name */
    ObfDereferenceObject(object);
}

static void a_permanent_name_stays_until_made_temporary(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE handle = make(WIDE("\\Permanent"), OBJ_PERMANENT);
    ZwClose(handle);
    assert_int_equal(open(WIDE("\\Permanent"), 0, &handle), STATUS_SUCCESS);
    assert_int_equal(ZwMakeTemporaryObject(handle), STATUS_SUCCESS);
    assert_int_equal(ZwMakeTemporaryObject(handle), STATUS_SUCCESS);
    ZwClose(handle);
    assert_int_equal(open(WIDE("\\Permanent"), 0, &handle), STATUS_OBJECT_NAME_NOT_FOUND);
    bench_check(&before);
}

static void an_object_is_made_permanent_later(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    HANDLE handle = make(WIDE("\\Later"), 0);
    assert_int_equal(ZwMakePermanentObject(handle), STATUS_SUCCESS);
    assert_int_equal(ZwMakePermanentObject(handle), STATUS_SUCCESS);
    ZwClose(handle);
    assert_int_equal(open(WIDE("\\Later"), 0, &handle), STATUS_SUCCESS);
    PVOID object;
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL), STATUS_SUCCESS);
    ZwClose(handle);
    ObMakeTemporaryObject(object); /* without handles the name goes at once */
    assert_int_equal(open(WIDE("\\Later"), 0, &handle), STATUS_OBJECT_NAME_NOT_FOUND);
    ObfDereferenceObject(object);
    bench_check(&before);
}

/* User memory with attributes that name an event. */
static ULONG_PTR user_attributes(const WCHAR *text, ULONG flags)
{
    static ULONG_PTR page;
    if (!page)
        page = bench_user_page(PLAT_READWRITE);
    OBJECT_ATTRIBUTES user = {.Length = sizeof(user), .ObjectName = (PUNICODE_STRING)(page + 128), .Attributes = flags};
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    assert_true(plat_user_store(page + 256, string.Buffer, string.Length));
    string.Buffer = (PWCH)(page + 256);
    assert_true(plat_user_store(page + 128, &string, sizeof(string)));
    assert_true(plat_user_store(page, &user, sizeof(user)));
    return page;
}

static void user_mode_may_not_make_permanent_objects(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    ULONG_PTR page = user_attributes(WIDE("\\UserPermanent"), OBJ_PERMANENT);
    assert_int_equal(CALL(CreateEvent, page + 512, EVENT_ALL_ACCESS, page, NotificationEvent, 0),
                     STATUS_PRIVILEGE_NOT_HELD);
    bench_check(&before);
}

static void an_exclusive_object_belongs_to_one_process(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE mine = make(WIDE("\\Exclusive"), OBJ_EXCLUSIVE), again, other;
    KAPC_STATE apc;
    assert_int_equal(open(WIDE("\\Exclusive"), OBJ_EXCLUSIVE, &again), STATUS_SUCCESS);
    KeStackAttachProcess(PsInitialSystemProcess, &apc);
    NTSTATUS elsewhere = open(WIDE("\\Exclusive"), 0, &other);
    KeUnstackDetachProcess(&apc);
    assert_int_equal(elsewhere, STATUS_ACCESS_DENIED);
    assert_int_equal(open(WIDE("\\Exclusive"), OBJ_KERNEL_HANDLE, &other), STATUS_ACCESS_DENIED);
    assert_int_equal(
        ob_handle_duplicate(&ke_user.body, mine, &ke_system.body, 0, 0, DUPLICATE_SAME_ACCESS, KernelMode, &other),
        STATUS_ACCESS_DENIED);
    ZwClose(mine);
    ZwClose(again);
    mine = make(WIDE("\\Shared"), 0);
    assert_int_equal(open(WIDE("\\Shared"), OBJ_EXCLUSIVE, &again), STATUS_ACCESS_DENIED);
    ZwClose(mine);
}

static void a_missing_directory_is_another_status(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handle, directory;
    struct bench_counts before = bench_counts();
    assert_int_equal(open(WIDE("\\NoSuch"), 0, &handle), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open(WIDE("\\NoSuch\\Name"), 0, &handle), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, named(WIDE("\\NoSuch\\Name"), 0), 0, 0),
                     STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(ZwCreateDirectoryObject(&directory, GENERIC_ALL, named(WIDE("\\NoSuch"), 0)), STATUS_SUCCESS);
    handle = make(WIDE("\\NoSuch\\Name"), 0);
    ZwClose(directory); /* the directory's name goes, and nothing in it can be found */
    assert_int_equal(open(WIDE("\\NoSuch\\Name"), 0, &directory), STATUS_OBJECT_PATH_NOT_FOUND);
    ZwClose(handle);
    bench_check(&before);
}

static void the_root_is_a_directory(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE root, handle, again;
    assert_int_equal(ZwOpenDirectoryObject(&root, GENERIC_READ, named(WIDE("\\"), 0)), STATUS_SUCCESS);
    named(WIDE("InRoot"), 0)->RootDirectory = root;
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE), STATUS_SUCCESS);
    assert_int_equal(open(WIDE("\\InRoot"), 0, &again), STATUS_SUCCESS);
    ZwClose(again);
    ZwClose(handle);
    ZwClose(root);
}

static void a_link_made_through_iocreatesymboliclink_is_permanent(void **state)
{
    UNREFERENCED_PARAMETER(state);
    UNICODE_STRING link, target;
    HANDLE handle;
    struct bench_counts before = bench_counts();
    RtlInitUnicodeString(&link, WIDE("\\DosDevices\\Permanent"));
    RtlInitUnicodeString(&target, WIDE("\\Device\\SvcTest"));
    assert_int_equal(IoCreateSymbolicLink(&link, &target), STATUS_SUCCESS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ZwOpenSymbolicLinkObject(&handle, GENERIC_ALL, named(WIDE("\\GLOBAL??\\Permanent"), 0)),
                         STATUS_SUCCESS);
        ZwClose(handle);
    }
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    bench_check(&before);
}

/* ---- queries ---- */

static void basic_information(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PUBLIC_OBJECT_BASIC_INFORMATION basic;
    ULONG length = 0;
    HANDLE handle = make(WIDE("\\Basic"), OBJ_INHERIT), second;
    assert_int_equal(open(WIDE("\\Basic"), 0, &second), STATUS_SUCCESS);
    assert_int_equal(ZwQueryObject(handle, ObjectBasicInformation, &basic, sizeof(basic), &length), STATUS_SUCCESS);
    assert_int_equal(length, 56);
    assert_int_equal(basic.Attributes, OBJ_INHERIT);
    assert_int_equal(basic.GrantedAccess, EVENT_ALL_ACCESS);
    assert_int_equal(basic.HandleCount, 2);
    assert_int_equal(basic.PointerCount, 2);
    assert_int_equal(ZwQueryObject(handle, ObjectBasicInformation, &basic, sizeof(basic) - 1, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQueryObject(handle, 77, &basic, sizeof(basic), NULL), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(ZwQueryObject((HANDLE)0x7770, 0, &basic, sizeof(basic), NULL), STATUS_INVALID_HANDLE);
    ZwClose(second);
    ZwClose(handle);
}

static void name_and_type(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct {
        UNICODE_STRING string;
        WCHAR text[60];
    } out;
    ULONG length;
    HANDLE handle = make(WIDE("\\BaseNamedObjects\\N"), 0), nameless;
    assert_int_equal(ZwQueryObject(handle, ObjectNameInformation, &out, sizeof(out), &length), STATUS_SUCCESS);
    assert_int_equal(length, 16 + 20 * 2);
    assert_int_equal(out.string.Length, 19 * 2);
    assert_ptr_equal(out.string.Buffer, out.text);
    assert_memory_equal(out.text, WIDE("\\BaseNamedObjects\\N"), 20 * 2);
    assert_int_equal(ZwQueryObject(handle, ObjectNameInformation, &out, length - 1, &length),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(length, 16 + 20 * 2);
    assert_int_equal(ZwQueryObject(handle, ObjectTypeInformation, &out, sizeof(out), &length), STATUS_SUCCESS);
    assert_int_equal(length, sizeof(PUBLIC_OBJECT_TYPE_INFORMATION) + 6 * 2);
    assert_int_equal(out.string.Length, 5 * 2);
    assert_memory_equal(out.string.Buffer, WIDE("Event"), 6 * 2);
    assert_int_equal(ZwCreateEvent(&nameless, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    assert_int_equal(ZwQueryObject(nameless, ObjectNameInformation, &out, sizeof(out), &length), STATUS_SUCCESS);
    assert_int_equal(length, 16);
    assert_int_equal(out.string.Length, 0);
    assert_null(out.string.Buffer);
    ZwClose(nameless);
    ZwClose(handle);
}

static void a_files_name_begins_with_its_devices(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE file;
    IO_STATUS_BLOCK io;
    PVOID object;
    struct {
        OBJECT_NAME_INFORMATION info;
        WCHAR text[60];
    } out;
    ULONG length;
    assert_int_equal(ZwOpenFile(&file, GENERIC_READ, named(WIDE("\\Device\\SvcTest\\tail"), 0), &io, 7, 0),
                     STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(file, 0, NULL, KernelMode, &object, NULL), STATUS_SUCCESS);
    assert_int_equal(ObQueryNameString(object, &out.info, sizeof(out), &length), STATUS_SUCCESS);
    assert_int_equal(out.info.Name.Length, 20 * 2);
    assert_memory_equal(out.info.Name.Buffer, WIDE("\\Device\\SvcTest\\tail"), 21 * 2);
    assert_int_equal(ObQueryNameString(object, &out.info, 8, &length), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(length, 16 + 21 * 2);
    ObfDereferenceObject(object);
    ZwClose(file);
}

static void handle_flags_are_set_and_seen(void **state)
{
    UNREFERENCED_PARAMETER(state);
    OBJECT_HANDLE_FLAG_INFORMATION flags = {TRUE, TRUE}, seen = {0};
    HANDLE handle = make(WIDE("\\Flags"), 0);
    assert_int_equal(ZwSetInformationObject(handle, ObjectHandleFlagInformation, &flags, 2), STATUS_SUCCESS);
    assert_int_equal(ZwQueryObject(handle, ObjectHandleFlagInformation, &seen, 2, NULL), STATUS_SUCCESS);
    assert_true(seen.Inherit && seen.ProtectFromClose);
    assert_int_equal(ZwClose(handle), STATUS_HANDLE_NOT_CLOSABLE);
    flags = (OBJECT_HANDLE_FLAG_INFORMATION){0};
    assert_int_equal(ZwSetInformationObject(handle, ObjectHandleFlagInformation, &flags, 1),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwSetInformationObject(handle, ObjectNameInformation, &flags, 2), STATUS_INVALID_INFO_CLASS);
    assert_int_equal(ZwSetInformationObject(handle, ObjectHandleFlagInformation, &flags, 2), STATUS_SUCCESS);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
}

static void a_directory_is_listed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE directory, first, second;
    UCHAR buffer[512] __attribute__((aligned(8)));
    OBJECT_DIRECTORY_INFORMATION *entries = (void *)buffer;
    ULONG context = 0, length = 0;
    assert_int_equal(ZwCreateDirectoryObject(&directory, GENERIC_ALL, named(WIDE("\\List"), 0)), STATUS_SUCCESS);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, sizeof(buffer), FALSE, TRUE, &context, &length),
                     STATUS_NO_MORE_ENTRIES);
    first = make(WIDE("\\List\\One"), 0);
    second = make(WIDE("\\List\\Two"), 0);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, sizeof(buffer), FALSE, TRUE, &context, &length),
                     STATUS_SUCCESS);
    assert_int_equal(context, 2);
    assert_int_equal(length, 3 * sizeof(*entries) + 2 * (4 * 2 + 6 * 2));
    assert_int_equal(entries[1].Name.Length, 3 * 2);
    assert_memory_equal(entries[1].Name.Buffer, WIDE("Two"), 4 * 2);
    assert_memory_equal(entries[0].TypeName.Buffer, WIDE("Event"), 6 * 2);
    assert_null(entries[2].Name.Buffer);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, sizeof(buffer), TRUE, TRUE, &context, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(context, 1);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, sizeof(buffer), TRUE, FALSE, &context, NULL),
                     STATUS_SUCCESS);
    assert_memory_equal(entries[0].Name.Buffer, WIDE("Two"), 4 * 2);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, sizeof(buffer), TRUE, FALSE, &context, NULL),
                     STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, 100, FALSE, TRUE, &context, &length),
                     STATUS_MORE_ENTRIES);
    assert_int_equal(context, 1);
    assert_int_equal(ZwQueryDirectoryObject(directory, buffer, 40, FALSE, TRUE, &context, &length),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, 2 * sizeof(*entries) + 4 * 2 + 6 * 2);
    ZwClose(first);
    ZwClose(second);
    ZwClose(directory);
}

static void a_process_end_closes_its_handles(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handle = make(WIDE("\\Session"), OBJ_PROTECT_CLOSE), kernel;
    SIZE_T kernel_before = ob_handles_in(&ke_system.body);
    assert_int_equal(ZwCreateEvent(&kernel, EVENT_ALL_ACCESS, named(WIDE("\\Session2"), OBJ_KERNEL_HANDLE), 0, 0),
                     STATUS_SUCCESS);
    SIZE_T count = ob_handles_in(&ke_user.body);
    assert_int_equal(ob_handles_close_all(&ke_user.body), count);
    assert_int_equal(ob_handles_in(&ke_user.body), 0);
    assert_int_equal(open(WIDE("\\Session"), 0, &handle), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ob_handles_in(&ke_system.body), kernel_before + 1);
    ZwClose(kernel);
}

static void a_duplicate_whose_value_nobody_asked_for_is_made(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE handle = make(WIDE("\\Unseen"), 0);
    void *body, *other;
    SIZE_T count = ob_handles_in(&ke_user.body);
    assert_int_equal(ob_handle_reference(handle, 0, NULL, KernelMode, &body, NULL), STATUS_SUCCESS);
    assert_int_equal(
        ZwDuplicateObject(NtCurrentProcess(), handle, NtCurrentProcess(), NULL, 0, 0, DUPLICATE_SAME_ACCESS),
        STATUS_SUCCESS);
    assert_int_equal(ob_handle_count(body), 2);
    assert_int_equal(ob_handles_in(&ke_user.body), count + 1);
    ZwClose(handle);
    for (ULONG_PTR at = 4; ob_handle_count(body) && at < 0x40000; at += 4) { /* the name lives by it still */
        if (!NT_SUCCESS(ob_handle_reference((HANDLE)at, 0, NULL, KernelMode, &other, NULL)))
            continue;
        if (other == body)
            ZwClose((HANDLE)at);
        ob_dereference(other);
    }
    assert_int_equal(ob_handle_count(body), 0);
    ob_dereference(body);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    user_attributes(WIDE("\\Warm"), 0);
    bench_start();
    return 0;
}

static int tear_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    bench_stop();
    return 0;
}

int run_object_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_goes_with_the_last_handle),
        cmocka_unit_test(a_permanent_name_stays_until_made_temporary),
        cmocka_unit_test(an_object_is_made_permanent_later),
        cmocka_unit_test(user_mode_may_not_make_permanent_objects),
        cmocka_unit_test(an_exclusive_object_belongs_to_one_process),
        cmocka_unit_test(a_missing_directory_is_another_status),
        cmocka_unit_test(the_root_is_a_directory),
        cmocka_unit_test(a_link_made_through_iocreatesymboliclink_is_permanent),
        cmocka_unit_test(basic_information),
        cmocka_unit_test(name_and_type),
        cmocka_unit_test(a_files_name_begins_with_its_devices),
        cmocka_unit_test(handle_flags_are_set_and_seen),
        cmocka_unit_test(a_directory_is_listed),
        cmocka_unit_test(a_process_end_closes_its_handles),
        cmocka_unit_test(a_duplicate_whose_value_nobody_asked_for_is_made),
    };
    return cmocka_run_group_tests_name("objects", tests, set_up, tear_down);
}
