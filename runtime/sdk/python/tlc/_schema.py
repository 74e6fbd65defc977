"""JSON schemas: the part of them that declarations of arguments use, without another package."""

from __future__ import annotations

import math
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional

_TYPES: Dict[str, Any] = {
    "array": (list, tuple),
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}


class SchemaError(ValueError):
    """The schema itself cannot be used."""


def first_problem(value: Any, schema: Any) -> Optional[str]:
    """What does not fit, in a line; None if everything does."""
    return next(_problems(value, schema, schema, "", 0), None)


def _problems(value: Any, schema: Any, root: Any, place: str, depth: int) -> Iterator[str]:
    if depth > 100:
        raise SchemaError("the schema refers to itself without an end")
    if schema is True or schema == {}:
        return
    if schema is False:
        yield _at(place, "%r is not allowed" % (value,))
        return
    if not isinstance(schema, Mapping):
        raise SchemaError("a schema is an object or a boolean, found %r" % (schema,))
    if "$ref" in schema:
        yield from _problems(value, _resolve(root, schema["$ref"]), root, place, depth + 1)
        return
    for keyword, wanted in schema.items():
        yield from _keyword(keyword, wanted, value, schema, root, place, depth + 1)


def _keyword(word: str, wanted: Any, value: Any, schema: Any, root: Any, place: str, depth: int) -> Iterator[str]:
    def below(item: Any, inner: Any, name: Any) -> Iterator[str]:
        return _problems(item, inner, root, "%s[%r]" % (place, name), depth)

    def fits(inner: Any) -> bool:
        return next(_problems(value, inner, root, place, depth), None) is None

    if word == "type":
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        if not any(_has_type(value, name) for name in names):
            yield _at(place, "%r is not of type %s" % (value, " or ".join("'%s'" % name for name in names)))
    elif word == "enum":
        if not any(_same(value, item) for item in wanted):
            yield _at(place, "%r is not one of %r" % (value, wanted))
    elif word == "const":
        if not _same(value, wanted):
            yield _at(place, "%r is not %r" % (value, wanted))
    elif word == "allOf":
        for inner in wanted:
            yield from _problems(value, inner, root, place, depth)
    elif word == "anyOf":
        if not any(fits(inner) for inner in wanted):
            yield _at(place, "%r fits none of the alternatives" % (value,))
    elif word == "oneOf":
        count = sum(fits(inner) for inner in wanted)
        if count != 1:
            yield _at(place, "%r fits %d of the alternatives, expected exactly one" % (value, count))
    elif word == "not":
        if fits(wanted):
            yield _at(place, "%r is excluded" % (value,))
    elif isinstance(value, dict):
        yield from _of_object(word, wanted, value, schema, root, place, depth, below)
    elif isinstance(value, (list, tuple)):
        yield from _of_array(word, wanted, value, schema, place, below)
    elif isinstance(value, str):
        yield from _of_string(word, wanted, value, place)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _of_number(word, wanted, value, schema, place)


def _of_object(
    word: str, wanted: Any, value: Dict[str, Any], schema: Any, root: Any, place: str, depth: int, below: Any
) -> Iterator[str]:
    if word == "properties":
        for name, inner in wanted.items():
            if name in value:
                yield from below(value[name], inner, name)
    elif word == "patternProperties":
        for pattern, inner in wanted.items():
            for name in (name for name in value if re.search(pattern, name)):
                yield from below(value[name], inner, name)
    elif word == "additionalProperties":
        patterns = list(schema.get("patternProperties", {}))
        known = schema.get("properties", {})
        for name in value:
            if name in known or any(re.search(pattern, name) for pattern in patterns):
                continue
            if wanted is False:
                yield _at(place, "%r is not expected" % name)
            else:
                yield from below(value[name], wanted, name)
    elif word == "required" and isinstance(wanted, (list, tuple)):
        for name in wanted:
            if name not in value:
                yield _at(place, "%r is missing" % name)
    elif word == "minProperties" and len(value) < wanted:
        yield _at(place, "at least %d members are needed, found %d" % (wanted, len(value)))
    elif word == "maxProperties" and len(value) > wanted:
        yield _at(place, "at most %d members are allowed, found %d" % (wanted, len(value)))
    elif word == "dependencies":
        for name, needs in wanted.items():
            if name not in value:
                continue
            if isinstance(needs, (list, tuple)):
                for other in needs:
                    if other not in value:
                        yield _at(place, "%r needs %r" % (name, other))
            else:
                yield from _problems(value, needs, root, place, depth)


