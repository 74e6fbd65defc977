"""The radio must reach the fixture's antenna. The first scan after a start is too weak: this test is flaky by design.

How strong the link must be is said by the list, under the name of the measurement.
"""

import tlc
from board_link import ask_number


class Radio(tlc.TestCase):
    ARGS = []

    def runTest(self):
        self.measure("link", ask_number("radio"), unit="dBm")


if __name__ == "__main__":
    tlc.main()
