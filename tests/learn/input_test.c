/*
 * input_test.c - requests that the search changes stay in order: pointers come and go with their blocks. And the
 * constants it tries.
 */
#include "watch.h"
#include "input_test.h"

#include "check/keys.h"
#include "check/learn_input.h"

void pointers_come_and_go_with_their_blocks(void **state)
{
    struct learn_input input;
    (void)state;
    learn_input_make(&input, 32, 8);
    assert_true(learn_input_point(&input, LEARN_IN, 8));
    assert_true(learn_input_point(&input, LEARN_IN, 16));
    assert_true(learn_input_point(&input, 2, 0));
    assert_false(learn_input_point(&input, LEARN_IN, 12));
    assert_false(learn_input_point(&input, LEARN_IN, 25));
    assert_int_equal(input.block_count, 5);
    learn_input_put(&input, 3, 4, 0x1234, 2);
    learn_input_put(&input, LEARN_IN, 15, 7, 1); /* the first pointer, the block behind it, and what that led to */
    assert_int_equal(input.block_count, 3);
    assert_int_equal(input.link_count, 1);
    assert_int_equal(input.links[0].offset, 16);
    assert_int_equal(input.links[0].to, 2);
    assert_int_equal(learn_input_get(&input, 2, 4, 4), 0x1234);
    learn_input_resize(&input, LEARN_IN, 23);
    assert_int_equal(input.block_count, 2);
    assert_int_equal(input.link_count, 0);
    learn_input_resize(&input, LEARN_IN, 32);
    assert_int_equal(learn_input_get(&input, LEARN_IN, 15, 1), 7);
    assert_int_equal(learn_input_get(&input, LEARN_IN, 30, 4), 0);
}

void there_are_no_more_blocks_than_an_attempt_holds(void **state)
{
    static uint8_t bytes[ATTEMPT_MEMORY];
    struct attempt attempt = {0};
    struct learn_input input;
    unsigned made = 0;
    (void)state;
    learn_input_make(&input, LEARN_SIZE_MAX, 2 * LEARN_SIZE_MAX);
    learn_input_resize(&input, LEARN_OUT, 2 * LEARN_SIZE_MAX);
    while (learn_input_point(&input, LEARN_IN, 8 * made))
        made++;
    assert_int_equal(input.block_count, LEARN_BLOCKS);
    learn_input_attempt(&input, &attempt, bytes);
    assert_int_equal(attempt.block_count, LEARN_BLOCKS);
    assert_int_equal(attempt.link_count, made);
    assert_int_equal(attempt.requests[0].in_length, LEARN_SIZE_MAX);
    assert_int_equal(attempt.requests[0].out_length, LEARN_SIZE_MAX);
    assert_true(attempt.blocks[LEARN_BLOCKS - 1].bytes + LEARN_POINTEE <= bytes + sizeof(bytes));
}

void sets_of_keys(void **state)
{
    struct keys some = {0}, more = {0};
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(keys_add(&some, i * 7919 % 1000));
    assert_false(keys_add(&some, 5));
    assert_int_equal(some.count, 1000);
    for (size_t i = 0; i < some.count; i++)
        assert_int_equal(some.of[i], i);
    keys_add(&more, 999);
    keys_add(&more, 1000);
    assert_int_equal(keys_missing(&some, &more), 1);
    assert_false(keys_are_equal(&some, &more));
    keys_add_all(&some, &more);
    assert_true(keys_has(&some, 1000) && !keys_has(&some, 1001));
    keys_free(&some);
    keys_free(&more);
}
