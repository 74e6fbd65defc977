"""What CPython takes for the expressions of expressions.json: compile(), and eval() of the code.

With --json, the cases are read from standard input, and each answer is a pair of nanoseconds.
"""
import json
import math
import pathlib
import sys
import time


class AttrDict(dict):
    __getattr__ = dict.__getitem__


def attributes(value):
    if isinstance(value, dict):
        return AttrDict({key: attributes(item) for key, item in value.items()})
    return value


def least(call):
    start = time.perf_counter_ns()
    for _ in range(100):
        call()
    count = int(2e6 / max(1, (time.perf_counter_ns() - start) / 100)) + 1
    best = math.inf
    for _ in range(7):
        start = time.perf_counter_ns()
        for _ in range(count):
            call()
        best = min(best, (time.perf_counter_ns() - start) / count)
    return best


def nothing():
    pass


def mean(times):
    return math.exp(sum(map(math.log, times)) / len(times))


as_json = '--json' in sys.argv[1:]
cases = json.loads(sys.stdin.read() if as_json else (pathlib.Path(__file__).parent / 'expressions.json').read_text())
scope = {name: attributes(cases[name]) for name in ('constants', 'options', 'locals', 'device')}
overhead = least(nothing)
compiles, evals = [], []
for text in cases['expressions']:
    code = compile(text, '', 'eval')
    compiles.append(least(lambda: compile(text, '', 'eval')) - overhead)
    evals.append(least(lambda: eval(code, scope)) - overhead)
if as_json:
    print(json.dumps(list(zip(compiles, evals))))
else:
    print(f'{mean(compiles):8.1f} ns compile, {mean(evals):.1f} ns eval, geometric means of {len(evals)}')
