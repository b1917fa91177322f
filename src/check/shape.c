/*
 * shape.c - the description of a report's fields.
 */
#include "shape.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member)   .offset = offsetof(struct STRUCTURE, member)
#define TEXT(key_, member, format_, about_)                                                                            \
    {.key = key_, .about = about_, .kind = SHAPE_TEXT, AT(member), .format = format_}
#define NEEDED_TEXT(key_, member, format_, about_)                                                                     \
    {.key = key_, .about = about_, .kind = SHAPE_TEXT, .required = true, AT(member), .format = format_}
#define NUMBER(key_, member, about_) {.key = key_, .about = about_, .kind = SHAPE_NUMBER, AT(member)}
#define NEEDED_NUMBER(key_, member, about_)                                                                            \
    {.key = key_, .about = about_, .kind = SHAPE_NUMBER, .required = true, AT(member)}
#define HEX(key_, member, about_)  {.key = key_, .about = about_, .kind = SHAPE_HEX, AT(member)}
#define FLAG(key_, member, about_) {.key = key_, .about = about_, .kind = SHAPE_FLAG, AT(member)}
#define CHOICE(key_, member, names_, count_, about_)                                                                   \
    {.key = key_,                                                                                                      \
     .about = about_,                                                                                                  \
     .kind = SHAPE_CHOICE,                                                                                             \
     .required = true,                                                                                                 \
     AT(member),                                                                                                       \
     .names = names_,                                                                                                  \
     .name_count = count_}
#define OBJECT(key_, member, inside_, about_)                                                                          \
    {.key = key_, .about = about_, .kind = SHAPE_OBJECT, AT(member), .inside = &inside_}
#define OPTIONAL(key_, member, inside_, about_)                                                                        \
    {.key = key_, .about = about_, .kind = SHAPE_OPTIONAL, AT(member), .inside = &inside_}
#define ARRAY(key_, member, count_, inside_, about_)                                                                   \
    {.key = key_,                                                                                                      \
     .about = about_,                                                                                                  \
     .kind = SHAPE_ARRAY,                                                                                              \
     AT(member),                                                                                                       \
     .count_offset = offsetof(struct STRUCTURE, count_),                                                               \
     .inside = &inside_}
