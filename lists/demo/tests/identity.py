"""Reads who the board is. The operator scans the label once in a run; whenever the board is asked again, it must be the same one."""

import tlc
from board_link import ask

SCAN = {
    "en-US": "Scan the serial number on the board",
    "de-DE": "Scannen Sie die Seriennummer auf der Platine",
    "zh-CN": "请扫描电路板上的序列号",
}


class Identity(tlc.TestCase):
    ARGS = [
        tlc.Arg("model", str, "What the board calls itself."),
        tlc.Arg("serial_pattern", str, "The form of serial numbers, a regular expression."),
        tlc.Arg("serial", str, "The serial number that the station expects, if it expects one.", default=None),
    ]

    def runTest(self):
        model, serial, revision = ask("identity")
        self.measure("model", model, equals=self.args.model)
        self.measure("serial_number", serial, matches=self.args.serial_pattern)
        label = self.run_data.get("label")
        if label is None:
            label = self.ask_scan(SCAN, pattern=self.args.serial_pattern, prompt="serial")
            self.run_data["label"] = label
        if serial != label:
            self.fail("the board says that it is %s, and its label says %s" % (serial, label), error_code="LABEL")
        if self.args.serial not in (None, serial):
            self.fail("the serial number is %s, expected %s" % (serial, self.args.serial))
        self.identify(serial, part_number=model, revision=revision)


if __name__ == "__main__":
    tlc.main()
