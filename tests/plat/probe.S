/*
 * probe.S - single instructions for the tests of the platform, and two small accessors with fault-table entries.
 *
 * Each probe notes the address after its instruction in probe_resume; the test's trap hook goes on there. Arguments
 * as in C (rdi, rsi, rdx, rcx); r11 is scratch.
 */
    .text

    .macro PROBE name, instruction
    .globl \name
    .type \name, @function
\name:
    leaq 9f(%rip), %r11
    movq %r11, probe_resume(%rip)
    movq %rdx, %rcx
    movq %rsi, %rax
    leaq 8f(%rip), %r11
    movq %r11, probe_pc(%rip)
8:  \instruction
9:  ret
    .size \name, . - \name
    .endm

PROBE probe_read1, "movzbl (%rdi), %eax"
PROBE probe_read2, "movzwl (%rdi), %eax"
PROBE probe_read4, "movl (%rdi), %eax"
PROBE probe_read8, "movq (%rdi), %rax"
PROBE probe_write1, "movb %al, (%rdi)"
PROBE probe_write8, "movq %rax, (%rdi)"
PROBE probe_add8, "lock addq %rax, (%rdi)"
PROBE probe_movdqu, "movdqu (%rdi), %xmm0"
PROBE probe_movaps, "movaps (%rdi), %xmm0"
PROBE probe_copy, "rep movsb"
PROBE probe_fill, "rep stosb"
PROBE probe_scan, "repne scasb; movq %rcx, %rax"
PROBE probe_push, "pushq (%rdi); popq %rax"
PROBE probe_call, "call *%rdi"
PROBE probe_int3, "int3"
PROBE probe_int3_long, ".byte 0xcd, 0x03"
PROBE probe_int29, "int $0x29"
PROBE probe_int2c, "int $0x2c"
PROBE probe_int2d, "int $0x2d"
PROBE probe_ud2, "ud2"
PROBE probe_hlt, "hlt"
PROBE probe_cli, "cli"
PROBE probe_sti, "sti"
PROBE probe_in, "in %dx, %al"
PROBE probe_invd, "invd"
PROBE probe_wbinvd, "wbinvd"
PROBE probe_wrmsr, "wrmsr"
PROBE probe_rdmsr, "rdmsr; shlq $32, %rdx; orq %rdx, %rax"
PROBE probe_get_cr8, "movq %cr8, %rax"
PROBE probe_set_cr8, "movq %rdi, %cr8"
PROBE probe_get_cr3, "movq %cr3, %rax"
PROBE probe_add_from, "addq (%rdi), %rax"
PROBE probe_cmp, "cmpl (%rdi), %eax; sete %al; movzbl %al, %eax"
PROBE probe_self_add, "addq (%rdi), %rdi"
PROBE probe_movsx, "movslq (%rdi), %rax"
PROBE probe_movsxb, "movsbw (%rdi), %ax"
PROBE probe_high, "movb (%rdi), %ah"
PROBE probe_trapflag, "pushfq; orq $0x100, (%rsp); popfq; nop"

/* uint64_t probe_divide(uint64_t high, uint64_t low, uint64_t divisor) */
    .globl probe_divide
probe_divide:
    leaq 9f(%rip), %r11
    movq %r11, probe_resume(%rip)
    movq %rdx, %rcx
    movq %rdi, %rdx
    movq %rsi, %rax
    divq %rcx
9:  ret

/* uint64_t probe_moffs(void): the absolute-address form that reads KUSER_SHARED_DATA.NtMajorVersion. */
    .globl probe_moffs
probe_moffs:
    leaq 9f(%rip), %r11
    movq %r11, probe_resume(%rip)
    xorl %eax, %eax
    movabsl 0xFFFFF7800000026c, %eax
9:  ret

/* void probe_stack_read(ULONG_PTR at): through rbp, hence the stack segment. */
    .globl probe_stack_read
probe_stack_read:
    pushq %rbp
    leaq 9f(%rip), %r11
    movq %r11, probe_resume(%rip)
    movq %rdi, %rbp
    movq (%rbp), %rax
9:  popq %rbp
    ret

/* uint64_t probe_gs(void): gs:[0x1008], the block's own address. */
    .globl probe_gs
probe_gs:
    movq %gs:0x1008, %rax
    ret

/*
 * void probe_registers(const struct probe_state *in, struct probe_state *out): rdi, rsi. Loads every register from
 * *in, faults reading [rax], and stores every register to *out once resumed. State: 16 general registers in encoding
 * order (rsp ignored), flags, 16 xmm at 0x90.
 */
    .globl probe_registers
    .globl probe_registers_fault
