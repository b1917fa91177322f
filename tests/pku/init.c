/*
 * init.c - process 1 of the small machine that runs the PKU suites: reads /tests (one command line per row, words
 * separated by blanks, VAR=VALUE words first), runs each, prints one line per test, a closing line, and powers off.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 32
#define NOT_RUN   77

static int run(char *line)
{
    char *words[WORDS_MAX + 1];
    int count = 0;
    for (char *word = strtok(line, " \n"); word && count < WORDS_MAX; word = strtok(NULL, " \n"))
        words[count++] = word;
    words[count] = NULL;
    pid_t child = fork();
    if (child == 0) {
        char **command = words;
        while (*command && strchr(*command, '='))
            putenv(*command++);
        if (*command)
            execv(*command, command);
        perror("exec");
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
    int passed = 0, failed = 0, not_run = 0;
    char line[4096], name[256];
    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mkdir("/tmp", 0777);
    mount("proc", "/proc", "proc", 0, "");
    mount("devtmpfs", "/dev", "devtmpfs", 0, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    FILE *tests = fopen("/tests", "r");
    while (tests && fgets(name, sizeof name, tests) && fgets(line, sizeof line, tests)) {
        name[strcspn(name, "\n")] = 0;
        time_t began = time(NULL);
        int code = run(line);
        const char *verdict = code == 0 ? "ok" : code == NOT_RUN ? "not run" : "FAILED";
        *(code == 0 ? &passed : code == NOT_RUN ? &not_run : &failed) += 1;
        printf("pku-machine: %s %s (%d), %d s\n", verdict, name, code, (int)(time(NULL) - began));
    }
    printf("pku-machine: %d passed, %d failed, %d skipped\n", passed, failed, not_run);
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}
