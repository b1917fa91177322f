/*
 * conformance.c - what structured exception handling must do, said once and run twice: as a driver under our kernel and as a console
 * program under Windows or Wine, whose implementation somebody else wrote. One line per case. The hand-made functions with
 * unusual frames stand in conformance_frames.h, the harness in conformance_os.h.
 */
#include "conformance_os.h"

#include "conformance_frames.h"

#define CODE_A ((NTSTATUS)0xE0000001)
#define CODE_B ((NTSTATUS)0xE0000002)
#define BAD_ADDRESS ((void *)0x18)

static EXCEPTION_RECORD seen; /* the record a filter saw last */
static volatile int depth_reached;

/*
 * clang ends a scope one byte behind its last call, so that where two scopes' calls follow each other directly, the return address
 * lies in both. An instruction after each raise keeps that out of these cases.
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

/* ---- exceptions during exceptions ---- */

static LONG raising_filter(EXCEPTION_POINTERS *pointers)
{
    note(pointers, 'f', 0);
    __try {
        raise_soft(CODE_B, 0);
    } __except (note_nested(GetExceptionInformation(), 'g', 1)) {
        mark('i');
    }
    return 1;
}

static NOINLINE void test_filter_handles_own(void)
{
    trail_reset();
    __try {
        raise_soft(CODE_A, 0);
    } __except (raising_filter(GetExceptionInformation())) {
        mark('h');
    }
    case_ok("a filter can raise and handle an exception of its own", trail_is("fgih"));
}

static LONG escaping_filter(EXCEPTION_POINTERS *pointers)
{
    note(pointers, 'f', 0);
    if ((NTSTATUS)pointers->ExceptionRecord->ExceptionCode == CODE_A)
        raise_soft(CODE_B, 0);
    return 0;
}

static NOINLINE void with_escaping_filter(void)
{
    __try {
        raise_soft(CODE_A, 0);
    } __except (escaping_filter(GetExceptionInformation())) {
        mark('x');
    }
}

static NOINLINE void test_exception_in_filter(void)
{
    trail_reset();
    __try {
        with_escaping_filter();
    } __except (note(GetExceptionInformation(), 'o', 1)) {
        mark('h');
    }
    case_ok("an exception out of a filter: the same filter is asked again, then outer ones", trail_is("ffoh"));
    case_ok("and the outer filter sees the second exception", (NTSTATUS)seen.ExceptionCode == CODE_B);
}

static NOINLINE void nested_inner(void)
{
    __try {
        raise_soft(CODE_A, 0);
    } __except (note_nested(GetExceptionInformation(), 'a', 0)) {
        mark('x');
    }
}

static NOINLINE void nested_middle(void)
{
    __try {
        nested_inner();
    } __except (escaping_filter(GetExceptionInformation())) {
        mark('x');
    }
}

static NOINLINE void test_nested_flag(void)
{
    trail_reset();
    __try {
        nested_middle();
    } __except (note_nested(GetExceptionInformation(), 'o', 1)) {
        mark('h');
    }
    /* First A: a, f. Then B out of f: the frames from the first raise on are asked again with EXCEPTION_NESTED_CALL. */
    case_ok("EXCEPTION_NESTED_CALL up to the frame whose filter raised", trail_is("afaNfoh"));
}

static NOINLINE void raise_in_finally(void)
{
    __try {
        raise_soft(CODE_A, 0);
    } __finally {
        mark('1');
        raise_soft(CODE_B, 0);
        mark('x');
    }
}

static NOINLINE void test_exception_in_finally(void)
{
    trail_reset();
    __try {
        __try {
            raise_in_finally();
        } __except (note(GetExceptionInformation(), 'f', 0)) {
            mark('h');
        }
    } __except (note(GetExceptionInformation(), 'o', 1)) {
        mark('H');
    }
    case_ok("an exception out of __finally replaces the first; __finally is not run again", trail_is("fo1foH"));
}

static NOINLINE void collide_inner(void)
{
    __try {
        __try {
            __try {
                raise_soft(CODE_A, 0);
            } __finally {
                mark('1');
                raise_soft(CODE_B, 0);
            }
        } __finally {
            mark('2');
        }
    } __finally {
        mark('3');
    }
}

static NOINLINE void test_collided_unwind(void)
{
    trail_reset();
    __try {
        collide_inner();
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        mark('h');
    }
    case_ok("a collided unwind goes on after the interrupted scope", trail_is("f1f23h"));
}

