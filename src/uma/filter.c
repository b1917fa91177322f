/* filter.c - UmaExceptionFilter. */
#include "world.h"

LONG NTAPI UmaExceptionFilter(KPROCESSOR_MODE Mode)
{
    return Mode != KernelMode ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}
