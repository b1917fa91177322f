/*
 * handle.c - handle tables: one per process; the system process's holds the kernel handles.
 *
 * A handle is four times its entry's number; a kernel handle has all bits from the 31st up set as well, so that user
 * mode can be told not to use it. Entries are reused oldest first, so that a stale handle is not soon a valid one.
 */
#include "ob.h"
#include "ob_internal.h"
#include "rtl.h"
#include "seh.h"
#include "verify_handle.h"

#define TABLE_TAG RTL_TAG('O', 'b', 't', 'b')

enum { FIRST_CAPACITY = 64, LARGEST_CAPACITY = 1 << 20 };
#define KERNEL_HANDLE_BITS 0xFFFFFFFF80000000ull

struct entry {
    void *body; /* null: free */
    ACCESS_MASK access;
    ULONG attributes;
    ULONG_PTR caller; /* driver's code that made it, or 0 */
    bool user_mode;   /* made for user mode */
    ULONG next_free;
};

struct ob_handle_table {
    struct plat_lock lock;
    struct entry *entries; /* number 0 is never used */
    ULONG capacity, used;  /* used: entries that were ever handed out */
    ULONG oldest_free, newest_free;
    SIZE_T count;
};

static struct ob_handle_table kernel_table, user_table;

NTSTATUS ob_handles_init(void)
{
    plat_lock_init(&kernel_table.lock);
    plat_lock_init(&user_table.lock);
    ob_callbacks_init();
    kernel_table.used = user_table.used = 1;
    ke_system.body.ObjectTable = &kernel_table;
    ke_user.body.ObjectTable = &user_table;
    return STATUS_SUCCESS;
}

static bool is_pseudo_handle(HANDLE handle)
{
    return handle == NtCurrentProcess() || handle == NtCurrentThread();
}

static bool is_kernel_handle(HANDLE handle)
{
    return ((ULONG_PTR)handle & KERNEL_HANDLE_BITS) == KERNEL_HANDLE_BITS && !is_pseudo_handle(handle);
}

/* ---- the table ---- */

/* Lock held. */
static bool grow(struct ob_handle_table *table)
{
    ULONG capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
    if (capacity > LARGEST_CAPACITY)
        return false;
    struct entry *entries = mm_pool_allocate(capacity * sizeof(*entries), TABLE_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!entries)
        return false;
    if (table->entries) {
        __builtin_memcpy(entries, table->entries, table->capacity * sizeof(*entries));
        mm_pool_free(table->entries, TABLE_TAG, 0);
    }
    table->entries = entries;
    table->capacity = capacity;
    return true;
}

/* Number of a free entry, 0 if there is no memory. Lock held. */
static ULONG take_free(struct ob_handle_table *table)
{
    ULONG number = table->oldest_free;
    if (number) {
        table->oldest_free = table->entries[number].next_free;
        if (!table->oldest_free)
            table->newest_free = 0;
        return number;
    }
    if (table->used >= table->capacity && !grow(table))
        return 0;
    return table->used++;
}

static void put_free(struct ob_handle_table *table, ULONG number)
{
    table->entries[number] = (struct entry){0};
    if (table->newest_free)
        table->entries[table->newest_free].next_free = number;
    else
        table->oldest_free = number;
    table->newest_free = number;
}

/* Number of a live entry, 0 if the handle is not one. The two lowest bits are the caller's own. Lock held. */
static ULONG find(const struct ob_handle_table *table, HANDLE handle)
{
    ULONG_PTR number = ((ULONG_PTR)handle & ~KERNEL_HANDLE_BITS) >> 2;
    if (!is_kernel_handle(handle) && (ULONG_PTR)handle >> 31)
        return 0;
    return number < table->used && table->entries && table->entries[number].body ? (ULONG)number : 0;
}

/* The table a handle is to be looked up in, or null. */
static struct ob_handle_table *table_of(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode)
{
    if (!is_kernel_handle(handle))
        return process->ObjectTable;
    return mode == KernelMode ? &kernel_table : NULL;
}

static PEPROCESS current_process(void)
{
    return ke_thread_current()->Process;
}

/* ---- handles ---- */

NTSTATUS ob_access_map(const struct ob_type *type, ACCESS_MASK desired, KPROCESSOR_MODE mode, ACCESS_MASK *granted)
{
    const GENERIC_MAPPING *mapping = &type->mapping;
    ACCESS_MASK access = desired & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL | MAXIMUM_ALLOWED);
    access |= desired & GENERIC_READ ? mapping->GenericRead : 0;
    access |= desired & GENERIC_WRITE ? mapping->GenericWrite : 0;
    access |= desired & GENERIC_EXECUTE ? mapping->GenericExecute : 0;
    access |= desired & (GENERIC_ALL | MAXIMUM_ALLOWED) ? mapping->GenericAll : 0;
    if (mode != KernelMode && (access & ~mapping->GenericAll))
        return STATUS_ACCESS_DENIED;
    *granted = access;
    return STATUS_SUCCESS;
}

