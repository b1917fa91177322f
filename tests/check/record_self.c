/* record_self.c - the record itself: its limits, threads, children, and what was fetched twice. */
#include "record_internal.h"
#include "record_test.h"

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 50, SCALARS = 8 };

static void touch_often(void *context)
{
    const uint64_t number = *(const uint64_t *)context;
    uma_trace_request(number);
    for (int i = 0; i < ROUNDS; i++)
        uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
}

/* Nothing is lost or mixed up: each thread's rows are its own, whole and in order. */
static void threads_at_once(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = THREADS * ROUNDS * SCALARS};
    struct uma_thread *threads[THREADS];
    uint64_t numbers[THREADS];
    unsigned seen[THREADS] = {0}, thread[THREADS] = {0};
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = 100 + i;
        assert_int_equal(uma_thread_start(touch_often, &numbers[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        uma_thread_join(threads[i]);
    assert_int_equal(uma_trace_count(), options.limit);
    assert_int_equal(uma_trace_dropped(), 0);
    for (size_t i = 0; i < options.limit; i++) {
        struct uma_trace_row row;
        assert_true(uma_trace_row(i, &row));
        const unsigned who = (unsigned)(row.request - 100);
        assert_true(who < THREADS);
        const unsigned which = seen[who]++ % SCALARS;
        thread[who] = thread[who] ? thread[who] : row.thread;
        assert_int_equal(row.thread, thread[who]);
        assert_int_equal(row.outcome, UMA_TRACE_COMPLETE);
        assert_int_equal(row.size, 1u << which % 4);
        assert_int_equal(row.access, which < 4 ? UMA_TRACE_READ : UMA_TRACE_WRITE);
    }
    assert_int_equal(start_record(NULL), 0);
}

/* ---- fetched again ---- */

static void refetches(void **state)
{
    struct uma_trace_row made[] = {
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_PROBE},
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_ACCESSOR},
        {.address = 0x1004, .size = 8, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 8, .access = UMA_TRACE_WRITE, .how = UMA_TRACE_RAW},
        {.address = 0x1006, .size = 1, .access = UMA_TRACE_UPDATE, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 16, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 16, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW},
        {.address = 0x1000, .size = 2, .access = UMA_TRACE_READ, .how = UMA_TRACE_RAW, .request = 1},
    };
    static const size_t wanted[] = {8, 8, 1, 8, 1, 1, 8, 8};
    (void)state;
    for (size_t i = 0; i < 8; i++)
        made[i].outcome = UMA_TRACE_COMPLETE;
    made[6].outcome = UMA_TRACE_RAISED;
    assert_int_equal(uma_trace_refetches(made, 8, first), 12);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(first[i], wanted[i]);
    assert_int_equal(uma_trace_refetches(made, 0, first), 0);
}

/* ---- the record itself ---- */

static void a_full_record_counts(void **state)
{
    const struct uma_trace_options options = {.size = sizeof(options), .limit = 3};
    struct uma_trace_row row;
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
    assert_int_equal(uma_trace_count(), 3);
    assert_int_equal(uma_trace_dropped(), 5);
    assert_true(uma_trace_row(2, &row));
    assert_int_equal(row.address, in + 4);
    assert_false(uma_trace_row(3, &row));
    uma_trace_clear();
    assert_int_equal(uma_trace_count(), 0);
    assert_int_equal(uma_trace_dropped(), 0);
    assert_false(uma_trace_row(0, &row));
}

static void limits_are_checked(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = 0};
    (void)state;
    assert_int_equal(uma_trace_start(&options), (uma_status)0xC000000D);
    options.limit = (1u << 20) + 1;
    assert_int_equal(uma_trace_start(&options), (uma_status)0xC000000D);
}

static void a_stopped_record_stays(void **state)
{
    (void)state;
    uma_trace_stop();
    size_t count = uma_trace_count();
    uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8);
    uma_ioctl(file, TOUCH_CODE(TOUCH_RAW), in, 8, out, 8);
    assert_int_equal(uma_trace_count(), count);
    uma_trace_stop();
}

static uint64_t hook_index, hook_address;

/* Between two fetches another value appears. */
static void change_value(void *context, size_t index, const struct uma_trace_row *row)
{
    assert_ptr_equal(context, &hook_index);
    hook_index = index;
    hook_address = row->address;
    if (row->how == UMA_TRACE_EXPORT)
        uma_user_store(row->address, "A", 1);
}

static void before_is_called_in_time(void **state)
{
    const struct uma_trace_options options = {
        .size = sizeof(options), .limit = ROWS_MAX, .before = change_value, .context = &hook_index};
    (void)state;
    fill(in, ALPHABET);
    assert_int_equal(uma_trace_start(&options), 0);
    assert_int_equal(touch(TOUCH_NO_HANDLER, in, out), 2);
    assert_int_equal(hook_index, 1);
    assert_int_equal(hook_address, in);
    assert_memory_equal(rows[0].value, "abcd", 4);
    assert_memory_equal(rows[1].value, "Abcde", 5);
    assert_int_equal(uma_trace_refetches(rows, 2, first), 4);
}

/* A child's rows outlive it, if the record is shared. */
static void children_write_to_a_shared_record(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX, .shared = true};
    (void)state;
    for (int shared = 1; shared >= 0; shared--) {
        options.shared = shared;
        assert_int_equal(uma_trace_start(&options), 0);
        fill(in, ALPHABET);
        pid_t child = fork();
        if (child == 0) {
            bool done = uma_fork_child() == 0 && uma_ioctl(file, TOUCH_CODE(TOUCH_SCALARS), in, 8, out, 8).status == 0;
            _exit(done && uma_trace_count() == 8 ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(uma_trace_count(), shared ? 8 : 0);
    }
}

/* A driver that runs wild in a child may write over the record; its reader is none the worse. */
static void a_spoilt_record_is_harmless(void **state)
{
    struct uma_trace_options options = {.size = sizeof(options), .limit = ROWS_MAX, .shared = true};
    (void)state;
    assert_int_equal(uma_trace_start(&options), 0);
    pid_t child = fork();
    if (child == 0) {
        touch(TOUCH_SCALARS, in, out);
        memset(record_now, 0x5a, sizeof(*record_now) + ROWS_MAX * sizeof(record_now->slots[0]));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(uma_trace_count(), ROWS_MAX);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        struct check_site site;
        assert_true(uma_trace_row(i, &rows[i]));
        assert_true(rows[i].how <= UMA_TRACE_KERNEL && rows[i].outcome <= UMA_TRACE_STOPPED);
        assert_true(rows[i].access >= UMA_TRACE_READ && rows[i].access <= UMA_TRACE_UPDATE);
        assert_true(rows[i].handler <= UMA_TRACE_KERNEL_HANDLER && rows[i].value_size <= UMA_TRACE_VALUE);
        check_site(&rows[i], &site);
    }
    uma_trace_refetches(rows, ROWS_MAX, first);
    assert_false(uma_trace_row(ROWS_MAX, &rows[0]));
    uma_trace_clear();
    assert_int_equal(touch(TOUCH_SCALARS, in, out), 8);
}

SUITE(self, cmocka_unit_test(threads_at_once), cmocka_unit_test(refetches), cmocka_unit_test(limits_are_checked),
      cmocka_unit_test(a_full_record_counts), cmocka_unit_test(a_stopped_record_stays),
      cmocka_unit_test(before_is_called_in_time), cmocka_unit_test(children_write_to_a_shared_record),
      cmocka_unit_test(a_spoilt_record_is_harmless));
