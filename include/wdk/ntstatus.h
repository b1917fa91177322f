/* ntstatus.h - NTSTATUS values as constants, one row each in ntstatus.def, which also gives them their names. */
#pragma once

enum {
#define STATUS_ROW(name, value) name = (int)(value),
#include "wdk/ntstatus.def"
#undef STATUS_ROW
};
