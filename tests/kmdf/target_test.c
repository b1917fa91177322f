/* target_test.c - I/O targets: opened, closed, stopped, purged; what the device below gets from synchronous calls. */
#include "target_fixture.h"

static UNICODE_STRING nowhere = {32, 32, (PWCH)L"\\Device\\Nowhere!"};

/* ---- opening ---- */

static NTSTATUS note_all(IRP *irp, IO_STACK_LOCATION *stack)
{
    test_note("%x%s; ", stack->MajorFunction, irp->RequestorMode == KernelMode ? "" : " of user mode");
    return lower_complete(irp, STATUS_SUCCESS, stack->MajorFunction == IRP_MJ_CREATE ? FILE_OPENED : 0);
}

static void test_by_name(void **state)
{
    HANDLE handle;
    WDF_IO_TARGET_OPEN_PARAMS params;
    UNREFERENCED_PARAMETER(state);
    lower_hook = note_all;
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetClosed);
    assert_ptr_equal(WdfIoTargetGetDevice(test_globals, target), target_device);
    assert_null(WdfIoTargetWdmGetTargetDeviceObject(test_globals, target));
    assert_int_equal(WdfIoTargetStart(test_globals, target), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(
        WdfIoTargetQueryForInterface(test_globals, target, &(GUID){0}, (PINTERFACE)(PVOID)&params, 8, 1, NULL),
        STATUS_INVALID_DEVICE_STATE);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INVALID_PARAMETER);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &nowhere, GENERIC_READ);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_NOT_FOUND);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetClosed);
    params.Size--;
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INFO_LENGTH_MISMATCH);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lower_name, GENERIC_READ);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
    assert_int_equal(params.FileInformation, FILE_OPENED);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetStarted);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INVALID_DEVICE_STATE);
    assert_ptr_equal(WdfIoTargetWdmGetTargetDeviceObject(test_globals, target), lower);
    FILE_OBJECT *file = WdfIoTargetWdmGetTargetFileObject(test_globals, target);
    assert_ptr_equal(file->DeviceObject, lower);
    handle = WdfIoTargetWdmGetTargetFileHandle(test_globals, target);
    void *body;
    assert_int_equal(ob_handle_reference(handle, 0, &io_file_type, KernelMode, &body, NULL), STATUS_SUCCESS);
    assert_ptr_equal(body, file);
    ob_dereference(body);
    WdfIoTargetCloseForQueryRemove(test_globals, target);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetClosedForQueryRemove);
    assert_null(WdfIoTargetWdmGetTargetFileObject(test_globals, target));
    assert_null(WdfIoTargetWdmGetTargetFileHandle(test_globals, target));
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
    WdfIoTargetClose(test_globals, target);
    WdfIoTargetClose(test_globals, target);
    assert_int_equal(WdfIoTargetGetState(test_globals, target), WdfIoTargetClosed);
    assert_string_equal(test_record, "0; 1b; 12; 2; 0; 1b; 12; 2; ");
}

static void test_by_device(void **state)
{
    struct io_file *file;
    WDF_IO_TARGET_OPEN_PARAMS params;
    UNREFERENCED_PARAMETER(state);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_EXISTING_DEVICE(&params, NULL);
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INVALID_PARAMETER);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_EXISTING_DEVICE(&params, lower);
    assert_int_equal(io_open(LOWER_NAME, &file), STATUS_SUCCESS);
    params.TargetFileObject = io_file_object(file);
    lower_hook = note_all;
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_SUCCESS);
    assert_ptr_equal(WdfIoTargetWdmGetTargetDeviceObject(test_globals, target), lower);
    assert_ptr_equal(WdfIoTargetWdmGetTargetFileObject(test_globals, target), io_file_object(file));
    assert_null(WdfIoTargetWdmGetTargetFileHandle(test_globals, target));
    WdfIoTargetClose(test_globals, target);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params); /* only of what was opened by name */
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INVALID_PARAMETER);
    assert_string_equal(test_record, "1b; "); /* whose physical device it is, and no more */
    assert_int_equal(io_close(file), STATUS_SUCCESS);
    params.Type = WdfIoTargetOpenLocalTargetByFile;
    assert_int_equal(WdfIoTargetOpen(test_globals, target, &params), STATUS_INVALID_PARAMETER);
}

static NTSTATUS refuse_creation(IRP *irp, IO_STACK_LOCATION *stack)
{
    return lower_complete(irp, stack->MajorFunction == IRP_MJ_CREATE ? STATUS_ACCESS_DENIED : STATUS_SUCCESS, 0);
}

