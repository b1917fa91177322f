/*
 * plat.h - the machine, in few calls: address space, user memory and its protection, threads, time, console.
 *
 * A platform is a folder beside this file (linux/, later metal/<arch>/). It knows nothing of objects, drivers
 * or exceptions' meaning: a fault it cannot settle itself goes up through the hooks of struct plat_hooks.
 */
#pragma once
#include "wdk/ntexcept.h"

struct arch_thread;

#define PLAT_PAGE_SIZE 0x1000u

/* How user pages are kept from kernel code outside an accessor's window (DESIGN 4). */
enum plat_protect { PLAT_PROTECT_AUTO, PLAT_PROTECT_PKU, PLAT_PROTECT_MPROTECT, PLAT_PROTECT_NONE };

/* What happens when a kernel or driver instruction touches user memory outside a window. */
enum plat_raw_policy {
    PLAT_RAW_STEP, /* count it, step it once with the page open (what a kernel without SMAP would do) */
    PLAT_RAW_STOP  /* bug check naming the instruction (what SMAP or PAN does) */
};

/* The split of the address space; constant after plat_init. User: [user_low, user_limit). */
struct plat_layout {
    ULONG_PTR user_low;     /* 0x10000 */
    ULONG_PTR user_limit;   /* MmUserProbeAddress; the 64 KB from here up are never mapped */
    ULONG_PTR system_start; /* MmSystemRangeStart */
};
extern struct plat_layout plat_layout;

struct plat_options {
    enum plat_protect protect;
    enum plat_raw_policy raw;
};

/*
 * Sets up arenas, signal handlers and protection, once per process. STATUS_NOT_SUPPORTED: the protection asked
 * for is not available on this CPU or kernel. A forked child calls plat_fork_child() first thing.
 */
NTSTATUS plat_init(const struct plat_options *options);
enum plat_protect plat_protect_in_use(void);
const char *plat_protect_name(enum plat_protect protect);
void plat_set_raw_policy(enum plat_raw_policy policy);
/* After fork(): gives the child a private copy of all user memory, at the same addresses and protections. */
NTSTATUS plat_fork_child(void);

/* ---- faults ---- */

/* A fault or trap the platform could not settle itself. */
struct plat_trap {
    NTSTATUS code; /* STATUS_ACCESS_VIOLATION, STATUS_BREAKPOINT, ... */
    ULONG info_count;
    ULONG_PTR info[3]; /* as in EXCEPTION_RECORD */
    CONTEXT *context;  /* registers at the fault; lives on the interrupted stack */
};

/* An access to user memory by an instruction outside any window, seen once per instruction executed. */
struct plat_raw_access {
    ULONG_PTR pc;
    ULONG_PTR address;
    ULONG size;       /* bytes, decoded from the instruction */
    bool read, write; /* both: the instruction changes what it reads */
    CONTEXT *context; /* null when not available */
};

struct plat_hooks {
    /* Runs on the interrupted thread's stack, outside the signal handler, interrupted code's registers in
     * trap->context. Does not return: resumes by plat_context_resume or by unwinding, or bug-checks. Null: the process
     * aborts. */
    void (*trap)(struct plat_trap *trap);
    /* int 29h: code from ecx. Must not return. Same stack rules as trap. */
    void (*fast_fail)(ULONG code, CONTEXT *context);
    /* A privileged or NT-specific instruction at context->Rip (cr8, KUSER_SHARED_DATA access, rdmsr, cli, hlt ...).
     * Runs in the signal handler, async-signal-safe; changes *context and returns true if it emulated it. address is
     * the data address for a memory fault, else 0. */
    bool (*emulate)(CONTEXT *context, ULONG_PTR address);
    /* Raw access under PLAT_RAW_STEP (for counting and tracing; signal-safe). */
    void (*raw_access)(const struct plat_raw_access *access);
    /* The instruction has been executed; not called if it faulted after all. Signal-safe too. */
    void (*raw_done)(void);
    /* An int3 at pc, before it becomes an exception. True: the code is what it was again, and the thread goes on at pc.
     * Runs in the signal handler, signal-safe. */
    bool (*breakpoint)(ULONG_PTR pc);
    /* Raw access under PLAT_RAW_STOP, stack overflow (code STATUS_STACK_OVERFLOW), or the base of fs or gs was found
     * changed (STATUS_PRIVILEGED_INSTRUCTION): never returns. Stack rules as trap, but for overflow it runs on the
     * emergency stack. */
    void (*fatal)(struct plat_trap *trap);
};
void plat_set_hooks(const struct plat_hooks *hooks);

