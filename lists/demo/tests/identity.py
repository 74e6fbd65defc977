"""Reads who the board is: the model must be the list's, and the serial number the one that the station expects, if it expects one."""

import re
import unittest

from board_link import ask


class Identity(unittest.TestCase):
    def runTest(self):
        model, serial, revision = ask("identity")
        print("model %s, serial number %s, revision %s" % (model, serial, revision))
        if model != self.args.model:
            self.fail("the board is a %s, expected a %s" % (model, self.args.model))
        if re.fullmatch(self.args.serial_pattern, serial) is None:
            self.fail("the serial number %s has a wrong form, expected %s" % (serial, self.args.serial_pattern))
        if self.args.serial not in (None, serial):
            self.fail("the serial number is %s, expected %s" % (serial, self.args.serial))
