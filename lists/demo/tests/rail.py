"""Samples one supply rail for a while; every sample must lie within the limits."""

import time
import unittest

from board_link import ask_number


class Rail(unittest.TestCase):
    def runTest(self):
        args = self.args
        volts = []
        for _ in range(args.samples):
            volts.append(ask_number("rail", args.rail))
            time.sleep(args.interval_secs)
        print("%s: %.3f to %.3f V, limits %.3f and %.3f V" % (args.rail, min(volts), max(volts), args.min, args.max))
        if min(volts) < args.min:
            self.fail("%s is too low: %.3f V, expected %.3f V or more" % (args.rail, min(volts), args.min))
        if max(volts) > args.max:
            self.fail("%s is too high: %.3f V, expected %.3f V or less" % (args.rail, max(volts), args.max))
