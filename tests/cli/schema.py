"""schema.py ROOT: docs/requests.schema.json and the request reader agree.

The keys the schema lists are those of src/cli/request_keys.def, and every request file in the tree is valid under the schema (checked
by the few lines below, which know the keywords our schema uses and no others).
"""
import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "docs/requests.schema.json").read_text())
IGNORED = {"$schema", "title", "description", "default", "$defs"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def problems(value, rule, path):
    """Yields one line for each way value breaks rule."""
    unknown = set(rule) - IGNORED - set(CHECKS)
    if unknown:
        sys.exit(f"schema.py does not know the keywords {sorted(unknown)}")
    for keyword, check in CHECKS.items():
        if keyword in rule:
            yield from check(value, rule, path)


def check_type(value, rule, path):
    if not isinstance(value, TYPES[rule["type"]]) or isinstance(value, bool):
        yield f"{path}: not of type {rule['type']}"


def check_any_of(value, rule, path):
    if not any(not list(problems(value, one, path)) for one in rule["anyOf"]):
        yield f"{path}: fits none of the alternatives"


def check_properties(value, rule, path):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in rule.get("properties", {}):
                yield from problems(inner, rule["properties"][key], f"{path}.{key}")
            elif rule.get("additionalProperties") is False:
                yield f"{path}: unknown key {key}"
            elif isinstance(rule.get("additionalProperties"), dict):
                yield from problems(inner, rule["additionalProperties"], f"{path}.{key}")


def simple(keyword, test):
    def check(value, rule, path):
        if not test(value, rule[keyword]):
            yield f"{path}: {keyword}"
    return check


CHECKS = {
    "$ref": lambda value, rule, path: problems(value, schema["$defs"][rule["$ref"].rsplit("/", 1)[1]], path),
    "type": check_type,
    "anyOf": check_any_of,
    "properties": check_properties,
    "additionalProperties": lambda value, rule, path: check_properties(value, rule, path) if "properties" not in rule else (),
    "propertyNames": lambda value, rule, path: (p for key in value for p in problems(key, rule["propertyNames"], path)),
    "not": lambda value, rule, path: () if list(problems(value, rule["not"], path)) else [f"{path}: must not be"],
    "items": lambda value, rule, path: (p for i, one in enumerate(value if isinstance(value, list) else ())
                                        for p in problems(one, rule["items"], f"{path}[{i}]")),
    "enum": simple("enum", lambda value, allowed: value in allowed),
    "required": simple("required", lambda value, keys: not isinstance(value, dict) or all(k in value for k in keys)),
    "pattern": simple("pattern", lambda value, pattern: not isinstance(value, str) or re.search(pattern, value)),
    "minLength": simple("minLength", lambda value, limit: not isinstance(value, str) or len(value) >= limit),
    "maxLength": simple("maxLength", lambda value, limit: not isinstance(value, str) or len(value) <= limit),
    "minItems": simple("minItems", lambda value, limit: not isinstance(value, list) or len(value) >= limit),
    "maxItems": simple("maxItems", lambda value, limit: not isinstance(value, list) or len(value) <= limit),
    "minimum": simple("minimum", lambda value, limit: not isinstance(value, int) or value >= limit),
    "maximum": simple("maximum", lambda value, limit: not isinstance(value, int) or value <= limit),
    "minProperties": simple("minProperties", lambda value, limit: not isinstance(value, dict) or len(value) >= limit),
    "maxProperties": simple("maxProperties", lambda value, limit: not isinstance(value, dict) or len(value) <= limit),
}


def schema_keys():
    definitions = schema["$defs"]
    objects = {kind: definitions[kind] for kind in ("file", "request", "buffer", "field", "race", "value")}
    objects["target"] = definitions["target"]["anyOf"][2]
    objects["fill"] = definitions["field"]["properties"]["fill"]
    return {(kind, key) for kind, rule in objects.items() for key in rule["properties"]}


def main():
    errors = []
    reader = set(re.findall(r'^KEY\((\w+), "([^"]+)"\)', (root / "src/cli/request_keys.def").read_text(), re.M))
    errors += [f"only the reader knows {kind}.{key}" for kind, key in sorted(reader - schema_keys())]
    errors += [f"only the schema knows {kind}.{key}" for kind, key in sorted(schema_keys() - reader)]
    files = sorted([*root.glob("drivers/**/*.json"), *root.glob("tests/cli/requests/*.json")])
    if len(files) < 10:
        errors.append(f"only {len(files)} request files found")
    for path in files:
        errors += [f"{path.relative_to(root)}: {line}" for line in problems(json.loads(path.read_text()), schema, "")]
    broken = [
        {"requests": []}, {"requests": [{"code": 1, "inn": 5}]}, {"requests": [{"code": 1, "in": [{"u33": 1}]}]},
        {"registry": {"\\Device": {}}, "requests": [{"code": 1}]}, {"registry": {"K": {"V": {"dword": 1, "sz": ""}}}, "requests": [{"code": 1}]},
        {"requests": [{"code": 1, "in": {"bad": "evil"}}]}, {"requests": [{"code": 1, "race": {"at": "in"}}]},
    ]
    errors += [f"the schema accepts {json.dumps(one)}" for one in broken if not list(problems(one, schema, ""))]
    print("\n".join(errors) if errors else f"{len(reader)} keys agree; {len(files)} request files are valid")
    sys.exit(bool(errors))


main()