#define SHAPE(variable, name_)                                                                                         \
    const struct shape variable = {name_, sizeof(struct STRUCTURE), variable##_fields, COUNT(variable##_fields)}

const char *const shape_request_types[] = {"ioctl", "read", "write", "open", "close", "load", "unload", NULL};

#define STRUCTURE source_line
static const struct shape_field source_fields[] = {
    NEEDED_NUMBER("line", line, "its number, from 1"),
    NEEDED_TEXT("text", text, FORMAT_ANY, "without its end"),
};
static SHAPE(source, "source");
#undef STRUCTURE

#define STRUCTURE finding_place
static const struct shape_field place_fields[] = {
    TEXT("function", function, FORMAT_ANY, "absent: unknown"),
    TEXT("file", file, FORMAT_ANY, "the source file, as the symbols name it"),
    NUMBER("line", line, "in file"),
    HEX("pc", pc, "offset from the image's base"),
    ARRAY("source", source, source_count, source, "the lines around it"),
};
static SHAPE(place, "place");
#undef STRUCTURE

#define STRUCTURE finding_access
static const struct shape_field access_fields[] = {
    CHOICE("kind", kind, access_kind_names, ACCESS_KIND_COUNT, "a probe reads and decides nothing"),
    NEEDED_TEXT("by", by, FORMAT_ANY, "the accessor, the routine or the instruction"),
    FLAG("raw", raw, "outside an accessor"),
    FLAG("guarded", guarded, "an exception handler was in force"),
    FLAG("faulted", faulted, "it was made to fail at least once"),
    NEEDED_TEXT("buffer", buffer, FORMAT_ANY, "the piece of memory: in, out, a pointer's target, kernel"),
    NEEDED_NUMBER("offset", offset, "in buffer"),
    NEEDED_NUMBER("size", size, "bytes"),
    NUMBER("count", count, "so many in a row, each behind the one before; absent: one"),
    TEXT("value", value, FORMAT_ANY, "what was read or written"),
    OBJECT("place", place, place, "who did it"),
};
static SHAPE(access, "access");
#undef STRUCTURE

#define STRUCTURE finding_step
static const struct shape_field step_fields[] = {
    NEEDED_TEXT("message", message, FORMAT_ANY, "what happened"),
    TEXT("injected", injected, FORMAT_ANY, "what the checker did here"),
    OBJECT("place", place, place, "where"),
    OPTIONAL("access", access, access, "if it is an access to user memory"),
};
static SHAPE(step, "step");
#undef STRUCTURE

#define STRUCTURE request_buffer
static const struct shape_field buffer_fields[] = {
    NEEDED_TEXT("name", name, FORMAT_ANY, "as accesses name it"),
    TEXT("bad", bad, FORMAT_ANY, "a kind of bad address; absent: good memory"),
    NEEDED_NUMBER("size", size, "bytes"),
    TEXT("bytes", bytes, FORMAT_ANY, "the first, in hexadecimal"),
};
static SHAPE(buffer, "buffer");
#undef STRUCTURE

#define STRUCTURE finding_request
static const struct shape_field request_fields[] = {
    NEEDED_TEXT("type", type, FORMAT_REQUEST, "what kind of request"),
    TEXT("device", device, FORMAT_ANY, "it was sent to"),
    HEX("code", code, "the control code of an ioctl"),
    NUMBER("in-length", in_length, "the length passed"),
    NUMBER("out-length", out_length, "the length passed"),
    ARRAY("buffers", buffers, buffer_count, buffer, "the user memory it names"),
};
static SHAPE(request, "request");
#undef STRUCTURE

#define STRUCTURE finding_injection
static const struct shape_field injection_fields[] = {
    NEEDED_TEXT("when", when, FORMAT_ANY, "the moment, counted in accesses or calls"),
    NEEDED_TEXT("what", what, FORMAT_ANY, "what the checker did"),
};
static SHAPE(injection, "injection");
#undef STRUCTURE

#define STRUCTURE finding
static const struct shape_field finding_fields[] = {
    NEEDED_TEXT("rule", rule, FORMAT_RULE, "docs/rules.md"),
    CHOICE("level", level, finding_level_names, LEVEL_COUNT, "how bad"),
    NEEDED_TEXT("message", message, FORMAT_ANY, "one sentence"),
    TEXT("cause", cause, FORMAT_ANY, "tells it from others of the rule in the same function"),
    NEEDED_TEXT("fingerprint", fingerprint, FORMAT_FINGERPRINT,
                "the same for the same cause, whatever addresses, times and line numbers are"),
    OBJECT("place", place, place, "where"),
    ARRAY("requests", requests, request_count, request, "what shows it, in order"),
    ARRAY("schedule", schedule, schedule_count, injection, "what the checker did meanwhile"),
    ARRAY("steps", steps, step_count, step, "what happened, in order"),
    NEEDED_TEXT("replay", replay, FORMAT_ANY, "the command that shows it again"),
    NEEDED_NUMBER("reproduced", reproduced, "how many replays showed it"),
    NEEDED_NUMBER("tried", tried, "of so many"),
};
static SHAPE(finding, "finding");
#undef STRUCTURE

#define STRUCTURE report_code
static const struct shape_field code_fields[] = {
    NEEDED_TEXT("type", type, FORMAT_REQUEST, "what kind of request"),
    TEXT("device", device, FORMAT_ANY, "that answers"),
    HEX("code", code, "the control code of an ioctl"),
    NUMBER("in-length", in_length, "the least that gets through"),
    NUMBER("out-length", out_length, "the least that gets through"),
    ARRAY("buffers", buffers, buffer_count, buffer, "of a harmless request"),
    ARRAY("accesses", accesses, access_count, access, "to user memory by the harmless request, in order"),
};
static SHAPE(code, "code");
#undef STRUCTURE

#define STRUCTURE report_run
static const struct shape_field run_fields[] = {
    NEEDED_TEXT("driver", driver, FORMAT_ANY, "the file, as given"),
    NEEDED_TEXT("sha256", sha256, FORMAT_SHA256, "of the file"),
    TEXT("options", options, FORMAT_ANY, "of the command"),
    NEEDED_NUMBER("seed", seed, "of what was chosen at random"),
    TEXT("started", started, FORMAT_ANY, "ISO 8601, UTC"),
    NUMBER("milliseconds", milliseconds, "elapsed"),
    NEEDED_NUMBER("cases", cases, "tried"),
    NUMBER("block-count", block_count, "basic blocks of the driver"),
    TEXT("blocks", blocks, FORMAT_HEX, "a bit per block, lowest first in each byte: it was reached"),
    ARRAY("codes", codes, code_count, code, "requests the driver answers to"),
    ARRAY("findings", findings, finding_count, finding, "by level, rule and place"),
};
static SHAPE(run, "run");
#undef STRUCTURE

#define STRUCTURE report
static const struct shape_field shape_report_fields[] = {
    NEEDED_TEXT("tool", tool, FORMAT_ANY, "that made it, with its version"),
    NUMBER("known", known, "findings left out because a baseline has them"),
    ARRAY("runs", runs, run_count, run, "a run per driver file"),
};
SHAPE(shape_report, "report");
#undef STRUCTURE
