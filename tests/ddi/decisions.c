/*
 * decisions.c - where the documentation is silent, we say (DESIGN.md): one test per decision, named after it.
 *
 * The generated tests cover the same ground row by row; these state each decision once, plainly. What needs every
 * access seen (single accesses, characters read once) steps through the call and runs with protection none only.
 */
#include "plat.h"
#include "step.h"
#include "usermode_accessors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ACCESS_VIOLATION  0xC0000005u
#define MISALIGNMENT      0x80000002u
#define INVALID_PARAMETER 0xC000000Du
#define IN_PAGE_ERROR     0xC0000006u
#define GUARD_PAGE        0x80000001u
#define DEVICE_DATA_ERROR 0xC000009Cu
#define FAST_FAIL_CODE    77

#define USER   (env.arena + 0x1040)
#define KERNEL (env.kernel + 0x840)

static unsigned char *user_view(uint64_t address)
{
    return env.pages[(address - env.arena) / ARENA_PAGE] + address % ARENA_PAGE;
}

void ddi_record(const char *name)
{
    (void)name;
}

static const struct ddi_row *row_named(const char *name)
{
    for (unsigned i = 0; i < ddi_row_count; i++)
        if (strcmp(ddi_rows[i].name, name) == 0)
            return &ddi_rows[i];
    fail_msg("no row %s", name);
    return NULL;
}

static struct env_seen call(const char *name, struct ddi_call *arguments)
{
    struct env_seen seen = {0};
    env_call(row_named(name)->thunk, arguments, &seen);
    return seen;
}

static void assert_access_violation(const struct env_seen *seen, unsigned kind, uint64_t address)
{
    assert_true(seen->raised);
    assert_int_equal(seen->code, ACCESS_VIOLATION);
    assert_int_equal(seen->parameters, 2);
    assert_int_equal(seen->information[0], kind);
    assert_int_equal(seen->information[1], address);
}

static void bad_address_is_an_access_violation_and_nothing_is_touched(void **state)
{
    (void)state;
    unsigned char before[64];
    memcpy(before, (void *)(uintptr_t)KERNEL, sizeof before);
    struct ddi_call read = {.user = KERNEL}, write = {.user = KERNEL, .value = {0x1111}},
                    fill = {.user = env.limit - 8, .length = 64};
    struct env_seen seen = call("ReadULongFromUser", &read);
    assert_access_violation(&seen, 0, KERNEL);
    seen = call("WriteULong64ToUser", &write);
    assert_access_violation(&seen, 1, KERNEL);
    assert_memory_equal(before, (void *)(uintptr_t)KERNEL, sizeof before);
    memset(user_view(env.limit - 8), 0x77, 8);
    seen = call("ZeroUserMemory", &fill);
    assert_access_violation(&seen, 1, env.limit);
    assert_int_equal(*user_view(env.limit - 8), 0x77);
}

static void fault_midway_moves_the_bytes_before_and_none_after(void **state)
{
    (void)state;
    unsigned char *kernel = (unsigned char *)(uintptr_t)KERNEL;
    memset(kernel, 0, 64);
    memset(user_view(env.arena + 0x4000 - 21), 0x5A, 21);
    struct ddi_call copy = {.user = env.arena + 0x4000 - 21, .other = KERNEL, .length = 64};
    struct env_seen seen = call("CopyFromUser", &copy);
    assert_access_violation(&seen, 0, env.arena + 0x4000);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(kernel[i], i < 21 ? 0x5A : 0);
}

static void length_zero_checks_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"CopyFromUser",        "CopyToUser",         "CopyToUserFromUser",
                                        "MoveToUserFromUser",  "ZeroUserMemory",     "CopyFromUserNonTemporal",
                                        "CopyFromUserAligned", "CopyFromModeAligned"};
    const uint64_t addresses[] = {0, 1, env.limit, KERNEL, 0x800000000001u, ~(uint64_t)0};
    for (unsigned i = 0; i < RTL_NUMBER_OF(names); i++)
        for (unsigned a = 0; a < RTL_NUMBER_OF(addresses); a++) {
            struct ddi_call copy = {.user = addresses[a], .other = addresses[a], .mode = 1, .alignment = 8};
            assert_false(call(names[i], &copy).raised);
        }
}

