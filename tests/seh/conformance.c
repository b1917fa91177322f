/*
 * conformance.c - what structured exception handling must do, said once and run twice: as a driver under our kernel
 * and as a console program under Windows or Wine, whose implementation somebody else wrote. One line per case. The
 * hand-made functions with unusual frames stand in conformance_frames.h, the harness in conformance_os.h.
 */
#include "conformance_os.h"

#include "conformance_frames.h"

#define CODE_A      ((NTSTATUS)0xE0000001)
#define CODE_B      ((NTSTATUS)0xE0000002)
#define BAD_ADDRESS ((void *)0x18)

static EXCEPTION_RECORD seen; /* the record a filter saw last */
static volatile int depth_reached;

/*
 * clang ends a scope one byte behind its last call, so that where two scopes' calls follow each other directly, the
 * return address lies in both. An instruction after each raise keeps that out of these cases.
 */
#define raise_soft(CODE, FLAGS)                                                                                        \
    do {                                                                                                               \
        raise_record(CODE, FLAGS);                                                                                     \
        __asm__ volatile("nop");                                                                                       \
    } while (0)

static NOINLINE void raise_record(NTSTATUS code, int flags)
{
    EXCEPTION_RECORD record = {0};
    record.ExceptionCode = code;
    record.ExceptionFlags = flags;
    record.NumberParameters = 2;
    record.ExceptionInformation[0] = 0x1111;
    record.ExceptionInformation[1] = 0x2222;
    RtlRaiseException(&record);
    mark('r'); /* reached only if the exception was continued */
}

static LONG note(EXCEPTION_POINTERS *pointers, char what, LONG answer)
{
    seen = *pointers->ExceptionRecord;
    mark(what);
    return answer;
}

static LONG note_nested(EXCEPTION_POINTERS *pointers, char what, LONG answer)
{
    note(pointers, what, answer);
    if (pointers->ExceptionRecord->ExceptionFlags & 0x10)
        mark('N');
    return answer;
}

/* ---- filters and their order ---- */

static NOINLINE void test_execute(void)
{
    volatile NTSTATUS in_handler = 1;
    volatile NTSTATUS in_filter = 1;
    trail_reset();
    __try {
        mark('t');
        raise_soft(CODE_A, 0);
        mark('x');
    } __except (in_filter = GetExceptionCode(), note(GetExceptionInformation(), 'f', 1)) {
        in_handler = GetExceptionCode();
        mark('h');
    }
    mark('e');
    case_ok("filter then handler, not the rest of the block", trail_is("tfhe"));
    case_ok("the filter sees the code", in_filter == CODE_A);
    case_todo_wine("the handler block sees the code", in_handler == CODE_A);
    case_ok("parameters arrive", seen.NumberParameters == 2 && seen.ExceptionInformation[0] == 0x1111 &&
                                     seen.ExceptionInformation[1] == 0x2222);
}

