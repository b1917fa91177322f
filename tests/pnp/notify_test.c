/* notify_test.c - who is told of interfaces that come and go, and of devices that are to go. */
#include "pnp_test.h"

static const GUID toy = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};
static const GUID arrival = {0xcb3a4004, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}};

static UNICODE_STRING name;
static struct io_file *file;
static FILE_OBJECT *watched;
static PVOID entry;
static NTSTATUS answer;
static bool closes;
static PEPROCESS told_process;

static void enable(DEVICE_OBJECT *pdo)
{
    assert_int_equal(IoRegisterDeviceInterface(pdo, &toy, NULL, &name), STATUS_SUCCESS);
    name = kept_name(&name);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_SUCCESS);
}

static NTSTATUS NTAPI on_interface(PVOID structure, PVOID context)
{
    DEVICE_INTERFACE_CHANGE_NOTIFICATION *notification = structure;
    assert_ptr_equal(context, &toy);
    assert_int_equal(notification->Version, 1);
    assert_int_equal(notification->Size, sizeof(*notification));
    assert_memory_equal(&notification->InterfaceClassGuid, &toy, sizeof(toy));
    assert_true(RtlEqualUnicodeString(notification->SymbolicLinkName, &name, FALSE));
    told_process = PsGetCurrentProcess();
    driver_note(memcmp(&notification->Event, &arrival, sizeof(arrival)) ? "goes" : "comes");
    return STATUS_SUCCESS;
}

static void listen(ULONG flags)
{
    assert_int_equal(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, flags, (PVOID)&toy, driver,
                                                    on_interface, (PVOID)&toy, &entry),
                     STATUS_SUCCESS);
}

static void interfaces_come_and_go(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_failure failure;
    driver_load();
    listen(PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES);
    behaviour.on_start = enable;
    assert_int_equal(pnp_driver_start(driver, NULL, &failure), STATUS_SUCCESS);
    /* told once the device has started, not before */
    assert_string_equal(driver_log, "add requirements filter start capabilities state relations comes");
    assert_ptr_equal(told_process, PsInitialSystemProcess);
    driver_log[0] = 0;
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, TRUE), STATUS_OBJECT_NAME_EXISTS);
    assert_string_equal(driver_log, "goes comes");
    assert_int_equal(IoUnregisterPlugPlayNotificationEx(entry), STATUS_SUCCESS);
    assert_int_equal(IoSetDeviceInterfaceState(&name, FALSE), STATUS_SUCCESS);
    assert_string_equal(driver_log, "goes comes");
    assert_int_equal(IoUnregisterPlugPlayNotificationEx(entry), STATUS_INVALID_PARAMETER);
    driver_end();
}

static void existing_interfaces(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    enable(driver_pdo);
    driver_log[0] = 0;
    listen(0);
    assert_string_equal(driver_log, "");
    assert_int_equal(IoUnregisterPlugPlayNotification(entry), STATUS_SUCCESS);
    listen(PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES);
    assert_string_equal(driver_log, "comes");
    driver_log[0] = 0;
    driver_end();
    assert_string_equal(driver_log, "query-remove remove goes unload");
    assert_int_equal(IoUnregisterPlugPlayNotification(entry), STATUS_SUCCESS);
}

static NTSTATUS NTAPI on_target(PVOID structure, PVOID context)
{
    TARGET_DEVICE_CUSTOM_NOTIFICATION *notification = structure;
    static const char *const names[] = {"asked", "cancelled", "complete"};
    ULONG event = notification->Event.Data1 - 0xcb3a4006;
    assert_ptr_equal(context, &file);
    assert_ptr_equal(notification->FileObject, watched);
    driver_note(event < 3 ? names[event] : "custom");
    if (event > 2)
        assert_int_equal(notification->CustomDataBuffer[0], 'x');
    if (event == 0 && closes)
        assert_int_equal(io_close(file), STATUS_SUCCESS);
    if (event == 2)
        assert_int_equal(IoUnregisterPlugPlayNotificationEx(entry), STATUS_SUCCESS); /* as documented: from within */
    return event == 0 ? answer : STATUS_SUCCESS;
}

