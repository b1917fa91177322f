/*
 * info_text.c - `uma info` for a reader: prints the facts that --json would.
 */
#include "info.h"
#include <stdio.h>

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static bool yes(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void print_file(const json_t *facts)
{
    size_t index;
    json_t *section;
    const char *linked = json_string_value(json_object_get(facts, "linked"));
    printf("%s: %s %s driver, %s%s\n", text(facts, "file"), text(facts, "machine"), text(facts, "subsystem"),
           linked ? "linked " : "a reproducible build", linked ? linked : "");
    printf("image       0x%llx bytes for address 0x%llx, entry at 0x%llx\n", (long long)number(facts, "image_size"),
           (long long)number(facts, "image_base"), (long long)number(facts, "entry"));
    if (*text(facts, "pdb"))
        printf("symbols     %s\n", text(facts, "pdb"));
    json_array_foreach(json_object_get(facts, "sections"), index, section)
        printf("%-11s %-8s at 0x%-7llx 0x%llx bytes, %s%s\n", index ? "" : "sections", text(section, "name"),
               (long long)number(section, "rva"), (long long)number(section, "size"), text(section, "protection"),
               yes(section, "discardable") ? ", discardable" : "");
}

static void print_kmdf(const json_t *kmdf)
{
    size_t index;
    json_t *name;
    const json_t *stubs = json_object_get(kmdf, "stubs");
    printf("framework   KMDF%s%s", *text(kmdf, "version") ? " " : ", version unknown", text(kmdf, "version"));
    if (!*text(kmdf, "version")) {
        putchar('\n');
        return;
    }
    printf(", bound by %s; %lld functions in reach, %zu of them stubs%s", text(kmdf, "bind"),
           (long long)number(kmdf, "functions"), json_array_size(stubs), json_array_size(stubs) ? ":" : "\n");
    json_array_foreach(stubs, index, name)
        printf(" %s%s", json_string_value(name), index + 1 == json_array_size(stubs) ? "\n" : "");
}

static void print_configuration(const json_t *facts)
{
    const json_t *config = json_object_get(facts, "load_config"), *table = json_object_get(facts, "uma_table");
    const json_t *kmdf = json_object_get(facts, "kmdf");
    size_t index;
    json_t *slot;
    if (json_is_object(config))
        printf("load config 0x%llx bytes; stack cookie %s, control flow guard %s\n", (long long)number(config, "size"),
               yes(config, "security_cookie") ? "yes" : "no", yes(config, "guard") ? "yes" : "no");
    else
        puts("load config none");
    if (json_is_object(table)) {
        printf("UMA table   at 0x%llx, %lld of %lld slots filled\n", (long long)number(table, "rva"),
               (long long)number(table, "filled"), (long long)number(table, "of"));
        json_array_foreach(json_object_get(table, "slots"), index, slot)
            printf("            0x%02llx %-36s %s\n", (long long)number(slot, "offset"), text(slot, "name"),
                   json_is_null(json_object_get(slot, "function")) ? "(empty)" : text(slot, "function"));
    } else {
        puts("UMA table   none: its accessors, if it has any, are not redirected");
    }
    printf("overrides   %s\n", yes(facts, "function_overrides") ? "function override block present" : "none");
    if (json_is_object(kmdf))
        print_kmdf(kmdf);
}

static void print_imports(const json_t *facts)
{
    const json_t *imports = json_object_get(facts, "imports");
    size_t index, row;
    json_t *module, *export;
    printf("imports     %lld: %lld done, %lld stub, %lld unknown\n", (long long)number(imports, "total"),
           (long long)number(imports, "done"), (long long)number(imports, "stub"),
           (long long)number(imports, "unknown"));
    json_array_foreach(json_object_get(imports, "modules"), index, module)
    {
        printf("  %s: %lld done, %lld stub, %lld unknown\n", text(module, "name"), (long long)number(module, "done"),
               (long long)number(module, "stub"), (long long)number(module, "unknown"));
        json_array_foreach(json_object_get(module, "exports"), row, export)
            printf("    %-8s %s%s%s\n", text(export, "state"), text(export, "name"),
                   yes(export, "variable") ? " (variable)" : "", yes(export, "delayed") ? " (delayed)" : "");
    }
}

void info_print(const json_t *facts)
{
    size_t index;
    json_t *item;
    const json_t *missing = json_object_get(facts, "missing");
    print_file(facts);
    print_configuration(facts);
    print_imports(facts);
    json_array_foreach(json_object_get(facts, "notes"), index, item)
        printf("note        %s\n", json_string_value(item));
    if (!json_array_size(missing)) {
        puts("missing     nothing");
        return;
    }
    printf("missing     %zu; the driver loads, and stops with the name if it calls one of:", json_array_size(missing));
    json_array_foreach(missing, index, item) printf(" %s", json_string_value(item));
    putchar('\n');
}
