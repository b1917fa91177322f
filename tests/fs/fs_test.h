/* fs_test.h - what the files of the file system's tests share: the host's folder behind C:, and short calls. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdk/wdm.h"
#include "wdk/fileinfo.h"
#include "fs.h"
#include "io.h"
#include "rtl.h"
#include "svc.h"

#include <cmocka.h>

#define WIDE(text) ((const WCHAR *)L##text)
#define SHARE_ALL  (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

extern char root[64];    /* the host's folder */
extern char outside[64]; /* another one, that must stay out of reach */

/* A path of the host below root; lives until the fourth call from now. */
const char *host(const char *name);
void host_write(const char *name, const char *text);
bool host_exists(const char *name);
/* Empties root. */
int clean(void **state);

/* ZwCreateFile of "\??\C:" + name, synchronous, kernel handle. */
struct opened {
    HANDLE handle;
    ULONG_PTR information;
};
NTSTATUS create(const WCHAR *name, ACCESS_MASK access, ULONG share, ULONG disposition, ULONG options,
                struct opened *opened);
NTSTATUS create_at(HANDLE directory, const WCHAR *name, ULONG disposition, ULONG options, struct opened *opened);
/* Opens what exists for reading, everything shared, and closes it. */
NTSTATUS look(const WCHAR *name);
HANDLE must_open(const WCHAR *name, ACCESS_MASK access);
NTSTATUS set_info(HANDLE file, ULONG class, const void *data, ULONG length);
NTSTATUS get_info(HANDLE file, ULONG class, void *data, ULONG length, ULONG_PTR *used);
NTSTATUS mark_deleted(HANDLE file, bool delete);
NTSTATUS rename_to(HANDLE file, HANDLE directory, const WCHAR *name, bool replace);

int run_create_tests(void);
int run_escape_tests(void);
int run_share_tests(void);
int run_change_tests(void);
int run_listing_tests(void);
int run_transfer_tests(void);
int run_section_tests(void);
