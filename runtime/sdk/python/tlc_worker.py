"""Runs Python tests for the tlc runtime, one (`test`) or, from a warm interpreter, many (`serve`).

It is started by the runtime, with the package `tlc` beside it. Python 3.8 or later, no other package.
"""

import os
import sys


def compile_apart() -> None:
    """Lets a child compile the package. What that takes would stay with this process and make each fork dearer; so it only reads what the
    child has written."""
    # Both need them, so they are there before.
    import json
    import socket
    import unittest

    pid = os.fork()
    if pid == 0:
        try:
            sys.dont_write_bytecode = False
            import tlc._worker
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        compile_apart()
    from tlc import _channel, _worker

    code = _worker.main(sys.argv[1:])
    _channel.at_exit()
    # Threads that a test left behind do not keep its process.
    os._exit(code)
