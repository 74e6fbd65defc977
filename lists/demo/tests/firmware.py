"""The firmware must be at least as new as the list says."""

import unittest

from board_link import ask


def parts(version):
    return [int(part) for part in version.split(".")]


class Firmware(unittest.TestCase):
    def runTest(self):
        version = ask("firmware")[0]
        print("firmware", version)
        if parts(version) < parts(self.args.oldest):
            self.fail("firmware %s is too old, expected %s or newer" % (version, self.args.oldest))
