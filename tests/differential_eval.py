"""Evaluates expressions for differential_eval.rs: one JSON string a line in, one answer a line out."""
import json
import signal
import sys
import warnings

warnings.simplefilter('ignore')


class AttrDict(dict):
    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def attributes(value):
    if isinstance(value, dict):
        return AttrDict({key: attributes(item) for key, item in value.items()})
    if isinstance(value, list):
        return [attributes(item) for item in value]
    return value


class NotPlain(Exception):
    pass


def plain(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        try:
            return {'int': str(value)}
        except ValueError:
            raise NotPlain from None
    if isinstance(value, float):
        if value != value or value in (float('inf'), float('-inf')):
            raise NotPlain
        return {'float': repr(value)}
    if isinstance(value, (list, tuple, range, type({}.keys()), type({}.values()), type({}.items()))):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotPlain
        return {'dict': [[key, plain(item)] for key, item in value.items()]}
    raise NotPlain


def slow(*_):
    raise TimeoutError


def answer(text, scope):
    try:
        return {'value': plain(eval(compile(text, '', 'eval'), dict(scope)))}
    except NotPlain:
        return {'error': 'NotPlain'}
    except Exception as error:
        return {'error': type(error).__name__}


signal.signal(signal.SIGALRM, slow)
names = attributes(json.loads(sys.stdin.readline()))
for line in sys.stdin:
    try:
        signal.setitimer(signal.ITIMER_REAL, 2)
        reply = answer(json.loads(line), names)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeoutError:
        reply = {'error': 'TimeoutError'}
    try:
        out = json.dumps(reply)
        out.encode()
    except UnicodeError:
        out = json.dumps({'error': 'Surrogate'})
    sys.stdout.write(out + '\n')
    sys.stdout.flush()
