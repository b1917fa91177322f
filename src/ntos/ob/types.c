/*
 * types.c - the object types of the kernel's own objects, as data that drivers import, and threads and processes as
 * objects. What io owns (files, devices, drivers) has its types there.
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"

/* Access rights as documented for each kind of object: what generic read, write, execute and all stand for. */
const struct ob_type ob_directory_type = {
    .name = "Directory", .tag = RTL_TAG('D', 'i', 'r', 'e'), .mapping = {0x20003, 0x2000C, 0x20003, 0xF000F}};
const struct ob_type ob_event_type = {.name = "Event",
                                      .tag = RTL_TAG('E', 'v', 'e', 'n'),
                                      .mapping = {0x20001, 0x20002, 0x120000, EVENT_ALL_ACCESS},
                                      .waitable = true};

/* Its last handle may be closed while a thread owns it. */
static void mutant_remove(void *body)
{
    ke_mutex_disown(body);
}
const struct ob_type ob_mutant_type = {.name = "Mutant",
                                       .tag = RTL_TAG('M', 'u', 't', 'a'),
                                       .remove = mutant_remove,
                                       .mapping = {0x20001, 0x20000, 0x120000, MUTANT_ALL_ACCESS},
                                       .waitable = true};
const struct ob_type ob_semaphore_type = {.name = "Semaphore",
                                          .tag = RTL_TAG('S', 'e', 'm', 'a'),
                                          .mapping = {0x20001, 0x20002, 0x120000, SEMAPHORE_ALL_ACCESS},
                                          .waitable = true};

/* The processes here live as long as the kernel. */
static void process_free(void *body)
{
    ob_reference(body);
}
const struct ob_type ob_process_type = {.name = "Process",
                                        .free = process_free,
                                        .mapping = {0x20410, 0x20BEA, 0x121001, PROCESS_ALL_ACCESS},
                                        .waitable = true};

static void thread_free(void *body)
{
    ke_thread_free(body);
}
const struct ob_type ob_thread_type = {.name = "Thread",
                                       .free = thread_free,
                                       .mapping = {0x20048, 0x20437, 0x120800, THREAD_ALL_ACCESS},
                                       .waitable = true};

POBJECT_TYPE ExEventObjectType = (POBJECT_TYPE)&ob_event_type;
POBJECT_TYPE ExSemaphoreObjectType = (POBJECT_TYPE)&ob_semaphore_type;
POBJECT_TYPE PsThreadType = (POBJECT_TYPE)&ob_thread_type;
POBJECT_TYPE PsProcessType = (POBJECT_TYPE)&ob_process_type;

static void thread_made(PKTHREAD thread)
{
    ob_adopt(thread, &ob_thread_type);
}

static void thread_gone(PKTHREAD thread)
{
    ob_dereference(thread);
}

NTSTATUS ob_types_init(void)
{
    static const WCHAR *const directories[] = {L"\\",         L"\\Device",   L"\\Driver",           L"\\FileSystem",
                                               L"\\GLOBAL??", L"\\Callback", L"\\BaseNamedObjects", L"\\KernelObjects"};
    ob_adopt(&ke_system.body, &ob_process_type);
    ob_adopt(&ke_user.body, &ob_process_type);
    ob_adopt(ke_thread_current(), &ob_thread_type); /* the only one before the kernel has started */
    ke_thread_made = thread_made;
    ke_thread_gone = thread_gone;
    NTSTATUS status = STATUS_SUCCESS;
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(directories) && NT_SUCCESS(status); i++) {
        void *directory;
        UNICODE_STRING name;
        RtlInitUnicodeString(&name, directories[i]);
        status = ob_create(&ob_directory_type, 16, &directory);
        if (NT_SUCCESS(status))
            status = ob_insert(directory, &name);
    }
    return status;
}
