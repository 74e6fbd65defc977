"""Keeps the fixture's log of the run with the results, so that it can be read when the board is gone."""

import os
import tempfile

import tlc
from board_link import ask


class ArchiveLog(tlc.TestCase):
    ARGS = [tlc.Arg("file", str, "What the log is called.")]

    def runTest(self):
        count = int(ask("log")[0])
        folder = os.environ.get("DEMO_LOGS", tempfile.gettempdir())
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.args.file)
        with open(path, "w", encoding="ascii") as file:
            for number in range(1, count + 1):
                file.write(" ".join(ask("log", number)) + "\n")
        kept = self.attach(self.args.file, path=path, media_type="text/plain")
        print("%d lines, %d bytes" % (count, kept.size))


if __name__ == "__main__":
    tlc.main()
