/*
 * section.c - section objects: the services on them but for views (memory.c), and what files have to do with them.
 *
 * A data section of a file holds a copy of the file: read by requests to its device when the first section is made,
 * written back where views wrote. Sections of one file share the copy while one of them, or a view, is there.
 */
#include "svc.h"
#include "io.h"
#include "rtl.h"
#include "vm.h"
#include "wdk/fileinfo.h"
#include "wdk/seh.h"
#include "seh.h"

#define FILE_TAG RTL_TAG('S', 'e', 'c', 'F')

enum { CHUNK = 0x10000, FILE_MAX = 0x20000000 };

static void section_remove(void *body)
{
    struct mm_section *section = body;
    if (section->segment)
        mm_segment_release(section->segment);
}

const struct ob_type svc_section_type = {.name = "Section",
                                         .tag = RTL_TAG('S', 'e', 'c', 't'),
                                         .remove = section_remove,
                                         .mapping = {0x20000 | SECTION_QUERY | SECTION_MAP_READ,
                                                     0x20000 | SECTION_MAP_WRITE, 0x20000 | SECTION_MAP_EXECUTE,
                                                     SECTION_ALL_ACCESS}};
POBJECT_TYPE MmSectionObjectType = (POBJECT_TYPE)&svc_section_type;

/* ---- files ---- */

/* The key of a file's segment: what all opens of one file have in common. */
static const void *file_key(const FILE_OBJECT *file)
{
    return file->SectionObjectPointer ? (const void *)file->SectionObjectPointer : (const void *)file;
}

static NTSTATUS write_file(void *context, void *data, SIZE_T size, ULONG64 offset)
{
    struct io_file file = {.object = context, .mode = KernelMode};
    NTSTATUS status = STATUS_SUCCESS;
    for (SIZE_T done = 0; done < size && NT_SUCCESS(status); done += CHUNK) {
        IO_STATUS_BLOCK io;
        ULONG part = (ULONG)(size - done < CHUNK ? size - done : CHUNK);
        status = io_write(&file, (ULONG_PTR)data + done, part, (LONGLONG)(offset + done), &io);
    }
    return status;
}

static void release_file(void *context)
{
    ob_dereference(context);
}

/* Fills a segment of size bytes. What lies behind the end of the file stays zero. */
static NTSTATUS read_file(FILE_OBJECT *object, UCHAR *data, ULONG64 size)
{
    struct io_file file = {.object = object, .mode = KernelMode};
    for (ULONG64 done = 0; done < size; done += CHUNK) {
        IO_STATUS_BLOCK io;
        ULONG part = (ULONG)(size - done < CHUNK ? size - done : CHUNK);
        NTSTATUS status = io_read(&file, (ULONG_PTR)data + (ULONG_PTR)done, part, (LONGLONG)done, &io);
        if (status == STATUS_END_OF_FILE)
            break;
        if (!NT_SUCCESS(status))
            return status;
    }
    return STATUS_SUCCESS;
}

/* The size of the file. An error: its device does not tell, or not in time. */
static NTSTATUS file_size(FILE_OBJECT *file, ULONG64 *size)
{
    IO_STATUS_BLOCK io;
    FILE_STANDARD_INFORMATION *info = mm_pool_allocate(sizeof(*info), FILE_TAG, MM_POOL_ZERO, MM_POOL_KERNEL, 0);
    if (!info)
        return STATUS_INSUFFICIENT_RESOURCES;
    const struct io_information question = {
        .major = IRP_MJ_QUERY_INFORMATION, .class = FileStandardInformation, .buffer = info, .length = sizeof(*info)};
    NTSTATUS status = io_information(file, KernelMode, &question, &io);
    *size = (ULONG64)info->EndOfFile.QuadPart;
    if (status != STATUS_IO_TIMEOUT) /* else the driver has the buffer still */
        mm_pool_free(info, FILE_TAG, 0);
    return status;
}

