/* window_none.h - user pages are always open: nothing to do. */
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
.endm
.macro CLOSE_KEEP_RAX
.endm
.macro CLOSE_SCALAR_READ
.endm
.macro CLOSE_SCALAR_WRITE
.endm
.macro CLOSE_FIXUP
.endm
