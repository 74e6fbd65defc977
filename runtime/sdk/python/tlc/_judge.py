"""A measured value against its limits, by the rules of the protocol."""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, Mapping, Optional

LIMITS = ("min", "max", "equals", "matches", "comparison")
"""The fields of a measurement that are its limits."""

_ONE_SIDED: Dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "EQ": lambda value, low, high, equals: is_equal(value, equals),
    "NE": lambda value, low, high, equals: not is_equal(value, equals),
    "GT": lambda value, low, high, equals: value > low,
    "GE": lambda value, low, high, equals: value >= low,
    "LT": lambda value, low, high, equals: value < high,
    "LE": lambda value, low, high, equals: value <= high,
    "GELE": lambda value, low, high, equals: low <= value <= high,
    "GELT": lambda value, low, high, equals: low <= value < high,
    "GTLE": lambda value, low, high, equals: low < value <= high,
    "GTLT": lambda value, low, high, equals: low < value < high,
    "LTGT": lambda value, low, high, equals: value < low or value > high,
    "LEGE": lambda value, low, high, equals: value <= low or value >= high,
    "LEGT": lambda value, low, high, equals: value <= low or value > high,
    "LTGE": lambda value, low, high, equals: value < low or value >= high,
}

_NEEDS: Dict[str, tuple] = {"EQ": ("equals",), "NE": ("equals",), "GT": ("min",), "GE": ("min",), "LT": ("max",), "LE": ("max",)}  # type: ignore[type-arg]

COMPARISONS = frozenset(_ONE_SIDED)
"""The names of all comparisons."""


def needed(comparison: str) -> tuple:  # type: ignore[type-arg]
    """The limits that a comparison compares with."""
    return _NEEDS.get(comparison, ("min", "max"))


def is_equal(value: Any, expected: Any) -> bool:
    """Numbers of all kinds are compared as numbers; `True` is no number."""
    if isinstance(value, bool) != isinstance(expected, bool) or isinstance(value, str) != isinstance(expected, str):
        return False
    return bool(value == expected)


def has_limits(limits: Mapping[str, Any]) -> bool:
    """Whether there is anything to judge by."""
    return any(limits.get(name) is not None for name in ("min", "max", "equals", "matches"))


def judge(value: Any, limits: Mapping[str, Any]) -> str:
    """`passed`, `failed`, or `unset` if there are no limits."""
    if not has_limits(limits):
        return "unset"
    return "passed" if _within(value, limits) else "failed"


def judge_series(values: Any, limits: Mapping[str, Any]) -> str:
    """The same for every value of the last axis; a series without values is within no limits."""
    if not has_limits(limits):
        return "unset"
    return "passed" if len(values) > 0 and all(_within(value, limits) for value in values) else "failed"


def _within(value: Any, limits: Mapping[str, Any]) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    low, high, equals, matches = (limits.get(name) for name in ("min", "max", "equals", "matches"))
    if matches is not None and not (isinstance(value, str) and re.fullmatch(matches, value)):
        return False
    comparison: Optional[str] = limits.get("comparison")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if comparison is not None:
        if comparison not in ("EQ", "NE") and not is_number:
            return False
        return _ONE_SIDED[comparison](value, low, high, equals)
    if equals is not None and not is_equal(value, equals):
        return False
    if (low is not None or high is not None) and not is_number:
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def in_words(limits: Mapping[str, Any]) -> str:
    """The limits, for people."""
    words = ["%s %r" % (name, limits[name]) for name in ("equals", "min", "max", "matches") if limits.get(name) is not None]
    if limits.get("comparison"):
        words.append("by %s" % limits["comparison"])
    return ", ".join(words)
