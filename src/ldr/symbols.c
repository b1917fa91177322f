/*
 * symbols.c - names an address: module, function, file and line, for bug checks and reports.
 *
 * llvm-symbolizer reads PDB and DWARF, in a process of its own: a hostile or damaged program database can neither crash
 * nor hang us (it is killed after five seconds). It is started per question with the module's path as an argument,
 * never through a shell, so forked children can ask too. Answers are kept in a small cache. Without it a name is
 * module+offset.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ldr_internal.h"
#include "plat.h"

enum {
    TIME_LIMIT_MS = 5000,
    REPLY_MAX = 65536,
    CACHE_SIZE = 256,
    TEXT_MAX = 384,
    TOGETHER_MAX = 40,
    LINE_MAX_BYTES = 1100
};

static struct {
    ULONG_PTR address;
    const struct ldr_image *image;
    char text[TEXT_MAX];
} cache[CACHE_SIZE];

/* Where an address lies. */
struct place {
    const char *module; /* shown name */
    const char *path;   /* file with the debug data */
    ULONG_PTR offset;   /* from the module's base */
    bool pe;
};

static SIZE_T now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (SIZE_T)now.tv_sec * 1000 + (SIZE_T)now.tv_nsec / 1000000;
}

/* Reads fd to its end or to the time limit; returns bytes. */
static SIZE_T read_reply(int fd, char *reply, SIZE_T size)
{
    SIZE_T used = 0, deadline = now_ms() + TIME_LIMIT_MS;
    while (used < size) {
        SIZE_T now = now_ms();
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (now >= deadline)
            break;
        int ready = poll(&waiting, 1, (int)(deadline - now));
        ssize_t got = ready > 0 ? read(fd, reply + used, size - used) : ready;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (SIZE_T)got;
    }
    return used;
}

/* What the symbolizer is asked: up to TOGETHER_MAX lines of "file" address. */
struct question {
    char lines[TOGETHER_MAX][LINE_MAX_BYTES];
    ULONG count;
};

static pid_t start_symbolizer(struct question *question, int output)
{
    static const char *const programs[] = {"llvm-symbolizer-19", "llvm-symbolizer"};
    /* No proxies, debuginfod servers or symbol paths: only what lies beside the driver or where its own debug directory
     * says. */
    static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    pid_t child = -1;
    char *arguments[TOGETHER_MAX + 6] = {"llvm-symbolizer", "--relative-address", "--no-inlines", "--no-debuginfod",
                                         "--output-style=JSON"};
    for (ULONG i = 0; i < question->count; i++)
        arguments[5 + i] = question->lines[i];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(programs); i++) {
        if (posix_spawnp(&child, programs[i], &actions, &attributes, arguments, environment) == 0)
            break;
        child = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return child;
}

