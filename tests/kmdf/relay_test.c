/*
 * relay_test.c - a framework driver that sends requests of user mode on to a WDM driver, both as .sys files: what user
 * mode gets back, from good and hostile addresses, and that nothing stays when they are unloaded.
 *
 * usage: test_relay RELAY_LOWER.SYS RELAY.SYS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay.h"
#include "uma.h"

enum { IN = 0, OUT = 256, LENGTH = 6 };
#define ACCESS_VIOLATION ((uma_status)0xC0000005)
#define CANCELLED        ((uma_status)0xC0000120)
#define IO_TIMEOUT       ((uma_status)0xC00000B5)
#define INVALID_REQUEST  ((uma_status)0xC0000010)
#define NOT_FOUND        ((uma_status)0xC0000225)

static uint64_t page;
static uma_file file;

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    exit(1);
}

static struct uma_driver *load(const char *path, uma_status wanted)
{
    char error[UMA_ERROR_MAX];
    struct uma_driver *driver = NULL;
    uma_status status = uma_load(path, &driver, error);
    if (status != wanted)
        fprintf(stderr, "%s\n", status ? error : path);
    expect(status == wanted, "the driver loads, or does not");
    return driver;
}

static struct uma_result send(uint32_t code)
{
    uma_user_store(page + IN, "abcdef", LENGTH);
    uma_user_store(page + OUT, "......", LENGTH);
    return uma_ioctl(file, code, page + IN, LENGTH, page + OUT, LENGTH);
}

static void reversed(uint32_t code)
{
    char text[LENGTH + 1] = "";
    struct uma_result result = send(code);
    uma_user_load(page + OUT, text, LENGTH);
    if (result.status || result.information != LENGTH || strcmp(text, "fedcba"))
        fprintf(stderr, "0x%x: status 0x%x, information %llu, \"%s\"\n", code, (unsigned)result.status,
                (unsigned long long)result.information, text);
    expect(result.status == 0 && result.information == LENGTH && !strcmp(text, "fedcba"),
           "the text comes back reversed");
}

static void refused(uint64_t in, uint64_t out)
{
    struct uma_result result = uma_ioctl(file, RELAY_NEITHER, in, LENGTH, out, LENGTH);
    expect(result.status == ACCESS_VIOLATION && !result.information,
           "a bad address is user mode's, two drivers down too");
}

static void play(void)
{
    uma_status came_back;
    static const uint32_t codes[] = {RELAY_BUFFERED, RELAY_DIRECT, RELAY_NEITHER, RELAY_SYNC, RELAY_OWN_NEITHER};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        reversed(codes[i]);
    refused(0xFFFF800000000000, page + OUT);
    refused(page + IN, 0xFFFF800000000000);
    refused(page + IN, 0x10000);
    expect(send(RELAY_TIME_OUT).status == IO_TIMEOUT, "the time-out is over");
    struct uma_result result = send(RELAY_CANCEL);
    uma_user_load(page + OUT, &came_back, sizeof(came_back));
    expect(result.status == 0 && came_back == CANCELLED, "what is sent can be cancelled");
    expect(send(0x222777).status == INVALID_REQUEST, "the status of the driver below is the sender's");
}

static void tell(void *context, const char *line)
{
    fprintf(stderr, "left: %s\n", line);
    ++*(unsigned *)context;
}

int main(int argc, char **argv)
{
    const char *protect = getenv("UMA_PROTECT");
    const struct uma_options options = {.size = sizeof(options),
                                        .protect = protect && !strcmp(protect, "pku")        ? UMA_PROTECT_PKU
                                                   : protect && !strcmp(protect, "mprotect") ? UMA_PROTECT_MPROTECT
                                                                                             : UMA_PROTECT_NONE,
                                        .timeout_seconds = 20,
                                        .verify = argc > 3};
    unsigned left = 0;
    if (argc < 3)
        return 2;
    uma_status status = uma_start(&options);
    if (status < 0 && options.protect == UMA_PROTECT_PKU) {
        puts("not run: no PKU");
        return 77;
    }
    expect(status == 0, "the kernel starts");
    load(argv[2], NOT_FOUND); /* there is nothing below yet */
    struct uma_driver *lower = load(argv[1], 0), *upper = load(argv[2], 0);
    expect(uma_user_alloc(4096, UMA_READ_WRITE, &page) == 0, "there is user memory");
    expect(uma_open("\\Device\\Relay", &file) == 0, "the device opens");
    play();
    expect(uma_close(file) == 0, "the device closes");
    expect(uma_unload(upper) == 0, "the upper driver unloads, and closes its target");
    expect(uma_unload(lower) == 0, "so the lower one can");
    uma_leftovers(tell, &left);
    expect(left == 0, "nothing is left behind");
    expect(uma_raw_accesses() == 0, "no driver touched user memory itself");
    return 0;
}
