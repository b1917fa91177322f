/*
 * listing.c - a walk through the names of a folder of the host. What does not fit a buffer stays with Linux, so a
 * folder may be as large as it likes, and change while it is walked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

struct host_entry { /* what getdents64 writes */
    uint64_t number;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

NTSTATUS plat_listing_open(int folder, struct plat_listing *listing)
{
    listing->used = listing->at = 0;
    listing->handle = files_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0);
    return listing->handle < 0 ? files_status(errno) : STATUS_SUCCESS;
}

void plat_listing_close(struct plat_listing *listing)
{
    close(listing->handle);
}

void plat_listing_rewind(struct plat_listing *listing)
{
    lseek(listing->handle, 0, SEEK_SET);
    listing->used = listing->at = 0;
}

static struct host_entry *entry_at(struct plat_listing *listing)
{
    return (struct host_entry *)(listing->buffer + listing->at);
}

NTSTATUS plat_listing_peek(struct plat_listing *listing, const char **name)
{
    for (;;) {
        while (listing->at < listing->used) {
            *name = entry_at(listing)->name;
            if (strcmp(*name, ".") && strcmp(*name, ".."))
                return STATUS_SUCCESS;
            plat_listing_advance(listing);
        }
        long bytes = syscall(SYS_getdents64, listing->handle, listing->buffer, sizeof(listing->buffer));
        if (bytes == 0)
            return STATUS_NO_MORE_FILES;
        if (bytes < 0)
            return errno == ENOENT ? STATUS_NO_MORE_FILES : files_status(errno); /* the folder was removed */
        listing->at = 0;
        listing->used = (uint32_t)bytes;
    }
}

void plat_listing_advance(struct plat_listing *listing)
{
    if (listing->at < listing->used)
        listing->at += entry_at(listing)->length;
}