/* Loads every register of *context and continues there. Does not return. */
DECLSPEC_NORETURN void plat_context_resume(const CONTEXT *context);

/*
 * For the emulate hook, which then returns true: lets the instruction at context->Rip run once on the processor with
 * the general register (0 rax .. 15 r15) holding substitute, then gives the register its value back (plus what a string
 * instruction advanced it by). False: cannot; nothing was changed.
 */
bool plat_emulate_step(CONTEXT *context, unsigned general_register, ULONG64 substitute);

/* ---- user memory ---- */

enum plat_prot {
    PLAT_NOACCESS = 0,
    PLAT_READ = 1,
    PLAT_WRITE = 2,
    PLAT_READWRITE = 3,
    PLAT_EXECUTE = 4,
    PLAT_GUARD = 8,
    PLAT_COPY = 0x80 /* with PLAT_READ: the first write gives the page a frame of its own, and PLAT_WRITE */
};
/* With a protection: 8 bits that the platform keeps with the page and gives back, without a meaning to it. */
#define PLAT_TAG(tag)     ((ULONG)(tag) << 8)
#define PLAT_TAG_OF(prot) ((prot) >> 8 & 0xFFu)

/*
 * User pages come from a memfd: page-granular, zero-filled. address 0 lets the platform choose (ascending, with an
 * unmapped page around each region). STATUS_CONFLICTING_ADDRESSES if any page is taken, STATUS_INVALID_PARAMETER if
 * outside the user range.
 */
NTSTATUS plat_user_map(ULONG_PTR *address, SIZE_T size, ULONG prot);
NTSTATUS plat_user_unmap(ULONG_PTR address, SIZE_T size);
NTSTATUS plat_user_protect(ULONG_PTR address, SIZE_T size, ULONG prot);
/* Protection of the page at address; false if not mapped. */
bool plat_user_query(ULONG_PTR address, ULONG *prot, SIZE_T *region_size);
/*
 * Reservations hold addresses, without pages until some are committed or placed; plat_user_map avoids them.
 *
 * reserve: *address, or where there is room below limit if that is 0 (the highest with top_down).
 * STATUS_CONFLICTING_ADDRESSES, STATUS_NO_MEMORY. unreserve: with the pages in it; address as reserve gave it.
 * commit: pages that are there get prot, the others are fresh zeroed ones; range inside a reservation.
 * place: the frames become pages where there are none yet. decommit: pages go, the reservation stays.
 * Unreserve and decommit of secured pages: STATUS_INVALID_PAGE_PROTECTION.
 */
NTSTATUS plat_user_reserve(ULONG_PTR *address, SIZE_T size, ULONG_PTR limit, bool top_down);
NTSTATUS plat_user_unreserve(ULONG_PTR address);
NTSTATUS plat_user_commit(ULONG_PTR address, SIZE_T size, ULONG prot);
NTSTATUS plat_user_place(ULONG_PTR address, const ULONG_PTR *frames, SIZE_T count, ULONG prot);
NTSTATUS plat_user_decommit(ULONG_PTR address, SIZE_T size);
/* Whether there is a page at address, its protection and frame, and where (at end at most) that changes; frames are not
 * compared. */
struct plat_user_state {
    bool mapped;
    ULONG prot; /* with its tag */
    uint64_t frame;
    ULONG_PTR end;
};
void plat_user_state(ULONG_PTR address, ULONG_PTR end, struct plat_user_state *state);
/* The first page of the mapping that plat_user_map made at address. */
ULONG_PTR plat_user_first(ULONG_PTR address);
/* First access to a page marked so fails once with STATUS_IN_PAGE_ERROR (status c000009c). For tests and uma check. */
NTSTATUS plat_user_poison_in_page(ULONG_PTR address);
/*
 * Second view of the same frames in system space, page-granular, for user mode's own stores from the host (racing
 * threads, request set-up) and for locked MDLs. Stays valid, with the frame, after the user unmaps; release drops it.
 */
NTSTATUS plat_user_alias(ULONG_PTR address, SIZE_T size, void **alias);
void plat_user_alias_release(void *alias, SIZE_T size);
#define PLAT_FRAME_FIRST 0x100ull /* so that physical address 0 is never somebody's; numbers end at PLAT_FRAME_END */
#define PLAT_FRAME_END   (1ull << 22)
/*
 * Frames are the pages behind user memory, by number. What someone holds stays, with its contents, whatever becomes of
 * the user's addresses.
 *
 * plat_frames_lock holds the frame of each page of [address, +size), or none and says which page is in the way: each
 * must grant needed (PLAT_READ or PLAT_WRITE) and bear no guard or in-page mark, else STATUS_ACCESS_VIOLATION.
 */