/* How large the section is to be. writes: it may make the file longer. */
static NTSTATUS choose_size(FILE_OBJECT *file, ULONG64 maximum, bool writes, ULONG64 *size)
{
    NTSTATUS status = file_size(file, size);
    if (!NT_SUCCESS(status))
        return STATUS_INVALID_FILE_FOR_SECTION;
    if (!*size && !maximum)
        return STATUS_MAPPED_FILE_SIZE_ZERO;
    if (maximum > *size && !writes)
        return STATUS_SECTION_TOO_BIG;
    if (maximum)
        *size = maximum;
    return *size > FILE_MAX ? STATUS_COMMITMENT_LIMIT : STATUS_SUCCESS; /* all of it is read, holes too */
}

static NTSTATUS new_file_segment(FILE_OBJECT *file, ULONG64 size, struct mm_segment **made)
{
    struct mm_backing backing = {file, file_key(file), write_file, release_file};
    void *view;
    ob_reference(file);
    NTSTATUS status = mm_segment_create(size, true, &backing, made);
    if (!NT_SUCCESS(status)) {
        ob_dereference(file);
        return status;
    }
    status = mm_segment_system_view(*made, size, &view);
    if (NT_SUCCESS(status)) {
        status = read_file(file, view, size);
        plat_user_alias_release(view, size);
    }
    if (!NT_SUCCESS(status)) {
        mm_segment_release(*made);
        *made = NULL;
    }
    return status;
}

/* A file whose segment is being found or made; on the stack of whoever does so. ke_dispatcher_lock. */
struct making {
    LIST_ENTRY link;
    const void *key;
};
static LIST_ENTRY makings = {&makings, &makings};

static bool is_being_made(const void *key)
{
    for (const LIST_ENTRY *at = makings.Flink; at != &makings; at = at->Flink)
        if (CONTAINING_RECORD(at, struct making, link)->key == key)
            return true;
    return false;
}

/* Finds the file's segment or makes it, one caller after the other: nobody finds one that is not yet filled. */
static NTSTATUS share_segment(FILE_OBJECT *file, ULONG64 size, struct mm_segment **segment)
{
    struct making making = {.key = file_key(file)};
    volatile NTSTATUS status = STATUS_SUCCESS;
    plat_lock_acquire(&ke_dispatcher_lock);
    while (is_being_made(making.key))
        plat_lock_wait(&ke_dispatcher_lock, UINT64_MAX);
    InsertTailList(&makings, &making.link);
    plat_lock_release(&ke_dispatcher_lock);
    __try {
        *segment = mm_segment_find(making.key);
        status = *segment ? mm_segment_extend(*segment, size) : new_file_segment(file, size, segment);
    } __finally {
        plat_lock_acquire(&ke_dispatcher_lock);
        RemoveEntryList(&making.link);
        plat_lock_wake_all(&ke_dispatcher_lock);
        plat_lock_release(&ke_dispatcher_lock);
    }
    return status;
}

