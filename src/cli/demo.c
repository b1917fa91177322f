/*
 * demo.c - `uma demo`: the same request files against each of several drivers, every case in a process of its own, as
 * one table.
 *
 * A case's child (demo_case.c) starts a kernel, loads the driver, sends the file's requests and reports through a pipe;
 * that it may die of a bug check is the point. The closing lines are counted from the table's cells.
 */
#include "cli.h"
#include "demo.h"
#include <argp.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEMO_MAX_DRIVERS 6
#define DEMO_MAX_CASES   64

struct demo {
    const char *drivers_folder;
    const char *cases_folder;
    const char *drivers[DEMO_MAX_DRIVERS];
    size_t driver_count;
    char cases[DEMO_MAX_CASES][PATH_MAX];
    char titles[DEMO_MAX_CASES][64];
    bool smap[DEMO_MAX_CASES];
    size_t case_count;
    struct demo_result results[DEMO_MAX_CASES][DEMO_MAX_DRIVERS];
    bool colour;
};

static const struct argp_option option_table[] = {
    {"drivers", 'd', "FOLDER", 0, "where the .sys files are (default out/drivers)", 0},
    {"cases", 'c', "FOLDER", 0, "where the request files are (default FOLDER/demo of --drivers)", 0},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct demo *demo = state->input;
    switch (key) {
    case 'd':
        demo->drivers_folder = argument;
        break;
    case 'c':
        demo->cases_folder = argument;
        break;
    case ARGP_KEY_ARG:
        if (demo->driver_count == DEMO_MAX_DRIVERS)
            argp_error(state, "more than %d drivers", DEMO_MAX_DRIVERS);
        demo->drivers[demo->driver_count++] = argument;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- the cases ---- */

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && !strcmp(entry->d_name + length - 5, ".json");
}

/* Reads each file once for its title; false: a message has been printed. */
static bool find_cases(struct demo *demo)
{
    struct dirent **entries;
    char error[REQUESTS_ERROR_MAX];
    int count = scandir(demo->cases_folder, &entries, is_json, alphasort);
    if (count <= 0) {
        fprintf(stderr, "uma: %s: no request files (*.json) there; run ./x build, or name a folder with --cases\n",
                demo->cases_folder);
        return false;
    }
    bool fine = true;
    for (int i = 0; i < count; i++) {
        struct plan plan;
        size_t at = demo->case_count;
        if (fine && at < DEMO_MAX_CASES) {
            snprintf(demo->cases[at], PATH_MAX, "%.2000s/%s", demo->cases_folder, entries[i]->d_name);
            fine = requests_read(demo->cases[at], &plan, error);
            if (fine) {
                snprintf(demo->titles[at], sizeof(demo->titles[at]), "%.60s",
                         plan.description[0] ? plan.description : entries[i]->d_name);
                plan_free(&plan);
                demo->case_count++;
            } else {
                fprintf(stderr, "uma: %s\n", error);
            }
        }
        free(entries[i]);
    }
    free(entries);
    return fine;
}

/* The first case once more on a machine with SMAP. */
static void add_smap_case(struct demo *demo)
{
    size_t at = demo->case_count;
    if (at == DEMO_MAX_CASES)
        return;
    memcpy(demo->cases[at], demo->cases[0], PATH_MAX);
    snprintf(demo->titles[at], sizeof(demo->titles[at]), "%.44s, with SMAP", demo->titles[0]);
    demo->smap[at] = true;
    demo->case_count++;
}

/* ---- the table ---- */

static size_t terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return size.ws_col;
    int asked = columns ? atoi(columns) : 0;
    return asked >= 60 && asked <= 400 ? (size_t)asked : 120;
}

/* Bytes of text that go on one line of a column: all, or up to the last space, or else up to the last '!', '_' or ')'.
 */
static size_t line_length(const char *text, size_t width)
{
    size_t space = 0, mark = 0;
    if (strlen(text) <= width)
        return strlen(text);
    for (size_t i = 1; i <= width; i++) {
        if (text[i] == ' ')
            space = i;
        else if (strchr("!_)", text[i - 1]))
            mark = i;
    }
    return space ? space : mark ? mark : width;
}

static void print_row(const struct demo *demo, const char *const *cells, size_t first, size_t width, const bool *harmed)
{
    const char *rest[DEMO_MAX_DRIVERS + 1];
    bool more = true;
    for (size_t i = 0; i <= demo->driver_count; i++)
        rest[i] = cells[i];
    while (more) {
        size_t behind = 0; /* spaces owed; not printed at the end of a line */
        more = false;
        for (size_t i = 0; i <= demo->driver_count; i++) {
            size_t column = i == 0 ? first : width, length = line_length(rest[i], column);
            bool paint = demo->colour && i > 0 && harmed && harmed[i - 1];
            if (length)
                printf("%*s%s%.*s%s", (int)behind, "", paint ? "\033[31m" : "", (int)length, rest[i],
                       paint ? "\033[0m" : "");
            behind = (length ? 0 : behind) + column - length + 2;
            rest[i] += length;
            rest[i] += strspn(rest[i], " ");
            more = more || *rest[i];
        }
        putchar('\n');
    }
}

static void print_rule(const struct demo *demo, size_t first, size_t width)
{
    for (size_t i = 0; i < first; i++)
        putchar('-');
    for (size_t i = 0; i < demo->driver_count; i++) {
        fputs("  ", stdout);
        for (size_t k = 0; k < width; k++)
            putchar('-');
    }
    putchar('\n');
}

