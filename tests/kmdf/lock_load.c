/*
 * lock_load.c - user threads send requests whose memory a framework driver locks, reads and writes, while another user
 * thread unmaps that memory, maps it again, changes its protection and writes to it. What must hold: no fault, each
 * status a legal one, the driver's own writes are what it reads back, every completed request's locks are gone, nothing
 * is left.
 *
 * usage: test_lock_load locker.sys REQUESTS [SEED]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "locker.h"
#include "mm.h"
#include "uma.h"

enum { SENDERS = 2, PAGE = 0x1000, REGION = 2 * PAGE, HOLDS_EACH = 4 };                /* two locks, two mappings */
enum { IO = 0, ATTRIBUTES = 128, NAME = 192, TEXT = 224, INPUT = 512, OUTPUT = 1024 }; /* in a thread's own page */
enum { MEM_RESERVE_COMMIT = 0x3000, MEM_RELEASE = 0x8000 };
#define SELF             (~0ull) /* the process */
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define GUARD_PAGE       ((uma_status)0x80000001)

struct thread {
    uint64_t requests, random, own, region;
    uint64_t succeeded, refused, most_holds;
};
static struct thread senders[SENDERS], changer;
static uint64_t changes, stores, seed;
static bool over;

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s (seed %llu)\n", what, (unsigned long long)seed);
    exit(1);
}

static uint32_t pick(struct thread *thread, uint32_t limit)
{
    thread->random ^= thread->random << 13;
    thread->random ^= thread->random >> 7;
    thread->random ^= thread->random << 17;
    return (uint32_t)(thread->random >> 33) % limit;
}

static uint64_t holds(void)
{
    return mm_holds_each(MM_POOL_DRIVER, NULL, NULL) + mm_holds_each(MM_POOL_KERNEL, NULL, NULL);
}

