/*
 * conformance_os.h - the two worlds the SEH conformance program runs in: a driver under our kernel, a console program
 * under Windows or Wine. Owns output, the count of cases, and the raising routines each world lacks under the other's
 * name.
 */
#pragma once

#ifdef CONFORMANCE_DRIVER
#include <ntddk.h>
#else
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>
#endif

typedef unsigned long long u64;

#ifdef CONFORMANCE_DRIVER
#define ON_WINE 0
static void put_line(const char *line)
{
    DbgPrint("%s\n", line);
}
__declspec(dllimport) void NTAPI RtlUnwind(PVOID, PVOID, PEXCEPTION_RECORD, PVOID);
__declspec(dllimport) void NTAPI RtlRestoreContext(PCONTEXT, PEXCEPTION_RECORD);
__declspec(dllimport) void NTAPI RtlCaptureContext(PCONTEXT);
__declspec(dllimport) void NTAPI RtlRaiseException(PEXCEPTION_RECORD);
#else
#define ON_WINE       1
static void put_line(const char *line)
{
    DWORD done;
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    WriteFile(out, line, (DWORD)lstrlenA(line), &done, NULL);
    WriteFile(out, "\n", 1, &done, NULL);
}
__declspec(dllimport) void NTAPI RtlRaiseStatus(NTSTATUS);
__declspec(dllimport) void NTAPI RtlRaiseException(PEXCEPTION_RECORD);
#define ExRaiseStatus RtlRaiseStatus
static __attribute__((noinline)) void ExRaiseAccessViolation(void)
{
    RtlRaiseStatus(STATUS_ACCESS_VIOLATION);
}
static __attribute__((noinline)) void ExRaiseDatatypeMisalignment(void)
{
    RtlRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}
#endif

/* The compiler copies structures with it, and neither world links a C library. */
__attribute__((used)) void *memcpy(void *to, const void *from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

static int case_count;
static int case_failed;

static char *append(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    return to;
}

static char *append_number(char *to, int number)
{
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10));
    while (count)
        *to++ = digits[--count];
    return to;
}

/* The trail: what ran, in order, a letter each. */
static char trail[256];
static int trail_length;

static void mark(char what)
{
    if (trail_length < (int)sizeof(trail) - 1)
        trail[trail_length++] = what;
    trail[trail_length] = 0;
}

static void trail_reset(void)
{
    trail_length = 0;
    trail[0] = 0;
}

static int trail_is(const char *expected)
{
    int i = 0;
    while (trail[i] && trail[i] == expected[i])
        i++;
    return trail[i] == expected[i];
}

/* todo: a known defect of Wine; there the case must still fail, or the mark is out of date. */
static void report(const char *name, int good, int todo)
{
    char line[512];
    int passed = todo ? !good : good;
    char *end = append(line, passed ? "ok " : "not ok ");
    end = append_number(end, ++case_count);
    *end++ = ' ';
    end = append(end, name);
    if (todo)
        end = append(end, passed ? " # todo, Wine's defect" : " # Wine passes this now: remove the mark");
    if (!good) {
        end = append(end, "  # trail ");
        end = append(end, trail);
    }
    *end = 0;
    case_failed += !passed;
    put_line(line);
}

static void case_ok(const char *name, int good)
{
    report(name, good, 0);
}

static void case_todo_wine(const char *name, int good)
{
    report(name, good, ON_WINE);
}

#define NOINLINE __attribute__((noinline))
