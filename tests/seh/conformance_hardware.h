/*
 * conformance_hardware.h - the part of the conformance program about faults the processor reports, and about the
 * frames they are found in. Included once, by conformance.c, after what raises by software.
 */
#pragma once

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
    case_ok("read fault: {0, address}", (NTSTATUS)seen.ExceptionCode == STATUS_ACCESS_VIOLATION &&
                                            seen.NumberParameters == 2 && seen.ExceptionInformation[0] == 0 &&
                                            seen.ExceptionInformation[1] == (ULONG_PTR)BAD_ADDRESS);
    __try {
        write_at(BAD_ADDRESS);
    } __except (note(GetExceptionInformation(), 'f', 1)) {
    }
    case_ok("write fault: {1, address}", (NTSTATUS)seen.ExceptionCode == STATUS_ACCESS_VIOLATION &&
                                             seen.NumberParameters == 2 && seen.ExceptionInformation[0] == 1 &&
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
    case_ok("execute fault: {8, address}, at that address",
            seen.ExceptionInformation[0] == 8 && seen.ExceptionInformation[1] == (ULONG_PTR)BAD_ADDRESS &&
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
