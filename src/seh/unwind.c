/*
 * unwind.c - the x64 virtual unwind: from a function's registers to its caller's, by the image's unwind codes.
 *
 * Follows "x64 exception handling" (Microsoft Learn), versions 1 and 2 of UNWIND_INFO. Epilogues stand in epilogue.c.
 * Trusts neither tables nor stack: a bad one is a status, never a fault or a loop.
 */
#include "seh_internal.h"

#include "plat.h"

enum {
    UWOP_PUSH_NONVOL,
    UWOP_ALLOC_LARGE,
    UWOP_ALLOC_SMALL,
    UWOP_SET_FPREG,
    UWOP_SAVE_NONVOL,
    UWOP_SAVE_NONVOL_FAR,
    UWOP_EPILOG,     /* version 2; describes an epilogue, nothing to undo */
    UWOP_SPARE_CODE, /* version 2 */
    UWOP_SAVE_XMM128,
    UWOP_SAVE_XMM128_FAR,
    UWOP_PUSH_MACHFRAME
};

#define CHAIN_LIMIT   32
#define MACHFRAME_RIP 0
#define MACHFRAME_RSP 24

/* UNWIND_INFO as read from the image. tail: the handler's offset, or the chained function. */
struct unwind_info {
    UCHAR version;
    UCHAR flags;
    UCHAR prologue_size;
    UCHAR count;
    UCHAR frame_register;
    UCHAR frame_offset; /* bytes */
    USHORT codes[256];
    ULONG64 tail;
};

static bool info_read(const struct seh_image *image, ULONG rva, struct unwind_info *info)
{
    UCHAR head[4];
    if ((rva & 3) || !seh_image_read(image, rva, head, sizeof(head)))
        return false;
    info->version = head[0] & 7;
    info->flags = head[0] >> 3;
    info->prologue_size = head[1];
    info->count = head[2];
    info->frame_register = head[3] & 15;
    info->frame_offset = (UCHAR)((head[3] >> 4) * 16);
    info->tail = (ULONG64)rva + 4 + 2u * ((info->count + 1u) & ~1u);
    return (info->version == 1 || info->version == 2) &&
           seh_image_read(image, (ULONG64)rva + 4, info->codes, 2u * info->count);
}

/* The number of 16-bit slots a code takes, 0 if it is none. */
static ULONG code_slots(const struct unwind_info *info, UCHAR operation, UCHAR detail)
{
    switch (operation) {
    case UWOP_PUSH_NONVOL:
    case UWOP_ALLOC_SMALL:
    case UWOP_SET_FPREG:
        return 1;
    case UWOP_PUSH_MACHFRAME:
        return detail <= 1 ? 1 : 0;
    case UWOP_ALLOC_LARGE:
        return detail == 0 ? 2 : detail == 1 ? 3 : 0;
    case UWOP_SAVE_NONVOL:
    case UWOP_SAVE_XMM128:
        return 2;
    case UWOP_SAVE_NONVOL_FAR:
    case UWOP_SAVE_XMM128_FAR:
        return 3;
    case UWOP_EPILOG:
        return info->version >= 2 ? 1 : 2;
    case UWOP_SPARE_CODE:
        return 3;
    default:
        return 0;
    }
}

static bool stack_load(ULONG64 address, ULONG64 *value)
{
    return seh_stack_read(address, value, sizeof(*value));
}

__attribute__((no_sanitize("address"))) bool seh_stack_read(ULONG64 address, void *to, SIZE_T size)
{
    const struct arch_thread *thread = arch_self();
    if (address >= thread->stack_low && address < thread->stack_high && size <= thread->stack_high - address &&
        !(address & 7)) {
        for (SIZE_T i = 0; i < size / 8; i++)
            ((ULONG64 *)to)[i] = ((const volatile ULONG64 *)address)[i];
        return true;
    }
    return plat_safe_read(to, address, size) == size;
}

static ULONG code_operand(const struct unwind_info *info, ULONG index, ULONG slots)
{
    if (slots == 2)
        return info->codes[index + 1];
    return info->codes[index + 1] | (ULONG)info->codes[index + 2] << 16;
}