static VOID NTAPI noted_cleanup(WDFOBJECT object)
{
    test_note("cleanup in state %d; ", WdfIoTargetGetState(test_globals, (WDFIOTARGET)object));
}

static void test_children(void **state)
{
    WDFIOTARGET other = target;
    WDFOBJECT elsewhere;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_TARGET_OPEN_PARAMS params;
    UNREFERENCED_PARAMETER(state);
    assert_null(WdfDeviceGetIoTarget(test_globals, target_device));
    assert_int_equal(WdfObjectCreate(test_globals, NULL, &elsewhere), STATUS_SUCCESS);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = elsewhere;
    assert_int_equal(WdfIoTargetCreate(test_globals, target_device, &attributes, &other),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_null(other);
    attributes.ParentObject = target;
    attributes.EvtCleanupCallback = noted_cleanup;
    assert_int_equal(WdfIoTargetCreate(test_globals, target_device, &attributes, &other), STATUS_SUCCESS);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &lower_name, GENERIC_READ);
    lower_hook = refuse_creation;
    assert_int_equal(WdfIoTargetOpen(test_globals, other, &params), STATUS_ACCESS_DENIED);
    lower_hook = note_all;
    assert_int_equal(WdfIoTargetOpen(test_globals, other, &params), STATUS_SUCCESS);
    WdfObjectDelete(test_globals, target); /* and its child, which closes */
    assert_string_equal(test_record, "0; 1b; 12; 2; cleanup in state 5; ");
}

/* ---- what the device gets ---- */

static struct seen {
    IO_STACK_LOCATION stack;
    PVOID system, user;
    MDL *mdl;
    ULONG calls;
} seen;

/* Upper case of the input, wherever the method has that, into the output. */
static NTSTATUS echo(IRP *irp, IO_STACK_LOCATION *stack)
{
    if (stack->MajorFunction == IRP_MJ_CREATE || stack->MajorFunction == IRP_MJ_CLEANUP ||
        stack->MajorFunction == IRP_MJ_CLOSE)
        return lower_complete(irp, STATUS_SUCCESS, 0);
    ULONG calls = seen.calls;
    seen = (struct seen){*stack, irp->AssociatedIrp.SystemBuffer, irp->UserBuffer, irp->MdlAddress, calls + 1};
    assert_int_equal(irp->RequestorMode, KernelMode);
    bool control = stack->MajorFunction == IRP_MJ_DEVICE_CONTROL;
    ULONG method = METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode);
    char *in = control && method == METHOD_NEITHER ? stack->Parameters.DeviceIoControl.Type3InputBuffer
                                                   : irp->AssociatedIrp.SystemBuffer;
    char *out = irp->MdlAddress   ? kmdf_mdl_address(irp->MdlAddress)
                : irp->UserBuffer ? irp->UserBuffer
                                  : irp->AssociatedIrp.SystemBuffer;
    ULONG room = control ? stack->Parameters.DeviceIoControl.OutputBufferLength : stack->Parameters.Read.Length;
    if (control && in && out) {
        char text[LOWER_ANSWER_SIZE];
        for (ULONG i = 0; i < sizeof(text); i++)
            text[i] = (char)(i < stack->Parameters.DeviceIoControl.InputBufferLength ? in[i] - 0x20 : '.');
        ULONG bytes = room < sizeof(text) ? room : sizeof(text);
        memcpy(out, text, bytes);
        return lower_complete(irp, STATUS_SUCCESS, bytes);
    }
    if (stack->MajorFunction == IRP_MJ_READ && out)
        memset(out, 'R', room);
    else if (stack->MajorFunction == IRP_MJ_WRITE && out)
        test_note("%.*s; ", (int)room, out);
    return lower_complete(irp, STATUS_SUCCESS, stack->MajorFunction == IRP_MJ_READ ? room : 3);
}

static void test_ioctl(void **state)
{
    char in[] = "abcd", out[16];
    WDF_MEMORY_DESCRIPTOR from, to;
    ULONG_PTR bytes;
    UNREFERENCED_PARAMETER(state);
    target_open();
    lower_hook = echo;
    for (ULONG method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        memset(out, '-', sizeof(out));
        WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&from, in, 4);
        WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&to, out, 6);
        bytes = 99;
        assert_int_equal(
            WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(method), &from, &to, NULL, &bytes),
            STATUS_SUCCESS);
        assert_int_equal(bytes, 6);
        assert_memory_equal(out, "ABCD..--", 8);
        assert_int_equal(seen.stack.MajorFunction, IRP_MJ_DEVICE_CONTROL);
        assert_int_equal(seen.stack.Parameters.DeviceIoControl.InputBufferLength, 4);
        assert_int_equal(seen.stack.Parameters.DeviceIoControl.OutputBufferLength, 6);
        assert_ptr_equal(seen.stack.FileObject, WdfIoTargetWdmGetTargetFileObject(test_globals, target));
        bool direct = method == METHOD_IN_DIRECT || method == METHOD_OUT_DIRECT;
        assert_int_equal(seen.mdl != NULL, direct);
        assert_int_equal(seen.system != NULL, method != METHOD_NEITHER);
        assert_true(method != METHOD_BUFFERED || seen.system != in);
    }
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_BUFFERED), NULL,
                                                       NULL, NULL, NULL),
                     STATUS_SUCCESS); /* no buffers at all */
    assert_null(seen.system);
    seen.calls = 0;
    from.Type = WdfMemoryDescriptorTypeInvalid;
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_BUFFERED), &from,
                                                       NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(seen.calls, 0);
}

