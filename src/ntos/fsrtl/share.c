/*
 * share.c - who has a file open for what, and what each lets the others do. The caller guards the counts.
 */
#include "wdk/fsrtl.h"
#include "wdk/ob.h"
#include "rtl.h"

/* Notes in the file object what an open asks for and allows. */
static void note(ACCESS_MASK access, ULONG share, FILE_OBJECT *file)
{
    file->ReadAccess = (access & (FILE_READ_DATA | FILE_EXECUTE)) != 0;
    file->WriteAccess = (access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    file->DeleteAccess = (access & DELETE) != 0;
    bool counts = file->ReadAccess || file->WriteAccess || file->DeleteAccess;
    file->SharedRead = counts && (share & FILE_SHARE_READ);
    file->SharedWrite = counts && (share & FILE_SHARE_WRITE);
    file->SharedDelete = counts && (share & FILE_SHARE_DELETE);
}

/* An open that neither reads, writes nor deletes disturbs nobody and is not counted. */
static bool counted(const FILE_OBJECT *file)
{
    return file->ReadAccess || file->WriteAccess || file->DeleteAccess;
}

/*
 * STATUS_SHARING_VIOLATION: another open does not allow this one's access, or this one not another's. Update: counts
 * the open if it is allowed. IRQL PASSIVE_LEVEL.
 */
NTSTATUS NTAPI IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                                  PSHARE_ACCESS ShareAccess, BOOLEAN Update)
{
    const SHARE_ACCESS *others = ShareAccess;
    note(DesiredAccess, DesiredShareAccess, FileObject);
    if (!counted(FileObject))
        return STATUS_SUCCESS;
    if ((FileObject->ReadAccess && others->SharedRead < others->OpenCount) ||
        (FileObject->WriteAccess && others->SharedWrite < others->OpenCount) ||
        (FileObject->DeleteAccess && others->SharedDelete < others->OpenCount) ||
        (others->Readers && !FileObject->SharedRead) || (others->Writers && !FileObject->SharedWrite) ||
        (others->Deleters && !FileObject->SharedDelete))
        return STATUS_SHARING_VIOLATION;
    if (Update)
        IoUpdateShareAccess(FileObject, ShareAccess);
    return STATUS_SUCCESS;
}

/* The first open of a file: ShareAccess counts it alone. */
VOID NTAPI IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                            PSHARE_ACCESS ShareAccess)
{
    *ShareAccess = (SHARE_ACCESS){0};
    note(DesiredAccess, DesiredShareAccess, FileObject);
    IoUpdateShareAccess(FileObject, ShareAccess);
}

/* Counts an open that IoCheckShareAccess has allowed without Update. */
VOID NTAPI IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    if (!counted(FileObject))
        return;
    ShareAccess->OpenCount++;
    ShareAccess->Readers += FileObject->ReadAccess;
    ShareAccess->Writers += FileObject->WriteAccess;
    ShareAccess->Deleters += FileObject->DeleteAccess;
    ShareAccess->SharedRead += FileObject->SharedRead;
    ShareAccess->SharedWrite += FileObject->SharedWrite;
    ShareAccess->SharedDelete += FileObject->SharedDelete;
}

/* The last handle of an open went. */
VOID NTAPI IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    if (!counted(FileObject))
        return;
    ShareAccess->OpenCount--;
    ShareAccess->Readers -= FileObject->ReadAccess;
    ShareAccess->Writers -= FileObject->WriteAccess;
    ShareAccess->Deleters -= FileObject->DeleteAccess;
    ShareAccess->SharedRead -= FileObject->SharedRead;
    ShareAccess->SharedWrite -= FileObject->SharedWrite;
    ShareAccess->SharedDelete -= FileObject->SharedDelete;
}
