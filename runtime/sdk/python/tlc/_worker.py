"""The process of a Python test, and the warm interpreter that forks one for each test.

`test` runs one test in a cold interpreter. `serve` waits for requests on a socket, its stdin:

* a frame of the runtime is its length in four bytes, little-endian, and a JSON object; descriptors come with it
* `{"op": "fork", "start": …, …}` with three descriptors (output, where the test reads, where it writes): forks, and runs one test, by the
  parameters of its `start`; `source` is the digest of its file, so that what was read of it before is used again
* `{"op": "stay"}` with one descriptor, a socket: forks a worker that stays, and takes `{"op": "run", …}` on that socket
* `{"op": "collect", "pid": …}`: takes the status of a child that has ended; its number may be given to another process only now

The answers are JSON objects, one a line. When the other end is closed, everything that was forked here ends.
"""

from __future__ import annotations

import array
import fcntl
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
import types
from typing import Any, Dict, List, NoReturn, Optional, Set, Tuple

from . import _channel, _interruption, _run, _session
from ._channel import PROTOCOL, READ_FD, WRITE_FD, Channel, at_exit, flush
from ._errors import Ended, TestError

# How often a test is rehearsed: Python adapts code to what it does after eight calls, and each child would do that again.
_REHEARSALS = 16

# How much of each size is taken at most where gaps are filled, in bytes: other allocators have no places side by side.
_GAPS = 1 << 16
_HEADER = sys.getsizeof(b"")

# Where a test finds its channel.
READS, WRITES = 3, 4

# How many descriptors come with a request.
_FDS = {"fork": 3, "run": 3, "stay": 1}
_MAX_FDS = 4


def main(arguments: List[str]) -> int:
    """What is to be done is said by the arguments; returns an exit code."""
    mode, *rest = arguments or ["test"]
    if mode == "serve":
        return _serve(rest[0], rest[1:])
    channel = Channel.from_environment()
    if channel is None:
        print("the runtime starts this program", file=sys.stderr)
        return 2
    start = channel.receive()
    if start is None:
        return 1
    channel.leave_with_the_runtime()
    _interruption.install()
    return _one(channel, start["params"])


def _one(channel: Channel, params: Dict[str, Any], warm: Optional[Warm] = None) -> int:
    """Runs one test on a channel, by the parameters of its `start`."""
    _tell(channel, params)
    return _go(channel, params, warm)


def _tell(channel: Channel, params: Dict[str, Any]) -> None:
    """Makes the test's session with the runtime that of this process."""
    channel.take(params)
    _session.install(channel)


def _go(channel: Channel, params: Dict[str, Any], warm: Optional[Warm] = None, known: Any = None) -> int:
    """Runs the test that this process was told of."""
    if params["protocol"] != PROTOCOL:
        channel.finished("error", "the runtime speaks version %s of the protocol" % params["protocol"])
        return 0
    verdict = _run.guarded(_run_test, channel, params, warm, known)
    if verdict.trace:
        print(verdict.trace, file=sys.stderr)
    flush()
    try:
        channel.finished(*verdict)
    except Ended:
        channel.finished(*verdict)
    return 0


def _run_test(channel: Channel, params: Dict[str, Any], warm: Optional[Warm], known: Any) -> _run.Verdict:
    test = params["test"]
    name, tests = test.get("pytest_name"), test.get("tests")
    if not isinstance(name, str) or not isinstance(tests, str):
        raise TestError("the runtime names no Python test")
    if tests not in _looked_in:
        _look_in(tests)
    if warm is not None:
        case, method = warm.case(name, tests)
    else:
        case = _run.find_case(_run.load(name, tests, known), name)
        method = _run.find_method(case)
    return _run.run_case(case, method, channel, params.get("args") or {})


_own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_looked_in: Set[str] = set()


def _look_in(tests: str) -> None:
    """Tests may import each other's modules; last, so that a test called `serial` can import the package `serial`."""
    _looked_in.add(tests)
    own = [path for path in sys.path if os.path.realpath(path or ".") == _own or path == _own]
    sys.path[:] = [path for path in sys.path if path not in own] + [tests] + own[:1]


