/*
 * ntdef.h - the base types of the NT interface, for our own ELF builds.
 *
 * Owns the scalar types, the calling convention and the few structures every layer shares. Driver builds
 * (PE) never see this file: they take the same names from the WDK or from mingw-w64. Layouts are held
 * against mingw-w64's headers by tests/layout.
 */
#pragma once

#ifdef _WIN32
#error "driver builds take these types from ntddk.h, wdm.h or ntifs.h"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Functions a driver can call, or that call a driver, use the x64 Windows convention in ELF too (DESIGN 8). */
#if defined(__x86_64__)
#define NTAPI __attribute__((ms_abi))
#else
#define NTAPI
#endif
#define FASTCALL NTAPI
#define NTKERNELAPI
#define NTSYSAPI
#define DECLSPEC_NORETURN         __attribute__((noreturn))
#define FORCEINLINE               static inline __attribute__((always_inline))
#define UNREFERENCED_PARAMETER(P) ((void)(P))

#define VOID  void
#define CONST const
typedef void *PVOID;
typedef char CHAR, *PCHAR, CCHAR;
typedef const char *PCSTR;
typedef char *PSTR;
typedef unsigned char UCHAR, *PUCHAR;
typedef short SHORT, *PSHORT, CSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef int32_t LONG, *PLONG;
typedef uint32_t ULONG, *PULONG;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG;
typedef long long LONG64, *PLONG64;
typedef unsigned long long ULONG64, *PULONG64, DWORD64, DWORDLONG;
typedef signed char INT8;
typedef unsigned char UINT8;
typedef short INT16;
typedef unsigned short UINT16;
typedef int INT32;
typedef unsigned int UINT32;
typedef long long INT64;
typedef unsigned long long UINT64;
typedef int INT;
typedef unsigned int UINT, DWORD;
typedef unsigned short WORD;
typedef unsigned char BYTE;
typedef UCHAR BOOLEAN, *PBOOLEAN;
typedef long long INT_PTR, LONG_PTR, SSIZE_T;
typedef unsigned long long UINT_PTR, ULONG_PTR, *PULONG_PTR, SIZE_T, *PSIZE_T, KAFFINITY;
typedef unsigned short WCHAR, *PWCHAR, *PWCH, *PWSTR;
typedef const unsigned short *PCWSTR, *PCWCH;
typedef PVOID HANDLE, *PHANDLE;
typedef LONG NTSTATUS, *PNTSTATUS;
typedef ULONG ACCESS_MASK, DEVICE_TYPE, LOGICAL;
typedef LONG KPRIORITY;
typedef UCHAR KIRQL, *PKIRQL;
typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK, PFN_NUMBER, *PPFN_NUMBER;

#define TRUE          1
#define FALSE         0
#define ANYSIZE_ARRAY 1
#define MAXULONG      0xffffffffu
#define MAXUSHORT     0xffff

/* The processor mode a caller or a buffer belongs to. CCHAR in the ABI: one byte. */
typedef CCHAR KPROCESSOR_MODE;
enum { KernelMode = 0, UserMode = 1, MaximumMode = 2 };

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS;

/* Length and MaximumLength are in bytes. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING, *PCOEM_STRING;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

#define CONTAINING_RECORD(address, type, field) ((type *)((char *)(address) - offsetof(type, field)))
#define RTL_NUMBER_OF(a)                        (sizeof(a) / sizeof((a)[0]))
#define NT_SUCCESS(Status)                      ((NTSTATUS)(Status) >= 0)
#define NT_ERROR(Status)                        (((ULONG)(Status) >> 30) == 3)

#include "wdk/ntstatus.h"
