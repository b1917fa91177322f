/* context_offsets.h - offsets in CONTEXT and struct arch_thread for assembly; deliver.c and arch.h hold them against
 * the structures. */
#pragma once

#define CONTEXT_FLAGS  0x30
#define CONTEXT_MXCSR  0x34
#define CONTEXT_EFLAGS 0x44
#define CONTEXT_RAX    0x78
#define CONTEXT_RCX    0x80
#define CONTEXT_RDX    0x88
#define CONTEXT_RBX    0x90
#define CONTEXT_RSP    0x98
#define CONTEXT_RBP    0xa0
#define CONTEXT_RSI    0xa8
#define CONTEXT_RDI    0xb0
#define CONTEXT_R8     0xb8
#define CONTEXT_RIP    0xf8
#define CONTEXT_XMM    0x1a0

#define ARCH_THREAD_RESUME_RSP 0x1048
#define ARCH_THREAD_RESUME_RIP 0x1050
