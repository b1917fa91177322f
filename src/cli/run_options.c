/*
 * run_options.c - the command lines of `uma run` and `uma trace`: options, and the requests given by --ioctl, --in and
 * --out-size.
 */
#include "run_options.h"
#include "cli.h"
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (16u << 20)

enum {
    OPTION_IN = 256,
    OPTION_OUT_SIZE,
    OPTION_PROTECT,
    OPTION_SMAP,
    OPTION_TIMEOUT,
    OPTION_VERIFY,
    OPTION_ROOT,
    OPTION_REG,
    OPTION_LIMIT,
    OPTION_FORMAT
};

#define TRACE_LIMIT     1000
#define TRACE_LIMIT_MAX 10000

static const struct argp_option option_table[] = {
    {"device", 'd', "NAME", 0, "open this device, link or class of interfaces ({GUID}) instead of the driver's first",
     0},
    {"ioctl", 'i', "CODE", 0, "send a device control request; may be given again for more", 0},
    {"in", OPTION_IN, "DATA", 0, "its input: hex:00ff..., @FILE, or size:N (zeros)", 0},
    {"out-size", OPTION_OUT_SIZE, "N", 0, "bytes of its output buffer", 0},
    {"requests", 'r', "FILE", 0, "send the requests of a JSON file (docs/requests.md)", 0},
    {"protect", OPTION_PROTECT, "HOW", 0, "how user memory is kept from the driver: pku, mprotect, none or auto", 0},
    {"smap", OPTION_SMAP, NULL, 0, "an access to user memory outside an accessor is a bug check", 0},
    {"verify", OPTION_VERIFY, NULL, 0, "hold the driver to what Driver Verifier checks (docs/verifier.md)", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0, "for each request (default 10, at most 86400; 0: wait for ever)", 0},
    {"root", OPTION_ROOT, "FOLDER", 0, "what C:\\ is to the driver (default: an empty folder, removed at the end)", 0},
    {"reg", OPTION_REG, "FILE", 0, "registry keys and values of a JSON file, made before the driver is loaded", 0},
    {"quiet", 'q', NULL, 0, "no DbgPrint output and no bug check report, only the one-line results", 0},
    {0},
};

static unsigned long parse_number(struct argp_state *state, const char *what, const char *text, unsigned long limit)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end || errno || number > limit)
        argp_error(state, "%s: '%.40s' is not a number from 0 to %lu", what, text, limit);
    return number;
}

static struct request *last_request(struct argp_state *state, const char *option)
{
    struct run_options *options = state->input;
    if (options->plan.count == 0)
        argp_error(state, "%s belongs to the --ioctl before it, and there is none", option);
    return &options->plan.requests[options->plan.count - 1];
}

static struct buffer *add_buffer(struct argp_state *state, size_t size, uint8_t **bytes)
{
    struct run_options *options = state->input;
    struct buffer *buffer = plan_add_buffer(&options->plan, "");
    struct field *field = buffer ? plan_allocate(&options->plan, sizeof(*field)) : NULL;
    uint8_t *content = field ? plan_allocate(&options->plan, size) : NULL;
    if (!content)
        argp_failure(state, CLI_UNUSABLE, 0, "too many buffers, or out of memory");
    *field = (struct field){.kind = FIELD_BYTES, .size = size, .bytes = content};
    buffer->fields = field;
    buffer->count = 1;
    buffer->size = size;
    *bytes = content;
    return buffer;
}

