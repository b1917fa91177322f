/* buffer_test.c - the buffers of requests: per kind of request and method, as address, memory object and MDL. */
#include "kmdf_test.h"

#define CODE(method) CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, method, FILE_ANY_ACCESS)
#define NEITHER_SAYS STATUS_INVALID_DEVICE_REQUEST
#define SMALL        STATUS_BUFFER_TOO_SMALL
#define READ         0x10000u /* instead of a control code */
#define WRITE        0x20000u

static ULONG_PTR base; /* a page of user memory, "input..." */
static struct io_file *file;

/* What the calls say about a request of 8 bytes in and 16 out. */
struct expected {
    const char *name;
    WDF_DEVICE_IO_TYPE io_type;
    ULONG what; /* a control code, READ or WRITE */
    NTSTATUS in, out, unsafe_in, unsafe_out;
    bool in_read_only, out_read_only;
};
static const struct expected table[] = {
    {"buffered control", WdfDeviceIoBuffered, CODE(METHOD_BUFFERED), 0, 0, NEITHER_SAYS, NEITHER_SAYS, false, false},
    {"in direct", WdfDeviceIoBuffered, CODE(METHOD_IN_DIRECT), 0, 0, NEITHER_SAYS, NEITHER_SAYS, true, true},
    {"out direct", WdfDeviceIoBuffered, CODE(METHOD_OUT_DIRECT), 0, 0, NEITHER_SAYS, NEITHER_SAYS, true, false},
    {"neither", WdfDeviceIoBuffered, CODE(METHOD_NEITHER), NEITHER_SAYS, NEITHER_SAYS, 0, 0, false, false},
    {"buffered read", WdfDeviceIoBuffered, READ, NEITHER_SAYS, 0, NEITHER_SAYS, NEITHER_SAYS, false, false},
    {"buffered write", WdfDeviceIoBuffered, WRITE, 0, NEITHER_SAYS, NEITHER_SAYS, NEITHER_SAYS, true, false},
    {"direct read", WdfDeviceIoDirect, READ, NEITHER_SAYS, 0, NEITHER_SAYS, NEITHER_SAYS, false, false},
    {"direct write", WdfDeviceIoDirect, WRITE, 0, NEITHER_SAYS, NEITHER_SAYS, NEITHER_SAYS, true, false},
    {"neither read", WdfDeviceIoNeither, READ, NEITHER_SAYS, NEITHER_SAYS, NEITHER_SAYS, 0, false, false},
    {"neither write", WdfDeviceIoNeither, WRITE, NEITHER_SAYS, NEITHER_SAYS, 0, NEITHER_SAYS, false, false},
};
static const struct expected *now;
static ULONG calls;

enum { IN = 8, OUT = 16 };

/* The buffer by all three ways in: they name the same bytes. */
static void check_one(WDFREQUEST request, bool out, NTSTATUS expected, bool read_only)
{
    const size_t size = now->what == READ || !out ? (out ? OUT : IN) : OUT;
    PVOID buffer = request;
    size_t length = 77;
    WDFMEMORY memory = (WDFMEMORY)request, again;
    PMDL mdl = (PMDL)request;
#define ASK(what, ...)                                                                                                 \
    (out ? WdfRequestRetrieveOutput##what(test_globals, request, __VA_ARGS__)                                          \
         : WdfRequestRetrieveInput##what(test_globals, request, __VA_ARGS__))
    assert_int_equal(ASK(Buffer, 0, &buffer, &length), expected);
    assert_int_equal(ASK(Memory, &memory), expected);
    assert_int_equal(ASK(WdmMdl, &mdl), expected);
    if (!NT_SUCCESS(expected)) {
        assert_null(buffer);
        assert_int_equal(length, 0);
        assert_null(memory);
        assert_null(mdl);
        return;
    }
    assert_int_equal(length, size);
    assert_int_equal(ASK(Buffer, size, &buffer, NULL), STATUS_SUCCESS);
    assert_ptr_equal(WdfMemoryGetBuffer(test_globals, memory, &length), buffer);
    assert_int_equal(length, size);
    assert_int_equal(ASK(Memory, &again), STATUS_SUCCESS);
    assert_ptr_equal(again, memory);
    assert_int_equal(MmGetMdlByteCount(mdl), size);
    if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        assert_ptr_equal(mdl->MappedSystemVa, buffer);
    assert_int_equal(ASK(Buffer, size + 1, &buffer, &length), STATUS_BUFFER_TOO_SMALL);
    assert_null(buffer);
    assert_int_equal(length, 0);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, 0, (PVOID) "result", 6),
                     read_only ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCopyFromBuffer(test_globals, memory, size, (PVOID) "r", 1),
                     read_only ? STATUS_ACCESS_VIOLATION : STATUS_BUFFER_TOO_SMALL);
