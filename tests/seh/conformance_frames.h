/*
 * conformance_frames.h - functions of the conformance program that need an exact frame, in assembly with .seh_
 * directives.
 */
#pragma once

int frame_leaf_read(void *address);       /* no .pdata entry: mov (%rcx), %eax; ret */
void frame_breakpoint(void);              /* int3; ret */
void frame_illegal(void);                 /* ud2 */
void frame_prologue_early(void *address); /* faults after the first push */
void frame_prologue_late(void *address);  /* faults after the allocation, before the end of the prologue */
void frame_huge(void *address);
void frame_clobber(void *address); /* overwrites every nonvolatile register, then faults */
void frame_clobber_call(void (*raise)(NTSTATUS, int), NTSTATUS code);
u64 frame_check_registers(void (*function)(void)); /* 0: function kept all nonvolatile registers */
void frame_jump_out(void);                         /* __finally that unwinds to a label of its own function */

/* clang-format off: an instruction sequence a line */
#define SAVE_ALL                                                                                                       \
    "pushq %rbx\n.seh_pushreg %rbx\n"                                                                                  \
    "pushq %rbp\n.seh_pushreg %rbp\n"                                                                                  \
    "pushq %rsi\n.seh_pushreg %rsi\n"                                                                                  \
    "pushq %rdi\n.seh_pushreg %rdi\n"                                                                                  \
    "pushq %r12\n.seh_pushreg %r12\n"                                                                                  \
    "pushq %r13\n.seh_pushreg %r13\n"                                                                                  \
    "pushq %r14\n.seh_pushreg %r14\n"                                                                                  \
    "pushq %r15\n.seh_pushreg %r15\n"                                                                                  \
    "subq $0xC8, %rsp\n.seh_stackalloc 0xC8\n"                                                                         \
    "movaps %xmm6, 0x20(%rsp)\n.seh_savexmm %xmm6, 0x20\n"                                                             \
    "movaps %xmm7, 0x30(%rsp)\n.seh_savexmm %xmm7, 0x30\n"                                                             \
    "movaps %xmm8, 0x40(%rsp)\n.seh_savexmm %xmm8, 0x40\n"                                                             \
    "movaps %xmm9, 0x50(%rsp)\n.seh_savexmm %xmm9, 0x50\n"                                                             \
    "movaps %xmm10, 0x60(%rsp)\n.seh_savexmm %xmm10, 0x60\n"                                                           \
    "movaps %xmm11, 0x70(%rsp)\n.seh_savexmm %xmm11, 0x70\n"                                                           \
    "movaps %xmm12, 0x80(%rsp)\n.seh_savexmm %xmm12, 0x80\n"                                                           \
    "movaps %xmm13, 0x90(%rsp)\n.seh_savexmm %xmm13, 0x90\n"                                                           \
    "movaps %xmm14, 0xA0(%rsp)\n.seh_savexmm %xmm14, 0xA0\n"                                                           \
    "movaps %xmm15, 0xB0(%rsp)\n.seh_savexmm %xmm15, 0xB0\n"                                                           \
    ".seh_endprologue\n"

#define RESTORE_ALL                                                                                                    \
    "movaps 0x20(%rsp), %xmm6\nmovaps 0x30(%rsp), %xmm7\nmovaps 0x40(%rsp), %xmm8\nmovaps 0x50(%rsp), %xmm9\n"         \
    "movaps 0x60(%rsp), %xmm10\nmovaps 0x70(%rsp), %xmm11\nmovaps 0x80(%rsp), %xmm12\nmovaps 0x90(%rsp), %xmm13\n"     \
    "movaps 0xA0(%rsp), %xmm14\nmovaps 0xB0(%rsp), %xmm15\n"                                                           \
    "addq $0xC8, %rsp\npopq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rdi\npopq %rsi\npopq %rbp\npopq %rbx\nret\n"

