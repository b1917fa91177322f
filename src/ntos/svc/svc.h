/*
 * svc.h - system services: Nt and Zw entries, the system call of user mode, and what the act halves are given.
 *
 * A call has two halves. Capture follows the kinds of services.def, by PreviousMode, and is the only one that touches
 * the caller's memory; a fault there is the call's status. The act half sees kernel values only, and leaves results in
 * the call, which capture's counterpart writes back.
 */
#pragma once
#include "wdk/io.h"
#include "wdk/vm.h"
#include "arity.h"
#include "ob.h"

enum { SVC_ARGUMENTS_MAX = 11 };

enum svc_kind {
#define KIND(name, type, bytes, alignment, flags, text) SVC_##name,
#include "kinds.def"
#undef KIND
    SVC_KINDS
};
enum { SVC_IN = 1, SVC_OUT = 2, SVC_OPT = 4 };
struct svc_kind_row {
    const char *name, *type, *text;
    UCHAR bytes, alignment, flags;
};
extern const struct svc_kind_row svc_kinds[SVC_KINDS];

enum svc_number {
#define SERVICE(n, name, ...) SVC_NUMBER_##name,
#include "services.def"
#undef SERVICE
    SVC_SERVICES
};

struct svc_call;
struct svc_row {
    const char *name; /* without Nt or Zw */
    NTSTATUS (*act)(struct svc_call *call);
    UCHAR count;
    UCHAR kinds[SVC_ARGUMENTS_MAX];
    const char *arguments[SVC_ARGUMENTS_MAX];
};
extern const struct svc_row svc_table[SVC_SERVICES];

struct svc_attributes {
    HANDLE root;
    ULONG attributes;
    UNICODE_STRING name; /* in pool, or empty */
    bool present;
};

struct svc_argument {
    ULONG64 value; /* what was passed: a number, a handle, or an address that only capture follows */
    bool present;  /* a pointer that is not null */
    bool set;      /* the act half has left a result */
    ULONG64 text;  /* STRING_OUT: the buffer the string named when it was captured */
    union {
        struct svc_attributes object;
        UNICODE_STRING string; /* in pool */
        IO_STATUS_BLOCK io;
        CLIENT_ID client;
        ULONG64 number; /* LARGE_IN, ULONG_OUT, OUT_HANDLE, *_INOUT ... */
        struct {
            void *data; /* in pool */
            SIZE_T bytes;
        };
    };
};

struct svc_call {
    const struct svc_row *row;
    KPROCESSOR_MODE mode;
    void *held; /* an object whose reference goes with the call, or null */
    struct svc_argument arguments[SVC_ARGUMENTS_MAX];
};

/* The act halves, one per row. */
#define SERVICE(n, name, ...) NTSTATUS svc_##name(struct svc_call *call);
#include "services.def"
#undef SERVICE

/* ---- capture.c ---- */
NTSTATUS svc_capture(struct svc_call *call);
/* Writes the results the act half has set. If that faults, a handle among them is closed again. */
NTSTATUS svc_write_back(struct svc_call *call);
void svc_release(struct svc_call *call);
/* Leaves a result. */
static inline void svc_set(struct svc_call *call, ULONG position, ULONG64 value)
{
    call->arguments[position].number = value;
    call->arguments[position].set = true;
}

/* ---- entry.c ---- */

/* A service by the thread's own PreviousMode: what NtX does. values: one per argument. IRQL PASSIVE_LEVEL. */
NTSTATUS svc_nt(ULONG number, const ULONG64 *values);
/* The same with PreviousMode KernelMode for the time of the call, whichever way it ends: what ZwX does. */
NTSTATUS svc_zw(ULONG number, const ULONG64 *values);
NTSTATUS svc_zw_row(const struct svc_row *row, const ULONG64 *values); /* for a row that need not be in the table */
/*
 * User mode's only way in: the arguments stand at a user address, 8 bytes each. PreviousMode is UserMode and a trap
 * frame is on the thread until the call ends, whichever way. STATUS_INVALID_SYSTEM_SERVICE, or STATUS_ACCESS_VIOLATION
 * if the arguments cannot be read. Bug check 0x4A or 1: the service came back above PASSIVE_LEVEL or in a region.
 */
NTSTATUS svc_system_call(ULONG number, ULONG_PTR arguments);
/* Number of a service by its name, with or without Nt or Zw; SVC_SERVICES if there is none. */
ULONG svc_find(const char *name);

/* ---- verify_zw.c: under the verifier ---- */

/* Bug check 0xC4: a driver gives a Zw routine a user address (0xE3), a malformed string (0xE4) or a user handle (0xF6).
 */
