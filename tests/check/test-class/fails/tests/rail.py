"""Measures the rails."""

import tlc


class RailTest(tlc.TestCase):
    def setUp(self):
        self.meter = open_meter()


class Rail3V3(RailTest):
    def runTest(self):
        tlc.measure("rail_3v3", self.meter.volts(), unit="V", min=3.2, max=3.4)
