/*
 * test_c_frames.c - __try in our own C code: alone, and with a driver's frames between (driver -> export -> callback
 * -> fault).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wdk/seh.h"
#include "world.h"

enum { THROUGH_EXPORT, THROUGH_LEVELS, ARGUMENTS, OVERFLOW, UNHANDLED, BACKTRACE, JUMP, STEPS };
static int(NTAPI *step[STEPS])(int);

enum mode { PLAIN, FINALLY, EXCEPT, PASS, LOOK, RETHROW, RETURN, TRACE };

static char trail[256];
static size_t trail_length;

static void mark(char what)
{
    if (trail_length < sizeof(trail) - 1)
        trail[trail_length++] = what;
    trail[trail_length] = 0;
}

static void trail_reset(void)
{
    trail_length = 0;
    trail[0] = 0;
}

void NTAPI test_mark(char what);
void NTAPI test_mark(char what)
{
    mark(what);
}

static LONG look(EXCEPTION_POINTERS *pointers, void *context)
{
    mark('l');
    assert_ptr_equal(context, &trail);
    return pointers->ExceptionRecord->ExceptionCode == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                                               : EXCEPTION_CONTINUE_SEARCH;
}

typedef void(NTAPI *callback)(void *context);

static int call_with_handler(callback function, void *context, int filter)
{
    volatile int result = 2;
    __try {
        function(context);
    } __except (mark('e'), filter) {
        mark('h');
        result = GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 3 : 4;
    }
    return result;
}

static int call_looking(callback function, void *context)
{
    volatile int result = 2;
    __try {
        function(context);
    }
    __except_call(look, &trail)
    {
        mark('h');
        result = (int)GetExceptionRecord()->ExceptionInformation[1];
    }
    return result;
}

static int call_with_finally(callback function, void *context)
{
    __try {
        function(context);
    } __finally {
        mark(AbnormalTermination() ? '2' : 'x');
    }
    return 5;
}

static int call_and_raise_again(callback function, void *context)
{
    __try {
        function(context);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('h');
        seh_raise_status(STATUS_INVALID_PARAMETER);
    }
    return 6;
}

static int return_from_try(void)
{
    for (;;) {
        __try {
            return 7;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
        }
    }
}

static ULONG_PTR traced[64];
static ULONG traced_count;

static void NTAPI trace_here(void *context)
{
    UNREFERENCED_PARAMETER(context);
    CONTEXT here;
    RtlCaptureContext(&here);
    traced_count = seh_backtrace(&here, traced, RTL_NUMBER_OF(traced));
}

int NTAPI test_call_back(callback function, void *context, int mode);
int NTAPI test_call_back(callback function, void *context, int mode)
{
    switch (mode) {
    case FINALLY:
        return call_with_finally(function, context);
    case EXCEPT:
        return call_with_handler(function, context, EXCEPTION_EXECUTE_HANDLER);
    case PASS:
        return call_with_handler(function, context, EXCEPTION_CONTINUE_SEARCH);
    case LOOK:
        return call_looking(function, context);
    case RETHROW:
        return call_and_raise_again(function, context);
    case RETURN:
        return return_from_try();
    case TRACE:
        function((void *)trace_here);
        return 8;
    default:
        function(context);
        return 2;
    }
}

int NTAPI test_many_arguments(int a, long long b, double c, int d, int e, double f, int g, int h, int i, ...);
int NTAPI test_many_arguments(int a, long long b, double c, int d, int e, double f, int g, int h, int i, ...)
{
    __builtin_ms_va_list rest;
    __builtin_ms_va_start(rest, i);
    int good = a == 1 && b == 0x200000002ll && c == 3.5 && d == 4 && e == 5 && f == 6.25 && g == 7 && h == 8 && i == 9;
    good = good && __builtin_va_arg(rest, int) == 10;
    good = good && __builtin_va_arg(rest, double) == 11.5;
    good = good && __builtin_va_arg(rest, long long) == 12;
    good = good && strcmp(__builtin_va_arg(rest, const char *), "thirteen") == 0;
    good = good && __builtin_va_arg(rest, int) == 14;
    __builtin_ms_va_end(rest);
    return good ? 99 : 0;
}

static __attribute__((noinline)) void expect(int which, int argument, int result, const char *wanted)
{
    void *calls = arch_self()->seh_calls;
    trail_reset();
    assert_int_equal(step[which](argument), result);
    assert_string_equal(trail, wanted);
    assert_null(arch_self()->seh_top);
    assert_ptr_equal(arch_self()->seh_calls, calls);
}

static void test_interleaved(void **state)
{
    UNREFERENCED_PARAMETER(state);
    expect(THROUGH_EXPORT, PLAIN, 1, "cF1H");
    expect(THROUGH_EXPORT, FINALLY, 1, "cF12H");
    expect(THROUGH_EXPORT, EXCEPT, 3, "ec1h");
    expect(THROUGH_EXPORT, PASS, 1, "ecF1H");
    expect(THROUGH_EXPORT, LOOK, 0x18, "cl1h");
    expect(THROUGH_EXPORT, RETHROW, 1, "c1hFH");
    expect(THROUGH_EXPORT, RETURN, 7, "");
    expect(THROUGH_LEVELS, 10, 1, "Fddddddddddd");
    expect(ARGUMENTS, 0, 99, "");
    expect(JUMP, 5, 5, "j1");
    expect(JUMP, 0, 1, "j1");
}

static void run_step(void *which)
{
    step[(ULONG_PTR)which](0);
}

static void test_unhandled(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(world_unhandled(run_step, (void *)UNHANDLED));
    assert_int_equal(world_unhandled_record.ExceptionCode, STATUS_ACCESS_VIOLATION);
    assert_true(world_unhandled(run_step, (void *)OVERFLOW));
    assert_int_equal(world_unhandled_record.ExceptionCode, STATUS_STACK_OVERFLOW);
    expect(THROUGH_EXPORT, EXCEPT, 3, "ec1h");
}

static void test_backtrace(void **state)
{
    UNREFERENCED_PARAMETER(state);
    expect(BACKTRACE, TRACE, 9, "");
    ULONG in_driver = 0;
    bool in_test = false;
    for (ULONG i = 0; i < traced_count; i++) {
        in_driver += seh_image_find(traced[i]) != NULL;
        /* expect's own frame is past the driver's outermost one. */
        in_test = in_test || traced[i] - (ULONG_PTR)expect < 0x200;
    }
    assert_int_equal(in_driver, 2);
    assert_true(in_test);
}

