/*
 * pe_bytes.h - unaligned little-endian loads and the one range check, for the PE parser's own files.
 */
#pragma once
#include "wdk/ntdef.h"

static inline USHORT pe_u16(const UCHAR *p)
{
    return (USHORT)(p[0] | p[1] << 8);
}

static inline ULONG pe_u32(const UCHAR *p)
{
    return pe_u16(p) | (ULONG)pe_u16(p + 2) << 16;
}

static inline ULONG64 pe_u64(const UCHAR *p)
{
    return pe_u32(p) | (ULONG64)pe_u32(p + 4) << 32;
}

static inline void pe_put_u64(UCHAR *p, ULONG64 value)
{
    for (int i = 0; i < 8; i++)
        p[i] = (UCHAR)(value >> 8 * i);
}

static inline void pe_bytes_copy(UCHAR *to, const UCHAR *from, SIZE_T size)
{
    __builtin_memcpy(to, from, size);
}

/* Does [offset, offset + size) lie in [0, limit)? Cannot wrap. */
static inline bool pe_inside(ULONG64 offset, ULONG64 size, ULONG64 limit)
{
    return offset <= limit && size <= limit - offset;
}
