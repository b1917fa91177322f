/* bugcallback.h - for bugcheck.c alone. */
#pragma once

/* Calls the registered routines, newest first, each once. */
void ke_bugcheck_callbacks_run(void);
