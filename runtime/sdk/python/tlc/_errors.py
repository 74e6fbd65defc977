"""What can go wrong, as exceptions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Type, Union

__all__ = [
    "AlreadySet",
    "ArgError",
    "AttachmentRefused",
    "Cancelled",
    "Ended",
    "Error",
    "Failure",
    "NoAnswer",
    "NoSecret",
    "NoSuchKey",
    "Refused",
    "TestError",
    "TimedOut",
    "Unsupported",
]


class Failure(AssertionError):
    """The unit is at fault: the test ends as `failed`.

    Any other exception but an `AssertionError` means that the test itself is broken, and it ends as `error`.
    """

    def __init__(self, message: str = "", error_code: Union[str, int, None] = None) -> None:
        super().__init__(message)
        # The value of a member of an enumeration; whatever else it is, its text. It must not cost the message.
        code: Any = getattr(error_code, "value", error_code)
        self.error_code = code if code is None or type(code) in (str, int) else str(code)


class Error(Exception):
    """What the runtime answered to a request that it could not fulfil."""


class Refused(Error, ValueError):
    """The parameters do not fit; the message names the field. The test fails with it in any case."""


class Unsupported(Error):
    """The runtime does not know the request."""


class NoAnswer(Error):
    """There is no one to answer a prompt."""


class TimedOut(Error, TimeoutError):
    """The prompt's time has passed."""


class Cancelled(Error):
    """The prompt was taken back."""


class NoSuchKey(Error, KeyError):
    """There is no such key in a data space."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class NoSecret(Error, KeyError):
    """The station has no such secret."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class AlreadySet(Error):
    """It is set already in this run, to something else."""


class AttachmentRefused(Error, OSError):
    """The file cannot be attached."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class ArgError(ValueError):
    """The arguments do not fit their declaration, or the declaration itself is wrong."""


class TestError(Exception):
    """The test cannot be run as it stands."""

    __test__ = False


class Ended(BaseException):
    """The runtime asked the test to end. Raised once, inside the test, so that it can clean up."""


_BY_CODE: Dict[int, Type[Error]] = {
    -32601: Unsupported,
    -32602: Refused,
    -32001: NoAnswer,
    -32002: TimedOut,
    -32003: Cancelled,
    -32004: NoSuchKey,
    -32005: NoSecret,
    -32006: AlreadySet,
    -32007: AttachmentRefused,
}


def from_answer(error: Any) -> Error:
    """The exception for the error of an answer."""
    code: Optional[Any] = error.get("code") if isinstance(error, dict) else None
    message = error.get("message", "") if isinstance(error, dict) else error
    kind = _BY_CODE.get(code, Error) if isinstance(code, int) else Error
    return kind(str(message))
