/*
 * finding.c - a report's memory and text, the fingerprint of a finding, and what can be counted in a report.
 */
#include "finding.h"
#include "sha256.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const finding_level_names[LEVEL_COUNT] = {"note", "warning", "error"};
const char *const access_kind_names[ACCESS_KIND_COUNT] = {"read", "write", "probe"};

/* ---- memory ---- */

struct chunk {
    struct chunk *next;
    max_align_t data[];
};

void report_init(struct report *report)
{
    *report = (struct report){0};
}

void report_free(struct report *report)
{
    for (struct chunk *chunk = report->memory, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    report_init(report);
}

void *report_allocate(struct report *report, size_t count, size_t size)
{
    struct chunk *chunk = NULL;
    size_t bytes;
    if (!__builtin_mul_overflow(count, size, &bytes) && bytes < SIZE_MAX / 2)
        chunk = calloc(1, sizeof(*chunk) + bytes);
    if (!chunk) {
        fputs("uma: out of memory for the report\n", stderr);
        exit(2);
    }
    chunk->next = report->memory;
    report->memory = chunk;
    return chunk->data;
}

/* An array has room for the next power of two; what it grew out of stays until the end. */
void *report_append(struct report *report, void *array, size_t *count, size_t size)
{
    void *old, *larger;
    memcpy(&old, array, sizeof(old));
    if ((*count & (*count - 1)) == 0) {
        larger = report_allocate(report, *count ? 2 * *count : 1, size);
        if (*count)
            memcpy(larger, old, *count * size);
        memcpy(array, &larger, sizeof(larger));
        old = larger;
    }
    return (char *)old + size * (*count)++;
}

/* ---- text ---- */

/* Decodes one character; returns its length, 0 if the bytes are not UTF-8. */
static size_t decode(const unsigned char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *text < 0x80 ? 1 : *text >> 5 == 6 ? 2 : *text >> 4 == 14 ? 3 : *text >> 3 == 30 ? 4 : 0;
    if (length == 0)
        return 0;
    *character = length == 1 ? *text : *text & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        *character = *character << 6 | (text[i] & 0x3f);
    }
    return *character < least[length] || *character > 0x10ffff || (*character >> 11) == 0x1b ? 0 : length;
}

static bool is_harmless(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return c == '\t';
    bool turns =
        c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return !turns && c != 0xfeff && (c & 0xfffe) != 0xfffe;
}

char *report_text(struct report *report, const char *text)
{
    if (!text)
        return NULL;
    char *copy = report_allocate(report, strlen(text) + 1, 3), *end = copy; /* U+FFFD has three bytes */
    for (const unsigned char *from = (const unsigned char *)text; *from;) {
        uint32_t character = 0;
        size_t length = decode(from, &character);
        if (length && is_harmless(character)) {
            memcpy(end, from, length);
            end += length;
        } else {
            memcpy(end, "\xef\xbf\xbd", 3);
            end += 3;
        }
        from += length ? length : 1;
    }
    return copy;
}

char *report_format(struct report *report, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = report_allocate(report, (size_t)(length < 0 ? 0 : length) + 1, 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return report_text(report, text);
}

const char *path_base(const char *path)
{
    const char *base = path ? path : "";
    for (const char *at = base; *at; at++)
        if (*at == '/' || *at == '\\')
            base = at + 1;
    return base;
}

const char *code_method(uint64_t code)
{
    static const char *const methods[] = {"buffered", "in direct", "out direct", "neither"};
    return methods[code & 3];
}

/* ---- fingerprints ---- */

/* The terminator counts, so that the ends of two texts cannot move. */
static void add_text(struct sha256 *hash, const char *text)
{
    sha256_add(hash, text ? text : "", strlen(text ? text : "") + 1);
}

void finding_identify(struct report *report, const struct report_run *run, struct finding *finding)
{
    struct sha256 hash;
    char text[SHA256_TEXT], number[20] = "";
    sha256_init(&hash);
    add_text(&hash, finding->rule);
    add_text(&hash, path_base(run->driver));
    add_text(&hash, finding->place.function);
    add_text(&hash, path_base(finding->place.file));
    add_text(&hash, finding->cause);
    if (!finding->place.function)
        snprintf(number, sizeof(number), "%llx", (unsigned long long)finding->place.pc);
    add_text(&hash, number);
    sha256_text(&hash, text);
    finding->fingerprint = report_format(report, "%.*s", REPORT_FINGERPRINT, text);
}

/* ---- counting ---- */

struct report_totals report_count(const struct report *report)
{
    struct report_totals totals = {0};
    for (size_t i = 0; i < report->run_count; i++) {
        for (size_t j = 0; j < report->runs[i].finding_count; j++)
            totals.level[report->runs[i].findings[j].level]++;
        totals.findings += report->runs[i].finding_count;
    }
    return totals;
}

static unsigned digit_bits(char digit)
{
    return (unsigned)__builtin_popcount((unsigned)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10));
}

struct run_totals report_run_count(const struct report_run *run)
{
    struct run_totals totals = {0};
    for (const char *digit = run->blocks ? run->blocks : ""; *digit; digit++)
        totals.blocks_reached += digit_bits(*digit);
    for (size_t i = 0; i < run->code_count; i++) {
        totals.accesses += run->codes[i].access_count;
        for (size_t j = 0; j < run->codes[i].access_count; j++)
            totals.accesses_faulted += run->codes[i].accesses[j].faulted;
    }
    if (run->milliseconds >= 10)
        totals.cases_per_second = (uint64_t)((double)run->cases * 1000 / (double)run->milliseconds);
    return totals;
}
