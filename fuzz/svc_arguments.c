/*
 * svc_arguments.c - what hostile user mode passes: values by an argument's name and kind, most of them nearly right.
 */
#include "svc_fuzz.h"
#include "uma.h"
#include <string.h>

struct fuzz_world fuzz_world;

uint64_t fuzz_random(struct fuzz_thread *thread)
{
    uint64_t x = thread->random; /* xorshift64* */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    thread->random = x;
    return (x * 0x2545F4914F6CDD1Du) >> 11;
}

static uint64_t below(struct fuzz_thread *thread, uint64_t limit)
{
    return fuzz_random(thread) % limit;
}

static bool one_in(struct fuzz_thread *thread, unsigned n)
{
    return below(thread, n) == 0;
}

/* ---- numbers ---- */

#define CODE(function, method) (0x220000u | (function) << 2 | (method))

/* Values that mean something for arguments whose name ends so; a list ends with its count. */
#define VALUES(...)                                                                                                    \
    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[])                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
static const struct {
    const char *ending;
    size_t count;
    const uint64_t *values;
} numbers[] = {
    {"DesiredAccess", VALUES(0x2000000, 0x10000000, 0x80000000, 0xC0000000, 0x1F0003, 0x1F01FF, 0xF003F, 0x12019F, 0,
                             0x100000, 0x1000000)},
    {"InformationClass", VALUES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18, 19, 20, 34, 37, 38, 48, 64, 65)},
    {"SetInformationClass", VALUES(0, 1, 2, 5)},
    {"ShareAccess", VALUES(0, 1, 2, 3, 4, 7, 7, 7)},
    {"CreateDisposition", VALUES(0, 1, 2, 3, 3, 4, 5, 6)},
    {"CreateOptions", VALUES(0, 0, 1, 0x20, 0x21, 0x40, 0x60, 0x1000, 0x1060, 0x1021, 0x10, 0x2000, 2, 4, 8)},
    {"OpenOptions", VALUES(0, 1, 0x20, 0x21, 0x40, 0x60, 0x1060, 4, 8)},
    {"FileAttributes", VALUES(0, 1, 0x20, 0x80, 0x10)},
    {"IoControlCode",
     VALUES(CODE(0x800, 3), CODE(0x801, 0), CODE(0x800, 1), CODE(0x801, 2), CODE(0x802, 0), CODE(0x800, 0))},
    {"FsControlCode", VALUES(CODE(0x800, 3), 0x90018, 0x9001C, 0x900A8)},
    {"AllocationType", VALUES(0x1000, 0x2000, 0x3000, 0x3000, 0x80000, 0x103000, 0x500000, 0)},
    {"Protect", VALUES(1, 2, 4, 4, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x104, 0x102, 0x204)},
    {"Win32Protect", VALUES(2, 4, 4, 8, 0x20, 0x40)},
    {"SectionPageProtection", VALUES(2, 4, 4, 8, 0x40)},
    {"AllocationAttributes", VALUES(0x8000000, 0x8000000, 0x4000000, 0x1000000, 0x200000)},
    {"FreeType", VALUES(0x4000, 0x8000, 0x8000, 0xC000, 1, 2)},
    {"InheritDisposition", VALUES(1, 2, 2)},
    {"WaitType", VALUES(0, 1)},
    {"Count", VALUES(1, 2, 3, 8, 64)},
    {"Length", VALUES(0, 1, 8, 16, 24, 40, 56, 64, 100, 256, 1024, 4096, 0x10000)},
    {"BufferSize", VALUES(0, 1, 8, 64, 4096, 0x10000)},
    {"DataSize", VALUES(0, 4, 8, 100, 4096, 0x100000)},
    {"Type", VALUES(0, 1, 2, 3, 4, 7)},
    {"Options", VALUES(0, 1, 2, 2, 3, 4, 6, 7)},
    {"Index", VALUES(0, 1, 2, 3, 10)},
    {"CompletionFilter", VALUES(1, 4, 5, 15)},
    {"EaLength", VALUES(0)},
    {"EaBuffer", VALUES(0)},
    {"ZeroBits", VALUES(0, 0, 0, 1, 12, 21)},
    {"CommitSize", VALUES(0, 0, 4096)},
    {"HandleAttributes", VALUES(0, 2, 1, 0x200)},
    {"InitialCount", VALUES(0, 1, 5)},
    {"MaximumCount", VALUES(1, 5, 0x7FFFFFFF)},
    {"ReleaseCount", VALUES(1, 2, 0x7FFFFFFF)},
    {"Period", VALUES(0, 0, 1, 5)},
    {"BytesOut", VALUES(0)},
};

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && !strcmp(name + length - tail, ending);
}

