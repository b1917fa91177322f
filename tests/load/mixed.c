/*
 * mixed.c - the other services a client uses between its requests: files of C:, registry values, views of sections.
 * Each client has a file and a key of its own, where what it wrote last must be what it reads.
 */
#include <stdio.h>
#include <string.h>

#include "load_client.h"

enum { OPEN_IF = 3, DATA = PAGE, ANSWER = 2 * PAGE, VIEW = 0x2000 };
enum { VALUE_NAME = 480, VALUE_TEXT = 496, SIZES = 512 };
enum { REG_QWORD = 11, PARTIAL_INFORMATION = 2, REG_OPTION_VOLATILE = 1 };
enum { SECTION_ALL = 0xF001F, PAGE_READWRITE = 4, SEC_COMMIT = 0x8000000, VIEW_UNMAP = 2, KEY_ALL = 0xF003F };

static void put_number(uint64_t to, uint64_t number)
{
    expect(uma_user_store(to, &number, sizeof(number)), "a client's own memory");
}

static uint64_t number_at(uint64_t from)
{
    uint64_t number;
    expect(uma_user_load(from, &number, sizeof(number)), "a client's own memory");
    return number;
}

/* ---- files ---- */

static void use_file(struct client *client)
{
    const uint64_t area = client->area, wrote = client->random;
    char name[40];
    snprintf(name, sizeof(name), "\\??\\C:\\load%u.txt", client->index);
    uint64_t attributes = put_name(client, name);
    uint32_t options = pick(client, 2) ? SYNCHRONOUS : 0;
    expect(CALL("NtCreateFile", area + HANDLE_OUT, FILE_ACCESS, attributes, area + IO, 0, 0x80, 7, OPEN_IF, options, 0,
                0) == OK,
           "a file of C: opens");
    uint64_t file = handle_out(client);
    put_number(area + NUMBER, 0);
    put_number(area + DATA, wrote);
    ask(client, CALL("NtWriteFile", file, client->event, 0, 0, area + IO, area + DATA, 8, area + NUMBER, 0));
    ask(client, CALL("NtReadFile", file, client->event, 0, 0, area + IO, address_for(client, area + ANSWER, 8), 8,
                     area + NUMBER, 0));
    put_number(area + ANSWER, 0);
    ask(client, CALL("NtReadFile", file, client->event, 0, 0, area + IO, area + ANSWER, 8, area + NUMBER, 0));
    expect(number_at(area + ANSWER) == wrote, "a file holds what was written");
    expect(CALL("NtClose", file) == OK, "a file of C: is closed");
}

/* ---- the registry ---- */

static void open_key(struct client *client)
{
    char name[60];
    snprintf(name, sizeof(name), "\\Registry\\Machine\\Software\\Load%u", client->index);
    uint64_t attributes = put_name(client, name);
    expect(CALL("NtCreateKey", client->area + HANDLE_OUT, KEY_ALL, attributes, 0, 0, REG_OPTION_VOLATILE, 0) == OK,
           "a key is created");
    client->key = handle_out(client);
}

static void use_key(struct client *client)
{
    const uint64_t area = client->area, wrote = client->random;
    const struct {
        uint16_t length, maximum;
        uint64_t buffer;
    } name = {2, 2, area + VALUE_TEXT};
    expect(uma_user_store(area + VALUE_NAME, &name, sizeof(name)) && uma_user_store(area + VALUE_TEXT, "v", 2),
           "a client's own memory");
    CALL("NtSetValueKey", client->key, area + VALUE_NAME, 0, REG_QWORD, address_for(client, area + DATA, 8), 8);
    put_number(area + DATA, wrote);
    expect(CALL("NtSetValueKey", client->key, area + VALUE_NAME, 0, REG_QWORD, area + DATA, 8) == OK, "a value is set");
    uint64_t to = address_for(client, area + ANSWER, 64);
    if (CALL("NtQueryValueKey", client->key, area + VALUE_NAME, PARTIAL_INFORMATION, to, 64, area + SIZES) == OK &&
        to == area + ANSWER)
        expect(number_at(area + ANSWER + 12) == wrote, "a value is what was set");
}

/* ---- sections ---- */

static void use_section(struct client *client)
{
    const uint64_t area = client->area, wrote = client->random;
    put_number(area + NUMBER, VIEW);
    expect(CALL("NtCreateSection", area + HANDLE_OUT, SECTION_ALL, 0, area + NUMBER, PAGE_READWRITE, SEC_COMMIT, 0) ==
               OK,
           "a section is created");
    uint64_t section = handle_out(client), views[2];
    for (unsigned i = 0; i < 2; i++) {
        put_number(area + SIZES, 0);
        put_number(area + SIZES + 8, 0);
        expect(CALL("NtMapViewOfSection", section, THIS_PROCESS, area + SIZES, 0, 0, 0, area + SIZES + 8, VIEW_UNMAP, 0,
                    PAGE_READWRITE) == OK,
               "a section is mapped");
        views[i] = number_at(area + SIZES);
    }
    put_number(views[0] + PAGE, wrote);
    expect(number_at(views[1] + PAGE) == wrote, "both views show the same pages");
    expect(CALL("NtClose", section) == OK, "a section is closed");
    for (unsigned i = 0; i < 2; i++)
        expect(CALL("NtUnmapViewOfSection", THIS_PROCESS, views[i]) == OK, "a view is unmapped");
}

/* ---- the client's ---- */

void mixed_begin(struct client *client)
{
    open_key(client);
}

void mixed_step(struct client *client)
{
    uint32_t what = pick(client, 3);
    if (what == 0)
        use_file(client);
    else if (what == 1)
        use_key(client);
    else
        use_section(client);
}

void mixed_end(struct client *client)
{
    expect(CALL("NtClose", client->key) == OK, "a key is closed");
}

void mixed_prepare(void)
{
    for (unsigned i = 0; i < LOAD_CLIENTS; i++) {
        struct client client = {.index = i, .random = shared.seed + 1};
        expect(uma_user_alloc(4 * PAGE, UMA_READ_WRITE, &client.area) == OK, "memory to prepare with");
        client.event = create_event(&client);
        open_key(&client);
        use_file(&client);
        use_key(&client);
        mixed_end(&client);
        expect(CALL("NtClose", client.event) == OK, "an event is closed");
        uma_user_free(client.area, 4 * PAGE);
    }
}
