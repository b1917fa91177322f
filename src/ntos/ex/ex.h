/* ex.h - executive support inside the kernel. Documented routines stand in wdk/ex.h. */
#pragma once
#include "wdk/ex.h"
#include "mm.h"

/* Lends the pool to rtl. mm_init must have run. */
NTSTATUS ex_init(void);
