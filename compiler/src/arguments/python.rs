//! The source of a Python test to its declaration, by parsing it.
//!
//! Names are followed to constants of the class and of the module that are assigned once; everything else that is not a literal is
//! unknown.

use std::collections::HashMap;

use ruff_python_ast::{Arguments, Expr, ExprCall, Number, Operator, Stmt, StmtClassDef, UnaryOp};
use ruff_text_size::{Ranged, TextRange};
use tlc_plan::Data;

use super::check::is_instance;
use super::{Argument, Declaration, Fallback, Fault, Given, Reading, Schema, Type, Types, Unchecked};
use crate::source::Span;

/// Larger sources are not read, in bytes.
const MAX_SOURCE: usize = 256 << 10;

/// The parser grows its stack by itself, but letting go of a deep tree recurses: enough for any source of [`MAX_SOURCE`].
const STACK: usize = 256 << 20;

/// How many names and levels an expression is followed through.
const MAX_DEPTH: usize = 64;

/// Reads a source that begins at `base` in the map.
pub(super) fn read(text: &str, base: u32) -> Reading {
    let whole = Span { start: base, len: 0 };
    if text.len() > MAX_SOURCE {
        return unchecked("the source is too large to be read", whole);
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        let reading = builder.spawn_scoped(scope, || read_module(text, base)).map(std::thread::ScopedJoinHandle::join);
        match reading {
            Ok(Ok(reading)) => reading,
            Ok(Err(_)) | Err(_) => unchecked("the source cannot be parsed", whole),
        }
    })
}

fn unchecked(reason: impl Into<String>, span: Span) -> Reading {
    Reading::Unchecked(Unchecked { reason: reason.into(), span })
}

fn read_module(text: &str, base: u32) -> Reading {
    let module = match ruff_python_parser::parse_module(text) {
        Ok(parsed) => parsed.into_syntax(),
        Err(error) => {
            return unchecked(format!("the source is no Python: {}", error.error), span(base, error.location));
        }
    };
    let module = Module::new(text, base, &module.body);
    match module.test_class() {
        Ok(class) => module.declaration(class),
        Err(unchecked) => Reading::Unchecked(unchecked),
    }
}

fn span(base: u32, range: TextRange) -> Span {
    Span { start: base + range.start().to_u32(), len: range.len().to_u32() }
}

/// The names of a module, or of a class in it.
type Names<'a> = HashMap<&'a str, Option<&'a Expr>>;

/// A module: its classes, its constants and what it imports under another name.
struct Module<'a> {
    text: &'a str,
    base: u32,
    classes: Vec<&'a StmtClassDef>,
    constants: Names<'a>,
    renamed: HashMap<&'a str, &'a str>,
}

/// What a call in `ARGS` declares.
enum Declarer {
    Arg,
    I18nArg,
}

/// A list of arguments that is being read.
struct Declaring<'a> {
    module: &'a Module<'a>,
    names: Names<'a>,
    arguments: Vec<Argument>,
    open: Option<Unchecked>,
    faults: Vec<Fault>,
}

impl<'a> Module<'a> {
    fn new(text: &'a str, base: u32, body: &'a [Stmt]) -> Self {
        let classes = body.iter().filter_map(Stmt::as_class_def_stmt).collect();
        let imports = body.iter().filter_map(Stmt::as_import_from_stmt).flat_map(|import| &import.names);
        let renamed = imports.filter_map(|name| Some((name.asname.as_ref()?.as_str(), name.name.as_str()))).collect();
        Self { text, base, classes, constants: constants(body, text), renamed }
    }

    fn span(&self, node: &impl Ranged) -> Span {
        span(self.base, node.range())
    }

    fn unchecked(&self, reason: impl Into<String>, node: &impl Ranged) -> Unchecked {
        Unchecked { reason: reason.into(), span: self.span(node) }
    }

