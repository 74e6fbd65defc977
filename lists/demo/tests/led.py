"""Lights the LED and compares what the fixture's light sensor sees."""

import unittest

from board_link import ask


class Led(unittest.TestCase):
    def runTest(self):
        print(self.args.purpose["en-US"])
        seen = ask("led", self.args.colour)[0]
        ask("led", "off")
        if seen != self.args.colour:
            self.fail("the light sensor sees %s, expected %s" % (seen, self.args.colour))
