#!/usr/bin/env python3
"""What a Python test costs: in a child of a warm interpreter, in a worker that stays, and in others' ways to run one.

    cargo build --release --workspace
    python3 -m venv /tmp/openhtf && /tmp/openhtf/bin/pip install openhtf==1.6.3 protobuf==7.36.2
    taskset -c 0 python3 runtime/benches/python_tests.py --openhtf /tmp/openhtf/bin/python3

Each number is the slope between two sizes of a list, so that what a run costs once cancels out; sizes and ways are interleaved, in `--rounds`
rounds, and the median is printed. The cost is processor time, user and system, of the whole tree of processes (wait4). Everything is durable in
the rows of tlc: two transactions a test, synced. Baselines: Debian's CPython 3.11.2 as `/usr/bin/python3` (builds without profile-guided
optimisation are slower and would flatter us), OpenHTF 1.6.3 with protobuf 7.36.2 in an environment of the same interpreter.

| row | what |
|---|---|
| `script` | `python3 script.py`, a script with one unittest, started once for each test |
| `fork` | `tlc-station run`, `isolation: "fork"` |
| `shared` | `tlc-station run`, `isolation: "shared"` |
| `shared+m` | the same, with a measurement in each test |
| `spawn` | `tlc-station run`, `isolation: "spawn"` |
| `worker` | a warm worker alone, driven by this script: frame, pipes, start, finished; the runtime left out |
| `openhtf` | a phase of OpenHTF, in memory |
| `openhtf+m` | a phase with a measurement, and the record of the test as JSON |
"""

