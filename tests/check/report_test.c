/*
 * report_test.c - findings and reports from C: text that is made harmless, fingerprints, order, joining, JSON there and
 * back, and files that are wrong in every way.
 *
 * `test_report --write FOLDER` writes the sample reports as JSON and text (the golden files are made by it),
 * `test_report
 * --schema` prints the schema of shape.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "report.h"
#include "rules.h"
#include "sample.h"
#include "sha256.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *json_of(const struct report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_write_json(report, out);
    fclose(out);
    return text;
}

static void hashes_are_sha256(void **state)
{
    (void)state;
    char text[SHA256_TEXT];
    struct sha256 hash;
    sha256_init(&hash);
    sha256_text(&hash, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_init(&hash);
    sha256_add(&hash, "abcdbcdecdefdefgefghfghighijhijkijkl", 36);
    sha256_add(&hash, "jklmklmnlmnomnopnopq", 20);
    sha256_text(&hash, text);
    assert_string_equal(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    sha256_init(&hash);
    for (int i = 0; i < 1000000; i++)
        sha256_add(&hash, "a", 1);
    sha256_text(&hash, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void text_is_harmless(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain, tab\tand \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "plain, tab\tand \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a\nb\x1b[0m\x7f", "a?b?[0m?"},
        {"\xc2\x9b", "?"},                               /* a C1 control */
        {"\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8", "???"}, /* turns, isolates, ends the line */
        {"\xff\xfe\xc3", "???"},                         /* no UTF-8 */
        {"\xc0\xaf\xed\xa0\x80", "?????"},               /* overlong, a surrogate */
        {"\xf4\x90\x80\x80", "????"},                    /* beyond Unicode */
    };
    struct report report;
    report_init(&report);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = report_text(&report, cases[i][0]), shown[64], *end = shown;
        for (const char *at = text; *at; at++) {
            if (!strncmp(at, "\xef\xbf\xbd", 3)) {
                *end++ = '?';
                at += 2;
            } else {
                *end++ = *at;
            }
        }
        *end = 0;
        assert_string_equal(shown, cases[i][1]);
    }
    assert_null(report_text(&report, NULL));
    report_free(&report);
}

static void arrays_grow(void **state)
{
    (void)state;
    struct report report;
    uint64_t *numbers = NULL;
    size_t count = 0;
    report_init(&report);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t *number = report_append(&report, &numbers, &count, sizeof(*number));
        assert_int_equal(*number, 0);
        *number = i;
    }
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    report_free(&report);
}

/* What must not change a fingerprint, and what must. */
static void fingerprints_name_the_cause(void **state)
{
    (void)state;
    struct report report;
    struct report_run run = {.driver = "a/x.sys"}, elsewhere = {.driver = "C:\\b\\x.sys"},
                      other = {.driver = "a/y.sys"};
    const struct finding finding = {.rule = "hang", .message = "m", .place = {"F", "src/f.c", 10, 0x1000, NULL, 0}};
    struct finding base = finding, changed;
    report_init(&report);
    finding_identify(&report, &run, &base);
    assert_int_equal(strlen(base.fingerprint), REPORT_FINGERPRINT);
#define CHANGED(run_, assignment)                                                                                      \
    (changed = finding, assignment, finding_identify(&report, &run_, &changed),                                        \
     strcmp(changed.fingerprint, base.fingerprint))
    assert_int_equal(CHANGED(run, changed.place.line = 11), 0);
    assert_int_equal(CHANGED(run, changed.place.pc = 0x2000), 0);
    assert_int_equal(CHANGED(run, changed.message = "n"), 0);
    assert_int_equal(CHANGED(run, changed.place.file = "D:\\w\\f.c"), 0);
    assert_int_equal(CHANGED(elsewhere, changed.tried = 3), 0);
    assert_int_not_equal(CHANGED(other, changed.tried = 3), 0);
    assert_int_not_equal(CHANGED(run, changed.rule = "double-fetch"), 0);
    assert_int_not_equal(CHANGED(run, changed.cause = "in+0"), 0);
    assert_int_not_equal(CHANGED(run, changed.place.function = "G"), 0);
    assert_int_not_equal(CHANGED(run, changed.place.file = "g.c"), 0);
    base.place.function = NULL;
    finding_identify(&report, &run, &base);
    assert_int_not_equal(CHANGED(run, (changed.place.function = NULL, changed.place.pc = 0x2000)), 0);
    report_free(&report);
}