static NOINLINE void collide_same(void)
{
    __try {
        __try {
            raise_soft(CODE_A, 0);
        } __finally {
            mark('1');
            raise_soft(CODE_B, 0);
        }
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        mark('h');
    }
    mark('e');
}

static NOINLINE void test_collided_same_frame(void)
{
    trail_reset();
    collide_same();
    case_ok("a collided unwind whose target is the interrupted frame", trail_is("f1fhe"));
}

static NOINLINE void deep_collide(int depth)
{
    __try {
        if (depth)
            deep_collide(depth - 1);
        else
            raise_soft(CODE_A, 0);
    } __finally {
        mark((char)('0' + depth));
        raise_soft(CODE_B, 0);
    }
}

static NOINLINE void test_repeated_collision(void)
{
    trail_reset();
    __try {
        deep_collide(4);
    } __except (1) {
        mark('h');
    }
    case_ok("each of five __finally blocks raises: each runs once", trail_is("01234h"));
}

/* A function of its own: clang inlines a __finally block into its funclet, where a __try of the block would be lost. */
static NOINLINE void raise_and_handle(void)
{
    __try {
        raise_soft(CODE_B, 0);
    } __except (note(GetExceptionInformation(), 'g', 1)) {
        mark('2');
    }
}

static NOINLINE void handled_in_finally(void)
{
    __try {
        raise_soft(CODE_A, 0);
    } __finally {
        mark('1');
        raise_and_handle();
        mark('3');
    }
}

static NOINLINE void test_handled_in_finally(void)
{
    trail_reset();
    __try {
        handled_in_finally();
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        mark('h');
    }
    case_ok("an exception raised and handled inside __finally leaves the unwind going", trail_is("f1g23h"));
}

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
    case_todo_wine("the record of that one points at the first", seen.ExceptionRecord != NULL && (seen.ExceptionFlags & 1));
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

/* ---- hardware ---- */

static NOINLINE int read_at(volatile int *address)
{
    return *address;
}

static NOINLINE void write_at(volatile int *address)
{
    *address = 1;
}

