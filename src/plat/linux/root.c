/*
 * root.c - the folder of the host that stands for a volume: one that is named, or an empty one made for the process
 * and removed, with what is in it then, when the process ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum { DEEPEST = 400 }; /* folders in folders; each holds a handle while what is in it goes */

static struct {
    char path[4096]; /* "": there is none */
    int root;
    pid_t owner; /* a forked child leaves the folder to its parent */
} temporary;

static void empty_folder(int folder, int depth)
{
    struct plat_listing listing;
    const char *name;
    if (depth > DEEPEST || !NT_SUCCESS(plat_listing_open(folder, &listing)))
        return;
    while (NT_SUCCESS(plat_listing_peek(&listing, &name))) {
        if (unlinkat(folder, name, 0) && (errno == EISDIR || errno == EPERM)) {
            int inner = files_open_at(folder, name, O_RDONLY | O_DIRECTORY, 0);
            if (inner >= 0) {
                empty_folder(inner, depth + 1);
                close(inner);
            }
            unlinkat(folder, name, AT_REMOVEDIR);
        }
        plat_listing_advance(&listing);
    }
    plat_listing_close(&listing);
}

static void remove_temporary(void)
{
    if (!temporary.path[0] || temporary.owner != getpid())
        return;
    empty_folder(temporary.root, 0);
    rmdir(temporary.path);
    temporary.path[0] = 0;
}

static NTSTATUS make_temporary(int *root)
{
    const char *folder = getenv("TMPDIR");
    char path[sizeof(temporary.path)];
    int length = snprintf(path, sizeof(path), "%s/uma-XXXXXX", folder && folder[0] ? folder : "/tmp");
    if (length < 0 || (size_t)length >= sizeof(path))
        return STATUS_OBJECT_NAME_INVALID;
    if (!mkdtemp(path))
        return files_status(errno);
    *root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*root < 0)
        return files_status(errno);
    if (!temporary.owner)
        atexit(remove_temporary);
    memcpy(temporary.path, path, sizeof(path));
    temporary.root = *root;
    temporary.owner = getpid();
    return STATUS_SUCCESS;
}

NTSTATUS plat_root_open(const char *path, int *root)
{
    if (!path)
        return make_temporary(root);
    *root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the root itself may be named through links */
    return *root < 0 ? files_status(errno) : STATUS_SUCCESS;
}
