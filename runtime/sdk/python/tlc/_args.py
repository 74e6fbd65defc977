"""The arguments of a test: their declaration, and values against it.

A test declares its arguments once, in the `ARGS` of its class. The compiler reads the same declaration in the source, without running it.
"""

from __future__ import annotations

import copy
import keyword
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from . import _schema
from ._errors import ArgError


class _Required:
    """The default of an argument that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()
"""The default of an argument that must be given."""

DEFAULT_LOCALE = "en-US"


class Enum:
    """A type of arguments: one of these values, exactly."""

    def __init__(self, members: Iterable[Any]) -> None:
        self.members: Tuple[Any, ...] = tuple(members)

    def __contains__(self, value: Any) -> bool:
        return any(type(member) is type(value) and member == value for member in self.members)

    def __repr__(self) -> str:
        return "Enum(%r)" % (list(self.members),)


class JSONSchemaDict:
    """A JSON schema with a name, for `schema=` of an argument."""

    def __init__(self, label: str, schema: Mapping[str, Any]) -> None:
        self.label = label
        self.schema = schema

    def Validate(self, value: Any) -> None:
        """Raises `ArgError` if the value does not fit."""
        problem = _schema.first_problem(value, self.schema)
        if problem is not None:
            raise ArgError("%s: %s" % (self.label, problem))


class Unresolvable:
    """A value that is only known elsewhere. It fits every declaration."""

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def __repr__(self) -> str:
        return "Unresolvable(%r)" % self.expression


Type = Union[type, Enum, Sequence[Any], None]


class Arg:
    """One argument of a test.

    `type` is a type, an `Enum`, or a tuple of them; `type(None)` allows `None`. `help` says what the argument means. With a `default` it may
    be left out; the default `None` allows `None` to be given, too. `schema` is a JSON schema, or a `JSONSchemaDict`.
    """

    def __init__(
        self, name: str, type: Any, help: str = "", default: Any = REQUIRED, schema: Any = None, **old: Any
    ) -> None:
        help = old.pop("help_msg", help)
        if old:
            raise TypeError("Arg() has no argument %s" % ", ".join("`%s`" % word for word in old))
        if not name:
            raise ArgError("an argument has no name")
        types: Tuple[Any, ...] = type if isinstance(type, tuple) else (type,) if type is not None else ()
        if not types:
            raise ArgError("the argument `%s` has no type" % name)
        if not help:
            raise ArgError("the argument `%s` has no help text" % name)
        wrong = [item for item in types if not isinstance(item, (_TYPE, Enum))]
        if wrong:
            raise ArgError("the type of the argument `%s` is no type: %r" % (name, wrong[0]))
        self.name = name
        self.help = help
        self.default = default
        self.schema = schema
        if default is None and NoneType not in types:
            types += (NoneType,)
        self.type = types
        if default is not REQUIRED and not self.accepts(default):
            raise ArgError(
                "the default of the argument `%s` is %r, a %s; expected %s"
                % (name, default, default.__class__.__name__, _in_words(types))
            )

    def IsOptional(self) -> bool:
        """Whether a test list may leave it out."""
        return self.default is not REQUIRED

    def accepts(self, value: Any) -> bool:
        """Whether the value has one of the declared types."""
        return isinstance(value, Unresolvable) or any(
            value in item if isinstance(item, Enum) else isinstance(value, item) for item in self.type
        )

    def problem(self, value: Any) -> Optional[str]:
        """What is wrong with a value; None if nothing is."""
        if not self.accepts(value):
            return "the argument `%s` is %s, found %r (%s)" % (
                self.name,
                _in_words(self.type),
                value,
                type(value).__name__,
            )
        if self.schema is None or value is None or isinstance(value, Unresolvable):
            return None
        try:
            if hasattr(self.schema, "Validate"):
                self.schema.Validate(value)
                return None
            problem = _schema.first_problem(value, self.schema)
        except Exception as error:
            problem = str(error) or type(error).__name__
        return None if problem is None else "the argument `%s` does not fit its schema: %s" % (self.name, problem)

    def transform(self, value: Any, translate: "Translate") -> Any:
        """The value as the test sees it."""
        return value


class I18nArg(Arg):
    """A text for people: a string, or an object with a text for each locale. The test always sees an object."""

    def __init__(self, name: str, help: str = "", default: Any = REQUIRED, **old: Any) -> None:
        super().__init__(name, (str, dict), help, default, **old)

    def transform(self, value: Any, translate: "Translate") -> Any:
        """An object with a text for each known locale."""
        if value is None or isinstance(value, Unresolvable):
            return value
        if isinstance(value, Mapping) and DEFAULT_LOCALE not in value:
            raise ValueError("the argument `%s` has no text for `%s`: %r" % (self.name, DEFAULT_LOCALE, dict(value)))
        return translate(value)


Translate = Callable[[Any], Mapping[str, str]]
"""From a string or an object of texts to an object with all known locales."""

_TYPE = type
NoneType = type(None)


def _in_words(types: Sequence[Any]) -> str:
    words = [
        "one of %s" % ", ".join(repr(member) for member in item.members) if isinstance(item, Enum) else item.__name__
        for item in types
    ]
    return " or ".join("None" if word == "NoneType" else word for word in words)


class Args:
    """The arguments of a test, as attributes."""

    def __init__(self, values: Optional[Mapping[str, Any]] = None) -> None:
        self.__dict__.update(values or {})

    def ToDict(self) -> Dict[str, Any]:
        """The arguments as a new dictionary."""
        return dict(self.__dict__)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError("the test has no argument `%s`; it has %s" % (name, _names(self.__dict__)))

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Args) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Args(%s)" % ", ".join(
            ("%s=%r" if name.isidentifier() and not keyword.iskeyword(name) else "%r: %r") % (name, value)
            for name, value in self.__dict__.items()
        )


def _names(names: Iterable[str]) -> str:
    return ", ".join("`%s`" % name for name in names) or "none"


def translator(locale: str) -> Translate:
    """Texts for English and the station's locale; what an object has besides is kept."""

    def translate(value: Any) -> Dict[str, str]:
        texts = dict(value) if isinstance(value, Mapping) else {DEFAULT_LOCALE: value}
        texts.setdefault(locale or DEFAULT_LOCALE, texts[DEFAULT_LOCALE])
        return texts

    return translate


