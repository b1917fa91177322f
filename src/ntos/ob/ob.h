/*
 * ob.h - objects: reference-counted blocks with a type and maybe a name, and the one name space they live in.
 *
 * A body is what drivers see; the header stands before it in the same pool block. Documented routines stand in
 * wdk/ob.h.
 */
#pragma once
#include "wdk/ob.h"
#include "mm.h"

struct ob_type {
    const char *name;
    ULONG tag;                  /* of the pool blocks */
    void (*remove)(void *body); /* the last reference went: release what the body holds; the block itself is ob's */
    void (*free)(void *body);   /* gives the block back where it does not come from the pool; else null */
    void (*closed)(void *body); /* the last handle went; the handle's reference is still there */
    GENERIC_MAPPING mapping;    /* GenericAll is also what may be asked for at all */
    /* of objects without a name of their own that lie behind a named one (files): it, and what comes after its name */
    const void *(*behind)(const void *body, PUNICODE_STRING rest);
    bool waitable;
    USHORT dispatcher_offset; /* of the DISPATCHER_HEADER in a waitable body */
};

extern const struct ob_type ob_directory_type, ob_event_type, ob_mutant_type, ob_semaphore_type, ob_process_type,
    ob_thread_type;

/* What a handle carries. */
struct ob_handle_info {
    ULONG attributes; /* OBJ_INHERIT, OBJ_PROTECT_CLOSE */
    ACCESS_MASK access;
};

NTSTATUS ob_init(void);
/* A zeroed body of size bytes with one reference. */
NTSTATUS ob_create(const struct ob_type *type, SIZE_T size, void **body);
const struct ob_type *ob_type_of(const void *body);
LONG_PTR ob_reference(void *body);
/* A reference, unless the last one has gone already. */
bool ob_reference_alive(void *body);
LONG_PTR ob_dereference(void *body);
LONG_PTR ob_reference_count(const void *body);
/* How many handles there are to it. */
LONG_PTR ob_handle_count(const void *body);
/* What a wait for body waits for, or null. */
DISPATCHER_HEADER *ob_dispatcher(void *body);

/*
 * Names are full paths compared without case: "\Device\X", "\Driver\X", "\GLOBAL??\X". ob_path_normalize maps
 * \DosDevices\X,
 * \??\X, \\.\X and \\?\X to the last form. STATUS_OBJECT_PATH_SYNTAX_BAD: does not begin with a backslash.
 */
NTSTATUS ob_path_normalize(PCUNICODE_STRING name,
                           PUNICODE_STRING normalized); /* allocated; release with ob_path_free */
void ob_path_free(PUNICODE_STRING path);
NTSTATUS ob_path_join(const UNICODE_STRING *first, const UNICODE_STRING *second, PUNICODE_STRING joined);
/*
 * Gives body a name that stays until the last reference goes. The name space holds no reference.
 * STATUS_OBJECT_NAME_COLLISION: it is taken, STATUS_OBJECT_PATH_NOT_FOUND: it lies in a directory that does not exist.
 */
NTSTATUS ob_insert(void *body, PCUNICODE_STRING name);
/* The same for an object with handles: the name goes with the last of them. With OBJ_PERMANENT in attributes it stays,
 * and the object with it. */
NTSTATUS ob_insert_as(void *body, PCUNICODE_STRING name, ULONG attributes);
/* What ZwMakeTemporaryObject and its reverse do: the caller holds a reference. */
void ob_make_temporary(void *body);
void ob_make_permanent(void *body);
/* Takes the name away; nothing happens to an object without one. */
void ob_remove_name(void *body);
/* The name, or an empty string; valid as long as the object keeps it. */
UNICODE_STRING ob_name(const void *body);
/* A copy of the name, empty for none; release with ob_path_free. */
NTSTATUS ob_name_copy(const void *body, PUNICODE_STRING copy);
/* What ObQueryNameString tells: the name, and what the type's full_name adds to it. Release with ob_path_free. */
NTSTATUS ob_full_name(const void *body, PUNICODE_STRING name);
/* The index-th name that stands directly in a directory, and what has it; false: there are not so many. */
enum { OB_ENTRY_NAME_MAX = 256 };
bool ob_directory_entry(const void *directory, ULONG index, WCHAR name[OB_ENTRY_NAME_MAX], PUSHORT bytes,
                        const struct ob_type **type);
/*
 * Finds name, following symbolic links; the part that no object has ("\Device\X\rest") comes back in *rest, which
 * points into *storage (release with ob_path_free). The object is returned referenced. type null: any.
 */
