/*
 * layout.c - writes C that asserts, of the driver headers, what is true of ours: sizes, offsets and constants of
 * layout.def.
 *
 * The test compiles that text for x64 Windows against mingw-w64's headers; each difference is one failed assertion.
 */
#include "wdk/fileinfo.h"
#include "wdk/cc.h"
#include "wdk/fsrtl.h"
#include "wdk/wdm.h"
#include <stdio.h>

#define TYPE(type) printf("SAME(sizeof(" #type "), %zu, \"sizeof(" #type ")\");\n", sizeof(type));
#define FIELD(type, field)                                                                                             \
    printf("SAME(FIELD_OFFSET(" #type ", " #field "), %zu, \"" #type "." #field "\");\n"                               \
           "SAME(sizeof(((" #type " *)0)->" #field "), %zu, \"sizeof(" #type "." #field ")\");\n",                     \
           offsetof(type, field), sizeof(((type *)0)->field));
#define CONSTANT(name) printf("SAME((unsigned)(" #name "), %uu, \"" #name "\");\n", (unsigned)(name));

int main(void)
{
    printf("#include <ntifs.h>\n#include <csq.h>\n#define SAME(there, here, what) _Static_assert((there) == (here), "
           "what)\n");
#include "layout.def"
    return 0;
}
