#!/usr/bin/env python3
"""What a test costs: whole processes beside bare process start, OpenHTF and pytest, in one run.

    cargo build --release --workspace
    python3 runtime/benches/processes.py                  # everything that can be measured here
    python3 runtime/benches/processes.py exec parallel    # some of it

The cost of one test is a slope: the processor time (user and system, of the whole process tree) of a list of many tests minus that of a
list of few, divided by the difference; so the start of the program cancels out. Commands are interleaved, and medians are shown. It needs
a C compiler for the smallest static program; `strace` for the sync points; for the comparison with OpenHTF and pytest a Python that has
them: `python3 -m venv V && V/bin/pip install openhtf==1.6.3 pytest==8.3.4`, then `--python V/bin/python`.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTHING = "int main(void) { return 0; }\n"
BUSY = """
#include <time.h>
int main(void) {
    struct timespec used;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used); while (used.tv_sec == 0 && used.tv_nsec < 20000000);
    return 0;
}
"""
# Ends at the next even second, however late it began.
PUNCTUAL = """
#include <time.h>
int main(void) {
    struct timespec then;
    clock_gettime(CLOCK_REALTIME, &then);
    then.tv_sec += 2 - then.tv_sec % 2;
    then.tv_nsec = 0;
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &then, 0);
    return 0;
}
"""
SPAWN = """
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
extern char **environ;
int main(int count, char **words) {
    for (int left = atoi(words[1]); left > 0; left--) {
        pid_t child;
        char *arguments[] = {words[2], 0};
        if (posix_spawn(&child, words[2], 0, 0, arguments, environ)) return 1;
        waitpid(child, 0, 0);
    }
    return 0;
}
"""
NO_SYNC = "int fsync(int file) { return 0; }\nint fdatasync(int file) { return 0; }\n"
OPENHTF = """
import subprocess, sys
import openhtf
program, count = sys.argv[1], int(sys.argv[2])
def phase(number):
    def run(test):
        subprocess.run([program], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    run.__name__ = "phase_%d" % number
    return run
test = openhtf.Test(*[phase(number) for number in range(count)])
test.configure(name="bench")
sys.exit(0 if test.execute(test_start=lambda: "unit") else 1)
"""
PYTEST = """
import subprocess
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_one(number):
    subprocess.run([{program!r}], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
"""


class Bench:
    """A directory with the programs and plans that are measured."""

    def __init__(self, folder, arguments):
        self.folder = folder
        self.rounds = arguments.rounds
        self.python = arguments.python
        self.tlc = str(ROOT / "target/release/tlc")
        self.station = str(ROOT / "target/release/tlc-station")
        self.nothing = self.compiled("nothing", NOTHING, "-static")
        self.spawn = self.compiled("spawn", SPAWN)

    def compiled(self, name, source, *flags):
        path = self.folder / name
        path.with_suffix(".c").write_text(source)
        subprocess.run(["cc", "-O2", *flags, "-o", path, path.with_suffix(".c")], check=True)
        return str(path)

    def plan(self, name, tests, constants=None):
        """A compiled list with these tests."""
        text = {"label": name, "inherit": ["base.test_list"], "constants": constants or {}, "tests": tests}
        source = self.folder / (name + ".test_list.json")
        source.write_text(json.dumps(text))
        path = str(self.folder / (name + ".plan.json"))
        subprocess.run([self.tlc, "compile", source, "--lists", ROOT / "lists", "-o", path], check=True, stdout=subprocess.DEVNULL)
        return path

    def run(self, plan):
        """The command that runs a plan, and what makes it start afresh."""
        store = self.folder / "store"
        return [self.station, "run", plan, "--store", str(store / "store.sqlite"), "--new"], store

    def leaves(self, count):
        """So many tests that do nothing, in groups of twenty."""
        leaf = {"inherit": "FactoryTest", "exec": [self.nothing], "label": "test"}
        groups = [[dict(leaf, id="T%d" % n) for n in range(begin, min(begin + 20, count))] for begin in range(0, count, 20)]
        return [{"id": "G%d" % n, "label": "group", "subtests": group} for n, group in enumerate(groups)]


def used(command, afresh=None, environment=None):
    """Processor and wall time of a command with all its children, in seconds, and its peak memory in KiB."""
    if afresh is not None:
        shutil.rmtree(afresh, ignore_errors=True)
    begun = time.perf_counter()
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status != 0:
        raise SystemExit("%s ended with status %d" % (" ".join(map(str, command)), status))
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss


def medians(measured, rounds, kind=0):
    """Medians of several things that are measured by turns: processor time, or wall time if `kind` is 1."""
    times = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            times[name].append(measure()[kind])
    return {name: statistics.median(values) for name, values in times.items()}


def slopes(pairs, rounds, few, many):
    """For each name a pair of measures, of a small and of a large one: processor time of one test, in seconds."""
    flat = {(name, size): measure for name, pair in pairs.items() for size, measure in zip((few, many), pair)}
    found = medians(flat, rounds)
    return {name: (found[name, many] - found[name, few]) / (many - few) for name in pairs}


def table(title, rows):
    print("\n" + title)
    for name, value, ratio in rows:
        print("  %-62s %12s %10s" % (name, value, ratio))


def microseconds(seconds):
    return "%.0f us" % (seconds * 1e6)


def exec_tests(bench):
    """Rows 5 and 5b: an `exec` test beside posix_spawn, with and without sync, with a large plan, beside OpenHTF and pytest."""
    few, many = 200, 1000
    no_sync = bench.compiled("nosync.so", NO_SYNC, "-shared", "-fPIC")
    without_sync = dict(os.environ, LD_PRELOAD=no_sync)
    # A list may have 64 MiB; this is most of it.
    ballast = {"n%d" % number: {"v%d" % item: item for item in range(1000)} for number in range(4000)}

    def runs(name, environment=None, constants=None):
        plans = [bench.plan("%s%d" % (name, size), bench.leaves(size), constants) for size in (few, many)]
        return [lambda plan=plan: used(*bench.run(plan), environment) for plan in plans]

    pairs = {
        "posix_spawn and wait": [lambda size=size: used([bench.spawn, str(size), bench.nothing]) for size in (few, many)],
        "tlc, recorded and durable": runs("durable"),
        "tlc, recorded without sync": runs("nosync", without_sync),
        "tlc, recorded without sync, with a large plan": runs("large", without_sync, ballast),
    }
    if bench.python:
        pairs.update(foreign(bench, few, many))
    cost = slopes(pairs, bench.rounds, few, many)
    base = cost["posix_spawn and wait"]
    rows = [(name, microseconds(value), "%.2f x" % (value / base)) for name, value in cost.items()]
    large = used(*bench.run(str(bench.folder / ("large%d.plan.json" % few))))[2]
    rows.append(("memory with the large plan", "%.0f MiB" % (large / 1024), ""))
    table("Processor time of a test that starts a program (slope from %d to %d)" % (few, many), rows)


def foreign(bench, few, many):
    """The same work in OpenHTF and pytest."""
    script = bench.folder / "phases.py"
    script.write_text(OPENHTF)
    files = []
    for size in (few, many):
        files.append(bench.folder / ("test_%d.py" % size))
        files[-1].write_text(PYTEST.format(count=size, program=bench.nothing))
    python = bench.python
    return {
        "OpenHTF phase": [
            lambda size=size: used([python, str(script), bench.nothing, str(size)]) for size in (few, many)
        ],
        "pytest test": [
            lambda file=file: used([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]) for file in files
        ],
    }


def parallel(bench):
    """Rows 8 and 8b: a parallel group beside its longest member, and beside serial loops."""
    group = lambda program, count: [
        {"id": "P", "label": "parallel", "parallel": True, "subtests": [
            {"inherit": "FactoryTest", "id": "T%d" % n, "label": "test", "exec": program} for n in range(count)]}
    ]
    busy = bench.compiled("busy", BUSY, "-static")
    sleeps = bench.plan("sleeps", group(["sleep", "0.1"], 32))
    one = bench.plan("sleep", group(["sleep", "0.1"], 1))
    work = bench.plan("work", group([busy], 64))
    loops = "for _ in $(seq 32); do %s; done & for _ in $(seq 32); do %s; done; wait" % (busy, busy)
    wall = medians({
        "one": lambda: used(*bench.run(one)),
        "32": lambda: used(*bench.run(sleeps)),
        "sleep": lambda: used(["sleep", "0.1"]),
        "work": lambda: used(*bench.run(work)),
        "loops": lambda: used(["sh", "-c", loops]),
    }, bench.rounds, kind=1)
    milliseconds = lambda name: "%.1f ms" % (wall[name] * 1e3)
    table("Wall time of parallel groups", [
        ("sleep 0.1", milliseconds("sleep"), ""),
        ("a run of one sleep", milliseconds("one"), ""),
        ("a run of 32 sleeps at once, beside a run of one", milliseconds("32"), "%.2f x" % (wall["32"] / wall["one"])),
        ("64 x 20 ms of work in two serial loops", milliseconds("loops"), ""),
        ("a run of 64 x 20 ms of work at once, beside the loops", milliseconds("work"), "%.2f x" % (wall["work"] / wall["loops"])),
    ])


def syncs(bench):
    """Rows 7b and 7c: how often a run waits for the disk."""
    if shutil.which("strace") is None:
        print("\nleft out: sync points, for there is no strace")
        return
    punctual = bench.compiled("punctual", PUNCTUAL, "-static")
    leaves = lambda count: [{"inherit": "FactoryTest", "id": "T%d" % n, "label": "test", "exec": [punctual]} for n in range(count)]
    together = lambda count: [{"id": "P", "label": "parallel", "parallel": True, "subtests": leaves(count)}]
    counted = {}
    for name, tests in {"few": bench.leaves(20), "many": bench.leaves(120), "one": together(1), "eight": together(8)}.items():
        plan = bench.plan("syncs-" + name, tests)
        command, store = bench.run(plan)
        shutil.rmtree(store, ignore_errors=True)
        log = bench.folder / "strace"
        time.sleep(2 - time.time() % 2)
        subprocess.run(["strace", "-f", "-o", log, "-e", "trace=fsync,fdatasync", *command], stdout=subprocess.DEVNULL, check=True)
        counted[name] = len(re.findall(r"f(?:data)?sync\(\d+\)\s+= 0", log.read_text()))
    table("Sync points", [
        ("a test, in a sequence of many", "%.2f" % ((counted["many"] - counted["few"]) / 100), ""),
        # One test alone has one.
        ("the ends of eight tests that end at the same moment", str(counted["eight"] - counted["one"] + 1), ""),
    ])


def start_up(bench):
    """The start of a run with a new store, and with one of 100,000 runs."""
    plan = bench.plan("one", bench.leaves(1))
    command, store = bench.run(plan)
    full = bench.folder / "full"
    used(command, store)
    shutil.copytree(store, full)
    multiply(full / "store.sqlite", 100_000)
    filled = [str(full / "store.sqlite") if word.endswith("store.sqlite") else word for word in command]
    found = medians({"new": lambda: used(command, store), "one run": lambda: used(command), "full": lambda: used(filled)}, bench.rounds)
    size = (full / "store.sqlite").stat().st_size / 1e6
    table("Processor time of a whole run of one test", [
        ("with a new store", microseconds(found["new"]), ""),
        ("with a store of one run", microseconds(found["one run"]), ""),
        ("with a store of 100,000 runs (%.0f MB)" % size, microseconds(found["full"]), "%.2f x" % (found["full"] / found["one run"])),
    ])


def multiply(path, runs):
    """Makes many runs out of the one that is there."""
    store = sqlite3.connect(path)
    columns = {}
    for name in ("runs", "tests", "attempts", "events"):
        columns[name] = [row[1] for row in store.execute("PRAGMA table_info(%s)" % name)]
    numbers = "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < %d)" % runs
    changed = {
        "runs": {"run": "n", "id": "id || '-' || n"},
        "tests": {"run": "n"},
        "attempts": {"run": "n", "invocation": "invocation || '-' || n"},
        "events": {"run": "n", "seq": "n * 100 + seq"},
    }
    for table_name, values in changed.items():
        chosen = ", ".join(values.get(column, column) for column in columns[table_name])
        store.execute("INSERT INTO %s %s SELECT %s FROM n, (SELECT * FROM %s WHERE run = 1)" % (table_name, numbers, chosen, table_name))
    store.commit()
    store.close()


PARTS = {"exec": exec_tests, "parallel": parallel, "syncs": syncs, "start-up": start_up}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="one of %s" % ", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=9, help="how often each command is run")
    parser.add_argument("--python", help="a Python with openhtf and pytest")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error("unknown: %s" % ", ".join(sorted(unknown)))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(folder), arguments)
        for part in arguments.parts or PARTS:
            PARTS[part](bench)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
