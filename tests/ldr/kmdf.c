/*
 * kmdf.c - a driver that looks like one built with KMDF 1.15: it imports WdfVersionBind and carries the bind
 * information.
 */
#include <ntddk.h>

struct bind_info {
    ULONG size;
    const WCHAR *component;
    ULONG major, minor, build;
    ULONG function_count;
    void *functions;
    void *module;
};

__declspec(dllimport) NTSTATUS NTAPI WdfVersionBind(PVOID driver, PUNICODE_STRING path, struct bind_info *info,
                                                    void **globals);

#ifdef NO_INFO
static struct bind_info info = {0};
#else
static struct bind_info info = {sizeof(info), L"KmdfLibrary", 1, 15, 0, 444, NULL, NULL};
#endif

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    void *globals;
    return WdfVersionBind(driver, path, &info, &globals);
}
