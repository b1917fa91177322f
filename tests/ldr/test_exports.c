/*
 * test_exports.c - the rows of exports.def: each export once, sorted inside its group, names that can be exports; and
 * those of irql.def.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum state { DONE, DATA, STUB, DATA_STUB };

static const struct row {
    const char *name;
    enum state state;
} rows[] = {
#define EXPORT_DONE(Name)            {#Name, DONE},
#define EXPORT_AS(Name, Symbol)      {#Name, DONE},
#define EXPORT_LEAF(Name)            {#Name, DONE},
#define EXPORT_LEAF_AS(Name, Symbol) {#Name, DONE},
#define EXPORT_DATA(Name)            {#Name, DATA},
#define EXPORT_DATA_AS(Name, Symbol) {#Name, DATA},
#define EXPORT_STUB(Name)            {#Name, STUB},
#define EXPORT_DATA_STUB(Name)       {#Name, DATA_STUB},
#include "exports.def"
};
enum { COUNT = sizeof(rows) / sizeof(rows[0]) };

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static void test_each_export_has_one_row(void **state)
{
    static struct row sorted[COUNT];
    (void)state;
    memcpy(sorted, rows, sizeof(rows));
    qsort(sorted, COUNT, sizeof(sorted[0]), compare);
    for (int i = 1; i < COUNT; i++)
        if (!strcmp(sorted[i - 1].name, sorted[i].name))
            fail_msg("%s has two rows", sorted[i].name);
}

/* A new group starts at each step back; there are as many as the file has headings. */
static void test_groups_are_sorted(void **state)
{
    char line[512];
    int headings = -1, groups = 1; /* the file's own comment is no heading */
    (void)state;
    FILE *file = fopen(EXPORTS_DEF, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        headings += !strncmp(line, "/*", 2);
    fclose(file);
    for (int i = 1; i < COUNT; i++)
        if (compare(&rows[i - 1], &rows[i]) > 0) {
            groups++;
            if (groups > headings)
                print_message("out of order: %s after %s\n", rows[i].name, rows[i - 1].name);
        }
    assert_true(groups <= headings);
}

static const struct level {
    const char *name;
    int lowest, highest, subcode;
} levels[] = {
#define PASSIVE                                  0
#define APC                                      1
#define DISPATCH                                 2
#define HIGH                                     15
#define IRQL_ROW(Name, Lowest, Highest, Subcode) {#Name, Lowest, Highest, Subcode},
#include "irql.def"
};
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static int has_row(const char *name)
{
    for (int i = 0; i < COUNT; i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].state == DONE;
    return 0;
}

/* A level is documented for what a driver can call. */
static void test_levels_are_of_exports_we_have(void **state)
{
    (void)state;
    for (int i = 0; i < LEVELS; i++) {
        if (!has_row(levels[i].name))
            fail_msg("irql.def: %s is no export we have", levels[i].name);
        if (i && strcmp(levels[i - 1].name, levels[i].name) >= 0)
            fail_msg("irql.def: %s does not belong behind %s", levels[i].name, levels[i - 1].name);
        assert_in_range(levels[i].lowest, 0, levels[i].highest);
        assert_true(levels[i].lowest > 0 || levels[i].highest < HIGH); /* else it says nothing */
    }
    print_message("levels: %d\n", LEVELS);
}

/* Each Zw service wants PASSIVE_LEVEL and says so by code 0xE6: an export that is done without a row would go
 * unchecked. */
static void test_zw_services_have_a_level(void **state)
{
    int missing = 0;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        int found = rows[i].state != DONE || strncmp(rows[i].name, "Zw", 2);
        for (int k = 0; k < LEVELS && !found; k++)
            found = !strcmp(levels[k].name, rows[i].name) && levels[k].highest == PASSIVE && levels[k].subcode == 0xE6;
        if (!found) {
            print_message("irql.def: no row (PASSIVE, PASSIVE, 0xE6) of %s\n", rows[i].name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

static void test_print_how_far_it_is(void **state)
{
    int count[4] = {0};
    (void)state;
    for (int i = 0; i < COUNT; i++)
        count[rows[i].state]++;
    print_message("exports: %d functions and %d variables done, %d and %d stubs\n", count[DONE], count[DATA],
                  count[STUB], count[DATA_STUB]);
    assert_int_equal(count[DONE] + count[DATA] + count[STUB] + count[DATA_STUB], COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_export_has_one_row),       cmocka_unit_test(test_groups_are_sorted),
        cmocka_unit_test(test_levels_are_of_exports_we_have), cmocka_unit_test(test_zw_services_have_a_level),
        cmocka_unit_test(test_print_how_far_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
