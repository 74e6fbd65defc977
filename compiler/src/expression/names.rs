//! Whether the names of an expression are bound where it stands.

use tlc_plan::expression::{Expression, NameUse, Root};
use tlc_plan::value::Builtin;

use super::{SyntaxError, SyntaxErrorKind};
use crate::diagnostic::did_you_mean;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// An argument, a program or a limit (reference: R3).
    Argument,
    /// A `run_if`, or a key of `skipped_tests` or `waived_tests` (reference: Q1).
    RunIf,
    /// Locals (reference: I2): the names are those of arguments; `dut` and `station` are null there.
    Locals,
    /// Options (reference: O3): as locals, but options cannot depend on `options`.
    Options,
}

/// The names of Python's builtins module that expressions do not have.
const REFUSED: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "ExceptionGroup",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
    "__build_class__",
    "__debug__",
    "__doc__",
    "__import__",
    "__loader__",
    "__name__",
    "__package__",
    "__spec__",
    "aiter",
    "anext",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "classmethod",
    "compile",
    "complex",
    "copyright",
    "credits",
    "delattr",
    "dir",
    "eval",
    "exec",
    "exit",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "id",
    "input",
    "issubclass",
    "iter",
    "license",
    "locals",
    "map",
    "memoryview",
    "next",
    "object",
    "open",
    "print",
    "property",
    "quit",
    "setattr",
    "slice",
    "staticmethod",
    "super",
    "type",
    "vars",
];

/// The names of an expression that are not bound in this context, in the order of their places.
pub fn check_names(expression: &Expression, context: Context) -> Vec<SyntaxError> {
    // Nearly every expression has names that are bound only.
    if !expression.has_unknown_names() && !expression.reads(unbound(context)) {
        return Vec::new();
    }
    expression.free_names().iter().filter_map(|found| check(found, context)).collect()
}

/// The roots that cannot be read.
fn unbound(context: Context) -> &'static [Root] {
    match context {
        Context::Argument | Context::Locals => &[],
        Context::Options => &[Root::Options],
        Context::RunIf => &[Root::Locals, Root::Options, Root::Dut, Root::Station, Root::StateProxy],
    }
}

fn check(found: &NameUse, context: Context) -> Option<SyntaxError> {
    match (Root::of(&found.name), Builtin::of(&found.name)) {
        (None, None) => {}
        _ if found.unknown => return Some(read_too_early(found)),
        (Some(root), _) => return check_root(found, root, context),
        (None, Some(_)) => return None,
    }
    if REFUSED.binary_search(&&*found.name).is_ok() {
        return Some(refused(found));
    }
    Some(unknown(found, context))
}

fn check_root(found: &NameUse, root: Root, context: Context) -> Option<SyntaxError> {
    match (context, root) {
        (Context::Options, Root::Options) => Some(error(
            found,
            SyntaxErrorKind::RootNotAllowed,
            "options cannot depend on `options`".into(),
            Some("put what several options share into `constants`".into()),
        )),
        (Context::RunIf, Root::Constants | Root::Device)
        | (Context::Argument | Context::Locals | Context::Options, _) => None,
        (Context::RunIf, Root::Locals) => Some(locals_in_run_if(found)),
        (Context::RunIf, Root::Options | Root::Dut | Root::Station | Root::StateProxy) => Some(error(
            found,
            SyntaxErrorKind::RootNotAllowed,
            format!("`{}` cannot be read in a condition", found.name),
            Some("a condition reads `constants` and `device` only".into()),
        )),
    }
}

fn locals_in_run_if(found: &NameUse) -> SyntaxError {
    error(
        found,
        SyntaxErrorKind::LocalsInRunIf,
        "`locals` in a condition is Python's function, so the condition always fails, and the test always runs".into(),
        Some("a condition reads `constants` and `device` only".into()),
    )
}

fn read_too_early(found: &NameUse) -> SyntaxError {
    error(
        found,
        SyntaxErrorKind::UnknownName,
        format!("the name `{}` is bound by a later `for` of the comprehension", found.name),
        Some("put that `for` first".into()),
    )
}

fn refused(found: &NameUse) -> SyntaxError {
    let help = match &*found.name {
        "map" => "write `[f(x) for x in items]`",
        "next" | "iter" => "write `list(items)[0]`",
        "type" => "write `isinstance(x, int)`",
        "getattr" | "hasattr" | "vars" | "dir" => "write `x.get(\"name\")` or `\"name\" in x`",
        "print" => "write the value itself",
        "slice" => "write `x[start:stop:step]`",
        "bytes" | "bytearray" | "memoryview" => "write a string",
        "complex" => "write a float",
        "locals" | "globals" => "write `locals.name` or `constants.name`",
        _ => "an expression computes with plain data only",
    };
    let message = format!("expressions have no `{}`", found.name);
    error(found, SyntaxErrorKind::RefusedName, message, Some(help.into()))
}

fn unknown(found: &NameUse, context: Context) -> SyntaxError {
    let help = match &*found.name {
        "null" | "none" | "nil" => Some("write `None`".into()),
        "true" => Some("write `True`".into()),
        "false" => Some("write `False`".into()),
        name => {
            let roots = Root::ALL.into_iter().filter(|&root| check_root(found, root, context).is_none());
            did_you_mean(name, roots.map(Root::name).chain(builtin_names()))
        }
    };
    error(found, SyntaxErrorKind::UnknownName, format!("the name `{}` is not defined", found.name), help)
}

fn builtin_names() -> impl Iterator<Item = &'static str> {
    use tlc_plan::value::{Function, Type};
    Type::ALL.iter().map(|kind| kind.name()).chain(Function::ALL.iter().map(|function| function.name()))
}

fn error(found: &NameUse, kind: SyntaxErrorKind, message: String, help: Option<String>) -> SyntaxError {
    SyntaxError { kind, message, help, start: found.place.start, end: found.place.end }
}
