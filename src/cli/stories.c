/*
 * stories.c - `uma stories`: what the documentation says of PreviousMode, as a session with previous_mode.sys: a user
 * thread makes system calls, the driver answers what it saw.
 *
 * Each line is what came back; one that is not as documented is marked and makes the exit status 1.
 */
#include "cli.h"
#include "uma.h"
#include "../../drivers/previous_mode/previous_mode.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

#define OK               0
#define PENDING          ((int)0x00000103)
#define ACCESS_VIOLATION ((int)0xC0000005)
#define INVALID_HANDLE   ((int)0xC0000008)

enum { KERNEL_MODE, USER_MODE };
enum { PASSIVE_LEVEL = 0, DISPATCH_LEVEL = 2 };

/* User memory of the thread: one page. */
enum {
    AT_HANDLE = 0x00,
    AT_STATUS_BLOCK = 0x20,
    AT_ATTRIBUTES = 0x40,
    AT_NAME = 0x80,
    AT_TEXT = 0x100,
    AT_INPUT = 0x200,
    AT_REPLY = 0x400
};

static const char *driver_path = "out/drivers/previous_mode.sys";
static enum uma_protect protect = UMA_PROTECT_AUTO;
static uint64_t area, file;
static int failures;

/* ---- one line each ---- */

static const char *verdict(bool right)
{
    failures += !right;
    return right ? "" : "   <- not as documented";
}

static void show_status(const char *who, const char *what, int status, int wanted)
{
    printf("   %-8s %-46s %s%s\n", who, what, uma_status_name(status), verdict(status == wanted));
}

static const char *mode_name(int mode)
{
    return mode == USER_MODE ? "UserMode" : "KernelMode";
}

static void show_mode(const char *what, int mode, int wanted)
{
    printf("   %-8s %-46s %s%s\n", "", what, mode_name(mode), verdict(mode == wanted));
}

/* ---- the user thread's calls ---- */

static void open_device(void)
{
    static const uint16_t name[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'P', 'r',
                                    'e',  'v', 'i', 'o', 'u', 's', 'M', 'o',  'd', 'e'};
    const uint64_t counted[] = {sizeof(name) | sizeof(name) << 16, area + AT_TEXT};
    const uint64_t object[] = {48, 0, area + AT_NAME, 0, 0, 0};
    uma_user_store(area + AT_TEXT, name, sizeof(name));
    uma_user_store(area + AT_NAME, counted, sizeof(counted));
    uma_user_store(area + AT_ATTRIBUTES, object, sizeof(object));
    const uint64_t arguments[] = {area + AT_HANDLE, 0xC0100000u, area + AT_ATTRIBUTES, area + AT_STATUS_BLOCK, 7, 0x20};
    show_status("user", "NtOpenFile(\\Device\\PreviousMode)", uma_call("NtOpenFile", arguments, 6), OK);
    uma_user_load(area + AT_HANDLE, &file, sizeof(file));
}

static PREVIOUS_MODE_REPLY tell(unsigned story, uint64_t input)
{
    PREVIOUS_MODE_REPLY reply = {0};
    const uint64_t arguments[] = {file,
                                  0,
                                  0,
                                  0,
                                  area + AT_STATUS_BLOCK,
                                  PREVIOUS_MODE_CODE(story),
                                  area + AT_INPUT,
                                  sizeof(input),
                                  area + AT_REPLY,
                                  sizeof(reply)};
    uma_user_store(area + AT_INPUT, &input, sizeof(input));
    show_status("user", "NtDeviceIoControlFile", uma_call("NtDeviceIoControlFile", arguments, 10), OK);
    uma_user_load(area + AT_REPLY, &reply, sizeof(reply));
    show_mode("ExGetPreviousMode in the driver", reply.Before, USER_MODE);
    return reply;
}

/* ---- the stories ---- */

static void tell_handle(void)
{
    puts("\n1. A driver in a user's thread closes a kernel handle.");
    PREVIOUS_MODE_REPLY reply = tell(STORY_CLOSE, 0);
    show_status("driver", "NtClose(kernel handle)", reply.First, INVALID_HANDLE);
    show_status("driver", "ZwClose(kernel handle)", reply.Second, OK);
    show_mode("afterwards", reply.After, USER_MODE);
}

static void tell_buffer(void)
{
    puts("\n2. It writes a pool buffer to a file.");
    PREVIOUS_MODE_REPLY reply = tell(STORY_WRITE, 0);
    show_status("driver", "NtWriteFile(pool buffer)", reply.First, ACCESS_VIOLATION);
    show_status("driver", "ZwWriteFile(pool buffer)", reply.Second, OK);
    show_mode("afterwards", reply.After, USER_MODE);
}

static void tell_requestor(void)
{
    puts("\n3. The same request, with a kernel address in it, from user mode and from the kernel.");
    PREVIOUS_MODE_REPLY reply = tell(STORY_POINTER, uma_decoy());
    show_mode("Irp->RequestorMode", reply.Mode, USER_MODE);
    show_status("driver", "CopyFromMode(kernel address, RequestorMode)", reply.First, ACCESS_VIOLATION);
    puts("            sent on by the driver, with ZwDeviceIoControlFile:");
    reply = tell(STORY_RESEND, 0);
    show_mode("ExGetPreviousMode in the driver, inner request", reply.Second, KERNEL_MODE);
    show_mode("Irp->RequestorMode", reply.Mode, KERNEL_MODE);
    show_status("driver", "CopyFromMode(kernel address, RequestorMode)", reply.First, OK);
}

