//! The source of a Python test to its declaration, by parsing it: its one test class, and where that has its `ARGS` from.
//!
//! What stands in `ARGS` is read in `declaring`.

use hashbrown::HashMap;

use ruff_python_ast::{Expr, ExprCall, Stmt, StmtClassDef};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::declaring::{Declared, declared};
use super::{Declaration, Reading, Unchecked, Unusable, classes};
use crate::source::Span;

/// Larger sources are not read, in bytes.
const MAX_SOURCE: usize = 256 << 10;

/// The parser grows its stack by itself, but letting go of a deep tree recurses: enough for any source of [`MAX_SOURCE`].
const STACK: usize = 256 << 20;

/// How many names and levels an expression is followed through.
pub(super) const MAX_DEPTH: usize = 64;

/// Reads a source that begins at `base` in the map.
pub(super) fn read(text: &str, base: u32) -> Reading {
    let read = module_body(text, base, |body| {
        if let Some(unusable) = classes::unusable(text, base, body) {
            return Reading::Unusable(unusable);
        }
        let module = Module::new(text, base, body);
        match module.test_class() {
            Ok(class) => module.declaration(class),
            Err(unchecked) => Reading::Unchecked(unchecked),
        }
    });
    read.unwrap_or_else(|unread| match unread {
        Unread::Syntax(unchecked) => Reading::Unusable(Unusable::Syntax(unchecked)),
        Unread::Other(unchecked) => Reading::Unchecked(unchecked),
    })
}

/// Why a source was not parsed.
pub(super) enum Unread {
    /// It is no Python: what the parser says, and where.
    Syntax(Unchecked),
    /// It is too much for the parser.
    Other(Unchecked),
}

impl From<Unread> for Unchecked {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Syntax(error) => Self { reason: format!("the source is no Python: {}", error.reason), ..error },
            Unread::Other(unchecked) => unchecked,
        }
    }
}

/// Parses a source that begins at `base` in the map, and looks at its statements.
pub(super) fn module_body<T: Send>(text: &str, base: u32, look: impl FnOnce(&[Stmt]) -> T + Send) -> Result<T, Unread> {
    let other = |reason: &str| Unread::Other(Unchecked { reason: reason.into(), span: Span { start: base, len: 0 } });
    if text.len() > MAX_SOURCE {
        return Err(other("the source is too large to be read"));
    }
    let parse = || match ruff_python_parser::parse_module(text) {
        Ok(parsed) => Ok(look(&parsed.into_syntax().body)),
        Err(error) => {
            Err(Unread::Syntax(Unchecked { reason: error.error.to_string(), span: span(base, error.location) }))
        }
    };
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        match builder.spawn_scoped(scope, parse).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(read)) => read,
            Ok(Err(_)) | Err(_) => Err(other("the source cannot be parsed")),
        }
    })
}

pub(super) fn span(base: u32, range: TextRange) -> Span {
    Span { start: base + range.start().to_u32(), len: range.len().to_u32() }
}

/// The names of a module, or of a class in it.
pub(super) type Names<'a> = HashMap<&'a str, Option<&'a Expr>>;

/// A module: its classes, its constants and what it imports under another name.
pub(super) struct Module<'a> {
    text: &'a str,
    base: u32,
    classes: Vec<&'a StmtClassDef>,
    pub(super) constants: Names<'a>,
    renamed: HashMap<&'a str, &'a str>,
}

impl<'a> Module<'a> {
    fn new(text: &'a str, base: u32, body: &'a [Stmt]) -> Self {
        let classes = body.iter().filter_map(Stmt::as_class_def_stmt).collect();
        let imports = body.iter().filter_map(Stmt::as_import_from_stmt).flat_map(|import| &import.names);
        let renamed = imports.filter_map(|name| Some((name.asname.as_ref()?.as_str(), name.name.as_str()))).collect();
        Self { text, base, classes, constants: constants(body, text), renamed }
    }

    pub(super) fn span(&self, node: &impl Ranged) -> Span {
        span(self.base, node.range())
    }

    pub(super) fn unchecked(&self, reason: impl Into<String>, node: &impl Ranged) -> Unchecked {
        Unchecked { reason: reason.into(), span: self.span(node) }
    }

