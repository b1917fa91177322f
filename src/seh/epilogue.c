/*
 * epilogue.c - recognises an x64 epilogue from its instructions and finishes it on a context.
 *
 * Owns the short list of forms an epilogue may have ("x64 prolog and epilog", Microsoft Learn): add rsp or lea rsp,
 * pops of 64-bit registers, then ret or a jump out of the function. Everything else is the function's body.
 */
#include "seh_internal.h"

#include "plat.h"

#define RSP_NUMBER  4
#define CODE_WINDOW 64

struct cursor {
    const UCHAR *bytes;
    ULONG at;
    ULONG end;
};

static bool have(const struct cursor *code, ULONG count)
{
    return count <= code->end - code->at;
}

static LONG load_signed(const UCHAR *bytes, ULONG size)
{
    if (size == 1)
        return (signed char)bytes[0];
    return (LONG)(bytes[0] | (ULONG)bytes[1] << 8 | (ULONG)bytes[2] << 16 | (ULONG)bytes[3] << 24);
}

/*
 * add rsp, imm or lea rsp, disp[frame register]: at most one, at the start. False: looks like one, but is not of an
 * epilogue.
 */
static bool take_adjust(struct cursor *code, UCHAR frame_register, CONTEXT *context)
{
    const UCHAR *p = code->bytes + code->at;
    if (!have(code, 4))
        return true;
    if (p[0] == 0x48 && (p[1] == 0x83 || p[1] == 0x81) && p[2] == 0xC4) {
        ULONG size = p[1] == 0x83 ? 1 : 4;
        if (!have(code, 3 + size))
            return false;
        context->Rsp += (LONG64)load_signed(p + 3, size);
        code->at += 3 + size;
        return true;
    }
    if ((p[0] & 0xFE) == 0x48 && p[1] == 0x8D && (p[2] & 0x38) == 0x20) {
        ULONG base = (p[2] & 7u) | (p[0] & 1u) << 3;
        ULONG mode = p[2] >> 6;
        ULONG size = mode == 1 ? 1 : mode == 2 ? 4 : 0;
        /* r12 as a base takes a SIB byte; compilers do not use it as a frame register with lea. */
        if (!frame_register || base != frame_register || mode == 3 || (base & 7) == RSP_NUMBER || !have(code, 3 + size))
            return false;
        context->Rsp = (&context->Rax)[base] + (size ? (LONG64)load_signed(p + 3, size) : 0);
        code->at += 3 + size;
    }
    return true;
}

static bool take_pops(struct cursor *code, CONTEXT *context)
{
    for (;;) {
        const UCHAR *p = code->bytes + code->at;
        ULONG high = have(code, 2) && p[0] == 0x41 ? 1 : 0;
        if (!have(code, 1 + high) || (p[high] & 0xF8) != 0x58)
            return true;
        ULONG number = (p[high] & 7u) | high << 3;
        if (number == RSP_NUMBER || !seh_stack_read(context->Rsp, &(&context->Rax)[number], 8))
            return false;
        context->Rsp += 8;
        code->at += 1 + high;
    }
}

/* A relative jump ends an epilogue if it leaves the function, whose pieces are told by their common first one. */
static bool leaves_function(const struct seh_image *image, const RUNTIME_FUNCTION *function, ULONG64 target)
{
    RUNTIME_FUNCTION here;
    RUNTIME_FUNCTION there;
    ULONG64 rva = target - image->base;
    if (!seh_function_primary(image, function, &here))
        return false;
    if (rva == here.BeginAddress)
        return true; /* a function that tail-calls itself */
    if (rva >= function->BeginAddress && rva < function->EndAddress)
        return false;
    const struct seh_image *to = seh_image_find(target);
    const RUNTIME_FUNCTION *other = to == image ? seh_function_find(image, target) : NULL;
    if (!other || !seh_function_primary(image, other, &there))
        return true;
    return there.BeginAddress != here.BeginAddress;
}

static bool ends(const struct seh_image *image, ULONG64 pc, const RUNTIME_FUNCTION *function, const struct cursor *code)
{
    const UCHAR *p = code->bytes + code->at;
    if (!have(code, 1))
        return false;
    if (p[0] == 0xC3)
        return true;
    if (have(code, 2) && p[0] == 0xF3 && p[1] == 0xC3)
        return true;
    if (have(code, 3) && p[0] == 0xC2)
        return true;
    if (have(code, 2) && p[0] == 0xEB)
        return leaves_function(image, function, pc + code->at + 2 + (LONG64)load_signed(p + 1, 1));
    if (have(code, 5) && p[0] == 0xE9)
        return leaves_function(image, function, pc + code->at + 5 + (LONG64)load_signed(p + 1, 4));
    if (have(code, 2) && p[0] == 0xFF && p[1] == 0x25)
        return true;
    /* jmp through memory or a register; the REX.W prefix marks it as the end of an epilogue. */
    return have(code, 3) && (p[0] & 0xF8) == 0x48 && p[1] == 0xFF && (p[2] & 0x38) == 0x20;
}

bool seh_unwind_epilogue(const struct seh_image *image, ULONG64 pc, const RUNTIME_FUNCTION *function,
                         UCHAR frame_register, CONTEXT *context)
{
    UCHAR bytes[CODE_WINDOW];
    ULONG64 rva = pc - image->base;
    if (rva >= function->EndAddress || rva >= image->size)
        return false;
    ULONG64 size = function->EndAddress - rva;
    if (size > image->size - rva)
        size = image->size - rva;
    if (size > sizeof(bytes))
        size = sizeof(bytes);
    if (!seh_image_read(image, rva, bytes, size))
        return false;

    struct cursor code = {bytes, 0, (ULONG)size};
    ULONG64 saved[17]; /* the integer registers and, last, the pc */
    __builtin_memcpy(saved, &context->Rax, sizeof(saved));
    bool found = take_adjust(&code, frame_register, context) && take_pops(&code, context) &&
                 ends(image, pc, function, &code) && seh_stack_read(context->Rsp, &context->Rip, 8);
    if (!found) {
        __builtin_memcpy(&context->Rax, saved, sizeof(saved));
        return false;
    }
    context->Rsp += 8;
    return true;
}
