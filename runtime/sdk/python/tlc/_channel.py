"""The worker's side of the protocol: JSON-RPC 2.0 on a pair of pipes, one message a line.

There is no thread that reads: whoever waits for an answer reads, and hands the answers of others to them. The module `threading` is left to
tests: where it is imported, each fork costs a third more.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import select
import signal
import sys
from _thread import allocate_lock
from typing import Any, Dict, List, Optional

from . import _errors, _values
from ._interruption import unbroken
from ._session import Session

PROTOCOL = 1
"""The version of the protocol that this package speaks."""

READ_FD = "TLC_PROTOCOL_READ_FD"
WRITE_FD = "TLC_PROTOCOL_WRITE_FD"

_KEPT = _values.MESSAGE_LIMIT // 16


_PASSED = _values.encode(
    {"jsonrpc": "2.0", "method": "finished", "params": {"outcome": "passed", "message": None, "traceback": None}}
)

_decode = json.JSONDecoder().raw_decode


class Gone(_errors.Error):
    """The runtime is gone."""


class Channel(Session):
    """A session with the runtime."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        super().__init__({})
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._process = os.getpid()
        self._writing = allocate_lock()
        self._ids = itertools.count(1)
        self._answers: Dict[int, Any] = {}
        # Who waits for which answer: a lock that is free for a moment when there may be one, or when nobody reads any more.
        self._waiting: Dict[int, Any] = {}
        self._state = allocate_lock()
        self._somebody_reads = False
        self._pending = bytearray()
        self._lines: List[bytes] = []

    @classmethod
    def from_environment(cls) -> Optional[Channel]:
        """The channel that the environment names. What this process starts has no part in it."""
        read, write = os.environ.pop(READ_FD, ""), os.environ.pop(WRITE_FD, "")
        try:
            for fd in (int(read), int(write)):
                os.set_inheritable(fd, False)
        except (OSError, ValueError):
            return None
        return cls(int(read), int(write))

    def begin(self) -> Optional[Channel]:
        """Takes the first message, for a program that is not started by the worker; None if there is no runtime."""
        start = self.receive()
        if start is None:
            return None
        self.answer(start)
        return self

    # What arrives.

    def receive(self) -> Optional[Dict[str, Any]]:
        """The next request of the runtime; None at the end."""
        while True:
            line = self._next_line()
            if line is None:
                return None
            message = _decode(line.decode().strip())[0] if line.strip() else None
            if isinstance(message, dict) and "method" in message:
                return message

    def answer(self, start: Dict[str, Any]) -> None:
        """Says which version this worker speaks, and takes the context from the message."""
        self.take(start["params"])
        self.send({"id": start.get("id"), "result": {"protocol": PROTOCOL, "worker": "tlc for Python"}})

    def take(self, params: Dict[str, Any]) -> None:
        """Takes the context from the parameters of a `start`; this process is the one that reports."""
        self.belongs_here()
        self.tell(params)

    def belongs_here(self) -> None:
        """This process is the one that reports."""
        self._process = os.getpid()

    def _next_line(self) -> Optional[bytes]:
        """The next line, waiting for it outside of what a signal must not break."""
        while not self._lines:
            _wait_readable(self._read_fd)
            with unbroken:
                try:
                    data = os.read(self._read_fd, 1 << 16)
                except BlockingIOError:
                    continue
                if not data:
                    return None
                *lines, rest = data.split(b"\n")
                if lines:
                    lines[0] = bytes(self._pending) + lines[0]
                    self._pending.clear()
                self._pending += rest
                self._lines.extend(lines)
        return self._lines.pop(0)

    # What is sent.

    def send(self, message: Dict[str, Any]) -> None:
        """Sends one message."""
        self.send_line(_values.encode(dict(message, jsonrpc="2.0")))

    def send_line(self, line: bytes) -> None:
        """Sends one message as it is on the wire."""
        if len(line) > _values.MESSAGE_LIMIT:
            raise ValueError("a message has at most %d bytes; this one has %d" % (_values.MESSAGE_LIMIT, len(line)))
        if os.getpid() != self._process:
            raise RuntimeError("only the process of the test itself can report; a process that it forked cannot")
        with self._writing, unbroken:
            while line:
                try:
                    line = line[os.write(self._write_fd, line) :]
                except BlockingIOError:
                    select.select([], [self._write_fd], [])
                except BrokenPipeError:
                    raise Gone("the runtime does not listen any more") from None

    def notify(self, method: str, params: Dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Dict[str, Any]) -> Any:
        number = next(self._ids)
        news = allocate_lock()
        news.acquire()
        with self._state:
            self._waiting[number] = news
        try:
            self.send({"id": number, "method": method, "params": params})
            answer = self._wait_for(number, news)
        finally:
            with self._state:
                self._waiting.pop(number, None)
                self._answers.pop(number, None)
        if "error" in answer:
            raise _errors.from_answer(answer["error"])
        return answer.get("result")

    def _wait_for(self, number: int, news: Any) -> Dict[str, Any]:
        while True:
            with self._state:
                if number in self._answers:
                    found: Dict[str, Any] = self._answers.pop(number)
                    return found
                must_wait = self._somebody_reads
                self._somebody_reads = True
            if must_wait:
                news.acquire()
                continue
            try:
                line = self._next_line()
                if line is None:
                    self.leave()
                else:
                    self._dispatch(line)
            finally:
                with self._state:
                    self._somebody_reads = False
                    for waiting in self._waiting.values():
                        if waiting.locked():
                            waiting.release()

    def _dispatch(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        number = message.get("id") if isinstance(message, dict) else None
        if isinstance(message, dict) and "method" not in message and number in self._waiting:
            self._answers[int(str(number))] = message

    # The end.

    def finished(
        self, outcome: str, message: Optional[str] = None, trace: Optional[str] = None, error_code: Any = None
    ) -> None:
        """The last message: how the test ended."""
        if outcome == "passed" and message is None:
            return self.send_line(_PASSED)
        params = {"outcome": outcome, "message": _cut(message), "traceback": _cut(trace)}
        if error_code is not None:
            params["error_code"] = error_code
        self.send({"method": "finished", "params": params})

    def leave(self) -> None:
        """Ends this process group, for the runtime has disappeared."""
        os.killpg(0, signal.SIGKILL)

    def leave_with_the_runtime(self) -> None:
        """Starts to watch for the end of the runtime."""
        import _thread

        def watch() -> None:
            wait_for_hangup(self._read_fd)
            self.leave()

        _thread.start_new_thread(watch, ())

    def close(self) -> None:
        """Closes both ends."""
        for fd in (self._read_fd, self._write_fd):
            try:
                os.close(fd)
            except OSError:
                pass


def wait_for_hangup(fd: int) -> None:
    """Waits until the other end of a pipe or a socket is closed, and takes nothing of what arrives meanwhile."""
    poll = select.poll()
    poll.register(fd, 0)
    while not poll.poll():
        pass


def _wait_readable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.poll()


def _cut(text: Optional[str]) -> Optional[str]:
    if text is None or len(text) <= _KEPT:
        return text
    return text[: _KEPT // 2] + "\n[...]\n" + text[-_KEPT // 2 :]


def flush() -> None:
    """Writes what is still on its way to stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def at_exit() -> None:
    """What a process does that ends by itself: handlers of `atexit`. Threads that a test left behind do not keep it."""
    if atexit._ncallbacks():
        atexit._run_exitfuncs()
        flush()
