/*
 * learn_test.c - requests are found that drivers take, without help: pointers, lengths, constants; few and small ones.
 */
#include "watch.h"
#include "input_test.h"

#include "check/constants.h"
#include "check/learn.h"

enum { CASE_MS = 20000, SHORT_MS = 100, CASES = 900, FEW = 300 };
enum { COPY = 0x222003, COPY_BUFFERED = 0x222004, NEITHER = 0x222003, BUFFERED = 0x222000, LARGEST = 0x10000 };

static struct learn_options options_for(const struct watch *watch, uint32_t code)
{
    return (struct learn_options){.driver = watch->driver,
                                  .attempter = watch->attempter,
                                  .coverage = watch->coverage,
                                  .device = watch->device,
                                  .type = ATTEMPT_CONTROL,
                                  .code = code,
                                  .seed = 1,
                                  .cases = CASES,
                                  .case_milliseconds = CASE_MS};
}

static struct learned *learn_some(const struct watch *watch, uint32_t code, size_t cases)
{
    struct learn_options options = options_for(watch, code);
    struct learned *learned;
    options.cases = cases;
    assert_int_equal(learn(&options, &learned), 0);
    assert_true(learned->cases <= cases);
    assert_false(learned->out_of_time);
    return learned;
}

static struct learned *learn_code(const struct watch *watch, uint32_t code)
{
    return learn_some(watch, code, CASES);
}

/* Each request of the list does what the list says, when it is sent again. */
static void check_list(const struct watch *watch, const struct learned *learned)
{
    const struct attempt_result *result;
    assert_true(learned->base_count > 0);
    for (unsigned i = 0; i < learned->base_count; i++) {
        const struct learn_base *base = &learned->bases[i];
        assert_true(attempt_run(watch->attempter, &base->attempt, &result));
        assert_int_equal(result->how.end, base->end);
        assert_int_equal(result->replies[0].status, base->status);
        assert_int_equal(result->replies[0].information, base->information);
    }
}

static const struct learn_field *field_at(const struct learned *learned, unsigned block, uint32_t offset)
{
    static const struct learn_field none;
    for (unsigned i = 0; i < learned->field_count; i++)
        if (learned->fields[i].block == block && learned->fields[i].offset == offset)
            return &learned->fields[i];
    return &none;
}

static bool has_constant(const struct learn_field *field, uint64_t value)
{
    for (unsigned i = 0; i < field->constant_count; i++)
        if (field->constants[i] == value)
            return true;
    return false;
}

/* Size, flags, two pointers: at most 64 KB, flags of one bit. */
static void check_scribe(const struct learned *learned)
{
    const struct learn_base *base = &learned->bases[0];
    assert_true(learned->succeeded);
    assert_int_equal(base->end, CASE_DONE);
    assert_int_equal(base->status, 0);
    assert_int_equal(learned->in_length, 24);
    assert_int_equal(base->attempt.link_count, 2);
    assert_int_equal(field_at(learned, 0, 8)->kinds, LEARN_POINTER);
    assert_int_equal(field_at(learned, 0, 16)->kinds, LEARN_POINTER);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_LENGTH);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_COMPARED);
    assert_true(has_constant(field_at(learned, 0, 0), LARGEST) || has_constant(field_at(learned, 0, 0), LARGEST + 1));
    assert_int_equal(field_at(learned, 0, 4)->kinds, LEARN_COMPARED);
}

