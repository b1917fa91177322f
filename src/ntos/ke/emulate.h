/* emulate.h - instructions that the processor keeps from us and NT kernel code may execute. */
#pragma once
#include "wdk/ntexcept.h"

/*
 * The platform's emulate hook. address 0: a privileged instruction at context->Rip; otherwise the data address that
 * faulted, ~0 when the processor tells none. True: done, *context is as after the instruction (or plat_emulate_step was
 * asked to run it). False: not one of ours, nothing was changed. Runs in a signal handler.
 */
bool ke_emulate(CONTEXT *context, ULONG_PTR address);
