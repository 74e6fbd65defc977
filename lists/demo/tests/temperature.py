"""Watches the board's temperature for a while; it must stay below the limit."""

import time

import tlc
from board_link import ask_number


class Temperature(tlc.TestCase):
    ARGS = [
        tlc.Arg("duration_secs", (int, float), "How long it is watched.", default=0),
        tlc.Arg("max_celsius", (int, float), "How hot the board may be."),
    ]

    def runTest(self):
        begun = time.monotonic()
        hottest = ask_number("temperature")
        while time.monotonic() < begun + self.args.duration_secs:
            time.sleep(0.1)
            hottest = max(hottest, ask_number("temperature"))
            self.progress((time.monotonic() - begun) / self.args.duration_secs)
        self.measure("hottest", hottest, unit="°C", max=self.args.max_celsius)


if __name__ == "__main__":
    tlc.main()
