"""Whom a test talks to: the runtime over its channel, or, in development, this terminal."""

from __future__ import annotations

import os
from _thread import allocate_lock
from typing import Any, Dict, Mapping, Optional

from ._args import Args


class Context:
    """Who runs, where and for what."""

    def __init__(self, start: Mapping[str, Any], args: Optional[Args] = None) -> None:
        self.run: str = start.get("run", "")
        """The id of the run."""
        self.slot: int = start.get("slot", 0)
        """The slot of the station."""
        self.unit: str = start.get("unit", "")
        """The serial number of the unit under test, as far as it is known."""
        self.invocation: str = start.get("invocation", "")
        """The id of this attempt."""
        self.attempt: int = start.get("attempt", 1)
        """Which attempt this is, from 1."""
        self.list: str = start.get("list", "")
        """The id of the test list."""
        self.path: str = start.get("path", "")
        """The path of this test in the list."""
        self.phase: str = start.get("phase", "")
        """The phase of the project: `EVT`, for example."""
        self.locale: str = start.get("locale", "") or "en-US"
        """The locale for texts."""
        self.station: str = start.get("station", "")
        """The name of the station."""
        self.operator: str = start.get("operator", "")
        """Who operates it."""
        self.args: Args = Args(start.get("args") or {}) if args is None else args
        """The arguments, with the defaults that the test declares."""
        self.limits: Dict[str, Dict[str, Any]] = start.get("measurements") or {}
        """The limits that the list declares, by the name of the measurement."""
        self.dut_options: Any = start.get("dut_options") or {}
        """How to reach the device under test."""
        self.time_limit: Optional[float] = start.get("time_limit_secs")
        """After how many seconds the test is ended; `None` without a limit."""

    def __repr__(self) -> str:
        return "Context(%s)" % ", ".join("%s=%r" % item for item in vars(self).items())


class Session:
    """Takes what a test reports and asks."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.tell(start)

    def tell(self, start: Mapping[str, Any]) -> None:
        """Says who runs, where and for what: the parameters of `start`."""
        self._start = start
        self._args: Optional[Args] = None
        self._context: Optional[Context] = None

    @property
    def context(self) -> Context:
        """Who runs, where and for what; made when it is first asked for."""
        if self._context is None:
            self._context = Context(self._start, self._args)
        return self._context

    def take_args(self, args: Args) -> None:
        """Says what the arguments are, with the defaults that the test declares."""
        self._args = args
        if self._context is not None:
            self._context.args = args

    def request(self, method: str, params: Dict[str, Any]) -> Any:
        """Sends a request and waits for its answer; the error of an answer is raised."""
        raise NotImplementedError

    def notify(self, method: str, params: Dict[str, Any]) -> None:
        """Sends what needs no answer."""
        raise NotImplementedError


_current: Optional[Session] = None
_making = allocate_lock()


def install(session: Optional[Session]) -> None:
    """Makes this the session of the process."""
    global _current
    _current = session


def current() -> Session:
    """The session of this process. A program that the runtime started talks to the runtime; else to its terminal."""
    if _current is not None:
        return _current
    with _making:
        if _current is None:
            install(_from_environment() or _local())
        assert _current is not None
        return _current


def _from_environment() -> Optional[Session]:
    from ._channel import Channel

    channel = Channel.from_environment()
    return None if channel is None else channel.begin()


def _local() -> Session:
    from ._local import LocalSession

    return LocalSession({"phase": os.environ.get("TLC_PHASE", ""), "locale": os.environ.get("TLC_LOCALE", "")})
