/* plat_test.h - what the tests of the platform share: the hooks' record of what happened, and the probes of probe.S. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch.h"
#include "plat.h"

#define FIXUP_WRITE (1ull << 63)
#define PAGE        PLAT_PAGE_SIZE

/* The last trap; count says how many there were since record_clear. */
struct record {
    unsigned traps, fast_fails, raws, raws_done;
    NTSTATUS code;
    ULONG info_count;
    ULONG_PTR info[3];
    CONTEXT context;
    ULONG fast_fail_code;
    struct plat_raw_access raw[8];
};
extern struct record record;
void record_clear(void);

/* Set by the probes: where the trap hook resumes, and the probed instruction. */
extern ULONG_PTR probe_resume, probe_pc;

uint64_t probe_read1(ULONG_PTR at), probe_read2(ULONG_PTR at), probe_read4(ULONG_PTR at), probe_read8(ULONG_PTR at);
uint64_t probe_write1(ULONG_PTR at, uint64_t value), probe_write8(ULONG_PTR at, uint64_t value);
uint64_t probe_add8(ULONG_PTR at, uint64_t value);
void probe_movdqu(ULONG_PTR at), probe_movaps(ULONG_PTR at), probe_call(ULONG_PTR at);
void probe_copy(ULONG_PTR to, ULONG_PTR from, uint64_t count);
void probe_fill(ULONG_PTR to, uint64_t value, uint64_t count);
uint64_t probe_scan(ULONG_PTR at, uint64_t value, uint64_t count);
uint64_t probe_push(ULONG_PTR at);
void probe_int3(void), probe_int3_long(void), probe_int2c(void), probe_ud2(void), probe_hlt(void), probe_cli(void);
void probe_int29(uint64_t unused1, uint64_t unused2, uint64_t code);
void probe_int2d(uint64_t rdi, uint64_t rax, uint64_t rcx);
void probe_sti(void), probe_in(void), probe_invd(void), probe_wbinvd(void), probe_wrmsr(void), probe_trapflag(void);
uint64_t probe_rdmsr(uint64_t unused1, uint64_t unused2, uint64_t msr);
uint64_t probe_get_cr8(void), probe_get_cr3(void);
void probe_set_cr8(uint64_t value);
uint64_t probe_add_from(ULONG_PTR at, uint64_t value), probe_cmp(ULONG_PTR at, uint64_t value);
uint64_t probe_self_add(ULONG_PTR at), probe_movsx(ULONG_PTR at), probe_movsxb(ULONG_PTR at, uint64_t rax);
uint64_t probe_high(ULONG_PTR at, uint64_t rax), probe_stack_read(ULONG_PTR at);
uint64_t probe_divide(uint64_t high, uint64_t low, uint64_t divisor), probe_moffs(void), probe_gs(void);

struct probe_state {
    uint64_t general[16];
    uint64_t flags, unused;
    M128A xmm[16];
};
void probe_registers(const struct probe_state *in, struct probe_state *out);
extern char probe_registers_fault[];

uint64_t window_load8(ULONG_PTR from, uint64_t fault[2]);
uint64_t window_store8(ULONG_PTR to, uint64_t fault[2], uint64_t value);
uint64_t window_copy(ULONG_PTR to, ULONG_PTR from, uint64_t size, uint64_t fault[2]);

/* A fresh region of user memory. */
ULONG_PTR user_pages(SIZE_T pages, ULONG prot);
/* True if a raw access is seen at all in the mode under test. */
bool raw_is_seen(void);
/* Runs body in a forked child; the wait status. */
int in_child(void (*body)(void));
/* Memory the child's results come back in. */
extern struct record *shared_record;

extern const struct CMUnitTest *const suites[];
#define SUITE(name, ...) const struct CMUnitTest name##_tests[] = {__VA_ARGS__, {0}};

extern const struct CMUnitTest layout_tests[], user_tests[], raw_tests[], window_tests[], trap_tests[], emulate_tests[],
    race_tests[];
