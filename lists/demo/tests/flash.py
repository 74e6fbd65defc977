"""Writes a pattern to blocks of the flash and reads it back."""

import unittest

from board_link import ask


class Flash(unittest.TestCase):
    def runTest(self):
        for block in range(self.args.blocks):
            for pattern in self.args.patterns:
                ask("flash", "write", block, pattern)
                found = ask("flash", "read", block)[0]
                if found != pattern:
                    self.fail("block %d holds %s, expected %s" % (block, found, pattern))