static uint64_t any_number(struct fuzz_thread *thread)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     0xFFF,
                                     0x1000,
                                     0xFFFF,
                                     0x10000,
                                     0x10001,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     0x7FFFFFFFFFFFFFFF,
                                     0x8000000000000000,
                                     0xFFFFFFFFFFFFF000,
                                     0xFFFFFFFFFFFFFFFF};
    switch (below(thread, 4)) {
    case 0:
        return below(thread, 16);
    case 1:
        return 1ull << below(thread, 64);
    case 2:
        return edges[below(thread, sizeof(edges) / sizeof(*edges))] + below(thread, 3) - 1;
    default:
        return fuzz_random(thread) * fuzz_random(thread);
    }
}

static uint64_t number(struct fuzz_thread *thread, const char *name)
{
    if (!one_in(thread, 8))
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
            if (ends_with(name, numbers[i].ending))
                return numbers[i].values[below(thread, numbers[i].count)];
    return one_in(thread, 2) ? below(thread, 8) : any_number(thread);
}

static uint64_t size(struct fuzz_thread *thread)
{
    switch (below(thread, 6)) {
    case 0:
        return any_number(thread);
    case 1:
        return below(thread, 0x100);
    default:
        return below(thread, 64) * 0x1000;
    }
}

/* ---- addresses ---- */

/* size fresh bytes of the thread's own user memory, at any alignment now and then. */
static uint64_t take(struct fuzz_thread *thread, uint64_t bytes)
{
    thread->scratch_used = (thread->scratch_used + 15) & ~15ull;
    if (thread->scratch_used + bytes > FUZZ_SCRATCH)
        thread->scratch_used = 0;
    uint64_t at = thread->scratch + thread->scratch_used;
    thread->scratch_used += bytes;
    return at;
}

static uint64_t bad_address(struct fuzz_thread *thread)
{
    uint64_t low, limit;
    uma_user_range(&low, &limit);
    const uint64_t choices[] = {0,
                                1,
                                fuzz_world.decoy + below(thread, UMA_DECOY_SIZE),
                                limit - below(thread, 64),
                                limit + below(thread, 0x10000),
                                low - 1,
                                fuzz_world.guarded + 0x1000 - below(thread, 32),
                                fuzz_world.read_only + below(thread, 0x1000),
                                fuzz_world.area + FUZZ_AREA - below(thread, 64),
                                fuzz_world.area + below(thread, FUZZ_AREA),
                                0xFFFFFFFFFFFFFFFF - below(thread, 64),
                                0x8000000000000000 + below(thread, 64),
                                any_number(thread)};
    return choices[below(thread, sizeof(choices) / sizeof(*choices))];
}

/* An address in the pages that calls allocate, map, protect and free. */
static uint64_t changing_address(struct fuzz_thread *thread)
{
    switch (below(thread, 8)) {
    case 0:
        return bad_address(thread);
    case 1:
        return 0;
    case 2:
        return fuzz_world.area + below(thread, FUZZ_AREA);
    default:
        return 0x60000000 + below(thread, 16) * 0x10000 + (one_in(thread, 2) ? below(thread, 16) * 0x1000 : 0);
    }
}

/* ---- handles ---- */

static uint64_t any_handle(struct fuzz_thread *thread)
{
    switch (below(thread, 8)) {
    case 0:
        return (uint64_t)-1 - below(thread, 6);
    case 1:
        return 0xFFFFFFFF80000000u | below(thread, 64) << 2;
    case 2:
        return any_number(thread);
    case 3:
        return below(thread, 256) << 2;
    default:
        return __atomic_load_n(&fuzz_world.handles[below(thread, FUZZ_SLOTS)].value, __ATOMIC_RELAXED);
    }
}

