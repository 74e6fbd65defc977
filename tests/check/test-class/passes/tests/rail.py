"""Measures the rails."""

import tlc
from rail_test import RailTest


class MeterError(Exception):
    """The meter does not answer."""


class Rail3V3(RailTest):
    def runTest(self):
        tlc.measure("rail_3v3", self.meter.volts(), unit="V", min=3.2, max=3.4)