static unsigned hex_digit(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static struct buffer *read_hex(struct argp_state *state, const char *text)
{
    uint8_t *bytes;
    size_t length = strlen(text);
    if (length % 2 || strspn(text, "0123456789abcdefABCDEF") != length)
        argp_error(state, "--in hex: takes pairs of hexadecimal digits");
    struct buffer *buffer = add_buffer(state, length / 2, &bytes);
    for (size_t i = 0; i < length / 2; i++)
        bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return buffer;
}

static struct buffer *read_file(struct argp_state *state, const char *path)
{
    uint8_t *bytes;
    errno = 0;
    FILE *file = requests_open(path);
    uint8_t *content = file ? malloc(INPUT_MAX + 1) : NULL;
    size_t length = content ? fread(content, 1, INPUT_MAX + 1, file) : 0;
    if (!content || ferror(file))
        argp_failure(state, CLI_UNUSABLE, 0, "--in %.200s: %s", path, requests_open_error());
    if (length > INPUT_MAX)
        argp_failure(state, CLI_UNUSABLE, 0, "--in %.200s: more than %u bytes", path, INPUT_MAX);
    struct buffer *buffer = add_buffer(state, length, &bytes);
    memcpy(bytes, content, length);
    free(content);
    fclose(file);
    return buffer;
}

static void set_input(struct argp_state *state, const char *text)
{
    struct request *request = last_request(state, "--in");
    uint8_t *bytes;
    if (request->in.buffer)
        argp_error(state, "--in is given twice for one --ioctl");
    if (!strncmp(text, "hex:", 4))
        request->in.buffer = read_hex(state, text + 4);
    else if (text[0] == '@')
        request->in.buffer = read_file(state, text + 1);
    else if (!strncmp(text, "size:", 5))
        request->in.buffer = add_buffer(state, parse_number(state, "--in size", text + 5, INPUT_MAX), &bytes);
    else
        argp_error(state, "--in takes hex:DIGITS, @FILE or size:N, not '%.40s'", text);
    request->in_length = (uint32_t)request->in.buffer->size;
}

static void set_output(struct argp_state *state, const char *text)
{
    struct request *request = last_request(state, "--out-size");
    uint8_t *bytes;
    if (request->out.buffer)
        argp_error(state, "--out-size is given twice for one --ioctl");
    request->out.buffer = add_buffer(state, parse_number(state, "--out-size", text, INPUT_MAX), &bytes);
    request->out_length = (uint32_t)request->out.buffer->size;
}

static void add_request(struct argp_state *state, const char *code)
{
    struct run_options *options = state->input;
    struct plan *plan = &options->plan;
    if (plan->count == REQUESTS_MAX_COUNT)
        argp_error(state, "more than %u requests", REQUESTS_MAX_COUNT);
    if (!plan->requests)
        plan->requests = plan_allocate(plan, REQUESTS_MAX_COUNT * sizeof(*plan->requests));
    if (!plan->requests)
        argp_failure(state, CLI_UNUSABLE, ENOMEM, "--ioctl");
    struct request *request = &plan->requests[plan->count++];
    request->type = REQUEST_IOCTL;
    request->code = (uint32_t)parse_number(state, "--ioctl", code, UINT32_MAX);
    request->repeat = 1;
}

static void set_protect(struct argp_state *state, const char *text)
{
    static const char *const names[] = {"auto", "pku", "mprotect", "none"};
    struct run_options *options = state->input;
    for (int i = 0; i < 4; i++) {
        if (!strcmp(text, names[i])) {
            options->protect = (enum uma_protect)i;
            return;
        }
    }
    argp_error(state, "--protect takes pku, mprotect, none or auto, not '%.40s'", text);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct run_options *options = state->input;
    switch (key) {
    case 'd':
        options->device = argument;
        break;
    case 'i':
        add_request(state, argument);
        break;
    case OPTION_IN:
        set_input(state, argument);
        break;
    case OPTION_OUT_SIZE:
        set_output(state, argument);
        break;
    case 'r':
        if (options->requests)
            argp_error(state, "--requests is given twice");
        options->requests = argument;
        break;
    case OPTION_PROTECT:
        set_protect(state, argument);
        break;
    case OPTION_SMAP:
        options->smap = true;
        break;
    case OPTION_VERIFY:
        options->verify = true;
        break;
    case OPTION_TIMEOUT:
        options->timeout = (unsigned)parse_number(state, "--timeout", argument, 86400);
        break;
    case OPTION_ROOT:
        options->root = argument;
        break;
    case OPTION_REG:
        if (options->registry)
            argp_error(state, "--reg is given twice");
        options->registry = argument;
        break;
    case 'q':
        options->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (options->driver)
            argp_error(state, "one driver at a time: '%.80s' is the second", argument);
        options->driver = argument;
        break;
    case ARGP_KEY_END:
        if (!options->driver)
            argp_error(state, "no driver given");
        if (options->requests && options->plan.count)
            argp_error(state, "--requests and --ioctl do not go together");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp run_argp = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "DRIVER.sys",
    .doc =
        "Loads the driver, opens its device, sends the requests, prints one line for each, unloads, and says what the "
        "driver left behind.\vDbgPrint output and bug checks go to standard error. Exit status: 0 ok, 1 the driver "
        "bug-checked or did not come back, 2 usage or load error.",
};

static void parse(const struct argp *argp, int argc, char **argv, struct run_options *options)
{
    *options = (struct run_options){.timeout = 10, .limit = TRACE_LIMIT};
    plan_init(&options->plan);
    argp_parse(argp, argc, argv, 0, NULL, options);
    char error[REQUESTS_ERROR_MAX];
    if ((options->requests && !requests_read(options->requests, &options->plan, error)) ||
        (options->registry && !requests_read_registry(options->registry, &options->plan, error))) {
        fprintf(stderr, "uma: %s\n", error);
        exit(CLI_UNUSABLE);
    }
}

void run_options_parse(int argc, char **argv, struct run_options *options)
{
    parse(&run_argp, argc, argv, options);
}

/* ---- uma trace ---- */

static const struct argp_option trace_table[] = {
    {"limit", OPTION_LIMIT, "N", 0, "rows kept of each request (default 1000, at most 10000); more are counted", 1},
    {"format", OPTION_FORMAT, "HOW", 0, "text (default) or json", 1},
    {0},
};

static error_t parse_trace_option(int key, char *argument, struct argp_state *state)
{
    struct run_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        break;
    case OPTION_LIMIT:
        options->limit = parse_number(state, "--limit", argument, TRACE_LIMIT_MAX);
        if (!options->limit)
            argp_error(state, "--limit: a record of no rows shows nothing");
        break;
    case OPTION_FORMAT:
        if (strcmp(argument, "text") && strcmp(argument, "json"))
            argp_error(state, "--format takes text or json, not '%.40s'", argument);
        options->json = !strcmp(argument, "json");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void trace_options_parse(int argc, char **argv, struct run_options *options)
{
    static const struct argp_child children[] = {{&run_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = trace_table,
        .parser = parse_trace_option,
        .children = children,
        .doc = "Does what `uma run` does, and prints each access of the driver to user memory (docs/uma-trace.md).",
    };
    parse(&argp, argc, argv, options);
}
