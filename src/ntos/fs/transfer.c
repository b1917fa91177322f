/*
 * transfer.c - reading, writing, flushing. The requestor's buffer is touched by accessor and by the request's mode, or
 * through the request's MDL; between it and the host stands a buffer of our own.
 */
#include "fs_internal.h"
#include "usermode_accessors.h"
#include "wdk/seh.h"

enum { CHUNK = 64 * 1024 };

NTSTATUS fs_copy_out(void *to, const void *from, SIZE_T length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        CopyToMode(to, from, length, mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static NTSTATUS copy_in(void *to, const void *from, SIZE_T length, KPROCESSOR_MODE mode)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    __try {
        CopyFromMode(to, from, length, mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

NTSTATUS fs_buffer(IRP *irp, void **buffer, KPROCESSOR_MODE *mode)
{
    *buffer = irp->UserBuffer;
    *mode = irp->RequestorMode;
    if (!irp->MdlAddress)
        return STATUS_SUCCESS;
    *buffer = irp->MdlAddress->MappedSystemVa;
    if (!(irp->MdlAddress->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)))
        *buffer = MmMapLockedPagesSpecifyCache(irp->MdlAddress, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    *mode = KernelMode;
    return *buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* A transfer under way. */
struct transfer {
    int handle;
    ULONG64 offset;
    ULONG_PTR user; /* of mode: any number */
    KPROCESSOR_MODE mode;
    void *chunk;
};

static NTSTATUS read_chunk(const struct transfer *transfer, SIZE_T at, SIZE_T length, SIZE_T *done)
{
    NTSTATUS status = plat_file_read(transfer->handle, transfer->offset + at, transfer->chunk, length, done);
    if (NT_SUCCESS(status) && *done)
        status = fs_copy_out((void *)(transfer->user + at), transfer->chunk, *done, transfer->mode);
    return status;
}

static NTSTATUS write_chunk(const struct transfer *transfer, SIZE_T at, SIZE_T length, SIZE_T *done)
{
    NTSTATUS status = copy_in(transfer->chunk, (const void *)(transfer->user + at), length, transfer->mode);
    if (NT_SUCCESS(status))
        status = plat_file_write(transfer->handle, transfer->offset + at, transfer->chunk, length, done);
    return status;
}

/* By chunks until length, the end of the file or an error. What had been moved by then is counted in the request. */
static NTSTATUS move(IRP *irp, int handle, ULONG64 offset, ULONG length, bool writes)
{
    struct transfer transfer = {.handle = handle, .offset = offset};
    void *buffer;
    NTSTATUS status = fs_buffer(irp, &buffer, &transfer.mode);
    if (!NT_SUCCESS(status))
        return status;
    transfer.user = (ULONG_PTR)buffer;
    transfer.chunk = mm_pool_allocate(length < CHUNK ? length : CHUNK, FS_TAG, 0, MM_POOL_KERNEL, 0);
    if (!transfer.chunk)
        return STATUS_INSUFFICIENT_RESOURCES;
    SIZE_T total = 0, done = 0, want = 0;
    do {
        want = length - total < CHUNK ? length - total : CHUNK;
        done = 0;
        status = (writes ? write_chunk : read_chunk)(&transfer, total, want, &done);
        total += NT_SUCCESS(status) ? done : 0;
    } while (NT_SUCCESS(status) && done == want && total < length);
    mm_pool_free(transfer.chunk, FS_TAG, 0);
    irp->IoStatus.Information = total;
    return status;
}

NTSTATUS fs_transfer_read(IRP *irp, IO_STACK_LOCATION *stack)
{
    const struct fs_open *open = fs_open_of(stack->FileObject);
    ULONG length = stack->Parameters.Read.Length;
    LONGLONG offset = stack->Parameters.Read.ByteOffset.QuadPart;
    if (open->file->kind != PLAT_FILE_PLAIN)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (offset < 0)
        return STATUS_INVALID_PARAMETER;
    if (!length)
        return STATUS_SUCCESS;
    NTSTATUS status = move(irp, open->file->handle, (ULONG64)offset, length, false);
    return NT_SUCCESS(status) && !irp->IoStatus.Information ? STATUS_END_OF_FILE : status;
}

/* An offset of -1 (FILE_WRITE_TO_END_OF_FILE), or a handle that may only append, writes behind the end. */
NTSTATUS fs_transfer_write(IRP *irp, IO_STACK_LOCATION *stack)
{
    const struct fs_open *open = fs_open_of(stack->FileObject);
    ULONG length = stack->Parameters.Write.Length;
    LONGLONG offset = stack->Parameters.Write.ByteOffset.QuadPart;
    struct plat_file_info info;
    if (open->file->kind != PLAT_FILE_PLAIN)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!open->file->writable)
        return STATUS_ACCESS_DENIED;
    if (offset == -1 || open->append_only) {
        NTSTATUS status = plat_file_info(open->file->handle, &info);
        if (!NT_SUCCESS(status))
            return status;
        offset = (LONGLONG)info.size;
    }
    if (offset < 0)
        return STATUS_INVALID_PARAMETER;
    return length ? move(irp, open->file->handle, (ULONG64)offset, length, true) : STATUS_SUCCESS;
}

NTSTATUS fs_flush(IRP *irp, IO_STACK_LOCATION *stack)
{
    UNREFERENCED_PARAMETER(irp);
    return plat_file_flush(fs_open_of(stack->FileObject)->file->handle);
}