NTSTATUS ob_lookup(PCUNICODE_STRING name, const struct ob_type *type, void **body, PUNICODE_STRING rest,
                   PUNICODE_STRING storage);

/* ---- symbolic links ---- */
extern const struct ob_type ob_symbolic_link_type;
NTSTATUS ob_link_create(PCUNICODE_STRING name, PCUNICODE_STRING target, ULONG_PTR caller);
NTSTATUS ob_link_delete(PCUNICODE_STRING name);
/* A link without a name yet; target is copied. */
NTSTATUS ob_link_make(PCUNICODE_STRING target, ULONG_PTR caller, void **link);
/* What a link stands for; valid as long as the link. */
UNICODE_STRING ob_link_target(const void *link);
struct ob_link_info {
    UNICODE_STRING name, target;
    ULONG_PTR caller; /* code that created it */
};
/* Calls back for each link; returns how many. callback may be null. */
SIZE_T ob_links_each(void (*callback)(void *context, const struct ob_link_info *link), void *context);

/* ---- handles ---- */

/*
 * The access that desired stands for: generic rights mapped, MAXIMUM_ALLOWED as everything. Everybody is an
 * administrator here, so what the type has is granted. STATUS_ACCESS_DENIED: user mode asks for more than the type has.
 */
NTSTATUS ob_access_map(const struct ob_type *type, ACCESS_MASK desired, KPROCESSOR_MODE mode, ACCESS_MASK *granted);
/* The same for one object: of the system process user mode gets no more than questions and waits. */
NTSTATUS ob_access_to(const void *body, ACCESS_MASK desired, KPROCESSOR_MODE mode, ACCESS_MASK *granted);
/*
 * A handle to body, which takes a reference of its own: in the kernel's table with OBJ_KERNEL_HANDLE (ignored in user
 * mode), else in the table of the process the thread runs in. attributes: OBJ_*. access: granted, as ob_access_map
 * gives it. STATUS_INSUFFICIENT_RESOURCES; STATUS_ACCESS_DENIED: another process has an exclusive object, or exclusive
 * use is asked of one that is not.
 */
NTSTATUS ob_handle_create(void *body, ACCESS_MASK access, ULONG attributes, KPROCESSOR_MODE mode, HANDLE *handle);
/* The first handle of an object is the creator's: with OBJ_EXCLUSIVE only its process can have more. */
void ob_set_exclusive(void *body, ULONG attributes);
/* OBJ_INHERIT and OBJ_PROTECT_CLOSE of a handle become those of attributes. STATUS_INVALID_HANDLE. */
NTSTATUS ob_handle_set_attributes(HANDLE handle, ULONG attributes, KPROCESSOR_MODE mode);
/* Closes every handle of the process's table, protected ones too; returns how many there were. */
SIZE_T ob_handles_close_all(PEPROCESS process);
/* As ObCloseHandle. STATUS_INVALID_HANDLE, STATUS_HANDLE_NOT_CLOSABLE (OBJ_PROTECT_CLOSE). */
NTSTATUS ob_handle_close(HANDLE handle, KPROCESSOR_MODE mode);
/*
 * The referenced body of a handle. type null: any. STATUS_INVALID_HANDLE (a kernel handle from user mode as well),
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED. access is checked for user mode only. granted may be null.
 */
NTSTATUS ob_handle_reference(HANDLE handle, ACCESS_MASK access, const struct ob_type *type, KPROCESSOR_MODE mode,
                             void **body, struct ob_handle_info *granted);
/* A handle of source's table into target's (null: none is made). options: DUPLICATE_*. */
NTSTATUS ob_handle_duplicate(PEPROCESS source, HANDLE handle, PEPROCESS target, ACCESS_MASK access, ULONG attributes,
                             ULONG options, KPROCESSOR_MODE mode, HANDLE *copy);
/* The handle is of the current process's table and was made by a call with PreviousMode UserMode. */
bool ob_handle_of_user_mode(HANDLE handle);
/* Calls back for each registration of ObRegisterCallbacks with the code that made it; returns how many. */
SIZE_T ob_callbacks_each(void (*callback)(void *context, ULONG_PTR caller), void *context);
/* Handles in the process's table; the system process's are the kernel handles. */
SIZE_T ob_handles_in(PEPROCESS process);
/* Calls back for each handle that a driver made (caller not 0), in both tables; returns how many. callback may be null.
 */
struct ob_handle_leak {
    HANDLE handle;
    const struct ob_type *type;
    ULONG_PTR caller;
};
SIZE_T ob_handles_each(void (*callback)(void *context, const struct ob_handle_leak *leak), void *context);
