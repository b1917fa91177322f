/* load_client.h - what the files of the load test share. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uma.h"

#define OK                   0
#define USER_APC             0xC0
#define TIMED_OUT            0x102
#define PENDING              0x103
#define GUARD_PAGE           ((uma_status)0x80000001)
#define MISALIGNED           ((uma_status)0x80000002)
#define ACCESS_VIOLATION     ((uma_status)0xC0000005)
#define INVALID_HANDLE       ((uma_status)0xC0000008)
#define INVALID_PARAMETER    ((uma_status)0xC000000D)
#define ACCESS_DENIED        ((uma_status)0xC0000022)
#define OBJECT_TYPE_MISMATCH ((uma_status)0xC0000024)
#define CANCELLED            ((uma_status)0xC0000120)
#define NOT_FOUND            ((uma_status)0xC0000225)
#define FILE_ACCESS          0x0012019Full /* generic read and write */
#define EVENT_ALL            0x1F0003
#define THIS_PROCESS         ((uint64_t)-1)
#define THIS_THREAD          ((uint64_t)-2)

enum { LOAD_CLIENTS = 8, LOAD_MAPPERS = 2, LOAD_HANDLES = 24, LOAD_REGIONS = 16, LOAD_REGION_SIZE = 0x10000 };
enum { LOAD_SLOTS = 8, SYNCHRONIZATION = 1, SYNCHRONOUS = 0x20, PAGE = 0x1000 };

/* Where things are in the first page of a client's memory. */
enum {
    IO = 0,
    HANDLE_OUT = 64,
    ATTRIBUTES = 128,
    NAME = 192,
    TEXT = 224,
    EVENT_HANDLE = 416,
    NUMBER = 424,
    TIMEOUT = 432
};

struct load_shared {
    uint64_t seed, kernel_address;
    bool over;                            /* the mappers may go */
    unsigned running;                     /* clients */
    uint64_t handles[LOAD_HANDLES];       /* of files, atomically exchanged; whoever takes one out closes it */
    uint64_t async_handles[LOAD_HANDLES]; /* the same, of files that nobody waits at */
    uint64_t own_files[LOAD_CLIENTS];     /* the clients' own: others cancel there, and do nothing else */
    uint64_t threads[LOAD_CLIENTS];       /* the clients, for NtCancelSynchronousIoFile */
    uint64_t regions[LOAD_REGIONS];       /* addresses that the mappers map and unmap */
    uint64_t sent, back, succeeded, answers, mapped, pended, reported, left, leavers, cancels;
};
extern struct load_shared shared;

/* A request that nobody waits for, and what is to be reported of it: its thread's alone, see async.c. */
struct slot {
    bool pending, with_event, with_apc, own, stays, checkable;
    uint64_t event, block, input;
    uint32_t sequence, apcs;
};

/* One thread, a client or a mapper. */
struct client {
    unsigned index;
    uint64_t requests, random;
    uint64_t area;  /* user memory of its own: see client.c */
    uint64_t event; /* of the requests it waits for */
    uint64_t key;   /* see mixed.c */
    uint64_t sent, back, succeeded, answers;

    uint64_t slot_area, file, second; /* user memory of the slots; the same asynchronous file twice */
    struct slot slots[LOAD_SLOTS];
    uint64_t pended, reported, left, cancels;
};

/* Ends the process with a line if what must hold does not. */
void expect(bool holds, const char *what);
/* Pseudo-random number below limit. */
uint32_t pick(struct client *client, uint32_t limit);
/* An address for a buffer of length bytes: often good, else one of the others. */
uint64_t address_for(struct client *client, uint64_t good, uint32_t length);
bool is_mapped_by_others(uint64_t address);

/* A system call, which must come back with a legal status. */
uma_status call(const char *service, const uint64_t *arguments, size_t count);
#define CALL(service, ...) call(service, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)
/* The status of a request with the client's event: waited for if it pends. */
uma_status ask(struct client *client, uma_status status);
/* Interval: in 100 ns, negative; 0: does not wait. */
uma_status wait_for(struct client *client, uint64_t handle, bool alertable, int64_t interval);
/* The address of object attributes with this name, which is overwritten by the next one. */
uint64_t put_name(struct client *client, const char *text);
/* The handle a service has left at HANDLE_OUT. */
uint64_t handle_out(struct client *client);
uint64_t open_device(struct client *client, uint32_t options);
/* 0: the handle is closed meanwhile. */
uint64_t duplicate(struct client *client, uint64_t handle);
uint64_t create_event(struct client *client);

/* A client's life: begin and run in its thread, end in any thread once that is gone. */
void client_begin(struct client *client);
void client_run(void *client);
void client_end(struct client *client);
void client_close_shared(void);

void async_begin(struct client *client);
/* Sends a request or looks after one. */
void async_step(struct client *client);
void cancel_any(struct client *client);
/* Waits for what ends by itself; what stays is left to the thread's end. */
void async_settle(struct client *client);
/* Checks what the thread has left. */
void async_end(struct client *client);
/* A thread that sends requests and ends. */
void leaver_run(void *client);
void async_apc(void *context, uint64_t routine, const uint64_t arguments[3]);

/* Files of C:, registry keys, sections. Prepare makes once what stays. */
void mixed_prepare(void);
void mixed_begin(struct client *client);
void mixed_step(struct client *client);
void mixed_end(struct client *client);

void mapper_run(void *client);
void mappers_prepare(void);
void mappers_clean(void);
