/*
 * linux.h - what the files of the Linux platform share. Not visible above this folder.
 *
 * The heart is the user page table (pages.c): one 64-bit atomic word per user page says what the page is to the
 * driver (its logical protection) and how many windows hold it open. Kernel protections follow from the word, never the
 * other way round; see page_apply for how threads that race agree.
 */
#pragma once
#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>

#include "arch.h"
#include "plat.h"

#define PAGE_MASK  (~(ULONG_PTR)(PLAT_PAGE_SIZE - 1))
#define PAGE_SHIFT 12

/* ---- the arenas; parameters of the build, because sanitizers keep ranges for themselves ---- */
#define LAYOUT_USER_LOW       0x10000ull
#define LAYOUT_USER_ARENA     0x10000000ull /* where plat_user_map looks first when it may choose */
#define LAYOUT_USER_ARENA_END 0x70000000ull
#if defined(UMA_SANITIZE_THREADS) /* ThreadSanitizer leaves programs the first TB and two ranges near the top */
#define LAYOUT_USER_LIMIT       0xFFFFFF0000ull
#define LAYOUT_SYSTEM_START     0x10000000000ull
#define LAYOUT_USER_ARENA2      0x2000000000ull
#define LAYOUT_USER_ARENA2_END  0xC000000000ull
#define LAYOUT_SYSTEM_ARENA     0x550000000000ull
#define LAYOUT_SYSTEM_ARENA_END 0x555500000000ull /* the program lies above */
#else
#define LAYOUT_USER_LIMIT       0x3FFFFFFF0000ull
#define LAYOUT_SYSTEM_START     0x400000000000ull
#define LAYOUT_USER_ARENA2      0x200000000000ull /* and then */
#define LAYOUT_USER_ARENA2_END  0x300000000000ull
#define LAYOUT_SYSTEM_ARENA     0x480000000000ull
#define LAYOUT_SYSTEM_ARENA_END 0x540000000000ull
#endif
#define LAYOUT_FRAMES_MAX PLAT_FRAME_END /* 16 GB of user memory in all */

/* layout.c: signal-safe. */
enum plat_raw_policy layout_raw_policy(void);

/* ---- pages.c: the user page table ---- */
typedef uint64_t page_word;
#define PAGE_PROT_MASK   0x8full /* enum plat_prot */
#define PAGE_MAPPED      0x10ull
#define PAGE_FIRST       0x20ull /* first page of a mapping */
#define PAGE_POISON      0x40ull /* next access fails with STATUS_IN_PAGE_ERROR */
#define PAGE_OPEN_ONE    0x100ull
#define PAGE_OPEN_MASK   0xffff00ull /* windows that hold the page open (mprotect mode) */
#define PAGE_FRAME_SHIFT 24
#define PAGE_FRAME_MASK  0xffffffffull
#define PAGE_FRAME(word) ((word) >> PAGE_FRAME_SHIFT & PAGE_FRAME_MASK)
#define PAGE_TAG_SHIFT   56
#define PAGE_TAG_MASK    (0xffull << PAGE_TAG_SHIFT)

/* A protection with its tag, as the bits of a word, and back. */
static inline page_word page_bits(ULONG prot)
{
    return (prot & PAGE_PROT_MASK) | (page_word)PLAT_TAG_OF(prot) << PAGE_TAG_SHIFT;
}
static inline ULONG page_prot(page_word word)
{
    return (ULONG)(word & PAGE_PROT_MASK) | PLAT_TAG(word >> PAGE_TAG_SHIFT);
}
static inline bool page_prot_valid(ULONG prot)
{
    return !(prot & ~(ULONG)(PAGE_PROT_MASK | PLAT_TAG(0xff)));
}

/* The word of the page at address; 0 if not mapped or not a user address. Signal-safe. */
page_word page_load(ULONG_PTR address);
/* The slot of the page at address, made if need be; null: no memory, or (make false) nothing there. */
_Atomic(page_word) *page_slot(ULONG_PTR address, bool make);
/* The first mapped page in [address, end), or end. */
ULONG_PTR page_next(ULONG_PTR address, ULONG_PTR end);
/* Calls visit for each run of consecutive mapped pages with consecutive frames and the same flags. Region lock held. */
void page_visit_runs(void (*visit)(ULONG_PTR address, SIZE_T pages, page_word first, void *context), void *context);

