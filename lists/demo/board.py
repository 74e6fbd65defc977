#!/usr/bin/env python3
"""A simulated board on a pseudo-terminal, with the fixture that powers it.

The board makes a symbolic link to its terminal, prints `ready PATH`, and answers until it is ended. A request is one line,
`TAG COMMAND [WORD...]`; its answer is one line with the same tag, `TAG ok [WORD...]` or `TAG error REASON`. A line that begins
with `*` is an announcement that nobody asked for: `* ready VERSION` when the board has booted.

| command | answer |
|---|---|
| `power on`, `power off` | the fixture switches the supply; on is followed by the announcement |
| `reboot` | followed by the announcement |
| `identity` | model, serial number, revision |
| `firmware` | version |
| `rail NAME` | volts |
| `temperature` | degrees Celsius |
| `led COLOUR` | sets the LED; the colour that a light sensor sees |
| `flash write BLOCK HEX`, `flash read BLOCK` | the bytes of the block |
| `selftest UNIT` | starts a self-test; asked again, `running`, `pass` or `fail` |
| `radio` | the strength of the link in dBm; the first answer after a start is weak, for the antenna is still tuning |
| `load UNIT SECONDS` | keeps a unit busy, which warms the board and pulls at its supply |
| `log`, `log NUMBER` | how many requests the fixture has logged; one of them |

`--fault NAME` (or DEMO_FAULT, names with commas) breaks something: a rail, a unit of the self-test, `led`, `radio`, `mute`.
"""

import argparse
import inspect
import math
import os
import select
import signal
import sys
import time
import tty

RAILS = {"5V0": 5.02, "3V3": 3.31, "1V8": 1.796}
UNITS = ("memory", "clock", "sensor")
COLOURS = ("off", "red", "green", "blue")
FIXTURE = ("power", "log")
BOOT_SECONDS = 0.25
SELF_TEST_SECONDS = 0.6


class Board:
    """What the board and its fixture know. It does nothing by itself: it is asked, and time passes."""

    def __init__(self, faults=()):
        self.faults = set(faults)
        self.announcements = []
        self.log = []
        self.powered = False
        self.scans = 0
        self.samples = 0
        self.boot_ends = None
        self.led = "off"
        self.flash = {}
        self.self_tests = {}
        self.loads = {}

    def answer(self, words, now):
        """The words of the answer to a request; raises `Refusal`."""
        self.pass_time(now)
        command, arguments = words[0], words[1:]
        known = getattr(self, "on_" + command, None)
        if known is None:
            raise Refusal("unknown command")
        if not fits(known, arguments):
            raise Refusal("wrong number of words")
        if command not in FIXTURE and not self.powered:
            raise Refusal("no power")
        if command not in FIXTURE and self.boot_ends is not None:
            raise Refusal("booting")
        answer = known(now, *arguments)
        if command != "log":
            self.log.append("%.3f %s" % (now, " ".join(words)))
        return answer

    def pass_time(self, now):
        """Ends the boot when its time has come."""
        if self.boot_ends is not None and now >= self.boot_ends and "mute" not in self.faults:
            self.boot_ends = None
            self.announcements.append("* ready " + self.on_firmware(now)[0])

    def boot(self, now):
        self.powered = True
        self.boot_ends = now + BOOT_SECONDS
        self.scans = 0
        self.led = "off"
        self.self_tests = {}
        self.loads = {}

    def on_power(self, now, state):
        if state not in ("on", "off"):
            raise Refusal("the supply is on or off")
        if state == "off":
            self.powered = False
        elif not self.powered:
            self.boot(now)
        return [state]

    def on_reboot(self, now):
        self.boot(now)
        return []

    def on_identity(self, now):
        return ["heron", "HRN-000042", "C"]

    def on_firmware(self, now):
        return ["2.4.1"]

    def on_rail(self, now, name):
        if name not in RAILS:
            raise Refusal("no such rail")
        self.samples += 1
        ripple = 0.002 * math.sin(self.samples)
        sag = 0.012 * self.busy(now)
        broken = 0.85 if name in self.faults else 1.0
        return ["%.3f" % (RAILS[name] * broken * (1 + ripple - sag))]

    def on_temperature(self, now):
        return ["%.1f" % (31.5 + 4.0 * self.busy(now))]

    def on_led(self, now, colour):
        if colour not in COLOURS:
            raise Refusal("no such colour")
        self.led = "off" if "led" in self.faults else colour
        return [self.led]

    def on_flash(self, now, action, block, content=None):
        if action == "write" and content is not None:
            self.flash[block] = content
        elif action != "read":
            raise Refusal("a block is read, or written with its bytes")
        return [self.flash.get(block, "ff")]

    def on_selftest(self, now, unit):
        if unit not in UNITS:
            raise Refusal("no such unit")
        ends = self.self_tests.setdefault(unit, now + SELF_TEST_SECONDS)
        if now < ends:
            return ["running"]
        del self.self_tests[unit]
        return ["fail" if unit in self.faults else "pass"]

    def on_radio(self, now):
        self.scans += 1
        return ["-91" if self.scans == 1 or "radio" in self.faults else "-52"]

    def on_load(self, now, unit, seconds):
        self.loads[unit] = now + float(seconds)
        return [unit]

    def on_log(self, now, number=None):
        if number is None:
            return [str(len(self.log))]
        if not 1 <= int(number) <= len(self.log):
            raise Refusal("no such line")
        return [self.log[int(number) - 1]]

    def busy(self, now):
        return sum(1 for ends in self.loads.values() if ends > now)