/* What user mode may have of the system process: questions, and to wait for it. */
enum { SYSTEM_PROCESS_ACCESS = 0x101400 };

NTSTATUS ob_access_to(const void *body, ACCESS_MASK desired, KPROCESSOR_MODE mode, ACCESS_MASK *granted)
{
    NTSTATUS status = ob_access_map(ob_type_of(body), desired, mode, granted);
    if (!NT_SUCCESS(status) || mode == KernelMode || body != &ke_system.body)
        return status;
    if (desired & MAXIMUM_ALLOWED)
        *granted &= SYSTEM_PROCESS_ACCESS;
    return *granted & ~(ACCESS_MASK)SYSTEM_PROCESS_ACCESS ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

void ob_set_exclusive(void *body, ULONG attributes)
{
    ob_header_of(body)->exclusive = attributes & OBJ_EXCLUSIVE;
}

/* An exclusive object is its first opener's until that has closed all its handles; others are never anybody's. */
static bool may_have(void *body, PEPROCESS process, ULONG attributes)
{
    struct ob_header *header = ob_header_of(body);
    if (!header->exclusive)
        return !(attributes & OBJ_EXCLUSIVE);
    PEPROCESS owner = NULL;
    return __atomic_compare_exchange_n(&header->owner, &owner, process, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
           owner == process;
}

static PEPROCESS process_of(const struct ob_handle_table *table)
{
    return table == &kernel_table ? &ke_system.body : &ke_user.body;
}

/* attributes: OBJ_EXCLUSIVE as the caller asked. */
static NTSTATUS insert(struct ob_handle_table *table, const struct entry *entry, ULONG attributes, HANDLE *handle)
{
    if (!may_have(entry->body, process_of(table), attributes))
        return STATUS_ACCESS_DENIED;
    plat_lock_acquire(&table->lock);
    ULONG number = take_free(table);
    if (number) {
        table->entries[number] = *entry;
        table->count++;
        ob_reference(entry->body);
        __atomic_add_fetch(&ob_header_of(entry->body)->handles, 1, __ATOMIC_RELAXED);
    }
    plat_lock_release(&table->lock);
    if (!number)
        return STATUS_INSUFFICIENT_RESOURCES;
    *handle = (HANDLE)((ULONG_PTR)number << 2);
    return STATUS_SUCCESS;
}

NTSTATUS ob_handle_create(void *body, ACCESS_MASK access, ULONG attributes, KPROCESSOR_MODE mode, HANDLE *handle)
{
    bool kernel = mode == KernelMode && (attributes & OBJ_KERNEL_HANDLE);
    struct ob_notice notice = {.body = body, .operation = OB_OPERATION_HANDLE_CREATE, .kernel = kernel};
    struct entry entry = {.body = body,
                          .access = ob_notify(&notice, access),
                          .attributes = attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE),
                          .caller = seh_export_caller(),
                          .user_mode = mode != KernelMode};
    NTSTATUS status = insert(kernel ? &kernel_table : current_process()->ObjectTable, &entry, attributes, handle);
    if (NT_SUCCESS(status) && kernel)
        *handle = (HANDLE)((ULONG_PTR)*handle | KERNEL_HANDLE_BITS);
    ob_notified(&notice, status, entry.access);
    return status;
}

/* What a handle's end means to its object: with the last one the name goes, and then the type is told. */
static void release(void *body)
{
    struct ob_header *header = ob_header_of(body);
    if (!__atomic_sub_fetch(&header->handles, 1, __ATOMIC_ACQ_REL)) {
        __atomic_store_n(&header->owner, (PEPROCESS)NULL, __ATOMIC_RELEASE);
        ob_last_handle(body);
        if (header->type->closed)
            header->type->closed(body);
    }
    ob_dereference(body);
}

static NTSTATUS close_in(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode)
{
    struct ob_handle_table *table = table_of(process, handle, mode);
    NTSTATUS status = STATUS_INVALID_HANDLE;
    void *body = NULL;
    if (!table)
        return status;
    plat_lock_acquire(&table->lock);
    ULONG number = find(table, handle);
    if (number && (table->entries[number].attributes & OBJ_PROTECT_CLOSE)) {
        status = STATUS_HANDLE_NOT_CLOSABLE;
    } else if (number) {
        body = table->entries[number].body;
        put_free(table, number);
        table->count--;
        status = STATUS_SUCCESS;
    }
    plat_lock_release(&table->lock);
    if (body)
        release(body);
    return status;
}

SIZE_T ob_handles_close_all(PEPROCESS process)
{
    struct ob_handle_table *table = process->ObjectTable;
    SIZE_T closed = 0;
    for (ULONG number = 1;; number++) {
        plat_lock_acquire(&table->lock);
        while (number < table->used && !table->entries[number].body)
            number++;
        void *body = number < table->used ? table->entries[number].body : NULL;
        if (body) {
            put_free(table, number);
            table->count--;
        }
        plat_lock_release(&table->lock);
        if (!body)
            return closed;
        closed++;
        release(body);
    }
}

NTSTATUS ob_handle_close(HANDLE handle, KPROCESSOR_MODE mode)
{
    if (is_pseudo_handle(handle))
        return STATUS_SUCCESS; /* closing a pseudo handle has no effect */
    return close_in(current_process(), handle, mode);
}

/* The live entry's copy, its body referenced. counted: as if by one more handle, to be released; not a pseudo handle's.
 */
static NTSTATUS look_up(PEPROCESS process, HANDLE handle, KPROCESSOR_MODE mode, bool counted, struct entry *found)
{
    if (is_pseudo_handle(handle)) {
        bool is_process = handle == NtCurrentProcess();
        *found = (struct entry){.body = is_process ? (void *)current_process() : (void *)ke_thread_current(),
                                .access = is_process ? PROCESS_ALL_ACCESS : THREAD_ALL_ACCESS};
        ob_reference(found->body);
        return STATUS_SUCCESS;
    }
    struct ob_handle_table *table = table_of(process, handle, mode);
    if (!table)
        return STATUS_INVALID_HANDLE;
    plat_lock_acquire(&table->lock);
    ULONG number = find(table, handle);
    if (number) {
        *found = table->entries[number];
        ob_reference(found->body);
        if (counted)
            __atomic_add_fetch(&ob_header_of(found->body)->handles, 1, __ATOMIC_RELAXED);
    }
    plat_lock_release(&table->lock);
    return number ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS ob_handle_set_attributes(HANDLE handle, ULONG attributes, KPROCESSOR_MODE mode)
{
    struct ob_handle_table *table = table_of(current_process(), handle, mode);
    if (!table)
        return STATUS_INVALID_HANDLE;
    plat_lock_acquire(&table->lock);
    ULONG number = find(table, handle);
    if (number)
        table->entries[number].attributes = attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE);
    plat_lock_release(&table->lock);
    return number ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS ob_handle_reference(HANDLE handle, ACCESS_MASK access, const struct ob_type *type, KPROCESSOR_MODE mode,
                             void **body, struct ob_handle_info *granted)
{
    struct entry entry;
    *body = NULL;
    NTSTATUS status = look_up(current_process(), handle, mode, false, &entry);
    if (!NT_SUCCESS(status))
        return status;
    if (type && ob_type_of(entry.body) != type)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (mode != KernelMode && (access & ~entry.access))
        status = STATUS_ACCESS_DENIED;
    if (!NT_SUCCESS(status)) {
        ob_dereference(entry.body);
        return status;
    }
    if (granted)
        *granted = (struct ob_handle_info){entry.attributes, entry.access};
    *body = entry.body;
    return STATUS_SUCCESS;
}

NTSTATUS ob_handle_duplicate(PEPROCESS source, HANDLE handle, PEPROCESS target, ACCESS_MASK access, ULONG attributes,
                             ULONG options, KPROCESSOR_MODE mode, HANDLE *copy)
{
    struct entry entry;
    /* Until the copy counts, the source's close must not be the last: the type hears of that once. */
    NTSTATUS status = look_up(source, handle, mode, true, &entry);
    if (!NT_SUCCESS(status))
        return status;
    bool kernel = false;
    if (!(options & DUPLICATE_SAME_ACCESS))
        status = ob_access_to(entry.body, access, mode, &entry.access);
    if (!(options & DUPLICATE_SAME_ATTRIBUTES)) {
        entry.attributes = attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE);
        kernel = mode == KernelMode && (attributes & OBJ_KERNEL_HANDLE);
    }
    entry.caller = seh_export_caller();
    entry.user_mode = mode != KernelMode;
    entry.next_free = 0;
    if (target && NT_SUCCESS(status)) {
        struct ob_notice notice = {.body = entry.body,
                                   .operation = OB_OPERATION_HANDLE_DUPLICATE,
                                   .kernel = kernel,
                                   .source = source,
                                   .target = target};
        entry.access = ob_notify(&notice, entry.access);
        status = insert(kernel ? &kernel_table : target->ObjectTable, &entry, 0, copy);
        if (NT_SUCCESS(status) && kernel)
            *copy = (HANDLE)((ULONG_PTR)*copy | KERNEL_HANDLE_BITS);
        ob_notified(&notice, status, entry.access);
    }
    /* The source is closed whatever came of it, as documented. */
    if ((options & DUPLICATE_CLOSE_SOURCE) && !is_pseudo_handle(handle))
        close_in(source, handle, mode);
    if (is_pseudo_handle(handle))
        ob_dereference(entry.body);
    else
        release(entry.body);
    return status;
}

bool ob_handle_of_user_mode(HANDLE handle)
{
    struct ob_handle_table *table = current_process()->ObjectTable;
    plat_lock_acquire(&table->lock);
    ULONG number = is_kernel_handle(handle) ? 0 : find(table, handle);
    bool by_user = number && table->entries[number].user_mode;
    plat_lock_release(&table->lock);
    return by_user;
}

SIZE_T ob_handles_in(PEPROCESS process)
{
    struct ob_handle_table *table = process->ObjectTable;
    return __atomic_load_n(&table->count, __ATOMIC_RELAXED);
}

SIZE_T ob_handles_each(void (*callback)(void *context, const struct ob_handle_leak *leak), void *context)
{
    struct ob_handle_table *const tables[] = {&kernel_table, &user_table};
    SIZE_T count = 0;
    for (SIZE_T t = 0; t < RTL_NUMBER_OF(tables); t++) {
        plat_lock_acquire(&tables[t]->lock);
        for (ULONG i = 1; i < tables[t]->used; i++) {
            const struct entry *entry = &tables[t]->entries[i];
            ULONG_PTR handle = (ULONG_PTR)i << 2 | (t ? 0 : KERNEL_HANDLE_BITS);
            if (!entry->body || !entry->caller)
                continue;
            count++;
            if (callback)
                callback(context, &(struct ob_handle_leak){(HANDLE)handle, ob_type_of(entry->body), entry->caller});
        }
        plat_lock_release(&tables[t]->lock);
    }
    return count;
}

/* ---- the documented routines ---- */

/*
 * The object of Handle, referenced; null on failure. AccessMode UserMode: DesiredAccess must have been granted, and a
 * kernel handle is STATUS_INVALID_HANDLE. ObjectType null: any. HandleInformation may be null. IRQL PASSIVE_LEVEL.
 */
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                         KPROCESSOR_MODE AccessMode, PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION HandleInformation)
{
    struct ob_handle_info info;
    void *body;
    if (ke_verify)
        ob_verify_reference(Handle, ObjectType, AccessMode);
    NTSTATUS status =
        ob_handle_reference(Handle, DesiredAccess, (const struct ob_type *)ObjectType, AccessMode, &body, &info);
    *Object = body;
    if (ke_verify)
        ob_verify_referenced(Handle, ObjectType, AccessMode, status);
    if (NT_SUCCESS(status) && HandleInformation)
        *HandleInformation = (OBJECT_HANDLE_INFORMATION){info.attributes, info.access};
    return status;
}

NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                KPROCESSOR_MODE AccessMode, ULONG Tag, PVOID *Object,
                                                POBJECT_HANDLE_INFORMATION HandleInformation)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);
}

/* A reference if the object has the type; with AccessMode KernelMode the type is not checked. */
NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                          KPROCESSOR_MODE AccessMode)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    if (AccessMode != KernelMode && ob_type_of(Object) != (const struct ob_type *)ObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    ob_reference(Object);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                 KPROCESSOR_MODE AccessMode, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
}

/* A handle to an object the caller has a pointer to. OBJ_KERNEL_HANDLE: a kernel handle. IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
                                     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                     PHANDLE Handle)
{
    UNREFERENCED_PARAMETER(PassedAccessState);
    const struct ob_type *type = ob_type_of(Object);
    ACCESS_MASK granted;
    if (ObjectType && type != (const struct ob_type *)ObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    NTSTATUS status = ob_access_to(Object, DesiredAccess, AccessMode, &granted);
    if (!NT_SUCCESS(status))
        return status;
    /* The caller is kernel code whatever AccessMode says: OBJ_KERNEL_HANDLE is its to ask for. */
    return ob_handle_create(Object, granted, HandleAttributes, KernelMode, Handle);
}

NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState,
                                            ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                            KPROCESSOR_MODE AccessMode, ULONG Tag, PHANDLE Handle)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObOpenObjectByPointer(Object, HandleAttributes, PassedAccessState, DesiredAccess, ObjectType, AccessMode,
                                 Handle);
}

/* PreviousMode UserMode: a kernel handle is STATUS_INVALID_HANDLE. */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    return ob_handle_close(Handle, PreviousMode);
}

POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object)
{
    return (POBJECT_TYPE)ob_type_of(Object);
}

BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle)
{
    return is_kernel_handle(Handle);
}
