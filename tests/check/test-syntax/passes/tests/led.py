"""Lights the LED."""

import unittest


class Led(unittest.TestCase):
    def runTest(self):
        self.assertTrue(light("green"))
