"""Writes a pattern to blocks of the flash and reads it back. Each block is a part of the test."""

import tlc
from board_link import ask


class Flash(tlc.TestCase):
    ARGS = [
        tlc.Arg("blocks", int, "How many blocks."),
        tlc.Arg("patterns", list, "The bytes, as hexadecimal digits.", schema={"items": {"type": "string", "pattern": "^[0-9a-f]{2}$"}}),
    ]

    def runTest(self):
        for block in range(self.args.blocks):
            with self.part("block %d" % block, go_on=True):
                for pattern in self.args.patterns:
                    ask("flash", "write", block, pattern)
                    found = ask("flash", "read", block)[0]
                    if found != pattern:
                        self.fail("it holds %s, expected %s" % (found, pattern))


if __name__ == "__main__":
    tlc.main()