#undef ASK
}

static bool in_caller(WDFREQUEST request)
{
    PVOID buffer = request;
    size_t length = 77;
    calls++;
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, IN, &buffer, &length),
                     now->unsafe_in);
    assert_ptr_equal(buffer, NT_SUCCESS(now->unsafe_in) ? (PVOID)base : NULL);
    assert_int_equal(length, NT_SUCCESS(now->unsafe_in) ? IN : 0);
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, IN + 1, &buffer, &length),
                     NT_SUCCESS(now->unsafe_in) ? SMALL : now->unsafe_in);
    assert_int_equal(WdfRequestRetrieveUnsafeUserOutputBuffer(test_globals, request, OUT, &buffer, NULL),
                     now->unsafe_out);
    assert_ptr_equal(buffer, NT_SUCCESS(now->unsafe_out) ? (PVOID)(base + 64) : NULL);
    return false;
}

static bool in_queue(WDFREQUEST request)
{
    PVOID buffer;
    calls++;
    check_one(request, false, now->in, now->in_read_only);
    check_one(request, true, now->out, now->out_read_only);
    /* Not from a queue, even in the same thread. */
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, 0, &buffer, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(WdfRequestRetrieveUnsafeUserOutputBuffer(test_globals, request, 0, &buffer, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    WdfRequestCompleteWithInformation(test_globals, request, STATUS_SUCCESS, 6);
    return true;
}

static NTSTATUS ask(ULONG in_length, ULONG out_length, IO_STATUS_BLOCK *result)
{
    if (now->what == READ)
        return io_read(file, base + 64, out_length, 0, result);
    if (now->what == WRITE)
        return io_write(file, base, in_length, 0, result);
    return io_device_control(file, now->what, base, in_length, base + 64, out_length, result);
}

static void test_all(void **state)
{
    IO_STATUS_BLOCK result;
    char text[8];
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(table); i++) {
        now = &table[i];
        print_message("%s\n", now->name);
        file = test_open(now->io_type);
        test_in_caller = in_caller;
        test_in_queue = in_queue;
        calls = 0;
        plat_user_store(base + 64, "........", 8);
        assert_int_equal(ask(IN, OUT, &result), STATUS_SUCCESS);
        assert_int_equal(calls, 2);
        assert_true(plat_user_load(base + 64, text, 8));
        /* What went into an output that may be written arrived. */
        bool wrote = NT_SUCCESS(now->out) && !now->out_read_only;
        assert_memory_equal(text, wrote ? "result" : "......", 6);
        test_close(file);
    }
}

static bool empty_in_queue(WDFREQUEST request)
{
    PVOID buffer;
    WDFMEMORY memory;
    PMDL mdl;
    NTSTATUS in = NT_SUCCESS(now->in) ? SMALL : now->in, out = NT_SUCCESS(now->out) ? SMALL : now->out;
    calls++;
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, 0, &buffer, NULL), in);
    assert_int_equal(WdfRequestRetrieveInputMemory(test_globals, request, &memory), in);
    assert_int_equal(WdfRequestRetrieveInputWdmMdl(test_globals, request, &mdl), in);
    assert_int_equal(WdfRequestRetrieveOutputBuffer(test_globals, request, 0, &buffer, NULL), out);
    assert_int_equal(WdfRequestRetrieveOutputMemory(test_globals, request, &memory), out);
    assert_int_equal(WdfRequestRetrieveOutputWdmMdl(test_globals, request, &mdl), out);
    return false;
}

static bool empty_in_caller(WDFREQUEST request)
{
    PVOID buffer;
    size_t length = 77;
    /* Nothing is not too small if nothing is wanted. */
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, 0, &buffer, &length),
                     now->unsafe_in);
    assert_int_equal(length, 0);
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, 1, &buffer, NULL),
                     NT_SUCCESS(now->unsafe_in) ? SMALL : now->unsafe_in);
    return false;
}

