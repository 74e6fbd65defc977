"""A session without a runtime, for development: prompts in the terminal, measurements judged and printed, data in a file or in memory."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List, Mapping, Optional

from . import _judge, _tree, _values
from ._errors import AlreadySet, AttachmentRefused, NoAnswer, NoSecret, NoSuchKey, Refused, TimedOut, Unsupported
from ._session import Session

SPACES = ("run", "cache", "device", "shelf")


class LocalSession(Session):
    """Plays the part of the runtime, in a small way."""

    def __init__(
        self, start: Mapping[str, Any], data_file: Optional[str] = None, answers: Optional[Dict[str, Any]] = None
    ) -> None:
        super().__init__(start)
        self._lock = threading.RLock()
        self._data_file = data_file
        self._data: Dict[str, Dict[str, Any]] = {space: {} for space in SPACES}
        self._answers = dict(answers or {})
        self._prompts = 0
        self._identity: Dict[str, Any] = {}
        self._attachments: Optional[str] = None
        self._reported: Dict[str, List[str]] = {}
        self.problems: List[str] = []
        """What fails a test that passes otherwise."""
        self.refused: List[str] = []
        """What did not fit: a station ends the test with it, whatever the test makes of it."""
        if data_file is not None and os.path.exists(data_file):
            with open(data_file, encoding="utf-8") as file:
                self._data.update(json.load(file))

    def notify(self, method: str, params: Dict[str, Any]) -> None:
        self.request(method, params)

    def request(self, method: str, params: Dict[str, Any]) -> Any:
        handle = getattr(self, "_on_" + method.replace(".", "_"), None)
        if handle is None:
            raise Unsupported("unknown method `%s`" % method)
        try:
            _check_expressions(params)
            if method == "prompt":
                return handle(params)
            with self._lock:
                return handle(params)
        except Refused as error:
            self.refused.append(str(error))
            raise

    def missing(self) -> List[str]:
        """Measurements that were declared and not reported."""
        return [name for name in self.context.limits if name not in self._reported]

    # Reports.

    def _on_measurement(self, params: Dict[str, Any]) -> Dict[str, Any]:
        name = params["name"]
        declared = self.context.limits.get(name, {})
        limits = declared if _judge.has_limits(declared) else params
        unit = params.get("unit") or declared.get("unit") or ""
        if "series" in params:
            values = [_finite(value) for value in params["series"][-1]["values"]]
            outcome = _judge.judge_series(values, limits)
            words = "%d values from %r to %r" % (len(values), min(values), max(values)) if values else "no values"
        else:
            value = _finite(params["value"])
            outcome = _judge.judge(value, limits)
            words = "%s %s" % (value if isinstance(value, str) else repr(value), unit)
        within = _judge.in_words(limits)
        self._reported.setdefault(name, []).append(outcome)
        _print("%-8s %s: %s%s" % (outcome, name, words.strip(), " (%s)" % within if within else ""))
        if outcome == "failed":
            self.problems.append("`%s` is %s; the limits are %s" % (name, words.strip(), within))
        return {"outcome": outcome}

    def _on_result(self, params: Dict[str, Any]) -> Dict[str, Any]:
        message = params.get("message")
        _print("%-8s %s%s" % (params["outcome"], params["name"], ": %s" % message if message else ""))
        if params["outcome"] in ("failed", "error"):
            self.problems.append("%s: %s" % (params["name"], message or params["outcome"]))
        return {}

    def _on_attachment(self, params: Dict[str, Any]) -> Dict[str, Any]:
        if self._attachments is None:
            self._attachments = tempfile.mkdtemp(prefix="tlc-attachments-")
        target = os.path.join(self._attachments, params["name"])
        try:
            if "path" in params:
                if not os.path.isfile(params["path"]):
                    raise AttachmentRefused("`%s` is no file" % params["path"])
                (shutil.move if params.get("move") else shutil.copyfile)(params["path"], target)
            else:
                with open(target, "wb") as file:
                    file.write(_content(params))
            with open(target, "rb") as file:
                content = file.read()
        except OSError as error:
            raise AttachmentRefused(str(error)) from None
        _print("attached %s (%d bytes): %s" % (params["name"], len(content), target))
        return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}

    def _on_log(self, params: Dict[str, Any]) -> Dict[str, Any]:
        _print("%-8s %s" % (params["level"], params["text"]))
        return {}

    def _on_heading(self, params: Dict[str, Any]) -> Dict[str, Any]:
        _print("== %s" % self._shown(params["text"]))
        return {}

    def _on_progress(self, params: Dict[str, Any]) -> Dict[str, Any]:
        fraction = params.get("fraction")
        words = [] if fraction is None else ["%.0f %%" % (100 * fraction)]
        words += [self._shown(params["text"])] if "text" in params else []
        words += ["%.0f s left" % params["remaining_secs"]] if "remaining_secs" in params else []
        _print("... %s" % ", ".join(words))
        return {}

    def _on_note(self, params: Dict[str, Any]) -> Dict[str, Any]:
        _print("note     %s" % self._shown(params["text"]))
        return {}

    def _on_identity(self, params: Dict[str, Any]) -> Dict[str, Any]:
        answer: Dict[str, Any] = {}
        _check_identity(params, "")
        flat = {(group, key): value for group in ("dut", "process", "stand") for key, value in params.get(group, {}).items()}
        flat.update((("", key), params[key]) for key in ("batch", "operator", "instruments") if key in params)
        for (group, key), value in flat.items():
            name = "%s.%s" % (group, key) if group else key
            if key not in ("info", "sub_units", "instruments") and self._identity.get(name, value) != value:
                raise AlreadySet("`%s` is already %r" % (name, self._identity[name]))
        for (group, key), value in flat.items():
            name = "%s.%s" % (group, key) if group else key
            if key == "info":
                self._identity.setdefault(name, {}).update(value)
            elif key in ("sub_units", "instruments"):
                have = self._identity.setdefault(name, [])
                if key == "sub_units":
                    answer[key] = list(range(len(have), len(have) + len(value)))
                have.extend(value)
            else:
                self._identity[name] = value
        _print("identity %s" % json.dumps(params, ensure_ascii=False))
        return answer

    def _on_secret(self, params: Dict[str, Any]) -> Dict[str, Any]:
        value = os.environ.get("LAGER_SECRET_" + params["name"])
        if value is None:
            raise NoSecret("there is no secret `%s`; for development set LAGER_SECRET_%s" % (params["name"], params["name"]))
        return {"value": value}

    # Data.

    def _on_data_get(self, params: Dict[str, Any]) -> Dict[str, Any]:
        data, key = self._data[params["space"]], params["key"]
        if params["space"] in _tree.TREES:
            return {"value": _tree.get(data, key)}
        if key not in data:
            raise NoSuchKey("there is no `%s`" % key)
        return {"value": data[key]}

    def _on_data_set(self, params: Dict[str, Any]) -> Dict[str, Any]:
        self._put(params["space"], params["key"], params["value"])
        return self._save()

    def _on_data_update(self, params: Dict[str, Any]) -> Dict[str, Any]:
        for key, value in params["value"].items():
            if params["space"] in _tree.TREES:
                for leaf, item in _leaves(key, value):
                    self._put(params["space"], leaf, item)
            else:
                self._put(params["space"], key, value)
        return self._save()

    def _put(self, space: str, key: str, value: Any) -> None:
        if space in _tree.TREES:
            _tree.put(self._data[space], key, value)
        else:
            self._data[space][key] = value

    def _on_data_delete(self, params: Dict[str, Any]) -> Dict[str, Any]:
        data, key = self._data[params["space"]], params["key"]
        if params["space"] in _tree.TREES:
            _tree.remove(data, key)
        elif key not in data:
            raise NoSuchKey("there is no `%s`" % key)
        else:
            del data[key]
        return self._save()

    def _on_data_keys(self, params: Dict[str, Any]) -> Dict[str, Any]:
        data: Any = self._data[params["space"]]
        if params.get("key"):
            data = _tree.get(data, params["key"])
        return {"keys": sorted(data) if isinstance(data, dict) else []}

    def _on_data_increment(self, params: Dict[str, Any]) -> Dict[str, Any]:
        data, key = self._data[params["space"]], params["key"]
        if isinstance(data.get(key, 0), bool) or not isinstance(data.get(key, 0), (int, float)):
            raise Refused("`key`: `%s` is no number" % key)
        data[key] = data.get(key, 0) + params["by"]
        self._save()
        return {"value": data[key]}

    def _save(self) -> Dict[str, Any]:
        if self._data_file is not None:
            kept = {space: self._data[space] for space in SPACES if space != "run"}
            fresh = self._data_file + ".new"
            with open(fresh, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2, ensure_ascii=False)
            os.replace(fresh, self._data_file)
        return {}

    # Prompts.

    def _on_dismiss(self, _params: Dict[str, Any]) -> Dict[str, Any]:
        return {}

    def _on_prompt(self, params: Dict[str, Any]) -> Dict[str, Any]:
        with self._lock:
            self._prompts += 1
            name = params.get("prompt", str(self._prompts))
        if name in self._answers:
            answer = self._answers[name]
            try:
                return {"answer": _accepted(params, answer), "by": "answers"}
            except _Unfit as what:
                raise Refused("`prompt`: `--answers` answers `%s` with %s: %s" % (name, _json(answer), what)) from None
        if not (sys.stdin and sys.stdin.isatty()):
            if params["kind"] == "countdown":
                time.sleep(params["seconds"])
                return {"answer": True, "by": "time"}
            raise NoAnswer("there is no one to answer the prompt `%s`" % name)
        with self._lock:
            return {"answer": self._ask(params), "by": "terminal"}

    def _ask(self, params: Dict[str, Any]) -> Any:
        kind = params["kind"]
        if "title" in params:
            _print("== %s" % self._shown(params["title"]))
        _print("?  %s" % self._shown(params["text"]))
        if "image" in params:
            _print("   image: %s" % params["image"].get("path", "(one that a terminal cannot show)"))
        if "link" in params:
            _print("   %s%s" % ("%s: " % self._shown(params["link"]["text"]) if "text" in params["link"] else "", params["link"]["url"]))
        if "html" in params:
            _print("   %s" % params["html"])
        for number, step in enumerate(params.get("steps", []), 1):
            _print("   %d. %s %s" % (number, self._shown(step["title"]), self._shown(step["text"])))
        options = params.get("buttons") or params.get("choices") or []
        for number, option in enumerate(options, 1):
            _print("   %d) %s" % (number, self._shown(option["label"])))
        deadline = time.monotonic() + params.get("timeout_secs", params.get("seconds", float("inf")))
        while True:
            line = _line(_hint(params), deadline - time.monotonic(), bool(params.get("secret")))
            if line is None:
                if kind == "countdown":
                    return True
                raise TimedOut("the prompt's time has passed")
            answer = _understood(params, options, line)
            try:
                if answer is None:
                    raise _Unfit("that is no answer")
                return _accepted(params, answer)
            except _Unfit as what:
                _print("   %s" % what)

    def _shown(self, text: Any) -> str:
        return _values.shown(text, self.context.locale)


# What the station's regular expressions do not have: look-around, and references to groups.
_UNSUPPORTED = re.compile(r"(?<!\\)(?:\\\\)*(\(\?<?[=!]|\(\?P=|\\[1-9])")


def _check_expressions(params: Dict[str, Any]) -> None:
    for field in ("matches", "pattern"):
        expression = params.get(field)
        if not isinstance(expression, str):
            continue
        try:
            re.compile(expression)
        except re.error as error:
            raise Refused("`%s`: `%s` is no regular expression: %s" % (field, expression, error)) from None
        found = _UNSUPPORTED.search(expression)
        if found:
            raise Refused("`%s`: `%s` in `%s` is not supported: a station has no look-around and no references" % (field, found[1], expression))


def _check_identity(given: Any, place: str) -> None:
    """By the runtime's rules: what a field holds, and what facts may be."""
    for key, value in given.items():
        field = "%s.%s" % (place, key) if place else key
        if key == "info":
            wrong = next((name for name, fact in value.items() if isinstance(fact, (dict, list))), None)
            if wrong is not None:
                raise Refused("`%s.%s`: expected a string, a number, a boolean or `null`" % (field, wrong))
        elif isinstance(value, dict):
            _check_identity(value, field)
        elif isinstance(value, list):
            for number, item in enumerate(value):
                _check_identity(item, "%s[%d]" % (field, number))
        elif value == "":
            raise Refused("`%s`: it is empty" % field)
        elif isinstance(value, str) and "\0" in value:
            raise Refused("`%s`: it has a NUL character" % field)


