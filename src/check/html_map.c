/*
 * html_map.c - accesses to user memory drawn as SVG. Time goes down, bytes go to the right; each piece of memory has a
 * strip of its own, so that the picture fits a narrow screen. Colours and strokes are the style sheet's.
 */
#include "html.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In user units; the picture is WIDTH wide and scales. */
enum { WIDTH = 372, LEFT = 30, RIGHT = 304, ROW = 18, BAR = 10, HEAD = 34, GAP = 14, MAX_STRIPS = 16 };

struct strip {
    const char *name;
    uint64_t size;  /* bytes across */
    uint64_t known; /* of the buffer itself; 0 unknown */
};

struct map {
    const struct finding_access *const *accesses;
    size_t count;
    struct strip strips[MAX_STRIPS];
    size_t strip_count;
    size_t left_out; /* accesses to further pieces of memory */
};

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t access_bytes(const struct finding_access *access)
{
    uint64_t bytes, count = access->count ? access->count : 1;
    return __builtin_mul_overflow(access->size, count, &bytes) ? UINT64_MAX : bytes;
}

static uint64_t access_end(const struct finding_access *access)
{
    return add(access->offset, access_bytes(access));
}

static bool is_on(const struct map *map, size_t access, const struct strip *strip)
{
    return !strcmp(map->accesses[access]->buffer, strip->name);
}

static void find_strips(struct map *map, const struct request_buffer *buffers, size_t buffer_count)
{
    for (size_t i = 0; i < map->count; i++) {
        size_t at = 0;
        while (at < map->strip_count && !is_on(map, i, &map->strips[at]))
            at++;
        if (at == MAX_STRIPS) {
            map->left_out++;
            continue;
        }
        struct strip *strip = &map->strips[at];
        if (at == map->strip_count) {
            *strip = (struct strip){.name = map->accesses[i]->buffer};
            map->strip_count++;
            for (size_t j = 0; j < buffer_count; j++)
                if (!strcmp(buffers[j].name, strip->name))
                    strip->known = buffers[j].size;
            strip->size = strip->known ? strip->known : 1;
        }
        if (access_end(map->accesses[i]) > strip->size)
            strip->size = access_end(map->accesses[i]);
    }
}

static double x_of(const struct strip *strip, uint64_t byte)
{
    return LEFT + (RIGHT - LEFT) * ((double)byte / (double)strip->size);
}

/* Lines across the rows at every so many bytes: a power of two, eight lines at most, fewer if their numbers are long.
 */
