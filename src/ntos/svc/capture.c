/*
 * capture.c - the capture half of every service, driven by the kinds of its arguments; the only code of svc that
 * touches the caller's memory, through the accessors and by the call's mode.
 */
#include "svc.h"
#include "rtl.h"
#include "wdk/seh.h"
#include "usermode_accessors.h"

#define CAPTURE_TAG RTL_TAG('S', 'v', 'c', 'C')

enum { LARGEST_DATA = (1 << 20) + (1 << 16) }; /* the largest registry value, with its name */

const struct svc_kind_row svc_kinds[SVC_KINDS] = {
#define KIND(name, type, bytes, alignment, flags, text) {#name, #type, text, bytes, alignment, flags},
#include "kinds.def"
#undef KIND
};

/* ---- what can fault: each raises ---- */

static void read(void *to, ULONG64 from, SIZE_T bytes, ULONG alignment, KPROCESSOR_MODE mode)
{
    if (mode != KernelMode)
        ProbeForRead((const void *)from, bytes, alignment);
    CopyFromMode(to, (const void *)from, bytes, mode);
}

static void write(ULONG64 to, const void *from, SIZE_T bytes, KPROCESSOR_MODE mode)
{
    CopyToMode((void *)to, from, bytes, mode);
}

/* Text of a string whose header was read once, in pool. An odd length is STATUS_INVALID_PARAMETER. */
static NTSTATUS read_text(PUNICODE_STRING copy, const UNICODE_STRING *string, KPROCESSOR_MODE mode)
{
    if (string->Length % sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    if (!string->Length)
        return STATUS_SUCCESS;
    copy->Buffer = mm_heap_allocate(string->Length, CAPTURE_TAG);
    if (!copy->Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    copy->Length = copy->MaximumLength = string->Length;
    read(copy->Buffer, (ULONG64)string->Buffer, string->Length, sizeof(WCHAR), mode);
    return STATUS_SUCCESS;
}

static NTSTATUS capture_attributes(struct svc_argument *argument, KPROCESSOR_MODE mode)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = {0};
    argument->object = (struct svc_attributes){0};
    if (!argument->present)
        return STATUS_SUCCESS;
    read(&attributes, argument->value, sizeof(attributes), 4, mode);
    if (attributes.Length != sizeof(attributes))
        return STATUS_INVALID_PARAMETER;
    argument->object.present = true;
    argument->object.root = attributes.RootDirectory;
    argument->object.attributes =
        mode == KernelMode ? attributes.Attributes : attributes.Attributes & ~(ULONG)OBJ_KERNEL_HANDLE;
    if (attributes.ObjectName)
        read(&name, (ULONG64)attributes.ObjectName, sizeof(name), 4, mode);
    return read_text(&argument->object.name, &name, mode);
}

static NTSTATUS capture_string(struct svc_argument *argument, bool optional, KPROCESSOR_MODE mode)
{
    UNICODE_STRING string;
    argument->string = (UNICODE_STRING){0};
    if (!argument->present && optional)
        return STATUS_SUCCESS;
    read(&string, argument->value, sizeof(string), 4, mode);
    return read_text(&argument->string, &string, mode);
}

/* Room for bytes of data; filled, if it is read, from an address of that alignment. */
static NTSTATUS capture_data(struct svc_argument *argument, SIZE_T bytes, bool fill, ULONG alignment,
                             KPROCESSOR_MODE mode)
{
    argument->data = NULL;
    argument->bytes = bytes;
    if (bytes > LARGEST_DATA)
        return STATUS_INVALID_PARAMETER;
    if (!fill && mode != KernelMode)
        ProbeForWrite((void *)argument->value, bytes, alignment);
    if (!bytes)
        return STATUS_SUCCESS;
    argument->data = mm_heap_allocate(bytes, CAPTURE_TAG);
    if (!argument->data)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (fill)
        read(argument->data, argument->value, bytes, alignment, mode);
    else /* what a service leaves out is not what was here before */
        __builtin_memset(argument->data, 0, bytes);
    return STATUS_SUCCESS;
}

/* Text goes to the buffer that the string names: the buffer's address is kept, with its size. */
static NTSTATUS capture_string_out(struct svc_argument *argument, KPROCESSOR_MODE mode)
{
    UNICODE_STRING string;
    argument->string = (UNICODE_STRING){0};
    read(&string, argument->value, sizeof(string), 4, mode);
    if (mode != KernelMode) {
        ProbeForWrite((void *)argument->value, sizeof(string), 4);
        ProbeForWrite(string.Buffer, string.MaximumLength, sizeof(WCHAR));
    }
    argument->text = (ULONG64)string.Buffer;
    argument->string.MaximumLength = string.MaximumLength;
    if (!string.MaximumLength)
        return STATUS_SUCCESS;
    argument->string.Buffer = mm_heap_allocate(string.MaximumLength, CAPTURE_TAG);
    return argument->string.Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The length that stands behind argument i, which has not been captured yet. */
static SIZE_T length_behind(const struct svc_call *call, ULONG i)
{
    ULONG64 length = call->arguments[i + 1].value;
    return call->row->kinds[i + 1] == SVC_SIZE ? length : (ULONG)length;
}

static NTSTATUS capture_one(struct svc_call *call, ULONG i)
{
    struct svc_argument *argument = &call->arguments[i];
    enum svc_kind kind = call->row->kinds[i];
    const struct svc_kind_row *row = &svc_kinds[kind];
    argument->present = argument->value != 0;
    switch (kind) {
    case SVC_ULONG:
    case SVC_LONG:
        argument->value = (ULONG)argument->value;
        return STATUS_SUCCESS;
    case SVC_BOOLEAN:
        argument->value = (UCHAR)argument->value != 0;
        return STATUS_SUCCESS;
    case SVC_ATTRIBUTES:
        return capture_attributes(argument, call->mode);
    case SVC_STRING:
    case SVC_STRING_OPT:
        return capture_string(argument, kind == SVC_STRING_OPT, call->mode);
    case SVC_STRING_OUT:
        return capture_string_out(argument, call->mode);
    case SVC_HANDLES: /* the count before it is checked by the service; more are never read */
        if (!call->arguments[i - 1].value || call->arguments[i - 1].value > MAXIMUM_WAIT_OBJECTS)
            return STATUS_INVALID_PARAMETER_1;
        return capture_data(argument, call->arguments[i - 1].value * sizeof(HANDLE), true, 1, call->mode);
    case SVC_DATA_OUT:
        return capture_data(argument, length_behind(call, i), false, row->alignment, call->mode);
    case SVC_DATA_IN:
        return capture_data(argument, length_behind(call, i), true, row->alignment, call->mode);
    case SVC_BASIC_OUT:
    case SVC_NETWORK_OUT:
        return capture_data(argument, row->bytes, false, row->alignment, call->mode);
    default:
        break;
    }
    if (!row->bytes || (!argument->present && (row->flags & SVC_OPT)))
        return STATUS_SUCCESS;
    argument->number = 0;
    if (row->flags & SVC_IN)
        read(&argument->number, argument->value, row->bytes, row->alignment, call->mode);
    if ((row->flags & SVC_OUT) && call->mode != KernelMode)
        ProbeForWrite((void *)argument->value, row->bytes, row->alignment);
    return STATUS_SUCCESS;
}

NTSTATUS svc_capture(struct svc_call *call)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    volatile ULONG i = 0;
    __try {
        for (; i < call->row->count && NT_SUCCESS(status); i++)
            status = capture_one(call, i);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void write_one(struct svc_call *call, ULONG i)
{
    const struct svc_argument *argument = &call->arguments[i];
    enum svc_kind kind = call->row->kinds[i];
    switch (kind) {
    case SVC_DATA_OUT:
    case SVC_BASIC_OUT:
    case SVC_NETWORK_OUT:
        if (argument->bytes)
            write(argument->value, argument->data, argument->bytes, call->mode);
        break;
    case SVC_STRING_OUT: /* of the header only the length is ours to change */
        write(argument->text, argument->string.Buffer, argument->string.Length, call->mode);
        write(argument->value, &argument->string.Length, sizeof(argument->string.Length), call->mode);
        break;
    case SVC_IO_STATUS:
        write(argument->value, &argument->io, sizeof(argument->io), call->mode);
        break;
    default:
        write(argument->value, &argument->number, svc_kinds[kind].bytes, call->mode);
        break;
    }
}

NTSTATUS svc_write_back(struct svc_call *call)
{
    volatile NTSTATUS status = STATUS_SUCCESS;
    volatile ULONG i = 0;
    __try {
        for (; i < call->row->count; i++)
            if (call->arguments[i].set && call->arguments[i].present)
                write_one(call, i);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    for (ULONG k = 0; !NT_SUCCESS(status) && k < call->row->count; k++)
        if (call->arguments[k].set &&
            (call->row->kinds[k] == SVC_OUT_HANDLE || call->row->kinds[k] == SVC_OUT_HANDLE_OPT))
            ob_handle_close((HANDLE)call->arguments[k].number, KernelMode);
    return status;
}

static void free_block(void *block)
{
    if (block)
        mm_heap_free(block, CAPTURE_TAG);
}

void svc_release(struct svc_call *call)
{
    for (ULONG i = 0; i < call->row->count; i++) {
        struct svc_argument *argument = &call->arguments[i];
        switch (call->row->kinds[i]) {
        case SVC_ATTRIBUTES:
            free_block(argument->object.name.Buffer);
            break;
        case SVC_STRING:
        case SVC_STRING_OPT:
        case SVC_STRING_OUT:
            free_block(argument->string.Buffer);
            break;
        case SVC_HANDLES:
        case SVC_DATA_OUT:
        case SVC_DATA_IN:
        case SVC_BASIC_OUT:
        case SVC_NETWORK_OUT:
            free_block(argument->data);
            break;
        default:
            break;
        }
    }
    if (call->held)
        ob_dereference(call->held);
}
