"""Lights the LED."""

import unittest

from tlc_args import Arg


class Led(unittest.TestCase):
    ARGS = [
        Arg("colour", str, "the colour of the light"),
        Arg("seconds", int, "how long it shines", default=1),
    ]
