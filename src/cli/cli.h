/*
 * cli.h - the subcommands of the uma program. Each takes its own argv, argv[0] being "uma NAME", and returns the exit
 * status: 0 all well, 1 the driver failed, 2 it could not be tried (usage, unreadable file).
 */
#pragma once

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_UNUSABLE = 2 };

int cli_info(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_trace(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_merge(int argc, char **argv);
int cli_demo(int argc, char **argv);
int cli_stories(int argc, char **argv);