static void test_internal(void **state)
{
    char one[] = "abcd", two[8];
    WDF_MEMORY_DESCRIPTOR first, second;
    ULONG_PTR bytes;
    UNREFERENCED_PARAMETER(state);
    target_open();
    lower_hook = echo;
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&first, one, 4);
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&second, two, 8);
    assert_int_equal(WdfIoTargetSendInternalIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_NEITHER),
                                                               &first, &second, NULL, &bytes),
                     STATUS_SUCCESS);
    assert_int_equal(seen.stack.MajorFunction, IRP_MJ_INTERNAL_DEVICE_CONTROL);
    assert_ptr_equal(seen.stack.Parameters.DeviceIoControl.Type3InputBuffer, one);
    assert_ptr_equal(seen.user, two);
    assert_int_equal(bytes, 3);
    assert_int_equal(WdfIoTargetSendInternalIoctlOthersSynchronously(test_globals, target, NULL, 0x12345, &first, NULL,
                                                                     &second, NULL, &bytes),
                     STATUS_SUCCESS);
    assert_int_equal(seen.stack.MajorFunction, IRP_MJ_INTERNAL_DEVICE_CONTROL);
    assert_ptr_equal(seen.stack.Parameters.Others.Argument1, one);
    assert_null(seen.stack.Parameters.Others.Argument2);
    assert_int_equal((ULONG_PTR)seen.stack.Parameters.Others.Argument3, 0x12345);
    assert_ptr_equal(seen.stack.Parameters.Others.Argument4, two);
}

/* The buffer as three kinds of descriptor, with each kind of device. */
static void test_transfer(void **state)
{
    static const ULONG kinds[] = {0, DO_BUFFERED_IO, DO_DIRECT_IO};
    WDFMEMORY memory;
    UCHAR *buffer;
    LONGLONG at = 0x1122334455;
    UNREFERENCED_PARAMETER(state);
    target_open();
    lower_hook = echo;
    assert_int_equal(WdfMemoryCreate(test_globals, NULL, NonPagedPool, 0, 16, &memory, (PVOID *)&buffer),
                     STATUS_SUCCESS);
    MDL *mdl = IoAllocateMdl(buffer, 16, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        WDFMEMORY_OFFSET part = {4, 8}, rest = {12, 0};
        WDF_MEMORY_DESCRIPTOR descriptors[4];
        static const struct {
            ULONG start, length;
        } expected[] = {{4, 8}, {12, 4}, {2, 5}, {0, 10}};
        target_lower_flags(kinds[i]);
        WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptors[0], memory, &part);
        WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptors[1], memory, &rest);
        WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&descriptors[2], buffer + 2, 5);
        WDF_MEMORY_DESCRIPTOR_INIT_MDL(&descriptors[3], mdl, 10);
        for (int j = 0; j < 4; j++) {
            ULONG_PTR bytes;
            char before[16], after[17] = {0};
            memset(buffer, '.', 16);
            assert_int_equal(
                WdfIoTargetSendReadSynchronously(test_globals, target, NULL, &descriptors[j], &at, NULL, &bytes),
                STATUS_SUCCESS);
            memset(before, '.', 16);
            memset(before + expected[j].start, 'R', expected[j].length);
            memcpy(after, buffer, 16);
            assert_memory_equal(after, before, 16);
            assert_int_equal(bytes, expected[j].length);
            assert_int_equal(seen.stack.Parameters.Read.ByteOffset.QuadPart, at);
            assert_int_equal(seen.mdl != NULL, kinds[i] == DO_DIRECT_IO);
            if (kinds[i] == DO_DIRECT_IO && j == 3)
                assert_ptr_equal(seen.mdl, mdl);
            assert_int_equal(seen.system != NULL, kinds[i] == DO_BUFFERED_IO);
            memcpy(buffer, "0123456789abcdef", 16);
            test_record[0] = 0;
            assert_int_equal(
                WdfIoTargetSendWriteSynchronously(test_globals, target, NULL, &descriptors[j], NULL, NULL, &bytes),
                STATUS_SUCCESS);
            char text[32];
            snprintf(text, sizeof(text), "%.*s; ", (int)expected[j].length, buffer + expected[j].start);
            assert_string_equal(test_record, text);
            assert_int_equal(bytes, 3);
        }
    }
    IoFreeMdl(mdl);
}

