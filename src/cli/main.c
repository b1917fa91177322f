/*
 * main.c - the uma program: finds the subcommand. Each subcommand is a file of its own.
 */
#include "cli.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    char *full_name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"info", (char[]){"uma info"}, cli_info,
     "DRIVER.sys: its imports, what is missing, its load configuration and accessor table"},
    {"run", (char[]){"uma run"}, cli_run,
     "DRIVER.sys: load it, send it requests, show what came back and what it left behind"},
    {"trace", (char[]){"uma trace"}, cli_trace,
     "DRIVER.sys: the same, with each access of the driver to user memory, in order"},
    {"report", (char[]){"uma report"}, cli_report, "FILE.json: print a report as text, JSON, SARIF or HTML"},
    {"merge", (char[]){"uma merge"}, cli_merge, "FILES.json: join reports to one"},
    {"demo", (char[]){"uma demo"}, cli_demo, "the same hostile requests against the sample drivers, as a table"},
    {"stories", (char[]){"uma stories"}, cli_stories, "what the documentation says of PreviousMode, as a session"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    puts("usage: uma COMMAND [ARGUMENTS]\n\n"
         "Runs x64 Windows drivers in a Linux process and shows how they treat user memory.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-7s %s\n", commands[i].name, commands[i].help);
    puts("\n`uma COMMAND --help` tells more. Exit status: 0 all well, 1 the driver failed, 2 it could not be tried.");
}

int main(int argc, char **argv)
{
    argp_err_exit_status = CLI_UNUSABLE;
    if (argc < 2) {
        fputs("uma: no command; try `uma --help`\n", stderr);
        return CLI_UNUSABLE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help();
        return CLI_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("uma " UMA_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!strcmp(argv[1], commands[i].name)) {
            argv[1] = commands[i].full_name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "uma: there is no command '%.40s'; try `uma --help`\n", argv[1]);
    return CLI_UNUSABLE;
}
