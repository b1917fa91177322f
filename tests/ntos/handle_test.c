/* handle_test.c - handle tables: kernel handles against user mode, access, types, stale handles, counts. */
#include "ntos_test.h"
#include "ob.h"

static ULONG removed;
static void count_removed(void *body)
{
    UNREFERENCED_PARAMETER(body);
    removed++;
}
static const struct ob_type thing_type = {
    .name = "Thing", .tag = TAG, .remove = count_removed, .mapping = {0x1, 0x2, 0x4, 0x1F0007}};

static void *thing(void)
{
    void *body;
    assert_int_equal(ob_create(&thing_type, 32, &body), STATUS_SUCCESS);
    return body;
}

static HANDLE handle_of(void *body, ACCESS_MASK access, ULONG attributes)
{
    HANDLE handle;
    assert_int_equal(ob_handle_create(body, access, attributes, KernelMode, &handle), STATUS_SUCCESS);
    return handle;
}

static void a_handle_holds_a_reference(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    HANDLE handle = handle_of(body, 1, 0);
    ULONG before = removed;
    assert_int_equal(ob_reference_count(body), 2);
    assert_int_equal(ob_handle_count(body), 1);
    ob_dereference(body);
    assert_int_equal(removed, before);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    assert_int_equal(removed, before + 1);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_INVALID_HANDLE);
}

static void user_mode_cannot_use_a_kernel_handle(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    PVOID found;
    HANDLE handle = handle_of(body, 1, OBJ_KERNEL_HANDLE);
    assert_true((LONG_PTR)handle < 0);
    assert_true(ObIsKernelHandle(handle));
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, NULL, UserMode, &found, NULL), STATUS_INVALID_HANDLE);
    assert_null(found);
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_INVALID_HANDLE);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &found, NULL), STATUS_SUCCESS);
    assert_ptr_equal(found, body);
    ObfDereferenceObject(found);
    assert_int_equal(ObCloseHandle(handle, KernelMode), STATUS_SUCCESS);
    ob_dereference(body);
}

static void user_mode_asking_for_a_kernel_handle_gets_its_own(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    HANDLE handle;
    assert_int_equal(ob_handle_create(body, 1, OBJ_KERNEL_HANDLE, UserMode, &handle), STATUS_SUCCESS);
    assert_false(ObIsKernelHandle(handle));
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_SUCCESS);
    ob_dereference(body);
}