static NOINLINE void test_constant_filter(void)
{
    trail_reset();
    __try {
        __try {
            raise_soft(CODE_A, 0);
        } __except (EXCEPTION_CONTINUE_SEARCH) {
            mark('x');
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        mark('h');
    }
    case_ok("constant filters: 0 passes on, 1 takes", trail_is("h"));
}

static NOINLINE void test_no_exception(void)
{
    trail_reset();
    __try {
        mark('a');
        __try {
            mark('b');
        } __finally {
            mark(_abnormal_termination() ? 'x' : 'f');
        }
    } __except (note(GetExceptionInformation(), 'x', 1)) {
        mark('x');
    }
    case_ok("no exception: only __finally runs, not abnormal", trail_is("abf"));
}

static NOINLINE void test_continue_soft(void)
{
    trail_reset();
    __try {
        raise_soft(CODE_A, 0);
        mark('c');
    } __except (note(GetExceptionInformation(), 'f', -1)) {
        mark('x');
    }
    case_ok("CONTINUE_EXECUTION returns from RtlRaiseException", trail_is("frc"));
}

static NOINLINE void inner_two_filters(void)
{
    __try {
        __try {
            raise_soft(CODE_A, 0);
        } __except (note(GetExceptionInformation(), '1', 0)) {
            mark('x');
        }
    } __except (note(GetExceptionInformation(), '2', 0)) {
        mark('x');
    }
}

static NOINLINE void test_filter_order(void)
{
    trail_reset();
    __try {
        __try {
            inner_two_filters();
        } __except (note(GetExceptionInformation(), '3', 0)) {
            mark('x');
        }
    } __except (note(GetExceptionInformation(), '4', 1)) {
        mark('h');
    }
    case_ok("filters run from the innermost out, over frames", trail_is("1234h"));
}

static NOINLINE void finally_around(char what)
{
    __try {
        raise_soft(CODE_A, 0);
    } __finally {
        mark(_abnormal_termination() ? what : 'x');
    }
}

static NOINLINE void finally_twice(void)
{
    __try {
        __try {
            finally_around('1');
            __asm__ volatile("nop");
        } __finally {
            mark('2');
        }
    } __finally {
        mark('3');
    }
}

static NOINLINE void test_two_passes(void)
{
    trail_reset();
    __try {
        finally_twice();
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        mark('h');
    }
    case_ok("all filters before any __finally, then the handler", trail_is("f123h"));
}

static NOINLINE void test_only_inner_finally(void)
{
    trail_reset();
    __try {
        __try {
            __try {
                finally_around('1');
                __asm__ volatile("nop");
            } __except (note(GetExceptionInformation(), 'f', 1)) {
                mark('h');
            }
            mark('n');
        } __finally {
            mark(_abnormal_termination() ? 'x' : '2');
        }
    } __except (note(GetExceptionInformation(), 'x', 1)) {
        mark('x');
    }
    case_todo_wine("a __finally outside of the handler is not run by the unwind", trail_is("f1hn2"));
}

static NOINLINE void test_rethrow(void)
{
    volatile NTSTATUS code = 0;
    trail_reset();
    __try {
        __try {
            raise_soft(CODE_A, 0);
        } __except (note(GetExceptionInformation(), '1', 1)) {
            mark('h');
            raise_soft(CODE_B, 0);
        }
    } __except (code = GetExceptionCode(), note(GetExceptionInformation(), '2', 1)) {
        mark('H');
    }
    case_ok("an exception in a handler block goes outwards", trail_is("1h2H") && code == CODE_B);
}

#include "conformance_nested.h"

/* ---- leaving blocks ---- */

static NOINLINE int return_in_try(void)
{
    __try {
        mark('t');
        return 7;
    } __finally {
        mark('f');
    }
    return 0;
}

static NOINLINE void leave_in_try(volatile int *abnormal)
{
    __try {
        mark('t');
        if (abnormal)
            __leave;
        mark('x');
    } __finally {
        *abnormal = _abnormal_termination();
        mark('f');
    }
}

static NOINLINE void test_leaving(void)
{
    volatile int abnormal = 5;
    trail_reset();
    int value = return_in_try();
    case_ok("return inside __try runs __finally and returns its value", value == 7 && trail_is("tf"));
    trail_reset();
    leave_in_try(&abnormal);
    case_ok("__leave runs __finally, not abnormal", trail_is("tf") && abnormal == 0);
    trail_reset();
    for (volatile int i = 0; i < 3; i++) {
        __try {
            if (i == 1)
                break;
            mark('t');
        } __except (1) {
            mark('x');
        }
    }
    mark('e');
    case_ok("break inside __try leaves the loop", trail_is("te"));
}

static NOINLINE int return_from_handler(void)
{
    __try {
        raise_soft(CODE_A, 0);
    } __except (1) {
        return 9;
    }
    return 0;
}

static NOINLINE void test_return_from_handler(void)
{
    case_ok("return inside the __except block", return_from_handler() == 9);
}

/* Unwinds out of __finally by RtlUnwind: what goto out of __finally compiles to. */
static NOINLINE void unwind_out_of_finally(void)
{
    trail_reset();
    frame_jump_out();
    case_ok("RtlUnwind out of __finally to its own function: a collided unwind", trail_is("1j"));
}

/* ---- raising ---- */

static NOINLINE void test_noncontinuable(void)
{
    volatile NTSTATUS second = 0;
    trail_reset();
    __try {
        __try {
            ExRaiseStatus(CODE_A);
        } __except (note(GetExceptionInformation(), 'f', GetExceptionCode() == CODE_A ? -1 : 0)) {
            mark('x');
        }
    } __except (second = GetExceptionCode(), note(GetExceptionInformation(), 'g', 1)) {
        mark('h');
    }
    case_ok("CONTINUE_EXECUTION of a noncontinuable exception raises STATUS_NONCONTINUABLE_EXCEPTION",
            second == STATUS_NONCONTINUABLE_EXCEPTION && trail_is("ffgh"));
    case_todo_wine("the record of that one points at the first",
                   seen.ExceptionRecord != NULL && (seen.ExceptionFlags & 1));
}

static NOINLINE void test_raise_status(void)
{
    volatile NTSTATUS code = 0;
    __try {
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    } __except (code = GetExceptionCode(), note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("ExRaiseStatus: code, noncontinuable, no parameters",
            code == STATUS_INVALID_PARAMETER && (seen.ExceptionFlags & 1) && seen.NumberParameters == 0);
    __try {
        ExRaiseAccessViolation();
    } __except (code = GetExceptionCode(), 1) {
    }
    case_ok("ExRaiseAccessViolation", code == STATUS_ACCESS_VIOLATION);
    __try {
        ExRaiseDatatypeMisalignment();
    } __except (code = GetExceptionCode(), 1) {
    }
    case_ok("ExRaiseDatatypeMisalignment", code == STATUS_DATATYPE_MISALIGNMENT);
}

static NOINLINE void recurse(volatile int depth)
{
    volatile char pad[64];
    pad[0] = (char)depth;
    depth_reached = depth;
    __try {
        if (depth == 100)
            raise_soft(CODE_A, 0);
        else
            recurse(depth + 1);
    } __finally {
        depth_reached--;
    }
    mark(pad[0]);
}

static NOINLINE void test_recursion(void)
{
    __try {
        recurse(1);
    } __except (1) {
    }
    case_ok("a hundred frames, a hundred __finally blocks", depth_reached == 0);
}

static NOINLINE void test_many_raises(void)
{
    volatile int count = 0;
    for (volatile int i = 0; i < 10000; i++) {
        __try {
            raise_soft(CODE_A, 0);
        } __except (1) {
            count++;
        }
    }
    case_ok("ten thousand exceptions in a row", count == 10000);
}

#include "conformance_hardware.h"

static void run_cases(void)
{
    test_execute();
    test_constant_filter();
    test_no_exception();
    test_continue_soft();
    test_filter_order();
    test_two_passes();
    test_only_inner_finally();
    test_rethrow();
    test_filter_handles_own();
    test_exception_in_filter();
    test_nested_flag();
    test_exception_in_finally();
    test_collided_unwind();
    test_collided_same_frame();
    test_repeated_collision();
    test_handled_in_finally();
    test_leaving();
    test_return_from_handler();
    unwind_out_of_finally();
    test_noncontinuable();
    test_raise_status();
    test_recursion();
    test_many_raises();
    test_read_write_execute();
    test_fault_in_same_function();
    test_repair();
    test_other_traps();
    test_frames();
    test_registers();
    test_capture_restore();
}

/* The last line and the result: 0 only if at least this many cases ran and none failed. */
static int run_all(void)
{
    char line[64];
    run_cases();
    char *end = append_number(append(line, "cases "), case_count);
    end = append_number(append(end, ", failed "), case_failed);
    *end = 0;
    put_line(line);
    return case_failed || case_count < 40;
}

#ifdef CONFORMANCE_DRIVER
NTSTATUS DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path)
{
    (void)driver;
    (void)path;
    return run_all() ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}
#else
void conformance_start(void)
{
    TerminateProcess(GetCurrentProcess(), (UINT)run_all());
}
#endif
