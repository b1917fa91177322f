/*
 * html_markdown.c - text into HTML: escaping, and the little Markdown of the rule pages.
 */
#include "html.h"
#include <string.h>

void html_escape_part(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(text[i], out);
        }
    }
}

void html_escape(FILE *out, const char *text)
{
    if (text)
        html_escape_part(out, text, strlen(text));
}

/* A paragraph's text: what stands between backticks is code. */
static void write_inline(FILE *out, const char *text, size_t length)
{
    bool code = false;
    for (size_t start = 0, i = 0; i <= length; i++) {
        if (i < length && text[i] != '`')
            continue;
        html_escape_part(out, text + start, i - start);
        if (i < length)
            fputs(code ? "</code>" : "<code>", out);
        code = !code;
        start = i + 1;
    }
}

void html_markdown(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        if (!strncmp(text, "```", 3)) {
            const char *code = strchr(text, '\n') + 1;
            end = strstr(code, "\n```");
            fputs("<pre><code>", out);
            html_escape_part(out, code, (size_t)(end - code));
            fputs("</code></pre>\n", out);
            end += 4;
        } else {
            bool heading = !strncmp(text, "## ", 3);
            size_t length = end ? (size_t)(end - text) : strlen(text);
            fputs(heading ? "<h4>" : "<p>", out);
            write_inline(out, text + (heading ? 3 : 0), length - (heading ? 3 : 0));
            fputs(heading ? "</h4>\n" : "</p>\n", out);
            end = text + length;
        }
        for (text = end; *text == '\n'; text++)
            ;
    }
}
