/*
 * copies.c - copy speed from 1 byte to 64 MB: the accessors against glibc's memcpy, process_vm_readv/writev on the own
 * process, and a memcpy guarded by sigsetjmp.
 *
 * All four move the same bytes between the same buffers, in turn, in one run; a round gives each one time, the median
 * of the rounds counts. Prints one tab-separated line per size and direction: direction, size, ns per copy of accessor,
 * memcpy, process_vm, guarded memcpy. Argument: the largest size (default 64 MB).
 */
#define _GNU_SOURCE
#include "plat.h"
#include "seh.h"
#include "uma_kernel.h"
#include "usermode_accessors.h"
#include "count.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROUNDS   11
#define LARGEST  (64u << 20)
#define ROUND_NS 1000000u /* aim for one time of one variant */

static sigjmp_buf guard;
static pid_t self;

/* The guard of the classic kind: any fault would jump back here. The signal mask is not saved, which is its fastest
 * form. */
static __attribute__((noinline)) int guarded_memcpy(void *to, const void *from, size_t size)
{
    if (sigsetjmp(guard, 0) != 0)
        return -1;
    memcpy(to, from, size);
    return 0;
}

typedef void copy_function(void *to, const void *from, size_t size);

static void copy_from_user(void *to, const void *from, size_t size)
{
    CopyFromUser(to, from, size);
}

static void copy_to_user(void *to, const void *from, size_t size)
{
    CopyToUser(to, from, size);
}

static void copy_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

static void copy_readv(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)(uintptr_t)from, size};
    if (process_vm_readv(self, &local, 1, &remote, 1, 0) != (ssize_t)size)
        abort();
}

static void copy_writev(void *to, const void *from, size_t size)
{
    struct iovec local = {(void *)(uintptr_t)from, size}, remote = {to, size};
    if (process_vm_writev(self, &local, 1, &remote, 1, 0) != (ssize_t)size)
        abort();
}

static void copy_guarded(void *to, const void *from, size_t size)
{
    if (guarded_memcpy(to, from, size) != 0)
        abort();
}

static uint64_t time_copies(copy_function *copy, void *to, const void *from, size_t size, unsigned count)
{
    uint64_t start = count_now_ns();
    for (unsigned i = 0; i < count; i++) {
        copy(to, from, size);
        __asm__ volatile("" ::: "memory");
    }
    return count_now_ns() - start;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const char *direction, copy_function *const variants[4], void *to, const void *from, size_t size)
{
    double rounds[4][ROUNDS];
    unsigned counts[4];
    for (unsigned v = 0; v < 4; v++) {
        uint64_t probe = time_copies(variants[v], to, from, size, 8) / 8 + 1;
        counts[v] = probe > ROUND_NS ? 1 : (unsigned)(ROUND_NS / probe);
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned v = 0; v < 4; v++) {
            unsigned turn = (v + round) % 4;
            rounds[turn][round] = (double)time_copies(variants[turn], to, from, size, counts[turn]) / counts[turn];
        }
    printf("%s\t%zu", direction, size);
    for (unsigned v = 0; v < 4; v++) {
        qsort(rounds[v], ROUNDS, sizeof(double), by_value);
        printf("\t%.2f", rounds[v][ROUNDS / 2]);
    }
    printf("\n");
    fflush(stdout);
}

static enum plat_protect wanted_protection(void)
{
    const char *name = getenv("UMA_PROTECT");
    return name && strcmp(name, "pku") == 0 ? PLAT_PROTECT_PKU : PLAT_PROTECT_NONE;
}

int main(int argc, char **argv)
{
    static copy_function *const from_user[4] = {copy_from_user, copy_memcpy, copy_readv, copy_guarded};
    static copy_function *const to_user[4] = {copy_to_user, copy_memcpy, copy_writev, copy_guarded};
    struct plat_options options = {.protect = wanted_protection(), .raw = PLAT_RAW_STEP};
    size_t largest = argc > 1 ? strtoull(argv[1], NULL, 0) : LARGEST;
    ULONG_PTR user = 0;
    if (!NT_SUCCESS(plat_init(&options)))
        return 77;
    void *kernel = plat_system_map(LARGEST, PLAT_READWRITE);
    if (!NT_SUCCESS(plat_thread_attach()) || !NT_SUCCESS(seh_thread_init()) ||
        !NT_SUCCESS(uma_init(plat_protect_in_use())) || !kernel ||
        !NT_SUCCESS(plat_user_map(&user, LARGEST, PLAT_READWRITE)) || largest > LARGEST) {
        fprintf(stderr, "bench_copies: no memory, or a size above 64 MB\n");
        return 2;
    }
    self = getpid();
    ZeroUserMemory((void *)user, LARGEST); /* every page is there */
    memset(kernel, 1, LARGEST);
    for (size_t size = 1; size <= largest; size *= size < 1024 ? 2 : 4) {
        measure("from user", from_user, kernel, (const void *)user, size);
        measure("to user", to_user, (void *)user, kernel, size);
    }
    return 0;
}
