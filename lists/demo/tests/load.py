"""Keeps one unit of the board busy, and looks that it stays up."""

import time
import unittest

from board_link import ask


class Load(unittest.TestCase):
    def runTest(self):
        ends = time.monotonic() + self.args.duration_secs
        ask("load", self.args.unit, self.args.duration_secs)
        while time.monotonic() < ends:
            time.sleep(min(0.2, self.args.duration_secs))
            ask("identity")
