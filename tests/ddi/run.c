/*
 * run.c - runs the generated accessor tests: places the addresses, makes the call, and holds the exception, the result
 * and every byte of user and kernel memory against a model of what should have happened.
 *
 * Usage: test [TABLE]. With the table's path the closing line also says how many of its rows were really called.
 * Owns no expectation about single DDIs: those are generate.py's.
 */
#include "ddi.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESS_VIOLATION      0xC0000005u
#define DATATYPE_MISALIGNMENT 0x80000002u
#define INVALID_PARAMETER     0xC000000Du

/* All memory a call may touch, as one value that can be compared. */
struct memory {
    unsigned char user[ARENA_SIZE];
    unsigned char kernel[KERNEL_SIZE];
};
static struct memory pristine, expected, actual;
static unsigned cases_run, failures;
static const char *reached[1024];
static unsigned reached_count;

void ddi_record(const char *name)
{
    for (unsigned i = 0; i < reached_count; i++)
        if (strcmp(reached[i], name) == 0)
            return;
    if (reached_count < sizeof reached / sizeof reached[0])
        reached[reached_count++] = name;
}

static unsigned char *model_at(struct memory *memory, uint64_t address)
{
    if (address - env.arena < ARENA_SIZE)
        return memory->user + (address - env.arena);
    if (address - env.kernel < KERNEL_SIZE)
        return memory->kernel + (address - env.kernel);
    return NULL;
}

static void memory_load(struct memory *memory)
{
    for (unsigned page = 0; page < ARENA_SIZE / ARENA_PAGE; page++)
        if (env.pages[page])
            memcpy(memory->user + page * ARENA_PAGE, env.pages[page], ARENA_PAGE);
    memcpy(memory->kernel, (void *)(uintptr_t)env.kernel, KERNEL_SIZE);
}

static void memory_store(const struct memory *memory)
{
    for (unsigned page = 0; page < ARENA_SIZE / ARENA_PAGE; page++)
        if (env.pages[page] && memcmp(env.pages[page], memory->user + page * ARENA_PAGE, ARENA_PAGE) != 0)
            memcpy(env.pages[page], memory->user + page * ARENA_PAGE, ARENA_PAGE);
    memcpy((void *)(uintptr_t)env.kernel, memory->kernel, KERNEL_SIZE);
}

/* No byte is zero, so that a string has no end but the one planted; neighbours differ. */
static void memory_pattern(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    for (unsigned i = 0; i < ARENA_SIZE; i++)
        if (env.pages[i / ARENA_PAGE])
            memory->user[i] = (unsigned char)((i * 31 + (i >> 8) * 7) | 1);
    for (unsigned i = 0; i < KERNEL_SIZE; i++)
        memory->kernel[i] = (unsigned char)((i * 17 + (i >> 8) * 5 + 128) | 1);
}

static bool is_string(enum ddi_shape shape)
{
    return shape == DDI_STRING || shape == DDI_WIDE_STRING;
}

/* Bytes a case's checked range spans; a string's with its terminator. */
static uint64_t span(const struct ddi_case *test)
{
    enum ddi_shape shape = ddi_rows[test->row].shape;
    uint64_t unit = shape == DDI_WIDE_STRING ? 2 : 1;
    return is_string(shape) ? (test->length + 1) * unit : test->length;
}

static uint64_t half(uint64_t size, uint64_t unit)
{
    uint64_t bytes = size / 2 / unit * unit;
    return bytes ? bytes : 1;
}

static uint64_t place_address(enum ddi_place place, const struct ddi_case *test)
{
    uint64_t size = span(test);
    uint64_t unit = ddi_rows[test->row].shape == DDI_WIDE_STRING ? 2 : 1;
    switch (place) {
    case AT_VALID:
        return env.arena + 0x1040;
    case AT_NULL:
        return 0;
    case AT_LAST:
        return env.limit - size;
    case AT_STRADDLE:
        return is_string(ddi_rows[test->row].shape) ? env.limit - 4 : env.limit - half(size, unit);
    case AT_LIMIT:
        return env.limit;
    case AT_KERNEL:
        return env.kernel + 0x840;
    case AT_KERNEL_ODD:
        return env.kernel + 0x841;
    case AT_WRAP:
        return 0 - half(size, unit);
    case AT_TOP:
        return 0 - size;
    case AT_NONCANONICAL:
        return 0x0000800000000000u;
    case AT_UNMAPPED:
        return env.arena + 0x100;
    case AT_READONLY:
        return env.arena + ARENA_READONLY * ARENA_PAGE + 0x40;
    case AT_CROSSING:
        return env.arena + 0x2000 - half(size, unit);
    case AT_CROSSING_FAULT:
        return env.arena + 0x4000 - half(size, unit);
    case AT_MISALIGNED:
        return env.arena + 0x1041;
    case AT_OTHER:
        return env.kernel + 0x1000;
    case AT_OTHER_KERNEL:
        return env.kernel + 0x1800;
    }
    return 0;
}

