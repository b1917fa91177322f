/* cm_test.h - what the suites of the registry share. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdk/wdm.h"
#include "wdk/seh.h"
#include "cm.h"
#include "io.h"
#include "ke.h"
#include "ps.h"
#include "rtl.h"
#include "svc.h"

#include <cmocka.h>

#define WIDE(text) ((const WCHAR *)L##text)

UNICODE_STRING text(const WCHAR *content);
/* As KernelMode. root null: name is a full one. */
NTSTATUS create_key(HANDLE root, const WCHAR *name, ULONG options, HANDLE *key);
NTSTATUS open_key(HANDLE root, const WCHAR *name, ULONG attributes, HANDLE *key);
NTSTATUS set_value(HANDLE key, const WCHAR *name, ULONG type, const void *data, ULONG bytes);
/* A number's value; 0 if it is not there. */
ULONG number_of(HANDLE key, const WCHAR *name);
/* A fresh key Software\CmTest, and its end with everything below. */
HANDLE scratch(void);
void drop(HANDLE key);

/* What must be the same after a test as before it. */
struct counts {
    struct cm_counts registry;
    SIZE_T handles, pool;
};
struct counts counts(void);
void check_counts(const struct counts *before);

int run_key_tests(void);
int run_value_tests(void);
int run_watch_tests(void);
int run_table_tests(void);
int run_callback_tests(void);
int run_race_tests(void);