static void draw_ruler(FILE *out, const struct strip *strip, double top, double height)
{
    uint64_t step = 1, lines = 8, digits = 1;
    for (uint64_t rest = strip->size; rest >= 10; rest /= 10)
        digits++;
    while (lines > 1 && lines * digits * 7 > RIGHT - LEFT)
        lines--;
    while (strip->size / step > lines)
        step *= 2;
    fprintf(out, "<rect class=\"strip\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" rx=\"3\"/>\n", LEFT, top,
            RIGHT - LEFT, height);
    for (uint64_t byte = 0; byte <= strip->size; byte += step) {
        double x = x_of(strip, byte);
        fprintf(out, "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x, x, top, top + height);
        fprintf(out, "<text class=\"byte\" x=\"%.1f\" y=\"%.1f\">%" PRIu64 "</text>\n", x, top - 4, byte);
        if (strip->size - byte < step)
            break;
    }
    if (strip->known && strip->known < strip->size)
        fprintf(out, "<line class=\"end\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                x_of(strip, strip->known), x_of(strip, strip->known), top, top + height);
}

static void draw_bar(FILE *out, const struct strip *strip, const struct finding_access *access, size_t number, double y)
{
    double left = x_of(strip, access->offset), width = x_of(strip, access_end(access)) - left;
    if (width < 4)
        width = 4;
    if (left + width > RIGHT)
        left = RIGHT - width;
    fprintf(out, "<text class=\"number\" x=\"%d\" y=\"%.1f\">%zu</text>", LEFT - 8, y + BAR - 1, number);
    fprintf(out, "<rect class=\"%s%s%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\"><title>",
            access_kind_names[access->kind], access->raw ? " raw" : "", access->faulted ? " faulted" : "", left, y,
            width, BAR);
    html_escape(out, access->by);
    fprintf(out, " %ss ", access_kind_names[access->kind]);
    html_escape(out, access->buffer);
    fprintf(out, "+%" PRIu64 ", %" PRIu64 " bytes</title></rect>\n", access->offset, access_bytes(access));
}

static bool is_refetch(const struct finding_access *first, const struct finding_access *second)
{
    return first->kind == ACCESS_READ && second->kind == ACCESS_READ && first->offset < access_end(second) &&
           second->offset < access_end(first);
}

/* From the end of the bytes both read, out to the right and back. */
static void draw_arc(FILE *out, const struct strip *strip, const struct finding_access *first,
                     const struct finding_access *second, double from, double to)
{
    uint64_t end = access_end(first) < access_end(second) ? access_end(first) : access_end(second);
    double x = x_of(strip, end) + 3, out_to = x + 16 + (to - from) * 0.35;
    if (out_to > WIDTH - 6)
        out_to = WIDTH - 6;
    fprintf(out, "<path class=\"again\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>", x, from, out_to, from,
            out_to, to, x, to);
    fprintf(out, "<circle class=\"again-end\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>", x, from);
    fprintf(out, "<circle class=\"again-end\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>\n", x, to);
}

static size_t rows_of(const struct map *map, const struct strip *strip)
{
    size_t rows = 0;
    for (size_t i = 0; i < map->count; i++)
        rows += is_on(map, i, strip);
    return rows;
}

static double draw_strip(FILE *out, const struct map *map, const struct strip *strip, double top)
{
    double rows[HTML_MAP_ROWS] = {0}, y = top + HEAD + (ROW - BAR) / 2.0;
    double height = (double)rows_of(map, strip) * ROW;
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", LEFT, top + 12);
    html_escape(out, strip->name);
    fputs("</text>", out);
    if (strip->known)
        fprintf(out, "<text class=\"size\" x=\"%d\" y=\"%.1f\">%" PRIu64 " bytes</text>\n", RIGHT, top + 12,
                strip->known);
    draw_ruler(out, strip, top + HEAD, height);
    for (size_t i = 0; i < map->count; i++) {
        if (!is_on(map, i, strip))
            continue;
        draw_bar(out, strip, map->accesses[i], i + 1, y);
        rows[i] = y + BAR / 2.0;
        y += ROW;
    }
    for (size_t i = 0; i < map->count; i++) {
        for (size_t j = i + 1; is_on(map, i, strip) && j < map->count; j++) {
            if (is_on(map, j, strip) && is_refetch(map->accesses[i], map->accesses[j])) {
                draw_arc(out, strip, map->accesses[i], map->accesses[j], rows[i], rows[j]);
                break;
            }
        }
    }
    return top + HEAD + height;
}

void html_map(FILE *out, const char *title, const struct finding_access *const *accesses, size_t count,
              const struct request_buffer *buffers, size_t buffer_count)
{
    struct map map = {.accesses = accesses, .count = count < HTML_MAP_ROWS ? count : HTML_MAP_ROWS};
    double height = 0;
    find_strips(&map, buffers, buffer_count);
    for (size_t i = 0; i < map.strip_count; i++)
        height += HEAD + GAP + (double)rows_of(&map, &map.strips[i]) * ROW;
    if (map.strip_count == 0)
        return;
    fprintf(out, "<svg class=\"map\" viewBox=\"0 0 %d %.0f\" role=\"img\"><title>", WIDTH, height);
    html_escape(out, title);
    fputs("</title>\n", out);
    double top = 0;
    for (size_t i = 0; i < map.strip_count; i++)
        top = draw_strip(out, &map, &map.strips[i], top) + GAP;
    fputs("</svg>\n", out);
    if (count - map.count + map.left_out)
        fprintf(out, "<p class=\"faint\">%zu more accesses are not drawn.</p>\n", count - map.count + map.left_out);
}