static uint64_t handle(struct fuzz_thread *thread, const char *name)
{
    unsigned start = (unsigned)below(thread, FUZZ_SLOTS);
    if (one_in(thread, 8))
        return any_handle(thread);
    if (ends_with(name, "ProcessHandle") && !one_in(thread, 8))
        return (uint64_t)-1;
    if (!strcmp(name, "Event")) {
        if (one_in(thread, 2))
            return 0;
        name = "EventHandle";
    }
    for (unsigned i = 0; i < FUZZ_SLOTS; i++) {
        const struct fuzz_handle *slot = &fuzz_world.handles[(start + i) % FUZZ_SLOTS];
        const char *kind = __atomic_load_n(&slot->argument, __ATOMIC_RELAXED);
        if (kind && !strcmp(kind, name))
            return __atomic_load_n(&slot->value, __ATOMIC_RELAXED);
    }
    return ends_with(name, "ThreadHandle") ? (uint64_t)-2 : any_handle(thread);
}

void fuzz_keep_handle(struct fuzz_thread *thread, const char *argument, uint64_t value)
{
    struct fuzz_handle *slot = &fuzz_world.handles[below(thread, FUZZ_SLOTS)];
    __atomic_store_n(&slot->argument, argument, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->value, value, __ATOMIC_RELAXED);
}

/* ---- names ---- */

static const char *const names[] = {"\\Device\\UmaSafe",
                                    "\\Device\\UmaSafe",
                                    "\\Device\\DirectIo",
                                    "\\??\\DirectIo",
                                    "\\Device\\UmaSafe\\below",
                                    "\\Device",
                                    "\\Device\\",
                                    "\\",
                                    "\\BaseNamedObjects",
                                    "\\a",
                                    "\\b",
                                    "\\Dir",
                                    "\\Dir\\a",
                                    "\\Dir\\b",
                                    "\\Dir\\Sub",
                                    "\\Link",
                                    "\\Link\\a",
                                    "a",
                                    "b",
                                    "Sub",
                                    "a\\b",
                                    "\\??\\C:\\",
                                    "\\??\\C:",
                                    "\\??\\C:\\file",
                                    "\\??\\C:\\file",
                                    "\\??\\C:\\dir",
                                    "\\??\\C:\\dir",
                                    "\\??\\C:\\dir\\x",
                                    "\\??\\C:\\dir\\y",
                                    "\\??\\C:\\..\\canary",
                                    "\\??\\C:\\dir\\..\\..\\canary",
                                    "\\??\\C:\\out\\canary",
                                    "\\??\\C:\\out",
                                    "\\??\\C:\\dir/../../canary",
                                    "\\??\\C:\\.\\file",
                                    "\\??\\C:\\up",
                                    "..",
                                    ".",
                                    "..\\canary",
                                    "\\??\\C:\\new",
                                    "\\??\\C:\\dir\\new",
                                    "\\??\\C:\\file:stream",
                                    "\\??\\C:\\a*b",
                                    "*",
                                    "f*",
                                    "?",
                                    "file",
                                    "x",
                                    "new",
                                    "",
                                    "\\Registry\\Machine\\Software\\K",
                                    "\\Registry\\Machine\\Software\\K\\S",
                                    "\\Registry\\Machine\\Software",
                                    "\\Registry\\Machine",
                                    "\\Registry",
                                    "\\Registry\\Machine\\System\\CurrentControlSet\\Services",
                                    "K",
                                    "S",
                                    "K\\S",
                                    "\\Registry\\User\\.Default",
                                    "\\??",
                                    "\\DosDevices\\C:\\file",
                                    "\\\\.\\DirectIo",
                                    "\\GLOBAL??\\C:",
                                    "\\Device\\HarddiskVolume1\\file"};

