"""What a test reports and asks."""

from __future__ import annotations

import base64 as _base64
import contextlib
import math as _math
import os
import time
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _judge, _session, _values
from ._errors import NoSecret
from ._values import Text

Number = Union[int, float]


class Measurement:
    """A measurement that was reported. It is true unless it failed."""

    __slots__ = ("name", "value", "unit", "limits", "outcome")

    def __init__(self, name: str, value: Any, unit: Optional[str], limits: Mapping[str, Any], outcome: str) -> None:
        self.name = name
        self.value = value
        self.unit = unit
        self.limits = dict(limits)
        """The limits that hold: those of the list, else those of the test."""
        self.outcome = outcome
        """`passed`, `failed`, or `unset` if there are no limits."""

    def __bool__(self) -> bool:
        return self.outcome != "failed"

    def __repr__(self) -> str:
        return "Measurement(%r, %r, %s)" % (self.name, self.value, self.outcome)


class Axis:
    """One axis of a series: a name, numbers, and their unit."""

    def __init__(self, name: str, values: Any, unit: Optional[str] = None) -> None:
        self.name = _name(name)
        self.values = _values.numbers(values, "a value of the axis `%s`" % name)
        self.unit = unit


class Attachment(NamedTuple):
    """What became of an attachment."""

    sha256: str
    size: int


def measure(
    name: str,
    value: Any,
    *,
    unit: Optional[str] = None,
    min: Optional[Number] = None,
    max: Optional[Number] = None,
    equals: Any = None,
    matches: Optional[str] = None,
    comparison: Optional[str] = None,
    label: Optional[Text] = None,
    group: Optional[str] = None,
    wait: bool = False,
) -> Measurement:
    """Reports a measured value: a number, a text or a boolean.

    Limits that the list declares under this name take the place of those given here. A measurement beyond its limits fails the test, which
    goes on all the same; what is returned is false then. With `wait` the function returns when the measurement is on record.
    """
    found = _values.measured(value)
    limits = {"min": min, "max": max, "equals": equals, "matches": matches, "comparison": comparison}
    params: Dict[str, Any] = {"name": _name(name), "value": _values.on_wire(found)}
    return _measure(params, found, unit, limits, label, group, wait)


def measure_series(
    name: str,
    *axes: Axis,
    min: Optional[Number] = None,
    max: Optional[Number] = None,
    equals: Optional[Number] = None,
    comparison: Optional[str] = None,
    label: Optional[Text] = None,
    group: Optional[str] = None,
    wait: bool = False,
) -> Measurement:
    """Reports a series: two axes or more with equally many numbers. Limits hold for every value of the last axis."""
    if len(axes) < 2:
        raise ValueError("a series has two axes or more, found %d" % len(axes))
    lengths = {len(axis.values) for axis in axes}
    if len(lengths) > 1:
        raise ValueError("the axes of a series have equally many values, found %s" % ", ".join(map(str, sorted(lengths))))
    series = []
    for axis in axes:
        item: Dict[str, Any] = {"name": axis.name, "values": [_values.on_wire(value) for value in axis.values]}
        if axis.unit is not None:
            item["unit"] = axis.unit
        series.append(item)
    limits = {"min": min, "max": max, "equals": equals, "comparison": comparison}
    return _measure({"name": _name(name), "series": series}, axes[-1].values, None, limits, label, group, wait)


def _measure(
    params: Dict[str, Any],
    value: Any,
    unit: Optional[str],
    limits: Dict[str, Any],
    label: Optional[Text],
    group: Optional[str],
    wait: bool,
) -> Measurement:
    name = params["name"]
    session = _session.current()
    given = _checked_limits(limits)
    params.update((key, _values.on_wire(limit)) for key, limit in given.items())
    declared = session.context.limits.get(name)
    if declared is not None and _judge.has_limits(declared):
        given = {key: declared[key] for key in _judge.LIMITS if declared.get(key) is not None}
    if unit is not None:
        params["unit"] = unit
        expected = (declared or {}).get("unit")
        if expected is not None and expected != unit:
            raise ValueError("the measurement `%s` is in `%s`; the list says `%s`" % (name, unit, expected))
    if label is not None:
        params["label"] = _values.text(label, "`label`")
    if group is not None:
        params["group"] = group
    if wait or "matches" in given:
        # Expressions are the runtime's: its answer counts.
        outcome = str((session.request("measurement", params) or {}).get("outcome", "unset"))
    else:
        session.notify("measurement", params)
        judge = _judge.judge_series if "series" in params else _judge.judge
        outcome = judge(value, given)
    return Measurement(name, value, unit, given, outcome)