NTSTATUS plat_frames_lock(ULONG_PTR address, SIZE_T size, ULONG needed, ULONG_PTR *frames, ULONG_PTR *failed);
/* count consecutive zeroed frames with numbers in [from, to), held once. STATUS_NO_MEMORY if there are none. */
NTSTATUS plat_frames_allocate(SIZE_T count, uint64_t from, uint64_t to, uint64_t *first);
void plat_frames_drop(const ULONG_PTR *frames, SIZE_T count);
/*
 * Views of frames that somebody holds (else STATUS_INVALID_PARAMETER), which then hold them too: in system space, to be
 * released with plat_user_alias_release; or as user memory, at *address or where there is room if that is 0, to be
 * unmapped with plat_user_unmap.
 */
NTSTATUS plat_frames_view(const ULONG_PTR *frames, SIZE_T count, ULONG prot, void **view);
NTSTATUS plat_frames_map_user(const ULONG_PTR *frames, SIZE_T count, ULONG prot, ULONG_PTR *address);
/* Changes what a view in system space allows. False: there is no view at this address. */
bool plat_view_protect(void *view, ULONG prot);
/* The frame behind a page of user memory or of a view. False: address is in neither. */
bool plat_frame_of(ULONG_PTR address, uint64_t *frame);
/* Copies from a frame, within it. False: nobody holds it. */
bool plat_frame_load(uint64_t frame, SIZE_T offset, void *data, SIZE_T size);
/*
 * Until plat_user_unsecure, the pages of [address, +size) can neither be unmapped nor lose needed: both answer
 * STATUS_INVALID_PAGE_PROTECTION. STATUS_ACCESS_VIOLATION: they do not grant it now. False: no such handle.
 */
NTSTATUS plat_user_secure(ULONG_PTR address, SIZE_T size, ULONG needed, void **handle);
bool plat_user_unsecure(void *handle);
/* Host-side ("user mode") access to user memory, whatever its protection towards kernel code. False: not mapped, or not
 * writable by user mode; or data is itself user memory. */
bool plat_user_store(ULONG_PTR address, const void *data, SIZE_T size);
bool plat_user_load(ULONG_PTR address, void *data, SIZE_T size);
/* As plat_user_load, without a lock and for signal handlers too; of pages that are changing hands the bytes may be
 * those of either owner. */
bool plat_user_peek(ULONG_PTR address, void *data, SIZE_T size);
/* What the instruction at context->Rip reads and writes below the user limit with these registers, mapped or not;
 * returns how many parts, at most 3. Signal-safe. */
ULONG plat_user_operands(const CONTEXT *context, struct plat_raw_access parts[3]);
/* Unmaps everything; used between test cases. */
void plat_user_reset(void);

/* mprotect mode: closes the pages opened in the current window. Called by assembly when window_dirty is set. */
void plat_window_close(void);
/* Opens/closes the window around host C code that must touch raw user pages on a driver's behalf (memcpy-like exports).
 */
void plat_raw_begin(void);
void plat_raw_end(void);

/* ---- system memory ---- */

/* Reserve and commit [return, +size) at or above system_start, page-aligned; null when out of memory. */
void *plat_system_map(SIZE_T size, ULONG prot);
void plat_system_unmap(void *base, SIZE_T size);
bool plat_system_protect(void *base, SIZE_T size, ULONG prot);
/* Keeps pages whose protection will change often from sharing a host mapping with their neighbours, which makes each
 * change cheap (a third of the time). */
void plat_system_separate(void *base, SIZE_T size);
/* True if the byte at address (user or system) can be read / written without a fault right now; safe for any value. */
bool plat_is_readable(ULONG_PTR address, SIZE_T size);
/* Copies from anywhere without ever faulting; returns bytes copied. For dumps and bug checks. */
SIZE_T plat_safe_read(void *to, ULONG_PTR from, SIZE_T size);

/* ---- the host's files ---- */

/*
 * Files and folders below a root, by handles (numbers from 0) and one name at a time. Names are UTF-8 and end with a
 * zero; "", ".", ".." and anything with a "/" is STATUS_OBJECT_NAME_INVALID. No symbolic or magic link is followed and
 * nothing but plain files and folders is opened (STATUS_ACCESS_DENIED), so what lies outside of the root stays out of
 * reach whatever the host does in between. What Linux refuses comes back as the NTSTATUS nearest to it.
 */
