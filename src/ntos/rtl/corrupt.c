/* corrupt.c - where the library stops when a driver's list or tree makes no sense. What that means is ex's to say. */
#include "rtl.h"

void (*rtl_corrupt_hook)(ULONG code, const void *object, const char *why);

void rtl_corrupt(enum rtl_corruption code, const void *object, const char *why)
{
    if (rtl_corrupt_hook)
        rtl_corrupt_hook(code, object, why);
    __builtin_trap();
}
