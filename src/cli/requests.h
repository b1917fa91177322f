/*
 * requests.h - a request file in memory: buffers, their fields, and the requests that use them.
 *
 * requests_parse (requests_file.c, requests_fields.c, requests_request.c, requests_registry.c) makes a plan of a JSON
 * file and trusts none of it; it needs no kernel. plan_place (requests_place.c) lays a plan's buffers out in user
 * memory. docs/requests.md describes the format.
 */
#pragma once
#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUESTS_ERROR_MAX 512
#define REQUESTS_NAME_MAX  64

/* Limits on a file; beyond any honest use, and far below what would hurt. */
#define REQUESTS_MAX_FILE    (16u << 20) /* bytes of JSON */
#define REQUESTS_MAX_DEPTH   16          /* buffers nested inside buffers */
#define REQUESTS_MAX_BUFFERS 4096
#define REQUESTS_MAX_COUNT   4096        /* requests, and fields of one buffer */
#define REQUESTS_MAX_BYTES   (64u << 20) /* of all buffers together */
#define REQUESTS_MAX_REPEAT  1000000u
#define REQUESTS_MAX_RACES   4
#define REQUESTS_MAX_VALUES  64
#define REQUESTS_MAX_PRESETS 4096
#define REQUESTS_MAX_DATA    (1u << 20) /* bytes of one registry value */

enum buffer_bad {
    BAD_NO,
    BAD_NULL,     /* address 0 */
    BAD_UNMAPPED, /* a user address with nothing there */
    BAD_READ_ONLY,
    BAD_GUARD,          /* a guard page */
    BAD_KERNEL,         /* the decoy: a kernel address that is readable and writable to kernel code */
    BAD_STRADDLE_LIMIT, /* begins below the end of user space and runs past it */
    BAD_STRADDLE_END,   /* the second half lies on an unmapped page */
    BAD_NONCANONICAL,
    BAD_WRAP,          /* the range passes the end of the address space */
    BAD_IN_PAGE_ERROR, /* the page cannot be read in */
    BAD_COUNT
};
extern const char *const buffer_bad_names[BAD_COUNT];

struct buffer;

/* Where a pointer leads, or what a request passes. buffer null: no buffer, address 0. */
struct target {
    struct buffer *buffer;
    uint64_t offset;
};

enum field_kind { FIELD_BYTES, FIELD_POINTER, FIELD_LENGTH };

struct field {
    enum field_kind kind;
    size_t offset; /* in its buffer */
    size_t size;
    uint8_t *bytes;       /* FIELD_BYTES */
    struct target target; /* FIELD_POINTER, FIELD_LENGTH */
};

struct buffer {
    char name[REQUESTS_NAME_MAX]; /* "" for one written inline */
    enum buffer_bad bad;
    bool at_start; /* of a page; otherwise it ends where a page ends and an unmapped one follows */
    struct field *fields;
    size_t count;
    size_t size;
    bool parsed;
    struct buffer *next;
    uint64_t address; /* set by plan_place */
    uint64_t region;  /* what plan_place mapped for it, 0 if nothing */
    size_t region_size;
};

struct race {
    uint64_t offset; /* in buffer */
    struct buffer *buffer;
    unsigned size;
    uint64_t values[REQUESTS_MAX_VALUES];
    size_t count;
    uint64_t times;
};

enum request_type {
    REQUEST_IOCTL,
    REQUEST_READ,
    REQUEST_WRITE,
    REQUEST_OPEN,
    REQUEST_CLOSE,
    REQUEST_SURPRISE_REMOVAL, /* these happen to a plug and play driver's device */
    REQUEST_RESTART,
    REQUEST_SLEEP, /* and these to all of them */
    REQUEST_WAKE,
    REQUEST_TYPE_COUNT
};
extern const char *const request_type_names[REQUEST_TYPE_COUNT];

struct request {
    char name[REQUESTS_NAME_MAX];
    enum request_type type;
    uint32_t code;
    struct target in, out;
    uint32_t in_length, out_length;
    int64_t offset; /* of a read or write */
    uint32_t repeat;
    struct race *races; /* at most REQUESTS_MAX_RACES */
    size_t race_count;
    struct buffer **show; /* buffers to print afterwards */
    size_t show_count;
};

/* A registry key, or a value in it, that is there before the driver is loaded. */
struct preset {
    char *key;  /* "\\Registry\\...", or below the driver's service key */
    char *name; /* null: the key alone */
    uint32_t type;
    struct field data;
    struct preset *next;
};

struct plan {
    char description[128];
    char device[256]; /* "" : the driver's first */
    struct buffer *buffers;
    size_t buffer_count;
    struct preset *presets; /* in the file's order */
    size_t preset_count;
    struct request *requests;
    size_t count;
    void *memory; /* everything above that was allocated */
};

/* An empty plan, and one freed. plan_allocate gives zeroed memory that lives as long as the plan; null when there is
 * none. */
void plan_init(struct plan *plan);
void plan_free(struct plan *plan);
void *plan_allocate(struct plan *plan, size_t size);
struct buffer *plan_add_buffer(struct plan *plan, const char *name);

/* Opens a regular file to read; a pipe or device, which might never end, is refused. Null: requests_open_error says
 * why. */
FILE *requests_open(const char *path);
const char *requests_open_error(void);

/* Reads a request file. False: error has one line, with the place in the file, and the plan is empty. */
bool requests_read(const char *path, struct plan *plan, char error[REQUESTS_ERROR_MAX]);
/* The same of a text in memory; label stands for the file's name in messages. */
bool requests_parse(const char *text, size_t length, const char *label, struct plan *plan,
                    char error[REQUESTS_ERROR_MAX]);

/* Adds the presets of a file that holds nothing else (docs/requests.md, "Registry"). False: as above, but the plan
 * stays as it is. */
bool requests_read_registry(const char *path, struct plan *plan, char error[REQUESTS_ERROR_MAX]);

/* Lays the plan's buffers out in user memory and fills them. False: error says what could not be done. */
bool plan_place(struct plan *plan, char error[REQUESTS_ERROR_MAX]);
/* Gives a buffer the contents the plan says, again. */
bool plan_fill(const struct buffer *buffer);
uint64_t target_address(const struct target *target);
