"""Switches the board's supply, and waits until a board that was switched on has booted."""

import tlc
from board_link import ask

RELAY_LIFE = 100000


class Power(tlc.TestCase):
    ARGS = [
        tlc.Arg("state", tlc.Enum(["on", "off"]), "What the supply is to be."),
        tlc.Arg("boot_secs", (int, float), "How long the board may take to boot."),
    ]

    def runTest(self):
        ask("power", "off")
        if self.args.state == "off":
            return
        # The relay belongs to the fixture, and the fixture to the station: it is counted for ever.
        switched = self.cache.increment("relay_switched")
        if switched > RELAY_LIFE:
            self.note("the relay of the fixture has switched %d times" % switched, level="warning", key="relay")
        ask("power", "on", announces="ready", timeout=self.args.boot_secs)


if __name__ == "__main__":
    tlc.main()
