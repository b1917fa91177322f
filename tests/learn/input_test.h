/*
 * input_test.h - tests of what the search for inputs is made of.
 */
#pragma once

void pointers_come_and_go_with_their_blocks(void **state);
void there_are_no_more_blocks_than_an_attempt_holds(void **state);
void sets_of_keys(void **state);
