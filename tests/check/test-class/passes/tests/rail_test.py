"""What tests of rails have in common."""

import tlc


class RailTest(tlc.TestCase):
    def setUp(self):
        self.meter = open_meter()
