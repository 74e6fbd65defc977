"""Reboots the board and waits until it announces that it is ready."""

import time
import unittest

from board_link import ask


class BoardReboot(unittest.TestCase):
    def runTest(self):
        start = time.monotonic()
        ask("reboot", announces="ready", timeout=self.args.boot_secs)
        print("up again after %.2f s" % (time.monotonic() - start))