# The warm interpreter.


def _serve(tests: str, preload: List[str]) -> int:
    """Makes ready, and forks until the runtime is gone."""
    connection = socket.socket(fileno=fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, WRITES + 1))
    # What a test has on these is there before its process is; until then nothing else may come to lie on them.
    null = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD_CLOEXEC, WRITES + 1)
    log = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, WRITES + 1)
    os.dup2(null, 0)
    for number in (READS, WRITES):
        os.dup2(null, number, inheritable=False)
    for name in (READ_FD, WRITE_FD, "LD_BIND_NOW"):
        os.environ.pop(name, None)
    _look_in(tests)
    try:
        for name in preload:
            __import__(name)
    except BaseException as error:
        traceback.print_exc()
        _say(connection, {"failed": _run.named(error)})
        return 1
    server = Server(connection, log, null)
    _rehearse(server, null)
    _interruption.install_for_children()
    gc.collect()
    kept = _fill_gaps()
    gc.freeze()
    _say(connection, {"ready": os.getpid(), "sources": _sources(tests)})
    server.run()
    del kept
    return 0


_NOTHING = """
import unittest


class Nothing(unittest.TestCase):
    def runTest(self):
        self.assertEqual(1, 1)
"""


def _rehearse(server: Server, null: int) -> None:
    """Does what a child does for a test that does nothing, and takes it back: what is touched for the first time is touched here, once."""
    import importlib.util

    importlib.util.find_spec("tlc_nothing")
    known = types.ModuleType("tlc_nothing"), compile(_NOTHING, "tlc_nothing", "exec")
    params = {"protocol": PROTOCOL, "args": {}, "test": {"pytest_name": "tlc_nothing", "tests": next(iter(_looked_in))}}
    request = {"op": "fork", "name": "python3", "env": {"TLC_REHEARSAL": "1"}, "cwd": os.getcwd(), "start": params}
    for _ in range(_REHEARSALS):
        (reads, requests), (reports, writes) = os.pipe(), os.pipe()
        server.prepare(request, [os.dup(1), reads, writes])
        server.child(request, [os.dup(null)], known)
        server.take_back()
        _close([requests, reports])
    _session.install(None)
    del sys.modules["tlc_nothing"]


