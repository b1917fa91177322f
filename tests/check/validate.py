"""validate.py SCHEMA FILE...: holds JSON files against a JSON schema and says where they break it.

Knows the keywords that docs/report.schema.json and sarif.schema.json use, and refuses any other: a rule that is not checked would look
like one that is kept.
"""
import json
import pathlib
import re
import sys

IGNORED = {"$schema", "$defs", "title", "description", "$comment"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


class Schema:
    def __init__(self, path):
        self.root = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))

    def problems(self, value, rule=None, path="$"):
        """One line for each way in which value breaks rule."""
        rule = self.root if rule is None else rule
        found = []
        for keyword, wanted in rule.items():
            if keyword not in IGNORED:
                found += getattr(self, "check_" + keyword.lstrip("$"))(value, wanted, rule, path)
        return found

    def check_ref(self, value, wanted, rule, path):
        return self.problems(value, self.root["$defs"][wanted.removeprefix("#/$defs/")], path)

    def check_type(self, value, wanted, rule, path):
        good = isinstance(value, TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
        return [] if good else [f"{path}: not of type {wanted}"]

    def check_required(self, value, wanted, rule, path):
        return [f"{path}: no {key}" for key in wanted if key not in value] if isinstance(value, dict) else []

    def check_anyOf(self, value, wanted, rule, path):
        return [] if any(not self.problems(value, one, path) for one in wanted) else [f"{path}: fits none of the alternatives"]

    def check_properties(self, value, wanted, rule, path):
        if not isinstance(value, dict):
            return []
        return [line for key, one in wanted.items() if key in value for line in self.problems(value[key], one, f"{path}.{key}")]

    def check_additionalProperties(self, value, wanted, rule, path):
        extra = set(value) - set(rule.get("properties", {})) if isinstance(value, dict) else set()
        if wanted is False:
            return [f"{path}: unknown key {key}" for key in sorted(extra)]
        return [line for key in sorted(extra) for line in self.problems(value[key], wanted, f"{path}.{key}")]

    def check_items(self, value, wanted, rule, path):
        return [line for i, one in enumerate(value if isinstance(value, list) else ())
                for line in self.problems(one, wanted, f"{path}[{i}]")]

    def check_enum(self, value, wanted, rule, path):
        return [] if value in wanted else [f"{path}: {value!r} is none of {wanted}"]

    def check_pattern(self, value, wanted, rule, path):
        return [f"{path}: {value!r} is not {wanted}"] if isinstance(value, str) and not re.search(wanted, value) else []

    def check_minimum(self, value, wanted, rule, path):
        return [f"{path}: less than {wanted}"] if isinstance(value, int) and value < wanted else []

    def check_minItems(self, value, wanted, rule, path):
        return [f"{path}: fewer than {wanted}"] if isinstance(value, list) and len(value) < wanted else []

    def check_minLength(self, value, wanted, rule, path):
        return [f"{path}: too short"] if isinstance(value, str) and len(value) < wanted else []


def main():
    schema, wrong = Schema(sys.argv[1]), []
    for name in sys.argv[2:]:
        wrong += [f"{name}: {line}" for line in schema.problems(json.loads(pathlib.Path(name).read_text(encoding="utf-8")))]
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