/* ---- protect.c ---- */
extern enum plat_protect protect_mode;
extern int protect_pkey;
NTSTATUS protect_init(enum plat_protect wanted);
/* PROT_* the kernel must hold for a page with this word. */
int page_kernel_prot(page_word word);
/* Makes the kernel's protection of the page follow its word. False: the kernel refused (out of map entries).
 * Signal-safe. */
bool page_apply(ULONG_PTR address);
/* Same for pages that all have the same word but for the frame. */
bool page_apply_range(ULONG_PTR address, SIZE_T size, page_word word);
bool protect_kernel(ULONG_PTR address, SIZE_T size, int prot);

#define SIGNAL_STACK_SIZE 0x20000u
#define OPENED_MAX        32
#define OPENED_AHEAD      8 /* a copy's two sides fit in OPENED_MAX twice */
struct plat_thread {
    struct arch_thread *arch;
    UCHAR *scratch; /* a writable and executable page, or null */
    UCHAR *emergency_stack_top;
    UCHAR *signal_stack; /* SIGNAL_STACK_SIZE bytes */
    /* Pages this thread opened (mprotect mode), oldest first from opened_first; more than OPENED_MAX close the older
     * half. */
    ULONG_PTR opened[OPENED_MAX];
    uint32_t opened_first, opened_count;
    /* Where two upward walks would fault next, and how many pages were opened for each last time. */
    struct {
        ULONG_PTR next;
        SIZE_T pages;
    } walk[2];
    unsigned walk_last;
    uint32_t raw_depth; /* plat_raw_begin nesting */
    /* One instruction being executed with user memory open (step.c). */
    struct {
        bool active;
        bool user_pages; /* a raw access, as opposed to an emulated one */
        bool repeats;    /* rep prefix: several traps at one pc */
        bool relocated;  /* runs as a copy in scratch */
        UCHAR length;
        ULONG_PTR pc;
        int redirected; /* general register that holds a substitute, -1 none */
        ULONG64 original, substitute;
    } step;
    void *mapping;
    size_t mapping_size;
};
/* Null on a thread that was never attached. Signal-safe. */
extern __thread struct plat_thread *plat_current __attribute__((tls_model("initial-exec")));

/*
 * mprotect mode: opens the page for this thread until opened_close_all, and some after it if a copy walks upwards.
 * needed: PLAT_READ or PLAT_WRITE bits of which a page must have one. False: the kernel refused.
 */
bool opened_add(struct plat_thread *thread, ULONG_PTR page, page_word needed);
void opened_close_all(struct plat_thread *thread);
/* PKU: opens or closes user pages in the interrupted code's PKRU, which lives in the signal frame. */
/* Closes user pages for the calling thread. */
void protect_thread_init(void);
void protect_frame_pkru(ucontext_t *uc, bool open);

/* ---- user.c, alias.c ---- */
extern int user_memfd;
extern UCHAR *user_frames; /* every frame, readable and writable, in system space */
void user_lock(void);
void user_unlock(void);
NTSTATUS user_init(void);
NTSTATUS alias_remap_all(int new_memfd);
void frame_hold(uint64_t frame);
void frame_drop(uint64_t frame, SIZE_T count);
bool frame_held(uint64_t frame);
/* count consecutive free frames in [from, to), held once. Region lock held, as for the others. */
bool frame_alloc_between(SIZE_T count, uint64_t from, uint64_t to, uint64_t *first);
/* Whole pages around the range; false if empty, wrapping or not wholly in the user range. */
bool range_pages(ULONG_PTR *address, SIZE_T *size);
/* Pages at [address, +size), which are free, with these frames, of which the words take over one hold each. first: a
 * mapping of its own begins here. Region lock held, as for the others. */
NTSTATUS user_map_frames(ULONG_PTR address, SIZE_T size, ULONG prot, uint64_t frame, bool first);
/* The last page of the range that is in the way of a mapping, or 0. */
ULONG_PTR user_taken(ULONG_PTR address, SIZE_T size);
/* Those of the range that are mapped. */
void user_unmap_pages(ULONG_PTR address, SIZE_T size);
bool frame_alloc(SIZE_T count, uint64_t *first);
/* reserve.c: the end of the last reservation that overlaps the range, or 0. */
ULONG_PTR reserve_taken(ULONG_PTR address, ULONG_PTR end);
void reserve_reset(void);
/*
 * copy.c: gives a PLAT_COPY page its own frame and lets it be written. The one thing a signal handler takes the region
 * lock for: the interrupted code faulted at a user address, which nobody touches with the lock held. copy_break wants
 * it held. False: no frame left.
 */