def _finite(value: Any) -> Any:
    return float(value["nonfinite"]) if isinstance(value, dict) else value


def _content(params: Dict[str, Any]) -> bytes:
    import base64

    return params["text"].encode() if "text" in params else base64.b64decode(params["base64"])


def _leaves(key: str, value: Any) -> List[Any]:
    if isinstance(value, dict):
        return [leaf for name, item in value.items() for leaf in _leaves("%s.%s" % (key, name), item)]
    return [(key, value)]


_CONFIRMED = ("image", "link", "html", "note", "steps", "countdown")


def _hint(params: Dict[str, Any]) -> str:
    kind = params["kind"]
    if kind in _CONFIRMED:
        return "   [Enter] "
    if kind == "pass_fail":
        return "   [p]ass or [f]ail: "
    if kind in ("multi_select", "checkboxes"):
        return "   numbers, with spaces between them: "
    initial = "" if params.get("initial") is None else "[%s] " % params["initial"]
    return "   number: " + initial if "choices" in params or "buttons" in params or kind == "number" else "   > " + initial


def _understood(params: Dict[str, Any], options: List[Dict[str, Any]], line: str) -> Any:
    kind = params["kind"]
    if kind in _CONFIRMED:
        return True
    if kind == "pass_fail":
        return {"p": True, "pass": True, "y": True, "yes": True, "f": False, "fail": False, "n": False, "no": False}.get(line.strip().lower())
    if kind in ("text", "number") and not line.strip() and params.get("initial") is not None:
        return params["initial"]
    try:
        if kind in ("multi_select", "checkboxes"):
            chosen = {int(word) - 1 for word in line.replace(",", " ").split()}
            if not chosen.issubset(range(len(options))):
                return None
            return [option["value"] for number, option in enumerate(options) if number in chosen]
        if options:
            number = int(line) - 1
            return options[number]["value"] if 0 <= number < len(options) else None
        if kind == "number":
            return int(line) if line.strip().lstrip("+-").isdigit() else float(line)
    except ValueError:
        return None
    return line


