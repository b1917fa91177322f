/*
 * altitude.c - altitudes, by which drivers that watch the same thing are put in order: "425000.5".
 */
#include "rtl.h"

/* Whole numbers by value, then fractions digit by digit. */
LONG rtl_compare_altitudes(const UNICODE_STRING *a, const UNICODE_STRING *b)
{
    USHORT i = 0, k = 0, a_end = a->Length / 2, b_end = b->Length / 2;
    while (i < a_end && a->Buffer[i] == '0')
        i++;
    while (k < b_end && b->Buffer[k] == '0')
        k++;
    USHORT a_point = i, b_point = k;
    while (a_point < a_end && a->Buffer[a_point] != '.')
        a_point++;
    while (b_point < b_end && b->Buffer[b_point] != '.')
        b_point++;
    if (a_point - i != b_point - k)
        return a_point - i < b_point - k ? -1 : 1;
    for (; i < a_end && k < b_end; i++, k++)
        if (a->Buffer[i] != b->Buffer[k])
            return a->Buffer[i] < b->Buffer[k] ? -1 : 1;
    return i < a_end ? 1 : k < b_end ? -1 : 0;
}
