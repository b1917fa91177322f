/*
 * uma.h - embed the kernel in another program: load a driver, send it requests, own the user memory it sees.
 *
 * The one public header of the umaccess kernel for host programs; plain C, no NT headers needed. There is one kernel
 * per process. A bug check ends the process (exit status 1) after the bug-check callback has run, because the driver
 * that caused it cannot be trusted to go on: run each driver, or each case, in a child process of its own if that
 * matters.
 *
 * Calls come from the thread that called uma_start, except where a comment says "any thread". Addresses of user memory
 * are numbers, never host pointers: the program reads and writes them with uma_user_load and uma_user_store, as a
 * user-mode process would, while a driver reaches them only as its processor and the chosen protection allow.
 */
#ifndef UMA_H
#define UMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An NTSTATUS: negative is an error. */
typedef int32_t uma_status;

#define UMA_ERROR_MAX 256 /* bytes of a message buffer */
#define UMA_NAME_MAX  128 /* bytes of a device name */
#define UMA_PLACE_MAX 512 /* bytes of a code place: "driver!Function+0x12 (file.c:34)" */

/* How user memory is kept from kernel code outside an accessor. AUTO takes the best this processor has. */
enum uma_protect { UMA_PROTECT_AUTO, UMA_PROTECT_PKU, UMA_PROTECT_MPROTECT, UMA_PROTECT_NONE };

/* A bug check, as told to the callback. The strings live until the callback returns. */
struct uma_bugcheck {
    uint32_t code; /* 0xD6, ... */
    uint64_t parameters[4];
    const char *place; /* the driver's code it happened in; "" if unknown */
};

struct uma_options {
    size_t size; /* sizeof(struct uma_options) */
    enum uma_protect protect;
    bool stop_on_raw_access; /* as SMAP and PAN do: a user access outside an accessor is a bug check; else it is counted
                              */
    unsigned timeout_seconds; /* for each request, for DriverEntry and for unload; 0: none */
    /* Any thread; DbgPrint and bug check reports, in pieces, not terminated. Null: they go to standard error. */
    void (*debug_output)(void *context, const char *text, size_t length);
    /* Any thread; before the process ends because of a bug check or a timeout. Null: nothing is called. */
    void (*bugcheck)(void *context, const struct uma_bugcheck *bugcheck);
    /* Any thread; a driver did not come back in time. place: where it is. The process then ends with status 1. */
    void (*timeout)(void *context, const char *doing, const char *place);
    void *context;
    bool verify; /* Driver Verifier's checks: what a driver may not do is a bug check (docs/verifier.md) */
    /* The folder that is C:\ to drivers and user mode; nothing outside of it can be reached. Null: an empty one, made
     * when C: is first used and removed at exit. The text must live as long as the process. */
    const char *root;
};

/* Starts the kernel, once per process. options null: defaults. STATUS_NOT_SUPPORTED: this processor lacks that
 * protection. */
uma_status uma_start(const struct uma_options *options);
/*
 * The first call of a child made by fork() from the thread that called uma_start: gives it user memory of its own, with
 * the same contents and addresses, and new threads for timers and the watchdog. System threads of drivers stay behind,
 * so fork while none runs.
 */
uma_status uma_fork_child(void);
/* The protection in use, by name: "pku", "mprotect" or "none". */
const char *uma_protect_in_use(void);
/* "STATUS_ACCESS_VIOLATION", or "0xc0ffee00" for one we have no name for. Any thread; lives until the thread's next
 * call. */
const char *uma_status_name(uma_status status);
/* "driver!Function+0x12 (file.c:34)" of a code address; always writes something. */
void uma_place(uint64_t address, char *text, size_t size);

/* ---- the registry, before a driver is loaded ---- */

/*
 * Gives a key a value, making the key and all that is missing above it. key: "\\Registry\\Machine\\..."; without a
 * backslash first it lies below the service key of the driver file at path driver, which may else be null. Names are
 * UTF-8. name null: the key alone; "": its default value. type: REG_SZ is 1, REG_DWORD 4 and so on; data is stored as
 * it is, so text is UTF-16 with its terminator.
 */
uma_status uma_registry_set(const char *driver, const char *key, const char *name, uint32_t type, const void *data,
                            size_t size);