def parse(declared: Optional[Sequence[Any]], values: Mapping[str, Any], translate: Optional[Translate] = None) -> Args:
    """The arguments of a test: given values against its declaration, with defaults. Raises `ArgError` with everything that is wrong.

    A test that declares nothing takes what it is given.
    """
    if declared is None:
        return Args(values)
    known: List[str] = []
    problems: List[str] = []
    found: Dict[str, Any] = {}
    for arg in declared:
        known.append(arg.name)
        if arg.name in values:
            # Somebody else's declaration is taken as it is.
            problem = arg.problem(values[arg.name]) if isinstance(arg, Arg) else None
            if problem is not None:
                problems.append(problem)
                continue
            value = values[arg.name]
        elif not arg.IsOptional():
            problems.append("the required argument `%s` is missing" % arg.name)
            continue
        else:
            # What one attempt does to it, the next one of the same process must not see.
            value = copy.deepcopy(arg.default) if isinstance(arg.default, (dict, list, set)) else arg.default
        if isinstance(arg, Arg):
            value = arg.transform(value, translate or translator(DEFAULT_LOCALE))
        found[arg.name] = value
    extra = sorted(set(values) - set(known))
    if extra:
        plural = "s" if len(extra) > 1 else ""
        problems.append("the test does not declare the argument%s %s" % (plural, _names(extra)))
    if problems:
        raise ArgError("; ".join(problems))
    return Args(found)