probe_registers:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rsi
    leaq 9f(%rip), %r11
    movq %r11, probe_resume(%rip)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 0x90+16*\n(%rdi), %xmm\n
    .endr
    pushq 0x80(%rdi)
    popfq
    movq 0x00(%rdi), %rax
    movq 0x08(%rdi), %rcx
    movq 0x10(%rdi), %rdx
    movq 0x18(%rdi), %rbx
    movq 0x28(%rdi), %rbp
    movq 0x30(%rdi), %rsi
    movq 0x40(%rdi), %r8
    movq 0x48(%rdi), %r9
    movq 0x50(%rdi), %r10
    movq 0x58(%rdi), %r11
    movq 0x60(%rdi), %r12
    movq 0x68(%rdi), %r13
    movq 0x70(%rdi), %r14
    movq 0x78(%rdi), %r15
    movq 0x38(%rdi), %rdi
probe_registers_fault:
    movq (%rax), %rax
9:  pushfq
    pushq %rax
    movq 16(%rsp), %rax /* out */
    movq %rcx, 0x08(%rax)
    movq %rdx, 0x10(%rax)
    movq %rbx, 0x18(%rax)
    movq %rbp, 0x28(%rax)
    movq %rsi, 0x30(%rax)
    movq %rdi, 0x38(%rax)
    movq %r8, 0x40(%rax)
    movq %r9, 0x48(%rax)
    movq %r10, 0x50(%rax)
    movq %r11, 0x58(%rax)
    movq %r12, 0x60(%rax)
    movq %r13, 0x68(%rax)
    movq %r14, 0x70(%rax)
    movq %r15, 0x78(%rax)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, 0x90+16*\n(%rax)
    .endr
    popq %rcx
    movq %rcx, 0x00(%rax)
    popq %rcx
    movq %rcx, 0x80(%rax)
    cld
    popq %rsi
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* ---- accessors of our own ---- */

    .macro WINDOW_OPEN
    movl arch_pkru_mask(%rip), %r9d
    testl %r9d, %r9d
    jz 7f
    movq %rcx, %r8
    movq %rdx, %r10
    xorl %ecx, %ecx
    rdpkru
    notl %r9d
    andl %r9d, %eax
    wrpkru
    movq %r8, %rcx
    movq %r10, %rdx
7:
    .endm

    .macro WINDOW_CLOSE
    pushq %rax
    movl arch_pkru_mask(%rip), %r9d
    testl %r9d, %r9d
    jz 7f
    xorl %ecx, %ecx
    rdpkru
    orl %r9d, %eax
    wrpkru
7:  cmpl $0, %gs:0x1010
    je 7f
    call plat_window_close
7:  popq %rax
    .endm

    .macro FAULT_ENTRY pc, fixup
    .pushsection uma_fault_table, "a", @progbits
    .balign 4
    .long \pc - .
    .long \fixup - .
    .popsection
    .endm

/* uint64_t window_load8(ULONG_PTR from, uint64_t fault[2]); fault untouched when there is none. */
    .globl window_load8
window_load8:
    WINDOW_OPEN
    xorl %eax, %eax
1:  movq (%rdi), %rax
2:  WINDOW_CLOSE
    ret
3:  movq %r10, (%rsi)
    movq %r11, 8(%rsi)
    jmp 2b
    FAULT_ENTRY 1b, 3b

/* uint64_t window_copy(to, from, size, uint64_t fault[2]): bytes not copied. */
    .globl window_copy
window_copy:
    pushq %rbx
    movq %rcx, %rbx
    movq %rdx, %rcx
    WINDOW_OPEN
1:  rep movsb
2:  movq %rcx, %rax
    pushq %rax
    WINDOW_CLOSE
    popq %rax
    popq %rbx
    ret
3:  movq %r10, (%rbx)
    movq %r11, 8(%rbx)
    jmp 2b
    FAULT_ENTRY 1b, 3b

/* uint64_t window_store8(ULONG_PTR to, uint64_t fault[2], uint64_t value) */
    .globl window_store8
window_store8:
    WINDOW_OPEN
1:  movq %rdx, (%rdi)
2:  WINDOW_CLOSE
    ret
3:  movq %r10, (%rsi)
    movq %r11, 8(%rsi)
    jmp 2b
    FAULT_ENTRY 1b, 3b

    .section .note.GNU-stack, "", @progbits