static void json_comes_back(void **state)
{
    (void)state;
    void (*const samples[])(struct report *) = {sample_report, sample_shard, sample_hostile};
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct report report, again;
        char error[REPORT_ERROR_MAX] = "";
        samples[i](&report);
        char *first = json_of(&report);
        if (!report_parse(first, strlen(first), "sample", &again, error))
            fail_msg("%s", error);
        char *second = json_of(&again);
        assert_string_equal(first, second);
        report_free(&again);
        report_free(&report);
        free(first);
        free(second);
    }
}

/* A file that ends early is one line, wherever it ends. */
static void cut_files_are_refused(void **state)
{
    (void)state;
    struct report report, again;
    char error[REPORT_ERROR_MAX];
    sample_report(&report);
    char *text = json_of(&report);
    size_t length = strlen(text);
    for (size_t i = 0; i + 2 < length; i += 7) {
        error[0] = 0;
        assert_false(report_parse(text, i, "cut", &again, error));
        assert_int_equal(strncmp(error, "cut: ", 5), 0);
        assert_null(strchr(error, '\n'));
        assert_null(again.memory);
    }
    free(text);
    report_free(&report);
}

#define RUN(fields)                                                                                                    \
    "{\"version\":1,\"tool\":\"t\",\"runs\":[{\"driver\":\"d\",\"sha256\":"                                            \
    "\"0000000000000000000000000000000000000000000000000000000000000000\",\"seed\":1,\"cases\":0" fields "}]}"
#define FINDING(fields) RUN(",\"findings\":[{" fields "}]")

static void wrong_files_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "x.json: line 1: "},
        {"[]", "x.json: not an object"},
        {"{}", "x.json: no \"version\": this is no report of uma"},
        {"{\"version\":\"1\"}", "x.json: a report of another version; this program reads version 1"},
        {"{\"version\":2,\"tool\":\"t\"}", "x.json: a report of another version; this program reads version 1"},
        {"{\"version\":1}", "x.json: \"tool\" is missing"},
        {"{\"version\":1,\"tool\":7}", "x.json: tool: not a text"},
        {"{\"version\":1,\"tool\":\"\\u0000\"}", "x.json: line 1: "},
        {"{\"version\":1,\"tool\":\"t\",\"tool\":\"t\"}", "x.json: line 1: duplicate object key"},
        {"{\"version\":1,\"tool\":\"t\",\"\x1b[31m\":1}", "x.json: line 1: "},
        {"{\"version\":1,\"tool\":\"t\",\"ru\\u001bns\":1}", "x.json: unknown key \"ru?ns\""},
        {"{\"version\":1,\"tool\":\"t\",\"known\":-1}", "x.json: known: not a number from 0 to 9223372036854775807"},
        {"{\"version\":1,\"tool\":\"t\",\"known\":9223372036854775808}", "x.json: line 1: too big integer"},
        {"{\"version\":1,\"tool\":\"t\",\"known\":1.5}", "x.json: known: not a number"},
        {"{\"version\":1,\"tool\":\"t\",\"runs\":{}}", "x.json: runs: not an array"},
        {"{\"version\":1,\"tool\":\"t\",\"runs\":[7]}", "x.json: runs[0]: not an object"},
        {"{\"version\":1,\"tool\":\"t\",\"runs\":[{\"driver\":\"d\"}]}", "x.json: runs[0]: \"sha256\" is missing"},
        {"{\"version\":1,\"tool\":\"t\",\"runs\":[{\"sha256\":\"00\"}]}",
         "x.json: runs[0].sha256: '00' is not 64 hexadecimal digits in lower case"},
        {RUN(",\"blocks\":\"0\""), "x.json: runs[0].blocks: '0' is not pairs of hexadecimal digits in lower case"},
        {RUN(",\"blocks\":\"00\""), "x.json: runs[0]: \"blocks\" does not have a bit for each of 0 blocks"},
        {RUN(",\"block-count\":9,\"blocks\":\"ff\""),
         "x.json: runs[0]: \"blocks\" does not have a bit for each of 9 blocks"},
        {RUN(",\"block-count\":9223372036854775807"),
         "x.json: runs[0]: \"blocks\" does not have a bit for each of 9223372036854775807 blocks"},
        {RUN(",\"block-count\":1,\"blocks\":\"ff\""), "x.json: runs[0]: \"blocks\" has bits beyond the last block"},
        {RUN(",\"codes\":[{\"type\":\"fly\"}]"), "x.json: runs[0].codes[0].type: 'fly' is not a kind of request"},
        {RUN(",\"codes\":[{\"type\":\"read\",\"code\":\"222003\"}]"), "x.json: runs[0].codes[0].code: not a text like"},
        {RUN(",\"codes\":[{\"type\":\"read\",\"code\":\"0x\"}]"), "x.json: runs[0].codes[0].code: not a text like"},
        {RUN(",\"codes\":[{\"type\":\"read\",\"code\":\"0x10000000000000000\"}]"),
         "x.json: runs[0].codes[0].code: not a "},
        {FINDING("\"rule\":\"no-such\""), "x.json: runs[0].findings[0].rule: 'no-such' is not a rule"},
        {FINDING("\"level\":\"fatal\""), "x.json: runs[0].findings[0].level: none of the words that are allowed here"},
        {FINDING("\"fingerprint\":\"xyz\""), "x.json: runs[0].findings[0].fingerprint: 'xyz' is not 32 hexadecimal"},
        {FINDING("\"steps\":[{\"message\":\"m\",\"access\":{\"raw\":1}}]"),
         "x.json: runs[0].findings[0].steps[0].access.raw: neither true nor false"},
        {FINDING("\"steps\":[{\"message\":\"m\",\"access\":[]}]"),
         "x.json: runs[0].findings[0].steps[0].access: not an"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct report report;
        char error[REPORT_ERROR_MAX] = "";
        if (report_parse(cases[i][0], strlen(cases[i][0]), "x.json", &report, error))
            fail_msg("accepted: %s", cases[i][0]);
        if (strncmp(error, cases[i][1], strlen(cases[i][1])) || strchr(error, '\n'))
            fail_msg("%s\nsays  %s\nwants %s", cases[i][0], error, cases[i][1]);
        assert_null(report.memory);
    }
}