static void access_and_type_are_checked(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    PVOID found;
    OBJECT_HANDLE_INFORMATION info;
    HANDLE handle = handle_of(body, 1, OBJ_INHERIT);
    assert_int_equal(ObReferenceObjectByHandle(handle, 2, NULL, UserMode, &found, NULL), STATUS_ACCESS_DENIED);
    assert_int_equal(ObReferenceObjectByHandle(handle, 2, NULL, KernelMode, &found, &info), STATUS_SUCCESS);
    assert_int_equal(info.HandleAttributes, OBJ_INHERIT);
    assert_int_equal(info.GrantedAccess, 1);
    ObfDereferenceObject(found);
    assert_int_equal(ObReferenceObjectByHandle(handle, 1, ExEventObjectType, KernelMode, &found, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_null(found);
    ObCloseHandle(handle, UserMode);
    ob_dereference(body);
}

static void generic_rights_are_mapped(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ACCESS_MASK granted;
    assert_int_equal(ob_access_map(&thing_type, GENERIC_READ | GENERIC_WRITE, UserMode, &granted), STATUS_SUCCESS);
    assert_int_equal(granted, 3);
    assert_int_equal(ob_access_map(&thing_type, MAXIMUM_ALLOWED, UserMode, &granted), STATUS_SUCCESS);
    assert_int_equal(granted, 0x1F0007);
    assert_int_equal(ob_access_map(&thing_type, 0x100, UserMode, &granted), STATUS_ACCESS_DENIED);
}

static void values_that_are_no_handles(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ULONG_PTR values[] = {0,
                                       1,
                                       3,
                                       0x7FFFFFFC,
                                       0x80000004,
                                       0xFFFFFFFC,
                                       0x400000004,
                                       ~(ULONG_PTR)2,
                                       0xFFFFFFFF80000000,
                                       0xFFFFFFFF80FFFFF0};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(values); i++)
        for (KPROCESSOR_MODE mode = KernelMode; mode <= UserMode; mode++) {
            PVOID found = &found;
            assert_int_equal(ObReferenceObjectByHandle((HANDLE)values[i], 0, NULL, mode, &found, NULL),
                             STATUS_INVALID_HANDLE);
            assert_null(found);
            assert_int_equal(ObCloseHandle((HANDLE)values[i], mode), STATUS_INVALID_HANDLE);
        }
}

static void a_protected_handle_stays(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    HANDLE handle = handle_of(body, 1, OBJ_PROTECT_CLOSE), copy;
    assert_int_equal(ObCloseHandle(handle, UserMode), STATUS_HANDLE_NOT_CLOSABLE);
    PEPROCESS process = PsGetCurrentProcess();
    assert_int_equal(ob_handle_duplicate(process, handle, process, 0, 0, DUPLICATE_SAME_ACCESS, UserMode, &copy),
                     STATUS_SUCCESS);
    assert_int_equal(ob_handle_count(body), 2);
    assert_int_equal(ObCloseHandle(copy, UserMode), STATUS_SUCCESS);
    ob_dereference(body); /* the protected handle stays for the rest of this process */
}

static void pseudo_handles(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PVOID found;
    assert_int_equal(ObReferenceObjectByHandle(NtCurrentProcess(), 0, PsProcessType, UserMode, &found, NULL),
                     STATUS_SUCCESS);
    assert_ptr_equal(found, PsGetCurrentProcess());
    ObfDereferenceObject(found);
    assert_int_equal(ObReferenceObjectByHandle(NtCurrentThread(), 0, PsThreadType, UserMode, &found, NULL),
                     STATUS_SUCCESS);
    assert_ptr_equal(found, PsGetCurrentThread());
    ObfDereferenceObject(found);
    assert_int_equal(ObReferenceObjectByHandle(NtCurrentThread(), 0, PsProcessType, UserMode, &found, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
}

static void a_table_grows_and_reuses(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { MANY = 1000 };
    static HANDLE handles[MANY];
    void *body = thing();
    SIZE_T before = ob_handles_in(PsGetCurrentProcess());
    for (int i = 0; i < MANY; i++)
        handles[i] = handle_of(body, 1, 0);
    assert_int_equal(ob_handle_count(body), MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ObCloseHandle(handles[i], UserMode), STATUS_SUCCESS);
    assert_int_equal(ob_handle_count(body), 0);
    assert_int_equal(ob_handles_in(PsGetCurrentProcess()), before);
    HANDLE again = handle_of(body, 1, 0);
    assert_true((ULONG_PTR)again <= (MANY + 100) * 4);
    ObCloseHandle(again, UserMode);
    assert_int_equal(ob_reference_count(body), 1);
    ob_dereference(body);
}

static void open_by_pointer(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *body = thing();
    HANDLE handle;
    assert_int_equal(ObOpenObjectByPointer(body, OBJ_KERNEL_HANDLE, NULL, GENERIC_READ, NULL, KernelMode, &handle),
                     STATUS_SUCCESS);
    assert_true(ObIsKernelHandle(handle));
    assert_int_equal(ObCloseHandle(handle, KernelMode), STATUS_SUCCESS);
    assert_int_equal(ObOpenObjectByPointer(body, 0, NULL, 1, PsThreadType, KernelMode, &handle),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ObReferenceObjectByPointer(body, 0, PsThreadType, UserMode), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ob_reference_count(body), 1);
    ob_dereference(body);
}

int run_handle_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_holds_a_reference),
        cmocka_unit_test(user_mode_cannot_use_a_kernel_handle),
        cmocka_unit_test(user_mode_asking_for_a_kernel_handle_gets_its_own),
        cmocka_unit_test(access_and_type_are_checked),
        cmocka_unit_test(generic_rights_are_mapped),
        cmocka_unit_test(values_that_are_no_handles),
        cmocka_unit_test(a_protected_handle_stays),
        cmocka_unit_test(pseudo_handles),
        cmocka_unit_test(a_table_grows_and_reuses),
        cmocka_unit_test(open_by_pointer),
    };
    return cmocka_run_group_tests_name("handles", tests, NULL, NULL);
}
