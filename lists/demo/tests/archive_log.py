"""Writes the fixture's log of the run to a file, so that it can be read when the board is gone."""

import os
import tempfile
import unittest

from board_link import ask


class ArchiveLog(unittest.TestCase):
    def runTest(self):
        count = int(ask("log")[0])
        folder = os.environ.get("DEMO_LOGS", tempfile.gettempdir())
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.args.file)
        with open(path, "w", encoding="ascii") as file:
            for number in range(1, count + 1):
                file.write(" ".join(ask("log", number)) + "\n")
        print("%d lines in %s" % (count, path))
