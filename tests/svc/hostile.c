/*
 * hostile.c - what user mode must not get away with: objects that go while they are in use, lengths that do not fit,
 * processes that are none of its business.
 */
#include "svc_test.h"
#include "vm.h"

static ULONG_PTR area; /* of user memory */

static ULONG64 value_at(ULONG_PTR at)
{
    ULONG64 value = 0;
    assert_true(plat_user_load(at, &value, sizeof(value)));
    return value;
}

static HANDLE new_mutant(void)
{
    assert_int_equal(CALL(CreateMutant, area, MUTANT_ALL_ACCESS, 0, TRUE), STATUS_SUCCESS);
    return (HANDLE)value_at(area);
}

static void a_mutant_goes_while_it_is_owned(void **state)
{
    UNREFERENCED_PARAMETER(state);
    PKTHREAD self = ke_thread_current();
    HANDLE first = new_mutant();
    assert_int_equal(CALL(Close, (ULONG_PTR)first), STATUS_SUCCESS);
    assert_true(IsListEmpty(&self->Mutants));
    HANDLE second = new_mutant();
    assert_false(IsListEmpty(&self->Mutants));
    assert_int_equal(CALL(ReleaseMutant, (ULONG_PTR)second, 0), STATUS_SUCCESS);
    assert_int_equal(CALL(Close, (ULONG_PTR)second), STATUS_SUCCESS);
}

/* A length of more than 32 bits is not its lower half. */
static void a_length_of_64_bits_is_taken_whole(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ULONG64 lengths[] = {1ull << 32, (1ull << 32) + 1, 1ull << 63, ~0ull};
    ULONG64 size = PAGE_SIZE;
    assert_true(plat_user_store(area + 8, &size, sizeof(size)));
    assert_int_equal(CALL(CreateSection, area, SECTION_ALL_ACCESS, 0, area + 8, PAGE_READWRITE, SEC_COMMIT, 0),
                     STATUS_SUCCESS);
    ULONG64 section = value_at(area);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(lengths); i++) {
        assert_int_equal(CALL(QueryVirtualMemory, ~0ull, area, MemoryBasicInformation, area + 16, lengths[i], 0),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(CALL(QuerySection, section, SectionBasicInformation, area + 16, lengths[i], 0),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(CALL(ReadVirtualMemory, ~0ull, area, area + 64, lengths[i], 0), STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(CALL(Close, section), STATUS_SUCCESS);
}

/* A directory can be opened for what reads and writes files; the section that cannot read it goes once. */
static void a_section_of_what_cannot_be_read(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct bench_counts before = bench_counts();
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
    IO_STATUS_BLOCK io;
    HANDLE directory, section;
    LARGE_INTEGER size = {.QuadPart = PAGE_SIZE};
    RtlInitUnicodeString(&name, WIDE("\\??\\C:\\"));
    assert_int_equal(ZwOpenFile(&directory, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &attributes, &io,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT),
                     STATUS_SUCCESS);
    assert_false(
        NT_SUCCESS(ZwCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size, PAGE_READWRITE, SEC_COMMIT, directory)));
    assert_int_equal(ZwClose(directory), STATUS_SUCCESS);
    bench_check(&before);
}

static void a_section_may_not_wrap(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (ULONG64 size = ~0ull; size > ~0ull - 2 * PAGE_SIZE; size -= PAGE_SIZE - 1) {
        assert_true(plat_user_store(area + 8, &size, sizeof(size)));
        assert_int_equal(CALL(CreateSection, area, SECTION_ALL_ACCESS, 0, area + 8, PAGE_READWRITE, SEC_RESERVE, 0),
                         STATUS_SECTION_TOO_BIG);
    }
}

/* Their DPCs never leave the queue empty; who waits for his own must not wait for all. */
static void many_timers_do_not_keep_one_from_closing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    enum { TIMERS = 3000 };
    static ULONG64 timers[TIMERS];
    const LONGLONG due = -1;
    struct bench_counts before = bench_counts();
    assert_true(plat_user_store(area + 8, &due, sizeof(due)));
    for (ULONG i = 0; i < TIMERS; i++) {
        assert_int_equal(CALL(CreateTimer, area, 0x1F0003, 0, NotificationTimer), STATUS_SUCCESS);
        timers[i] = value_at(area);
        assert_int_equal(CALL(SetTimer, timers[i], area + 8, 0x10000, 0, FALSE, 1, 0), STATUS_SUCCESS);
    }
    for (ULONG i = 0; i < 20; i++)
        assert_int_equal(CALL(Close, timers[i]), STATUS_SUCCESS);
    for (ULONG i = 20; i < TIMERS; i++)
        assert_int_equal(CALL(CancelTimer, timers[i], 0), STATUS_SUCCESS);
    for (ULONG i = 20; i < TIMERS; i++)
        assert_int_equal(CALL(Close, timers[i]), STATUS_SUCCESS);
    bench_call(SVC_NUMBER_TestAlert, NULL); /* the last APCs go */
    assert_int_equal(ob_handles_in(&ke_user.body), before.user_handles);
}

static NTSTATUS open_process(ULONG64 id, ACCESS_MASK access)
{
    const OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    const CLIENT_ID client = {.UniqueProcess = (HANDLE)id};
    assert_true(plat_user_store(area + 0x100, &attributes, sizeof(attributes)));
    assert_true(plat_user_store(area + 0x200, &client, sizeof(client)));
    return CALL(OpenProcess, area, access, area + 0x100, area + 0x200);
}

/* The handles of drivers would be a DUPLICATE_CLOSE_SOURCE away. */
static void the_system_process_is_not_opened_for_more_than_questions(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const ACCESS_MASK refused[] = {0x40, 0x8, 0x10, 0x20, GENERIC_ALL, GENERIC_WRITE, PROCESS_ALL_ACCESS};
    ULONG64 system = (ULONG_PTR)ke_system.body.UniqueProcessId;
    struct bench_counts before = bench_counts();
    HANDLE kernel;
    assert_int_equal(
        ZwCreateEvent(&kernel, EVENT_ALL_ACCESS,
                      &(OBJECT_ATTRIBUTES){.Length = sizeof(OBJECT_ATTRIBUTES), .Attributes = OBJ_KERNEL_HANDLE},
                      NotificationEvent, FALSE),
        STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(refused); i++)
        assert_int_equal(open_process(system, refused[i]), STATUS_ACCESS_DENIED);
    assert_int_equal(open_process(system, MAXIMUM_ALLOWED), STATUS_SUCCESS);
    ULONG64 process = value_at(area);
    for (ULONG64 number = 4; number < 0x400; number += 4)
        assert_int_equal(CALL(DuplicateObject, process, number, ~0ull, area + 8, 0, 0,
                              DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS),
                         STATUS_ACCESS_DENIED);
    assert_int_equal(CALL(Close, process), STATUS_SUCCESS);
    assert_int_equal(ZwClose(kernel), STATUS_SUCCESS);
    bench_check(&before);
}

static int set_up(void **state)
{
    UNREFERENCED_PARAMETER(state);
    area = bench_user_page(PLAT_READWRITE);
    return 0;
}

int run_hostile_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutant_goes_while_it_is_owned),
        cmocka_unit_test(a_length_of_64_bits_is_taken_whole),
        cmocka_unit_test(a_section_of_what_cannot_be_read),
        cmocka_unit_test(a_section_may_not_wrap),
        cmocka_unit_test(many_timers_do_not_keep_one_from_closing),
        cmocka_unit_test(the_system_process_is_not_opened_for_more_than_questions),
    };
    return cmocka_run_group_tests_name("hostile", tests, set_up, NULL);
}
