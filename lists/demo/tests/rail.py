"""Samples one supply rail for a while; every sample must lie within the limits."""

import time

import tlc
from board_link import ask_number


class Rail(tlc.TestCase):
    ARGS = [
        tlc.Arg("rail", str, "The name of the rail."),
        tlc.Arg("min", (int, float), "The least voltage."),
        tlc.Arg("max", (int, float), "The greatest voltage."),
        tlc.Arg("samples", int, "How often it is measured.", default=10),
        tlc.Arg("interval_secs", (int, float), "The time between two samples.", default=0.02),
    ]

    def runTest(self):
        args = self.args
        begun = time.monotonic()
        times, volts = [], []
        for _ in range(args.samples):
            times.append(round(time.monotonic() - begun, 3))
            volts.append(ask_number("rail", args.rail))
            time.sleep(args.interval_secs)
        self.measure("lowest", min(volts), unit="V", min=args.min)
        self.measure("highest", max(volts), unit="V", max=args.max)
        self.measure_series("samples", tlc.Axis("time", times, unit="s"), tlc.Axis(args.rail, volts, unit="V"))


if __name__ == "__main__":
    tlc.main()
