"""Watches the board's temperature for a while; it must stay below the limit."""

import time
import unittest

from board_link import ask_number


class Temperature(unittest.TestCase):
    def runTest(self):
        ends = time.monotonic() + self.args.duration_secs
        hottest = ask_number("temperature")
        while time.monotonic() < ends:
            time.sleep(0.1)
            hottest = max(hottest, ask_number("temperature"))
        print("hottest: %.1f °C, limit %.1f °C" % (hottest, self.args.max_celsius))
        if hottest > self.args.max_celsius:
            self.fail("the board is too hot: %.1f °C, expected %.1f °C or less" % (hottest, self.args.max_celsius))
