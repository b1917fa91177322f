/*
 * load.c - eight user threads send mixed requests to the four devices of the load driver, with good and random bad
 * pointers, waiting for some and cancelling others, while handles are closed and opened again under each other's feet,
 * two more threads unmap, map and protect the memory the requests name, and others begin, send and end. What must hold:
 * each status is a legal one, each answer is right, what went in came out, each request is reported once, nothing is
 * left over, kernel memory is untouched.
 *
 * usage: test_load load.sys REQUESTS [SEED]. The seed is printed; one seed makes the same requests, not the same races.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"
#include "load_client.h"
#include "ob.h"
#include "mm.h"
#include "../protect_asked.h"

struct load_shared shared;

static void count_line(void *context, const char *line)
{
    fprintf(stderr, "left behind: %s\n", line);
    ++*(unsigned *)context;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct load_counts driver_counts(void)
{
    struct load_counts counts = {0};
    uint64_t at;
    uma_file file;
    expect(uma_open("\\Device\\Load0", &file) == 0, "the counts' device opens");
    expect(uma_user_alloc(sizeof(counts), UMA_READ_WRITE, &at) == 0, "memory for the counts");
    expect(uma_ioctl(file, LOAD_COUNTS, 0, 0, at, sizeof(counts)).status == 0, "the driver tells its counts");
    expect(uma_user_load(at, &counts, sizeof(counts)), "the counts can be read");
    uma_user_free(at, sizeof(counts));
    uma_close(file);
    return counts;
}

static void count_client(struct client *client)
{
    client_end(client);
    shared.sent += client->sent;
    shared.back += client->back;
    shared.succeeded += client->succeeded;
    shared.answers += client->answers;
    shared.pended += client->pended;
    shared.reported += client->reported;
    shared.left += client->left;
    shared.cancels += client->cancels;
}

static struct client client_number(unsigned index, uint64_t requests)
{
    return (struct client){.index = index, .requests = requests, .random = shared.seed + index * 0x9E3779B97F4A7C15u};
}

/* While the clients run, threads begin, send requests, and end. */
static void run_leavers(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    for (unsigned i = 0; __atomic_load_n(&shared.running, __ATOMIC_ACQUIRE); i++) {
        struct client client = client_number(LOAD_CLIENTS + LOAD_MAPPERS, 0);
        struct uma_thread *thread;
        client.random += i * 0x9E3779B97F4A7C15u;
        expect(uma_thread_start(leaver_run, &client, &thread) == 0, "a user thread starts");
        uma_thread_join(thread);
        count_client(&client);
        shared.leavers++;
        nanosleep(&pause, NULL);
    }
}

static void run_threads(uint64_t requests)
{
    struct uma_thread *threads[LOAD_CLIENTS + LOAD_MAPPERS];
    static struct client clients[LOAD_CLIENTS + LOAD_MAPPERS];
    shared.running = LOAD_CLIENTS;
    for (unsigned i = 0; i < LOAD_CLIENTS + LOAD_MAPPERS; i++) {
        clients[i] = client_number(i, requests / LOAD_CLIENTS);
        expect(uma_thread_start(i < LOAD_CLIENTS ? client_run : mapper_run, &clients[i], &threads[i]) == 0,
               "a user thread starts");
    }
    run_leavers();
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        uma_thread_join(threads[i]);
    __atomic_store_n(&shared.over, true, __ATOMIC_RELEASE);
    for (unsigned i = LOAD_CLIENTS; i < LOAD_CLIENTS + LOAD_MAPPERS; i++)
        uma_thread_join(threads[i]);
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        count_client(&clients[i]);
    for (unsigned i = 0; i < LOAD_MAPPERS; i++)
        shared.mapped += clients[LOAD_CLIENTS + i].sent;
}

enum { HANDLES_MOST = 512 };

