import tlc


class Identify(tlc.TestCase):
    def runTest(self):
        serial = self.ask_scan("Scan the serial number", prompt=self.name)
        tlc.identify(serial)