def _fill_gaps() -> List[object]:
    """Takes the free places between small objects: then what is made for a test lies side by side, on few pages, and few are copied. Python's
    allocator has a place for each size that is a multiple of 16; a gap is at an end where new objects follow each other."""
    found: List[object] = []
    for size in range(16, 513, 16):
        before, neighbours = 0, 0
        for _ in range(_GAPS // size):
            thing: object = object() if size == 16 else float(size) if size == 32 else bytes(size - _HEADER)
            found.append(thing)
            neighbours = neighbours + 1 if id(thing) == before + size else 0
            if neighbours == 6:
                break
            before = id(thing)
    return found


def _sources(tests: str) -> List[Tuple[str, int, int]]:
    """The files that were imported from below the tests: path, time of the last change in ns, size."""
    below = os.path.join(os.path.realpath(tests), "")
    found = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(below):
            try:
                status = os.stat(file)
            except OSError:
                continue
            found.append((file, status.st_mtime_ns, status.st_size))
    return found


class Server:
    """Forks. Whoever asked sees by himself when a child ends; its status is taken when he asks for it.

    What a page is written for after a fork is copied, in the child at once, and here only as long as the child lives. So all that can be done
    for a test is done here, before the fork: its child finds its output, its channel, its environment, its directory and its session.
    """

    def __init__(self, connection: socket.socket, log: int, null: int) -> None:
        self._connection = connection
        self._fd = connection.fileno()
        self._frames = Frames(connection)
        self._process = os.getpid()
        self._children: Set[int] = set()
        self._codes = _run.Codes()
        self._channel = Channel(READS, WRITES)
        self._mark = Mark()
        self._log = log
        self._null = null
        self._environment: Dict[str, Optional[bytes]] = {}
        """What variables were that a test has otherwise."""

    def run(self) -> None:
        """Until the other end is closed."""
        try:
            while True:
                frame = self._frames.next()
                if frame is None:
                    return
                request, fds = frame
                if request["op"] == "collect":
                    self._collect(request["pid"])
                else:
                    self._fork(request, fds)
        finally:
            # Never by a child: they are not its own.
            for pid in self._children if os.getpid() == self._process else ():
                _kill_group(pid)
                os.waitpid(pid, 0)

    def _fork(self, request: Dict[str, Any], fds: List[int]) -> None:
        known, is_test = None, request["op"] == "fork"
        try:
            if is_test:
                known = self._codes.of(request["start"]["test"], request.get("source"))
                self.prepare(request, fds)
                fds = []
            else:
                self._set_environment({})
            # In the child SIGTERM is an exception, which must not come before it can be caught.
            with _interruption.unbroken:
                pid = os.fork()
                if pid == 0:
                    self._become(request, fds + [self._fd], known)
        except Exception as error:
            _say(self._connection, {"error": _run.named(error)})
        else:
            try:
                os.setpgid(pid, pid)
            except OSError:
                pass
            _send(self._connection, b'{"pid":%d}\n' % pid)
            self._children.add(pid)
        _close(fds)
        if is_test:
            self.take_back()

    def prepare(self, request: Dict[str, Any], fds: List[int]) -> None:
        """Makes this process what the child is to be. The descriptors are closed."""
        # It keeps the name until the next fork, which does no harm: the runtime knows it by its number.
        self._mark.set(request["name"])
        _take_descriptors(fds)
        self._set_environment(request["env"])
        # Also to where it is: a test can have put another directory in its place.
        os.chdir(request["cwd"])
        _tell(self._channel, request["start"])

    def _set_environment(self, wanted: Dict[str, Optional[str]]) -> None:
        """Sets variables, and takes back what the test before had otherwise."""
        own = self._environment
        for name in wanted:
            if name not in own:
                own[name] = os.environb.get(name.encode())
        for name in own:
            _set_variable(name, _in_bytes(wanted[name]) if name in wanted else own[name])

    def take_back(self) -> None:
        """Lets go of what the child has: the ends of its pipes are its alone."""
        os.dup2(self._log, 1)
        os.dup2(self._log, 2)
        os.dup2(self._null, READS, inheritable=False)
        os.dup2(self._null, WRITES, inheritable=False)

    def _become(self, request: Dict[str, Any], fds: List[int], known: Any) -> NoReturn:
        """What the child does."""
        code = 1
        try:
            _interruption.unbroken.__exit__()
            if self._frames.held:
                # Those of the next test have come already.
                _close(self._frames.held)
            code = self.child(request, fds, known)
            at_exit()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def child(self, request: Dict[str, Any], fds: List[int], known: Any) -> int:
        """What is asked of a child. The last of the descriptors, the connection to the runtime, is not for it."""
        os.setpgid(0, 0)
        os.close(fds[-1])
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        if request["op"] == "stay":
            return _stay(socket.socket(fileno=fds[0]))
        if "limits" in request:
            _limit(request["limits"], stays=False)
        self._channel.belongs_here()
        return _go(self._channel, request["start"], known=known)

    def _collect(self, pid: int) -> None:
        if pid not in self._children:
            return
        _, status, usage = os.wait4(pid, 0)
        self._children.discard(pid)
        used = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        _send(self._connection, b'{"collected":%d,"status":%d,"cpu":%.6f,"memory":%d}\n' % (pid, status, *used))


def _enter(request: Dict[str, Any], fds: List[int]) -> None:
    """The surroundings of a test in a worker that stays: its output, its channel, its environment and its directory."""
    global _directory
    _take_descriptors(fds)
    for name, value in request["env"].items():
        _set_variable(name, _in_bytes(value))
    if "limits" in request:
        _limit(request["limits"], stays=True)
    # Also to where it is: a test can have put another directory in its place.
    os.chdir(request["cwd"])
    _directory = request["cwd"]


def _set_variable(name: str, value: Optional[bytes]) -> None:
    """Sets a variable, or takes it away."""
    if value is None:
        os.environb.pop(name.encode(), None)
    else:
        os.environb[name.encode()] = value


def _in_bytes(value: Optional[str]) -> Optional[bytes]:
    """A variable as the runtime says it: in UTF-8, whatever the locale is."""
    return None if value is None else value.encode()


def _variables() -> Any:
    """All variables, as they are kept."""
    return getattr(os.environ, "_data", os.environ)


def _take_descriptors(fds: List[int]) -> None:
    """The output of a test, where it reads, and where it writes. They are closed."""
    output, reads, writes = fds
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(reads, READS, inheritable=False)
    os.dup2(writes, WRITES, inheritable=False)
    _close(fds)


_LIMITS = (
    ("memory_bytes", resource.RLIMIT_DATA),
    ("open_files", resource.RLIMIT_NOFILE),
    ("cpu_secs", resource.RLIMIT_CPU),
    ("processes", resource.RLIMIT_NPROC),
    ("file_bytes", resource.RLIMIT_FSIZE),
)


def _limit(limits: Dict[str, Any], stays: bool) -> None:
    """Sets what the process may use. One that stays counts its CPU time from the start of each test."""
    for name, kind in _LIMITS:
        wanted = limits.get(name)
        if wanted is None:
            continue
        hard = resource.getrlimit(kind)[1]
        soft, most = wanted, wanted
        if kind == resource.RLIMIT_CPU:
            # SIGXCPU comes at the soft limit, SIGKILL at the hard one.
            soft, most = (wanted + int(time.process_time()) + 1, hard) if stays else (wanted, wanted + 1)
        if hard != resource.RLIM_INFINITY:
            soft, most = min(soft, hard), hard if most == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, most))


