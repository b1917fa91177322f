/*
 * notify.c - who is told when processes and threads come and go and when images are loaded.
 *
 * No process comes or goes while drivers run, so those routines are kept and never called.
 */
#include "ps.h"
#include "rtl.h"
#include "seh.h"

enum { ROUTINES_MAX = 64 };

/* One kind of routine; entries are null where they were removed. */
struct list {
    ULONG_PTR routines[ROUTINES_MAX];
};

static struct plat_lock lock; /* guards all three */
static struct list process_list, thread_list, image_list;

void ps_notify_init(void)
{
    plat_lock_init(&lock);
}

static ULONG_PTR *find(struct list *list, ULONG_PTR routine)
{
    for (ULONG i = 0; i < ROUTINES_MAX; i++)
        if (list->routines[i] == routine)
            return &list->routines[i];
    return NULL;
}

/* STATUS_INVALID_PARAMETER: it is there already, if once is all. STATUS_INSUFFICIENT_RESOURCES: the list is full. */
static NTSTATUS add(struct list *list, ULONG_PTR routine, bool once)
{
    NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&lock);
    ULONG_PTR *place = find(list, 0);
    if (once && (find(list, routine) || !place))
        status = STATUS_INVALID_PARAMETER;
    else if (!place)
        status = STATUS_INSUFFICIENT_RESOURCES;
    else
        *place = routine;
    plat_lock_release(&lock);
    return status;
}

static NTSTATUS remove(struct list *list, ULONG_PTR routine, NTSTATUS missing)
{
    plat_lock_acquire(&lock);
    ULONG_PTR *place = routine ? find(list, routine) : NULL;
    if (place)
        *place = 0;
    plat_lock_release(&lock);
    return place ? STATUS_SUCCESS : missing;
}

/* Calls each routine of a moment's list, without the lock. */
static void call_each(struct list *list, ULONG_PTR first, ULONG_PTR second, ULONG_PTR third)
{
    struct list copy;
    plat_lock_acquire(&lock);
    copy = *list;
    plat_lock_release(&lock);
    for (ULONG i = 0; i < ROUTINES_MAX; i++)
        if (copy.routines[i])
            seh_driver_call(copy.routines[i], first, second, third, 0);
}

void ps_thread_notify(PETHREAD thread, bool created)
{
    call_each(&thread_list, (ULONG_PTR)thread->Cid.UniqueProcess, (ULONG_PTR)thread->Cid.UniqueThread, created);
}

/* The name drivers see: where a driver's file stands on Windows. */
void ps_image_notify(const char *name, PVOID base, SIZE_T size)
{
    char text[128];
    WCHAR wide[128];
    ULONG bytes;
    SIZE_T length = rtl_print(text, sizeof(text), "\\SystemRoot\\System32\\drivers\\%s.sys", name);
    length = length < sizeof(text) ? length : sizeof(text) - 1;
    RtlMultiByteToUnicodeN(wide, sizeof(wide), &bytes, text, (ULONG)length);
    UNICODE_STRING path = {(USHORT)bytes, sizeof(wide), wide};
    IMAGE_INFO info = {.Properties = IMAGE_ADDRESSING_MODE_32BIT | 1u << 8, .ImageBase = base, .ImageSize = size};
    call_each(&image_list, (ULONG_PTR)&path, 0, (ULONG_PTR)&info);
}

/* Remove FALSE: STATUS_INVALID_PARAMETER if it is registered, or too many are; TRUE: STATUS_PROCEDURE_NOT_FOUND if it
 * is not, as PsSetCreateProcessNotifyRoutineEx documents. IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PVOID NotifyRoutine, BOOLEAN Remove)
{
    ULONG_PTR routine = (ULONG_PTR)NotifyRoutine;
    return Remove ? remove(&process_list, routine, STATUS_PROCEDURE_NOT_FOUND) : add(&process_list, routine, true);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PVOID NotifyRoutine, BOOLEAN Remove)
{
    return PsSetCreateProcessNotifyRoutine(NotifyRoutine, Remove);
}

/* NotifyType: 0, PsCreateProcessNotifySubsystems. */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(ULONG NotifyType, PVOID NotifyInformation, BOOLEAN Remove)
{
    return NotifyType ? STATUS_INVALID_PARAMETER : PsSetCreateProcessNotifyRoutine(NotifyInformation, Remove);
}

/* Told of each thread that drivers make, in its maker, and of each one's end, in itself. */
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PVOID NotifyRoutine)
{
    return add(&thread_list, (ULONG_PTR)NotifyRoutine, false);
}

/* STATUS_PROCEDURE_NOT_FOUND: it is not registered. */
NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PVOID NotifyRoutine)
{
    return remove(&thread_list, (ULONG_PTR)NotifyRoutine, STATUS_PROCEDURE_NOT_FOUND);
}

/* Told of each image that is mapped from then on, after that and before its DriverEntry; process id 0: a driver. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PVOID NotifyRoutine)
{
    return add(&image_list, (ULONG_PTR)NotifyRoutine, false);
}

/* Flags: PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE (1) changes nothing: there are x64 images only. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PVOID NotifyRoutine, ULONG_PTR Flags)
{
    return Flags & ~(ULONG_PTR)1 ? STATUS_INVALID_PARAMETER_2 : PsSetLoadImageNotifyRoutine(NotifyRoutine);
}

NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PVOID NotifyRoutine)
{
    return remove(&image_list, (ULONG_PTR)NotifyRoutine, STATUS_PROCEDURE_NOT_FOUND);
}