/* ---- drivers ---- */

struct uma_driver;

/* Loads the driver file at path and runs its DriverEntry. On failure error has one clear line. */
uma_status uma_load(const char *path, struct uma_driver **driver, char error[UMA_ERROR_MAX]);
/* The name of the index-th device the driver has created, in order of creation ("\Device\X"); false: there is none or
 * it has no name. */
bool uma_driver_device(const struct uma_driver *driver, unsigned index, char name[UMA_NAME_MAX]);
/*
 * Runs the driver's unload routine and takes its objects down; driver is gone afterwards.
 * STATUS_INVALID_DEVICE_REQUEST: it has no unload routine, STATUS_DEVICE_BUSY: files are open; then it stays. The image
 * stays mapped, so that what is left can be named.
 */
uma_status uma_unload(struct uma_driver *driver);

/* ---- plug and play ---- */

/*
 * A driver with an AddDevice routine gets a device on a virtual bus when it is loaded: uma_load starts it, and fails if
 * it does not start; uma_unload removes it first. Such a device mostly has no name and is opened by an interface.
 */
#define UMA_LINK_MAX 1024 /* bytes of an interface's link */
struct uma_interface {
    char class_guid[40];     /* "{...}", in lower case */
    char link[UMA_LINK_MAX]; /* "\\?\ROOT#UMA#0000#{...}": uma_open takes it while the interface is enabled */
    bool enabled;
};
/* The index-th interface the driver has registered for its device; false: there are not so many. */
bool uma_driver_interface(const struct uma_driver *driver, unsigned index, struct uma_interface *interface);
/* The name of the driver's device on the bus, "ROOT\UMA\0000"; false: it has none (any more). */
bool uma_driver_instance(const struct uma_driver *driver, char name[UMA_NAME_MAX]);
/* The device is pulled out: IRP_MN_SURPRISE_REMOVAL, and IRP_MN_REMOVE_DEVICE when its last file is closed.
 * STATUS_NO_SUCH_DEVICE: there is none. */
uma_status uma_surprise_removal(struct uma_driver *driver);
/* The device is stopped and started again, as when resources are shared out anew. A device that does not start again is
 * removed; the status says so. */
uma_status uma_restart_device(struct uma_driver *driver);
/* The system goes to sleep (state 1 to 3: S1 to S3, 4: hibernation) or, with 0, wakes: all devices are asked and told,
 * by system power requests. The status with which one refuses; STATUS_INVALID_PARAMETER. */
uma_status uma_system_power(unsigned state);

/* Calls back for everything the driver has and has not given back: after uma_unload, what it left behind. Returns the
 * count. callback may be null. */
typedef void uma_leftover_callback(void *context, const char *line);
size_t uma_leftovers(uma_leftover_callback *callback, void *context);

/* ---- requests, as a user-mode process sends them ---- */

typedef uint64_t uma_file; /* a handle */

/*
 * What came back; information means what the request's kind says it means. timed_out: the driver left the request
 * pending past the time-out, so it was cancelled. If the driver would not let it be cancelled either, status is
 * STATUS_IO_TIMEOUT (0xC00000B5) and the request is abandoned: it belongs to the driver for ever.
 */
struct uma_result {
    uma_status status;
    bool timed_out;
    uint64_t information;
};

/* device: "\Device\X", "\DosDevices\X" or "\\.\X". */
uma_status uma_open(const char *device, uma_file *file);
uma_status uma_close(uma_file file);
/* in and out are user addresses, passed on as they are: any value is allowed. Lengths in bytes. */
struct uma_result uma_ioctl(uma_file file, uint32_t code, uint64_t in, uint32_t in_length, uint64_t out,
                            uint32_t out_length);
struct uma_result uma_read(uma_file file, uint64_t out, uint32_t length, int64_t offset);
struct uma_result uma_write(uma_file file, uint64_t in, uint32_t length, int64_t offset);

/* The user process ends as far as drivers are concerned: under verification, pages of it that one still keeps locked
 * are bug check 0x76. */
void uma_end_process(void);

/* ---- user memory ---- */

enum uma_access { UMA_NO_ACCESS = 0, UMA_READ = 1, UMA_READ_WRITE = 3, UMA_GUARD = 11 };

