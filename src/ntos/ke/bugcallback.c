/*
 * bugcallback.c - routines that drivers want called when the system stops. bugcheck.c runs them after its report, at
 * HIGH_LEVEL; what goes wrong in one is reported and ends the process.
 *
 * The records are the drivers'. A link that does not lead back ends the walk: the system is stopping already.
 */
#include "ke.h"
#include "bugcallback.h"
#include "wdk/ke_more.h"

static LIST_ENTRY records = {&records, &records};
static bool lock;

static void acquire(void)
{
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
        plat_yield();
}

static void release(void)
{
    __atomic_clear(&lock, __ATOMIC_RELEASE);
}

/* TRUE: the record, initialised by KeInitializeCallbackRecord, is registered now. Any IRQL. */
BOOLEAN NTAPI KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer, ULONG Length,
                                         PUCHAR Component)
{
    if (CallbackRecord->State != BufferEmpty)
        return FALSE;
    CallbackRecord->CallbackRoutine = CallbackRoutine;
    CallbackRecord->Buffer = Buffer;
    CallbackRecord->Length = Length;
    CallbackRecord->Component = Component;
    CallbackRecord->Checksum = (ULONG_PTR)CallbackRoutine + (ULONG_PTR)Buffer + Length + (ULONG_PTR)Component;
    CallbackRecord->State = BufferInserted;
    acquire();
    CallbackRecord->Entry = (LIST_ENTRY){records.Flink, &records};
    records.Flink->Blink = &CallbackRecord->Entry;
    records.Flink = &CallbackRecord->Entry;
    release();
    return TRUE;
}

/* FALSE: it was not registered. */
BOOLEAN NTAPI KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord)
{
    if (CallbackRecord->State != BufferInserted)
        return FALSE;
    CallbackRecord->State = BufferEmpty;
    PLIST_ENTRY entry = &CallbackRecord->Entry;
    if (entry->Flink->Blink != entry || entry->Blink->Flink != entry)
        ke_bugcheck_because(BUGCHECK_KERNEL_SECURITY_CHECK_FAILURE, (ULONG_PTR[4]){3, (ULONG_PTR)entry, 0, 0},
                            "the list of bug check callbacks is corrupt");
    acquire();
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
    release();
    return TRUE;
}

void ke_bugcheck_callbacks_run(void)
{
    PLIST_ENTRY before = &records;
    ke_set_irql(HIGH_LEVEL);
    for (PLIST_ENTRY entry = records.Flink; entry != &records; before = entry, entry = entry->Flink) {
        PKBUGCHECK_CALLBACK_RECORD record = CONTAINING_RECORD(entry, KBUGCHECK_CALLBACK_RECORD, Entry);
        if (!plat_is_readable((ULONG_PTR)record, sizeof(*record)) || entry->Blink != before)
            return;
        if (record->State != BufferInserted)
            continue;
        record->State = BufferStarted;
        record->CallbackRoutine(record->Buffer, record->Length);
        record->State = BufferFinished;
    }
}
