/*
 * window_hook.h - user pages are closed by page protection. The platform opens a page when an instruction of the fault
 * table touches it and notes that in the thread's block (arch_thread.window_dirty); on the way out we have it closed
 * again.
 */
#define ADDR %rax
#define ORIG %rcx
#define RESULT_4 %eax
#define RESULT_8 %rax
#define VALUE_1 %dl
#define VALUE_2 %dx
#define VALUE_4 %edx
#define VALUE_8 %rdx
.macro OPEN
.endm
.macro OPEN_SCALAR_READ
.endm
.macro OPEN_SCALAR_WRITE
.endm
.macro CLOSE
    cmpl $0, %gs:0x1010
    je 93f
    call arch_window_close
93:
.endm
.macro CLOSE_KEEP_RAX
    CLOSE
.endm
.macro CLOSE_SCALAR_READ
    CLOSE
.endm
.macro CLOSE_SCALAR_WRITE
    CLOSE
.endm
.macro CLOSE_FIXUP
    CLOSE
.endm