bool copy_break(ULONG_PTR address);
bool copy_on_fault(ULONG_PTR address);
/* frames.c: whether a page of the range is secured against this protection (PLAT_NOACCESS: or unmapping). Region
 * lock held. */
bool frames_secured(ULONG_PTR address, SIZE_T size, ULONG prot);
void alias_after_fork(void);

/* ---- fault.c, deliver.c ---- */
extern struct plat_hooks plat_hooks;
NTSTATUS fault_init(void);
enum deliver_kind { DELIVER_TRAP, DELIVER_FAST_FAIL, DELIVER_FATAL };
/* What goes up, written on the interrupted stack. */
struct deliver_frame {
    CONTEXT context;
    struct plat_trap trap;
    enum deliver_kind kind;
};
void context_from_ucontext(CONTEXT *context, const ucontext_t *uc);
void context_to_ucontext(const CONTEXT *context, ucontext_t *uc);
/* Rewrites *uc so that the hook for kind runs once the signal handler has returned. */
void deliver(ucontext_t *uc, enum deliver_kind kind, const struct plat_trap *trap);
/* One line on standard error, then abort(). Signal-safe. */
DECLSPEC_NORETURN void fault_abort(const char *what, ULONG_PTR pc, ULONG_PTR address);

/* ---- host.c ---- */
/*
 * FINE: nothing was wrong. SPOILT: a segment base was, and is right again. AGAIN: the same, but it was the handler that
 * stumbled over it; it may go on. IN_HANDLER: the handler itself faulted.
 */
enum host_state { HOST_FINE, HOST_SPOILT, HOST_AGAIN, HOST_IN_HANDLER };
/* First thing in a signal handler. */
enum host_state host_put_right(ucontext_t *uc);
/* The interrupted code goes on in 64-bit mode, whatever it had switched to. */
void host_segments(ucontext_t *uc);
/* True: the interrupted code had alignment checks on, which the kernel mode it stands for does not have. */
bool host_clear_alignment_check(ucontext_t *uc);
/* Driver code of the calling thread gets no system calls from now on. */
void host_guard_system_calls(void);
void host_guard_thread(const struct plat_thread *thread);
void host_forget_thread(const struct plat_thread *thread);
/* One line on standard error, then exit status 1. */
DECLSPEC_NORETURN void host_give_up(ULONG_PTR pc, ULONG_PTR address);

/* ---- step.c ---- */
void step_begin_raw(struct plat_thread *thread, ucontext_t *uc, ULONG_PTR address, bool write);
/* SIGTRAP. True if it belonged to a step, which then went on or ended. */
bool step_trapped(struct plat_thread *thread, ucontext_t *uc);
/* The stepped instruction failed for real: as if it had not been started. */
void step_cancel(struct plat_thread *thread, ucontext_t *uc);

/* ---- decode.c ---- */
struct decoded_access {
    ULONG_PTR address; /* lowest byte */
    uint64_t size;     /* bytes, repetitions included */
    bool read, write;
};
struct decoded {
    bool valid;
    UCHAR length;
    bool privileged;
    bool repeats;
    bool relocatable; /* may run as a copy elsewhere */
    int interrupt;    /* vector of int n, else -1 */
    bool divide;
    uint64_t divisor; /* when divide, low half of the divisor */
    ULONG access_count;
    struct decoded_access access[3];
};
/* Decodes the instruction at Rip with the values of *context. Signal-safe; never faults. */
void decode_at(struct decoded *decoded, const CONTEXT *context);

/* Copies without faulting, by the kernel; for signal handlers, where the fault table cannot help. Bytes copied. */
SIZE_T signal_safe_read(void *to, ULONG_PTR from, SIZE_T size);
SIZE_T signal_safe_write(ULONG_PTR to, const void *from, SIZE_T size);
bool user_range(ULONG_PTR address, SIZE_T size);
/* Memory given to us is user memory, which must not be touched under the region lock: its faults take that. */
bool user_holds(const void *data, SIZE_T size);

#if defined(UMA_SANITIZE)
#define NO_ASAN __attribute__((no_sanitize("address")))
#else
#define NO_ASAN
#endif
