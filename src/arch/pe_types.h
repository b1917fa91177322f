/*
 * pe_types.h - the base types of the PE builds of umaccess.lib, and what it imports from ntoskrnl besides
 * MmUserProbeAddress.
 */
#pragma once

#define VOID void
#define NTAPI
#define DECLSPEC_NORETURN __attribute__((noreturn))
typedef void *PVOID, *HANDLE;
typedef char CHAR, CCHAR;
typedef unsigned char UCHAR, BOOLEAN;
typedef short SHORT;
typedef unsigned short USHORT;
typedef __WCHAR_TYPE__ WCHAR, wchar_t;
typedef long LONG, NTSTATUS;
typedef unsigned long ULONG;
typedef long long LONGLONG, LONG64, LONG_PTR, INT_PTR;
typedef unsigned long long ULONGLONG, ULONG64, ULONG_PTR, UINT_PTR, SIZE_T;
typedef CCHAR KPROCESSOR_MODE;
enum { KernelMode = 0, UserMode = 1 };

typedef union {
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER;
typedef union {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER;
typedef struct {
    USHORT Length;
    USHORT MaximumLength;
    WCHAR *Buffer;
} UNICODE_STRING;

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define STATUS_INVALID_PARAMETER  ((NTSTATUS)0xC000000D)

__declspec(dllimport) DECLSPEC_NORETURN void ExRaiseStatus(NTSTATUS Status);
__declspec(dllimport) DECLSPEC_NORETURN void ExRaiseDatatypeMisalignment(void);
