/* bind_test.c - WdfVersionBind: flavours of the function table, versions, and bind information that lies; the driver
 * object. */
#include "kmdf_test.h"

static DRIVER_OBJECT driver;
static PWDF_DRIVER_GLOBALS globals;
static UNICODE_STRING path = {4, 6, (PWCH)L"ab"};

static void unbind(void)
{
    assert_int_equal(WdfVersionUnbind(&path, NULL, globals), STATUS_SUCCESS);
}

static void test_pointer(void **state)
{
    const WDFFUNC *functions = NULL;
    struct test_bind info = test_bind_info(&functions, 444);
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    assert_ptr_equal(functions, kmdf_functions);
    assert_ptr_equal(globals->Driver, NULL);
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_INVALID_DEVICE_STATE);
    unbind();
}

/* The pool tag of a driver that names none. */
static void test_tag(void **state)
{
    static const struct {
        const WCHAR *name;
        ULONG tag;
    } drivers[] = {{WIDE("\\Driver\\Sample"), RTL_TAG('S', 'a', 'm', 'p')},
                   {WIDE("\\Driver\\wdfThing"), RTL_TAG('T', 'h', 'i', 'n')},
                   {WIDE("\\Driver\\wdfabc"), RTL_TAG('F', 'x', 'D', 'r')},
                   {WIDE("\\Driver\\xyz"), RTL_TAG('F', 'x', 'D', 'r')}};
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(drivers); i++) {
        const WDFFUNC *functions;
        DRIVER_OBJECT named = {0};
        struct test_bind info = test_bind_info(&functions, 444);
        RtlInitUnicodeString(&named.DriverName, drivers[i].name);
        assert_int_equal(test_bind(&named, &info, &globals), STATUS_SUCCESS);
        assert_int_equal(globals->DriverTag, drivers[i].tag);
        unbind();
    }
}

static void test_copied(void **state)
{
    WDFFUNC functions[400] = {NULL};
    struct test_bind info = test_bind_info(functions, 396);
    info.minor = 9;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    assert_memory_equal(functions, kmdf_functions, 396 * sizeof(WDFFUNC));
    for (int i = 396; i < 400; i++)
        assert_true(functions[i] == NULL);
    unbind();
}

static void test_versions(void **state)
{
    const WDFFUNC *functions;
    ULONG minimum = 15, count = 500;
    BOOLEAN higher = 77;
    struct test_bind info = test_bind_info(&functions, 500);
    UNREFERENCED_PARAMETER(state);
    info.minor = 99;
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_INVALID_PARAMETER);
    info.size = 0x58;
    info.minimum = &minimum;
    info.higher = &higher;
    info.count_pointer = &count;
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    assert_int_equal(higher, TRUE);
    assert_int_equal(count, KMDF_FUNCTIONS);
    unbind();
    info.minor = 31;
    count = 458;
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    assert_int_equal(higher, FALSE);
    assert_int_equal(count, 458);
    unbind();
    minimum = 34;
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_INVALID_PARAMETER);
}

static void test_hostile(void **state)
{
    const WDFFUNC *functions;
    const struct test_bind good = test_bind_info(&functions, 444);
    UNREFERENCED_PARAMETER(state);
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct test_bind info = good;                                                                                  \
        change;                                                                                                        \
        assert_int_equal(test_bind(&driver, &info, &globals), STATUS_INVALID_PARAMETER);                               \
    } while (0)
    REFUSED(info.size = 0);
    REFUSED(info.size = 0x50);
    REFUSED(info.component = NULL);
    REFUSED(info.component = (const WCHAR *)0x7ff0000010ull);
    REFUSED(info.component = WIDE("KmdfLibrarY"));
    REFUSED(info.major = 2);
    REFUSED(info.count = 0);
    REFUSED(info.count = 0xFFFFFFFF);
    REFUSED(info.table = NULL);
    REFUSED(info.table = (void *)0x10000);
    REFUSED((info.table = (void *)0x10000, info.count = 400));
#undef REFUSED
    assert_int_equal(test_bind(&driver, NULL, &globals), STATUS_INVALID_PARAMETER);
    assert_int_equal(test_bind(&driver, (struct test_bind *)8, &globals), STATUS_INVALID_PARAMETER);
    assert_int_equal(test_bind(&driver, (struct test_bind *)&good, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(test_bind(NULL, (struct test_bind *)&good, &globals), STATUS_INVALID_PARAMETER);
    assert_int_equal(WdfVersionBindClass(NULL, NULL, NULL), STATUS_NOT_FOUND);
}

static ULONG stub_index;
static void call_stub(void)
{
    ((VOID(NTAPI *)(PWDF_DRIVER_GLOBALS))(void *)kmdf_functions[stub_index])(NULL);
}

static void test_stub(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        ULONG index;
        const char *name, *hint;
    } rows[] = {
        {WdfCxVerifierKeBugCheckTableIndex, "WdfCxVerifierKeBugCheck", "class extensions"},
        {WdfUsbTargetPipeGetTypeTableIndex, "WdfUsbTargetPipeGetType", "no USB devices"},
        {WdfDmaEnablerCreateTableIndex, "WdfDmaEnablerCreate", "no DMA"},
        {WdfGetTriageInfoTableIndex, "WdfGetTriageInfo", "docs/kmdf.md lists"},
    };
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(rows); i++) {
        char wanted[100];
        stub_index = rows[i].index;
        assert_false(kmdf_function_done(stub_index));
        struct bugcheck_result result = bugcheck_of(call_stub);
        assert_true(result.happened);
        assert_int_equal(result.code, (ULONG)STATUS_DRIVER_ENTRYPOINT_NOT_FOUND);
        snprintf(wanted, sizeof(wanted), "unimplemented framework function %s (slot %u)", rows[i].name, stub_index);
        assert_non_null(strstr(result.report, wanted));
        assert_non_null(strstr(result.report, rows[i].hint));
    }
}

