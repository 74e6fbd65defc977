"""Lights the LED."""


class Led:
    def runTest(self):
        assert light("green")
