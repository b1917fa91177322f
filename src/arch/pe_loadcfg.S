/*
 * pe_loadcfg.S - PE only, opt-in (link umaccess_loadcfg.lib with /include:_load_config_used): a load configuration
 * that points at __uma_functions, so that a loader finds the table. Read by our loader; NOT VERIFIED on Windows. Guard
 * fields are zero: the image does not claim control flow guard.
 */
    .data
    .p2align 3
/* The documented default value; a loader replaces it by a random one. */
umap_security_cookie:
    .quad 0x00002B992DDFA232

    .section .rdata, "dr"
    .p2align 4
    .globl _load_config_used
_load_config_used:
    .long 0x148
    .zero 0x58 - 4
    .quad umap_security_cookie
    .zero 0x140 - 0x60
    .quad __uma_functions