_directory = ""


class Mark:
    """The name of this process. What only forks shows the environment of the interpreter; its name is inherited, and tells whose it is."""

    def __init__(self) -> None:
        try:
            self._fd = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def set(self, name: str) -> None:
        try:
            os.write(self._fd, name.encode())
        except OSError:
            pass


# The worker that stays.


def _stay(connection: socket.socket) -> int:
    """Runs one test after the other, until the runtime is gone or a test left something behind."""
    import _thread

    _thread.start_new_thread(_leave_with, (connection.fileno(),))
    while not _thread._count():
        time.sleep(0.0001)
    # What a test forks has no part in the conversation.
    os.register_at_fork(after_in_child=connection.close)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    warm = Warm()
    mark = Mark()
    frames = Frames(connection)
    while True:
        frame = frames.next()
        if frame is None:
            return 0
        request, fds = frame
        _enter(request, fds)
        mark.set(request["name"])
        warm.begin()
        _one(Channel(READS, WRITES), request["start"], warm=warm)
        _session.install(None)
        flush()
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.dup2(null, READS, inheritable=False)
        os.dup2(null, WRITES, inheritable=False)
        reusable, line = warm.end()
        _send(connection, line)
        if not reusable:
            return 0


def _leave_with(fd: int) -> None:
    _channel.wait_for_hangup(fd)
    os.killpg(0, signal.SIGKILL)