/* Undoes one code. *returned: a machine frame gave pc and stack pointer already. */
static NTSTATUS code_undo(const struct unwind_info *info, ULONG index, ULONG slots, ULONG64 frame, CONTEXT *context,
                          bool *returned)
{
    UCHAR operation = (info->codes[index] >> 8) & 15;
    UCHAR detail = info->codes[index] >> 12;
    ULONG64 *registers = &context->Rax;
    bool read = true;

    switch (operation) {
    case UWOP_PUSH_NONVOL:
        read = stack_load(context->Rsp, &registers[detail]);
        context->Rsp += 8;
        break;
    case UWOP_ALLOC_LARGE:
        context->Rsp += detail ? code_operand(info, index, slots) : 8ull * code_operand(info, index, slots);
        break;
    case UWOP_ALLOC_SMALL:
        context->Rsp += 8ull * detail + 8;
        break;
    case UWOP_SET_FPREG:
        context->Rsp = registers[info->frame_register] - info->frame_offset;
        break;
    case UWOP_SAVE_NONVOL:
        read = stack_load(frame + 8ull * code_operand(info, index, slots), &registers[detail]);
        break;
    case UWOP_SAVE_NONVOL_FAR:
        read = stack_load(frame + code_operand(info, index, slots), &registers[detail]);
        break;
    case UWOP_SAVE_XMM128:
        read = seh_stack_read(frame + 16ull * code_operand(info, index, slots), &context->FltSave.Xmm[detail], 16);
        break;
    case UWOP_SAVE_XMM128_FAR:
        read = seh_stack_read(frame + code_operand(info, index, slots), &context->FltSave.Xmm[detail], 16);
        break;
    case UWOP_PUSH_MACHFRAME: {
        ULONG64 machine = context->Rsp + (detail ? 8 : 0);
        read = stack_load(machine + MACHFRAME_RIP, &context->Rip) && stack_load(machine + MACHFRAME_RSP, &context->Rsp);
        *returned = true;
        break;
    }
    default:
        break;
    }
    return read ? STATUS_SUCCESS : STATUS_BAD_STACK;
}

/* Undoes the codes of one info whose instructions lie before offset in the prologue. */
static NTSTATUS codes_undo(const struct unwind_info *info, ULONG offset, ULONG64 frame, CONTEXT *context,
                           bool *returned)
{
    for (ULONG i = 0; i < info->count;) {
        ULONG slots = code_slots(info, (info->codes[i] >> 8) & 15, info->codes[i] >> 12);
        if (slots == 0 || slots > info->count - i)
            return STATUS_BAD_FUNCTION_TABLE;
        if ((info->codes[i] & 0xff) <= offset) {
            NTSTATUS status = code_undo(info, i, slots, frame, context, returned);
            if (!NT_SUCCESS(status))
                return status;
        }
        i += slots;
    }
    return STATUS_SUCCESS;
}

/* True if the frame register has been set by the time offset bytes of the prologue were run. */
static bool frame_register_set(const struct unwind_info *info, ULONG offset)
{
    if (!info->frame_register)
        return false;
    if (offset >= info->prologue_size || (info->flags & UNW_FLAG_CHAININFO))
        return true;
    for (ULONG i = 0; i < info->count;) {
        UCHAR operation = (info->codes[i] >> 8) & 15;
        if (operation == UWOP_SET_FPREG)
            return offset >= (info->codes[i] & 0xffu);
        ULONG slots = code_slots(info, operation, info->codes[i] >> 12);
        if (!slots)
            return false;
        i += slots;
    }
    return false;
}

static NTSTATUS leaf_return(CONTEXT *context)
{
    if (!stack_load(context->Rsp, &context->Rip))
        return STATUS_BAD_STACK;
    context->Rsp += 8;
    return STATUS_SUCCESS;
}

/* Fills in the language handler if there is one of the kinds wanted. */
static NTSTATUS handler_read(const struct seh_image *image, const struct unwind_info *info, ULONG handlers,
                             struct seh_frame_info *out)
{
    ULONG rva;
    if (!(info->flags & handlers) || (info->flags & UNW_FLAG_CHAININFO))
        return STATUS_SUCCESS;
    if (!seh_image_read(image, info->tail, &rva, sizeof(rva)) || rva >= image->size)
        return STATUS_BAD_FUNCTION_TABLE;
    out->handler = (PEXCEPTION_ROUTINE)(image->base + rva);
    out->handler_data = (PVOID)(image->base + info->tail + 4);
    return STATUS_SUCCESS;
}

