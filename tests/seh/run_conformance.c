/*
 * run_conformance.c - runs the conformance program, built as a driver, under our SEH: its lines are its own; what is
 * added here is that the thread's nodes and call records are left as they were.
 */
#include <stdio.h>

#include "world.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    world_start();
    struct ldr_image *image = world_load(argv[1]);
    void *calls = arch_self()->seh_calls;
    NTSTATUS(NTAPI * entry)(void *, void *) = (NTSTATUS(NTAPI *)(void *, void *))image->entry;
    NTSTATUS status = entry(NULL, NULL);
    if (arch_self()->seh_top || arch_self()->seh_calls != calls) {
        puts("not ok: nodes or call records left behind");
        return 1;
    }
    ldr_unload(image);
    return NT_SUCCESS(status) ? 0 : 1;
}
