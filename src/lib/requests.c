/*
 * requests.c - the embedding API's requests: open, close, ioctl, read, write, each under the watchdog.
 */
#include "lib.h"

/* began: when the request was sent, 0 if it never was. */
static struct uma_result make_result(NTSTATUS status, const IO_STATUS_BLOCK *block, uint64_t began)
{
    uint64_t limit = lib_options.timeout_seconds * 1000000000ull;
    bool late = began && limit && plat_time_ns() - began >= limit;
    return (struct uma_result){
        .status = status,
        .timed_out = late && (status == STATUS_IO_TIMEOUT || status == STATUS_CANCELLED),
        .information = block->Information,
    };
}

static struct io_file *file_of(uma_file file)
{
    return (struct io_file *)(uintptr_t)file;
}

uma_status uma_open(const char *device, uma_file *file)
{
    struct io_file *opened = NULL;
    watchdog_arm("an open");
    NTSTATUS status = io_open(device, &opened);
    watchdog_disarm();
    *file = (uma_file)(uintptr_t)opened;
    return status;
}

uma_status uma_close(uma_file file)
{
    if (!file)
        return STATUS_INVALID_HANDLE;
    watchdog_arm("a close");
    NTSTATUS status = io_close(file_of(file));
    watchdog_disarm();
    return status;
}

struct uma_result uma_ioctl(uma_file file, uint32_t code, uint64_t in, uint32_t in_length, uint64_t out,
                            uint32_t out_length)
{
    IO_STATUS_BLOCK block = {0};
    if (!file)
        return make_result(STATUS_INVALID_HANDLE, &block, 0);
    uint64_t began = plat_time_ns();
    watchdog_arm("an ioctl");
    NTSTATUS status = io_device_control(file_of(file), code, in, in_length, out, out_length, &block);
    watchdog_disarm();
    return make_result(status, &block, began);
}

struct uma_result uma_read(uma_file file, uint64_t out, uint32_t length, int64_t offset)
{
    IO_STATUS_BLOCK block = {0};
    if (!file)
        return make_result(STATUS_INVALID_HANDLE, &block, 0);
    uint64_t began = plat_time_ns();
    watchdog_arm("a read");
    NTSTATUS status = io_read(file_of(file), out, length, offset, &block);
    watchdog_disarm();
    return make_result(status, &block, began);
}

struct uma_result uma_write(uma_file file, uint64_t in, uint32_t length, int64_t offset)
{
    IO_STATUS_BLOCK block = {0};
    if (!file)
        return make_result(STATUS_INVALID_HANDLE, &block, 0);
    uint64_t began = plat_time_ns();
    watchdog_arm("a write");
    NTSTATUS status = io_write(file_of(file), in, length, offset, &block);
    watchdog_disarm();
    return make_result(status, &block, began);
}
