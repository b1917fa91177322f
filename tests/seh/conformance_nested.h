/*
 * conformance_nested.h - the part of the conformance program about exceptions raised while another one is under way:
 * in filters, in handlers, in __finally blocks. Included once, by conformance.c.
 */
#pragma once

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
