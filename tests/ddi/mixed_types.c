/* mixed_types.c - must not compile: the structure macros refuse pointers to different types. ALIKE makes the same code
 * right. */
#include "usermode_accessors.h"

struct one {
    ULONG a;
};
struct other {
    ULONG a;
};
#ifdef ALIKE
#define OTHER one
#else
#define OTHER other
#endif

void read_it(struct one *to, const volatile struct OTHER *from);

void read_it(struct one *to, const volatile struct OTHER *from)
{
    ReadStructFromUser(to, from);
}