static void alignment_zero_or_no_power_of_two_is_an_invalid_parameter(void **state)
{
    (void)state;
    static const uint32_t alignments[] = {0, 3, 5, 6, 7, 12, 0x80000001u};
    for (unsigned i = 0; i < RTL_NUMBER_OF(alignments); i++) {
        struct ddi_call copy = {.user = USER, .other = KERNEL, .length = 8, .mode = 1, .alignment = alignments[i]};
        assert_int_equal(call("CopyFromUserAligned", &copy).code, INVALID_PARAMETER);
        assert_int_equal(call("WriteStructToModeAligned", &copy).code, INVALID_PARAMETER);
    }
}

static void misaligned_interlocked_is_a_datatype_misalignment(void **state)
{
    (void)state;
    for (unsigned offset = 1; offset < 8; offset++) {
        struct ddi_call or64 = {.user = USER + offset}, and32 = {.user = USER + offset};
        assert_int_equal(call("InterlockedOr64ToUser", &or64).code, MISALIGNMENT);
        assert_int_equal(call("InterlockedAndToUser", &and32).code, offset % 4 ? MISALIGNMENT : 0);
    }
}

static void compare_exchange_on_read_only_memory_raises_even_when_the_compare_fails(void **state)
{
    (void)state;
    uint64_t address = env.arena + ARENA_READONLY * ARENA_PAGE;
    memset(user_view(address), 0x33, 8);
    struct ddi_call exchange = {.user = address, .value = {1, 2}};
    struct env_seen seen = call("InterlockedCompareExchange64ToUser", &exchange);
    assert_access_violation(&seen, 1, address);
    seen = call("InterlockedCompareExchangeToUser", &exchange);
    assert_access_violation(&seen, 1, address);
}

static void mode_other_than_kernel_mode_counts_as_user_mode(void **state)
{
    (void)state;
    for (int mode = -128; mode < 128; mode++) {
        struct ddi_call read = {.user = KERNEL, .mode = (signed char)mode};
        assert_int_equal(call("ReadULongFromMode", &read).raised, mode != 0);
    }
}

static void kernel_mode_with_a_user_pointer_is_a_plain_access_in_release(void **state)
{
    (void)state;
    memset(user_view(USER), 0x42, 8);
    struct ddi_call read = {.user = USER};
    assert_false(call("ReadULongFromMode", &read).raised);
    assert_int_equal(read.result[0], 0x42424242);
}

static void fast_failed(ULONG code, CONTEXT *context)
{
    (void)context;
    _exit((int)code);
}

/* The check itself; the debug library (ddi_wine_debug) makes it in every Mode form. */
static void user_pointer_where_a_kernel_one_belongs_fast_fails_with_77(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct plat_hooks hooks = {.fast_fail = fast_failed};
        plat_set_hooks(&hooks);
        RtlFastFailIfUserPointer((const void *)(uintptr_t)KERNEL);
        RtlFastFailIfUserPointer((const void *)(uintptr_t)USER);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FAST_FAIL_CODE);
}

static void string_scan_stops_at_the_user_limit(void **state)
{
    (void)state;
    memset(user_view(env.limit - 100), 'x', 100);
    for (unsigned length = 1; length < 80; length++) {
        struct ddi_call narrow = {.user = env.limit - length}, wide = {.user = env.limit - 2 * (length / 2 + 1)};
        struct env_seen seen = call("StringLengthFromUser", &narrow);
        assert_access_violation(&seen, 0, env.limit);
        seen = call("WideStringLengthFromUser", &wide);
        assert_access_violation(&seen, 0, env.limit);
    }
}

