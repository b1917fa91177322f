/*
 * sessions.c - a harmless session with each driver of the corpus that the suite explores, as somebody who has read the
 * driver writes it.
 */
#include "sessions.h"

enum { LIMIT_MS = 20000, SHORT_MS = 1500 /* what loops is waited for several times */ };

#define CODE(number, method) (0x222000u + 4 * (number) + (method))
enum { BUFFERED = 0, NEITHER = 3 };

#define U32(value) (value) & 0xFF, (value) >> 8 & 0xFF, (value) >> 16 & 0xFF, (value) >> 24 & 0xFF
#define BLOCK(n, ...)                                                                                                  \
    {                                                                                                                  \
        .size = (n), .access = UMA_READ_WRITE, .bytes = (const uint8_t[n])                                             \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define SEND(number, method, in_block, n, out_block, m)                                                                \
    {.type = ATTEMPT_CONTROL,                                                                                          \
     .code = CODE(number, method),                                                                                     \
     .in = {.block = (in_block)},                                                                                      \
     .out = {.block = (out_block)},                                                                                    \
     .in_length = (n),                                                                                                 \
     .out_length = (m)}
#define DEVICE(limit) .device = "\\Device\\Corpus", .milliseconds = (limit)

/* One request: block 0 is the input, block 1 the output. */
#define ONE(limit, method, n, m, ...)                                                                                  \
    {                                                                                                                  \
        DEVICE(limit), .block_count = 2, .blocks = {BLOCK(n, __VA_ARGS__), BLOCK(m, 0)}, .request_count = 1,           \
            .requests = {                                                                                              \
                SEND(0, method, 0, n, 1, m)                                                                            \
            }                                                                                                          \
    }
/* The same with a pointer at the front of the input, to block 2. */
#define WITH_POINTER(limit, method, n, m, k, ...)                                                                      \
    {                                                                                                                  \
        DEVICE(limit), .block_count = 3, .blocks = {BLOCK(n, __VA_ARGS__), BLOCK(m, 0), BLOCK(k, 'a')},                \
            .link_count = 1, .links = {{.at = {.block = 0}, .to = {.block = 2}}}, .request_count = 1, .requests = {    \
                SEND(0, method, 0, n, 1, m)                                                                            \
            }                                                                                                          \
    }

const struct session sessions[] = {
    {"raw-user-access.wdm_plain_load", ONE(LIMIT_MS, NEITHER, 4, 4, U32(7))},
    {"raw-user-access.uma_clear", ONE(LIMIT_MS, NEITHER, 4, 64, 0)},
    {"raw-user-access.kmdf_copy", ONE(LIMIT_MS, NEITHER, 6, 4, 'a', ' ', 'n', 'a', 'm', 'e')},
    {"unchecked-pointer.uma_mode", WITH_POINTER(LIMIT_MS, BUFFERED, 8, 16, 16, 0)},
    {"unchecked-pointer.wdm_embedded", WITH_POINTER(LIMIT_MS, BUFFERED, 8, 4, 8, 0)},
    {"unchecked-pointer.kmdf_probe_zero", WITH_POINTER(LIMIT_MS, NEITHER, 16, 4, 16, [8] = 16)},
    {"double-fetch.uma_check", ONE(LIMIT_MS, NEITHER, 8, 4, U32(2), U32(9))},
    {"double-fetch.uma_header", ONE(LIMIT_MS, NEITHER, 8, 4, U32(8), 1, 2, 3, 4)},
    {"double-fetch.wdm_size", ONE(LIMIT_MS, NEITHER, 8, 4, U32(4), 1, 2, 3, 4)},
    {"double-fetch.doc_example1", ONE(LIMIT_MS, NEITHER, 16, 4, U32(8), U32(0), U32(1), U32(0))},
    {"double-fetch.doc_example2", ONE(LIMIT_MS, NEITHER, 16, 4, U32(16), U32(0), U32(1), U32(0))},
    {"double-fetch.kmdf_count", ONE(LIMIT_MS, NEITHER, 8, 4, U32(2), 5, 0, 6, 0)},
    {"unhandled-fault.kmdf_filter", ONE(LIMIT_MS, NEITHER, 8, 4, U32(5), U32(0))},
    {"unhandled-fault.uma_result", ONE(LIMIT_MS, NEITHER, 8, 4, U32(3), U32(4))},
    {"unhandled-fault.wdm_after_probe", ONE(LIMIT_MS, NEITHER, 4, 8, 0)},
    {"leak-on-fault.wdm_mdl", ONE(LIMIT_MS, NEITHER, 16, 4, 's', 'i', 'x', 't', 'e', 'e', 'n')},
    {"leak-on-fault.uma_handle", ONE(LIMIT_MS, NEITHER, 4, 4, 0)},
    {"leak-on-fault.kmdf_memory", ONE(LIMIT_MS, NEITHER, 4, 4, 't', 'e', 'x', 't')},
    {"memory-corruption.wdm_wrap", ONE(LIMIT_MS, BUFFERED, 8, 4, U32(3), U32(7))},
    {"memory-corruption.kmdf_over_read", ONE(LIMIT_MS, BUFFERED, 8, 4, U32(4), 1, 2, 3, 4)},
    {"null-dereference.uma_pool", ONE(LIMIT_MS, NEITHER, 5, 4, 'e', 'n', 't', 'r', 'y')},
    {"null-dereference.wdm_no_buffer", ONE(LIMIT_MS, BUFFERED, 4, 4, U32(60))},
    {"null-dereference.kmdf_order",
     {DEVICE(LIMIT_MS), .block_count = 2, .blocks = {BLOCK(4, U32(9)), BLOCK(4, 0)}, .request_count = 2,
      .requests = {SEND(1, BUFFERED, 0, 4, 1, 0), SEND(0, BUFFERED, 0, 0, 1, 4)}}},
    {"hang.wdm_chain", ONE(SHORT_MS, BUFFERED, 16, 4, U32(8), U32(1), U32(8), U32(2))},
    {"hang.uma_list", WITH_POINTER(SHORT_MS, NEITHER, 16, 8, 16, [8] = 1)},
    {"hang.kmdf_wait",
     {DEVICE(SHORT_MS), .block_count = 1, .blocks = {BLOCK(4, 0)}, .request_count = 2,
      .requests = {SEND(1, BUFFERED, 0, 0, 0, 0), SEND(0, BUFFERED, 0, 0, 0, 0)}}},
    {"request-misuse.wdm_not_completed", ONE(LIMIT_MS, BUFFERED, 8, 4, U32(1), U32(2))},
    {"request-misuse.uma_twice", ONE(LIMIT_MS, NEITHER, 4, 4, U32(1))},
    {"use-after-free.uma_double_free", ONE(LIMIT_MS, NEITHER, 7, 4, 'p', 'a', 'y', 'l', 'o', 'a', 'd')},
    {"use-after-free.wdm_session",
     {DEVICE(LIMIT_MS), .block_count = 2, .blocks = {BLOCK(4, U32(5)), BLOCK(4, 0)}, .request_count = 3,
      .requests = {SEND(0, BUFFERED, 0, 4, 1, 0), SEND(1, BUFFERED, 0, 0, 1, 4), SEND(2, BUFFERED, 0, 0, 1, 0)}}},
    {"use-after-free.kmdf_memory",
     {DEVICE(LIMIT_MS), .block_count = 1, .blocks = {BLOCK(4, U32(1))}, .request_count = 2,
      .requests = {SEND(1, BUFFERED, 0, 0, 0, 0), SEND(0, BUFFERED, 0, 4, 0, 0)}}},
    {"wrong-irql.kmdf_paged_pool", ONE(LIMIT_MS, BUFFERED, 5, 4, 's', 'h', 'o', 'r', 't')},
    {"wrong-irql.uma_spin_lock", ONE(LIMIT_MS, NEITHER, 4, 4, U32(12))},
};
const size_t session_count = sizeof(sessions) / sizeof(sessions[0]);
