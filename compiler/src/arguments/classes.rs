//! Whether a module has the one test class that a Python test needs, as far as that is sure without executing it (reference: BB2).
//!
//! A class counts when the test runs if it is derived from `unittest.TestCase` and was made in the module itself. Whatever a condition,
//! a decorator or an unknown module has a say in is not sure, and no mistake.

use std::cell::RefCell;

use hashbrown::{HashMap, HashSet};
use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtIf, StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};

use super::Unusable;
use super::python::{MAX_DEPTH, span};

/// Modules that have a `TestCase`.
const WITH_TEST_CASE: [&str; 4] = ["unittest", "unittest.case", "cros.factory.test.test_case", "tlc"];

/// Classes of those that are tests.
const TEST_CASES: [&str; 2] = ["TestCase", "IsolatedAsyncioTestCase"];

/// Modules of the standard library without tests, from which classes are often derived.
const WITHOUT_TESTS: [&str; 9] =
    ["abc", "collections", "ctypes", "dataclasses", "enum", "logging", "queue", "threading", "typing"];

/// Classes of Python itself, besides exceptions.
const BUILTINS: [&str; 9] = ["bytes", "dict", "float", "int", "list", "object", "set", "str", "tuple"];

/// Words of modules that make classes in other ways than a class statement, or say that they come from elsewhere.
const DYNAMIC: [&str; 11] = [
    "delattr(",
    "eval(",
    "exec(",
    "global ",
    "globals(",
    "locals(",
    "new_class(",
    "setattr(",
    "sys.modules",
    "vars(",
    "__module__",
];

/// What a module surely does not have as a test needs it.
pub(super) fn unusable(text: &str, base: u32, body: &[Stmt]) -> Option<Unusable> {
    if DYNAMIC.iter().any(|word| text.contains(word)) {
        return None;
    }
    let names = Names::of(text, body);
    let classes = || body.iter().filter_map(Stmt::as_class_def_stmt);
    let mut tests = classes().filter(|class| names.is_kept(class) && names.kind(class, 0) == Kind::Test);
    if let (Some(first), Some(second)) = (tests.next(), tests.next()) {
        return Some(Unusable::Classes(span(base, first.name.range()), span(base, second.name.range())));
    }
    let written = text.lines().filter(|line| line.trim_start().starts_with("class ")).count();
    let none = written == classes().count() && classes().all(|class| names.kind(class, 0) == Kind::Other);
    (none && !names.may_be_made).then_some(Unusable::NoClass)
}

/// What a class is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Test,
    Other,
    Unknown,
}

/// Where a name of a module has its value from.
enum Origin<'a> {
    Class(&'a StmtClassDef),
    /// A module, by its whole name.
    Module(&'a str),
    /// A member of a module.
    Member(&'a str, &'a str),
    Unknown,
}

/// The names of a module.
struct Names<'a> {
    origins: HashMap<&'a str, Origin<'a>>,
    /// The words of blocks, which may set and delete names, too.
    in_blocks: HashSet<&'a str>,
    /// Names may come from `import *`.
    open: bool,
    /// A class may be made by something else than a class statement.
    may_be_made: bool,
    /// What is known of classes, by where they begin; one that is being looked at is not known.
    kinds: RefCell<HashMap<TextSize, Kind>>,
}

impl<'a> Names<'a> {
    fn of(text: &'a str, body: &'a [Stmt]) -> Self {
        let mut names = Self {
            origins: HashMap::new(),
            in_blocks: HashSet::new(),
            open: false,
            may_be_made: false,
            kinds: RefCell::new(HashMap::new()),
        };
        for statement in body {
            match statement {
                Stmt::ClassDef(class) => names.set(class.name.as_str(), Origin::Class(class)),
                Stmt::FunctionDef(function) => names.set(function.name.as_str(), Origin::Unknown),
                Stmt::Import(import) => names.import(import),
                Stmt::ImportFrom(import) => names.import_from(import),
                Stmt::Assign(assign) => {
                    names.may_be_made |= !is_plain(&assign.value);
                    for target in &assign.targets {
                        names.assign(text, target);
                    }
                }
                Stmt::AnnAssign(assign) => {
                    names.may_be_made |= assign.value.as_ref().is_some_and(|value| !is_plain(value));
                    names.assign(text, &assign.target);
                }
                Stmt::Expr(_) | Stmt::Assert(_) if !text[statement.range()].contains(":=") => {}
                Stmt::Pass(_) => {}
                Stmt::If(condition) if is_for_the_program(condition) => {}
                other => {
                    names.may_be_made = true;
                    names.in_blocks.extend(words(&text[other.range()]));
                }
            }
        }
        names
    }

    fn assign(&mut self, text: &'a str, target: &'a Expr) {
        match target {
            Expr::Name(name) => self.set(name.id.as_str(), Origin::Unknown),
            other => self.in_blocks.extend(words(&text[other.range()])),
        }
    }

