/* section_test.c - sections of files of C:, and two threads that each want the first section of one file. */
#include "fs_test.h"
#include "ke.h"
#include "vm.h"
#include "wdk/vm.h"

enum { FILE_BYTES = 1 << 20, ROUNDS = 40 };

static NTSTATUS section_of(HANDLE file, ULONG protect, HANDLE *section)
{
    return ZwCreateSection(section, SECTION_ALL_ACCESS, NULL, NULL, protect, SEC_COMMIT, file);
}

/* All of it, in system space. */
static NTSTATUS view_of(HANDLE section, void **view)
{
    void *body;
    SIZE_T size = 0;
    NTSTATUS status = ObReferenceObjectByHandle(section, 0, MmSectionObjectType, KernelMode, &body, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = MmMapViewInSystemSpace(body, view, &size);
    ObfDereferenceObject(body);
    return status;
}

static SIZE_T host_read(const char *name, char *text, SIZE_T room)
{
    FILE *file = fopen(host(name), "r");
    assert_non_null(file);
    SIZE_T length = fread(text, 1, room, file);
    fclose(file);
    return length;
}

static void a_view_is_the_file(void **state)
{
    UNREFERENCED_PARAMETER(state);
    char text[32] = {0};
    HANDLE section;
    void *view;
    host_write("mapped", "0123456789");
    HANDLE file = must_open(WIDE("\\mapped"), FILE_READ_DATA | FILE_WRITE_DATA);
    assert_int_equal(section_of(file, PAGE_READWRITE, &section), STATUS_SUCCESS);
    ZwClose(file);
    assert_int_equal(view_of(section, &view), STATUS_SUCCESS);
    assert_memory_equal(view, "0123456789\0\0", 12);
    ((char *)view)[3] = 'x';
    ((char *)view)[11] = 'y'; /* behind the end: is not written */
    ZwClose(section);
    assert_int_equal(MmUnmapViewInSystemSpace(view), STATUS_SUCCESS);
    assert_int_equal(host_read("mapped", text, sizeof(text)), 10);
    assert_string_equal(text, "012x456789");
}

static bool may_be_written(const void *address)
{
    unsigned long from, to;
    char protect[8], line[512];
    bool writable = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, protect) == 3 && from <= (unsigned long)address &&
            (unsigned long)address < to)
            writable = protect[1] == 'w';
    fclose(maps);
    return writable;
}

static void a_section_that_cannot_be_written_has_such_views(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section;
    void *view, *body;
    SIZE_T size = 0;
    host_write("mapped", "0123456789");
    HANDLE file = must_open(WIDE("\\mapped"), FILE_READ_DATA);
    assert_int_equal(section_of(file, PAGE_READONLY, &section), STATUS_SUCCESS);
    assert_int_equal(view_of(section, &view), STATUS_SUCCESS);
    assert_memory_equal(view, "0123456789", 10);
    assert_false(may_be_written(view));
    host_write("mapped", "other text");
    assert_int_equal(MmUnmapViewInSystemSpace(view), STATUS_SUCCESS);
    char text[32] = {0};
    host_read("mapped", text, sizeof(text));
    assert_string_equal(text, "other text"); /* nothing was written back */
    assert_int_equal(ObReferenceObjectByHandle(file, 0, NULL, KernelMode, &body, NULL), STATUS_SUCCESS);
    assert_int_equal(MmMapViewInSystemSpace(body, &view, &size), STATUS_OBJECT_TYPE_MISMATCH);
    ObfDereferenceObject(body);
    ZwClose(section);
    ZwClose(file);
}

static void files_that_have_no_section(void **state)
{
    UNREFERENCED_PARAMETER(state);
    HANDLE section, file;
    host_write("empty", "");
    file = must_open(WIDE("\\empty"), FILE_READ_DATA | FILE_WRITE_DATA);
    assert_int_equal(section_of(file, PAGE_READWRITE, &section), STATUS_MAPPED_FILE_SIZE_ZERO);
    IO_STATUS_BLOCK io; /* all holes, but every byte of them would be read */
    LARGE_INTEGER large = {.QuadPart = 0x100000000};
    assert_int_equal(ZwSetInformationFile(file, &io, &large, sizeof(large), FileEndOfFileInformation), STATUS_SUCCESS);
    assert_int_equal(section_of(file, PAGE_READONLY, &section), STATUS_COMMITMENT_LIMIT);
    ZwClose(file);
    file = must_open(WIDE("\\"), FILE_READ_DATA);
    assert_false(NT_SUCCESS(section_of(file, PAGE_READONLY, &section)));
    ZwClose(file);
}

/* ---- two first creations at once ---- */

static struct {
    HANDLE file;
    volatile LONG ready, wrong;
} both;

/* Each sees the whole file, whoever came first. */
static void make_one(void *context)
{
    HANDLE section;
    void *view;
    UNREFERENCED_PARAMETER(context);
    __atomic_add_fetch(&both.ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&both.ready, __ATOMIC_SEQ_CST) < 2)
        plat_yield();
    bool well = NT_SUCCESS(section_of(both.file, PAGE_READONLY, &section));
    if (well && NT_SUCCESS(view_of(section, &view))) {
        well = ((const char *)view)[FILE_BYTES - 1] == 'z' && ((const char *)view)[0] == 'a';
        MmUnmapViewInSystemSpace(view);
        ZwClose(section);
    }
    if (!well)
        __atomic_add_fetch(&both.wrong, 1, __ATOMIC_SEQ_CST);
}

static void nobody_sees_a_section_that_is_not_yet_filled(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static char text[FILE_BYTES + 1];
    SIZE_T pool = 0;
    memset(text, 'a', FILE_BYTES);
    text[FILE_BYTES - 1] = 'z';
    host_write("large", text);
    for (ULONG round = 0; round < ROUNDS; round++) {
        PKTHREAD threads[2];
        uint64_t hosts[2];
        both.ready = 0;
        both.file = must_open(WIDE("\\large"), FILE_READ_DATA);
        for (ULONG i = 0; i < 2; i++)
            assert_int_equal(ke_thread_start(&ke_system.body, make_one, NULL, 0, &threads[i], &hosts[i]),
                             STATUS_SUCCESS);
        for (ULONG i = 0; i < 2; i++) {
            plat_thread_join(hosts[i]);
            ke_thread_release(threads[i]);
        }
        ZwClose(both.file);
        assert_int_equal(both.wrong, 0);
        if (!round)
            pool = mm_pool_bytes_in_use(MM_POOL_KERNEL);
    }
    assert_int_equal(mm_pool_bytes_in_use(MM_POOL_KERNEL), pool);
}

int run_section_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_view_is_the_file, clean),
        cmocka_unit_test_teardown(a_section_that_cannot_be_written_has_such_views, clean),
        cmocka_unit_test_teardown(files_that_have_no_section, clean),
        cmocka_unit_test_teardown(nobody_sees_a_section_that_is_not_yet_filled, clean),
    };
    return cmocka_run_group_tests_name("sections of files", tests, NULL, NULL);
}