static void test_bad_buffers(void **state)
{
    WDFMEMORY memory;
    WDFREQUEST request;
    char local[8];
    MDL *mdl = IoAllocateMdl(local, 8, FALSE, FALSE, NULL);
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_REQUEST_SEND_OPTIONS options;
    UNREFERENCED_PARAMETER(state);
    static const struct {
        SIZE_T start, length;
    } bad[] = {{17, 0}, {0, 17}, {16, 1}, {(SIZE_T)-1, 1}, {8, (SIZE_T)-1}};
    target_open();
    lower_hook = echo;
    seen.calls = 0;
    WdfMemoryCreate(test_globals, NULL, NonPagedPool, 0, 16, &memory, NULL);
    assert_int_equal(WdfRequestCreate(test_globals, NULL, target, &request), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(bad); i++) {
        WDFMEMORY_OFFSET offset = {bad[i].start, bad[i].length};
        WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, memory, &offset);
        assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, &descriptor, NULL, NULL, NULL),
                         STATUS_INVALID_DEVICE_REQUEST);
        assert_int_equal(WdfIoTargetFormatRequestForWrite(test_globals, target, request, memory, &offset, NULL),
                         STATUS_INVALID_DEVICE_REQUEST);
    }
    WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&descriptor, NULL, NULL);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, &descriptor, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&descriptor, NULL, 1);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, &descriptor, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    WDF_MEMORY_DESCRIPTOR_INIT_MDL(&descriptor, mdl, 9);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, &descriptor, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, NULL, NULL, &options, NULL),
                     STATUS_INVALID_PARAMETER);
    options.Flags = 0x100;
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, NULL, NULL, &options, NULL),
                     STATUS_INVALID_PARAMETER);
    options.Size--;
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, NULL, NULL, &options, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(seen.calls, 0);
    WdfIoTargetClose(test_globals, target);
    assert_int_equal(WdfIoTargetSendReadSynchronously(test_globals, target, NULL, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    IoFreeMdl(mdl);
}

/* What the device answers: an error copies nothing back, more than there is room for no more than that. */
static NTSTATUS (*answer)(IRP *irp);
static NTSTATUS answered(IRP *irp, IO_STACK_LOCATION *stack)
{
    return stack->MajorFunction == IRP_MJ_DEVICE_CONTROL ? answer(irp) : lower_complete(irp, STATUS_SUCCESS, 0);
}
static NTSTATUS fail_with_output(IRP *irp)
{
    memset(irp->AssociatedIrp.SystemBuffer, 'x', 8);
    return lower_complete(irp, STATUS_UNSUCCESSFUL, 8);
}
static NTSTATUS warn_with_output(IRP *irp)
{
    memset(irp->AssociatedIrp.SystemBuffer, 'w', 8);
    return lower_complete(irp, STATUS_BUFFER_OVERFLOW, 1000);
}
static void test_answers(void **state)
{
    char out[10] = "----------";
    ULONG_PTR bytes;
    WDF_MEMORY_DESCRIPTOR to;
    UNREFERENCED_PARAMETER(state);
    target_open();
    lower_hook = answered;
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&to, out, 8);
    answer = fail_with_output;
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_BUFFERED), NULL,
                                                       &to, NULL, &bytes),
                     STATUS_UNSUCCESSFUL);
    assert_memory_equal(out, "----------", 10);
    answer = warn_with_output;
    assert_int_equal(WdfIoTargetSendIoctlSynchronously(test_globals, target, NULL, LOWER_CODE(METHOD_BUFFERED), NULL,
                                                       &to, NULL, &bytes),
                     STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(out, "wwwwwwww--", 10);
}

int run_target_tests(void)
{
#define LOADED(test) cmocka_unit_test_setup_teardown(test, target_set_up, target_tear_down)
    const struct CMUnitTest tests[] = {
        LOADED(test_by_name),  LOADED(test_by_device), LOADED(test_children),    LOADED(test_ioctl),
        LOADED(test_internal), LOADED(test_transfer),  LOADED(test_bad_buffers), LOADED(test_answers),
    };
    return cmocka_run_group_tests_name("kmdf I/O targets", tests, NULL, NULL);
}