    fn import(&mut self, import: &'a StmtImport) {
        for name in &import.names {
            let module = name.name.as_str();
            match &name.asname {
                Some(own) => self.set(own.as_str(), Origin::Module(module)),
                // `import a.b` makes the name `a`.
                None => self.set_module(module.split('.').next().unwrap_or(module)),
            }
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        for name in &import.names {
            let own = name.asname.as_ref().unwrap_or(&name.name).as_str();
            self.open |= own == "*";
            // What lies beside the test may be anything.
            let known = import.level == 0;
            self.set(own, if known { Origin::Member(module, name.name.as_str()) } else { Origin::Unknown });
        }
    }

    /// `import a.b` and `import a.c` are the same `a`.
    fn set_module(&mut self, name: &'a str) {
        match self.origins.get(name) {
            Some(Origin::Module(module)) if *module == name => {}
            Some(_) | None => self.set(name, Origin::Module(name)),
        }
    }

    /// What is set twice is not known.
    fn set(&mut self, name: &'a str, origin: Origin<'a>) {
        let origin = if self.origins.contains_key(name) { Origin::Unknown } else { origin };
        self.origins.insert(name, origin);
    }

    fn origin(&self, name: &str) -> Option<&Origin<'a>> {
        if self.in_blocks.contains(name) {
            return Some(&Origin::Unknown);
        }
        self.origins.get(name)
    }

    /// Whether the name of a class is still its own at the end.
    fn is_kept(&self, class: &StmtClassDef) -> bool {
        matches!(self.origin(class.name.as_str()), Some(Origin::Class(last)) if last.range() == class.range())
    }

    fn kind(&self, class: &StmtClassDef, depth: usize) -> Kind {
        if let Some(&known) = self.kinds.borrow().get(&class.start()) {
            return known;
        }
        self.kinds.borrow_mut().insert(class.start(), Kind::Unknown);
        let kind = self.kind_by_bases(class, depth);
        self.kinds.borrow_mut().insert(class.start(), kind);
        kind
    }

    fn kind_by_bases(&self, class: &StmtClassDef, depth: usize) -> Kind {
        let has_keywords = class.arguments.iter().any(|arguments| !arguments.keywords.is_empty());
        if depth >= MAX_DEPTH || has_keywords || !class.decorator_list.is_empty() {
            return Kind::Unknown;
        }
        let bases = class.arguments.iter().flat_map(|arguments| &arguments.args);
        bases.map(|base| self.kind_of_base(base, depth)).fold(Kind::Other, |known, base| match (known, base) {
            (Kind::Test, _) | (_, Kind::Test) => Kind::Test,
            (Kind::Unknown, _) | (_, Kind::Unknown) => Kind::Unknown,
            (Kind::Other, Kind::Other) => Kind::Other,
        })
    }

    fn kind_of_base(&self, base: &Expr, depth: usize) -> Kind {
        match base {
            Expr::Name(name) => match self.origin(name.id.as_str()) {
                Some(Origin::Class(class)) => self.kind(class, depth + 1),
                Some(Origin::Member(module, member)) => of_member(module, member),
                None if !self.open && is_builtin(name.id.as_str()) => Kind::Other,
                Some(Origin::Module(_) | Origin::Unknown) | None => Kind::Unknown,
            },
            Expr::Attribute(attribute) => match self.module(&attribute.value) {
                Some(module) => of_member(&module, attribute.attr.as_str()),
                None => Kind::Unknown,
            },
            _ => Kind::Unknown,
        }
    }

    /// The whole name of a module.
    fn module(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => match self.origin(name.id.as_str())? {
                Origin::Module(module) => Some((*module).to_owned()),
                Origin::Member(module, member) => Some(format!("{module}.{member}")),
                Origin::Class(_) | Origin::Unknown => None,
            },
            Expr::Attribute(attribute) => Some(format!("{}.{}", self.module(&attribute.value)?, attribute.attr)),
            _ => None,
        }
    }
}

fn of_member(module: &str, member: &str) -> Kind {
    if WITH_TEST_CASE.contains(&module) && TEST_CASES.contains(&member) {
        Kind::Test
    } else if WITHOUT_TESTS.contains(&module) {
        Kind::Other
    } else {
        Kind::Unknown
    }
}

/// Whether a name that a module does not set is a class of Python itself.
fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name) || name.ends_with("Error") || name.ends_with("Exception")
}

/// Whether a value is surely no class.
fn is_plain(value: &Expr) -> bool {
    value.is_literal_expr()
        || matches!(
            value,
            Expr::BinOp(_)
                | Expr::Compare(_)
                | Expr::Dict(_)
                | Expr::FString(_)
                | Expr::Lambda(_)
                | Expr::List(_)
                | Expr::ListComp(_)
                | Expr::Set(_)
                | Expr::Tuple(_)
                | Expr::UnaryOp(_)
        )
}

/// `if __name__ == …:` alone: the module is imported, so it is not the program.
fn is_for_the_program(condition: &StmtIf) -> bool {
    let is_name = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
    let compares = |test: &Expr| test.as_compare_expr().is_some_and(|compare| is_name(&compare.left));
    compares(&condition.test) && condition.elif_else_clauses.is_empty()
}

fn words(block: &str) -> impl Iterator<Item = &str> {
    block.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}
