/*
 * kmdf_key.h - registry keys: an open handle of the kernel behind a handle of the framework.
 */
#pragma once
#include "kmdf.h"
#include "svc.h"

struct kmdf_key {
    struct kmdf_object object;
    HANDLE handle; /* null once closed */
};
extern const struct kmdf_type kmdf_key_type;
