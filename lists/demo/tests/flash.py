"""Writes a pattern to blocks of the flash and reads it back."""

import unittest

from board_link import ask


class Flash(unittest.TestCase):
    def runTest(self):
        for block in range(self.args.blocks):
            for pattern in self.args.patterns:
                ask("flash", "write", block, pattern)
                self.assertEqual(ask("flash", "read", block), [pattern], "block %d" % block)
