/*
 * fetch.c - the surest race: each byte a service reads of its caller's memory changes as soon as it has been read, so a
 * second read sees another world. Good calls must come out as if nothing had happened, having read every byte of their
 * input exactly once and no other byte twice.
 *
 * Watched where reads begin: as UserMode in the table of the accessors' primitives, as KernelMode in the copy under the
 * accessors by mode (the linker's --wrap). The touch of ProbeForWrite leaves bytes as they are and is no read.
 */
#include "svc_pointers.h"
#include "uma_kernel.h"

enum { CHANGED = 0xEE, PLACES = 3 };

/* What is watched: the caller's area in either mode, and the block of arguments. */
static struct place {
    ULONG_PTR at;
    UCHAR reads[PLAT_PAGE_SIZE];
} places[PLACES];
static bool watching;
static const struct uma_functions *const table = (const struct uma_functions *)arch_uma_functions;
static struct uma_functions original;

/* size bytes at address have been read: from now on they are others. */
static void note_read(const volatile void *address, SIZE_T size)
{
    ULONG_PTR at = (ULONG_PTR)address;
    for (SIZE_T p = 0; watching && p < PLACES; p++) {
        struct place *place = &places[p];
        UCHAR changed[PLAT_PAGE_SIZE];
        if (at < place->at || at - place->at >= PLAT_PAGE_SIZE || size > PLAT_PAGE_SIZE - (at - place->at))
            continue;
        for (SIZE_T i = 0; i < size; i++)
            place->reads[at - place->at + i]++;
        memset(changed, CHANGED, size);
        if (at < plat_layout.user_limit)
            assert_true(plat_user_store(at, changed, size));
        else
            memcpy((void *)at, changed, size);
    }
}

static VOID NTAPI copy_from_user(volatile VOID *to, const volatile VOID *from, SIZE_T length)
{
    original.CopyFromUser(to, from, length);
    note_read(from, length);
}

static VOID NTAPI copy_from_user_streaming(volatile VOID *to, const volatile VOID *from, SIZE_T length)
{
    original.CopyFromUserNonTemporal(to, from, length);
    note_read(from, length);
}

static VOID NTAPI copy_user_to_user(volatile VOID *to, const volatile VOID *from, SIZE_T length)
{
    original.CopyToUserFromUser(to, from, length);
    note_read(from, length);
}

static VOID NTAPI move_user_to_user(volatile VOID *to, const volatile VOID *from, SIZE_T length)
{
    original.MoveToUserFromUser(to, from, length);
    note_read(from, length);
}

#define READ(type, name)                                                                                               \
    static type NTAPI read_##name(const volatile type *from)                                                           \
    {                                                                                                                  \
        type value = original.Read##name##FromUser(from);                                                              \
        note_read(from, sizeof(value));                                                                                \
        return value;                                                                                                  \
    }
READ(UCHAR, UChar)
READ(USHORT, UShort)
READ(ULONG, ULong)
READ(ULONG64, ULong64)

static SIZE_T NTAPI string_length(const volatile CHAR *from)
{
    SIZE_T length = original.StringLengthFromUser(from);
    note_read(from, length + 1);
    return length;
}

static SIZE_T NTAPI wide_string_length(const volatile WCHAR *from)
{
    SIZE_T length = original.WideStringLengthFromUser(from);
    note_read(from, (length + 1) * sizeof(WCHAR));
    return length;
}

void NTAPI __real_umap_copy_direct(volatile void *to, const volatile void *from, SIZE_T length);
void NTAPI __wrap_umap_copy_direct(volatile void *to, const volatile void *from, SIZE_T length);
void NTAPI __wrap_umap_copy_direct(volatile void *to, const volatile void *from, SIZE_T length)
{
    __real_umap_copy_direct(to, from, length);
    note_read(from, length);
}

