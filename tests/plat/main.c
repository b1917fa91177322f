/* main.c - runs the platform's tests under the protection that UMA_PROTECT names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulate.h"
#include "plat_test.h"

struct record record, *shared_record;
ULONG_PTR probe_resume, probe_pc;

void record_clear(void)
{
    memset(&record, 0, sizeof record);
}

static void on_trap(struct plat_trap *trap)
{
    record.traps++;
    record.code = trap->code;
    record.info_count = trap->info_count;
    memcpy(record.info, trap->info, sizeof record.info);
    record.context = *trap->context;
    CONTEXT next = *trap->context;
    next.Rip = probe_resume;
    plat_context_resume(&next);
}

static void on_fast_fail(ULONG code, CONTEXT *context)
{
    record.fast_fails++;
    record.fast_fail_code = code;
    record.context = *context;
    CONTEXT next = *context;
    next.Rip = probe_resume;
    plat_context_resume(&next);
}

static void on_raw(const struct plat_raw_access *access)
{
    if (record.raws < RTL_NUMBER_OF(record.raw))
        record.raw[record.raws] = *access;
    record.raws++;
}

static void on_raw_done(void)
{
    record.raws_done++;
}

static void on_fatal(struct plat_trap *trap)
{
    shared_record->traps++;
    shared_record->code = trap->code;
    shared_record->info_count = trap->info_count;
    memcpy(shared_record->info, trap->info, sizeof shared_record->info);
    shared_record->context = *trap->context;
    _exit(42);
}

ULONG_PTR user_pages(SIZE_T pages, ULONG prot)
{
    ULONG_PTR at = 0;
    assert_int_equal(plat_user_map(&at, pages * PAGE, prot), STATUS_SUCCESS);
    return at;
}

bool raw_is_seen(void)
{
    return plat_protect_in_use() != PLAT_PROTECT_NONE;
}

int in_child(void (*body)(void))
{
    int status = -1;
    memset(shared_record, 0, sizeof *shared_record);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!NT_SUCCESS(plat_fork_child()))
            _exit(99);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int setup(void **state)
{
    UNREFERENCED_PARAMETER(state);
    plat_user_reset();
    plat_set_raw_policy(PLAT_RAW_STEP);
    record_clear();
    return 0;
}

static int run(const char *name, const struct CMUnitTest *tests)
{
    struct CMUnitTest copy[32];
    size_t count = 0;
    for (; tests[count].name; count++) {
        copy[count] = tests[count];
        copy[count].setup_func = setup;
    }
    return _cmocka_run_group_tests(name, copy, count, NULL, NULL);
}

int main(void)
{
    const char *mode = getenv("UMA_PROTECT");
    struct plat_options options = {PLAT_PROTECT_AUTO, PLAT_RAW_STEP};
    for (unsigned p = PLAT_PROTECT_PKU; mode && p <= PLAT_PROTECT_NONE; p++)
        if (!strcmp(mode, plat_protect_name(p)))
            options.protect = p;
    NTSTATUS status = plat_init(&options);
    if (status == STATUS_NOT_SUPPORTED) {
        printf("not run: no %s on this machine\n", mode);
        return 77;
    }
    if (!NT_SUCCESS(status)) {
        printf("plat_init failed: 0x%08x\n", (unsigned)status);
        return 1;
    }
    shared_record = mmap(NULL, sizeof *shared_record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct plat_hooks hooks = {.trap = on_trap,
                                     .fast_fail = on_fast_fail,
                                     .emulate = ke_emulate,
                                     .raw_access = on_raw,
                                     .raw_done = on_raw_done,
                                     .fatal = on_fatal};
    plat_set_hooks(&hooks);
    int failed = run("layout", layout_tests) + run("user", user_tests) + run("raw", raw_tests);
    failed +=
        run("window", window_tests) + run("trap", trap_tests) + run("emulate", emulate_tests) + run("race", race_tests);
    return failed ? 1 : 0;
}
