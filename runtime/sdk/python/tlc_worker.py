"""Runs Python tests for the tlc runtime, one (`test`) or, from a warm interpreter, many (`serve`).

It is started by the runtime, with the package `tlc` beside it. Python 3.8 or later, no other package.
"""

import os
import sys

from tlc import _worker

if __name__ == "__main__":
    # Threads that a test left behind do not keep its process.
    os._exit(_worker.main(sys.argv[1:]))
