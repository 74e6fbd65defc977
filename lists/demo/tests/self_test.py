"""Starts the self-test of one unit and waits for its end; other tests may talk to the board meanwhile."""

import time

import tlc
from board_link import ask


class SelfTest(tlc.TestCase):
    ARGS = [tlc.Arg("unit", str, "The unit of the board.")]

    def runTest(self):
        result = ask("selftest", self.args.unit)[0]
        while result == "running":
            time.sleep(0.05)
            result = ask("selftest", self.args.unit)[0]
        if result != "pass":
            self.fail("the self-test of the %s says %s" % (self.args.unit, result), error_code="SELFTEST")


if __name__ == "__main__":
    tlc.main()