static void test_hundred_thousand(void **state)
{
    UNREFERENCED_PARAMETER(state);
    void *calls = arch_self()->seh_calls;
    volatile ULONG caught = 0;
    for (volatile ULONG i = 0; i < 100000; i++) {
        __try {
            __try {
                if (i & 1)
                    seh_raise_access_violation(EXCEPTION_READ_FAULT, i);
                else
                    seh_raise_status(STATUS_INVALID_PARAMETER);
            } __finally {
                caught += AbnormalTermination();
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught += GetExceptionCode() == ((i & 1) ? STATUS_ACCESS_VIOLATION : STATUS_INVALID_PARAMETER);
        }
    }
    assert_int_equal(caught, 200000);
    assert_null(arch_self()->seh_top);
    assert_ptr_equal(arch_self()->seh_calls, calls);
}

/* ---- C frames alone ---- */

static void test_order(void **state)
{
    UNREFERENCED_PARAMETER(state);
    trail_reset();
    __try {
        __try {
            __try {
                mark('a');
                seh_raise_status(STATUS_UNSUCCESSFUL);
            } __finally {
                mark('1');
            }
        } __except (mark('p'), EXCEPTION_CONTINUE_SEARCH) {
            mark('x');
        }
    } __except (mark('q'), EXCEPTION_EXECUTE_HANDLER) {
        mark('h');
    }
    /* Filters are evaluated on entry: q, p, then the block. */
    assert_string_equal(trail, "qpa1h");
}

static void test_normal(void **state)
{
    UNREFERENCED_PARAMETER(state);
    trail_reset();
    __try {
        mark('a');
    } __finally {
        mark(AbnormalTermination() ? 'x' : 'f');
    }
    __try {
        mark('b');
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('x');
    }
    mark('e');
    assert_string_equal(trail, "afbe");
    assert_null(arch_self()->seh_top);
}

static void test_leave(void **state)
{
    UNREFERENCED_PARAMETER(state);
    trail_reset();
    __try {
        for (volatile int i = 0;; i++) {
            while (i == 3)
                __leave;
            mark('i');
        }
    } __finally {
        mark(AbnormalTermination() ? 'x' : 'f');
    }
    __try {
        mark('t');
        break; /* of the block, as the header says */
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('x');
    }
    __try {
        goto out;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('x');
    }
    mark('x');
out:
    assert_string_equal(trail, "iiift");
    assert_null(arch_self()->seh_top);
}

static void test_raise_in_finally_and_handler(void **state)
{
    UNREFERENCED_PARAMETER(state);
    trail_reset();
    __try {
        __try {
            __try {
                seh_raise_status(STATUS_UNSUCCESSFUL);
            } __finally {
                mark('1');
                seh_raise_status(STATUS_INVALID_PARAMETER);
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            mark(GetExceptionCode() == STATUS_INVALID_PARAMETER ? 'h' : 'x');
            seh_raise_status(STATUS_NO_MEMORY);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark(GetExceptionCode() == STATUS_NO_MEMORY ? 'H' : 'x');
    }
    assert_string_equal(trail, "1hH");
}

static LONG go_on(EXCEPTION_POINTERS *pointers, void *context)
{
    UNREFERENCED_PARAMETER(pointers);
    UNREFERENCED_PARAMETER(context);
    mark('f');
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void test_continue(void **state)
{
    UNREFERENCED_PARAMETER(state);
    EXCEPTION_RECORD record = {.ExceptionCode = STATUS_GUARD_PAGE_VIOLATION};
    trail_reset();
    __try {
        RtlRaiseException(&record);
        mark('c');
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
        mark('x');
    }
    __except_call(go_on, NULL)
    {
        mark('x');
    }
    mark('x');
}

static void continue_noncontinuable(void *unused)
{
    test_continue(unused);
}

static void test_noncontinuable(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(world_unhandled(continue_noncontinuable, NULL));
    /* The filter answers CONTINUE_EXECUTION to that one as well, until the nesting limit. */
    assert_int_equal(world_unhandled_record.ExceptionCode, STATUS_NONCONTINUABLE_EXCEPTION);
    assert_memory_equal(trail, "fcff", 4);
}

static int return_out_of_finally(void)
{
    __try {
        return 1;
    } __finally {
        mark('x');
    }
    return 0;
}

/* What the header forbids does not go by quietly. */
static void test_forbidden_return(void **state)
{
    UNREFERENCED_PARAMETER(state);
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        _exit(return_out_of_finally());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

static volatile int unwound;

static void recurse(int depth)
{
    __try {
        if (depth == 0)
            seh_raise_status(STATUS_UNSUCCESSFUL);
        recurse(depth - 1);
    } __finally {
        unwound++;
    }
}

static void test_deep(void **state)
{
    UNREFERENCED_PARAMETER(state);
    trail_reset();
    __try {
        recurse(1000);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('h');
    }
    assert_int_equal(unwound, 1001);
    assert_string_equal(trail, "h");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_raise_in_finally_and_handler),
        cmocka_unit_test(test_forbidden_return),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_interleaved),
        cmocka_unit_test(test_noncontinuable),
        cmocka_unit_test(test_unhandled),
        cmocka_unit_test(test_backtrace),
        cmocka_unit_test(test_hundred_thousand),
    };
    if (argc != 2)
        return 2;
    world_start();
    struct ldr_image *image = world_load(argv[1]);
    ((NTSTATUS(NTAPI *)(void *, void *))image->entry)(step, NULL);
    return cmocka_run_group_tests_name("C frames", tests, NULL, NULL);
}
