/* handles.h - sins with handles, objects and Zw routines. */
#pragma once
#include "verify.h"

NTSYSAPI NTSTATUS NTAPI NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
                                      POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType, BOOLEAN InitialState);
NTSYSAPI NTSTATUS NTAPI NtSetEvent(HANDLE EventHandle, PLONG PreviousState);

/* A kernel handle to the file the request came through. */
static NTSTATUS KernelHandle(PVERIFY_REQUEST Request, PHANDLE Handle)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Request->Irp)->FileObject;

    return ObOpenObjectByPointer(file, OBJ_KERNEL_HANDLE, NULL, GENERIC_READ, NULL, KernelMode, Handle);
}

NTSTATUS NTAPI USER_HANDLE_AS_KERNEL(PVERIFY_REQUEST Request)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Request->Irp)->FileObject;
    PVOID object;
    HANDLE handle;
    NTSTATUS status = ObOpenObjectByPointer(file, 0, NULL, GENERIC_READ, NULL, UserMode, &handle);

    if (!NT_SUCCESS(status))
        return status;
    status =
        ObReferenceObjectByHandle(handle, 0, NULL, Request->Wrong ? KernelMode : UserMode, &object, NULL); /* HERE */
    if (NT_SUCCESS(status))
        ObDereferenceObject(object);
    NtClose(handle);
    return status;
}

NTSTATUS NTAPI NULL_HANDLE(PVERIFY_REQUEST Request)
{
    PVOID object;
    HANDLE handle = Request->Wrong ? NULL : NtCurrentThread();
    NTSTATUS status = ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL); /* HERE */

    if (NT_SUCCESS(status))
        ObDereferenceObject(object);
    return status;
}

NTSTATUS NTAPI STALE_HANDLE(PVERIFY_REQUEST Request)
{
    PVOID object;
    HANDLE handle;
    NTSTATUS status = KernelHandle(Request, &handle);

    if (!NT_SUCCESS(status))
        return status;
    if (Request->Wrong)
        ZwClose(handle);
    status = ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL); /* HERE */
    if (NT_SUCCESS(status))
        ObDereferenceObject(object);
    ZwClose(handle);
    return status;
}

static HANDLE FromThread;

static VOID NTAPI ReferenceInThread(PVOID Context)
{
    PVOID object;
    KPROCESSOR_MODE mode = *(PBOOLEAN)Context ? UserMode : KernelMode;

    if (NT_SUCCESS(ObReferenceObjectByHandle(FromThread, 0, NULL, mode, &object, NULL)))
        ObDereferenceObject(object);
}

NTSTATUS NTAPI KERNEL_HANDLE_AS_USER(PVERIFY_REQUEST Request)
{
    NTSTATUS status = KernelHandle(Request, &FromThread);

    if (!NT_SUCCESS(status))
        return status;
    VerifyRunThread(ReferenceInThread, &Request->Wrong);
    return ZwClose(FromThread);
}

/* What user mode would do: an event, made by Nt with PreviousMode UserMode; the handle is left in user memory. */
static NTSTATUS MakeUserEvent(PHANDLE *Memory)
{
    PVOID base = NULL;
    SIZE_T size = PAGE_SIZE;
    NTSTATUS status =
        ZwAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    *Memory = base;
    return NtCreateEvent(base, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
}

NTSTATUS NTAPI ZW_USER_HANDLE(PVERIFY_REQUEST Request)
{
    PHANDLE memory;
    HANDLE handle;
    SIZE_T size = 0;
    NTSTATUS status = MakeUserEvent(&memory);

    if (!NT_SUCCESS(status))
        return status;
    handle = *(volatile HANDLE *)memory;
    status = Request->Wrong ? ZwSetEvent(handle, NULL) : NtSetEvent(handle, NULL); /* HERE */
    NtClose(handle);
    ZwFreeVirtualMemory(NtCurrentProcess(), (PVOID *)&memory, &size, MEM_RELEASE);
    return status;
}

NTSTATUS NTAPI ZW_USER_ADDRESS(PVERIFY_REQUEST Request)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Verify");
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle; /* of a file of its own: the request's is synchronous, and its turn */
    IO_STATUS_BLOCK io;
    ULONG byte = 0;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwOpenFile(&handle, GENERIC_WRITE | SYNCHRONIZE, &attributes, &io, 7, FILE_SYNCHRONOUS_IO_NONALERT);
    if (!NT_SUCCESS(status))
        return status;
    status =
        ZwWriteFile(handle, NULL, NULL, NULL, &io, Request->Wrong ? (PVOID)0x20000 : &byte, 1, NULL, NULL); /* HERE */
    ZwClose(handle);
    return status;
}

NTSTATUS NTAPI ZW_BAD_STRING(PVERIFY_REQUEST Request)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Verify");
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle;
    NTSTATUS status;

    if (Request->Wrong)
        name.MaximumLength = name.Length - 2;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE); /* HERE */
    if (NT_SUCCESS(status))
        ZwClose(handle);
    return status;
}

NTSTATUS NTAPI EVENT_IN_USER_MEMORY(PVERIFY_REQUEST Request)
{
    KEVENT event;
    PVOID object = Request->Wrong ? (PVOID)0x20000 : &event;

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL); /* HERE */
}