/* Each register gets its number times a pattern, or 0. */
#define SET_INTEGERS(FACTOR)                                                                                           \
    "movq $0x3*" FACTOR ", %rbx\nmovq $0x5*" FACTOR ", %rbp\nmovq $0x6*" FACTOR ", %rsi\nmovq $0x7*" FACTOR ", %rdi\n" \
    "movq $0xC*" FACTOR ", %r12\nmovq $0xD*" FACTOR ", %r13\nmovq $0xE*" FACTOR ", %r14\nmovq $0xF*" FACTOR ", %r15\n"
#define SET_XMM(N, FACTOR) "movq $" N "*" FACTOR ", %rax\nmovq %rax, %xmm" N "\npunpcklqdq %xmm" N ", %xmm" N "\n"
/* clang-format off */
#define SET_XMMS(FACTOR)                                                                                               \
    SET_XMM("6", FACTOR) SET_XMM("7", FACTOR) SET_XMM("8", FACTOR) SET_XMM("9", FACTOR) SET_XMM("10", FACTOR)          \
    SET_XMM("11", FACTOR) SET_XMM("12", FACTOR) SET_XMM("13", FACTOR) SET_XMM("14", FACTOR) SET_XMM("15", FACTOR)
/* clang-format on */
#define CLEAR_ALL SET_INTEGERS("0x99") SET_XMMS("0x99")

#define CHECK_INTEGER(REG, N, FACTOR) "movq $" N "*" FACTOR ", %rcx\nsubq %" REG ", %rcx\norq %rcx, %rax\n"
#define CHECK_XMM(N, FACTOR)                                                                                           \
    "movq $" N "*" FACTOR ", %rcx\nmovq %xmm" N ", %rdx\nsubq %rdx, %rcx\norq %rcx, %rax\n"                            \
    "movq $" N "*" FACTOR ", %rcx\npsrldq $8, %xmm" N "\nmovq %xmm" N ", %rdx\nsubq %rdx, %rcx\norq %rcx, %rax\n"

#define FUNCTION(NAME) ".globl " NAME "\n.def " NAME "; .scl 2; .type 32; .endef\n.seh_proc " NAME "\n" NAME ":\n"

