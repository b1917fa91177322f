/* fsrtl_test.h - requests that stand as if a file system had just been sent them, and what became of them. */
#pragma once
#include "exports_tests.h"
#include "wdk/fsrtl.h"

struct sent {
    PIRP irp;
    bool done;
    NTSTATUS status;
    ULONG_PTR information;
};

/* A request of this major function; sent->irp is freed by sent_end. */
PIO_STACK_LOCATION sent_begin(struct sent *sent, UCHAR major, PFILE_OBJECT file);
void sent_end(struct sent *sent);