static void test_empty(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(table); i++) {
        now = &table[i];
        file = test_open(now->io_type);
        test_in_caller = empty_in_caller;
        test_in_queue = empty_in_queue;
        calls = 0;
        assert_int_equal(ask(0, 0, &result), STATUS_SUCCESS);
        assert_int_equal(calls, 1);
        test_close(file);
    }
}

/* After completion, while the driver still has a reference. */
static bool complete_first(WDFREQUEST request)
{
    PVOID buffer;
    WDFMEMORY other;
    PMDL mdl;
    calls++;
    WdfObjectReferenceActual(test_globals, request, NULL, 0, NULL);
    WdfRequestComplete(test_globals, request, STATUS_SUCCESS);
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, 0, &buffer, NULL), STATUS_INTERNAL_ERROR);
    assert_int_equal(WdfRequestRetrieveOutputMemory(test_globals, request, &other), STATUS_INTERNAL_ERROR);
    assert_int_equal(WdfRequestRetrieveInputWdmMdl(test_globals, request, &mdl), STATUS_INTERNAL_ERROR);
    assert_int_equal(WdfRequestRetrieveUnsafeUserInputBuffer(test_globals, request, 0, &buffer, NULL),
                     STATUS_INVALID_DEVICE_REQUEST);
    WdfObjectDereferenceActual(test_globals, request, NULL, 0, NULL);
    return true;
}

static void test_completed(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    calls = 0;
    file = test_open(WdfDeviceIoBuffered);
    test_in_queue = complete_first;
    assert_int_equal(io_device_control(file, CODE(METHOD_BUFFERED), base, 4, base, 4, &result), STATUS_SUCCESS);
    assert_int_equal(calls, 1);
    test_close(file);
}

/* A kernel sender's METHOD_NEITHER buffers need no locking. */
static UCHAR kernel_in[8] = "kernel", kernel_out[8];
static bool from_kernel(WDFREQUEST request)
{
    PVOID in, out;
    PMDL mdl;
    calls++;
    assert_int_equal(WdfRequestRetrieveInputBuffer(test_globals, request, 8, &in, NULL), STATUS_SUCCESS);
    assert_int_equal(WdfRequestRetrieveOutputBuffer(test_globals, request, 8, &out, NULL), STATUS_SUCCESS);
    assert_ptr_equal(in, kernel_in);
    assert_ptr_equal(out, kernel_out);
    assert_int_equal(WdfRequestRetrieveInputWdmMdl(test_globals, request, &mdl), STATUS_SUCCESS);
    assert_ptr_equal(mdl->MappedSystemVa, kernel_in);
    return false;
}

static void test_kernel_sender(void **state)
{
    IO_STATUS_BLOCK result;
    UNREFERENCED_PARAMETER(state);
    calls = 0;
    file = test_open(WdfDeviceIoBuffered);
    file->mode = KernelMode;
    test_in_queue = from_kernel;
    assert_int_equal(
        io_device_control(file, CODE(METHOD_NEITHER), (ULONG_PTR)kernel_in, 8, (ULONG_PTR)kernel_out, 8, &result),
        STATUS_SUCCESS);
    assert_int_equal(calls, 1);
    test_close(file);
}

static bool delete_memory(WDFREQUEST request)
{
    WDFMEMORY memory;
    WdfRequestRetrieveInputMemory(test_globals, request, &memory);
    WdfObjectDelete(test_globals, memory);
    return false;
}
static void delete_request_memory(void)
{
    IO_STATUS_BLOCK result;
    file = test_open(WdfDeviceIoBuffered);
    test_in_queue = delete_memory;
    io_device_control(file, CODE(METHOD_BUFFERED), base, 4, base, 4, &result);
}

static void test_delete(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bugcheck_result result = bugcheck_of(delete_request_memory);
    assert_int_equal(result.code, 0x10D);
    assert_non_null(strstr(result.report, "WdfObjectDelete was called for the WDFMEMORY"));
}

static int group_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE) || !plat_user_store(base, "inputinput", 10);
}

static int group_down(void **state)
{
    UNREFERENCED_PARAMETER(state);
    return plat_user_unmap(base, PAGE_SIZE);
}

int run_buffer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),           cmocka_unit_test(test_empty),  cmocka_unit_test(test_completed),
        cmocka_unit_test(test_kernel_sender), cmocka_unit_test(test_delete),
    };
    return cmocka_run_group_tests_name("kmdf buffers", tests, group_up, group_down);
}