/* The other side is user memory too where the DDI checks both. */
static uint64_t other_address(const struct ddi_case *test)
{
    bool both = ddi_rows[test->row].flags & DDI_BOTH_USER;
    if (test->other == AT_OTHER && both)
        return env.arena + 0x8000;
    if (test->other == AT_CROSSING_FAULT) /* a place of its own: the source stays in page 1 */
        return env.arena + 0x4000 - half(test->length, 1);
    return place_address(test->other, test);
}

/* Plants the terminator of a string case, where it lies in mapped memory. */
static void plant_string(const struct ddi_case *test, uint64_t address, struct memory *memory)
{
    if (test->expect != EXPECT_OK && test->expect != EXPECT_RANGE)
        return;
    uint64_t unit = ddi_rows[test->row].shape == DDI_WIDE_STRING ? 2 : 1;
    unsigned char *end = model_at(memory, address + test->length * unit);
    if (end)
        memset(end, 0, unit);
}

struct outcome {
    bool raised;
    uint32_t code;
    uint64_t address;
    uint64_t moved; /* bytes that reached the destination */
};

/* The start, if it lies above the limit or the range wraps, else the limit; the down-level library touches the limit.
 */
static uint64_t first_refused(uint64_t address, uint64_t length)
{
    bool outside = address >= env.limit || address + length < address;
    return env.range_at_limit || !outside ? env.limit : address;
}

static struct outcome expectation(const struct ddi_case *test, const struct ddi_call *call)
{
    struct outcome out = {.raised = true, .code = ACCESS_VIOLATION};
    uint64_t address = test->side ? call->other : call->user;
    switch ((enum ddi_expect)test->expect) {
    case EXPECT_OK:
        out.raised = false;
        out.moved = test->length;
        break;
    case EXPECT_RANGE:
        out.address = first_refused(address, test->length);
        break;
    case EXPECT_LIMIT:
        out.address = env.limit;
        break;
    case EXPECT_FAULT:
        out.address = address;
        break;
    case EXPECT_BOUNDARY:
        out.address = (address + ARENA_PAGE - 1) & ~(uint64_t)(ARENA_PAGE - 1);
        out.moved = test->partial ? out.address - address : 0;
        break;
    case EXPECT_MISALIGNED:
        out.code = DATATYPE_MISALIGNMENT;
        break;
    case EXPECT_INVALID:
        out.code = INVALID_PARAMETER;
        break;
    }
    return out;
}

static void apply_interlocked(enum ddi_shape shape, const struct ddi_call *call, uint64_t size, unsigned char *at)
{
    uint64_t old = 0, new_value;
    memcpy(&old, at, size);
    uint64_t mask = size == 8 ? ~(uint64_t)0 : 0xffffffffu;
    if (shape == DDI_AND)
        new_value = old & call->value[0];
    else if (shape == DDI_OR)
        new_value = old | call->value[0];
    else
        new_value = old == (call->value[1] & mask) ? call->value[0] : old;
    memcpy(at, &new_value, size);
}

/* A UNICODE_STRING's lengths are followed by 4 bytes that belong to nobody. */
static void forget_padding(const struct ddi_row *row, uint64_t value[2])
{
    if (strstr(row->name, "UnicodeString"))
        value[0] &= 0xffffffffu;
}

/* What the call should leave in memory. */
static void apply(const struct ddi_case *test, const struct ddi_call *call, uint64_t moved, struct memory *memory)
{
    enum ddi_shape shape = ddi_rows[test->row].shape;
    unsigned char *user = model_at(memory, call->user), *other = model_at(memory, call->other);
    if (moved == 0 || !user)
        return;
    if (shape == DDI_WRITE) {
        uint64_t value[2] = {call->value[0], call->value[1]};
        forget_padding(&ddi_rows[test->row], value); /* written as zero, so that no kernel bytes leak */
        memcpy(user, value, moved);
    }
    if (shape == DDI_COPY_FROM)
        memcpy(other, user, moved);
    else if (shape == DDI_COPY_TO)
        memcpy(user, other, moved);
    else if (shape == DDI_FILL)
        memset(user, (int)(call->value[0] & 0xff), moved);
    else if (shape == DDI_ZERO)
        memset(user, 0, moved);
    else if (shape == DDI_AND || shape == DDI_OR || shape == DDI_COMPARE_EXCHANGE)
        apply_interlocked(shape, call, moved, user);
}

/* What the call should return, as the thunk stores it; result_size 0: nothing. */
static unsigned result_of(const struct ddi_case *test, const struct ddi_call *call, struct memory *before,
                          uint64_t result[2])
{
    const struct ddi_row *row = &ddi_rows[test->row];
    result[0] = result[1] = 0;
    switch (row->shape) {
    case DDI_READ:
    case DDI_AND:
    case DDI_OR:
    case DDI_COMPARE_EXCHANGE:
        memcpy(result, model_at(before, call->user), test->length);
        return (unsigned)test->length;
    case DDI_STRING:
    case DDI_WIDE_STRING:
        result[0] = test->length;
        return 8;
    case DDI_FILTER:
        result[0] = test->mode == 0 ? 0 : 1;
        return 4;
    case DDI_TYPES:
        result[0] = 1;
        return 8;
    default:
        return 0;
    }
}