bool seh_function_primary(const struct seh_image *image, const RUNTIME_FUNCTION *function, RUNTIME_FUNCTION *primary)
{
    *primary = *function;
    for (ULONG depth = 0; depth < CHAIN_LIMIT; depth++) {
        UCHAR head[4];
        if (!seh_image_read(image, primary->UnwindData, head, sizeof(head)))
            return false;
        if (!((head[0] >> 3) & UNW_FLAG_CHAININFO))
            return true;
        ULONG64 tail = (ULONG64)primary->UnwindData + 4 + 2u * ((head[2] + 1u) & ~1u);
        if (!seh_image_read(image, tail, primary, sizeof(*primary)))
            return false;
    }
    return false;
}

/* The body of seh_virtual_unwind for a function with an entry, pc not in an epilogue. */
static NTSTATUS unwind_by_codes(const struct seh_image *image, ULONG handlers, ULONG offset, struct unwind_info *info,
                                CONTEXT *context, struct seh_frame_info *out)
{
    bool returned = false;
    bool in_body = offset >= info->prologue_size;
    if (in_body) {
        NTSTATUS status = handler_read(image, info, handlers, out);
        if (!NT_SUCCESS(status))
            return status;
    }
    for (ULONG depth = 0;; depth++) {
        NTSTATUS status = codes_undo(info, offset, out->establisher, context, &returned);
        if (!NT_SUCCESS(status))
            return status;
        if (!(info->flags & UNW_FLAG_CHAININFO))
            return returned ? STATUS_SUCCESS : leaf_return(context);
        /* The rest of the function's prologue ran before this piece began: all of the parent's codes count. */
        RUNTIME_FUNCTION parent;
        if (depth >= CHAIN_LIMIT || !seh_image_read(image, info->tail, &parent, sizeof(parent)) ||
            !info_read(image, parent.UnwindData, info))
            return STATUS_BAD_FUNCTION_TABLE;
        offset = ~0u;
        if (in_body) {
            status = handler_read(image, info, handlers, out);
            if (!NT_SUCCESS(status))
                return status;
        }
    }
}

NTSTATUS seh_virtual_unwind(const struct seh_image *image, ULONG handlers, ULONG64 pc, PRUNTIME_FUNCTION function,
                            CONTEXT *context, struct seh_frame_info *out)
{
    struct unwind_info info;
    *out = (struct seh_frame_info){.establisher = context->Rsp};
    if (!function)
        return leaf_return(context);
    if (!info_read(image, function->UnwindData, &info))
        return STATUS_BAD_FUNCTION_TABLE;

    ULONG64 into = pc - image->base - function->BeginAddress;
    ULONG offset = into > MAXULONG ? MAXULONG : (ULONG)into;
    if (frame_register_set(&info, offset))
        out->establisher = (&context->Rax)[info.frame_register] - info.frame_offset;
    if (offset >= info.prologue_size && seh_unwind_epilogue(image, pc, function, info.frame_register, context))
        return STATUS_SUCCESS;
    return unwind_by_codes(image, handlers, offset, &info, context, out);
}

/*
 * *ContextPointers is not filled: nothing in an x64 driver's own handlers reads it. Bad data leaves Rip 0, the end
 * of a walk.
 */
PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord, PVOID *HandlerData,
                                          ULONG64 *EstablisherFrame, PVOID ContextPointers)
{
    UNREFERENCED_PARAMETER(ContextPointers);
    struct seh_frame_info info = {0};
    const struct seh_image *image = seh_image_find(ImageBase);
    NTSTATUS status = STATUS_BAD_FUNCTION_TABLE;
    if (image || !FunctionEntry)
        status = seh_virtual_unwind(image, HandlerType, ControlPc, FunctionEntry, ContextRecord, &info);
    if (!NT_SUCCESS(status)) {
        ContextRecord->Rip = 0;
        return NULL;
    }
    *EstablisherFrame = info.establisher;
    if (HandlerData)
        *HandlerData = info.handler_data;
    return info.handler;
}