/* The symbolizer's reply, parsed: an array with an answer for each line; null if there is none. */
static json_t *ask(struct question *question)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    pid_t child = start_symbolizer(question, ends[1]);
    close(ends[1]);
    json_t *answer = NULL;
    char *reply = malloc(REPLY_MAX);
    if (child > 0) {
        SIZE_T used = reply ? read_reply(ends[0], reply, REPLY_MAX) : 0;
        kill(-child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        answer = json_loadb(reply, used, JSON_DISABLE_EOF_CHECK, NULL);
    }
    free(reply);
    close(ends[0]);
    return answer;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Start of the function at offset in a driver, from its unwind table; 0 if unknown. */
static ULONG function_start(const struct ldr_image *image, ULONG offset)
{
    ULONG low = 0, high = image->seh.count;
    while (low < high) {
        ULONG middle = low + (high - low) / 2;
        const RUNTIME_FUNCTION *function = &image->seh.functions[middle];
        if (offset < function->BeginAddress)
            high = middle;
        else if (offset >= function->EndAddress)
            low = middle + 1;
        else
            return function->BeginAddress;
    }
    return 0;
}

/* A path below the current folder is shown relative to it. */
static const char *shorten_path(const char *path)
{
    char folder[1024];
    if (!getcwd(folder, sizeof(folder)))
        return path;
    SIZE_T length = strlen(folder);
    return !strncmp(path, folder, length) && path[length] == '/' ? path + length + 1 : path;
}

/* Writes "module!Function+0x12 (file:line)" or as much of it as is known. */
static void describe(const struct place *place, const struct ldr_image *image, json_t *answer, char *text, SIZE_T size)
{
    json_t *symbol = json_array_get(json_object_get(answer, "Symbol"), 0);
    const char *function = text_of(symbol, "FunctionName"), *file = text_of(symbol, "FileName");
    ULONG_PTR start = strtoull(text_of(symbol, "StartAddress"), NULL, 16);
    if (image && function_start(image, (ULONG)place->offset))
        start = function_start(image, (ULONG)place->offset);
    if (!*function)
        snprintf(text, size, "%s+0x%llx", place->module, place->offset);
    else if (start && start <= place->offset)
        snprintf(text, size, "%s!%s+0x%llx", place->module, function, place->offset - start);
    else
        snprintf(text, size, "%s!%s", place->module, function);
    json_int_t line = json_integer_value(json_object_get(symbol, "Line"));
    SIZE_T used = strlen(text);
    if (*file && line > 0 && used < size)
        snprintf(text + used, size - used, " (%s:%lld)", shorten_path(file), (long long)line);
    for (char *c = text; *c; c++)
        if ((UCHAR)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* Finds the module of address; false if it is in none. */
static bool find_place(ULONG_PTR address, const struct ldr_image **image, struct place *place)
{
    Dl_info info;
    *image = ldr_find(address);
    if (*image) {
        *place = (struct place){(*image)->name, (*image)->path, address - (ULONG_PTR)(*image)->base, true};
        return true;
    }
    if (!dladdr((void *)address, &info) || !info.dli_fname)
        return false;
    Dl_info self;
    bool ours = dladdr((void *)(ULONG_PTR)&find_place, &self) && self.dli_fbase == info.dli_fbase;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *name = ours ? "uma" : slash ? slash + 1 : info.dli_fname;
    *place = (struct place){name, ours ? "/proc/self/exe" : info.dli_fname, address - (ULONG_PTR)info.dli_fbase, false};
    return true;
}

static SIZE_T slot_of(ULONG_PTR address)
{
    return (address ^ address >> 12) % CACHE_SIZE;
}

static bool is_cached(ULONG_PTR address, const struct ldr_image *image)
{
    const SIZE_T slot = slot_of(address);
    return cache[slot].address == address && cache[slot].image == image;
}

/* One more line of the question; false: the file's name cannot stand in one. */
static bool add_line(struct question *question, const struct place *place)
{
    char exe[1024];
    const char *path = place->path;
    ssize_t length = strcmp(path, "/proc/self/exe") ? 0 : readlink(path, exe, sizeof(exe) - 1);
    if (length > 0) { /* the symbolizer's own /proc/self is another program */
        exe[length] = 0;
        path = exe;
    }
    char *line = question->lines[question->count];
    if (strpbrk(path, "\"\n") || snprintf(line, LINE_MAX_BYTES, "\"%s\" 0x%llx", path, place->offset) >= LINE_MAX_BYTES)
        return false;
    question->count++;
    return true;
}

void ldr_symbolize_ahead(const ULONG_PTR *addresses, SIZE_T count)
{
    struct {
        struct place place;
        const struct ldr_image *image;
        ULONG_PTR address;
        json_int_t line; /* of the question, or -1 */
    } asked[TOGETHER_MAX];
    SIZE_T n = 0;
    struct question *question = calloc(1, sizeof(*question));
    if (!question)
        return;
    for (SIZE_T i = 0; i < count && n < TOGETHER_MAX; i++) {
        if (ldr_data_stub_name(addresses[i]) || !find_place(addresses[i], &asked[n].image, &asked[n].place) ||
            is_cached(addresses[i], asked[n].image))
            continue;
        asked[n].address = addresses[i];
        asked[n].line = add_line(question, &asked[n].place) ? (json_int_t)question->count - 1 : -1;
        n++;
    }
    json_t *answers = question->count ? ask(question) : NULL;
    for (SIZE_T i = 0; i < n; i++) {
        SIZE_T slot = slot_of(asked[i].address);
        json_t *answer = asked[i].line < 0 ? NULL : json_array_get(answers, (SIZE_T)asked[i].line);
        describe(&asked[i].place, asked[i].image, answer, cache[slot].text, TEXT_MAX);
        cache[slot].address = asked[i].address;
        cache[slot].image = asked[i].image;
    }
    json_decref(answers);
    free(question);
}

void ldr_symbolize(ULONG_PTR address, char *text, SIZE_T size)
{
    const struct ldr_image *image;
    struct place place;
    if (!size)
        return;
    const char *data = ldr_data_stub_name(address);
    if (data) {
        snprintf(text, size, "ntoskrnl.exe!%s (a variable that is not provided)", data);
        return;
    }
    ldr_symbolize_ahead(&address, 1);
    if (find_place(address, &image, &place) && is_cached(address, image))
        snprintf(text, size, "%s", cache[slot_of(address)].text);
    else
        snprintf(text, size, "0x%llx", address);
}

void ldr_symbols_forget(void)
{
    memset(cache, 0, sizeof(cache));
}
