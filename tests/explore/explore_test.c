/*
 * explore_test.c - drivers of the corpus explored: what labels.tsv says of a bad one is found, in its function; a good
 * one has no findings; the same seed gives the same report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/explore.h"
#include "check/report.h"
#include "sessions.h"
#include "uma.h"
#include "../protect_asked.h"

enum { ROWS = 4096, PATH = 1024, TEXT = 256, SEED = 1 };

static const char *labels, *folder, *level;
static bool sees_raw; /* the protection lets raw instructions be seen */

/* ---- one driver ---- */

static void explore_driver(const struct session *session, const char *twin, struct report *report)
{
    char path[PATH], error[UMA_ERROR_MAX];
    struct uma_driver *driver;
    struct attempter *attempter;
    const struct explore_options options = {.seed = SEED};
    snprintf(path, sizeof(path), "%s/%s.%s.%s.sys", folder, session->name, twin, level);
    if (uma_load(path, &driver, error) < 0)
        fail_msg("%s: %s", path, error);
    report_init(report);
    struct report_run *run = report_append(report, &report->runs, &report->run_count, sizeof(*run));
    run->driver = report_text(report, path_base(path));
    run->sha256 = report_format(report, "%064d", 0);
    assert_true(attempter_open(ROWS, &attempter) >= 0);
    if (!explore(attempter, &session->attempt, &options, report, run))
        fail_msg("%s: it could not be explored to the end", path);
    attempter_close(attempter);
    if (uma_unload(driver) < 0)
        fail_msg("%s: it does not unload", path);
}

static void tell(const struct report_run *run)
{
    for (size_t i = 0; i < run->finding_count; i++) {
        const struct finding *finding = &run->findings[i];
        print_message("  %s %s in %s (%s:%llu; %s): %s, %llu of %llu\n    %s: %s\n", run->driver, finding->rule,
                      finding->place.function ? finding->place.function : "-", path_base(finding->place.file),
                      (unsigned long long)finding->place.line, finding->cause, finding->message,
                      (unsigned long long)finding->reproduced, (unsigned long long)finding->tried,
                      finding->schedule_count ? finding->schedule[0].when : "-",
                      finding->schedule_count ? finding->schedule[0].what : "-");
    }
}

/* Where there are no symbols, as on the PKU machine, the rule must do. */
static const struct finding *find(const struct report_run *run, const char *rule, const char *function)
{
    for (size_t i = 0; i < run->finding_count; i++) {
        const struct finding *finding = &run->findings[i];
        bool there = finding->place.function ? !strcmp(finding->place.function, function) : finding->place.pc != 0;
        if (!strcmp(finding->rule, rule) && there)
            return finding;
    }
    return NULL;
}

/* ---- tests ---- */

/* Each label of the driver ("rule/name.c rule function") has its finding. */
static void what_is_labelled_is_found(const struct session *session, const struct report_run *run)
{
    char file[TEXT], rule[TEXT], function[TEXT], wanted[TEXT];
    unsigned rows = 0;
    FILE *table = fopen(labels, "r");
    assert_non_null(table);
    snprintf(wanted, sizeof(wanted), "%s.c", session->name);
    *strchr(wanted, '.') = '/';
    while (fscanf(table, "%255s%255s%255s", file, rule, function) == 3) {
        if (strcmp(file, wanted) || (!strcmp(rule, "raw-user-access") && !sees_raw))
            continue;
        rows++;
        const struct finding *finding = find(run, rule, function);
        if (!finding) {
            tell(run);
            fail_msg("%s: %s in %s is not found", run->driver, rule, function);
            return;
        }
        assert_true(finding->tried >= 3 && finding->reproduced == finding->tried);
        assert_true(finding->request_count > 0 && finding->step_count > 0);
        assert_true(finding->place.pc != 0);
        if (!strcmp(rule, "double-fetch"))
            assert_int_equal(finding->level, LEVEL_ERROR);
    }
    fclose(table);
    assert_true(rows > 0 || !sees_raw);
}

static void bad_is_found_and_good_is_silent(void **state)
{
    const struct session *session = *state;
    struct report report;
    explore_driver(session, "bad", &report);
    what_is_labelled_is_found(session, &report.runs[0]);
    if (getenv("EXPLORE_TELL"))
        tell(&report.runs[0]);
    report_free(&report);
    explore_driver(session, "good", &report);
    tell(&report.runs[0]);
    assert_int_equal(report.runs[0].finding_count, 0);
    assert_true(report.runs[0].cases > 20);
    struct run_totals totals = report_run_count(&report.runs[0]);
    assert_true(report.runs[0].code_count == session->attempt.request_count);
    if (getenv("EXPLORE_TELL"))
        print_message("  %llu of %llu accesses failed, %llu cases\n", (unsigned long long)totals.accesses_faulted,
                      (unsigned long long)totals.accesses, (unsigned long long)report.runs[0].cases);
    report_free(&report);
}