static void other_page_errors_pass_through(void **state)
{
    (void)state;
    ULONG_PTR base = 0;
    assert_true(NT_SUCCESS(plat_user_map(&base, 2 * ARENA_PAGE, PLAT_READWRITE)));
    assert_true(NT_SUCCESS(plat_user_poison_in_page(base)));
    struct ddi_call read = {.user = base + 8}, write = {.user = base + ARENA_PAGE, .value = {1}};
    struct env_seen seen = call("ReadULongFromUser", &read);
    assert_int_equal(seen.code, IN_PAGE_ERROR);
    assert_int_equal(seen.parameters, 3);
    assert_int_equal(seen.information[2], DEVICE_DATA_ERROR);
    assert_int_equal(seen.information[0], 0);
    assert_int_equal(seen.information[1], base + 8);
    assert_true(NT_SUCCESS(plat_user_protect(base + ARENA_PAGE, ARENA_PAGE, PLAT_READWRITE | PLAT_GUARD)));
    seen = call("WriteULongToUser", &write);
    assert_int_equal(seen.code, GUARD_PAGE);
    assert_false(call("WriteULongToUser", &write).raised); /* a guard page is one only once */
    plat_user_unmap(base, 2 * ARENA_PAGE);
}

/* ---- every access seen ---- */

static void need_stepping(void)
{
    if (plat_protect_in_use() != PLAT_PROTECT_NONE)
        skip();
}

static void assert_one_access(const struct ddi_row *row, unsigned size, signed char mode)
{
    struct step_access list[4];
    struct ddi_call one = {.user = mode ? USER : KERNEL, .other = env.kernel + 0x1000, .length = size, .mode = mode};
    unsigned count = step_accesses(row, &one, one.user, one.user + size, list, RTL_NUMBER_OF(list));
    bool write = row->shape == DDI_WRITE || row->shape == DDI_COPY_TO;
    if (count != 1 || list[0].address != one.user || list[0].size != size || list[0].write != write)
        fail_msg("%s: %u accesses, the first of %u bytes", row->name, count, count ? list[0].size : 0);
}

static void scalar_is_one_machine_access(void **state)
{
    (void)state;
    need_stepping();
    unsigned last = ddi_row_count;
    for (unsigned i = 0; i < ddi_case_count; i++) {
        const struct ddi_row *row = &ddi_rows[ddi_cases[i].row];
        if (ddi_cases[i].row == last || (row->shape != DDI_READ && row->shape != DDI_WRITE) || ddi_cases[i].length > 8)
            continue;
        last = ddi_cases[i].row;
        assert_one_access(row, (unsigned)ddi_cases[i].length, 1);
        if (row->flags & DDI_MODE)
            assert_one_access(row, (unsigned)ddi_cases[i].length, 0);
    }
}

static void structure_of_1_2_4_8_or_16_bytes_is_one_machine_access(void **state)
{
    (void)state;
    static const char *const names[] = {"ReadStructFromUser", "ReadStructFromMode", "WriteStructToUser",
                                        "WriteStructToMode"};
    need_stepping();
    for (unsigned i = 0; i < RTL_NUMBER_OF(names); i++)
        for (unsigned size = 1; size <= 16; size *= 2)
            assert_one_access(row_named(names[i]), size, 1);
}

/* Each byte of [address, address + size) must be in exactly `times` accesses. */
static void assert_bytes_touched(const char *name, struct ddi_call *made, uint64_t address, unsigned size)
{
    static struct step_access list[512];
    unsigned count = step_accesses(row_named(name), made, address, address + size, list, RTL_NUMBER_OF(list));
    assert_in_range(count, 1, RTL_NUMBER_OF(list));
    for (uint64_t at = address; at < address + size; at++) {
        unsigned times = 0;
        for (unsigned i = 0; i < count; i++)
            times += at >= list[i].address && at < list[i].address + list[i].size;
        if (times != 1)
            fail_msg("%s: byte %u is touched %u times", name, (unsigned)(at - address), times);
    }
}

static void unicode_string_is_read_and_written_with_every_field_once(void **state)
{
    (void)state;
    static const char *const names[] = {"ReadUnicodeStringFromUser", "ReadUnicodeStringFromMode",
                                        "WriteUnicodeStringToUser", "WriteUnicodeStringToMode"};
    need_stepping();
    for (unsigned i = 0; i < RTL_NUMBER_OF(names); i++) {
        struct ddi_call made = {.user = USER, .mode = 1};
        assert_bytes_touched(names[i], &made, USER, 4);     /* Length, MaximumLength */
        assert_bytes_touched(names[i], &made, USER + 8, 8); /* Buffer */
    }
}