/* Text in user memory, sometimes much longer than its name or with a zero in it; bytes: its length. */
static uint64_t text(struct fuzz_thread *thread, uint16_t *bytes)
{
    uint16_t wide[0x200];
    const char *name = names[below(thread, sizeof(names) / sizeof(*names))];
    size_t count = 0;
    for (; name[count]; count++)
        wide[count] = (unsigned char)name[count];
    if (one_in(thread, 16))
        for (size_t more = below(thread, 300); more; more--)
            wide[count++] = one_in(thread, 4) ? '\\' : (uint16_t)('a' + below(thread, 26));
    if (count && one_in(thread, 24))
        wide[below(thread, count)] = one_in(thread, 2) ? 0 : (uint16_t)fuzz_random(thread);
    *bytes = (uint16_t)(count * 2);
    uint64_t at = take(thread, *bytes + 2);
    uma_user_store(at, wide, *bytes);
    return at;
}

struct user_string {
    uint16_t length, maximum;
    uint32_t zero;
    uint64_t buffer;
};

static uint64_t string(struct fuzz_thread *thread)
{
    struct user_string header = {0};
    header.buffer = text(thread, &header.length);
    header.maximum = header.length;
    if (one_in(thread, 24))
        header.length = (uint16_t)any_number(thread);
    if (one_in(thread, 24))
        header.maximum = (uint16_t)any_number(thread);
    if (one_in(thread, 48))
        header.buffer = bad_address(thread);
    uint64_t at = take(thread, sizeof(header));
    uma_user_store(at, &header, sizeof(header));
    return at;
}

static uint64_t attributes(struct fuzz_thread *thread)
{
    static const char *const roots[] = {"DirectoryHandle", "FileHandle", "KeyHandle"};
    struct {
        uint32_t length, zero;
        uint64_t root, name;
        uint32_t attributes, zero2;
        uint64_t security, quality;
    } block = {.length = 48};
    static const uint32_t bits[] = {0x2, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x1000};
    if (one_in(thread, 6))
        return 0;
    if (one_in(thread, 3))
        block.root = handle(thread, roots[below(thread, 3)]);
    block.name = one_in(thread, 10) ? 0 : string(thread);
    block.attributes = 0x40;
    if (one_in(thread, 3))
        block.attributes |= bits[below(thread, sizeof(bits) / sizeof(*bits))];
    if (one_in(thread, 32))
        block.attributes = (uint32_t)any_number(thread);
    if (one_in(thread, 48))
        block.length = (uint32_t)any_number(thread);
    if (one_in(thread, 48))
        block.name = bad_address(thread);
    uint64_t at = take(thread, sizeof(block));
    uma_user_store(at, &block, sizeof(block));
    return at;
}

/* ---- blocks ---- */

/* A number in user memory, of the size its kind has. */
static uint64_t cell(struct fuzz_thread *thread, uint64_t value, unsigned bytes)
{
    uint64_t at = take(thread, bytes + 8);
    uint64_t both[2] = {value, 0};
    uma_user_store(at, both, bytes < 16 ? bytes : 16);
    return at;
}

static uint64_t large(struct fuzz_thread *thread, const char *service, const char *name)
{
    if (!strncmp(service, "Wait", 4) || ends_with(name, "Interval")) /* a wait that could last is no finding */
        return fuzz_world.moments + 8 * below(thread, 4);
    return cell(thread, size(thread), 8);
}

/* What a file's, a key's or a handle's information may be: small numbers, a handle, a name with its length. */
static uint64_t data(struct fuzz_thread *thread, uint64_t length)
{
    uint64_t block[64], at = take(thread, length < 0x8000 ? length + 512 : 0x8000);
    for (unsigned i = 0; i < 64; i++)
        block[i] = one_in(thread, 3) ? any_number(thread) : below(thread, 4);
    if (one_in(thread, 2)) { /* FILE_RENAME_INFORMATION and its like */
        uint16_t bytes;
        uint64_t name = text(thread, &bytes);
        block[0] = below(thread, 2);
        block[1] = one_in(thread, 2) ? 0 : handle(thread, "FileHandle");
        block[2] = one_in(thread, 8) ? any_number(thread) : bytes;
        uma_user_load(name, (char *)block + 20, bytes < 400 ? bytes : 400);
    }
    uma_user_store(at, block, length < sizeof(block) ? length : sizeof(block));
    return at;
}