def _checked_limits(limits: Dict[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, limit in limits.items():
        if limit is None:
            continue
        if key in ("min", "max"):
            limit = _values.number(limit, "`%s`" % key)
            if limit == (-_math.inf if key == "min" else _math.inf) and limits.get("comparison") is None:
                # Everything is within it.
                continue
        elif key == "equals":
            limit = _values.measured(limit)
        elif not isinstance(limit, str):
            raise TypeError("`%s` is a text; found %s" % (key, type(limit).__name__))
        if isinstance(limit, float) and not _math.isfinite(limit):
            raise ValueError("the limit `%s` is %r; expected a finite number" % (key, limit))
        found[key] = limit
    _in_order(found)
    comparison = found.get("comparison")
    if comparison is not None:
        if comparison not in _judge.COMPARISONS:
            raise ValueError("`comparison` is one of %s; found %r" % (", ".join(sorted(_judge.COMPARISONS)), comparison))
        for need in _judge.needed(comparison):
            if need not in found:
                raise ValueError("the comparison `%s` needs `%s`" % (comparison, need))
    return found


def _in_order(limits: Dict[str, Any]) -> None:
    if "min" in limits and "max" in limits and limits["min"] > limits["max"]:
        raise ValueError("`min` is above `max`: %r and %r" % (limits["min"], limits["max"]))


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError("a name is a text that is not empty; found %r" % (name,))
    return name


# A message must hold it with all that is around it.
_INLINE = 512 << 10


def attach(
    name: str,
    content: Union[str, bytes, None] = None,
    *,
    path: Union[str, "os.PathLike[str]", None] = None,
    media_type: Optional[str] = None,
    move: bool = False,
    description: Optional[Text] = None,
) -> Attachment:
    """Keeps a file with the results: `content`, a text or bytes, or the file at `path`.

    With `move` the file is removed when it is kept. The content is on record when the function returns.
    """
    if (content is None) == (path is None):
        raise TypeError("attach() takes `content` or `path`, and not both")
    params: Dict[str, Any] = {"name": _name(name)}
    if "/" in name:
        raise ValueError("the name of an attachment has no `/`; found %r" % name)
    if media_type is not None:
        params["media_type"] = media_type
    if description is not None:
        params["description"] = _values.text(description, "`description`")
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if path is not None:
        params.update({"path": os.path.abspath(os.fspath(path)), "move": True} if move else {"path": os.path.abspath(os.fspath(path))})
        return _attached(_session.current().request("attachment", params))
    assert data is not None
    if len(data) <= _INLINE:
        key, value = ("text", data.decode()) if isinstance(content, str) else ("base64", _base64.b64encode(data).decode())
        if len(_values.encode({key: value})) < 2 * _INLINE - (64 << 10):
            return _attached(_session.current().request("attachment", dict(params, **{key: value})))
    import tempfile

    handle, large = tempfile.mkstemp(prefix="tlc-attachment-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        params.setdefault("media_type", "text/plain") if isinstance(content, str) else None
        return _attached(_session.current().request("attachment", dict(params, path=large)))
    finally:
        os.unlink(large)


def _attached(answer: Any) -> Attachment:
    answer = answer or {}
    return Attachment(answer.get("sha256", ""), answer.get("size", 0))


OUTCOMES = ("passed", "failed", "error", "skipped")


def result(
    name: str, outcome: Union[str, bool], message: Optional[str] = None, duration: Optional[Number] = None
) -> None:
    """Reports a part of the test with an outcome of its own: `passed`, `failed`, `error` or `skipped`; or `True` or `False`.

    `failed` and `error` fail the test.
    """
    if isinstance(outcome, bool):
        outcome = "passed" if outcome else "failed"
    if outcome not in OUTCOMES:
        raise ValueError("`outcome` is one of %s; found %r" % (", ".join(OUTCOMES), outcome))
    params: Dict[str, Any] = {"name": _name(name), "outcome": outcome}
    if message is not None:
        params["message"] = str(message)
    if duration is not None:
        params["duration_secs"] = _values.number(duration, "`duration`")
    _session.current().notify("result", params)


@contextlib.contextmanager
def part(name: str, go_on: bool = False) -> Iterator[None]:
    """A part of the test: what happens inside is its outcome, and how long it takes its duration.

    A failed assertion, or another exception, ends the test as usual; with `go_on` the test goes on behind the part, and fails at its end.
    """
    import unittest

    begun = time.monotonic()
    _name(name)
    try:
        yield
    except Exception as error:
        outcome = "skipped" if isinstance(error, unittest.SkipTest) else "failed" if isinstance(error, AssertionError) else "error"
        words = str(error).strip()
        if outcome == "error":
            words = "%s: %s" % (type(error).__name__, words) if words else type(error).__name__
        result(name, outcome, words or None, time.monotonic() - begun)
        if not go_on and outcome != "skipped":
            raise
        if outcome == "error":
            import traceback

            traceback.print_exc()
    else:
        result(name, "passed", None, time.monotonic() - begun)


LEVELS = ("debug", "info", "warning", "error")


def log(text: str, level: str = "info") -> None:
    """Writes to the log of the attempt: `debug`, `info`, `warning` or `error`."""
    if level not in LEVELS:
        raise ValueError("`level` is one of %s; found %r" % (", ".join(LEVELS), level))
    _session.current().notify("log", {"level": level, "text": str(text)[: 256 << 10]})


def heading(text: Text) -> None:
    """Shows what the test does now."""
    _session.current().notify("heading", {"text": _values.text(text, "`text`")})


def progress(fraction: Optional[Number] = None, text: Optional[Text] = None, remaining: Optional[Number] = None) -> None:
    """Shows how far the test is: a fraction from 0 to 1, some words, the seconds that remain."""
    params: Dict[str, Any] = {}
    if fraction is not None:
        params["fraction"] = min(1.0, max(0.0, float(_values.number(fraction, "`fraction`"))))
    if text is not None:
        params["text"] = _values.text(text, "`text`")
    if remaining is not None:
        params["remaining_secs"] = max(0, _values.number(remaining, "`remaining`"))
    _session.current().notify("progress", params)


NOTE_LEVELS = ("info", "warning", "critical")


def note(text: Text, level: str = "info", key: Optional[str] = None) -> None:
    """Leaves a text with the attempt: `info`, `warning` or `critical`. One with the same key takes the place of the one before."""
    if level not in NOTE_LEVELS:
        raise ValueError("`level` is one of %s; found %r" % (", ".join(NOTE_LEVELS), level))
    params: Dict[str, Any] = {"text": _values.text(text, "`text`"), "level": level}
    if key is not None:
        params["key"] = key
    _session.current().notify("note", params)


def identify(
    serial_number: Optional[str] = None,
    *,
    part_number: Optional[str] = None,
    revision: Optional[str] = None,
    name: Optional[str] = None,
    type: Optional[str] = None,
    info: Optional[Mapping[str, Any]] = None,
    sub_units: Optional[Sequence[Mapping[str, Any]]] = None,
    batch: Optional[str] = None,
    process: Optional[Mapping[str, Any]] = None,
    stand: Optional[Mapping[str, Any]] = None,
    operator: Optional[str] = None,
    instruments: Optional[Sequence[Mapping[str, Any]]] = None,
) -> List[int]:
    """Says who and what takes part: the unit under test, its batch, process, stand, operator and instruments.

    Each can be set once in a run; the same again is fine, something else is `tlc.AlreadySet`. `info` is merged, `sub_units` and `instruments`
    are appended; the places of the sub-units are returned. The serial number becomes the unit of the run.
    """
    dut = {
        "serial_number": serial_number,
        "part_number": part_number,
        "revision": revision,
        "name": name,
        "type": type,
        "info": info,
        "sub_units": sub_units,
    }
    params: Dict[str, Any] = {
        "dut": {key: value for key, value in dut.items() if value is not None} or None,
        "batch": batch,
        "process": process,
        "stand": stand,
        "operator": operator,
        "instruments": instruments,
    }
    session = _session.current()
    sent = {key: _values.plain(value) for key, value in params.items() if value is not None}
    answer = session.request("identity", sent) or {}
    if serial_number is not None:
        session.context.unit = serial_number
    if operator is not None:
        session.context.operator = operator
    return list(answer.get("sub_units", []))


_NO_DEFAULT = object()


def secret(name: str, default: Any = _NO_DEFAULT) -> Any:
    """A secret of the station; `default`, or `tlc.NoSecret` without one. It is hidden in all that is recorded."""
    try:
        return (_session.current().request("secret", {"name": _name(name)}) or {}).get("value")
    except NoSecret:
        if default is _NO_DEFAULT:
            raise
        return default


# Prompts.


class Choice(NamedTuple):
    """Something to choose: its text, and the value that it stands for."""

    label: Text
    value: Any


Choices = Union[Sequence[Any], Mapping[Any, Text]]
"""What there is to choose: values, `(label, value)` pairs or `tlc.Choice`; or an object with a label for each value."""

Picture = Union[str, bytes, "os.PathLike[str]"]
"""A picture: the path of its file, or its bytes."""


class Step(NamedTuple):
    """A step of instructions."""

    title: Text
    text: Text = ""
    image: Optional[Picture] = None


def _prompt(
    kind: str,
    text: Text,
    prompt: Optional[str],
    title: Optional[Text],
    timeout: Optional[Number],
    image: Optional[Picture] = None,
    link: Union[str, Tuple[str, Text], None] = None,
    html: Optional[str] = None,
    **fields: Any,
) -> Any:
    params: Dict[str, Any] = {"kind": kind, "text": _values.text(text, "`text`")}
    if prompt is not None:
        params["prompt"] = _name(prompt)
    if title is not None:
        params["title"] = _values.text(title, "`title`")
    if timeout is not None:
        params["timeout_secs"] = _values.number(timeout, "`timeout`")
        if not params["timeout_secs"] > 0:
            raise ValueError("`timeout` is more than 0; found %r" % (timeout,))
    if image is not None:
        params["image"] = _image(image)
    if link is not None:
        url, words = (link, link) if isinstance(link, str) else link
        params["link"] = {"url": url, "text": _values.text(words, "the text of `link`")}
    if html is not None:
        params["html"] = html
    params.update((key, value) for key, value in fields.items() if value is not None)
    return (_session.current().request("prompt", params) or {}).get("answer")


def _image(image: Picture) -> Dict[str, Any]:
    if isinstance(image, bytes):
        kinds = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))
        kind = next((kind for begin, kind in kinds if image.startswith(begin)), "image/svg+xml")
        return {"base64": _base64.b64encode(image).decode(), "media_type": kind}
    return {"path": os.path.abspath(os.fspath(image))}


def _choices(choices: Choices, what: str = "choices") -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = []
    if isinstance(choices, (str, bytes)):
        raise TypeError("`%s` is a list or an object; found a text" % what)
    if isinstance(choices, Mapping):
        pairs: List[Tuple[Any, Any]] = [(label, value) for value, label in choices.items()]
    else:
        pairs = [item if isinstance(item, tuple) and len(item) == 2 else (item, item) for item in choices]
    for label, value in pairs:
        found.append({"label": _values.text(label, "a label"), "value": _values.plain(value)})
    if not found:
        raise ValueError("`%s` is empty" % what)
    return found


def ask_buttons(
    text: Text,
    buttons: Choices,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> Any:
    """Shows buttons, and returns the value of the one that was pressed."""
    return _prompt("buttons", text, prompt, title, timeout, image, buttons=_choices(buttons, "buttons"))


def ask_pass_fail(
    text: Text,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> bool:
    """Asks whether something is as it should be."""
    return bool(_prompt("pass_fail", text, prompt, title, timeout, image))


def ask_text(
    text: Text,
    *,
    pattern: Optional[str] = None,
    size: Optional[int] = None,
    initial: Optional[str] = None,
    secret: bool = False,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> str:
    """Asks for a text. `pattern` is a regular expression for the whole answer; with `secret` it is neither shown nor recorded."""
    return str(
        _prompt(
            "text", text, prompt, title, timeout, image, pattern=pattern, size=size, initial=initial, secret=secret or None
        )
    )


def ask_number(
    text: Text,
    *,
    min: Optional[Number] = None,
    max: Optional[Number] = None,
    integer: bool = False,
    unit: Optional[str] = None,
    initial: Optional[Number] = None,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> Any:
    """Asks for a number; with `integer` for a whole one."""
    limits = {"min": min, "max": max, "initial": initial}
    fields: Dict[str, Any] = {key: _values.number(value, "`%s`" % key) for key, value in limits.items() if value is not None}
    _in_order(fields)
    return _prompt("number", text, prompt, title, timeout, image, integer=integer or None, unit=unit, **fields)


def ask_choice(
    text: Text,
    choices: Choices,
    *,
    radios: bool = False,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> Any:
    """Asks for one of several, from a list or, with `radios`, from radio buttons; returns its value."""
    return _prompt("radios" if radios else "select", text, prompt, title, timeout, image, choices=_choices(choices))


def ask_choices(
    text: Text,
    choices: Choices,
    *,
    min_choices: Optional[int] = None,
    max_choices: Optional[int] = None,
    checkboxes: bool = False,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> List[Any]:
    """Asks for any number of several, from a list or, with `checkboxes`, from boxes; returns their values."""
    kind = "checkboxes" if checkboxes else "multi_select"
    fields: Dict[str, Any] = {"choices": _choices(choices), "min_choices": min_choices, "max_choices": max_choices}
    return list(_prompt(kind, text, prompt, title, timeout, image, **fields) or [])


def ask_scan(
    text: Text,
    *,
    pattern: Optional[str] = None,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> str:
    """Asks for a code to be scanned. `pattern` is a regular expression for the whole code."""
    return str(_prompt("scan", text, prompt, title, timeout, image, pattern=pattern))


def show_note(
    text: Text,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
    image: Optional[Picture] = None,
) -> None:
    """Shows a text until it is confirmed."""
    _prompt("note", text, prompt, title, timeout, image)


def show_image(
    text: Text,
    image: Picture,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
) -> None:
    """Shows a picture until it is confirmed."""
    _prompt("image", text, prompt, title, timeout, image)


def show_link(
    text: Text,
    url: str,
    words: Optional[Text] = None,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
) -> None:
    """Shows a link until it is confirmed."""
    _prompt("link", text, prompt, title, timeout, link=(url, url if words is None else words))


def show_html(
    text: Text,
    html: str,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
) -> None:
    """Shows a piece of HTML until it is confirmed."""
    _prompt("html", text, prompt, title, timeout, html=html)


def show_steps(
    text: Text,
    steps: Sequence[Union[Step, Tuple[Text, Text], str]],
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
) -> None:
    """Shows instructions step by step, until all are confirmed."""
    found = []
    for step in steps:
        step = step if isinstance(step, Step) else Step(step) if isinstance(step, str) else Step(*step)
        item: Dict[str, Any] = {"title": _values.text(step.title, "a title"), "text": _values.text(step.text, "a text")}
        if step.image is not None:
            item["image"] = _image(step.image)
        found.append(item)
    if not found:
        raise ValueError("`steps` is empty")
    _prompt("steps", text, prompt, title, timeout, steps=found)


def countdown(
    text: Text,
    seconds: Number,
    *,
    prompt: Optional[str] = None,
    title: Optional[Text] = None,
    timeout: Optional[Number] = None,
) -> None:
    """Shows a countdown; returns at its end, or when it is confirmed before."""
    _prompt("countdown", text, prompt, title, timeout, seconds=_values.number(seconds, "`seconds`"))


def dismiss(prompt: str) -> None:
    """Takes a prompt back that another thread waits for; that gets `tlc.Cancelled`."""
    _session.current().notify("dismiss", {"prompt": _name(prompt)})
