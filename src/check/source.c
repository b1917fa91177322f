/*
 * source.c - source lines for a report, from one folder and nowhere else. File names come from a driver's symbols: one
 * that leads out of the folder, by .. or by a link, is not followed, so that no report shows a file of its reader's.
 */
#define _GNU_SOURCE
#include "finding.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTEXT    3           /* lines before and after */
#define MAX_SOURCE (16u << 20) /* bytes of a source file */
#define MAX_LINE   400         /* bytes shown of a line */

/* The name below folder: symbols may hold the full one. Null: it lies elsewhere. */
static const char *name_below(const char *folder, const char *file)
{
    size_t length = strlen(folder);
    if (file[0] != '/')
        return file;
    return !strncmp(file, folder, length) && file[length] == '/' ? file + length + 1 : NULL;
}

/* Opens a regular file whose true path is below folder (a true path itself). Null: there is none. */
static FILE *open_below(const char *folder, const char *file)
{
    char path[PATH_MAX], true_path[PATH_MAX];
    struct stat status;
    const char *name = name_below(folder, file);
    if (!name || strchr(name, '\\') || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return NULL;
    if (!realpath(path, true_path) || strncmp(true_path, folder, strlen(folder)) || true_path[strlen(folder)] != '/')
        return NULL;
    int descriptor = open(true_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    FILE *stream = NULL;
    if (!fstat(descriptor, &status) && S_ISREG(status.st_mode) && status.st_size <= (off_t)MAX_SOURCE)
        stream = fdopen(descriptor, "r");
    if (!stream)
        close(descriptor);
    return stream;
}

static void add_lines(struct report *report, const char *folder, struct finding_place *place)
{
    if (!place->file || !place->line || place->source_count)
        return;
    FILE *stream = open_below(folder, place->file);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    for (uint64_t line = 1; stream && line <= place->line + CONTEXT && (length = getline(&text, &room, stream)) >= 0;
         line++) {
        if (line + CONTEXT < place->line)
            continue;
        text[strcspn(text, "\r\n")] = 0;
        if (length > MAX_LINE)
            text[MAX_LINE] = 0;
        struct source_line *added = report_append(report, &place->source, &place->source_count, sizeof(*added));
        *added = (struct source_line){line, report_text(report, text)};
    }
    /* Lines of a file that is too short for the place are lines of another file. */
    if (place->source_count && place->source[place->source_count - 1].line < place->line)
        place->source_count = 0;
    free(text);
    if (stream)
        fclose(stream);
}

bool report_add_source(struct report *report, const char *folder)
{
    char root[PATH_MAX];
    struct stat status;
    if (!realpath(folder, root) || stat(root, &status))
        return false;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    if (!strcmp(root, "/"))
        root[0] = 0;
    for (size_t i = 0; i < report->run_count; i++) {
        for (size_t j = 0; j < report->runs[i].finding_count; j++) {
            struct finding *finding = &report->runs[i].findings[j];
            add_lines(report, root, &finding->place);
            for (size_t k = 0; k < finding->step_count; k++)
                add_lines(report, root, &finding->steps[k].place);
        }
    }
    return true;
}
