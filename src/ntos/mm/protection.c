/*
 * protection.c - PAGE_* and what the platform protects by; which protections a view may have.
 *
 * The platform knows no execution in user pages and no caching, so each page carries its PAGE_* value as a tag.
 */
#include "vm.h"
#include "rtl.h"

enum { TAG_BASE = 0x0f, TAG_NOCACHE = 0x10, TAG_WRITECOMBINE = 0x20 };

static const struct {
    ULONG page, prot;
    ULONG within; /* the protections of a view or section that allow it */
} rows[] = {
    {PAGE_NOACCESS, PLAT_NOACCESS, 0xFF},
    {PAGE_READONLY, PLAT_READ, 0xFE & ~PAGE_EXECUTE},
    {PAGE_READWRITE, PLAT_READWRITE, PAGE_READWRITE | PAGE_EXECUTE_READWRITE},
    {PAGE_WRITECOPY, PLAT_READ | PLAT_COPY, 0xFE & ~PAGE_EXECUTE},
    {PAGE_EXECUTE, PLAT_READ | PLAT_EXECUTE, 0xF0},
    {PAGE_EXECUTE_READ, PLAT_READ | PLAT_EXECUTE, 0xE0},
    {PAGE_EXECUTE_READWRITE, PLAT_READWRITE | PLAT_EXECUTE, PAGE_EXECUTE_READWRITE},
    {PAGE_EXECUTE_WRITECOPY, PLAT_READ | PLAT_EXECUTE | PLAT_COPY, 0xE0},
};

static SIZE_T row_of(ULONG page)
{
    SIZE_T i = 0;
    while (i < RTL_NUMBER_OF(rows) && rows[i].page != (page & 0xFF))
        i++;
    return i;
}

bool mm_protection(ULONG page, ULONG *prot)
{
    ULONG modifiers = page & ~0xFFu;
    SIZE_T row = row_of(page);
    if (row == RTL_NUMBER_OF(rows) || (modifiers && page & PAGE_NOACCESS))
        return false;
    /* Guard, no caching and write combining exclude each other. */
    if (modifiers && modifiers != PAGE_GUARD && modifiers != PAGE_NOCACHE && modifiers != PAGE_WRITECOMBINE)
        return false;
    ULONG tag = (ULONG)row + 1;
    tag |= modifiers & PAGE_NOCACHE ? TAG_NOCACHE : 0;
    tag |= modifiers & PAGE_WRITECOMBINE ? TAG_WRITECOMBINE : 0;
    *prot = rows[row].prot | (modifiers & PAGE_GUARD ? PLAT_GUARD : 0) | PLAT_TAG(tag);
    return true;
}

ULONG mm_page_of(ULONG prot)
{
    ULONG tag = PLAT_TAG_OF(prot), base = tag & TAG_BASE, page;
    if (base)
        page = rows[base - 1].page;
    else
        page = prot & PLAT_WRITE ? PAGE_READWRITE : prot & PLAT_READ ? PAGE_READONLY : PAGE_NOACCESS;
    if (mm_protection_copies(page) && !(prot & PLAT_COPY)) /* its first write has been */
        page = page == PAGE_WRITECOPY ? PAGE_READWRITE : PAGE_EXECUTE_READWRITE;
    return page | (prot & PLAT_GUARD ? PAGE_GUARD : 0) | (tag & TAG_NOCACHE ? PAGE_NOCACHE : 0) |
           (tag & TAG_WRITECOMBINE ? PAGE_WRITECOMBINE : 0);
}

bool mm_protection_within(ULONG page, ULONG had)
{
    SIZE_T row = row_of(page);
    return row < RTL_NUMBER_OF(rows) && rows[row].within & had & 0xFF;
}
