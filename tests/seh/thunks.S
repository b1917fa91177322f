/*
 * thunks.S - what src/ldr/export_stubs.S is for the kernel's exports, for the few names the SEH tests' drivers import.
 */
        .macro  thunk name
        .globl  thunk_\name
thunk_\name:
        lea     \name(%rip), %r11
        jmp     seh_export_entry
        .endm

        .text
        thunk   ExRaiseStatus
        thunk   ExRaiseAccessViolation
        thunk   ExRaiseDatatypeMisalignment
        thunk   RtlRaiseException
        thunk   test_print
        thunk   test_call_back
        thunk   test_mark
        thunk   test_many_arguments

        .section .note.GNU-stack, "", @progbits