static void a_request_with_two_pointers(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *learned = learn_code(&watch, COPY);
    check_scribe(learned);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

static void a_captured_request_with_two_pointers(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *learned = learn_code(&watch, COPY_BUFFERED);
    check_scribe(learned);
    assert_int_equal(learned->out_length, 8);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

static bool are_same(const struct learn_base *one, const struct learn_base *other)
{
    bool same = one->attempt.block_count == other->attempt.block_count && one->status == other->status &&
                one->attempt.link_count == other->attempt.link_count && one->end == other->end;
    for (unsigned i = 0; same && i < one->attempt.block_count; i++)
        same = one->attempt.blocks[i].size == other->attempt.blocks[i].size &&
               !memcmp(one->attempt.blocks[i].bytes, other->attempt.blocks[i].bytes, one->attempt.blocks[i].size);
    return same;
}

static void a_seed_decides_all(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *one = learn_some(&watch, COPY, FEW), *other = learn_some(&watch, COPY, FEW);
    assert_int_equal(one->base_count, other->base_count);
    assert_int_equal(one->cases, other->cases);
    assert_int_equal(one->blocks, other->blocks);
    assert_int_equal(one->field_count, other->field_count);
    for (unsigned i = 0; i < one->base_count; i++)
        assert_true(are_same(&one->bases[i], &other->bases[i]));
    learn_free(one);
    learn_free(other);
    watch_end(&watch);
}

/* What ran before and what the attempts ran is in the coverage afterwards. */
static void coverage_knows_all_that_ran(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *first = learn_some(&watch, COPY, FEW);
    size_t hit = coverage_hit(watch.coverage);
    assert_true(hit >= first->blocks && first->blocks > 0);
    struct learned *second = learn_some(&watch, COPY_BUFFERED, FEW);
    assert_true(coverage_hit(watch.coverage) >= hit);
    learn_free(first);
    learn_free(second);
    watch_end(&watch);
}

static void few_cases_are_enough_for_some_list(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learn_options options = options_for(&watch, COPY);
    struct learned *learned;
    options.cases = 12;
    assert_int_equal(learn(&options, &learned), 0);
    assert_true(learned->cases <= 12);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

/* A count of items behind it, in a framework driver. */
static void a_count_in_a_framework_driver(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *learned = learn_code(&watch, NEITHER);
    assert_true(learned->succeeded);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_LENGTH);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_COMPARED);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

/* Data must not be all zero, and the size must leave room for the header. */
static void a_size_and_data(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *learned = learn_code(&watch, NEITHER);
    assert_true(learned->succeeded);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_LENGTH);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

static void a_captured_count(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learned *learned = learn_code(&watch, BUFFERED);
    assert_true(learned->succeeded);
    assert_int_equal(learned->in_length, 8);
    assert_true(field_at(learned, 0, 0)->kinds & LEARN_COMPARED);
    check_list(&watch, learned);
    learn_free(learned);
    watch_end(&watch);
}

/* Zeroes make it hang, and other requests do not. */
static void requests_that_hang_are_few(void **state)
{
    struct watch watch = watch_begin(*state);
    struct learn_options options = options_for(&watch, BUFFERED);
    struct learned *learned;
    bool hangs = false;
    options.case_milliseconds = SHORT_MS;
    options.cases = 900;
    assert_int_equal(learn(&options, &learned), 0);
    assert_true(learned->succeeded);
    assert_int_equal(learned->bases[0].end, CASE_DONE);
    for (unsigned i = 1; i < learned->base_count; i++)
        hangs = hangs || learned->bases[i].end == CASE_HANG;
    assert_true(hangs);
    learn_free(learned);
    watch_end(&watch);
}

static void constants_of_comparisons(void **state)
{
    struct code_constant constants[2048];
    char device[UMA_NAME_MAX], error[UMA_ERROR_MAX];
    struct uma_driver *driver;
    bool has_code = false, largest = false;
    assert_int_equal(uma_load(*state, &driver, error), 0);
    assert_true(uma_driver_device(driver, 0, device));
    size_t count = constants_in_image(driver->image, constants, 2048);
    assert_true(count > 0 && count < 2048);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || constants[i].pc >= constants[i - 1].pc);
        has_code = has_code || constants[i].value == COPY_BUFFERED || constants[i].value == COPY;
        largest = largest || constants[i].value == LARGEST || constants[i].value == LARGEST + 1;
    }
    assert_true(has_code && largest);
    assert_int_equal(uma_unload(driver), 0);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fputs("usage: test_learn uma_safe.sys legacy_refetch.sys kmdf_count.sys wdm_size.sys wdm_wrap.sys "
              "wdm_session.sys wdm_chain.sys\n",
              stderr);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_come_and_go_with_their_blocks),
        cmocka_unit_test(there_are_no_more_blocks_than_an_attempt_holds),
        cmocka_unit_test(sets_of_keys),
        cmocka_unit_test_prestate(constants_of_comparisons, argv[1]),
        cmocka_unit_test_prestate(a_request_with_two_pointers, argv[1]),
        cmocka_unit_test_prestate(a_captured_request_with_two_pointers, argv[1]),
        cmocka_unit_test_prestate(a_request_with_two_pointers, argv[2]),
        cmocka_unit_test_prestate(a_seed_decides_all, argv[1]),
        cmocka_unit_test_prestate(coverage_knows_all_that_ran, argv[1]),
        cmocka_unit_test_prestate(few_cases_are_enough_for_some_list, argv[1]),
        cmocka_unit_test_prestate(a_count_in_a_framework_driver, argv[3]),
        cmocka_unit_test_prestate(a_size_and_data, argv[4]),
        cmocka_unit_test_prestate(a_captured_count, argv[5]),
        cmocka_unit_test_prestate(requests_that_hang_are_few, argv[7]),
    };
    if (uma_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
