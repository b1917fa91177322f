/* files.h - what the files of plat's host files share. */
#pragma once
#include <sys/stat.h>

#include "linux.h"

/* The NTSTATUS for an errno. */
NTSTATUS files_status(int error);
/* Opens one name below folder, or the folder itself again if name is ".", without following any link. -1: errno. */
int files_open_at(int folder, const char *name, int flags, mode_t mode);
/* Fills info from what statx says of name below folder, or of folder itself if name is "". */
NTSTATUS files_look_at(int folder, const char *name, struct plat_file_info *info);