import argparse
import array
import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def runTest(self):\n        self.assertEqual(1 + 1, 2)\n"
MEASURES = "import tlc\n\n\nclass T(tlc.TestCase):\n    def runTest(self):\n        self.measure('volts', 3.3, unit='V', min=3.2, max=3.4)\n"
SCRIPT = TEST + "\n\nif __name__ == '__main__':\n    unittest.main()\n"
OPENHTF = """
import logging, os, sys
import openhtf as htf
from openhtf.output.callbacks import json_factory
count, measured = int(sys.argv[1]), sys.argv[2] == "m"
def phase(test): assert 1 + 1 == 2
@htf.measures(htf.Measurement("volts").in_range(3.2, 3.4))
def with_measurement(test): test.measurements.volts = 3.3
one = with_measurement if measured else htf.PhaseOptions()(phase)
test = htf.Test(*[htf.PhaseOptions(name="p%d" % number)(one) for number in range(count)])
if measured: test.add_output_callbacks(json_factory.OutputToJSON(os.path.join(sys.argv[3], "{start_time_millis}.json")))
logging.disable(logging.CRITICAL)
sys.stdout = open(os.devnull, "w")
assert test.execute(lambda: "dut")
"""
LIST = {"inherit": ["base.test_list"], "label": "Cost", "tests": []}


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        os.mkdir(os.path.join(directory, "tests"))
        for name, text in (("plain", TEST), ("measures", MEASURES)):
            self.write("tests/%s.py" % name, text)
        self.write("script.py", SCRIPT)
        self.write("phases.py", OPENHTF)
        self.write("tlc.json5", "{ layers: [%s], tests: 'tests' }" % json.dumps(os.path.join(ROOT, "lists")))

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def plan(self, isolation, test, count):
        name = "%s-%s-%d" % (isolation, test, count)
        plan = os.path.join(self.directory, name + ".plan")
        if not os.path.exists(plan):
            tests = [{"id": "T%d" % number, "pytest_name": test, "isolation": isolation} for number in range(count)]
            source = self.write(name.replace("-", "") + ".test_list.json", json.dumps(dict(LIST, tests=tests)))
            subprocess.run([self.options.tlc, "compile", source, "-o", plan], check=True, stdout=subprocess.DEVNULL)
        return plan

    def station(self, isolation, test):
        def run(count):
            store = os.path.join(self.directory, "store-%d.sqlite" % random.randrange(1 << 60))
            command = [self.options.station, "run", self.plan(isolation, test, count), "--store", store, "--quiet"]
            command += ["--tests", os.path.join(self.directory, "tests"), "--python", self.options.python]
            return self.cost(command)

        return run

    def script(self, count):
        command = [self.options.python, os.path.join(self.directory, "script.py")]
        return sum(self.cost(command) for _ in range(count))

    def openhtf(self, measured):
        def run(count):
            return self.cost([self.options.openhtf, os.path.join(self.directory, "phases.py"), str(count), measured, self.directory])

        return run

    def cost(self, command):
        """The processor time of a command and all that it started, in seconds."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if status:
            sys.exit("%s: status %d\n%s" % (" ".join(command), status, complaint.decode("utf-8", "replace")))
        return usage.ru_utime + usage.ru_stime

    def worker(self, count):
        """Drives a worker that stays as the runtime does; its processor time and ours."""
        pid = os.fork()
        if pid == 0:
            try:
                drive(self.options.python, os.path.join(self.directory, "tests"), count)
                os._exit(0)
            finally:
                os._exit(1)
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit("the worker failed")
        return usage.ru_utime + usage.ru_stime


def drive(python, tests, count):
    """Starts a warm interpreter and a worker, runs `count` tests, and waits for the end of both."""
    own, theirs = socket.socketpair()
    worker = os.path.join(ROOT, "runtime", "sdk", "python", "tlc_worker.py")
    process = subprocess.Popen([python, worker, "serve", tests], stdin=theirs.fileno(), env=dict(os.environ, PYTHONUNBUFFERED="1"))
    theirs.close()
    assert "ready" in json.loads(own.makefile().readline())
    here, there = socket.socketpair()
    send(own, {"op": "stay"}, [there.fileno()])
    there.close()
    json.loads(own.makefile().readline())
    answers = here.makefile("rb")
    start = {"protocol": 1, "args": {}, "test": {"pytest_name": "plain", "tests": tests}, "locale": "en-US"}
    for _ in range(count):
        output, writer = os.pipe()
        reads, requests = os.pipe()
        reports, writes = os.pipe()
        send(here, {"op": "run", "env": {}, "cwd": "/", "name": "tlcbench", "start": start}, [writer, reads, writes])
        for fd in (writer, reads, writes):
            os.close(fd)
        assert b'"passed"' in os.read(reports, 4096)
        assert json.loads(answers.readline())["reusable"]
        for fd in (output, requests, reports):
            os.close(fd)
    here.shutdown(socket.SHUT_RDWR)
    own.shutdown(socket.SHUT_RDWR)
    process.wait()


def send(connection, message, fds):
    text = json.dumps(message).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
    connection.sendmsg([struct.pack("<I", len(text)) + text], rights)


def main():
    parser = argparse.ArgumentParser(description="what a Python test costs")
    release = os.path.join(ROOT, "target", "release")
    parser.add_argument("--tlc", default=os.path.join(release, "tlc"), help="what compiles the lists")
    parser.add_argument("--station", default=os.path.join(release, "tlc-station"), help="what runs them")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--openhtf", help="an interpreter that has OpenHTF")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="some of the rows")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="tlc-python-tests-")
    bench = Bench(options, directory)
    rows = {
        "script": (bench.script, 5, 25),
        "fork": (bench.station("fork", "plain"), 50, 450),
        "shared": (bench.station("shared", "plain"), 100, 1100),
        "shared+m": (bench.station("shared", "measures"), 100, 1100),
        "spawn": (bench.station("spawn", "plain"), 5, 25),
        "worker": (bench.worker, 100, 2100),
    }
    if options.openhtf:
        rows["openhtf"] = (bench.openhtf("-"), 100, 1100)
        rows["openhtf+m"] = (bench.openhtf("m"), 100, 1100)
    rows = {name: row for name, row in rows.items() if not options.only or name in options.only}
    slopes = {name: [] for name in rows}
    try:
        for number in range(options.rounds):
            for name in random.sample(list(rows), len(rows)):
                run, small, large = rows[name]
                low, high = run(small), run(large)
                slopes[name].append((high - low) / (large - small) * 1e6)
                print("round %d  %-10s %9.1f us" % (number + 1, name, slopes[name][-1]), file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(directory)
    medians = {name: statistics.median(found) for name, found in slopes.items()}
    for name, median in medians.items():
        print("%-10s %9.1f us a test" % (name, median))
    for ours, theirs in (("fork", "script"), ("shared", "openhtf"), ("worker", "openhtf"), ("shared+m", "openhtf+m")):
        if ours in medians and theirs in medians:
            print("%s against %s: %.1f times cheaper" % (ours, theirs, medians[theirs] / medians[ours]))


if __name__ == "__main__":
    main()
