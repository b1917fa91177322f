/*
 * fixture.c - the driver that the loader's tests load. Every entry in its table does one thing that needs the loader to
 * have done its work: relocated data, bound imports of each kind, a changed stack cookie, control flow guard's
 * pointers.
 */
#include <ntddk.h>

struct fixture_table {
    ULONG64 magic;
    ULONG64 *cookie;
    void *guard_check;
    ULONG64 (*guard_dispatch)(ULONG64);
    ULONG64 *uma;                     /* __uma_functions */
    ULONG64 (*call_known)(ULONG64);   /* DbgPrint-like export with a result */
    void *(*read_data)(void);         /* the variable PsInitialSystemProcess */
    void (*call_unknown)(void);       /* other.sys!OtherCall */
    void (*call_ordinal)(void);       /* other.sys!#7 */
    void (*call_stub)(void);          /* ntoskrnl.exe!IoWMIWriteEvent */
    void *(*read_missing_data)(void); /* the variable SeExports */
    ULONG64 (*discardable)(void);
};

__declspec(dllimport) ULONG64 OtherCall(void);
__declspec(dllimport) ULONG64 OtherOrdinal(void);
__declspec(dllimport) void *FixtureData;
__declspec(dllimport) void *SeExportsStandIn;
__declspec(dllimport) ULONG64 FixtureCall(ULONG64 value);
__declspec(dllimport) void FixtureStub(void);

ULONG64 __security_cookie = 0x2B992DDFA232ull;
static void *guard_check_pointer = (void *)1, *guard_dispatch_pointer = (void *)2;
__attribute__((section(".rdata"), used)) static const ULONG64 uma_functions[42] = {0};

/* IMAGE_LOAD_CONFIG_DIRECTORY64 by offset; lld finds it by this name. */
#ifndef CONFIG_SIZE
#define CONFIG_SIZE 0x148
#endif
struct load_config {
    ULONG size;
    UCHAR a[0x58 - 4];
    ULONG64 *cookie;
    UCHAR b[0x10];
    void **guard_check, **guard_dispatch;
    UCHAR c[0x118 - 0x80];
    void **xfg_check, **xfg_dispatch, **xfg_table;
    UCHAR d[0x10];
    const ULONG64 *uma;
};
__attribute__((used)) const struct load_config _load_config_used = {.size = CONFIG_SIZE,
                                                                    .cookie = &__security_cookie,
                                                                    .guard_check = &guard_check_pointer,
                                                                    .guard_dispatch = &guard_dispatch_pointer,
                                                                    .uma = uma_functions};

static ULONG64 call_known(ULONG64 value)
{
    return FixtureCall(value) + 1;
}

static void *read_data(void)
{
    return FixtureData;
}

__declspec(noinline) static void call_unknown(void)
{
    OtherCall();
    __asm__ volatile("");
}

static void call_ordinal(void)
{
    OtherOrdinal();
    __asm__ volatile("");
}

static void call_stub(void)
{
    FixtureStub();
    __asm__ volatile("");
}

static void *read_missing_data(void)
{
    return SeExportsStandIn;
}

__attribute__((section("INIT"), noinline)) static ULONG64 discardable(void)
{
    return 0x1717;
}

static struct fixture_table table = {.magic = 0x66697874,
                                     .cookie = &__security_cookie,
                                     .call_known = call_known,
                                     .read_data = read_data,
                                     .call_unknown = call_unknown,
                                     .call_ordinal = call_ordinal,
                                     .call_stub = call_stub,
                                     .read_missing_data = read_missing_data,
                                     .discardable = discardable,
                                     .uma = (ULONG64 *)uma_functions};

/* The tests call this with nulls; it gives the table instead of a status. */
__attribute__((used)) struct fixture_table *DriverEntry(void *driver, void *path)
{
    table.guard_check = *(void *volatile *)&guard_check_pointer;
    table.guard_dispatch = *(void *volatile *)&guard_dispatch_pointer;
    return &table;
}