static void string_has_each_character_read_once(void **state)
{
    (void)state;
    need_stepping();
    for (unsigned length = 0; length < 70; length += 3)
        for (unsigned offset = 0; offset < 16; offset += 5) {
            uint64_t address = USER + offset;
            struct ddi_call made = {.user = address, .mode = 1};
            struct step_access before[8];
            memset(user_view(address), 'x', 200);
            memset(user_view(address + length), 0, 2);
            assert_bytes_touched("StringLengthFromUser", &made, address, length + 1);
            assert_int_equal(step_accesses(row_named("StringLengthFromUser"), &made, address - 64, address, before, 8),
                             0);
            memset(user_view(address), 'x', 200);
            memset(user_view(address + 2 * length), 0, 2);
            assert_bytes_touched("WideStringLengthFromMode", &made, address, 2 * length + 2);
        }
}

/* ---- macros ---- */

static void macros_evaluate_each_argument_once(void **state)
{
    (void)state;
    struct pair {
        ULONG a, b;
    } *kernel = (struct pair *)(uintptr_t)KERNEL;
    volatile struct pair *user = (volatile struct pair *)(uintptr_t)USER;
    unsigned destination = 0, source = 0, length = 0, alignment = 0, mode = 0;
    CopyFromUserAligned((destination++, kernel), (source++, user), (length++, sizeof *kernel), (alignment++, 4));
    CopyFromModeAligned((destination++, kernel), (source++, user), (length++, sizeof *kernel), (mode++, UserMode),
                        (alignment++, 4));
    ReadStructFromUser((destination++, kernel), (source++, user));
    ReadStructFromMode((destination++, kernel), (source++, user), (mode++, UserMode));
    ReadStructFromUserAligned((destination++, kernel), (source++, user), (alignment++, 4));
    ReadStructFromModeAligned((destination++, kernel), (source++, user), (mode++, UserMode), (alignment++, 4));
    WriteStructToUser((destination++, user), (source++, kernel));
    WriteStructToMode((destination++, user), (source++, kernel), (mode++, UserMode));
    WriteStructToUserAligned((destination++, user), (source++, kernel), (alignment++, 4));
    WriteStructToModeAligned((destination++, user), (source++, kernel), (mode++, UserMode), (alignment++, 4));
    assert_int_equal(destination, 10);
    assert_int_equal(source, 10);
    assert_int_equal(length, 2);
    assert_int_equal(alignment, 6);
    assert_int_equal(mode, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_address_is_an_access_violation_and_nothing_is_touched),
        cmocka_unit_test(fault_midway_moves_the_bytes_before_and_none_after),
        cmocka_unit_test(length_zero_checks_nothing),
        cmocka_unit_test(alignment_zero_or_no_power_of_two_is_an_invalid_parameter),
        cmocka_unit_test(misaligned_interlocked_is_a_datatype_misalignment),
        cmocka_unit_test(compare_exchange_on_read_only_memory_raises_even_when_the_compare_fails),
        cmocka_unit_test(mode_other_than_kernel_mode_counts_as_user_mode),
        cmocka_unit_test(kernel_mode_with_a_user_pointer_is_a_plain_access_in_release),
        cmocka_unit_test(user_pointer_where_a_kernel_one_belongs_fast_fails_with_77),
        cmocka_unit_test(string_scan_stops_at_the_user_limit),
        cmocka_unit_test(other_page_errors_pass_through),
        cmocka_unit_test(scalar_is_one_machine_access),
        cmocka_unit_test(structure_of_1_2_4_8_or_16_bytes_is_one_machine_access),
        cmocka_unit_test(unicode_string_is_read_and_written_with_every_field_once),
        cmocka_unit_test(string_has_each_character_read_once),
        cmocka_unit_test(macros_evaluate_each_argument_once),
    };
    if (!env_start())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
