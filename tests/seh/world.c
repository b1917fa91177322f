/*
 * world.c - the smallest kernel a driver of the SEH tests can run in: plat, seh and ldr with an export table of the
 * tests' own.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plat.h"

int world_failed_lines;
static jmp_buf unhandled;
static bool unhandled_expected;
EXCEPTION_RECORD world_unhandled_record;

/* DbgPrint as the tests' drivers use it: a format of "%s\n" and one string. */
void NTAPI test_print(const char *format, const char *line);
void NTAPI test_print(const char *format, const char *line)
{
    UNREFERENCED_PARAMETER(format);
    puts(line);
    if (strncmp(line, "not ok", 6) == 0)
        world_failed_lines++;
}

/* Imported by interleave.c alone; test_c_frames.c has the real ones. */
void test_call_back(void);
void test_mark(void);
void test_many_arguments(void);
__attribute__((weak)) void test_call_back(void)
{
    abort();
}

__attribute__((weak)) void test_mark(void)
{
    abort();
}

__attribute__((weak)) void test_many_arguments(void)
{
    abort();
}

#define THUNK(Name) extern char thunk_##Name[];
THUNK(ExRaiseStatus)
THUNK(ExRaiseAccessViolation)
THUNK(ExRaiseDatatypeMisalignment)
THUNK(RtlRaiseException)
THUNK(test_print)
THUNK(test_call_back)
THUNK(test_mark)
THUNK(test_many_arguments)

#define ROW(Name, Address) {#Name, (void *)(Address), LDR_EXPORT_DONE, false}
static struct ldr_export rows[] = {
    ROW(ExRaiseStatus, thunk_ExRaiseStatus),
    ROW(ExRaiseAccessViolation, thunk_ExRaiseAccessViolation),
    ROW(ExRaiseDatatypeMisalignment, thunk_ExRaiseDatatypeMisalignment),
    ROW(RtlRaiseException, thunk_RtlRaiseException),
    ROW(DbgPrint, thunk_test_print),
    ROW(TestCallBack, thunk_test_call_back),
    ROW(TestMark, thunk_test_mark),
    ROW(TestManyArguments, thunk_test_many_arguments),
    ROW(RtlUnwind, RtlUnwind),
    ROW(RtlUnwindEx, RtlUnwindEx),
    ROW(RtlCaptureContext, RtlCaptureContext),
    ROW(RtlRestoreContext, RtlRestoreContext),
    ROW(__C_specific_handler, __C_specific_handler),
    ROW(__chkstk, __chkstk),
    ROW(_local_unwind, _local_unwind),
    ROW(_setjmp, seh_setjmp),
    ROW(longjmp, seh_longjmp),
};
static const struct ldr_export_table table = {rows, RTL_NUMBER_OF(rows)};

static void on_unhandled(EXCEPTION_RECORD *record, CONTEXT *context)
{
    world_unhandled_record = *record;
    if (unhandled_expected) {
        unhandled_expected = false;
        arch_self()->seh_top = NULL;
        seh_sanitizer_forget();
        longjmp(unhandled, 1);
    }
    ULONG_PTR pcs[32];
    ULONG count = seh_backtrace(context, pcs, RTL_NUMBER_OF(pcs));
    printf("unhandled exception %08x at %p\n", (unsigned)record->ExceptionCode, record->ExceptionAddress);
    for (ULONG i = 0; i < count; i++) {
        char text[256];
        ldr_symbolize(pcs[i], text, sizeof(text));
        printf("  %s\n", text);
    }
    fflush(stdout);
    _Exit(2);
}

/* A stack overflow: on the emergency stack, so nothing can be raised. */
static void on_fatal(struct plat_trap *trap)
{
    EXCEPTION_RECORD record = {.ExceptionCode = trap->code, .ExceptionAddress = (PVOID)trap->context->Rip};
    seh_unhandled_hook(&record, trap->context);
}

extern void __asan_handle_no_return(void) __attribute__((weak));
void seh_sanitizer_forget(void)
{
    if (__asan_handle_no_return)
        __asan_handle_no_return();
}

bool world_unhandled(void (*function)(void *), void *argument)
{
    struct arch_thread *thread = arch_self();
    void *calls = thread->seh_calls;
    if (setjmp(unhandled)) {
        thread->seh_calls = calls;
        return true;
    }
    unhandled_expected = true;
    function(argument);
    unhandled_expected = false;
    return false;
}

void world_start(void)
{
    struct plat_options options = {.protect = PLAT_PROTECT_NONE, .raw = PLAT_RAW_STEP};
    struct plat_hooks hooks = {.trap = seh_trap, .fatal = on_fatal};
    if (!NT_SUCCESS(plat_init(&options)) || !NT_SUCCESS(plat_thread_attach()) || !NT_SUCCESS(seh_thread_init())) {
        puts("the platform does not start");
        exit(2);
    }
    plat_set_hooks(&hooks);
    seh_unhandled_hook = on_unhandled;
    ldr_set_exports(&table);
}

struct ldr_image *world_load(const char *path)
{
    char error[LDR_ERROR_MAX];
    struct ldr_image *image;
    if (!NT_SUCCESS(ldr_load(path, &image, error))) {
        printf("%s: %s\n", path, error);
        exit(2);
    }
    return image;
}