void svc_verify_zw(const struct svc_row *row, const ULONG64 *values);
/* Warns of handles that a driver has made where user mode can use them. */
void svc_verify_handles_made(const struct svc_call *call);

/* ---- named.c: names and handles for all kinds of objects ---- */

/* The full name of attributes, in pool (ob_path_free); a relative one is looked up in its root directory. */
NTSTATUS svc_name_resolve(const struct svc_call *call, const struct svc_attributes *attributes, PUNICODE_STRING path);
/* A new object gets its name and handle; body's first reference is consumed. STATUS_OBJECT_NAME_EXISTS: with OBJ_OPENIF
 * an older one was opened. */
NTSTATUS svc_object_create(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes);
/* A handle to body, whose reference is consumed. */
NTSTATUS svc_give_handle(struct svc_call *call, void *body, ULONG handle, ULONG access, ULONG attributes);
NTSTATUS svc_object_open(struct svc_call *call, const struct ob_type *type, ULONG handle, ULONG access,
                         ULONG attributes);

/* ---- section.c ---- */
extern const struct ob_type svc_section_type;

/* ---- fileopen.c ---- */
struct io_create;

/*
 * Opens what attributes name: a full path, or one relative to a directory of the name space or to an open file.
 * create->access is mapped. On the way the arguments of NtCreateFile are held against what it documents.
 */
NTSTATUS svc_file_open(struct svc_call *call, const struct svc_attributes *attributes, struct io_create *create,
                       FILE_OBJECT **file, ULONG_PTR *information);
/* Closes what svc_file_open has opened and nobody got a handle to: the driver sees cleanup and close all the same. */
void svc_file_close(FILE_OBJECT *file);

/* ---- the exports ---- */
#define SVC_TYPE_HANDLE         HANDLE
#define SVC_TYPE_ULONG          ULONG
#define SVC_TYPE_LONG           LONG
#define SVC_TYPE_BOOLEAN        BOOLEAN
#define SVC_TYPE_SIZE           ULONG_PTR
#define SVC_TYPE_POINTER        PVOID
#define SVC_TYPE_OUT_HANDLE     PHANDLE
#define SVC_TYPE_OUT_HANDLE_OPT PHANDLE
#define SVC_TYPE_ATTRIBUTES     POBJECT_ATTRIBUTES
#define SVC_TYPE_IO_STATUS      PIO_STATUS_BLOCK
#define SVC_TYPE_LARGE_IN       PLARGE_INTEGER
#define SVC_TYPE_LARGE_IN_OPT   PLARGE_INTEGER
#define SVC_TYPE_LARGE_OUT      PLARGE_INTEGER
#define SVC_TYPE_ULONG_IN_OPT   PULONG
#define SVC_TYPE_ULONG_OUT      PULONG
#define SVC_TYPE_ULONG_OUT_OPT  PULONG
#define SVC_TYPE_POINTER_INOUT  PVOID *
#define SVC_TYPE_SIZE_INOUT     PSIZE_T
#define SVC_TYPE_HANDLES        PHANDLE
#define SVC_TYPE_ULONG_INOUT    PULONG
#define SVC_TYPE_STRING         PUNICODE_STRING
#define SVC_TYPE_STRING_OUT     PUNICODE_STRING
#define SVC_TYPE_STRING_OPT     PUNICODE_STRING
#define SVC_TYPE_DATA_OUT       PVOID
#define SVC_TYPE_DATA_IN        PVOID
#define SVC_TYPE_BASIC_OUT      PVOID
#define SVC_TYPE_NETWORK_OUT    PVOID
#define SVC_TYPE_BUFFER_IN      PVOID
#define SVC_TYPE_BUFFER_OUT     PVOID
#define SVC_PARAMETER(k, n)     SVC_TYPE_##k n
#define SVC_PARAMETER_NONE      void

#define SVC_TYPE_SIZE_OUT_OPT    PSIZE_T
#define SVC_TYPE_CLIENT_ID_IN    PCLIENT_ID
#define SVC_TYPE_LARGE_OUT_OPT   PLARGE_INTEGER
#define SVC_TYPE_BOOLEAN_OUT_OPT PBOOLEAN
#define SVC_TYPE_LARGE_INOUT     PLARGE_INTEGER
#define SVC_TYPE_LARGE_INOUT_OPT PLARGE_INTEGER

#define SERVICE(n, name, ...)                                                                                          \
    NTSTATUS NTAPI Nt##name(SVC_EACH_##n(SVC_PARAMETER, __VA_ARGS__));                                                 \
    NTSTATUS NTAPI Zw##name(SVC_EACH_##n(SVC_PARAMETER, __VA_ARGS__));
#include "services.def"
#undef SERVICE