    /// The one class that is a test.
    fn test_class(&self) -> Result<&'a StmtClassDef, Unchecked> {
        let tests: Vec<_> = self.classes.iter().copied().filter(|class| self.is_test(class, 0)).collect();
        match tests[..] {
            [test] => Ok(test),
            [] => Err(self.unchecked("there is no test class in it", &TextRange::default())),
            [_, second, ..] => Err(self.unchecked("there are several test classes in it", &second.name)),
        }
    }

    fn is_test(&self, class: &StmtClassDef, depth: usize) -> bool {
        depth < MAX_DEPTH
            && bases(class).any(|base| match self.local_class(base) {
                Some(local) => self.is_test(local, depth + 1),
                None => last_name(base).is_some_and(|name| name.ends_with("TestCase") || name.ends_with("Test")),
            })
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
        Declaration { class: self.span(&class.name), arguments: Vec::new(), open: None, faults: Vec::new() }
    }

    fn arguments(&'a self, class: &StmtClassDef, list: &'a Expr, names: Names<'a>) -> Declaration {
        let mut declaring = Declaring { module: self, names, arguments: Vec::new(), open: None, faults: Vec::new() };
        declaring.list(list, 0);
        let Declaring { arguments, open, faults, .. } = declaring;
        Declaration { class: self.span(&class.name), arguments, open, faults }
    }

    /// The last part of a called name, as it is called where it comes from.
    fn called<'e>(&'e self, call: &'e ExprCall) -> Option<&'e str> {
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
fn constants<'a>(body: &'a [Stmt], text: &str) -> Names<'a> {
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

impl<'a> Declaring<'a> {
    fn span(&self, node: &impl Ranged) -> Span {
        self.module.span(node)
    }

    fn unknown(&mut self, reason: &str, node: &impl Ranged) {
        let unchecked = self.module.unchecked(reason, node);
        self.open.get_or_insert(unchecked);
    }

    fn fault(&mut self, message: String, node: &impl Ranged) {
        let span = self.span(node);
        self.faults.push(Fault { message, span });
    }