/* The range of user addresses: [low, limit). */
void uma_user_range(uint64_t *low, uint64_t *limit);
/* Zeroed pages, rounded up from size, with an unmapped page on either side. */
uma_status uma_user_alloc(size_t size, enum uma_access access, uint64_t *address);
uma_status uma_user_free(uint64_t address, size_t size);
uma_status uma_user_protect(uint64_t address, size_t size, enum uma_access access);
/* The page's contents cannot be brought in: the first access fails with STATUS_IN_PAGE_ERROR. */
uma_status uma_user_poison(uint64_t address);
/* Host access, whatever the protection says to the driver. False: not mapped. Any thread. */
bool uma_user_store(uint64_t address, const void *data, size_t size);
bool uma_user_load(uint64_t address, void *data, size_t size);

/*
 * A user thread that races the driver: stores values[0], values[1], ... in turn (size bytes each: 1, 2, 4 or 8), over
 * and over, until uma_race_stop or until it has stored times values (0: no end).
 */
struct uma_race;
uma_status uma_race_start(uint64_t address, unsigned size, const uint64_t *values, size_t count, uint64_t times,
                          struct uma_race **race);
/* Ends the thread; returns how many stores it made. */
uint64_t uma_race_stop(struct uma_race *race);

/* ---- user threads and system calls ---- */

/*
 * A thread of the user process: body is the program's own code and plays what the thread computes; into the kernel it
 * goes by uma_call and uma_syscall only. Join waits for its end and frees it.
 */
struct uma_thread;
uma_status uma_thread_start(void (*body)(void *context), void *context, struct uma_thread **thread);
void uma_thread_join(struct uma_thread *thread);
/* Number of a system service ("NtClose"); false: there is none of that name. Any thread. docs/services.md lists them.
 */
bool uma_service(const char *name, uint32_t *number);
/*
 * The system call, from a user thread or the one that called uma_start. arguments: user address of 8 bytes for each,
 * which the kernel reads by accessor. Every argument may have any value.
 */
uma_status uma_syscall(uint32_t number, uint64_t arguments);
/* The same by name, the arguments put on the thread's user stack first. STATUS_INVALID_PARAMETER: count is not that of
 * the service. */
uma_status uma_call(const char *service, const uint64_t *arguments, size_t count);
/*
 * User APCs: what NtQueueApcThread and the ApcRoutine of a transfer ask for. They run on their thread before a system
 * call returns that waited alertably (it returns STATUS_USER_APC) or tested for alerts (NtTestAlert); other calls leave
 * them queued. routine is the number the APC was queued with, whatever it is: the kernel never calls it. The function
 * set here plays the user mode code it stands for, and may make system calls; arguments of an ApcRoutine are its
 * context, the address of the status block, and 0. Null, the default: they run without effect.
 *
 * What completes on a thread's behalf (buffers, status block, event) is delivered when the thread is in the kernel, or
 * next enters it, or next touches user memory with uma_user_load or uma_user_store: code that only computes is not
 * interrupted.
 */
typedef void uma_apc_function(void *context, uint64_t routine, const uint64_t arguments[3]);
void uma_set_apc(uma_apc_function *function, void *context);

/* ---- what the driver did that it should not ---- */

/* Instructions that touched user memory outside an accessor since uma_start: executions, and the distinct places. */
uint64_t uma_raw_accesses(void);
struct uma_raw_place {
    uint64_t pc;
    uint64_t address; /* of the first access */
    uint64_t count;
    unsigned size;
    bool write;
};
/* The index-th distinct place, in order of first appearance; false past the last (the first 256 are kept). */
bool uma_raw_place(size_t index, struct uma_raw_place *place);

/* ---- the record of accesses to user memory ---- */