    /// The one class that is a test.
    fn test_class(&self) -> Result<&'a StmtClassDef, Unchecked> {
        let mut known = HashMap::new();
        let tests: Vec<_> = self.classes.iter().copied().filter(|class| self.is_test(class, 0, &mut known)).collect();
        match tests[..] {
            [test] => Ok(test),
            [] => Err(self.unchecked("there is no test class in it", &TextRange::default())),
            [_, second, ..] => Err(self.unchecked("there are several test classes in it", &second.name)),
        }
    }

    /// Whether a class is a test; what is known of classes is kept by where they begin.
    fn is_test(&self, class: &StmtClassDef, depth: usize, known: &mut HashMap<TextSize, bool>) -> bool {
        if let Some(&is_test) = known.get(&class.start()) {
            return is_test;
        }
        // One that is derived from itself is none.
        known.insert(class.start(), false);
        let is_test = depth < MAX_DEPTH
            && bases(class).any(|base| match self.local_class(base) {
                Some(local) => self.is_test(local, depth + 1, known),
                None => last_name(base).is_some_and(|name| name.ends_with("TestCase") || name.ends_with("Test")),
            });
        known.insert(class.start(), is_test);
        is_test
    }

    fn local_class(&self, base: &Expr) -> Option<&'a StmtClassDef> {
        let name = base.as_name_expr()?;
        self.classes.iter().copied().find(|class| class.name.as_str() == name.id.as_str())
    }

    /// The declaration of a class: its own `ARGS`, or that of its nearest base.
    fn declaration(&self, test: &'a StmtClassDef) -> Reading {
        let (mut class, mut depth) = (test, 0);
        loop {
            let names = constants(&class.body, self.text);
            match names.get("ARGS") {
                Some(Some(_)) if is_changed_later(self.text) => {
                    return Reading::Unchecked(self.unchecked("`ARGS` is changed after it is made", &class.name));
                }
                Some(Some(list)) => return Reading::Declared(self.arguments(test, list, names)),
                Some(None) => {
                    return Reading::Unchecked(
                        self.unchecked("`ARGS` is set more than once, or by a condition", &class.name),
                    );
                }
                None => {}
            }
            match self.next_base(class, depth) {
                Ok(Some(base)) => class = base,
                Ok(None) => return Reading::Declared(self.nothing(test)),
                Err(unchecked) => return Reading::Unchecked(unchecked),
            }
            depth += 1;
        }
    }

    /// The one base that may have `ARGS`; none if there is no such base.
    fn next_base(&self, class: &'a StmtClassDef, depth: usize) -> Result<Option<&'a StmtClassDef>, Unchecked> {
        let mut next = None;
        for base in bases(class) {
            match self.local_class(base) {
                Some(local) if next.is_none() && depth < MAX_DEPTH => next = Some(local),
                None if matches!(last_name(base), Some("TestCase" | "object")) => {}
                _ => return Err(self.unchecked("its arguments may come from this base", base)),
            }
        }
        Ok(next)
    }

    fn nothing(&self, class: &StmtClassDef) -> Declaration {
        Declaration {
            class: self.span(&class.name),
            is_written: false,
            arguments: Vec::new(),
            open: None,
            faults: Vec::new(),
        }
    }

    fn arguments(&'a self, class: &StmtClassDef, list: &'a Expr, names: Names<'a>) -> Declaration {
        let Declared { arguments, open, faults } = declared(self, names, list);
        Declaration { class: self.span(&class.name), is_written: true, arguments, open, faults }
    }

    /// The last part of a called name, as it is called where it comes from.
    pub(super) fn called<'e>(&'e self, call: &'e ExprCall) -> Option<&'e str> {
        let name = last_name(&call.func)?;
        Some(match &*call.func {
            Expr::Name(_) => self.renamed.get(name).copied().unwrap_or(name),
            _ => name,
        })
    }
}

fn bases(class: &StmtClassDef) -> impl Iterator<Item = &Expr> {
    class.arguments.iter().flat_map(|arguments| &arguments.args)
}

/// `c` of `a.b.c`.
fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The names that are assigned in a body, with their values if that is done once and always.
pub(super) fn constants<'a>(body: &'a [Stmt], text: &str) -> Names<'a> {
    let mut names = Names::new();
    let mut unsure: Vec<&str> = Vec::new();
    for statement in body {
        match statement {
            Stmt::Assign(assign) => {
                for target in assign.targets.iter().filter_map(Expr::as_name_expr) {
                    set(&mut names, target.id.as_str(), Some(&assign.value));
                }
            }
            Stmt::AnnAssign(assign) => {
                if let (Some(target), Some(value)) = (assign.target.as_name_expr(), &assign.value) {
                    set(&mut names, target.id.as_str(), Some(value));
                }
            }
            Stmt::AugAssign(assign) => {
                if let Some(target) = assign.target.as_name_expr() {
                    set(&mut names, target.id.as_str(), None);
                }
            }
            Stmt::If(_) | Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::With(_) | Stmt::Match(_) => {
                unsure.push(&text[statement.range()]);
            }
            _ => {}
        }
    }
    for block in unsure {
        let mentioned = |name: &str| block.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name);
        for (name, value) in &mut names {
            if mentioned(name) && is_assigned(block, name) {
                *value = None;
            }
        }
        if mentioned("ARGS") && is_assigned(block, "ARGS") {
            names.insert("ARGS", None);
        }
    }
    names
}

/// Whether a list `ARGS` is changed somewhere, or made anew by a method: too often rather than too rarely.
fn is_changed_later(text: &str) -> bool {
    let changes = [".append(", ".extend(", ".insert(", ".remove(", ".pop(", ".clear(", ".reverse(", ".sort("];
    text.match_indices("ARGS").any(|(at, name)| {
        let rest = text[at + name.len()..].trim_start();
        let is_set = || rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with("+=");
        changes.iter().any(|change| rest.starts_with(change)) || (text[..at].ends_with('.') && is_set())
    })
}

/// Whether a block of code may assign a name: too often rather than too rarely.
fn is_assigned(block: &str, name: &str) -> bool {
    block.match_indices(name).any(|(at, _)| {
        let rest = block[at + name.len()..].trim_start();
        rest.starts_with(['=', '+', ',', ':']) && !rest.starts_with("==")
    })
}

fn set<'a>(names: &mut Names<'a>, name: &'a str, value: Option<&'a Expr>) {
    let first = !names.contains_key(name);
    names.insert(name, value.filter(|_| first));
}
