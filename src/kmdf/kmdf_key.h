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

/* A key object for an open handle, which is the object's from now on, and closed if this fails. */
NTSTATUS kmdf_key_create(struct kmdf_client *client, HANDLE handle, const WDF_OBJECT_ATTRIBUTES *attributes,
                         ULONG_PTR caller, WDFKEY *created);
/* A copy of a value, in pool, to be freed with mm_heap_free (KMDF_TAG). handle and name are what a driver passed to
 * function. STATUS_INVALID_DEVICE_REQUEST: not at PASSIVE_LEVEL; else what ZwQueryValueKey says. */
NTSTATUS kmdf_key_read(WDFKEY handle, const UNICODE_STRING *name, const char *function,
                       KEY_VALUE_PARTIAL_INFORMATION **read);
NTSTATUS kmdf_key_write(WDFKEY handle, const UNICODE_STRING *name, ULONG type, const void *data, ULONG bytes,
                        const char *function);