static void watch(void)
{
    char text[64];
    io_device_name(driver_pdo, text, sizeof(text));
    assert_int_equal(io_open(text, &file), STATUS_SUCCESS);
    watched = io_file_object(file);
    assert_int_equal(
        IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, watched, driver, on_target, &file, &entry),
        STATUS_SUCCESS);
    driver_log[0] = 0;
    answer = STATUS_SUCCESS;
    closes = false;
}

static void a_target_is_asked_first(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    watch();
    answer = STATUS_UNSUCCESSFUL;
    assert_int_equal(pnp_driver_remove(driver), STATUS_UNSUCCESSFUL);
    assert_string_equal(driver_log, "asked cancelled");
    answer = STATUS_SUCCESS;
    driver_log[0] = 0;
    assert_int_equal(pnp_driver_remove(driver), STATUS_DEVICE_BUSY); /* its own file is still open */
    assert_string_equal(driver_log, "asked query-remove cancel-remove cancelled");
    closes = true;
    driver_log[0] = 0;
    driver_end();
    assert_string_equal(driver_log, "asked cleanup close query-remove complete remove unload");
}

static void custom_events(void **state)
{
    UNREFERENCED_PARAMETER(state);
    TARGET_DEVICE_CUSTOM_NOTIFICATION event = {
        .Version = 1, .Size = sizeof(event), .Event = toy, .NameBufferOffset = -1, .CustomDataBuffer = {'x'}};
    driver_start();
    watch();
    assert_int_equal(IoReportTargetDeviceChange(driver_pdo, &event), STATUS_SUCCESS);
    assert_string_equal(driver_log, "custom");
    assert_int_equal(IoReportTargetDeviceChangeAsynchronous(driver_pdo, &event, NULL, NULL), STATUS_SUCCESS);
    pnp_idle_wait();
    assert_string_equal(driver_log, "custom custom");
    assert_int_equal(IoReportTargetDeviceChange(driver_fdo, &event), STATUS_INVALID_DEVICE_REQUEST);
    event.Event = (GUID){0xcb3a4006, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}};
    assert_int_equal(IoReportTargetDeviceChange(driver_pdo, &event), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(IoUnregisterPlugPlayNotificationEx(entry), STATUS_SUCCESS);
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    driver_end();
}

static void a_surprise_is_told_of(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct pnp_node *node = driver_start();
    watch();
    pnp_surprise_remove(node);
    assert_string_equal(driver_log, "surprise complete");
    assert_int_equal(io_close(file), STATUS_SUCCESS); /* the last file: now the device goes */
    assert_string_equal(driver_log, "surprise complete cleanup close remove");
    assert_null(pnp_driver_node(driver, 0));
    driver_end();
}

static void what_cannot_be_registered(void **state)
{
    UNREFERENCED_PARAMETER(state);
    driver_start();
    assert_int_equal(
        IoRegisterPlugPlayNotification(EventCategoryHardwareProfileChange, 0, NULL, driver, on_target, NULL, &entry),
        STATUS_SUCCESS);
    assert_int_equal(IoUnregisterPlugPlayNotificationEx(entry), STATUS_SUCCESS);
    assert_int_equal(IoRegisterPlugPlayNotification(EventCategoryReserved, 0, NULL, driver, on_target, NULL, &entry),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, NULL, driver, on_target, NULL, &entry),
        STATUS_INVALID_PARAMETER);
    assert_null(entry);
    /* a driver that goes without taking back what it registered is called no more */
    listen(0);
    driver_end();
    pnp_driver_forget(driver);
    driver_start();
    enable(driver_pdo);
    assert_null(strstr(driver_log, "comes"));
    driver_end();
}

int run_notify_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_come_and_go),  cmocka_unit_test(existing_interfaces),
        cmocka_unit_test(a_target_is_asked_first), cmocka_unit_test(custom_events),
        cmocka_unit_test(a_surprise_is_told_of),   cmocka_unit_test(what_cannot_be_registered),
    };
    return cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