static void tell_arbitrary(void)
{
    static const struct {
        const char *name;
        int mode, irql, system, handled;
    } rows[WITNESSES] = {{"the request", USER_MODE, PASSIVE_LEVEL, 0, INVALID_HANDLE},
                         {"a DPC", KERNEL_MODE, DISPATCH_LEVEL, 1, PENDING},
                         {"a work item", KERNEL_MODE, PASSIVE_LEVEL, 1, OK},
                         {"a system thread", KERNEL_MODE, PASSIVE_LEVEL, 1, OK}};
    puts("\n4. What runs on the request's behalf in another thread.");
    PREVIOUS_MODE_REPLY reply = tell(STORY_ARBITRARY, 0);
    printf("   %-16s %-11s %-11s %-4s  %s\n", "", "mode", "process", "IRQL", "NtClose(kernel handle)");
    for (int i = 0; i < WITNESSES; i++) {
        const PREVIOUS_MODE_WITNESS *is = &reply.Witness[i];
        bool right = is->Mode == rows[i].mode && is->Irql == rows[i].irql && is->System == rows[i].system &&
                     is->Handled == rows[i].handled;
        printf("   %-16s %-11s %-11s %-4d  %s%s\n", rows[i].name, mode_name(is->Mode),
               is->System ? "System" : "the user's", is->Irql,
               is->Handled == PENDING ? "not at this IRQL" : uma_status_name(is->Handled), verdict(right));
    }
}

static void tell_nested(void)
{
    static const struct {
        const char *name;
        int mode;
    } rows[LEVELS] = {{"user -> Nt -> driver", USER_MODE},
                      {"  -> Zw -> driver", KERNEL_MODE},
                      {"    -> Nt, and back", KERNEL_MODE},
                      {"    an exception, handled", KERNEL_MODE},
                      {"  back in the outer request", USER_MODE}};
    puts("\n5. Nested calls, with an exception at the innermost level.");
    PREVIOUS_MODE_REPLY reply = tell(STORY_NESTED, 0);
    for (int i = 0; i < LEVELS; i++)
        show_mode(rows[i].name, reply.Level[i], rows[i].mode);
    show_status("driver", "NtClose(kernel handle) at the inner level", reply.Second, OK);
    show_status("driver", "ReadULongFromUser(kernel address) there", reply.First, ACCESS_VIOLATION);
    show_mode("afterwards", reply.After, USER_MODE);
}

static void user_thread(void *context)
{
    (void)context;
    if (uma_user_alloc(4096, UMA_READ_WRITE, &area) != OK) {
        failures++;
        return;
    }
    open_device();
    tell_handle();
    tell_buffer();
    tell_requestor();
    tell_arbitrary();
    tell_nested();
    puts("\nThe first story without ZwClose, and the driver unloads.");
    tell(STORY_LEAK, 0);
    show_status("user", "NtClose(file)", uma_call("NtClose", &file, 1), OK);
}

static void leftover(void *context, const char *line)
{
    printf("   left     %s\n", line);
    ++*(size_t *)context;
}

/* ---- the command ---- */

static const struct argp_option option_table[] = {
    {"protect", 'p', "HOW", 0, "how user memory is kept from the driver: pku, mprotect, none or auto", 0},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    static const char *const names[] = {"auto", "pku", "mprotect", "none"};
    size_t i = 0;
    switch (key) {
    case 'p':
        while (i < sizeof(names) / sizeof(names[0]) && strcmp(names[i], argument))
            i++;
        if (i == sizeof(names) / sizeof(names[0]))
            argp_error(state, "--protect: '%.40s' is not one of pku, mprotect, none and auto", argument);
        protect = (enum uma_protect)i;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num)
            argp_error(state, "one driver is expected, but there is also '%.40s'", argument);
        driver_path = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cli_stories(int argc, char **argv)
{
    static const struct argp parser = {option_table,
                                       parse_option,
                                       "[DRIVER.sys]",
                                       "Tells the documented stories of PreviousMode with previous_mode.sys (default "
                                       "out/drivers/previous_mode.sys).",
                                       NULL,
                                       NULL,
                                       NULL};
    char error[UMA_ERROR_MAX];
    struct uma_options options = {.size = sizeof(options)};
    struct uma_driver *driver;
    struct uma_thread *thread;
    size_t left = 0;
    argp_parse(&parser, argc, argv, 0, NULL, NULL);
    options.protect = protect;
    options.timeout_seconds = 10;
    if (uma_start(&options) != OK) {
        fputs("uma: this processor does not have the protection asked for\n", stderr);
        return CLI_UNUSABLE;
    }
    if (uma_load(driver_path, &driver, error) != OK) {
        fprintf(stderr, "uma: %s\n", error);
        return CLI_UNUSABLE;
    }
    if (uma_thread_start(user_thread, NULL, &thread) != OK) {
        fputs("uma: no thread could be started\n", stderr);
        return CLI_UNUSABLE;
    }
    uma_thread_join(thread);
    show_status("", "the driver unloads", uma_unload(driver), OK);
    uma_leftovers(leftover, &left);
    printf("   %-8s %-46s %zu%s\n", "", "left behind", left, verdict(left == 1));
    return failures ? CLI_FAILED : CLI_OK;
}