/* Runs the cases row by row; each row is printed when it is known. False: a case could not be run at all. */
static bool run_table(struct demo *demo)
{
    size_t first = 12, total = terminal_width(), width;
    const char *cells[DEMO_MAX_DRIVERS + 1] = {"request"};
    bool harmed[DEMO_MAX_DRIVERS], ran = true;

    for (size_t i = 0; i < demo->case_count; i++)
        first = strlen(demo->titles[i]) > first ? strlen(demo->titles[i]) : first;
    first = first > total * 3 / 10 ? total * 3 / 10 : first;
    width = (total - first) / demo->driver_count - 2;
    for (size_t d = 0; d < demo->driver_count; d++)
        cells[d + 1] = demo->drivers[d];
    print_row(demo, cells, first, width, NULL);
    print_rule(demo, first, width);
    for (size_t c = 0; c < demo->case_count; c++) {
        cells[0] = demo->titles[c];
        for (size_t d = 0; d < demo->driver_count; d++) {
            struct demo_result *result = &demo->results[c][d];
            char path[PATH_MAX];
            snprintf(path, sizeof(path), "%.2000s/%.200s.sys", demo->drivers_folder, demo->drivers[d]);
            demo_run_case(path, demo->cases[c], demo->smap[c], result);
            cells[d + 1] = result->text;
            harmed[d] = demo_is_harm(result->end);
            ran = ran && result->end != DEMO_UNUSABLE;
        }
        print_row(demo, cells, first, width, harmed);
        fflush(stdout);
    }
    print_rule(demo, first, width);
    return ran;
}

/* ---- what the table says ---- */

struct count {
    size_t ends[DEMO_END_COUNT];
    size_t harmed;
    unsigned long long raw;
    size_t left_behind;
};

static struct count count_driver(const struct demo *demo, size_t driver)
{
    struct count count = {0};
    for (size_t c = 0; c < demo->case_count; c++) {
        const struct demo_result *result = &demo->results[c][driver];
        count.ends[result->end]++;
        count.harmed += demo_is_harm(result->end);
        count.raw += result->raw;
        count.left_behind += result->left_behind;
    }
    return count;
}

static void print_count(size_t count, const char *one, const char *many, const char *behind)
{
    printf("%zu %s%s", count, count == 1 ? one : many, behind);
}

/* Of the drivers that reach user memory raw, or of the others: their names, and how many came to no harm. */
static void print_group(const struct demo *demo, bool raw, const char *end)
{
    size_t unharmed = 0, drivers = 0;
    for (size_t d = 0; d < demo->driver_count; d++) {
        struct count count = count_driver(demo, d);
        if ((count.raw > 0) != raw)
            continue;
        printf("%s%s", drivers++ ? ", " : " (", demo->drivers[d]);
        unharmed += count.harmed == 0;
    }
    printf("%s: %zu of %zu unharmed%s\n", drivers ? ")" : "", unharmed, drivers, end);
}

static void print_conclusion(const struct demo *demo)
{
    putchar('\n');
    for (size_t d = 0; d < demo->driver_count; d++) {
        struct count count = count_driver(demo, d);
        printf("%s: the kernel came to harm in %zu of %zu cases (", demo->drivers[d], count.harmed, demo->case_count);
        print_count(count.ends[DEMO_BUGCHECK], "bug check", "bug checks", ", ");
        if (count.ends[DEMO_TIMEOUT])
            print_count(count.ends[DEMO_TIMEOUT], "hang", "hangs", ", ");
        print_count(count.ends[DEMO_LEAKED], "leak", "leaks", ", ");
        print_count(count.ends[DEMO_OVERWROTE], "overwrite", "overwrites", ");\n    ");
        printf("%llu raw accesses to user memory; ", count.raw);
        print_count(count.left_behind, "thing", "things", " left behind\n");
    }
    fputs("What the accessors changed: drivers that reach user memory by themselves", stdout);
    print_group(demo, true, ";");
    fputs("    drivers that only use the accessors", stdout);
    print_group(demo, false, ".");
}

int cli_demo(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .args_doc = "[DRIVER...]",
        .doc = "Sends the same request files to each driver (default: legacy_race legacy_refetch uma_safe), each case "
               "in a process "
               "of its own, and prints what each did as a table.\vExit status: 0 the table is complete, 2 a case could "
               "not be "
               "run.",
    };
    static const char *const standard[] = {"legacy_race", "legacy_refetch", "uma_safe"};
    static struct demo demo;
    char cases[PATH_MAX];

    demo.drivers_folder = "out/drivers";
    argp_parse(&argp, argc, argv, 0, NULL, &demo);
    for (size_t i = 0; demo.driver_count == 0 && i < 3; i++)
        demo.drivers[i] = standard[i];
    demo.driver_count = demo.driver_count ? demo.driver_count : 3;
    if (!demo.cases_folder) {
        snprintf(cases, sizeof(cases), "%.2000s/demo", demo.drivers_folder);
        demo.cases_folder = cases;
    }
    demo.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (!find_cases(&demo))
        return CLI_UNUSABLE;
    add_smap_case(&demo);
    if (!run_table(&demo))
        return CLI_UNUSABLE;
    print_conclusion(&demo);
    return CLI_OK;
}
