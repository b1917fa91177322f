/* fixture.c - keys and values in one line each. */
#include "cm_test.h"

UNICODE_STRING text(const WCHAR *content)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, content);
    return string;
}

static OBJECT_ATTRIBUTES attributes_of(HANDLE root, PUNICODE_STRING name, ULONG attributes)
{
    return (OBJECT_ATTRIBUTES){.Length = sizeof(OBJECT_ATTRIBUTES),
                               .RootDirectory = root,
                               .ObjectName = name,
                               .Attributes = attributes | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE};
}

NTSTATUS create_key(HANDLE root, const WCHAR *name, ULONG options, HANDLE *key)
{
    UNICODE_STRING string = text(name);
    OBJECT_ATTRIBUTES attributes = attributes_of(root, &string, 0);
    return ZwCreateKey(key, KEY_ALL_ACCESS, &attributes, 0, NULL, options, NULL);
}

NTSTATUS open_key(HANDLE root, const WCHAR *name, ULONG flags, HANDLE *key)
{
    UNICODE_STRING string = text(name);
    OBJECT_ATTRIBUTES attributes = attributes_of(root, &string, flags);
    return ZwOpenKey(key, KEY_ALL_ACCESS, &attributes);
}

NTSTATUS set_value(HANDLE key, const WCHAR *name, ULONG type, const void *data, ULONG bytes)
{
    UNICODE_STRING string = text(name);
    return ZwSetValueKey(key, &string, 0, type, (PVOID)data, bytes);
}

ULONG number_of(HANDLE key, const WCHAR *name)
{
    UNICODE_STRING string = text(name);
    KEY_VALUE_PARTIAL_INFORMATION info = {0};
    ULONG needed, number = 0;
    if (ZwQueryValueKey(key, &string, KeyValuePartialInformation, &info, sizeof(info), &needed) == STATUS_SUCCESS &&
        info.Type == REG_DWORD)
        memcpy(&number, info.Data, sizeof(number));
    return number;
}

HANDLE scratch(void)
{
    HANDLE key = NULL;
    assert_int_equal(create_key(NULL, WIDE("\\Registry\\Machine\\Software\\CmTest"), 0, &key), STATUS_SUCCESS);
    return key;
}

static void drop_below(HANDLE key)
{
    union {
        KEY_BASIC_INFORMATION info;
        UCHAR bytes[1024];
    } child;
    ULONG needed;
    while (ZwEnumerateKey(key, 0, KeyBasicInformation, &child, sizeof(child) - 2, &needed) == STATUS_SUCCESS) {
        HANDLE below;
        child.info.Name[child.info.NameLength / 2] = 0;
        assert_int_equal(open_key(key, child.info.Name, OBJ_OPENLINK, &below), STATUS_SUCCESS);
        drop_below(below);
        assert_int_equal(ZwDeleteKey(below), STATUS_SUCCESS);
        assert_int_equal(ZwClose(below), STATUS_SUCCESS);
    }
}

void drop(HANDLE key)
{
    drop_below(key);
    assert_int_equal(ZwDeleteKey(key), STATUS_SUCCESS);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
}

struct counts counts(void)
{
    return (struct counts){cm_counts(), ob_handles_in(&ke_system.body), mm_pool_bytes_in_use(MM_POOL_KERNEL)};
}

void check_counts(const struct counts *before)
{
    struct counts after = counts();
    assert_int_equal(after.registry.keys, before->registry.keys);
    assert_int_equal(after.registry.values, before->registry.values);
    assert_int_equal(after.registry.bytes, before->registry.bytes);
    assert_int_equal(after.registry.watches, before->registry.watches);
    assert_int_equal(after.handles, before->handles);
    assert_int_equal(after.pool, before->pool);
}
