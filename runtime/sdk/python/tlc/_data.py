"""Values that outlive a test, as mappings."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, MutableMapping, Optional, Union

from . import _session, _values
from ._errors import NoSuchKey

_MISSING = object()


class Space(MutableMapping[str, Any]):
    """A data space. It works like a dictionary; each access asks the runtime, and a change is durable when it returns."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _ask(self, method: str, **params: Any) -> Any:
        return _session.current().request("data." + method, dict(params, space=self._name)) or {}

    def __getitem__(self, key: str) -> Any:
        return self._ask("get", key=_key(key)).get("value")

    def __setitem__(self, key: str, value: Any) -> None:
        self._ask("set", key=_key(key), value=_values.plain(value))

    def __delitem__(self, key: str) -> None:
        self._ask("delete", key=_key(key))

    def __contains__(self, key: object) -> bool:
        try:
            self._ask("get", key=_key(key))
        except NoSuchKey:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask("keys").get("keys", []))

    def __len__(self) -> int:
        return len(self._ask("keys").get("keys", []))

    def update(self, values: Any = (), **more: Any) -> None:  # type: ignore[override]
        """Sets several keys at once: all of them, or none."""
        found: Dict[str, Any] = dict(values, **more)
        self._ask("update", value=_values.plain(found))

    def __repr__(self) -> str:
        return "tlc.%s" % _NAMES[self._name]


class Counters(Space):
    """A flat data space: its keys are any texts."""

    def increment(self, key: str, by: Union[int, float] = 1) -> Any:
        """Adds to a number, from 0 if there is none, and returns the new one. Two tests at the same time lose nothing."""
        return self._ask("increment", key=_key(key), by=_values.number(by, "`by`")).get("value")


class Tree(Space):
    """A data space with levels: dots separate them, and reading an inner key gives an object."""

    def names(self, key: Optional[str] = None) -> Any:
        """The keys of a level, sorted; of the uppermost without a key."""
        params = {} if key is None else {"key": _key(key)}
        return self._ask("keys", **params).get("keys", [])

    def as_dict(self) -> Dict[str, Any]:
        """Everything, as a dictionary of dictionaries."""
        return {name: self[name] for name in self}

    def merge(self, values: Mapping[str, Any]) -> None:
        """Sets each leaf of an object; what it does not name stays."""
        self.update(values)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("a key is a text, found %s" % type(key).__name__)
    return key


_NAMES = {"run": "run_data", "cache": "cache", "device": "device", "shelf": "shelf"}

run_data = Counters("run")
"""Shared by the tests of a run, gone with it."""

cache = Counters("cache")
"""Of the station; outlives runs."""

device = Tree("device")
"""Device data: what `run_if` and expressions read as `device`. Outlives runs."""

shelf = Tree("shelf")
"""What expressions read as `state_proxy.data_shelf`. Outlives runs."""