def _of_array(word: str, wanted: Any, value: Any, schema: Any, place: str, below: Any) -> Iterator[str]:
    if word == "items":
        if isinstance(wanted, (list, tuple)):
            for number, (item, inner) in enumerate(zip(value, wanted)):
                yield from below(item, inner, number)
        else:
            for number, item in enumerate(value):
                yield from below(item, wanted, number)
    elif word == "additionalItems" and isinstance(schema.get("items"), (list, tuple)):
        count = len(schema["items"])
        for number, item in enumerate(value[count:], count):
            if wanted is False:
                yield _at(place, "at most %d items are allowed, found %d" % (count, len(value)))
                return
            yield from below(item, wanted, number)
    elif word == "minItems" and len(value) < wanted:
        yield _at(place, "at least %d items are needed, found %d" % (wanted, len(value)))
    elif word == "maxItems" and len(value) > wanted:
        yield _at(place, "at most %d items are allowed, found %d" % (wanted, len(value)))
    elif word == "uniqueItems" and wanted:
        seen: List[Any] = []
        for item in value:
            if any(_same(item, other) for other in seen):
                yield _at(place, "%r is there twice" % (item,))
                return
            seen.append(item)


def _of_string(word: str, wanted: Any, value: str, place: str) -> Iterator[str]:
    if word == "minLength" and len(value) < wanted:
        yield _at(place, "%r is shorter than %d" % (value, wanted))
    elif word == "maxLength" and len(value) > wanted:
        yield _at(place, "%r is longer than %d" % (value, wanted))
    elif word == "pattern" and re.search(wanted, value) is None:
        yield _at(place, "%r does not match %r" % (value, wanted))


def _of_number(word: str, wanted: Any, value: Any, schema: Any, place: str) -> Iterator[str]:
    # In draft 4 `exclusiveMinimum` is a boolean beside `minimum`; later it is a number of its own.
    if word == "minimum":
        if value < wanted or (schema.get("exclusiveMinimum") is True and value == wanted):
            yield _at(place, "%r is less than the minimum of %r" % (value, wanted))
    elif word == "maximum":
        if value > wanted or (schema.get("exclusiveMaximum") is True and value == wanted):
            yield _at(place, "%r is more than the maximum of %r" % (value, wanted))
    elif word == "exclusiveMinimum" and not isinstance(wanted, bool):
        if value <= wanted:
            yield _at(place, "%r is not more than %r" % (value, wanted))
    elif word == "exclusiveMaximum" and not isinstance(wanted, bool):
        if value >= wanted:
            yield _at(place, "%r is not less than %r" % (value, wanted))
    elif word == "multipleOf":
        quotient = value / wanted
        if math.isinf(quotient) or quotient != int(quotient):
            yield _at(place, "%r is not a multiple of %r" % (value, wanted))


def _has_type(value: Any, name: str) -> bool:
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number" and isinstance(value, bool):
        return False
    if name not in _TYPES:
        raise SchemaError("a schema names the unknown type %r" % (name,))
    return isinstance(value, _TYPES[name])


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _resolve(root: Any, reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise SchemaError("only references within the schema are known, found %r" % (reference,))
    found = root
    for part in reference[1:].split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise SchemaError("the reference %r leads nowhere" % reference) from None
    return found


def _at(place: str, problem: str) -> str:
    return "%s at %s" % (problem, place) if place else problem
