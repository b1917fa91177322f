/* probe_test.c - ProbeForRead and ProbeForWrite, the memcpy-like exports on user memory. */
#include "ntos_test.h"
#include "trace.h"

struct probe {
    ULONG_PTR address;
    SIZE_T length;
    ULONG alignment;
    bool write;
};

static void run_probe(void *context)
{
    const struct probe *probe = context;
    if (probe->write)
        ProbeForWrite((void *)probe->address, probe->length, probe->alignment);
    else
        ProbeForRead((void *)probe->address, probe->length, probe->alignment);
}

static NTSTATUS probe(ULONG_PTR address, SIZE_T length, ULONG alignment, bool write)
{
    struct probe arguments = {address, length, alignment, write};
    return exception_of(run_probe, &arguments);
}

static void ranges_and_alignment(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR limit = plat_layout.user_limit;
    assert_int_equal(probe(plat_layout.system_start, 0, 1, false), STATUS_SUCCESS); /* length 0 checks nothing */
    assert_int_equal(probe(1, 0, 0, true), STATUS_SUCCESS);
    assert_int_equal(probe(0x10001, 4, 4, false), STATUS_DATATYPE_MISALIGNMENT);
    assert_int_equal(probe(0x10000, 4, 0, false), STATUS_INVALID_PARAMETER);
    assert_int_equal(probe(0x10000, 4, 3, false), STATUS_INVALID_PARAMETER);
    assert_int_equal(probe(limit - 8, 8, 8, false), STATUS_SUCCESS); /* reading touches nothing */
    assert_int_equal(probe(limit - 8, 9, 8, false), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(limit, 1, 1, false), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(plat_layout.system_start, 1, 1, false), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(0x10000, ~0ull, 1, false), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(~0ull, 2, 1, true), STATUS_ACCESS_VIOLATION);
}

static void writing_touches_each_page(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base = 0;
    UCHAR byte = 0x77;
    assert_int_equal(plat_user_map(&base, 3 * PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_true(plat_user_store(base + PAGE_SIZE, &byte, 1));
    assert_int_equal(probe(base, 3 * PAGE_SIZE, 1, true), STATUS_SUCCESS);
    assert_int_equal(probe(base, 3 * PAGE_SIZE + 1, 1, true), STATUS_ACCESS_VIOLATION);
    assert_int_equal(probe(base + 2 * PAGE_SIZE - 1, 1, 1, true), STATUS_SUCCESS);
    assert_int_equal(plat_user_protect(base + PAGE_SIZE, PAGE_SIZE, PLAT_READ), STATUS_SUCCESS);
    assert_int_equal(probe(base, 3 * PAGE_SIZE, 1, false), STATUS_SUCCESS);
    assert_int_equal(probe(base, 3 * PAGE_SIZE, 1, true), STATUS_ACCESS_VIOLATION); /* the page in the middle */
    assert_int_equal(probe(base, PAGE_SIZE, 1, true), STATUS_SUCCESS);
    assert_true(plat_user_load(base + PAGE_SIZE, &byte, 1) && byte == 0x77);
    plat_user_unmap(base, 3 * PAGE_SIZE);
}

static struct trace_row rows[4];
static ULONG row_count;

static void keep_row(const struct trace_row *row)
{
    if (row->kind <= TRACE_RAW_WRITE && row_count < RTL_NUMBER_OF(rows))
        rows[row_count++] = *row;
}

static void copy_from(void *address)
{
    char buffer[16];
    nt_memcpy(buffer, address, sizeof(buffer));
}

static void copies_reach_user_memory_and_are_seen(void **state)
{
    UNREFERENCED_PARAMETER(state);
    ULONG_PTR base = 0;
    char buffer[16] = {0};
    assert_int_equal(plat_user_map(&base, PAGE_SIZE, PLAT_READWRITE), STATUS_SUCCESS);
    assert_true(plat_user_store(base, "sixteen bytes...", 16));
    row_count = 0;
    trace_sink_current = keep_row;
    nt_memcpy(buffer, (void *)base, 16);
    nt_memset((void *)(base + 8), 'x', 4);
    trace_sink_current = NULL;
    assert_memory_equal(buffer, "sixteen bytes...", 16);
    assert_int_equal(row_count, 2);
    assert_true(rows[0].kind == TRACE_RAW_READ && rows[0].address == base && rows[0].size == 16);
    assert_true(rows[1].kind == TRACE_RAW_WRITE && rows[1].address == base + 8 && rows[1].size == 4);
    assert_true(plat_user_load(base, buffer, 16));
    assert_memory_equal(buffer, "sixteen xxxxs...", 16);
    assert_int_equal(exception_of(copy_from, (void *)(base + PAGE_SIZE - 8)), STATUS_ACCESS_VIOLATION);
    assert_int_equal(exception_of(copy_from, NULL), STATUS_ACCESS_VIOLATION);
    plat_user_unmap(base, PAGE_SIZE);
}

static void addresses_are_known(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char here;
    assert_true(MmIsAddressValid(&here));
    assert_false(MmIsAddressValid(NULL));
    assert_false(MmIsAddressValid((PVOID)plat_layout.user_limit));
    assert_ptr_equal(MmHighestUserAddress, plat_layout.user_limit - 1);
}

int run_probe_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_and_alignment),
        cmocka_unit_test(writing_touches_each_page),
        cmocka_unit_test(copies_reach_user_memory_and_are_seen),
        cmocka_unit_test(addresses_are_known),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
