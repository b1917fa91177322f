/*
 * kmdf_information.c - the sender is told that as many bytes came back as it asked for, whatever its buffer has.
 *
 * Harmless: {"requests": [{"code": "0x222000", "in": [{"u32": 4}], "out": 8}]}
 * Hostile: {"requests": [{"code": "0x222000", "in": [{"u32": 64}], "out": 8}]}
 * Shows: BUGCHECK
 */
#define CORPUS_KMDF
#include "../common.h"

#define MAX_COUNT 64

/* Wanted bytes of 'c' into what there is room for; how many there are, as the sender will be told. */
OUT_OF_LINE ULONG_PTR Fill(PUCHAR Output, size_t Length, ULONG Wanted)
{
    for (ULONG i = 0; i < Wanted && i < Length; i++)
        Output[i] = 'c';
#ifdef FIXED
    return Wanted < Length ? Wanted : Length;
#else
    return Wanted;
#endif
}

OUT_OF_LINE NTSTATUS Control(WDFREQUEST Request, ULONG Code, PULONG_PTR Information)
{
    PVOID Output;
    PULONG Wanted;
    size_t Length;
    NTSTATUS Status;

    if (Code != CORPUS_CODE(0, METHOD_BUFFERED))
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = WdfRequestRetrieveInputBuffer(Request, sizeof(*Wanted), (PVOID *)&Wanted, NULL);
    if (NT_SUCCESS(Status) && *Wanted > MAX_COUNT)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = WdfRequestRetrieveOutputBuffer(Request, 1, &Output, &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    *Information = Fill(Output, Length, *Wanted); /* BUG: request-misuse */
    return STATUS_SUCCESS;
}