enum uma_trace_how {
    UMA_TRACE_ACCESSOR, /* name: the accessor's primitive, as docs/spec/uma_table.md calls it */
    UMA_TRACE_RAW,      /* an instruction of the driver; invisible with UMA_PROTECT_NONE */
    UMA_TRACE_EXPORT,   /* name: an export that touches what it is given, as memcpy; all it does is one access, but what
                         * the compiler made of its own loop is invisible with UMA_PROTECT_NONE */
    UMA_TRACE_PROBE,    /* name: ProbeForRead or ProbeForWrite */
    UMA_TRACE_LOCK,     /* pages were locked */
    UMA_TRACE_KERNEL    /* the I/O manager captured a request's input or gave back its output */
};
enum uma_trace_access { UMA_TRACE_READ = 1, UMA_TRACE_WRITE = 2, UMA_TRACE_UPDATE = 3 };
enum uma_trace_outcome {
    UMA_TRACE_UNFINISHED, /* it is going on, or the process ended in it */
    UMA_TRACE_COMPLETE,
    UMA_TRACE_RAISED, /* status was raised, about fault_address if that is not 0 */
    UMA_TRACE_STOPPED /* the kernel stopped there: bug check */
};
enum uma_trace_handler { UMA_TRACE_NO_HANDLER, UMA_TRACE_DRIVER_HANDLER, UMA_TRACE_KERNEL_HANDLER };

#define UMA_TRACE_FRAMES 4
#define UMA_TRACE_VALUE  16

/* One access. All of a row but outcome and what comes after it is known before the access is made. */
struct uma_trace_row {
    uint64_t request; /* as uma_trace_request had it */
    uint64_t address, size;
    enum uma_trace_how how;
    enum uma_trace_access access;
    enum uma_trace_handler handler; /* that an exception here would meet first; filters were not asked */
    const char *name;               /* lives as long as the process; null if there is none */
    /* The driver's code: the instruction, or inside the instruction that called; then the calls around it. 0: no more,
     * or no code of a driver's. */
    uint64_t pc[UMA_TRACE_FRAMES];
    unsigned thread; /* from 1, in order of first access */
    uint8_t irql;
    bool user_mode; /* PreviousMode */
    enum uma_trace_outcome outcome;
    uma_status status;
    uint64_t fault_address;
    /* What was read, or else written; the first of size bytes. stored: what an update put in its place. */
    uint8_t value[UMA_TRACE_VALUE], stored[8];
    unsigned value_size;
    uint64_t digest; /* FNV-1a of all bytes, if value cannot hold them */
};

struct uma_trace_options {
    size_t size;  /* sizeof(struct uma_trace_options) */
    size_t limit; /* rows kept; more are counted only */
    bool shared;  /* children made by fork write to the parent's record, which outlives them */
    /*
     * Called before each access that gets a row, on its thread, often in a signal handler: may call uma_user_store,
     * uma_user_load, uma_user_protect and uma_user_poison, nothing else. The access then finds what it left.
     */
    void (*before)(void *context, size_t index, const struct uma_trace_row *row);
    void *context;
};

/*
 * Records every access of drivers to user memory, in order, from now until uma_trace_stop; the rows stay readable until
 * the next start. No driver code may be running. A child made by fork goes on recording, in a copy of its own unless
 * shared. STATUS_NO_MEMORY; STATUS_INVALID_PARAMETER: limit is 0 or above 2^20.
 */
uma_status uma_trace_start(const struct uma_trace_options *options);
void uma_trace_stop(void);
/* Rows of this thread, and of threads that play no user thread, belong to this request from now on. */
void uma_trace_request(uint64_t number);
/* Forgets all rows. No driver code may be running. */
void uma_trace_clear(void);
/* How many rows there are, and how many accesses more there were than the record holds. Any thread. */
size_t uma_trace_count(void);
uint64_t uma_trace_dropped(void);
/* False: there is no such row. Any thread. */
bool uma_trace_row(size_t index, struct uma_trace_row *row);

/*
 * Bytes that the driver fetched more than once for one request: for each of count rows, in order, first[i] is the
 * earliest row that read a byte which row i read again, else count. Returns how many different bytes that were.
 */
uint64_t uma_trace_refetches(const struct uma_trace_row *rows, size_t count, size_t *first);

/*
 * Kernel memory that user mode must never see or change, filled with bytes that appear nowhere else. Its address is
 * what a hostile request puts where a user address belongs.
 */
uint64_t uma_decoy(void);
#define UMA_DECOY_SIZE 4096u
/* True if kernel code has changed the decoy since the last call (which also restores it). */
bool uma_decoy_changed(void);
/* True if data holds at least eight consecutive bytes of the decoy. */
bool uma_decoy_in(const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