enum plat_file_kind { PLAT_FILE_PLAIN, PLAT_FILE_FOLDER, PLAT_FILE_SPECIAL };
struct plat_file_info {
    enum plat_file_kind kind;
    bool read_only;
    uint32_t links;
    uint64_t device, number; /* which file it is: no two have both the same */
    uint64_t size, allocated;
    uint64_t created, accessed, written, changed; /* 100 ns since 1601 */
};
struct plat_volume_info {
    uint64_t unit_bytes, units, units_free, units_available;
    uint32_t serial;
    uint64_t created;
};
/* A folder of the host as the root. null: a new empty one, which is removed when the process that asked for it ends. */
NTSTATUS plat_root_open(const char *path, int *root);
/* writable: false where the host allows only reading. STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS plat_file_open(int folder, const char *name, int *file, bool *writable, struct plat_file_info *info);
/* A new file or folder, opened. STATUS_OBJECT_NAME_COLLISION: the name is taken, by whatever. */
NTSTATUS plat_file_make(int folder, const char *name, enum plat_file_kind kind, bool read_only, int *file,
                        struct plat_file_info *info);
void plat_file_close(int file);
/* What a name stands for, without opening it. */
NTSTATUS plat_file_look(int folder, const char *name, struct plat_file_info *info);
/* Removes a name if it still stands for that file, else STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS plat_file_remove(int folder, const char *name, const struct plat_file_info *info);
/* replace: a file of the new name goes. */
NTSTATUS plat_file_rename(int folder, const char *name, int new_folder, const char *new_name, bool replace);

NTSTATUS plat_file_info(int file, struct plat_file_info *info);
/* done: fewer than size only at the end of the file. */
NTSTATUS plat_file_read(int file, uint64_t offset, void *data, SIZE_T size, SIZE_T *done);
NTSTATUS plat_file_write(int file, uint64_t offset, const void *data, SIZE_T size, SIZE_T *done);
NTSTATUS plat_file_resize(int file, uint64_t size);
NTSTATUS plat_file_flush(int file);
/* 0: stays. */
NTSTATUS plat_file_set_times(int file, uint64_t accessed, uint64_t written);
NTSTATUS plat_file_set_read_only(int file, bool read_only);
NTSTATUS plat_file_volume(int file, struct plat_volume_info *info);

/* A walk through a folder's names, in the host's order, "." and ".." left out. */
struct plat_listing {
    int handle;
    uint32_t used, at; /* of buffer */
    _Alignas(8) char buffer[8192];
};
NTSTATUS plat_listing_open(int folder, struct plat_listing *listing);
void plat_listing_close(struct plat_listing *listing);
void plat_listing_rewind(struct plat_listing *listing);
/* The next name, without going past it; it lives until the next call. STATUS_NO_MORE_FILES. */
NTSTATUS plat_listing_peek(struct plat_listing *listing, const char **name);
void plat_listing_advance(struct plat_listing *listing);

/* ---- threads, waiting, time, output ---- */

/* Gives the calling host thread its arch_thread and signal stack; detach frees them. Attach is idempotent. */
NTSTATUS plat_thread_attach(void);
void plat_thread_detach(void);

/* A mutex and condition pair big enough for a pthread one; the dispatcher lock of src/ntos/ke is built on it. */
struct plat_lock {
    uint64_t opaque[16];
};
void plat_lock_init(struct plat_lock *lock);
void plat_lock_acquire(struct plat_lock *lock);
void plat_lock_release(struct plat_lock *lock);
/* Releases lock, sleeps until plat_lock_wake_all or timeout_ns (UINT64_MAX: none), takes it again. False: timed out. */
bool plat_lock_wait(struct plat_lock *lock, uint64_t timeout_ns);
void plat_lock_wake_all(struct plat_lock *lock);
void plat_yield(void);
NTSTATUS plat_thread_create(void (*entry)(void *), void *argument, uint64_t *id);
/* One of the two, once: waits for the thread's end; or nobody will, and what it takes goes with it. */
void plat_thread_join(uint64_t id);
void plat_thread_forget(uint64_t id);
uint64_t plat_thread_id(void);

uint64_t plat_time_ns(void);           /* monotonic */
uint64_t plat_system_time_100ns(void); /* since 1601-01-01 UTC */
/* DbgPrint and bug check output: to the hook, or to standard error if there is none. The hook may be called from any
 * thread. */
void plat_debug_write(const char *text, SIZE_T length);
extern void (*plat_debug_hook)(const char *text, SIZE_T length);
DECLSPEC_NORETURN void plat_exit(int status);
