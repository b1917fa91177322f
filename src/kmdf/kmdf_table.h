/*
 * kmdf_table.h - which functions the framework has, for those who only want to know that.
 */
#pragma once
#include "wdk/ntdef.h"

/* The name of a slot of the function table; null past the end. */
const char *kmdf_function_name(ULONG index);
bool kmdf_function_done(ULONG index);