static NTSTATUS file_segment(struct svc_call *call, HANDLE handle, ULONG protect, ULONG64 maximum, ULONG64 *size,
                             struct mm_segment **segment)
{
    bool writes = mm_protection_writes(protect);
    void *file;
    NTSTATUS status = ob_handle_reference(handle, FILE_READ_DATA | (writes ? FILE_WRITE_DATA : 0), &io_file_type,
                                          call->mode, &file, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = choose_size(file, maximum, writes, size);
    if (NT_SUCCESS(status))
        status = share_segment(file, *size, segment);
    ob_dereference(file);
    return status;
}

/* ---- views in system space ---- */

/*
 * Maps the first *ViewSize bytes of a section (0: all of it) in system space, writable if the section is; *ViewSize
 * comes back in whole pages. STATUS_OBJECT_TYPE_MISMATCH: no section; STATUS_INVALID_VIEW_SIZE: larger than it. The
 * view keeps the section's pages until MmUnmapViewInSystemSpace, and is a leak of the driver's until then. IRQL <=
 * APC_LEVEL.
 */
NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    void *base;
    SIZE_T bytes = *ViewSize;
    if (ob_type_of(Section) != &svc_section_type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    NTSTATUS status = mm_view_system(Section, seh_export_caller(), &base, &bytes);
    if (!NT_SUCCESS(status))
        return status;
    *MappedBase = base;
    *ViewSize = bytes;
    return status;
}

/* ---- the services ---- */

static NTSTATUS check_attributes(ULONG attributes, ULONG protect)
{
    ULONG kind = attributes & (SEC_COMMIT | SEC_RESERVE | SEC_IMAGE), prot;
    if (attributes & ~(ULONG)(SEC_COMMIT | SEC_RESERVE | SEC_IMAGE | SEC_NOCACHE | SEC_FILE) || !kind ||
        (kind & (kind - 1)))
        return STATUS_INVALID_PARAMETER_6;
    if (!mm_protection(protect, &prot) || protect & ~0xFFu || protect == PAGE_NOACCESS)
        return STATUS_INVALID_PAGE_PROTECTION;
    return STATUS_SUCCESS;
}

/* SEC_IMAGE is STATUS_NOT_SUPPORTED: drivers' images are mapped by the loader, programs are not run. */
NTSTATUS svc_CreateSection(struct svc_call *call)
{
    const struct svc_argument *a = call->arguments;
    ULONG protect = (ULONG)a[4].value, attributes = (ULONG)a[5].value;
    ULONG64 maximum = a[3].present ? a[3].number : 0, size = maximum;
    HANDLE file = (HANDLE)a[6].value;
    struct mm_segment *segment = NULL;
    void *body;
    NTSTATUS status = check_attributes(attributes, protect);
    if (NT_SUCCESS(status) && attributes & SEC_IMAGE)
        status = file ? STATUS_NOT_SUPPORTED : STATUS_INVALID_FILE_FOR_SECTION;
    if (!NT_SUCCESS(status))
        return status;
    if (file)
        status = file_segment(call, file, protect, maximum, &size, &segment);
    else if (!maximum)
        return STATUS_INVALID_PARAMETER_4;
    else
        status = mm_segment_create(maximum, attributes & SEC_COMMIT, NULL, &segment);
    if (NT_SUCCESS(status))
        status = ob_create(&svc_section_type, sizeof(struct mm_section), &body);
    if (!NT_SUCCESS(status)) {
        if (segment)
            mm_segment_release(segment);
        return status;
    }
    attributes |= file ? SEC_FILE : 0;
    *(struct mm_section *)body = (struct mm_section){segment, size, protect, attributes};
    return svc_object_create(call, body, 0, 1, 2);
}

NTSTATUS svc_OpenSection(struct svc_call *call)
{
    return svc_object_open(call, &svc_section_type, 0, 1, 2);
}

/* Sections of files only; a smaller size changes nothing. */
NTSTATUS svc_ExtendSection(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    void *body;
    NTSTATUS status =
        ob_handle_reference((HANDLE)a[0].value, SECTION_EXTEND_SIZE, &svc_section_type, call->mode, &body, NULL);
    if (!NT_SUCCESS(status))
        return status;
    struct mm_section *section = body;
    if (!(section->attributes & SEC_FILE) || !mm_protection_writes(section->protect))
        status = STATUS_SECTION_NOT_EXTENDED;
    else if (a[1].number > section->bytes)
        status = mm_segment_extend(section->segment, a[1].number);
    if (NT_SUCCESS(status)) {
        if (a[1].number > section->bytes)
            section->bytes = a[1].number;
        svc_set(call, 1, section->bytes);
    }
    ob_dereference(body);
    return status;
}

NTSTATUS svc_QuerySection(struct svc_call *call)
{
    struct svc_argument *a = call->arguments;
    SECTION_BASIC_INFORMATION info = {0};
    void *body;
    if (a[1].value != SectionBasicInformation && a[1].value != SectionImageInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (a[1].value == SectionBasicInformation && a[3].value < sizeof(info))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS status =
        ob_handle_reference((HANDLE)a[0].value, SECTION_QUERY, &svc_section_type, call->mode, &body, NULL);
    if (!NT_SUCCESS(status))
        return status;
    const struct mm_section *section = body;
    info.AllocationAttributes = section->attributes;
    info.MaximumSize.QuadPart = (LONGLONG)section->bytes;
    ob_dereference(body);
    if (a[1].value == SectionImageInformation)
        return STATUS_SECTION_NOT_IMAGE;
    *(SECTION_BASIC_INFORMATION *)a[2].data = info;
    a[2].bytes = sizeof(info);
    a[2].set = true;
    svc_set(call, 4, sizeof(info));
    return status;
}