static void bad_globals(void)
{
    WDFOBJECT object;
    WDF_DRIVER_GLOBALS mine = {0};
    WdfObjectCreate(&mine, NULL, &object);
}

static void null_config(void)
{
    WdfDriverCreate(globals, &driver, &path, NULL, NULL, NULL);
}

static void test_driver_object(void **state)
{
    const WDFFUNC *functions;
    struct test_bind info = test_bind_info(&functions, 444);
    WDF_DRIVER_CONFIG config;
    WDFDRIVER wdf = NULL;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS version;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    struct bugcheck_result result = bugcheck_of(bad_globals);
    assert_true(result.happened);
    assert_int_equal(result.code, 0x10D);
    result = bugcheck_of(null_config);
    assert_true(result.happened);
    assert_int_equal(result.parameters[0], 4);
    assert_non_null(strstr(result.report, "WdfDriverCreate: DriverConfig is NULL"));

    WDF_DRIVER_CONFIG_INIT(&config, (PFN_WDF_DRIVER_DEVICE_ADD)(void *)test_driver_object);
    config.Size--;
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, NULL, &config, &wdf), STATUS_INFO_LENGTH_MISMATCH);
    config.Size++;
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, NULL, &config, &wdf), STATUS_INVALID_PARAMETER);
    config.EvtDriverDeviceAdd = NULL;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = &driver;
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, &attributes, &config, &wdf),
                     STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED);
    assert_null(wdf);
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, NULL, &config, &wdf), STATUS_SUCCESS);
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, NULL, &config, NULL), STATUS_DRIVER_INTERNAL_ERROR);
    assert_ptr_equal(globals->Driver, wdf);
    assert_null(driver.DriverUnload); /* non-PnP, and nobody to ask */
    assert_non_null(driver.MajorFunction[IRP_MJ_READ]);
    assert_memory_equal(WdfDriverGetRegistryPath(globals, wdf), L"ab", 6);
    assert_ptr_equal(WdfDriverWdmGetDriverObject(globals, wdf), &driver);
    assert_ptr_equal(WdfWdmDriverGetWdfDriverHandle(globals, &driver), wdf);
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS_INIT(&version, 1, 33);
    assert_true(WdfDriverIsVersionAvailable(globals, wdf, &version));
    version.MinorVersion = 34;
    assert_false(WdfDriverIsVersionAvailable(globals, wdf, &version));
    version = (WDF_DRIVER_VERSION_AVAILABLE_PARAMS){sizeof(version), 2, 0};
    assert_false(WdfDriverIsVersionAvailable(globals, wdf, &version));
    version = (WDF_DRIVER_VERSION_AVAILABLE_PARAMS){sizeof(version) - 1, 1, 9};
    assert_false(WdfDriverIsVersionAvailable(globals, wdf, &version));
    unbind();
}

static VOID NTAPI trace(VOID)
{
}

/* Functions that only have to be there. */
static void test_formalities(void **state)
{
    const WDFFUNC *functions;
    struct test_bind info = test_bind_info(&functions, 444);
    WDF_DRIVER_CONFIG config;
    WDFDRIVER wdf;
    WDFSTRING string;
    UNICODE_STRING said;
    GUID guid = {0};
    int control_block;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(test_bind(&driver, &info, &globals), STATUS_SUCCESS);
    WDF_DRIVER_CONFIG_INIT(&config, NULL);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    assert_int_equal(WdfDriverCreate(globals, &driver, &path, NULL, &config, &wdf), STATUS_SUCCESS);
    assert_int_equal(WdfStringCreate(globals, NULL, NULL, &string), STATUS_SUCCESS);
    assert_int_equal(WdfDriverRetrieveVersionString(globals, wdf, string), STATUS_SUCCESS);
    WdfStringGetUnicodeString(globals, string, &said);
    assert_int_equal(said.Length, 38);
    assert_memory_equal(said.Buffer, L"KMDF 1.33, umaccess", 40);
    assert_int_equal(
        WdfDriverRegisterTraceInfo(globals, &driver, (PFN_WDF_TRACE_CALLBACK)(void *)trace, &control_block),
        STATUS_SUCCESS);
    assert_int_equal(WdfObjectQuery(globals, string, &guid, 0, NULL), STATUS_NOT_IMPLEMENTED);
    unbind();
}

int run_bind_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointer),       cmocka_unit_test(test_tag),         cmocka_unit_test(test_copied),
        cmocka_unit_test(test_versions),      cmocka_unit_test(test_hostile),     cmocka_unit_test(test_stub),
        cmocka_unit_test(test_driver_object), cmocka_unit_test(test_formalities),
    };
    return cmocka_run_group_tests_name("kmdf bind", tests, NULL, NULL);
}
