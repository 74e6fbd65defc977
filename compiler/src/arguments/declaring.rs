//! A list `ARGS` of a Python test to the arguments that it declares.
//!
//! Names are followed to constants of the class and of the module that are assigned once; everything else that is not a literal is
//! unknown.

use std::cell::Cell;

use ruff_python_ast::{Arguments, Expr, ExprCall, Number, Operator, UnaryOp};
use ruff_text_size::Ranged;
use tlc_plan::Data;
use tlc_plan::data::Object;

use super::check::is_instance;
use super::python::{MAX_DEPTH, Module, Names};
use super::{Argument, Fallback, Fault, Given, Schema, Type, Types, Unchecked};
use crate::source::Span;

/// How many expressions of a list are looked at.
const MAX_STEPS: u32 = 100_000;

/// What a call in `ARGS` declares.
enum Declarer {
    Arg,
    I18nArg,
}

/// What a list of arguments declares.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) arguments: Vec<Argument>,
    pub(super) open: Option<Unchecked>,
    pub(super) faults: Vec<Fault>,
}

/// A list of arguments that is being read.
struct Declaring<'a> {
    module: &'a Module<'a>,
    names: Names<'a>,
    /// How many more expressions are looked at: names that stand for each other may unfold without an end.
    steps: Cell<u32>,
    declared: Declared,
}

/// Reads a list of arguments; `names` are those of the class.
pub(super) fn declared<'a>(module: &'a Module<'a>, names: Names<'a>, list: &'a Expr) -> Declared {
    let mut declaring = Declaring { module, names, steps: Cell::new(MAX_STEPS), declared: Declared::default() };
    declaring.list(list, 0);
    declaring.declared
}

impl<'a> Declaring<'a> {
    fn span(&self, node: &impl Ranged) -> Span {
        self.module.span(node)
    }

    fn unknown(&mut self, reason: &str, node: &impl Ranged) {
        let unchecked = self.module.unchecked(reason, node);
        self.declared.open.get_or_insert(unchecked);
    }

    fn fault(&mut self, message: String, node: &impl Ranged) {
        let span = self.span(node);
        self.declared.faults.push(Fault { message, span });
    }

    /// Counts a step; whether it is one too many.
    fn is_too_far(&self, depth: usize) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left == 0 || depth > MAX_DEPTH
    }

    /// The value of a name, if it is known.
    fn value_of(&self, expr: &Expr) -> Option<&'a Expr> {
        let name = expr.as_name_expr()?.id.as_str();
        self.names.get(name).or_else(|| self.module.constants.get(name)).copied().flatten()
    }

    fn list(&mut self, expr: &'a Expr, depth: usize) {
        match expr {
            _ if self.is_too_far(depth) => self.unknown("this is too deep", expr),
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
            _ if self.is_too_far(depth) => self.unknown("this is too deep", expr),
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
        self.declared.arguments.push(argument);
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
            _ if self.is_too_far(depth) => return Err(unknown()),
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
        if self.is_too_far(depth) {
            return unknown();
        }
        match expr {
            Expr::Call(call) if self.module.called(call) == Some("JSONSchemaDict") => {
                let schema = call.arguments.find_argument_value("schema", 1).and_then(|schema| self.literal(schema, 0));
                schema.map_or_else(unknown, Schema::Known)
            }
            Expr::Dict(_) => self.literal(expr, 0).map_or_else(unknown, Schema::Known),
            other => self.value_of(other).map_or_else(unknown, |value| self.schema(value, depth + 1)),
        }
    }

    /// The value of an expression that can be known without executing it; a tuple or a set is a list.
    fn literal(&self, expr: &'a Expr, depth: usize) -> Option<Data> {
        if self.is_too_far(depth) {
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
                members.collect::<Option<Object>>().map(Data::object)
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
