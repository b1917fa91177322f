/*
 * info.c - `uma info`: loads a driver, without running a single instruction of it, and tells what it is and what it
 * lacks.
 */
#include "cli.h"
#include "info.h"
#include "uma.h"
#include <argp.h>
#include <stdio.h>

struct info_options {
    const char *path;
    bool json;
};

static const struct argp_option option_table[] = {
    {"json", 'j', NULL, 0, "print JSON (docs/uma-info.md) instead of text", 0},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct info_options *options = state->input;
    switch (key) {
    case 'j':
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path)
            argp_error(state, "more than one driver");
        options->path = argument;
        return 0;
    case ARGP_KEY_END:
        if (!options->path)
            argp_error(state, "which driver?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cli_info(int argc, char **argv)
{
    static const struct argp parser = {option_table,
                                       parse_option,
                                       "DRIVER.sys",
                                       "Tells what a driver file is: its imports and which of them umaccess has, its "
                                       "load configuration, its accessor table and what the "
                                       "loader filled it with, its KMDF version. Nothing of the driver is run.",
                                       NULL,
                                       NULL,
                                       NULL};
    struct info_options options = {0};
    struct ldr_image *image;
    char error[LDR_ERROR_MAX];
    argp_err_exit_status = CLI_UNUSABLE;
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    const struct uma_options kernel = {.size = sizeof(kernel)};
    uma_status status = uma_start(&kernel);
    if (status < 0) {
        fprintf(stderr, "uma: the kernel cannot start here: %s\n", uma_status_name(status));
        return CLI_UNUSABLE;
    }
    if (ldr_load(options.path, &image, error) < 0) {
        fprintf(stderr, "uma: %s\n", error);
        return CLI_UNUSABLE;
    }
    json_t *facts = info_facts(image, options.path);
    if (!facts) {
        fputs("uma: out of memory\n", stderr);
        return CLI_UNUSABLE;
    }
    if (options.json) {
        json_dumpf(facts, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else {
        info_print(facts);
    }
    json_decref(facts);
    ldr_unload(image);
    if (fflush(stdout) || ferror(stdout)) {
        perror("uma: standard output");
        return CLI_UNUSABLE;
    }
    return CLI_OK;
}