static void merging_joins_shards(void **state)
{
    (void)state;
    char *results[2];
    for (int order = 0; order < 2; order++) {
        struct report report, first, second;
        report_init(&report);
        sample_report(order ? &second : &first);
        sample_shard(order ? &first : &second);
        report_merge(&report, &first);
        report_merge(&report, &second);
        report_sort(&report);
        assert_int_equal(report.run_count, 1);
        const struct report_run *run = &report.runs[0];
        struct run_totals totals = report_run_count(run);
        assert_int_equal(run->cases, 5321);
        assert_int_equal(run->milliseconds, 2000);
        assert_string_equal(run->started, "2026-01-02T03:04:05Z");
        assert_int_equal(totals.blocks_reached, 60);
        assert_int_equal(totals.accesses, 7);
        assert_int_equal(totals.accesses_faulted, 7);
        assert_int_equal(run->code_count, 2);
        assert_int_equal(run->finding_count, 5);
        for (size_t i = 0; i < run->finding_count; i++) {
            if (!strcmp(run->findings[i].rule, "raw-user-access")) {
                assert_int_equal(run->findings[i].reproduced, 10);
                assert_int_equal(run->findings[i].tried, 12);
            }
            if (i)
                assert_true(run->findings[i].level <= run->findings[i - 1].level);
        }
        results[order] = json_of(&report);
        report_free(&report);
    }
    /* The path is that of whichever sorts first, so nothing depends on the order of the files. */
    assert_string_equal(results[0], results[1]);
    free(results[0]);
    free(results[1]);
}