/* The handle table, which never shrinks, gets its size before anything is counted. */
static void grow_handle_table(void)
{
    uint64_t at, handles[HANDLES_MOST];
    expect(uma_user_alloc(8, UMA_READ_WRITE, &at) == 0, "memory for a handle");
    for (unsigned i = 0; i < HANDLES_MOST; i++) {
        expect(uma_call("NtCreateEvent", (const uint64_t[]){at, 0x1F0003, 0, 0, 0}, 5) == 0, "an event is created");
        expect(uma_user_load(at, &handles[i], 8), "its handle can be read");
    }
    for (unsigned i = 0; i < HANDLES_MOST; i++)
        expect(uma_call("NtClose", &handles[i], 1) == 0, "an event is closed");
    uma_user_free(at, 8);
}

static void check_driver(void)
{
    struct load_counts counts = driver_counts();
    printf("driver: %lld in, %lld out; %lld left pending: %lld completed later, %lld cancelled\n", counts.in,
           counts.out, counts.pended, counts.finished, counts.cancelled);
    expect(counts.in == counts.out, "what went into the driver came out of it");
    expect(counts.pended == counts.finished + counts.cancelled, "what was left pending ended once");
    expect(counts.finished > 0 && counts.cancelled > 0, "requests were completed later, and cancelled");
}

int main(int argc, char **argv)
{
    const struct uma_options options = {
        .size = sizeof(options), .protect = protect_asked(), .timeout_seconds = 0, .verify = getenv("UMA_VERIFY")};
    char error[UMA_ERROR_MAX];
    struct uma_driver *driver;
    unsigned left = 0;
    if (argc < 3) {
        fputs("usage: test_load load.sys REQUESTS [SEED]\n", stderr);
        return 2;
    }
    shared.seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)shared.seed);
    fflush(stdout);
    uma_status status = uma_start(&options);
    if (status < 0 && protect_asked() == UMA_PROTECT_PKU) {
        puts("not run: no PKU");
        return 77;
    }
    expect(status == 0, "the kernel starts");
    shared.kernel_address = uma_decoy();
    status = uma_load(argv[1], &driver, error);
    if (status < 0)
        fprintf(stderr, "%s\n", error);
    expect(status == 0, "the driver loads");
    uma_set_apc(async_apc, NULL);
    grow_handle_table();
    mixed_prepare();
    size_t handles = ob_handles_in(&ke_user.body), pool = mm_pool_bytes_in_use(MM_POOL_KERNEL);
    double began = seconds();
    mappers_prepare();
    run_threads(strtoull(argv[2], NULL, 0));
    double took = seconds() - began;
    client_close_shared();
    mappers_clean();
    printf(
        "%llu requests sent, %llu came back, %llu succeeded, %llu answers checked; %llu changes of mappings; %.1f s\n",
        (unsigned long long)shared.sent, (unsigned long long)shared.back, (unsigned long long)shared.succeeded,
        (unsigned long long)shared.answers, (unsigned long long)shared.mapped, took);
    printf("clients: %llu left pending: %llu reported, %llu ended with their thread (%llu threads); %llu cancels\n",
           (unsigned long long)shared.pended, (unsigned long long)shared.reported, (unsigned long long)shared.left,
           (unsigned long long)shared.leavers, (unsigned long long)shared.cancels);
    expect(shared.sent == shared.back, "what was sent came back");
    expect(shared.pended == shared.reported + shared.left, "what pended was reported");
    expect(shared.reported && shared.left, "requests were reported, and left");
    expect(shared.answers > shared.sent / 100, "answers were checked");
    check_driver();
    expect(ob_handles_in(&ke_user.body) == handles, "no handle is left");
    printf("kernel's pool: %zu bytes before, %zu after\n", pool, (size_t)mm_pool_bytes_in_use(MM_POOL_KERNEL));
    expect(mm_pool_bytes_in_use(MM_POOL_KERNEL) == pool, "the kernel's pool is as before");
    expect(uma_unload(driver) == 0, "the driver unloads");
    uma_leftovers(count_line, &left);
    expect(left == 0, "nothing is left behind");
    expect(!uma_decoy_changed(), "kernel memory was not written to");
    expect(uma_raw_accesses() == 0, "every access was an accessor's");
    return 0;
}