class Refusal(Exception):
    """Why the board does not do what it was asked."""


def fits(method, arguments):
    """Whether a method of the board takes so many arguments after the time."""
    try:
        inspect.signature(method).bind(0.0, *arguments)
    except TypeError:
        return False
    return True


def reply(board, line, now):
    """The text to send back for one line."""
    words = line.split()
    if len(words) < 2:
        return "- error empty request\n"
    try:
        return "%s ok %s\n" % (words[0], " ".join(board.answer(words[1:], now)))
    except (Refusal, ValueError) as refusal:
        return "%s error %s\n" % (words[0], refusal)


def serve(board, terminal, station):
    """Answers until the station that started the board is gone."""
    pending = b""
    start = time.monotonic()
    while os.getppid() == station:
        readable = select.select([terminal], [], [], 0.02 if board.boot_ends else 0.5)[0]
        board.pass_time(time.monotonic() - start)
        if readable:
            pending += os.read(terminal, 4096)
        *lines, pending = pending.split(b"\n")
        for line in lines:
            os.write(terminal, reply(board, line.decode("ascii", "replace"), time.monotonic() - start).encode())
        while board.announcements:
            os.write(terminal, (board.announcements.pop(0) + "\n").encode())


def open_terminal(link):
    """Opens a pseudo-terminal and puts a link to it where clients look; keeps its own end open, so that clients may come and go."""
    terminal, clients_end = os.openpty()
    tty.setraw(clients_end)
    name = os.ttyname(clients_end)
    os.makedirs(os.path.dirname(os.path.abspath(link)), exist_ok=True)
    fresh = "%s.%d" % (link, os.getpid())
    os.symlink(name, fresh)
    os.replace(fresh, link)
    return terminal, name


def main():
    station = os.getppid()
    parser = argparse.ArgumentParser(description="a simulated board on a pseudo-terminal")
    parser.add_argument("--link", default=os.environ.get("DEMO_BOARD"), help="where the link to the terminal goes (DEMO_BOARD)")
    parser.add_argument("--fault", action="append", default=[], help="what is broken (DEMO_FAULT)")
    options = parser.parse_args()
    if not options.link:
        parser.error("give --link or DEMO_BOARD")
    faults = options.fault + [name for name in os.environ.get("DEMO_FAULT", "").split(",") if name]

    terminal, name = open_terminal(options.link)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    print("ready", options.link, flush=True)
    try:
        serve(Board(faults), terminal, station)
    finally:
        if os.path.islink(options.link) and os.readlink(options.link) == name:
            os.unlink(options.link)


if __name__ == "__main__":
    main()