static char *json_of(const struct session *session)
{
    struct report report;
    char *text = NULL;
    size_t size = 0;
    explore_driver(session, "bad", &report);
    report.tool = report_text(&report, "test");
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    report_sort(&report);
    report_write_json(&report, to);
    assert_int_equal(fclose(to), 0);
    report_free(&report);
    return text;
}

/* The first session's, whatever it is. */
static void the_same_seed_gives_the_same_report(void **state)
{
    const struct session *session = *state;
    char *first = json_of(session), *second = json_of(session), error[REPORT_ERROR_MAX];
    struct report again;
    assert_string_equal(first, second);
    assert_true(strstr(first, "\"findings\"") != NULL);
    if (!report_parse(first, strlen(first), "report", &again, error))
        fail_msg("%s", error);
    report_free(&again);
    free(first);
    free(second);
}

static void a_budget_is_kept(void **state)
{
    const struct session *session = *state;
    struct explore_options options = {.budget = 5};
    char path[PATH], error[UMA_ERROR_MAX];
    struct uma_driver *driver;
    struct attempter *attempter;
    struct report report;
    struct report_run run = {.driver = "x.sys"};
    snprintf(path, sizeof(path), "%s/%s.good.%s.sys", folder, session->name, level);
    assert_true(uma_load(path, &driver, error) >= 0);
    assert_true(attempter_open(ROWS, &attempter) >= 0);
    report_init(&report);
    assert_true(explore(attempter, &session->attempt, &options, &report, &run));
    assert_in_range(run.cases, 5, 30);
    report_free(&report);
    attempter_close(attempter);
    assert_true(uma_unload(driver) >= 0);
}

/* ---- which ---- */

/* names: those to take, or one after a '!' that is left out; none: all. Returns how many there are. */
static size_t choose(char **names, size_t count, const struct session **chosen)
{
    size_t taken = 0;
    for (size_t i = 0; i < session_count; i++) {
        bool named = false, left_out = false, any = false;
        for (size_t k = 0; k < count; k++) {
            named = named || !strcmp(names[k], sessions[i].name);
            left_out = left_out || (names[k][0] == '!' && !strcmp(names[k] + 1, sessions[i].name));
            any = any || names[k][0] != '!';
        }
        if (named || (!any && !left_out))
            chosen[taken++] = &sessions[i];
    }
    return taken;
}

static uma_status start(void)
{
    struct uma_options options = {.size = sizeof(options), .protect = protect_asked(), .verify = true};
    uma_status status = uma_start(&options);
    sees_raw = status >= 0 && strcmp(uma_protect_in_use(), "none");
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: test_explore labels.tsv FOLDER LEVEL [DRIVER...|!DRIVER]\n", stderr);
        return 2;
    }
    labels = argv[1];
    folder = argv[2];
    level = argv[3];
    if (start() < 0) {
        puts("not run: this CPU does not have the protection");
        return 77;
    }
    const struct session **chosen = calloc(session_count, sizeof(*chosen));
    struct CMUnitTest *tests = calloc(session_count + 2, sizeof(*tests));
    if (!tests || !chosen)
        return 1;
    size_t count = choose(argv + 4, (size_t)argc - 4, chosen);
    bool some = argc > 4 && argv[4][0] != '!';
    if (!count || (some && count != (size_t)argc - 4)) {
        fputs("there is not a session with each of these drivers\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = chosen[i]->name, .test_func = bad_is_found_and_good_is_silent, .initial_state = (void *)chosen[i]};
    tests[count] = (struct CMUnitTest){.name = "the same seed gives the same report",
                                       .test_func = the_same_seed_gives_the_same_report,
                                       .initial_state = tests[0].initial_state};
    tests[count + 1] = (struct CMUnitTest){
        .name = "a budget is kept", .test_func = a_budget_is_kept, .initial_state = tests[0].initial_state};
    int failed = _cmocka_run_group_tests("explore", tests, count + 2, NULL, NULL);
    free(tests);
    free(chosen);
    return failed;
}
