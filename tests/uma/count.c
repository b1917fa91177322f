/*
 * count.c - counts the instructions of accessor calls, by stepping a child process through each: all it runs between
 * the call and the return, the call itself not included. Prints "name<TAB>count" per row. usage: count none|hook
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "uma_kernel.h"
#include "usermode_accessors.h"

static unsigned char user[0x4000] __attribute__((aligned(4096)));
static unsigned char kernel[0x4000] __attribute__((aligned(4096)));
static struct arch_thread block;
typedef struct {
    ULONG a, b;
} PAIR;

/* The callers live in a section of their own: its instructions are not counted. */
#define CALLER __attribute__((section("count_callers"), noinline))
extern const char __start_count_callers[], __stop_count_callers[];
extern const char __start_count_child[], __stop_count_child[];

#define ROWS(ROW)                                                                                                      \
    ROW(1, "ReadULongFromUser (every scalar read)", ReadULongFromUser((ULONG *)user))                                  \
    ROW(2, "WriteULongToUser (every scalar write)", WriteULongToUser((ULONG *)user, 1))                                \
    ROW(3, "ReadULongFromMode, UserMode", ReadULongFromMode((ULONG *)user, UserMode))                                  \
    ROW(4, "ReadULongFromMode, KernelMode", ReadULongFromMode((ULONG *)kernel, KernelMode))                            \
    ROW(5, "WriteULongToMode, UserMode", WriteULongToMode((ULONG *)user, 1, UserMode))                                 \
    ROW(6, "WriteULongToMode, KernelMode", WriteULongToMode((ULONG *)kernel, 1, KernelMode))                           \
    ROW(7, "ReadUnicodeStringFromUser", ReadUnicodeStringFromUser((UNICODE_STRING *)user))                             \
    ROW(8, "WriteUnicodeStringToUser", WriteUnicodeStringToUser((UNICODE_STRING *)user, (UNICODE_STRING){0}))          \
    ROW(9, "ReadStructFromUser, 8 bytes", ReadStructFromUser((PAIR *)kernel, (PAIR *)user))                            \
    ROW(10, "WriteStructToUser, 8 bytes", WriteStructToUser((PAIR *)user, (PAIR *)kernel))                             \
    ROW(11, "ReadStructFromUserAligned, 8 bytes", ReadStructFromUserAligned((PAIR *)kernel, (PAIR *)user, 4))          \
    ROW(12, "CopyFromUser, 8 bytes", CopyFromUser(kernel, user, 8))                                                    \
    ROW(13, "CopyFromUser, 64 bytes", CopyFromUser(kernel, user, 64))                                                  \
    ROW(14, "CopyFromUser, 1024 bytes", CopyFromUser(kernel, user, 1024))                                              \
    ROW(15, "CopyToUser, 64 bytes", CopyToUser(user, kernel, 64))                                                      \
    ROW(16, "CopyFromMode, 64 bytes, UserMode", CopyFromMode(kernel, user, 64, UserMode))                              \
    ROW(17, "CopyFromMode, 64 bytes, KernelMode", CopyFromMode(kernel, kernel + 256, 64, KernelMode))                  \
    ROW(18, "CopyFromUserToMode, 64 bytes, UserMode", CopyFromUserToMode(user, user + 256, 64, UserMode))              \
    ROW(19, "CopyToUserFromUser, 64 bytes", CopyToUserFromUser(user, user + 256, 64))                                  \
    ROW(20, "MoveToUserFromUser, 64 bytes, overlapping", MoveToUserFromUser(user + 8, user, 64))                       \
    ROW(21, "CopyFromUserNonTemporal, 1024 bytes", CopyFromUserNonTemporal(kernel, user, 1024))                        \
    ROW(22, "SetUserMemory, 64 bytes", SetUserMemory(user, 7, 64))                                                     \
    ROW(23, "ZeroUserMemory, 64 bytes", ZeroUserMemory(user, 64))                                                      \
    ROW(24, "InterlockedOrToUser", InterlockedOrToUser((LONG *)(user + 4), 1))                                         \
    ROW(25, "InterlockedCompareExchange64ToUser", InterlockedCompareExchange64ToUser((LONG64 *)(user + 8), 1, 0))      \
    ROW(26, "StringLengthFromUser, 40 characters", StringLengthFromUser((char *)user + 0x1000))                        \
    ROW(27, "WideStringLengthFromUser, 40 characters", WideStringLengthFromUser((WCHAR *)(user + 0x2000)))             \
    ROW(28, "UmaExceptionFilter", UmaExceptionFilter(UserMode))

#define DEFINE(id, name, call)                                                                                         \
    static CALLER void caller_##id(void)                                                                               \
    {                                                                                                                  \
        call;                                                                                                          \
    }
ROWS(DEFINE)

#define ENTRY(id, name, call) {name, caller_##id},
static const struct {
    const char *name;
    void (*caller)(void);
} rows[] = {ROWS(ENTRY)};

static __attribute__((section("count_child"), noinline)) void child(enum arch_uma_variant variant)
{
    MmUserProbeAddress = (ULONG_PTR)user + sizeof(user);
    arch_uma_select(variant, true);
    syscall(SYS_arch_prctl, ARCH_SET_GS, &block);
    memset(user + 0x1000, 'a', 40);
    memset(user + 0x2000, 'a', 80);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        raise(SIGUSR1);
        rows[row].caller();
        raise(SIGUSR2);
    }
    _exit(0);
}

/*
 * Steps the child from its SIGUSR1 to its SIGUSR2, counting what it runs after it first enters a caller, until it is
 * back out.
 */
static long count_row(pid_t pid)
{
    long steps = 0;
    bool inside = false;
    int status;
    for (;;) {
        struct user_regs_struct registers;
        ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
        if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
            return -1;
        if (WSTOPSIG(status) == SIGUSR2)
            return steps;
        ptrace(PTRACE_GETREGS, pid, 0, &registers);
        const char *pc = (const char *)registers.rip;
        if (pc >= __start_count_child && pc < __stop_count_child)
            inside = false;
        else if (pc >= __start_count_callers && pc < __stop_count_callers)
            inside = true;
        else if (inside)
            steps++;
    }
}

int main(int argc, char **argv)
{
    enum arch_uma_variant variant = argc > 1 && strcmp(argv[1], "hook") == 0 ? ARCH_UMA_HOOK : ARCH_UMA_NONE;
    pid_t pid = fork();
    if (pid == 0)
        child(variant);
    int status;
    for (size_t row = 0; waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);) {
        if (WSTOPSIG(status) == SIGUSR1 && row < sizeof(rows) / sizeof(rows[0])) {
            printf("%s\t%ld\n", rows[row].name, count_row(pid));
            row++;
        }
        ptrace(PTRACE_CONT, pid, 0, 0);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
