"""Switches the board's supply, and waits until a board that was switched on has booted."""

import unittest

from board_link import ask


class Power(unittest.TestCase):
    def runTest(self):
        if self.args.state == "off":
            ask("power", "off")
            return
        ask("power", "off")
        ask("power", "on", announces="ready", timeout=self.args.boot_secs)
