"""A runtime for tests of the SDK: it starts a worker, and answers by the rules of the protocol as far as the tests need them."""

import json
import os
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def start(name, tests, **more):
    """The parameters of a `start`."""
    params = {
        "protocol": 1,
        "run": "run-1",
        "slot": 0,
        "unit": "",
        "invocation": "invocation-1",
        "attempt": 2,
        "list": "main",
        "path": "A.B",
        "phase": "EVT",
        "locale": "de-DE",
        "station": "smt-03",
        "operator": "Ada",
        "args": {},
        "test": {"pytest_name": name, "tests": str(tests)},
        "measurements": {},
        "dut_options": {"link": "usb"},
    }
    params.update(more)
    return params


class Conversation:
    """What a test said, and what it got."""

    def __init__(self, params, answers=None, command=None, environment=None):
        self.messages = []
        self.answers = answers or {}
        reads, self._requests = os.pipe()
        self._reports, writes = os.pipe()
        variables = dict(os.environ, TLC_PROTOCOL_READ_FD=str(reads), TLC_PROTOCOL_WRITE_FD=str(writes), **(environment or {}))
        variables["PYTHONPATH"] = ROOT
        command = command or [sys.executable, os.path.join(ROOT, "tlc_worker.py"), "test"]
        self.process = subprocess.Popen(
            command,
            pass_fds=[reads, writes],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(reads)
        os.close(writes)
        self.send({"id": 1, "method": "start", "params": params})

    def send(self, message):
        os.write(self._requests, json.dumps(dict(message, jsonrpc="2.0")).encode() + b"\n")

    def run(self):
        """Answers until the test is over; its `finished`."""
        drain = threading.Thread(target=self._drain)
        drain.start()
        with os.fdopen(self._reports, "rb") as reports:
            for line in reports:
                assert len(line) <= 1 << 20
                message = json.loads(line)
                assert message["jsonrpc"] == "2.0"
                self.messages.append(message)
                if "id" in message and "method" in message:
                    self.send(dict(self._answer(message), id=message["id"]))
        self.process.wait()
        drain.join()
        os.close(self._requests)
        self.process.stdout.close()
        finished = self.of("finished")
        return finished[-1] if finished else None

    def _drain(self):
        self.output = self.process.stdout.read().decode("utf-8", "replace")

    def _answer(self, message):
        answer = self.answers.get(message["method"], {"result": {}})
        if callable(answer):
            answer = answer(message["params"])
        return answer

    def of(self, method):
        """The parameters of all messages of a method."""
        return [message["params"] for message in self.messages if message.get("method") == method]