static void set_values(const struct ddi_case *test, struct ddi_call *call, struct memory *before)
{
    static uint64_t serial;
    serial += 0x9E3779B97F4A7C15u;
    call->value[0] = serial;
    call->value[1] = ~serial;
    if (ddi_rows[test->row].shape != DDI_COMPARE_EXCHANGE)
        return;
    unsigned char *at = model_at(before, call->user);
    if (at && !test->partial)
        memcpy(&call->value[1], at, test->length);
}

static void fail(const struct ddi_case *test, const char *format, ...)
{
    va_list arguments;
    printf("not ok - %s: %s (length %#llx, alignment %u, mode %d): ", ddi_rows[test->row].name, test->name,
           (unsigned long long)test->length, (unsigned)test->alignment, test->mode);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    failures++;
}

static bool compare_memory(const struct ddi_case *test)
{
    const unsigned char *want = (const unsigned char *)&expected, *got = (const unsigned char *)&actual;
    for (size_t i = 0; i < sizeof actual; i++)
        if (want[i] != got[i]) {
            bool user = i < ARENA_SIZE;
            fail(test, "memory: %s byte +%#llx is %02x, should be %02x", user ? "arena" : "kernel",
                 (unsigned long long)(user ? i : i - ARENA_SIZE), got[i], want[i]);
            return false;
        }
    return true;
}

static bool compare_exception(const struct ddi_case *test, const struct outcome *want, const struct env_seen *seen)
{
    if (seen->raised != want->raised) {
        fail(test, want->raised ? "no exception" : "raised %#x at %#llx", seen->code,
             (unsigned long long)seen->information[1]);
        return false;
    }
    if (!want->raised)
        return true;
    if (seen->code != want->code) {
        fail(test, "raised %#x, should be %#x", seen->code, want->code);
        return false;
    }
    if (want->code == ACCESS_VIOLATION &&
        (seen->parameters != 2 || seen->information[0] != test->kind || seen->information[1] != want->address)) {
        fail(test, "information {%llu, %#llx} of %u, should be {%u, %#llx} of 2",
             (unsigned long long)seen->information[0], (unsigned long long)seen->information[1], seen->parameters,
             test->kind, (unsigned long long)want->address);
        return false;
    }
    return true;
}

static void run_case(const struct ddi_case *test)
{
    const struct ddi_row *row = &ddi_rows[test->row];
    struct ddi_call call = {.length = test->length, .alignment = test->alignment, .mode = test->mode};
    call.user = place_address((enum ddi_place)test->place, test);
    call.other = other_address(test);

    expected = pristine;
    if (is_string(row->shape))
        plant_string(test, call.user, &expected);
    set_values(test, &call, &expected);
    memory_store(&expected);

    struct outcome want = expectation(test, &call);
    uint64_t result[2] = {0, 0};
    unsigned result_size = want.raised ? 0 : result_of(test, &call, &expected, result);
    apply(test, &call, want.moved, &expected);

    struct env_seen seen = {0};
    struct ddi_call made = call;
    env_call(row->thunk, &made, &seen);
    actual = pristine;
    memory_load(&actual);
    forget_padding(row, result);
    forget_padding(row, made.result);
    bool good = compare_exception(test, &want, &seen) && compare_memory(test);
    if (good && result_size && memcmp(result, made.result, result_size) != 0)
        fail(test, "returned %#llx, should be %#llx", (unsigned long long)made.result[0],
             (unsigned long long)result[0]);
    else if (good)
        printf("ok - %s: %s (length %#llx)\n", row->name, test->name, (unsigned long long)test->length);
}

/* Reads the names of the table's rows and counts those that were called. False if one was not. */
static bool report_coverage(const char *path)
{
    FILE *table = fopen(path, "rb");
    if (!table) {
        printf("not ok - cannot open the table %s\n", path);
        return false;
    }
    unsigned rows = 0, called = 0;
    char line[4096];
    while (fgets(line, sizeof line, table)) {
        char *tab = strchr(line, '\t');
        if (!tab || rows++ == 0) /* the first line names the columns */
            continue;
        *tab = 0;
        unsigned i = 0;
        while (i < reached_count && strcmp(reached[i], line) != 0)
            i++;
        if (i < reached_count)
            called++;
        else
            printf("not ok - never called: %s\n", line);
    }
    fclose(table);
    rows -= rows > 0;
    printf("DDI coverage: %u of %u\n", called, rows);
    return called == rows && rows > 0;
}

int main(int argc, char **argv)
{
    if (!env_start())
        return 77;
    memory_pattern(&pristine);
    memory_store(&pristine);
    for (unsigned i = 0; i < ddi_case_count; i++) {
        /* The debug library ends the process there: fast_fail_windows.c. */
        if (env.debug_library && ddi_cases[i].mode == 0 && ddi_cases[i].place == AT_VALID)
            continue;
        run_case(&ddi_cases[i]);
        cases_run++;
    }
    bool covered = argc < 2 || report_coverage(argv[1]);
    printf("%u cases, %u failed\n", cases_run, failures);
    return failures || !covered;
}
