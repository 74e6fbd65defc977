"""What a test may import from tlc: so far, the declaration of arguments.

    import unittest
    from tlc import Arg

    class VoltageTest(unittest.TestCase):
        ARGS = [Arg('rail', str, 'Name of the rail.'), Arg('samples', int, 'How many.', default=3)]
"""

REQUIRED = object()


class Arg:
    """One argument of a test: its name, its type or types, what it means, and its default if it is optional."""

    def __init__(self, name, type, help="", default=REQUIRED, schema=None):
        self.name = name
        self.type = type
        self.help = help
        self.default = default
        self.schema = schema

    def IsOptional(self):
        """Whether a test list may leave it out."""
        return self.default is not REQUIRED
