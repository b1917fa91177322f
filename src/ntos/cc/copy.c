/*
 * copy.c - reads and writes of cached files: between views and a buffer, which may be a user's.
 */
#include "cc.h"
#include "arch.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

struct copy {
    struct cc_map *map;
    LONGLONG at;
    ULONG left;
    UCHAR *buffer;
    KPROCESSOR_MODE mode; /* whose address it is */
    ULONG how;
    bool writes;
};

static KPROCESSOR_MODE mode_of(const void *address)
{
    return (ULONG_PTR)address < (ULONG_PTR)MmUserProbeAddress ? UserMode : KernelMode;
}

/* The part within one view. A user buffer that fails leaves what was copied. */
static NTSTATUS step(struct copy *copy, ULONG length)
{
    struct cc_view *view;
    volatile NTSTATUS status = cc_view_get(copy->map, copy->at, length, copy->how, &view);
    if (!NT_SUCCESS(status))
        return status;
    UCHAR *data = view->data + (copy->at - view->offset);
    __try {
        if (copy->writes)
            CopyFromMode(data, copy->buffer, length, copy->mode);
        else
            CopyToMode(copy->buffer, data, length, copy->mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    KIRQL irql = cc_lock();
    view->users--;
    if (copy->writes)
        cc_dirty(copy->map, view, cc_view_pages(view, copy->at, copy->at + length));
    cc_unlock(irql);
    return status;
}

static NTSTATUS run(struct copy *copy)
{
    NTSTATUS status = STATUS_SUCCESS;
    while (copy->left && NT_SUCCESS(status)) {
        ULONG room = CC_VIEW - (ULONG)(copy->at & (CC_VIEW - 1));
        ULONG length = copy->left < room ? copy->left : room;
        status = step(copy, length);
        if (!NT_SUCCESS(status))
            break;
        copy->at += length;
        copy->buffer += length;
        copy->left -= length;
    }
    return status;
}

/* Copies from the file. FALSE: without Wait, not all of it is in memory. Raises the status of a read that failed, or of
 * a buffer that cannot be written. IRQL <= APC_LEVEL. */
BOOLEAN NTAPI CcCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer,
                         PIO_STATUS_BLOCK IoStatus)
{
    struct copy copy = {.map = cc_map_for(FileObject, FileOffset, Length, false),
                        .at = FileOffset->QuadPart,
                        .left = Length,
                        .buffer = Buffer,
                        .mode = mode_of(Buffer),
                        .how = Wait ? CC_MAY_WAIT : 0};
    NTSTATUS status = run(&copy);
    cc_map_release(copy.map);
    *IoStatus = (IO_STATUS_BLOCK){.Status = status, .Information = Length - copy.left};
    if (status == STATUS_CANT_WAIT)
        return FALSE;
    if (!NT_SUCCESS(status))
        ExRaiseStatus(status);
    return TRUE;
}

/* Copies to the file, which CcSetFileSizes has made large enough; FO_WRITE_THROUGH writes it to the disk as well. FALSE
 * without Wait: that, or a page would have to be read. Raises as CcCopyRead. IRQL <= APC_LEVEL. */
BOOLEAN NTAPI CcCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer)
{
    bool through = FileObject->Flags & FO_WRITE_THROUGH;
    if (through && !Wait)
        return FALSE;
    struct copy copy = {.map = cc_map_for(FileObject, FileOffset, Length, false),
                        .at = FileOffset->QuadPart,
                        .left = Length,
                        .buffer = Buffer,
                        .mode = mode_of(Buffer),
                        .writes = true,
                        .how = (Wait ? CC_MAY_WAIT : 0) | (mode_of(Buffer) == KernelMode ? CC_OVERWRITE : 0)};
    ULONG_PTR written;
    NTSTATUS status = run(&copy);
    if (NT_SUCCESS(status) && through)
        status = cc_flush(copy.map, FileOffset->QuadPart, copy.at, false, &written);
    cc_map_release(copy.map);
    if (status == STATUS_CANT_WAIT)
        return FALSE;
    if (!NT_SUCCESS(status))
        ExRaiseStatus(status);
    return TRUE;
}
