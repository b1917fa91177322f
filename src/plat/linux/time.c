/* time.c - clocks, and the end of the process and of a line of output. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

#define UNIX_EPOCH_100NS 116444736000000000ull /* 1601-01-01 to 1970-01-01 */

uint64_t plat_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t plat_system_time_100ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return UNIX_EPOCH_100NS + (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100;
}

void (*plat_debug_hook)(const char *text, SIZE_T length);

void plat_debug_write(const char *text, SIZE_T length)
{
    if (plat_debug_hook) {
        plat_debug_hook(text, length);
        return;
    }
    while (length) {
        ssize_t part = write(STDERR_FILENO, text, length);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return;
        text += part;
        length -= (SIZE_T)part;
    }
}

void plat_exit(int status)
{
    exit(status);
}