class _Unfit(ValueError):
    """An answer does not fit its prompt; the text says what was expected."""


def _accepted(params: Dict[str, Any], answer: Any) -> Any:
    """The answer as the test gets it, by the runtime's rules and in its words."""
    kind, options = params["kind"], params.get("buttons") or params.get("choices") or []
    values = [option["value"] for option in options]
    if kind in ("multi_select", "checkboxes"):
        return _some_of(params, values, answer)
    if options:
        return _one_of(values, answer)
    if kind == "number":
        return _number(params, answer)
    if kind in ("text", "scan"):
        return _text(params, answer)
    if kind == "pass_fail" and not isinstance(answer, bool):
        raise _Unfit("expected `true` or `false`")
    if kind in _CONFIRMED and answer is not True:
        raise _Unfit("expected `true`, for it is only confirmed")
    return answer


def _place(values: List[Any], answer: Any) -> Optional[int]:
    # In Python `True` is 1; in an answer it is not.
    same = (isinstance(value, bool) == isinstance(answer, bool) and value == answer for value in values)
    return next((place for place, is_same in enumerate(same) if is_same), None)


def _one_of(values: List[Any], answer: Any) -> Any:
    place = _place(values, answer)
    if place is None:
        raise _Unfit("expected one of %s" % ", ".join(map(_json, values)))
    return values[place]