    /// The value of a name, if it is known.
    fn value_of(&self, expr: &Expr) -> Option<&'a Expr> {
        let name = expr.as_name_expr()?.id.as_str();
        self.names.get(name).or_else(|| self.module.constants.get(name)).copied().flatten()
    }

    fn list(&mut self, expr: &'a Expr, depth: usize) {
        match expr {
            _ if depth > MAX_DEPTH => self.unknown("this is too deep", expr),
            Expr::List(list) => list.elts.iter().for_each(|item| self.item(item, depth)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|item| self.item(item, depth)),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                self.list(&sum.left, depth + 1);
                self.list(&sum.right, depth + 1);
            }
            other => match self.value_of(other) {
                Some(value) => self.list(value, depth + 1),
                None => self.unknown("these arguments are only known when the test runs", other),
            },
        }
    }

    fn item(&mut self, expr: &'a Expr, depth: usize) {
        match expr {
            _ if depth > MAX_DEPTH => self.unknown("this is too deep", expr),
            Expr::Starred(starred) => self.list(&starred.value, depth + 1),
            Expr::Call(call) => match self.module.called(call) {
                Some("Arg") => self.argument(call, &Declarer::Arg),
                Some("I18nArg") => self.argument(call, &Declarer::I18nArg),
                _ => self.unknown("this argument is only known when the test runs", call),
            },
            other => match self.value_of(other) {
                Some(value) => self.item(value, depth + 1),
                None => self.unknown("this argument is only known when the test runs", other),
            },
        }
    }

    fn argument(&mut self, call: &'a ExprCall, declarer: &Declarer) {
        let arguments = &call.arguments;
        if arguments.args.iter().any(Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
        {
            return self.unknown("this argument is only known when the test runs", call);
        }
        let name = match arguments.find_argument_value("name", 0).map(|name| self.literal(name, 0)) {
            Some(Some(Data::String(name))) if !name.is_empty() => name.to_string(),
            Some(None) => return self.unknown("the name of this argument is only known when the test runs", call),
            _ => return self.fault("an argument has no name".into(), call),
        };
        let argument = match declarer {
            Declarer::Arg => self.plain(name, call),
            Declarer::I18nArg => self.i18n(name, call),
        };
        self.arguments.push(argument);
    }

    fn plain(&mut self, name: String, call: &'a ExprCall) -> Argument {
        let arguments = &call.arguments;
        let types = self.declared_types(&name, call);
        self.needs_help(&name, 2, call);
        let default = self.default(arguments, 3);
        let schema = match arguments.find_keyword("schema").map(|keyword| &keyword.value) {
            None | Some(Expr::NoneLiteral(_)) => Schema::Nothing,
            Some(schema) => self.schema(schema, 0),
        };
        let argument = Argument { name, span: self.span(call), types, default, i18n: false, schema };
        self.default_fits(&argument, call);
        argument
    }

    fn i18n(&mut self, name: String, call: &'a ExprCall) -> Argument {
        self.needs_help(&name, 1, call);
        let default = self.default(&call.arguments, 2);
        let types = Types::Known(vec![Type::Str, Type::Dict]);
        let argument = Argument { name, span: self.span(call), types, default, i18n: true, schema: Schema::Nothing };
        self.default_fits(&argument, call);
        argument
    }

    fn needs_help(&mut self, name: &str, position: usize, call: &'a ExprCall) {
        let arguments = &call.arguments;
        let help = arguments
            .find_argument_value("help", position)
            .or_else(|| arguments.find_argument_value("help_msg", position));
        let missing = match help {
            None => true,
            Some(help) => {
                matches!(self.literal(help, 0), Some(Data::Null))
                    || help.as_string_literal_expr().is_some_and(|text| text.value.is_empty())
            }
        };
        if missing {
            self.fault(format!("the argument `{name}` has no help text"), call);
        }
    }

    fn default(&self, arguments: &'a Arguments, position: usize) -> Fallback {
        match arguments.find_argument_value("default", position) {
            None => Fallback::Required,
            Some(value) => self.literal(value, 0).map_or(Fallback::Unknown, Fallback::Value),
        }
    }

    fn default_fits(&mut self, argument: &Argument, call: &'a ExprCall) {
        let (Fallback::Value(value), Types::Known(types)) = (&argument.default, &argument.types) else { return };
        let position = if argument.i18n { 2 } else { 3 };
        let is_tuple = call.arguments.find_argument_value("default", position).is_some_and(Expr::is_tuple_expr);
        let given = if is_tuple { Given::Tuple(value.clone()) } else { Given::Data(value.clone()) };
        if *value != Data::Null && !types.iter().any(|known| is_instance(known, &given)) {
            self.fault(
                format!("the default of the argument `{}` has another type than the argument", argument.name),
                call,
            );
        }
    }

    fn declared_types(&mut self, name: &str, call: &'a ExprCall) -> Types {
        let declared = call.arguments.find_argument_value("type", 1);
        let mut types = Vec::new();
        match declared {
            None | Some(Expr::NoneLiteral(_)) => {}
            Some(expr) => match self.types(expr, &mut types, 0) {
                Ok(()) => {}
                Err(Some(unchecked)) => return Types::Unknown(unchecked),
                Err(None) => {
                    self.fault(format!("the type of the argument `{name}` is no type"), expr);
                    return Types::Unknown(self.module.unchecked("its type is no type", expr));
                }
            },
        }
        if types.is_empty() {
            self.fault(format!("the argument `{name}` has no type"), call);
            return Types::Unknown(self.module.unchecked("it has no type", call));
        }
        Types::Known(types)
    }

    /// Adds the types that an expression names. An error without a reason is a mistake in the source.
    fn types(&self, expr: &'a Expr, types: &mut Vec<Type>, depth: usize) -> Result<(), Option<Unchecked>> {
        let unknown = || Some(self.module.unchecked("its type is only known when the test runs", expr));
        match expr {
            _ if depth > MAX_DEPTH => return Err(unknown()),
            Expr::Tuple(tuple) => return tuple.elts.iter().try_for_each(|item| self.types(item, types, depth + 1)),
            Expr::List(_)
            | Expr::Dict(_)
            | Expr::StringLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_) => {
                return Err(None);
            }
            Expr::Call(call) => types.push(self.called_type(call).ok_or_else(unknown)?),
            other => match builtin_type(other) {
                Some(known) => types.push(known),
                None => {
                    return self
                        .value_of(other)
                        .ok_or_else(unknown)
                        .and_then(|value| self.types(value, types, depth + 1));
                }
            },
        }
        Ok(())
    }

    /// `type(None)` and `Enum([...])`.
    fn called_type(&self, call: &'a ExprCall) -> Option<Type> {
        let [argument] = &*call.arguments.args else { return None };
        match self.module.called(call)? {
            "type" if argument.is_none_literal_expr() => Some(Type::Null),
            "Enum" => match self.literal(argument, 0)? {
                Data::List(members) => Some(Type::Enum(members.to_vec())),
                _ => None,
            },
            _ => None,
        }
    }

    fn schema(&self, expr: &'a Expr, depth: usize) -> Schema {
        let unknown = || Schema::Unknown(self.module.unchecked("its schema is only known when the test runs", expr));
        if depth > MAX_DEPTH {
            return unknown();
        }
        match expr {
            Expr::Call(call) if self.module.called(call) == Some("JSONSchemaDict") => {
                let schema = call.arguments.find_argument_value("schema", 1).and_then(|schema| self.literal(schema, 0));
                schema.map_or_else(unknown, Schema::Known)
            }
            other => self.value_of(other).map_or_else(unknown, |value| self.schema(value, depth + 1)),
        }
    }

    /// The value of an expression that can be known without executing it; a tuple or a set is a list.
    fn literal(&self, expr: &'a Expr, depth: usize) -> Option<Data> {
        if depth > MAX_DEPTH {
            return None;
        }
        let all = |items: &'a [Expr]| {
            items.iter().map(|item| self.literal(item, depth + 1)).collect::<Option<_>>().map(Data::list)
        };
        match expr {
            Expr::NoneLiteral(_) => Some(Data::Null),
            Expr::BooleanLiteral(literal) => Some(Data::Bool(literal.value)),
            Expr::StringLiteral(literal) => Some(Data::string(literal.value.to_str())),
            Expr::NumberLiteral(literal) => number(&literal.value),
            Expr::UnaryOp(operation) if operation.op == UnaryOp::USub => {
                negative(&self.literal(&operation.operand, depth + 1)?)
            }
            Expr::List(list) => all(&list.elts),
            Expr::Tuple(tuple) => all(&tuple.elts),
            Expr::Set(set) => all(&set.elts),
            Expr::Dict(dict) => {
                let members = dict.items.iter().map(|item| {
                    let Data::String(key) = self.literal(item.key.as_ref()?, depth + 1)? else { return None };
                    Some((key, self.literal(&item.value, depth + 1)?))
                });
                members.collect::<Option<_>>().map(Data::object)
            }
            other => self.literal(self.value_of(other)?, depth + 1),
        }
    }
}

fn builtin_type(expr: &Expr) -> Option<Type> {
    Some(match expr.as_name_expr()?.id.as_str() {
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "str" => Type::Str,
        "list" => Type::List,
        "tuple" => Type::Tuple,
        "dict" => Type::Dict,
        _ => return None,
    })
}

fn number(number: &Number) -> Option<Data> {
    match number {
        Number::Int(int) => int.to_string().parse().ok().map(Data::integer),
        Number::Float(float) => float.is_finite().then_some(Data::Float(*float)),
        Number::Complex { .. } => None,
    }
}

fn negative(value: &Data) -> Option<Data> {
    match value {
        Data::Int(value) => value.checked_neg().map(Data::Int),
        Data::Float(value) => Some(Data::Float(-value)),
        _ => None,
    }
}
