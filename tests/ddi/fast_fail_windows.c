/*
 * fast_fail_windows.c - the debug library (DBG) fast-fails when a Mode form is told KernelMode and given a user
 * pointer; and only then.
 *
 * Each call is made in a child process, since a fast fail ends it: the program starts itself with the row's number and
 * the address's kind. What the child's end looks like is Windows's STATUS_STACK_BUFFER_OVERRUN, int 29h's exit status.
 */
#include <windows.h>
#include "ddi.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAST_FAIL_EXIT 0xC0000409u
#define CHILD_RETURNED 0x5A

void ddi_record(const char *name)
{
    (void)name;
}

/* In the child. */
static int make_call(unsigned row, bool user)
{
    struct ddi_call call = {.length = 8, .alignment = 1};
    call.user = user ? env.arena + 0x1040 : env.kernel + 0x40;
    call.other = ddi_rows[row].flags & DDI_BOTH_USER ? call.user + 0x100 : env.kernel + 0x1000;
    if (ddi_rows[row].flags & DDI_BOTH_USER) /* the source is user memory in any mode */
        call.user = env.arena + 0x1040;
    struct env_seen seen = {0};
    env_call(ddi_rows[row].thunk, &call, &seen);
    return seen.raised ? 1 : CHILD_RETURNED;
}

static DWORD run_child(const char *program, unsigned row, bool user)
{
    char command[1024];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD status = 0;
    sprintf(command, "\"%s\" %u %d", program, row, user);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        return 0;
    WaitForSingleObject(process.hProcess, 30000);
    GetExitCodeProcess(process.hProcess, &status);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
    return status;
}

int main(int argc, char **argv)
{
    unsigned failures = 0;
    if (!env_start())
        return 77;
    if (argc == 3)
        return make_call((unsigned)atoi(argv[1]), atoi(argv[2]) != 0);
    for (unsigned i = 0; i < ddi_row_count; i++) {
        if (!(ddi_rows[i].flags & DDI_MODE) || ddi_rows[i].shape == DDI_FILTER) /* the filter takes no pointer */
            continue;
        DWORD user = run_child(argv[0], i, true), kernel = run_child(argv[0], i, false);
        bool good = user == FAST_FAIL_EXIT && kernel == CHILD_RETURNED;
        printf("%s - %s: KernelMode with a user pointer ends with %#lx, with a kernel pointer %#lx\n",
               good ? "ok" : "not ok", ddi_rows[i].name, user, kernel);
        failures += !good;
    }
    return failures != 0;
}
