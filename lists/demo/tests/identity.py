"""Reads who the board is: the model must be the list's, and the serial number the one that the station expects, if it expects one."""

import re
import unittest

from board_link import ask


class Identity(unittest.TestCase):
    def runTest(self):
        model, serial, revision = ask("identity")
        print("model %s, serial number %s, revision %s" % (model, serial, revision))
        self.assertEqual(model, self.args.model)
        self.assertIsNotNone(re.fullmatch(self.args.serial_pattern, serial), "serial number %s has a wrong form" % serial)
        if self.args.serial is not None:
            self.assertEqual(serial, self.args.serial)
