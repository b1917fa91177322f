/*
 * env_windows.c - the tests' world in a Windows program: an artificial user limit, with "kernel" memory mapped above
 * it, so that the down-level umaccess.lib can be run without a kernel.
 *
 * Owns the arena's two views and the exception filter. The kernel symbols that umaccess.lib imports are in
 * imports_windows.c.
 */
#include <windows.h>
#include "ddi.h"
#include <stdio.h>

/* Below every image and stack of a 64-bit Windows program, above the heap; a multiple of 64 KB. */
#define LIMIT  0x70010000u
#define KERNEL 0x70100000u

struct env env;
extern ULONG_PTR MmUserProbeAddress;

static bool protect(unsigned first, unsigned count, DWORD protection)
{
    DWORD old;
    return VirtualProtect((void *)(env.arena + first * ARENA_PAGE), count * ARENA_PAGE, protection, &old);
}

bool env_start(void)
{
    env.limit = LIMIT;
    env.arena = LIMIT - ARENA_SIZE;
    env.kernel = KERNEL;
    env.range_at_limit = true;
#ifdef DDI_DEBUG_LIBRARY
    env.debug_library = true;
#endif
    MmUserProbeAddress = LIMIT;
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, ARENA_SIZE, NULL);
    unsigned char *view = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, ARENA_SIZE) : NULL;
    if (!view || !MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, ARENA_SIZE, (void *)env.arena) ||
        !VirtualAlloc((void *)(ULONG_PTR)LIMIT, 0x10000, MEM_RESERVE, PAGE_NOACCESS) ||
        !VirtualAlloc((void *)(ULONG_PTR)KERNEL, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) ||
        !protect(0, 1, PAGE_NOACCESS) || !protect(4, 1, PAGE_NOACCESS) || !protect(ARENA_READONLY, 1, PAGE_READONLY) ||
        !protect(6, 1, PAGE_NOACCESS)) {
        printf("not run: the address range of the tests is taken (error %lu)\n", GetLastError());
        return false;
    }
    for (unsigned page = 0; page < ARENA_SIZE / ARENA_PAGE; page++)
        if (page != 0 && page != 4 && page != 6)
            env.pages[page] = view + page * ARENA_PAGE;
    return true;
}

static int see(EXCEPTION_POINTERS *pointers, struct env_seen *seen)
{
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    seen->raised = true;
    seen->code = record->ExceptionCode;
    seen->parameters = record->NumberParameters;
    for (unsigned i = 0; i < 3 && i < record->NumberParameters; i++)
        seen->information[i] = record->ExceptionInformation[i];
    return EXCEPTION_EXECUTE_HANDLER;
}

void env_call(ddi_thunk *thunk, struct ddi_call *call, struct env_seen *seen)
{
    __try {
        thunk(call);
    } __except (see(GetExceptionInformation(), seen)) {
    }
}

/* The program's entry: no C run-time start-up is linked, msvcrt.dll brings its own. */
int __getmainargs(int *argc, char ***argv, char ***environment, int expand, int *mode);
int main(int argc, char **argv);
void mainCRTStartup(void);
void __main(void);

/* Clang's call from main() for constructors; there are none. */
void __main(void)
{
}

void mainCRTStartup(void)
{
    int argc = 0, mode = 0;
    char **argv = NULL, **environment = NULL;
    __getmainargs(&argc, &argv, &environment, 0, &mode);
    int status = main(argc, argv);
    fflush(stdout);
    ExitProcess((UINT)status);
}
