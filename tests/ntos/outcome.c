/* outcome.c - what came of an action that may end in a bug check or an exception. */
#include "ntos_test.h"
#include <sys/wait.h>
#include <unistd.h>

static int result_pipe = -1;

static void report_bugcheck(ULONG code, const ULONG_PTR parameters[4], ULONG_PTR culprit)
{
    UNREFERENCED_PARAMETER(culprit);
    struct bugcheck_result result = {.happened = true, .code = code};
    memcpy(result.parameters, parameters, sizeof(result.parameters));
    if (write(result_pipe, &result, offsetof(struct bugcheck_result, report)) < 0)
        _exit(3);
    _exit(1);
}

struct bugcheck_result bugcheck_of(void (*action)(void))
{
    struct bugcheck_result result = {0};
    int results[2], texts[2];
    assert_int_equal(pipe(results), 0);
    assert_int_equal(pipe(texts), 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        dup2(texts[1], 2);
        result_pipe = results[1];
        ke_bugcheck_hook = report_bugcheck;
        if (!NT_SUCCESS(plat_fork_child()) || !NT_SUCCESS(ke_fork_child()))
            _exit(4);
        action();
        _exit(0);
    }
    close(results[1]);
    close(texts[1]);
    SIZE_T used = 0;
    ssize_t got;
    while (used < sizeof(result.report) - 1 &&
           (got = read(texts[0], result.report + used, sizeof(result.report) - 1 - used)) > 0)
        used += (SIZE_T)got;
    char report[sizeof(result.report)];
    memcpy(report, result.report, sizeof(report));
    if (read(results[0], &result, offsetof(struct bugcheck_result, report)) <= 0)
        result.happened = false;
    memcpy(result.report, report, sizeof(report));
    close(results[0]);
    close(texts[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), result.happened ? 1 : 0);
    return result;
}

NTSTATUS exception_of(void (*action)(void *context), void *context)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        action(context);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}