static uint64_t handles(struct fuzz_thread *thread, uint64_t count)
{
    uint64_t values[64], at = take(thread, sizeof(values));
    static const char *const kinds[] = {"EventHandle", "MutantHandle", "SemaphoreHandle", "TimerHandle", "FileHandle"};
    for (unsigned i = 0; i < 64 && i < count; i++)
        values[i] = handle(thread, kinds[below(thread, 5)]);
    uma_user_store(at, values, (count < 64 ? count : 64) * 8);
    return at;
}

static uint64_t string_out(struct fuzz_thread *thread)
{
    struct user_string header = {0, (uint16_t)below(thread, 0x400), 0, take(thread, 0x400)};
    if (one_in(thread, 8))
        header.maximum = (uint16_t)any_number(thread);
    uint64_t at = take(thread, sizeof(header));
    uma_user_store(at, &header, sizeof(header));
    return at;
}

static uint64_t pointer(struct fuzz_thread *thread, const char *name)
{
    if (ends_with(name, "BaseAddress"))
        return changing_address(thread);
    if (!strcmp(name, "EaBuffer") && !one_in(thread, 16))
        return 0;
    return one_in(thread, 2) ? 0 : bad_address(thread);
}

static uint64_t client(struct fuzz_thread *thread)
{
    const uint64_t ids[2] = {below(thread, 8) * 4, one_in(thread, 2) ? 0 : below(thread, 32) * 4};
    uint64_t at = take(thread, sizeof(ids));
    uma_user_store(at, ids, sizeof(ids));
    return at;
}

uint64_t fuzz_argument(struct fuzz_thread *thread, const struct fuzz_row *row, unsigned position,
                       const uint64_t *values)
{
    const char *name = row->arguments[position];
    enum fuzz_kind kind = row->kinds[position];
    unsigned bytes = fuzz_kind_bytes[kind];
    bool is_number = kind == FUZZ_HANDLE || kind == FUZZ_ULONG || kind == FUZZ_LONG || kind == FUZZ_BOOLEAN ||
                     kind == FUZZ_SIZE || kind == FUZZ_POINTER;
    bool waits = !strcmp(name, "Timeout") || !strcmp(name, "DelayInterval");
    if (!is_number && !waits && one_in(thread, 24))
        return bad_address(thread);
    switch (kind) {
    case FUZZ_HANDLE:
        return handle(thread, name);
    case FUZZ_ULONG:
    case FUZZ_LONG:
        return number(thread, name);
    case FUZZ_BOOLEAN: /* calls that would wait for what nobody does are no finding */
        return !strcmp(name, "Asynchronous") || !strcmp(name, "FailImmediately") ? 1 : below(thread, 2);
    case FUZZ_SIZE:
        return ends_with(name, "Length") || ends_with(name, "Size") ? number(thread, name) : number(thread, "ZeroBits");
    case FUZZ_POINTER:
        return pointer(thread, name);
    case FUZZ_ATTRIBUTES:
        return attributes(thread);
    case FUZZ_CLIENT_ID_IN:
        return client(thread);
    case FUZZ_LARGE_IN:
    case FUZZ_LARGE_IN_OPT:
        return !waits && kind == FUZZ_LARGE_IN_OPT && one_in(thread, 2) ? 0 : large(thread, row->name, name);
    case FUZZ_LARGE_INOUT:
    case FUZZ_LARGE_INOUT_OPT:
    case FUZZ_SIZE_INOUT:
        return cell(thread, size(thread), 8);
    case FUZZ_POINTER_INOUT:
        return cell(thread, changing_address(thread), 8);
    case FUZZ_HANDLES:
        return handles(thread, values[position - 1]);
    case FUZZ_STRING:
    case FUZZ_STRING_OPT:
        return string(thread);
    case FUZZ_STRING_OUT:
        return string_out(thread);
    case FUZZ_DATA_IN:
    case FUZZ_DATA_OUT:
    case FUZZ_BUFFER_IN:
    case FUZZ_BUFFER_OUT:
        return one_in(thread, 4) ? changing_address(thread) : data(thread, 0x8000);
    default:
        return cell(thread, below(thread, 16), bytes ? bytes : 64);
    }
}
