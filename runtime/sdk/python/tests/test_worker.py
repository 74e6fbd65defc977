"""The worker against a runtime that the tests play."""

import array
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

from tlc import _worker

from .runtime import ROOT, Conversation, start


class WorkerCase(unittest.TestCase):
    def setUp(self):
        self.tests = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tests)

    def write(self, name, text):
        with open(os.path.join(self.tests, name + ".py"), "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))

    def case(self, body, **more):
        """Runs a test with this body; its `finished`, and the conversation."""
        body = textwrap.indent(textwrap.dedent(body).strip(), "        ")
        text = "import os, sys, threading, time\nimport tlc\n\nclass T(tlc.TestCase):\n    def runTest(self):\n%s\n" % body
        self.write("case", text)
        answers = more.pop("answers", None)
        talk = Conversation(start("case", self.tests, **more), answers)
        return talk.run(), talk

    def passed(self, body, **more):
        finished, talk = self.case(body, **more)
        self.assertEqual(finished, {"outcome": "passed", "message": None, "traceback": None}, talk.output)
        return talk


class Outcomes(WorkerCase):
    def test_a_test_that_passes(self):
        talk = self.passed("print('hello')\nassert tlc.context.attempt == 2 and self.context.dut_options == {'link': 'usb'}")
        self.assertEqual(talk.output, "hello\n")
        self.assertEqual(talk.process.returncode, 0)

    def test_a_failure_has_a_code(self):
        finished, _ = self.case("self.fail('dark', error_code=17)")
        self.assertEqual((finished["outcome"], finished["message"], finished["error_code"]), ("failed", "dark", 17))
        self.assertNotIn("in fail", finished["traceback"])

    def test_an_exception_is_an_error(self):
        finished, talk = self.case("{}['x']")
        self.assertEqual((finished["outcome"], finished["message"]), ("error", "KeyError: 'x'"))
        self.assertIn("KeyError", talk.output)

    def test_plain_unittest(self):
        self.write("plain", """
            import unittest
            from tlc import Arg
            class Plain(unittest.TestCase):
                ARGS = [Arg("rail", str, "Its name."), Arg("n", int, "How many.", default=3)]
                def test_it(self):
                    self.assertEqual((self.args.rail, self.args.n), ("3V3", 3))
        """)
        self.assertEqual(Conversation(start("plain", self.tests, args={"rail": "3V3"})).run()["outcome"], "passed")
        finished = Conversation(start("plain", self.tests, args={"rial": 1})).run()
        self.assertEqual(finished["outcome"], "error")
        self.assertIn("`rail` is missing; the test does not declare the argument `rial`", finished["message"])

    def test_a_module_has_one_test(self):
        self.write("two", "import unittest\nclass A(unittest.TestCase): pass\nclass B(unittest.TestCase): pass\n")
        self.assertIn("exactly one unittest.TestCase; found `A`, `B`", Conversation(start("two", self.tests)).run()["message"])
        self.assertIn("there is no Python test `gone`", Conversation(start("gone", self.tests)).run()["message"])

    def test_another_version_is_refused(self):
        finished = Conversation(start("case", self.tests, protocol=9)).run()
        self.assertEqual(finished, {"outcome": "error", "message": "the runtime speaks version 9 of the protocol", "traceback": None})

    def test_a_skip_is_no_pass(self):
        self.assertEqual(self.case("self.skipTest('later')")[0]["message"], "the test skipped itself: later")

    def run_text(self, text):
        """Runs a module; how it ended, and what it wrote."""
        self.write("whole", text)
        talk = Conversation(start("whole", self.tests))
        return talk.run(), talk.output

    def test_fixtures_of_the_class_and_of_the_module_run(self):
        text = """
            import unittest
            def setUpModule(): print("module")
            def tearDownModule(): print("no module")
            class T(unittest.TestCase):
                @classmethod
                def setUpClass(cls): %s
                @classmethod
                def tearDownClass(cls): print("no class")
                def test_it(self): print("it")
        """
        finished, output = self.run_text(text % "print('class')")
        self.assertEqual((finished["outcome"], output.split("\n")), ("passed", ["module", "class", "it", "no class", "no module", ""]))
        finished, output = self.run_text(text % "raise RuntimeError('no fixture')")
        self.assertEqual((finished["outcome"], finished["message"]), ("error", "RuntimeError: no fixture"))
        self.assertNotIn("it\n", output)

    def test_a_body_that_nothing_would_run_is_refused(self):
        for kind, body, what in (
            ("unittest.TestCase", "async def test_it(self): self.fail()", "a coroutine"),
            ("unittest.TestCase", "def test_it(self): yield", "a generator"),
        ):
            finished, _ = self.run_text("import unittest\nclass T(%s):\n    %s\n" % (kind, body))
            self.assertIn("`T.test_it` is %s: nothing would run it" % what, finished["message"])
        awaited = "import unittest\nclass T(unittest.IsolatedAsyncioTestCase):\n    async def test_it(self): self.fail('it ran')\n"
        self.assertEqual(self.run_text(awaited)[0]["message"], "it ran")

    def test_a_part_that_fails_is_named(self):
        finished, _ = self.case("for rail in ('3V3', '5V'):\n    with self.subTest('rail', rail=rail): self.assertEqual(rail, '5V')")
        self.assertIn("[rail] (rail='3V3'): '3V3' != '5V'", finished["message"])

    def test_what_an_exception_cannot_say_costs_nothing_else(self):
        finished, output = self.run_text(
            """
            import enum, unittest
            class Odd(AssertionError):
                def __str__(self): return "rail " + 3
            class T(unittest.TestCase):
                def tearDown(self): print("taken down")
                def runTest(self): raise Odd()
            """
        )
        self.assertEqual((finished["outcome"], finished["message"]), ("failed", "what it says cannot be said (TypeError)"))
        self.assertIn("taken down", output)
        finished, _ = self.case("import enum\nclass Code(enum.Enum):\n    LED = 'E17'\nself.fail('dark', error_code=Code.LED)")
        self.assertEqual((finished["message"], finished["error_code"]), ("dark", "E17"))
        finished, _ = self.case("self.fail('dark', error_code=1.5)")
        self.assertEqual((finished["message"], finished["error_code"]), ("dark", "1.5"))

    def test_what_is_to_be_done_at_exit_is_done(self):
        _, talk = self.case("import atexit\natexit.register(print, 'switched off')")
        self.assertEqual(talk.output, "switched off\n")

    def test_sigterm_is_an_exception_inside_once(self):
        self.write("waits", """
            import time, tlc
            class T(tlc.TestCase):
                def runTest(self):
                    try:
                        tlc.log("ready")
                        time.sleep(100)
                    except Exception:
                        self.fail("it is no ordinary exception")
                    finally:
                        tlc.log("cleaned")
        """)
        talk = Conversation(start("waits", self.tests))
        watch = threading.Thread(target=self.terminate, args=(talk,))
        watch.start()
        finished = talk.run()
        watch.join()
        self.assertEqual([message["text"] for message in talk.of("log")], ["ready", "cleaned"])
        self.assertEqual((finished["outcome"], finished["message"]), ("error", "Ended: the runtime ended the test"))

    @staticmethod
    def terminate(talk):
        import time

        while not talk.of("log"):
            time.sleep(0.01)
        os.kill(talk.process.pid, signal.SIGTERM)

    def test_the_end_of_the_runtime_is_the_end_of_the_test(self):
        for body in ("time.sleep(100)", "tlc.ask_pass_fail('Good?')"):
            with self.subTest(body):
                self.write("stays", "import time, tlc\nclass T(tlc.TestCase):\n    def runTest(self):\n        %s\n" % body)
                talk = Conversation(start("stays", self.tests))
                os.close(talk._requests)
                self.assertEqual(talk.process.wait(60), -signal.SIGKILL)
                talk.process.stdout.close()
                os.close(talk._reports)


class Reports(WorkerCase):
    def test_measurements(self):
        talk = self.passed("""
            class Like:
                def __float__(self): return 2.5
            class Item:
                def item(self): return 7
            import decimal, fractions, enum
            assert self.measure("a", 1, min=0, unit="V", label={"en-US": "A"}, group="g")
            tlc.measure("like", Like()); tlc.measure("item", Item()); tlc.measure("decimal", decimal.Decimal("1.5"))
            tlc.measure("fraction", fractions.Fraction(1, 4)); tlc.measure("nan", float("nan")); tlc.measure("inf", -float("inf"))
            tlc.measure("enum", enum.IntEnum("E", "x").x); tlc.measure("big", 10 ** 400); tlc.measure("bool", True, equals=True)
            tlc.measure("text", "\\ud800 x")
            tlc.measure_series("s", tlc.Axis("x", range(2), unit="s"), tlc.Axis("y", (1, 2.5)), min=0)
        """)
        found = {message["name"]: message for message in talk.of("measurement")}
        self.assertEqual(found["a"], {"name": "a", "value": 1, "min": 0, "unit": "V", "label": {"en-US": "A"}, "group": "g"})
        values = {name: message.get("value") for name, message in found.items()}
        self.assertEqual((values["like"], values["item"], values["decimal"], values["fraction"]), (2.5, 7, 1.5, 0.25))
        self.assertEqual((values["nan"], values["inf"]), ({"nonfinite": "nan"}, {"nonfinite": "-inf"}))
        self.assertEqual((values["enum"], values["big"], values["bool"]), (1, {"nonfinite": "inf"}, True))
        self.assertEqual(values["text"], "\\ud800 x")
        self.assertEqual(found["s"]["series"], [{"name": "x", "values": [0, 1], "unit": "s"}, {"name": "y", "values": [1, 2.5]}])

    def test_infinite_limits_are_none_and_a_series_without_values_is_within_none(self):
        talk = self.passed(
            """
            inf = float("inf")
            assert tlc.measure("a", 1.5, min=-inf, max=inf).outcome == "unset"
            assert tlc.measure("b", 1.5, min=1, max=inf)
            assert not tlc.measure_series("c", tlc.Axis("x", []), tlc.Axis("y", []), max=2)
            for limits in ({"min": inf}, {"max": -inf}, {"equals": inf}, {"min": -inf, "comparison": "GE"}):
                try: tlc.measure("d", 1, **limits)
                except ValueError as error: assert "expected a finite number" in str(error), error
                else: raise Exception(limits)
            try: tlc.progress(remaining=inf)
            except ValueError as error: assert "is inf" in str(error) and "remaining" in str(error), error
            else: raise Exception("it is not finite")
            """
        )
        self.assertEqual([list(message) for message in talk.of("measurement")][:2], [["name", "value"], ["name", "value", "min"]])

    def test_limits_of_the_list_come_first(self):
        self.passed(
            "found = tlc.measure('a', 5, max=1)\nassert found and found.limits == {'max': 9}, found\nassert not tlc.measure('a', 10)",
            measurements={"a": {"max": 9, "unit": "V"}},
        )

    def test_what_does_not_fit_is_refused_where_it_stands(self):
        for call, kind in (
            ("tlc.measure('', 1)", "ValueError"),
            ("tlc.measure('a', None)", "TypeError"),
            ("tlc.measure('a', [1])", "TypeError"),
            ("tlc.measure('a', 1, min='x')", "TypeError"),
            ("tlc.measure('a', 1, min=float('nan'))", "ValueError"),
            ("tlc.measure('a', 1, comparison='XX')", "ValueError"),
            ("tlc.measure('a', 1, comparison='GELE', min=1)", "ValueError"),
            ("tlc.measure_series('a', tlc.Axis('x', [1]))", "ValueError"),
            ("tlc.measure_series('a', tlc.Axis('x', [1]), tlc.Axis('y', []))", "ValueError"),
            ("tlc.attach('a/b', 'x')", "ValueError"),
            ("tlc.attach('a')", "TypeError"),
            ("tlc.result('a', 'fine')", "ValueError"),
            ("tlc.note('a', 'loud')", "ValueError"),
            ("tlc.ask_choice('a', [])", "ValueError"),
            ("tlc.ask_text('a', timeout=0)", "ValueError"),
            ("tlc.cache[1] = 2", "TypeError"),
            ("tlc.cache['a'] = b'x'", "TypeError"),
            ("tlc.cache['a'] = float('nan')", "ValueError"),
        ):
            with self.subTest(call):
                finished, talk = self.case(call)
                self.assertEqual(finished["outcome"], "error")
                self.assertTrue(finished["message"].startswith(kind), finished["message"])
                self.assertEqual([message for message in talk.messages if "method" in message][:-1], [])

    def test_the_errors_of_answers(self):
        for code, kind in (
            (-32601, "Unsupported"),
            (-32602, "Refused"),
            (-32001, "NoAnswer"),
            (-32002, "TimedOut"),
            (-32003, "Cancelled"),
            (-32099, "Error"),
        ):
            answers = {"prompt": {"error": {"code": code, "message": "so it is"}}}
            finished, _ = self.case("tlc.ask_scan('Scan')", answers=answers)
            self.assertEqual(finished["message"], "%s: so it is" % kind)
        missing = {"data.get": {"error": {"code": -32004, "message": "none"}}, "secret": {"error": {"code": -32005, "message": "none"}}}
        self.passed("assert tlc.cache.get('a', 7) == 7 and 'a' not in tlc.cache and tlc.secret('s', None) is None", answers=missing)
        self.passed(
            "try: tlc.identify('a')\nexcept tlc.AlreadySet as error: assert str(error) == 'no'",
            answers={"identity": {"error": {"code": -32006, "message": "no"}}},
        )

    def test_answers_go_to_those_who_asked(self):
        self.passed(
            """
            found = {}
            def ask(number):
                for _ in range(100):
                    assert tlc.cache[str(number)] == number
                found[number] = True
            threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert len(found) == 8
            """,
            answers={"data.get": lambda params: {"result": {"value": int(params["key"])}}},
        )

    def test_a_part_is_reported_whatever_happens_in_it(self):
        finished, talk = self.case("""
            with tlc.part("good"): pass
            with tlc.part("dark", go_on=True): self.fail("no light")
            with tlc.part("broken"): {}["x"]
        """)
        found = [(part["name"], part["outcome"], part.get("message")) for part in talk.of("result")]
        self.assertEqual(found, [("good", "passed", None), ("dark", "failed", "no light"), ("broken", "error", "KeyError: 'x'")])
        self.assertEqual(finished["message"], "KeyError: 'x'")

    def test_a_large_attachment_is_a_file(self):
        seen = []

        def answer(params):
            with open(params["path"], "rb") as file:
                seen.append(len(file.read()))
            return {"result": {"sha256": "x", "size": seen[-1]}}

        self.passed("assert tlc.attach('a.bin', bytes(3 << 20)).size == 3 << 20", answers={"attachment": answer})
        self.assertEqual(seen, [3 << 20])

    def test_a_message_is_never_too_long(self):
        finished, _ = self.case("tlc.measure('a', 'x' * (2 << 20))")
        self.assertTrue(finished["message"].startswith("ValueError: a message has at most 1048576 bytes"), finished["message"])
        finished, _ = self.case("self.fail('é' * (3 << 20))")
        self.assertEqual(finished["outcome"], "failed")

    def test_a_forked_process_has_no_part_in_it(self):
        talk = self.passed("""
            pid = os.fork()
            if pid == 0:
                try: tlc.log("from the child")
                except RuntimeError: os._exit(7)
                os._exit(0)
            assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
        """)
        self.assertEqual(talk.of("log"), [])

    def test_a_program_with_main_speaks_the_protocol(self):
        self.write("program", """
            import atexit
            import tlc
            atexit.register(print, "switched off")
            class T(tlc.TestCase):
                ARGS = [tlc.Arg("a", int, "h")]
                def runTest(self):
                    self.measure("a", self.args.a)
            if __name__ == "__main__":
                tlc.main()
        """)
        params = start("", self.tests, args={"a": 5}, test={"exec": ["python3", "program.py"]})
        talk = Conversation(params, command=[sys.executable, os.path.join(self.tests, "program.py")])
        self.assertEqual(talk.run()["outcome"], "passed", talk.output)
        self.assertEqual(talk.of("measurement"), [{"name": "a", "value": 5}])
        self.assertEqual(talk.messages[0]["result"]["protocol"], 1)
        self.assertIn("switched off", talk.output)

    def test_a_script_without_main_speaks_it_too(self):
        self.write("script", "import tlc\ntlc.measure('a', tlc.context.args.a)\n")
        talk = Conversation(start("", self.tests, args={"a": 5}), command=[sys.executable, os.path.join(self.tests, "script.py")])
        self.assertIsNone(talk.run())
        self.assertEqual(talk.of("measurement"), [{"name": "a", "value": 5}])


class Frames(unittest.TestCase):
    def test_descriptors_go_to_the_request_that_they_came_with(self):
        here, there = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        frames = _worker.Frames(there)
        pipes = [os.pipe() for _ in range(2)]

        def send(request, fds=()):
            text = json.dumps(request).encode()
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            here.sendmsg([len(text).to_bytes(4, "little") + text], rights)

        long = "x" * 10000
        send({"op": "collect", "pid": 1})
        send({"op": "fork", "name": "a"}, [pipes[0][0], pipes[0][1], pipes[1][0]])
        send({"op": "collect", "pid": 2})
        send({"op": "stay", "name": long}, [pipes[1][1]])
        here.shutdown(socket.SHUT_WR)
        for fd in (fd for pipe in pipes for fd in pipe):
            os.close(fd)
        found = []
        while True:
            frame = frames.next()
            if frame is None:
                break
            request, fds = frame
            found.append((request["op"], request.get("pid", request.get("name")), len(fds)))
            for fd in fds:
                os.close(fd)
        self.assertEqual(found, [("collect", 1, 0), ("fork", "a", 3), ("collect", 2, 0), ("stay", long, 1)])


class Forks(WorkerCase):
    """The warm interpreter, asked by a runtime that the test plays."""

    def setUp(self):
        super().setUp()
        self.here, there = socket.socketpair()
        self.addCleanup(self.here.close)
        variables = dict(os.environ, PYTHONPATH=ROOT, KEPT="kept", GONE="gone")
        command = [sys.executable, os.path.join(ROOT, "tlc_worker.py"), "serve", self.tests]
        self.server = subprocess.Popen(command, stdin=there, env=variables)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        there.close()
        self.heard = self.here.makefile("rb")
        self.addCleanup(self.heard.close)
        self.assertIn("ready", self.hear())

    def hear(self):
        return json.loads(self.heard.readline())

    def fork(self, test, at=None, **env):
        """Asks for a test; what its output is read from."""
        output, requests, reports = os.pipe(), os.pipe(), os.pipe()
        self.addCleanup(os.close, requests[1])
        self.addCleanup(os.close, reports[0])
        request = {"op": "fork", "env": env, "cwd": at or self.tests, "name": "tlc", "start": start(test, self.tests)}
        text = json.dumps(request).encode()
        given = [output[1], requests[0], reports[1]]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", given))]
        self.here.sendmsg([len(text).to_bytes(4, "little") + text], rights)
        for fd in given:
            os.close(fd)
        return os.fdopen(output[0], "rb")

    def test_sigterm_to_all_processes_ends_the_test_from_within(self):
        self.write(
            "stays",
            """
            import time, tlc

            class Stays(tlc.TestCase):
                def runTest(self):
                    print("it begins", flush=True)
                    time.sleep(60)

                def tearDown(self):
                    print("it is taken down", flush=True)
            """,
        )
        with self.fork("stays") as output:
            pid = self.hear()["pid"]
            self.assertEqual(output.readline(), b"it begins\n")
            os.kill(self.server.pid, signal.SIGTERM)
            self.assertEqual(self.server.wait(), -signal.SIGTERM)
            os.kill(pid, signal.SIGTERM)
            self.assertIn(b"it is taken down", output.read())

    def test_a_test_has_no_part_in_the_pipes_of_the_next_one(self):
        self.write("stays", "import time, tlc\nclass T(tlc.TestCase):\n    def runTest(self): time.sleep(60)\n")
        self.write("ends", "import tlc\nclass T(tlc.TestCase):\n    def runTest(self): print('it ends')\n")
        # Both arrive at once, and the first is longer than what is read at once.
        os.kill(self.server.pid, signal.SIGSTOP)
        with self.fork("stays", PAD="x" * 5000), self.fork("ends") as output:
            os.kill(self.server.pid, signal.SIGCONT)
            pid = self.hear()["pid"]
            self.hear()
            late = threading.Timer(10, os.kill, (pid, signal.SIGKILL))
            late.start()
            self.assertEqual(output.read(), b"it ends\n")
            self.assertTrue(late.is_alive(), "its output was open until the first one ended")
            late.cancel()


    def test_a_test_has_nothing_of_the_environment_of_another(self):
        names = "'ONE', 'TWO', 'KEPT', 'GONE'"
        self.write(
            "shows",
            "import os, tlc\nclass T(tlc.TestCase):\n    def runTest(self):\n        print(*map(os.environ.get, (%s)))\n" % names,
        )
        for env, seen in (
            ({"ONE": "1", "GONE": None}, b"1 None kept None\n"),
            ({"TWO": "2", "KEPT": "other"}, b"None 2 other gone\n"),
            ({}, b"None None kept gone\n"),
        ):
            with self.fork("shows", **env) as output:
                self.assertIn("pid", self.hear())
                self.assertEqual(output.read(), seen)

    def test_what_cannot_be_made_ready_for_a_test_is_said_and_the_next_one_runs(self):
        self.write("runs", "import os, tlc\nclass T(tlc.TestCase):\n    def runTest(self): print(os.path.basename(os.getcwd()))\n")
        gone = os.path.join(self.tests, "gone")
        for wrong in ({"at": gone}, {"PAD": "a\0b"}):
            with self.fork("runs", **wrong) as output:
                self.assertRegex(self.hear()["error"], "FileNotFoundError|null byte")
                self.assertEqual(output.read(), b"")
        for _ in range(2):
            os.mkdir(gone)
            with self.fork("runs", at=gone) as output:
                self.assertIn("pid", self.hear())
                self.assertEqual(output.read(), b"gone\n", "it is another directory of the same name")
            os.rmdir(gone)


class Codes(WorkerCase):
    def test_what_a_test_imports_of_the_standard_library_is_there_before_it_is_forked(self):
        self.write("stamps", "import decimal\nraise Exception('it is not executed')\n")
        program = "import sys\nfrom tlc import _run\nbefore = set(sys.modules)\nknown = _run.Codes().of({'pytest_name': 'stamps', 'tests': %r}, '0')\n" % self.tests
        program += "print(known[0].__name__, *set(sys.modules).difference(before).intersection(_run._OFTEN))"
        said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        self.assertEqual(said.stdout.split()[1:], [b"decimal"])


class Shipped(unittest.TestCase):
    def test_every_file_of_the_package_is_in_the_binary(self):
        source = os.path.join(ROOT, "..", "..", "src", "worker", "python.rs")
        if not os.path.exists(source):
            self.skipTest("this is not the repository")
        with open(source, encoding="utf-8") as file:
            text = file.read()
        for name in sorted(os.listdir(os.path.join(ROOT, "tlc"))):
            if name.endswith(".py") or name == "py.typed":
                self.assertIn('("tlc/%s"' % name, text)


if __name__ == "__main__":
    unittest.main()
