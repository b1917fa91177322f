/*
 * copy.c - faults at every byte of copies and fills, with the exact bytes moved.
 *
 * For each copying or filling DDI: every length 0..130 with a page boundary at every offset, lengths up to three pages
 * with boundaries across them, an unmapped page before the range, both sides at every alignment; for user-to-user
 * copies either side faults, or both. Runs on the calls and the world of tests/ddi, so also as a Windows program.
 */
#include "ddi.h"
#include <stdlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ACCESS_VIOLATION 0xC0000005u
#define SMALL_MAX        130
#define GUARD            40 /* bytes watched on each side of a range */

static unsigned checks, failures;

void ddi_record(const char *name)
{
    (void)name;
}

static void fail(const struct ddi_row *row, const struct ddi_call *call, const char *format, ...)
{
    va_list arguments;
    if (failures++ > 40)
        return;
    printf("not ok - %s(user %#llx, other %#llx, length %llu): ", row->name, (unsigned long long)call->user,
           (unsigned long long)call->other, (unsigned long long)call->length);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static unsigned char *view(uint64_t address)
{
    if (address - env.arena < ARENA_SIZE) {
        unsigned char *page = env.pages[(address - env.arena) / ARENA_PAGE];
        return page ? page + address % ARENA_PAGE : NULL;
    }
    return (unsigned char *)(uintptr_t)address;
}

/* Fills the watched bytes; a byte's value tells its address and its side. */
static void paint(uint64_t address, uint64_t size, unsigned salt)
{
    for (uint64_t at = address - GUARD; at < address + size + GUARD; at++) {
        unsigned char *byte = at < env.limit || at >= env.kernel ? view(at) : NULL;
        if (byte)
            *byte = (unsigned char)(at * 13 + salt);
    }
}

static unsigned char painted(uint64_t address, unsigned salt)
{
    return (unsigned char)(address * 13 + salt);
}

enum { SALT_USER = 1, SALT_OTHER = 0x65, FILL = 0xEE };

/* What one call should do: how many bytes arrive, and the fault, if any. */
struct want {
    uint64_t moved;
    bool faults;
    unsigned kind;
    uint64_t address;
};

static bool is_fill(const struct ddi_row *row)
{
    return row->shape == DDI_FILL || row->shape == DDI_ZERO;
}

/* Every watched byte of one side: the first `moved` of a destination are the source's, all others as painted. */
static void check_side(const struct ddi_row *row, const struct ddi_call *call, uint64_t address, unsigned salt,
                       uint64_t moved, uint64_t from, unsigned from_salt)
{
    for (uint64_t at = address - GUARD; at < address + call->length + GUARD; at++) {
        const unsigned char *byte = at < env.limit || at >= env.kernel ? view(at) : NULL;
        if (!byte)
            continue;
        unsigned char want = painted(at, salt);
        if (at >= address && at < address + moved)
            want = row->shape == DDI_FILL   ? FILL
                   : row->shape == DDI_ZERO ? 0
                                            : painted(from + (at - address), from_salt);
        if (*byte != want) {
            fail(row, call, "byte %lld of the %s is %02x, should be %02x (%llu bytes should have moved)",
                 (long long)(at - address), salt == SALT_USER ? "checked side" : "other side", *byte, want,
                 (unsigned long long)moved);
            return;
        }
    }
}

static void check_call(const struct ddi_row *row, struct ddi_call *call, const struct want *want)
{
    struct env_seen seen = {0};
    struct ddi_call made = *call;
    paint(call->user, call->length, SALT_USER);
    if (!is_fill(row))
        paint(call->other, call->length, SALT_OTHER);
    env_call(row->thunk, &made, &seen);
    checks++;
    if (seen.raised != want->faults) {
        fail(row, call, want->faults ? "no exception" : "raised %#x at %#llx", seen.code,
             (unsigned long long)seen.information[1]);
        return;
    }
    if (seen.raised &&
        (seen.code != ACCESS_VIOLATION || seen.information[0] != want->kind || seen.information[1] != want->address))
        fail(row, call, "raised %#x {%llu, %#llx}, should be an access violation {%u, %#llx}", seen.code,
             (unsigned long long)seen.information[0], (unsigned long long)seen.information[1], want->kind,
             (unsigned long long)want->address);
    bool to_user = row->shape == DDI_COPY_TO || is_fill(row);
    check_side(row, call, call->user, SALT_USER, to_user ? want->moved : 0, call->other, SALT_OTHER);
    if (!is_fill(row))
        check_side(row, call, call->other, SALT_OTHER, to_user ? 0 : want->moved, call->user, SALT_USER);
}

static bool both_user(const struct ddi_row *row)
{
    return row->flags & DDI_BOTH_USER;
}

/* Structures of these sizes are one machine access, which moves all or nothing. */
static bool single_access(const struct ddi_row *row, uint64_t length)
{
    return strcmp(row->family, "struct helper") == 0 && (length == 2 || length == 4 || length == 8);
}

static bool is_copy(const struct ddi_row *row)
{
    return (row->shape == DDI_COPY_FROM || row->shape == DDI_COPY_TO || is_fill(row)) &&
           strcmp(row->family, "struct macro") != 0 && strcmp(row->family, "struct aligned macro") != 0;
}

static struct ddi_call make_call(const struct ddi_row *row, uint64_t user, uint64_t length, unsigned shift)
{
    struct ddi_call call = {.user = user, .length = length, .alignment = 1, .mode = 1};
    call.other = (both_user(row) ? env.arena + 0x9000 : env.kernel + 0x80) + shift;
    call.value[0] = FILL;
    return call;
}

/* The page boundary (page 3 | 4) `before` bytes into the range; before == length: the range ends there. */
static void fault_at(const struct ddi_row *row, uint64_t length, uint64_t before, unsigned shift)
{
    uint64_t boundary = env.arena + 4 * ARENA_PAGE;
    struct ddi_call call = make_call(row, boundary - before, length, shift);
    struct want want = {
        .moved = before, .faults = before < length, .kind = row->shape != DDI_COPY_FROM, .address = boundary};
    if (want.faults && single_access(row, length))
        want.moved = 0;
    check_call(row, &call, &want);
}

/* The range begins `before` bytes ahead of a mapped page, in an unmapped one: nothing moves. */
static void fault_first(const struct ddi_row *row, uint64_t length, uint64_t before, unsigned shift)
{
    struct ddi_call call = make_call(row, env.arena + ARENA_PAGE - before, length, shift);
    struct want want = {.moved = 0, .faults = true, .kind = row->shape != DDI_COPY_FROM, .address = call.user};
    check_call(row, &call, &want);
}

static void crossing(const struct ddi_row *row, uint64_t length, uint64_t before, unsigned shift)
{
    struct ddi_call call = make_call(row, env.arena + 8 * ARENA_PAGE - before, length, shift);
    if (both_user(row))
        call.other = env.arena + 0xB000 + shift;
    struct want want = {.moved = length};
    check_call(row, &call, &want);
}

/* 1: a fault at every byte. n (UMA_COPY_STRIDE): at every nth, another nth for each length; for emulated machines. */
static unsigned stride = 1;

static void small(const struct ddi_row *row)
{
    for (unsigned length = 0; length <= SMALL_MAX; length++)
        for (unsigned before = length % stride; before <= length; before += stride) {
            fault_at(row, length, before, (length + before) % 16);
            crossing(row, length, before, (length * 3 + before) % 16);
            if (before > 0)
                fault_first(row, length, before, before % 16);
        }
}

static void large(const struct ddi_row *row)
{
    static const unsigned lengths[] = {255, 256, 257, 511, 1000, 2047, 4095, 4096, 4097, 6000, 8191, 8192};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (unsigned step = 0; step <= 40; step++) {
            unsigned length = lengths[i], before = (unsigned)((uint64_t)length * step / 40);
            if (step % 2)
                before = before > 7 ? before - step % 7 : before;
            fault_at(row, length, before, step % 16);
            fault_at(row, length, before, (0 - before) & 63); /* both sides aligned alike: where rep movsb is used */
            crossing(row, length, before < 0x1000 ? before : 0xfff, step % 16);
        }
    if (!both_user(row)) /* three pages, the last byte and around it */
        for (unsigned before = 3 * ARENA_PAGE - 130; before <= 3 * ARENA_PAGE - 100; before++)
            fault_at(row, before + 50, before, 0);
}

/* Both sides fault: the nearer boundary stops the copy; at a tie the read comes first. */
static void both_fault(const struct ddi_row *row, unsigned length, unsigned read)
{
    const unsigned writes[] = {0, read / 2, read, read + 1, length};
    uint64_t source_end = env.arena + (ARENA_READONLY + 1) * ARENA_PAGE, destination_end = env.arena + 4 * ARENA_PAGE;
    for (unsigned i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        unsigned write = writes[i] < length ? writes[i] : length;
        struct ddi_call call = make_call(row, source_end - read, length, 0);
        call.other = destination_end - write;
        struct want want = {.moved = read <= write ? read : write, .kind = read > write};
        want.faults = want.moved < length;
        want.address = want.kind ? destination_end : source_end;
        check_call(row, &call, &want);
    }
}

static void user_to_user(const struct ddi_row *row)
{
    for (unsigned length = 1; length <= SMALL_MAX; length++)
        for (unsigned before = length % stride; before <= length; before += stride) {
            struct ddi_call call = make_call(row, env.arena + 0x8040 + length % 16, length, 0);
            call.other = env.arena + 4 * ARENA_PAGE - before;
            struct want want = {
                .moved = before, .faults = before < length, .kind = 1, .address = env.arena + 4 * ARENA_PAGE};
            check_call(row, &call, &want);
            both_fault(row, length, before);
        }
}

/* One overlapping move: bytes [first, end) arrive; kind and [low, high] say where it may fault, if it does. */
struct overlap {
    uint64_t source, destination;
    unsigned length, first, end;
    bool faults;
    unsigned kind;
    uint64_t low, high;
};

static void check_overlap(const struct ddi_row *row, const struct overlap *move)
{
    struct ddi_call call = {.user = move->source, .other = move->destination, .length = move->length, .mode = 1},
                    made = call;
    uint64_t from = move->source < move->destination ? move->source : move->destination;
    uint64_t size = move->length + (move->source ^ move->destination
                                        ? (move->source > move->destination ? move->source - move->destination
                                                                            : move->destination - move->source)
                                        : 0);
    struct env_seen seen = {0};
    paint(from, size, SALT_USER);
    env_call(row->thunk, &made, &seen);
    checks++;
    if (seen.raised != move->faults ||
        (seen.raised && (seen.code != ACCESS_VIOLATION || seen.information[0] != move->kind ||
                         seen.information[1] < move->low || seen.information[1] > move->high)))
        fail(row, &call, "raised %#x {%llu, %#llx}, should be %s {%u, %#llx..%#llx}", seen.code,
             (unsigned long long)seen.information[0], (unsigned long long)seen.information[1],
             move->faults ? "an access violation" : "nothing", move->kind, (unsigned long long)move->low,
             (unsigned long long)move->high);
    for (uint64_t at = from - GUARD; at < from + size + GUARD; at++) {
        const unsigned char *byte = view(at);
        uint64_t index = at - move->destination;
        bool arrives = at >= move->destination && index >= move->first && index < move->end;
        unsigned char want = painted(arrives ? move->source + index : at, SALT_USER);
        if (byte && *byte != want) {
            fail(row, &call, "overlap: byte %lld of the destination is %02x, should be %02x", (long long)index, *byte,
                 want);
            return;
        }
    }
}

/* The higher of the two ranges has `before` bytes ahead of an unmapped page; before == length: no fault. */
static void overlap_high(const struct ddi_row *row, unsigned length, int distance, unsigned before)
{
    uint64_t boundary = env.arena + 4 * ARENA_PAGE, higher = boundary - before;
    struct overlap move = {
        .source = distance > 0 ? higher - (unsigned)distance : higher, .length = length, .end = before};
    move.destination = move.source + (uint64_t)(int64_t)distance;
    move.faults = before < length;
    move.low = move.high = boundary;
    if (distance > 0 && (unsigned)distance < length && move.faults) {
        move.end = 0; /* the last byte comes first */
        move.high = higher + length - 1;
    }
    move.kind = distance > 0 && !((unsigned)distance < length && length > before + (unsigned)distance);
    check_overlap(row, &move);
}

/* The source begins `missing` bytes ahead of a mapped page and is moved up: the bytes after those arrive. */
static void overlap_low(const struct ddi_row *row, unsigned length, unsigned distance, unsigned missing)
{
    uint64_t boundary = env.arena + ARENA_LAST_RW * ARENA_PAGE;
    struct overlap move = {
        .source = boundary - missing, .length = length, .first = missing, .end = length, .faults = true};
    move.destination = move.source + distance;
    move.low = move.source; /* any byte of the missing ones: a wide load reports its own first */
    move.high = boundary - 1;
    check_overlap(row, &move);
}

/*
 * Overlapping ranges of every distance, with and without a fault. A destination inside the source is copied from its
 * end down, so that a fault leaves the bytes after the faulting one copied, and none before it.
 */
static void overlaps(const struct ddi_row *row)
{
    for (unsigned length = 1; length <= SMALL_MAX; length += 3 * stride)
        for (int distance = -(int)length; distance <= (int)length; distance++)
            for (unsigned fault = 0; fault <= length; fault += fault < 8 ? 1 : 13) {
                overlap_high(row, length, distance, fault);
                if (distance > 0 && (unsigned)distance < length && fault > 0 && fault < length)
                    overlap_low(row, length, (unsigned)distance, fault);
            }
    for (int distance = 1; distance < 3000; distance = distance * 3 + 1) {
        overlap_high(row, 5000, distance, 5000);
        overlap_high(row, 5000, -distance, 5000);
    }
}

int main(void)
{
    if (!env_start())
        return 77;
    const char *every = getenv("UMA_COPY_STRIDE");
    if (every && atoi(every) > 0)
        stride = (unsigned)atoi(every);
    for (unsigned i = 0; i < ddi_row_count; i++) {
        const struct ddi_row *row = &ddi_rows[i];
        if (!is_copy(row))
            continue;
        unsigned before = failures;
        small(row);
        large(row);
        if (both_user(row))
            user_to_user(row);
        if (strstr(row->name, "MoveTo"))
            overlaps(row);
        printf("%s - %s: a fault at every %u. byte\n", failures == before ? "ok" : "not ok", row->name, stride);
    }
    printf("%u copies, %u failed\n", checks, failures);
    return failures != 0;
}