static NOINLINE void test_read_write_execute(void)
{
    __try {
        read_at(BAD_ADDRESS);
    } __except (note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("read fault: {0, address}", (NTSTATUS)seen.ExceptionCode == STATUS_ACCESS_VIOLATION && seen.NumberParameters == 2 &&
                                            seen.ExceptionInformation[0] == 0 &&
                                            seen.ExceptionInformation[1] == (ULONG_PTR)BAD_ADDRESS);
    __try {
        write_at(BAD_ADDRESS);
    } __except (note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("write fault: {1, address}", (NTSTATUS)seen.ExceptionCode == STATUS_ACCESS_VIOLATION && seen.NumberParameters == 2 &&
                                             seen.ExceptionInformation[0] == 1 &&
                                             seen.ExceptionInformation[1] == (ULONG_PTR)BAD_ADDRESS);
    __try {
        frame_leaf_read(BAD_ADDRESS);
    } __except (note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("a fault's ExceptionAddress is the instruction", seen.ExceptionAddress == (void *)frame_leaf_read);
    __try {
        ((void (*volatile)(void))BAD_ADDRESS)();
    } __except (note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("execute fault: {8, address}, at that address", seen.ExceptionInformation[0] == 8 &&
                                                                seen.ExceptionInformation[1] == (ULONG_PTR)BAD_ADDRESS &&
                                                                seen.ExceptionAddress == BAD_ADDRESS);
}

static NOINLINE void test_fault_in_same_function(void)
{
    volatile int *volatile bad = BAD_ADDRESS;
    trail_reset();
    __try {
        mark('t');
        *bad = 1;
        mark('x');
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        mark('h');
    }
    case_ok("a fault in the function that has the __try", trail_is("tfh"));
}

static int a_good_int = 42;

static LONG repair(EXCEPTION_POINTERS *pointers)
{
    pointers->ContextRecord->Rcx = (u64)&a_good_int;
    return -1;
}

static NOINLINE void test_repair(void)
{
    volatile int value = 0;
    __try {
        value = frame_leaf_read(BAD_ADDRESS);
    } __except (repair(GetExceptionInformation())) {
        value = -1;
    }
    case_ok("CONTINUE_EXECUTION with a repaired register repeats the instruction", value == 42);
}

static LONG step_over_breakpoint(EXCEPTION_POINTERS *pointers)
{
    note(pointers, 'f', 0);
    pointers->ContextRecord->Rip++;
    return -1;
}

static NOINLINE void test_other_traps(void)
{
    volatile int zero = 0;
    volatile int value = 5;
    trail_reset();
    __try {
        frame_breakpoint();
        mark('c');
    } __except (step_over_breakpoint(GetExceptionInformation())) {
        mark('x');
    }
    case_ok("int 3: STATUS_BREAKPOINT at the instruction, continued after it",
            (NTSTATUS)seen.ExceptionCode == STATUS_BREAKPOINT && seen.ExceptionAddress == (void *)frame_breakpoint &&
                trail_is("fc"));
    __try {
        value = value / zero;
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        value = -1;
    }
    case_ok("division by zero", (NTSTATUS)seen.ExceptionCode == STATUS_INTEGER_DIVIDE_BY_ZERO && value == -1);
    __try {
        frame_illegal();
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        value = -2;
    }
    case_ok("an illegal instruction", (NTSTATUS)seen.ExceptionCode == STATUS_ILLEGAL_INSTRUCTION && value == -2);
}

/* ---- frames ---- */

static int caught(void (*function)(void *), void *argument)
{
    volatile int result = 0;
    __try {
        function(argument);
    } __except (note(GetExceptionInformation(), 'f', 1)) {
        result = 1;
    }
    return result && (NTSTATUS)seen.ExceptionCode == STATUS_ACCESS_VIOLATION;
}

static NOINLINE void alloca_frame(void *argument)
{
    volatile char *block = __builtin_alloca(100 + (u64)argument % 7);
    block[0] = 1;
    read_at(argument);
    block[1] = block[0];
}

static NOINLINE void large_frame(void *argument)
{
    volatile char block[3900];
    block[0] = 1;
    read_at(argument);
    block[3899] = block[0];
}

static NOINLINE void tail_target(void *argument)
{
    read_at(argument);
    mark('x');
}

static NOINLINE void tail_caller(void *argument)
{
    __attribute__((musttail)) return tail_target(argument);
}

static void call_read(void *argument)
{
    read_at(argument);
}

static void call_without_entry(void *argument)
{
    frame_leaf_read(argument);
}

static NOINLINE void test_frames(void)
{
    case_ok("a fault below a leaf call", caught(call_read, BAD_ADDRESS));
    case_ok("a fault in a function without an entry", caught(call_without_entry, BAD_ADDRESS));
    case_ok("a fault in a prologue, before the allocation", caught(frame_prologue_early, BAD_ADDRESS));
    case_ok("a fault in a prologue, after the allocation", caught(frame_prologue_late, BAD_ADDRESS));
    case_ok("a frame of variable size", caught(alloca_frame, BAD_ADDRESS));
    case_ok("a frame of 3900 bytes", caught(large_frame, BAD_ADDRESS));
    case_ok("a frame of 70000 bytes that is only allocated", caught(frame_huge, BAD_ADDRESS));
    case_ok("a tail-called function", caught(tail_caller, BAD_ADDRESS));
}

static NOINLINE void catch_clobbered(void)
{
    __try {
        frame_clobber(BAD_ADDRESS);
    } __except (1) {
        mark('h');
    }
}

static NOINLINE void catch_clobbered_soft(void)
{
    __try {
        frame_clobber_call(raise_record, CODE_A);
    } __except (1) {
        mark('h');
    }
}

static NOINLINE void test_registers(void)
{
    trail_reset();
    u64 wrong = frame_check_registers(catch_clobbered);
    case_ok("rbx rbp rsi rdi r12-r15 xmm6-xmm15 come back after a fault", wrong == 0 && trail_is("h"));
    trail_reset();
    wrong = frame_check_registers(catch_clobbered_soft);
    case_ok("and after a raise below a call", wrong == 0 && trail_is("h"));
}

static NOINLINE void test_capture_restore(void)
{
    static CONTEXT context;
    static volatile int round;
    round = 0;
    RtlCaptureContext(&context);
    round++;
    if (round < 3)
        RtlRestoreContext(&context, NULL);
    case_ok("RtlCaptureContext and RtlRestoreContext", round == 3);
}

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