class Warm:
    """What a worker that stays keeps from test to test, and whether a test left something behind."""

    def __init__(self) -> None:
        self._cases: Dict[Tuple[str, str], Tuple[Any, str]] = {}
        self._sources: Dict[str, Tuple[int, int]] = {}
        self._modules = 0
        self._tests: Set[str] = set()
        self._entered = ""
        self._directory = ""
        self._threads = 0
        self._variables: Dict[Any, Any] = {}
        self._cpu, _ = _used()

    def begin(self) -> None:
        """Before a test."""
        import _thread

        if self._entered != _directory:
            # Without the links that lead there.
            self._entered, self._directory = _directory, os.getcwd()
        self._threads = _thread._count()
        self._variables = dict(_variables())

    def end(self) -> Tuple[bool, bytes]:
        """After a test: whether the next one may run here; the same with what it used, as a line."""
        import _thread

        reusable = not _interruption.was_ended() and _thread._count() <= self._threads and not _has_children()
        # The runtime only says what is another than for the last test.
        reusable = reusable and self._variables == _variables()
        try:
            reusable = reusable and os.getcwd() == self._directory
        except OSError:
            reusable = False
        # Between two tests it waits, and that costs nothing.
        before = self._cpu
        self._cpu, memory = _used()
        said = b"true" if reusable else b"false"
        return bool(reusable), b'{"done":true,"reusable":%s,"cpu":%.6f,"memory":%d}\n' % (said, self._cpu - before, memory)

    def case(self, name: str, tests: str) -> Tuple[Any, str]:
        """The class and the method of a test; read again if its source, or one that it imported from below the tests, has changed."""
        self._tests.add(tests)
        if self._has_changed():
            self._forget()
        found = self._cases.get((name, tests))
        if found is None:
            case = _run.find_case(_run.load(name, tests), name)
            found = self._cases[(name, tests)] = (case, _run.find_method(case))
            self._note(_run.file_of(name, tests))
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            for path, changed, size in (source for tests in self._tests for source in _sources(tests)):
                self._sources.setdefault(path, (changed, size))
        return found

    def _note(self, path: str) -> None:
        status = os.stat(path)
        self._sources.setdefault(path, (status.st_mtime_ns, status.st_size))

    def _has_changed(self) -> bool:
        for path, known in self._sources.items():
            try:
                status = os.stat(path)
            except OSError:
                return True
            if (status.st_mtime_ns, status.st_size) != known:
                return True
        return False

    def _forget(self) -> None:
        """Whatever was imported from below the tests is imported again."""
        import importlib

        below = tuple(os.path.join(os.path.realpath(tests), "") for tests in self._tests)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and os.path.realpath(file).startswith(below) and name != "__main__":
                del sys.modules[name]
        importlib.invalidate_caches()
        self._cases.clear()
        self._sources.clear()
        self._modules = 0


def _used() -> Tuple[float, int]:
    """The processor time of this process and of those that it waited for, in seconds, and the most memory that it held, in bytes."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, own.ru_maxrss * 1024


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return False
    return True


# Frames.


class Frames:
    """What arrives on a connection. Descriptors belong to the requests in the order in which both arrived."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""
        self.held: List[int] = []
        """Descriptors of requests that are still to come."""

    def next(self) -> Optional[Tuple[Dict[str, Any], List[int]]]:
        """The next request with its descriptors; None at the end."""
        data = self._data
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "little"):
            part, ancillary, _flags, _address = self._connection.recvmsg(1 << 12, _ROOM, socket.MSG_CMSG_CLOEXEC)
            if not part:
                return None
            for _level, _kind, numbers in ancillary:
                self.held += array.array("i", numbers)
            data += part
        end = 4 + int.from_bytes(data[:4], "little")
        self._data = data[end:]
        request, _ = _decode(data[4:end].decode())
        count = _FDS.get(request["op"], 0)
        fds, self.held = self.held[:count], self.held[count:]
        return request, fds


_decode = json.JSONDecoder().raw_decode
_ROOM = socket.CMSG_SPACE(_MAX_FDS * array.array("i").itemsize)


def _say(connection: socket.socket, message: Dict[str, Any]) -> None:
    _send(connection, json.dumps(message).encode() + b"\n")


def _send(connection: socket.socket, line: bytes) -> None:
    # What is said for each test is written without `json`: less is touched, and has to be copied after the next fork.
    try:
        connection.sendall(line)
    except OSError:
        # The runtime is gone; the loop sees that next.
        pass


def _close(fds: List[int]) -> None:
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