#define CALL(service, ...)                                                                                             \
    uma_call(service, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

/* ---- senders ---- */

static uint64_t open_device(uint64_t at)
{
    static const uint16_t text[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'L', 'o', 'c', 'k', 'e', 'r'};
    const uint64_t name[2] = {sizeof(text) | sizeof(text) << 16, at + TEXT};
    const uint64_t attributes[6] = {48, 0, at + NAME, 0x40, 0, 0};
    uint64_t handle = 0;
    uma_user_store(at + TEXT, text, sizeof(text));
    uma_user_store(at + NAME, name, sizeof(name));
    uma_user_store(at + ATTRIBUTES, attributes, sizeof(attributes));
    expect(CALL("NtOpenFile", at + OUTPUT, 0x12019F, at + ATTRIBUTES, at + IO, 7, 0x20) == 0, "the device opens");
    expect(uma_user_load(at + OUTPUT, &handle, sizeof(handle)), "its handle can be read");
    return handle;
}

static void send_one(struct thread *me, uint64_t handle)
{
    struct locker_request request = {me->region, pick(me, 4) ? REGION : PAGE, pick(me, 4) == 0};
    struct locker_reply reply = {.wrong = 1};
    uma_user_store(me->own + INPUT, &request, sizeof(request));
    uma_user_store(me->own + OUTPUT, &reply, sizeof(reply));
    uma_status status = CALL("NtDeviceIoControlFile", handle, 0, 0, 0, me->own + IO, LOCKER_USE, me->own + INPUT,
                             sizeof(request), me->own + OUTPUT, sizeof(reply));
    uint64_t held = holds();
    if (held > me->most_holds)
        me->most_holds = held;
    if (status != 0) {
        expect(status == ACCESS_VIOLATION || status == GUARD_PAGE, "only a page in the way refuses a request");
        me->refused++;
        return;
    }
    expect(uma_user_load(me->own + OUTPUT, &reply, sizeof(reply)), "the reply can be read");
    expect(reply.wrong == 0, "the driver reads what it wrote");
    me->succeeded++;
}

static void sender_run(void *context)
{
    struct thread *me = context;
    uint64_t handle = open_device(me->own);
    for (uint64_t i = 0; i < me->requests; i++)
        send_one(me, handle);
    expect(CALL("NtClose", handle) == 0, "the handle closes");
}

/* ---- the thread that changes what they lock ---- */

static uma_status region_call(const char *service, uint64_t base, uint64_t size, uint64_t type, uint64_t protect)
{
    const uint64_t at = changer.own, range[2] = {base, size};
    uma_user_store(at, range, sizeof(range));
    if (service[2] == 'A')
        return CALL(service, SELF, at, 0, at + 8, type, protect);
    if (service[2] == 'F')
        return CALL(service, SELF, at, at + 8, type);
    return CALL(service, SELF, at, at + 8, protect, at + 16);
}

static void map(uint64_t base)
{
    expect(region_call("NtAllocateVirtualMemory", base, REGION, MEM_RESERVE_COMMIT, 4) == 0, "a region is mapped");
}

static void change(uint64_t base)
{
    static const uint32_t protections[] = {0x01, 0x02, 0x04, 0x04, 0x104};
    uint64_t page = base + pick(&changer, 2) * PAGE;
    uint8_t bytes[64];
    switch (pick(&changer, 8)) {
    case 0:
        expect(region_call("NtFreeVirtualMemory", base, 0, MEM_RELEASE, 0) == 0, "a region is unmapped");
        map(base);
        break;
    case 1:
    case 2:
        expect(region_call("NtProtectVirtualMemory", page, PAGE, 0, protections[pick(&changer, 5)]) == 0,
               "a page is protected");
        break;
    case 3:
    case 4:
        expect(region_call("NtProtectVirtualMemory", base, REGION, 0, 4) == 0, "a region is made writable");
        break;
    default:
        memset(bytes, (int)pick(&changer, 256), sizeof(bytes));
        stores += uma_user_store(page + pick(&changer, PAGE / 2 - sizeof(bytes)), bytes, sizeof(bytes));
        return;
    }
    changes++;
}

static void changer_run(void *context)
{
    (void)context;
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        change(senders[pick(&changer, SENDERS)].region);
}

/* ---- all together ---- */

static void count_line(void *context, const char *line)
{
    fprintf(stderr, "left behind: %s\n", line);
    ++*(unsigned *)context;
}

static void prepare(struct thread *thread, unsigned index, uint64_t requests)
{
    thread->requests = requests;
    thread->random = seed + index * 0x9E3779B97F4A7C15u;
    expect(uma_user_alloc(PAGE, UMA_READ_WRITE, &thread->own) == 0, "memory for a thread");
}

static void run(uint64_t requests)
{
    struct uma_thread *threads[SENDERS + 1];
    prepare(&changer, SENDERS, 0);
    for (unsigned i = 0; i < SENDERS; i++) {
        prepare(&senders[i], i, requests / SENDERS);
        map(0);
        expect(uma_user_load(changer.own, &senders[i].region, 8), "the region's address can be read");
    }
    expect(uma_thread_start(changer_run, NULL, &threads[SENDERS]) == 0, "a user thread starts");
    for (unsigned i = 0; i < SENDERS; i++)
        expect(uma_thread_start(sender_run, &senders[i], &threads[i]) == 0, "a user thread starts");
    for (unsigned i = 0; i < SENDERS; i++)
        uma_thread_join(threads[i]);
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    uma_thread_join(threads[SENDERS]);
}

static void check(uint64_t before)
{
    uint64_t succeeded = 0, refused = 0, most = 0;
    for (unsigned i = 0; i < SENDERS; i++) {
        succeeded += senders[i].succeeded;
        refused += senders[i].refused;
        most = senders[i].most_holds > most ? senders[i].most_holds : most;
    }
    printf("%llu requests locked, %llu refused; %llu changes of mappings, %llu writes by the user; at most %llu ranges "
           "held "
           "when one came back\n",
           (unsigned long long)succeeded, (unsigned long long)refused, (unsigned long long)changes,
           (unsigned long long)stores, (unsigned long long)most);
    expect(succeeded > refused / 100 && succeeded > 0, "requests were locked");
    expect(changes > 0 && stores > 0, "the memory changed meanwhile");
    expect(most <= before + HOLDS_EACH * (SENDERS - 1), "a request that came back holds nothing");
    expect(holds() == before, "nothing is locked or mapped any more");
}

int main(int argc, char **argv)
{
    const char *protect = getenv("UMA_PROTECT");
    const struct uma_options options = {.size = sizeof(options),
                                        .protect = protect && !strcmp(protect, "pku")        ? UMA_PROTECT_PKU
                                                   : protect && !strcmp(protect, "mprotect") ? UMA_PROTECT_MPROTECT
                                                                                             : UMA_PROTECT_NONE};
    char error[UMA_ERROR_MAX];
    struct uma_driver *driver;
    unsigned left = 0;
    if (argc < 3) {
        fputs("usage: test_lock_load locker.sys REQUESTS [SEED]\n", stderr);
        return 2;
    }
    seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL);
    uma_status status = uma_start(&options);
    if (status < 0 && options.protect == UMA_PROTECT_PKU) {
        puts("not run: no PKU");
        return 77;
    }
    expect(status == 0, "the kernel starts");
    status = uma_load(argv[1], &driver, error);
    if (status < 0)
        fprintf(stderr, "%s\n", error);
    expect(status == 0, "the driver loads");
    uint64_t before = holds();
    run(strtoull(argv[2], NULL, 0));
    check(before);
    expect(uma_unload(driver) == 0, "the driver unloads");
    uma_leftovers(count_line, &left);
    expect(left == 0, "nothing is left behind");
    expect(uma_raw_accesses() == 0, "every access was to locked memory");
    return 0;
}
