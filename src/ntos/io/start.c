/*
 * start.c - starts the kernel, layer by layer.
 */
#include "io_internal.h"
#include "cm.h"
#include "ex.h"
#include "ps.h"
#include "uma_kernel.h"

NTSTATUS nt_start(const struct plat_options *options)
{
    NTSTATUS status = plat_init(options);
    if (!NT_SUCCESS(status))
        return status;
    rtl_raw_stop = options->raw == PLAT_RAW_STOP;
    status = ke_init();
    if (NT_SUCCESS(status))
        status = uma_init(plat_protect_in_use());
    if (NT_SUCCESS(status))
        status = mm_init();
    if (NT_SUCCESS(status))
        status = ob_init();
    if (NT_SUCCESS(status))
        status = ps_init();
    if (NT_SUCCESS(status))
        status = ex_init();
    if (NT_SUCCESS(status))
        status = cm_init();
    plat_lock_init(&io_lock);
    InitializeListHead(&io_devices);
    io_irps_init();
    ke_thread_ends = io_thread_ends;
    return status;
}
