/*
 * session.c - previous_mode.sys, a real driver image, driven by a user thread through the embedding API alone. Prints
 * the stories; exit status 1 if one does not go as the documentation says. Exit 77: this CPU lacks the protection asked
 * for.
 */
#include "uma.h"
#include "../../drivers/previous_mode/previous_mode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK               0
#define ACCESS_VIOLATION ((int)0xC0000005)
#define INVALID_HANDLE   ((int)0xC0000008)

static uint64_t area; /* user memory */
static uint64_t file;
static int failures;

static const char *mode_name(int mode)
{
    return mode ? "UserMode" : "KernelMode";
}

static void check(const char *what, int is, int wanted)
{
    if (is == wanted)
        return;
    printf("FAILED: %s is 0x%08x, not 0x%08x\n", what, (unsigned)is, (unsigned)wanted);
    failures++;
}

/* Opens \Device\PreviousMode as a user-mode program does. */
static void open_device(void)
{
    static const uint16_t name[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'P', 'r',
                                    'e',  'v', 'i', 'o', 'u', 's', 'M', 'o',  'd', 'e'};
    const uint64_t text = area + 0x100, string = area + 0x80, attributes = area + 0x40;
    const uint64_t counted[] = {sizeof(name) | sizeof(name) << 16, text};
    const uint64_t object[] = {48, 0, string, 0, 0, 0};
    uma_user_store(text, name, sizeof(name));
    uma_user_store(string, counted, sizeof(counted));
    uma_user_store(attributes, object, sizeof(object));
    const uint64_t arguments[] = {area, 0xC0000000u, attributes, area + 0x20, 7, 0};
    check("NtOpenFile", uma_call("NtOpenFile", arguments, 6), OK);
    uma_user_load(area, &file, sizeof(file));
}

static PREVIOUS_MODE_REPLY tell(unsigned story)
{
    PREVIOUS_MODE_REPLY reply = {0};
    const uint64_t arguments[] = {file, 0, 0, 0, area + 0x20, PREVIOUS_MODE_CODE(story), 0, 0, area, sizeof(reply)};
    check("NtDeviceIoControlFile", uma_call("NtDeviceIoControlFile", arguments, 10), OK);
    uma_user_load(area, &reply, sizeof(reply));
    check("PreviousMode on entry", reply.Before, 1);
    check("PreviousMode on return", reply.After, 1);
    return reply;
}

static void tell_pair(const char *title, unsigned story, const char *first, int wanted, const char *second)
{
    PREVIOUS_MODE_REPLY reply = tell(story);
    printf("%s\n  %-12s %s\n", title, first, uma_status_name(reply.First));
    printf("  %-12s %s\n", second, uma_status_name(reply.Second));
    printf("  afterwards   PreviousMode %s\n", mode_name(reply.After));
    check(first, reply.First, wanted);
    check(second, reply.Second, OK);
}

static void user_thread(void *context)
{
    (void)context;
    uma_user_alloc(4096, UMA_READ_WRITE, &area);
    open_device();
    tell_pair("a kernel handle in a user's thread", STORY_CLOSE, "NtClose", INVALID_HANDLE, "ZwClose");
    tell_pair("a pool buffer in a user's thread", STORY_WRITE, "NtWriteFile", ACCESS_VIOLATION, "ZwWriteFile");
    PREVIOUS_MODE_REPLY reply = tell(STORY_REQUESTOR);
    printf("a request from user mode\n  RequestorMode %s, CopyFromMode of a kernel address: %s\n",
           mode_name(reply.Mode), uma_status_name(reply.First));
    check("RequestorMode", reply.Mode, 1);
    check("CopyFromMode", reply.First, ACCESS_VIOLATION);
    reply = tell(STORY_NESTED);
    printf(
        "the same request, sent on by the driver with Zw\n  RequestorMode %s, CopyFromMode of a kernel address: %s\n",
        mode_name(reply.Mode), uma_status_name(reply.First));
    check("inner RequestorMode", reply.Mode, 0);
    check("inner PreviousMode", reply.Second, 0);
    check("inner CopyFromMode", reply.First, OK);
    tell(STORY_LEAK);
    check("NtClose", uma_call("NtClose", &file, 1), OK);
    check("NtClose again", uma_call("NtClose", &file, 1), INVALID_HANDLE);
}

static void leftover(void *context, const char *line)
{
    (void)context;
    printf("  %s\n", line);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("UMA_PROTECT");
    struct uma_options options = {.size = sizeof(options)};
    struct uma_driver *driver;
    struct uma_thread *thread;
    char error[UMA_ERROR_MAX];
    options.protect = !wanted                       ? UMA_PROTECT_AUTO
                      : !strcmp(wanted, "pku")      ? UMA_PROTECT_PKU
                      : !strcmp(wanted, "mprotect") ? UMA_PROTECT_MPROTECT
                                                    : UMA_PROTECT_NONE;
    if (argc != 2)
        return 2;
    if (uma_start(&options) != OK) {
        printf("not run: this CPU does not have the protection asked for\n");
        return 77;
    }
    if (uma_load(argv[1], &driver, error) != OK) {
        printf("%s\n", error);
        return 1;
    }
    check("uma_thread_start", uma_thread_start(user_thread, NULL, &thread), OK);
    if (failures)
        return 1;
    uma_thread_join(thread);
    check("uma_unload", uma_unload(driver), OK);
    printf("a kernel handle that NtClose refused and nobody closed\n");
    check("leftovers", (int)uma_leftovers(leftover, NULL), 1);
    return failures != 0;
}
