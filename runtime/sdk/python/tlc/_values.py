"""Python's values as JSON has them, and numbers from anything that is like a number."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

Text = Union[str, Mapping[str, str]]
"""A text for people: a string, or one for each locale, `{"en-US": "Cable", "de-DE": "Kabel"}`."""

MESSAGE_LIMIT = 1 << 20
"""The longest message, in bytes."""

_LARGE = 1 << 63

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """The value in types that JSON has. Numbers of numpy and the like become Python's; tuples become lists."""
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) and type(value) is not str else value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview, set, frozenset)):
        raise TypeError("a value is made of numbers, texts, booleans, lists and objects; found %s" % type(value).__name__)
    for name in ("tolist", "item"):
        convert = getattr(value, name, None)
        if callable(convert) and not isinstance(value, type):
            found = convert()
            if type(found) is not type(value):
                return plain(found)
    if hasattr(value, "__index__"):
        return int(value)
    if hasattr(value, "__float__"):
        return float(value)
    if hasattr(value, "__int__"):
        return int(value)
    raise TypeError("a value is made of numbers, texts, booleans, lists and objects; found %s" % type(value).__name__)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise TypeError("the keys of an object are texts; found %s" % type(key).__name__)


def measured(value: Any) -> Any:
    """A measured value: a number, a text or a boolean."""
    found = plain(value)
    if isinstance(found, (bool, int, float, str)):
        return found
    raise TypeError("a measurement is a number, a text or a boolean; found %s" % type(value).__name__)


def number(value: Any, what: str) -> Union[int, float]:
    """A number; `what` names it in the error."""
    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise TypeError("%s is a number; found %s" % (what, type(value).__name__))
    kept: Union[int, float] = found
    return kept


def numbers(values: Any, what: str) -> List[Union[int, float]]:
    """Numbers from a list, a tuple, an array, or anything that can be walked through."""
    convert = getattr(values, "tolist", None)
    items: Sequence[Any] = convert() if callable(convert) else list(values)
    return [number(item, what) for item in items]


def on_wire(value: Any) -> Any:
    """A measured value as a message carries it: JSON has no `nan` and no infinity, and larger integers than 64 bits are rounded."""
    if isinstance(value, int) and not -_LARGE <= value < _LARGE:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf if value > 0 else -math.inf
    if isinstance(value, float) and not math.isfinite(value):
        return {"nonfinite": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    return value


def text(value: Any, what: str) -> Any:
    """A text for people: a string, or an object with a string for each locale."""
    if isinstance(value, Mapping):
        if not value or not all(isinstance(item, str) for pair in value.items() for item in pair):
            raise TypeError("%s is a text, or an object with a text for each locale; found %r" % (what, value))
        return dict(value)
    if isinstance(value, str):
        return value
    return str(value)


def shown(value: Text, locale: str = "en-US") -> str:
    """A text in a locale; else in English, else in the first one that there is."""
    if isinstance(value, str):
        return value
    for name in (locale, "en-US"):
        if name in value:
            return value[name]
    return next(iter(value.values()), "")


def encode(message: Dict[str, Any]) -> bytes:
    """A message as a line."""
    try:
        return _ENCODER.encode(message).encode() + b"\n"
    except UnicodeEncodeError:
        # A lone surrogate is no text for anybody else.
        return _ENCODER.encode(without_surrogates(message)).encode() + b"\n"
    except ValueError:
        found = _not_finite(message.get("params"), "")
        if found is None:
            raise
        raise ValueError("`%s` is %r, and only a measured value can be that" % found) from None


def _not_finite(value: Any, place: str) -> Optional[Tuple[str, float]]:
    """Where a value has a number that JSON cannot say, and which."""
    if isinstance(value, float) and not math.isfinite(value):
        return place, value
    items: Iterable[Tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = (("%s.%s" % (place, key) if place else key, item) for key, item in value.items())
    elif isinstance(value, list):
        items = (("%s[%d]" % (place, at), item) for at, item in enumerate(value))
    return next(filter(None, (_not_finite(item, inner) for inner, item in items)), None)


def without_surrogates(value: Any) -> Any:
    """The same with the escapes of lone surrogates in their place."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    return value