def _some_of(params: Dict[str, Any], values: List[Any], answer: Any) -> List[Any]:
    if not isinstance(answer, list):
        raise _Unfit("expected an array of values")
    places = set()
    for item in answer:
        place = _place(values, item)
        if place is None:
            raise _Unfit("%s is none of %s" % (_json(item), ", ".join(map(_json, values))))
        places.add(place)
    least, most = params.get("min_choices", 0), params.get("max_choices", len(values))
    if len(places) < least:
        raise _Unfit("%d are chosen, expected %d or more" % (len(places), least))
    if len(places) > most:
        raise _Unfit("%d are chosen, expected %d or fewer" % (len(places), most))
    return [values[place] for place in sorted(places)]


def _number(params: Dict[str, Any], answer: Any) -> Any:
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        raise _Unfit("expected a number")
    if not math.isfinite(answer):
        raise _Unfit("it is too large")
    if params.get("integer") and answer != int(answer):
        raise _Unfit("expected an integer")
    if "min" in params and answer < params["min"]:
        raise _Unfit("expected %s or more" % params["min"])
    if "max" in params and answer > params["max"]:
        raise _Unfit("expected %s or less" % params["max"])
    return answer


def _text(params: Dict[str, Any], answer: Any) -> str:
    if not isinstance(answer, str):
        raise _Unfit("expected a string")
    if len(answer) > params.get("size", len(answer)):
        raise _Unfit("expected %d characters or fewer" % params["size"])
    if "pattern" in params and re.fullmatch(params["pattern"], answer) is None:
        raise _Unfit("expected a text that matches `%s`" % params["pattern"])
    return answer


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _print(text: str) -> None:
    print(text, flush=True)


def _line(hint: str, seconds: float, secret: bool) -> Optional[str]:
    """A line of the terminal; None if it did not come in time."""
    import select

    print(hint, end="", flush=True)
    if seconds != float("inf") and not select.select([sys.stdin], [], [], max(0, seconds))[0]:
        print()
        return None
    if secret:
        import getpass

        return getpass.getpass("")
    line = sys.stdin.readline()
    if not line:
        raise NoAnswer("the terminal is closed")
    return line.rstrip("\n")