__asm__(
    ".text\n.p2align 4\n"
    ".globl frame_leaf_read\nframe_leaf_read:\nmovl (%rcx), %eax\nret\nint3\n"
    ".globl frame_breakpoint\nframe_breakpoint:\nint3\nret\n"
    ".globl frame_illegal\nframe_illegal:\nud2\nret\n"

    ".p2align 4\n" FUNCTION(
        "frame_prologue_early") "pushq %rbx\n.seh_pushreg %rbx\n"
                                "movl (%rcx), %eax\n"
                                "subq $0x120, %rsp\n.seh_stackalloc 0x120\n"
                                ".seh_endprologue\n"
                                "addq $0x120, %rsp\npopq %rbx\nret\n.seh_endproc\n"

                                ".p2align 4\n" FUNCTION(
                                    "frame_prologue_late") "pushq %rbp\n.seh_pushreg %rbp\n"
                                                           "pushq %rbx\n.seh_pushreg %rbx\n"
                                                           "subq $0x128, %rsp\n.seh_stackalloc 0x128\n"
                                                           "xorl %ebx, %ebx\n"
                                                           "movl (%rcx), %eax\n"
                                                           "leaq 0x80(%rsp), %rbp\n.seh_setframe %rbp, 0x80\n"
                                                           ".seh_endprologue\n"
                                                           "leaq 0xA8(%rbp), %rsp\npopq %rbx\npopq "
                                                           "%rbp\nret\n.seh_endproc\n"

                                                           ".p2align 4\n" FUNCTION(
                                                               "frame_huge") "subq $70008, %rsp\n.seh_stackalloc "
                                                                             "70008\n.seh_endprologue\n"
                                                                             "movl (%rcx), %eax\n"
                                                                             "addq $70008, %rsp\nret\n.seh_endproc\n"

                                                                             ".p2align 4\n" FUNCTION("frame_clobber")
                                                                                 SAVE_ALL CLEAR_ALL
    "movl (%rcx), %eax\n" RESTORE_ALL ".seh_endproc\n"

    ".p2align 4\n" FUNCTION("frame_clobber_call") SAVE_ALL CLEAR_ALL
    "movq %rcx, %rax\nmovl %edx, %ecx\nxorl %edx, %edx\ncall *%rax\nnop\n" RESTORE_ALL ".seh_endproc\n"

    ".p2align 4\n" FUNCTION("frame_check_registers") SAVE_ALL "movq %rcx, %r10\n" SET_INTEGERS("0x1234567")
        SET_XMMS("0x7654321") "call *%r10\n"
                              "xorl %eax, %eax\n" CHECK_INTEGER("rbx", "0x3", "0x1234567")
                                  CHECK_INTEGER("rbp", "0x5", "0x1234567") CHECK_INTEGER("rsi", "0x6", "0x1234567")
                                      CHECK_INTEGER("rdi", "0x7", "0x1234567") CHECK_INTEGER("r12", "0xC", "0x1234567")
                                          CHECK_INTEGER("r13", "0xD", "0x1234567") CHECK_INTEGER("r14", "0xE",
                                                                                                 "0x1234567")
                                              CHECK_INTEGER("r15", "0xF", "0x1234567") CHECK_XMM("6", "0x7654321")
                                                  CHECK_XMM("7", "0x7654321") CHECK_XMM("8", "0x7654321")
                                                      CHECK_XMM("9", "0x7654321") CHECK_XMM("10", "0x7654321")
                                                          CHECK_XMM("11", "0x7654321") CHECK_XMM("12", "0x7654321")
                                                              CHECK_XMM("13", "0x7654321") CHECK_XMM("14", "0x7654321")
                                                                  CHECK_XMM("15", "0x7654321") RESTORE_ALL
    ".seh_endproc\n"

    /*
     * A scope table by hand: the faulting call stands in a __finally scope, whose function jumps to a label of
     * the frame.
     */
    ".p2align 4\n" FUNCTION(
        "frame_jump_out") ".seh_handler __C_specific_handler, @unwind, @except\n"
                          ".seh_handlerdata\n.long 2\n"
                          ".rva frame_jump_begin\n.rva frame_jump_end\n.rva frame_jump_finally\n.long 0\n"
                          ".rva frame_jump_begin\n.rva frame_jump_end\n.long 1\n.rva frame_jump_except\n"
                          ".text\n"
                          "subq $0x28, %rsp\n.seh_stackalloc 0x28\n.seh_endprologue\n"
                          "frame_jump_begin:\n"
                          "xorl %ecx, %ecx\ncall frame_leaf_read\nnop\n"
                          "frame_jump_end:\n"
                          "frame_jump_except:\n"
                          "movl $'x', %ecx\ncall mark_from_frame\nnop\n"
                          "addq $0x28, %rsp\nret\n"
                          "frame_jump_label:\n"
                          "movl $'j', %ecx\ncall mark_from_frame\nnop\n"
                          "addq $0x28, %rsp\nret\n.seh_endproc\n"

                          ".p2align 4\n" FUNCTION(
                              "frame_jump_finally") "pushq %rbx\n.seh_pushreg %rbx\n"
                                                    "subq $0x20, %rsp\n.seh_stackalloc 0x20\n.seh_endprologue\n"
                                                    "movq %rdx, %rbx\n"
                                                    "movl $'1', %ecx\ncall mark_from_frame\nnop\n"
                                                    "movq %rbx, %rcx\nleaq frame_jump_label(%rip), %rdx\nxorl %r8d, "
                                                    "%r8d\nxorl %r9d, %r9d\n"
                                                    "call *__imp_RtlUnwind(%rip)\nint3\n"
                                                    ".seh_endproc\n");
/* clang-format on */

__attribute__((used)) void mark_from_frame(char what)
{
    mark(what);
}
