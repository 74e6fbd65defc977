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
        print("%s: %.3f to %.3f V, limits %.3f to %.3f V" % (args.rail, min(volts), max(volts), args.min, args.max))
        self.assertGreaterEqual(min(volts), args.min, "%s is too low" % args.rail)
        self.assertLessEqual(max(volts), args.max, "%s is too high" % args.rail)
