"""The examples of the reference run."""

import os
import re
import tempfile
import unittest

from tlc import _session
from tlc._local import LocalSession

from .runtime import ROOT

PAGE = os.path.join(ROOT, "..", "..", "..", "docs", "src", "reference", "python.md")


@unittest.skipUnless(os.path.exists(PAGE), "this is not the repository")
class Examples(unittest.TestCase):
    def test_they_run(self):
        with open(PAGE, encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.S)
        self.assertGreaterEqual(len(examples), 5)
        self.addCleanup(_session.install, None)
        self.addCleanup(os.chdir, os.getcwd())
        for example in examples:
            with self.subTest(example), tempfile.TemporaryDirectory() as directory:
                os.chdir(directory)
                session = LocalSession({}, answers={"serial": "HRN-000042", "green": True})
                _session.install(session)
                names = {"__name__": "example"}
                exec(compile(example, "python.md", "exec"), names)
                if "Rail" in names:
                    case = names["Rail"]("runTest")
                    case.args = type("Args", (), {"rail": "3V3", "samples": 3})
                    result = unittest.TestResult()
                    case.run(result)
                    self.assertTrue(result.wasSuccessful(), result.errors)
                self.assertEqual(session.problems, [])
                os.chdir(ROOT)


if __name__ == "__main__":
    unittest.main()