static void watch(void)
{
    struct uma_functions *live = (struct uma_functions *)arch_uma_functions;
    original = *table;
    live->CopyFromUser = copy_from_user;
    live->CopyFromUserNonTemporal = copy_from_user_streaming;
    live->CopyToUserFromUser = copy_user_to_user;
    live->MoveToUserFromUser = move_user_to_user;
    live->ReadUCharFromUser = read_UChar;
    live->ReadUShortFromUser = read_UShort;
    live->ReadULongFromUser = read_ULong;
    live->ReadULong64FromUser = read_ULong64;
    live->StringLengthFromUser = string_length;
    live->WideStringLengthFromUser = wide_string_length;
    places[0].at = good_area(UserMode);
    places[1].at = good_area(KernelMode);
    places[2].at = bench_block();
    for (SIZE_T p = 0; p < PLACES; p++)
        memset(places[p].reads, 0, sizeof(places[p].reads));
    watching = true;
}

static void watch_no_more(void)
{
    watching = false;
    *(struct uma_functions *)arch_uma_functions = original;
}

/* Bytes of argument i that the service must have read. */
static SIZE_T input_bytes(const struct svc_row *row, ULONG i, const ULONG64 *values)
{
    enum svc_kind kind = row->kinds[i];
    if (kind == SVC_BUFFER_IN)
        return BUFFER_BYTES;
    if (kind == SVC_HANDLES)
        return sizeof(HANDLE);
    if (kind == SVC_DATA_IN)
        return values[i + 1];
    return svc_kinds[kind].flags & SVC_IN ? svc_kinds[kind].bytes : 0;
}

/* Each byte of the place's inputs once, every other at most once. Returns how many bytes were read. */
static ULONG check_place(const struct svc_row *row, const char *prefix, ULONG p, const ULONG64 *values)
{
    ULONG bytes = 0;
    for (ULONG at = 0; at < PLAT_PAGE_SIZE; at++) {
        ULONG i = at / SLOT, reads = places[p].reads[at];
        bool input = i < row->count && values[i] == places[p].at + i * SLOT && at % SLOT < input_bytes(row, i, values);
        bytes += reads;
        if (reads > 1 || (input && !reads)) {
            print_error("%s%s, %s: byte %u was read %u times\n", prefix, row->name,
                        i < row->count ? row->arguments[i] : "?", (unsigned)(at % SLOT), (unsigned)reads);
            fail();
        }
    }
    return bytes;
}

static void check_block(const struct svc_row *row)
{
    for (ULONG at = 0; at < PLAT_PAGE_SIZE; at++)
        if (places[2].reads[at] != (at < row->count * sizeof(ULONG64))) {
            print_error("Nt%s: byte %u of its arguments was read %u times\n", row->name, (unsigned)at,
                        (unsigned)places[2].reads[at]);
            fail();
        }
}

/* One call under watch; returns how many bytes it read. */
static ULONG call_watched(ULONG number, KPROCESSOR_MODE mode)
{
    const struct svc_row *row = &svc_table[number];
    const char *prefix = mode == UserMode ? "Nt" : "Zw";
    ULONG_PTR area = good_area(mode);
    ULONG64 values[SVC_ARGUMENTS_MAX];
    struct bench_counts before = bench_counts();
    good_build(row, area, values);
    NTSTATUS quiet = mode == UserMode ? bench_call(number, values) : svc_zw(number, values);
    good_clean(row, quiet, area, values);
    good_build(row, area, values);
    watch();
    NTSTATUS status = mode == UserMode ? bench_call(number, values) : svc_zw(number, values);
    watch_no_more();
    if (status != quiet) {
        print_error("%s%s, every byte changing once it is read: 0x%08x, not 0x%08x\n", prefix, row->name,
                    (unsigned)status, (unsigned)quiet);
        fail();
    }
    good_clean(row, status, area, values);
    bench_check(&before);
    if (mode == UserMode)
        check_block(row);
    return check_place(row, prefix, mode == UserMode ? 0 : 1, values);
}

void every_byte_is_fetched_once(void **state)
{
    ULONG bytes = 0;
    UNREFERENCED_PARAMETER(state);
    for (ULONG number = 0; number < SVC_SERVICES; number++)
        bytes += call_watched(number, UserMode) + call_watched(number, KernelMode);
    print_message("%u services in both modes: %u bytes of input, each read once\n", (unsigned)SVC_SERVICES,
                  (unsigned)bytes);
}