static void baselines_leave_out_what_is_known(void **state)
{
    (void)state;
    struct report report, baseline;
    sample_shard(&report);
    sample_report(&baseline);
    report_subtract(&report, &baseline);
    assert_int_equal(report.known, 1);
    assert_int_equal(report_count(&report).findings, 1);
    assert_string_equal(report.runs[0].findings[0].rule, "hang");
    report_subtract(&baseline, &baseline);
    assert_int_equal(report_count(&baseline).findings, 0);
    report_free(&report);
    report_free(&baseline);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t lines_for(const char *folder, const char *file, uint64_t line, const char *wanted)
{
    struct report report;
    sample_report(&report);
    struct finding_place *place = &report.runs[0].findings[0].place;
    place->file = report_text(&report, file);
    place->line = line;
    assert_true(report_add_source(&report, folder));
    size_t count = place->source_count;
    for (size_t i = 0; i < count; i++)
        if (place->source[i].line == line)
            assert_string_equal(place->source[i].text, wanted);
    report_free(&report);
    return count;
}

static void source_lines_stay_below_their_folder(void **state)
{
    (void)state;
    char top[] = "/tmp/uma-report-XXXXXX", folder[100], path[200];
    assert_non_null(mkdtemp(top));
    snprintf(folder, sizeof(folder), "%s/tree", top);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_file(top, "secret.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    write_file(top, "tree-secret.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    write_file(folder, "a.c", "one\ntwo\r\nthree\nfour\n\x1b[1mfive\nsix\nseven\neight\nnine");
    snprintf(path, sizeof(path), "%s/link.c", folder);
    assert_int_equal(symlink("../secret.c", path), 0);
    snprintf(path, sizeof(path), "%s/pipe.c", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(lines_for(folder, "a.c", 2, "two"), 5);
    assert_int_equal(lines_for(folder, "a.c", 5, "\xef\xbf\xbd[1mfive"), 7);
    assert_int_equal(lines_for(folder, "./a.c", 9, "nine"), 4);
    snprintf(path, sizeof(path), "%s/a.c", folder);
    assert_int_equal(lines_for(folder, path, 1, "one"), 4);
    assert_int_equal(lines_for(folder, "a.c", 10, ""), 0); /* not this file, then */
    assert_int_equal(lines_for(folder, "../secret.c", 2, ""), 0);
    assert_int_equal(lines_for(folder, "../tree-secret.c", 2, ""), 0);
    assert_int_equal(lines_for(folder, "link.c", 2, ""), 0);
    assert_int_equal(lines_for(folder, "pipe.c", 2, ""), 0);
    assert_int_equal(lines_for(folder, ".", 2, ""), 0);
    assert_int_equal(lines_for(folder, "/etc/passwd", 1, ""), 0);
    struct report report;
    report_init(&report);
    assert_false(report_add_source(&report, "/nonexistent/folder"));
    snprintf(path, sizeof(path), "rm -r '%s'", top);
    assert_int_equal(system(path), 0);
}

static void rules_have_pages(void **state)
{
    (void)state;
    assert_int_equal(rule_count, 14);
    for (size_t i = 0; i < rule_count; i++) {
        assert_ptr_equal(rule_find(rules[i].id), &rules[i]);
        assert_non_null(strstr(rules[i].help, "## How to fix it\n"));
        assert_true(strlen(rules[i].help) < 4000);
    }
    assert_null(rule_find("no-such-rule"));
}

/* ---- for the other tests ---- */

static int write_samples(const char *folder)
{
    static const struct {
        const char *name;
        void (*make)(struct report *);
    } samples[] = {{"sample", sample_report}, {"shard", sample_shard}, {"hostile", sample_hostile}};
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct report report;
        char path[600];
        samples[i].make(&report);
        for (int text = 0; text < 2; text++) {
            snprintf(path, sizeof(path), "%s/%s.%s", folder, samples[i].name, text ? "txt" : "json");
            FILE *out = fopen(path, "w");
            if (!out)
                return 2;
            if (text)
                report_write_text(&report, out, false);
            else
                report_write_json(&report, out);
            fclose(out);
        }
        report_free(&report);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_sha256),
        cmocka_unit_test(text_is_harmless),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(fingerprints_name_the_cause),
        cmocka_unit_test(json_comes_back),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(merging_joins_shards),
        cmocka_unit_test(baselines_leave_out_what_is_known),
        cmocka_unit_test(source_lines_stay_below_their_folder),
        cmocka_unit_test(rules_have_pages),
    };
    if (argc == 3 && !strcmp(argv[1], "--write"))
        return write_samples(argv[2]);
    if (argc == 2 && !strcmp(argv[1], "--schema"))
        return sample_schema();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
