//! The walk over a tree.

use std::borrow::Cow;

use super::call::{self, Args};
use super::iterate::{collect, iterate};
use super::{Binding, Failure, Limits, Meter, Scope, arithmetic, attribute, compare, error, format, sequence};
use crate::expression::{Comparison, Conversion, Id, Logic, Node, Nodes, Root, Tree};
use crate::value::{Builtin, Dict, Set, Value};

/// An evaluation under way.
pub(super) struct Evaluation<'a> {
    pub(super) tree: &'a Tree,
    pub(super) scope: &'a Scope,
    pub(super) meter: Meter,
    pub(super) variables: Vec<Value>,
}

/// A value that is held by the tree or the scope, or one that is new.
pub(super) type Found<'a> = Cow<'a, Value>;

impl<'a> Evaluation<'a> {
    pub(super) fn new(tree: &'a Tree, scope: &'a Scope, limits: &Limits) -> Self {
        let variables = if tree.slots == 0 { Vec::new() } else { vec![Value::None; tree.slots as usize] };
        Self { tree, scope, meter: Meter::new(*limits), variables }
    }

    pub(super) fn value(&mut self, id: Id) -> Result<Value, Failure> {
        self.find(id).map(Cow::into_owned)
    }

    /// What a node evaluates to.
    pub(super) fn find(&mut self, id: Id) -> Result<Found<'a>, Failure> {
        let found = self.meter.step().and_then(|()| self.dispatch(id));
        match found {
            Ok(found) => Ok(found),
            Err(failure) => Err(failure.at(id)),
        }
    }

    fn dispatch(&mut self, id: Id) -> Result<Found<'a>, Failure> {
        let tree = self.tree;
        let owned = Cow::Owned;
        match tree.nodes[id.index()] {
            Node::None => Ok(owned(Value::None)),
            Node::Bool(value) => Ok(owned(Value::Bool(value))),
            Node::Int(value) => Ok(owned(Value::Int(value))),
            Node::Literal(literal) => Ok(Cow::Borrowed(&tree.literals[literal as usize])),
            Node::Path { root, names } => self.path(root, names),
            Node::Root(root) => self.root(root),
            Node::Builtin(builtin) => Ok(owned(Value::Builtin(builtin))),
            Node::Variable { slot, .. } => Ok(owned(self.variables[slot as usize].clone())),
            Node::Unknown(name) => Err(unknown(&tree.names[name as usize])),
            Node::Attribute { object, name } => self.attribute(id, object, name),
            Node::Subscript { object, index } => self.subscript(id, object, index),
            Node::Unary { sign, operand } => {
                let operand = self.find(operand)?;
                arithmetic::unary(sign, &operand, &mut self.meter).map(owned)
            }
            Node::Binary { operator, left, right } => {
                if let Node::Binary { .. } = tree.nodes[left.index()] {
                    return self.chain(id).map(owned);
                }
                let left = self.find(left)?;
                let right = self.find(right)?;
                arithmetic::binary(operator, &left, &right, &mut self.meter).map(owned)
            }
            Node::Logic { logic, operands } => self.logic(logic, operands),
            Node::Compare(parts) => self.compare(parts).map(owned),
            Node::Conditional { test, then, otherwise } => {
                let holds = self.find(test)?.is_truthy();
                self.find(if holds { then } else { otherwise })
            }
            Node::Tuple(items) => self.items(items).map(Value::tuple).map(owned),
            Node::List(items) => self.items(items).map(Value::list).map(owned),
            Node::Set(items) => self.set(items).map(owned),
            Node::Dict(entries) => self.dict(entries).map(owned),
            Node::Call { function, arguments } => self.call(function, arguments).map(owned),
            Node::CallMethod { object, name, arguments } => self.call_method(object, name, arguments).map(owned),
            Node::Comprehension { collection, element, clauses } => {
                self.comprehension(collection, element, clauses).map(owned)
            }
            Node::Joined(parts) => self.joined(parts).map(owned),
            Node::Formatted { value, conversion, spec } => {
                self.formatted(value, conversion, spec).map(|text| owned(Value::from(text)))
            }
            Node::Slice { .. }
            | Node::Compared { .. }
            | Node::Pair { .. }
            | Node::Starred(_)
            | Node::Mapping(_)
            | Node::Keyword { .. }
            | Node::For { .. }
            | Node::If(_) => Err(malformed()),
        }
    }

    pub(super) fn ids(&self, list: Nodes) -> impl ExactSizeIterator<Item = Id> + use<'a> {
        self.tree.list(list).iter().map(|&index| Id::new(index as usize))
    }

    fn root(&mut self, root: Root) -> Result<Found<'a>, Failure> {
        match self.scope.get(root) {
            Binding::Value(value) | Binding::Device(value) => Ok(Cow::Borrowed(value)),
            Binding::Absent => Err(absent(root)),
            Binding::Unresolvable => Err(unresolvable(root)),
        }
    }

    fn attribute(&mut self, id: Id, object: Id, name: u32) -> Result<Found<'a>, Failure> {
        if self.is_selected(id) {
            return Ok(self.select(id)?.unwrap_or(Cow::Owned(Value::None)));
        }
        let object = self.find(object)?;
        attribute::get(&object, &self.tree.names[name as usize]).map(Cow::Owned)
    }

    fn subscript(&mut self, id: Id, object: Id, index: Id) -> Result<Found<'a>, Failure> {
        if self.is_selected(id) {
            return Ok(self.select(id)?.unwrap_or(Cow::Owned(Value::None)));
        }
        let object = self.find(object)?;
        if let Node::Slice { start, stop, step } = self.tree.nodes[index.index()] {
            let (start, stop, step) = (self.find(start)?, self.find(stop)?, self.find(step)?);
            return sequence::slice(&object, [&start, &stop, &step], &mut self.meter).map(Cow::Owned);
        }
        let index = self.find(index)?;
        sequence::subscript(&object, &index, &mut self.meter).map(Cow::Owned)
    }

    /// A chain of binary operators, from its innermost left end outwards.
    fn chain(&mut self, id: Id) -> Result<Value, Failure> {
        let mut spine = Vec::new();
        let mut next = id;
        while let Node::Binary { left, .. } = self.tree.nodes[next.index()] {
            spine.push(next);
            next = left;
        }
        let mut value = self.find(next)?;
        for &link in spine.iter().rev() {
            let Node::Binary { operator, right, .. } = self.tree.nodes[link.index()] else { continue };
            self.meter.step()?;
            let right = self.find(right)?;
            let result = arithmetic::binary(operator, &value, &right, &mut self.meter);
            value = Cow::Owned(result.map_err(|failure| failure.at(link))?);
        }
        Ok(value.into_owned())
    }

    fn logic(&mut self, logic: Logic, operands: Nodes) -> Result<Found<'a>, Failure> {
        let mut last = Cow::Owned(Value::None);
        for operand in self.ids(operands) {
            last = self.find(operand)?;
            if last.is_truthy() == (logic == Logic::Or) {
                break;
            }
        }
        Ok(last)
    }

    fn compare(&mut self, parts: Nodes) -> Result<Value, Failure> {
        let mut parts = self.ids(parts);
        let mut left = self.find(parts.next().ok_or_else(malformed)?)?;
        for part in parts {
            let Node::Compared { comparison, operand } = self.tree.nodes[part.index()] else { return Err(malformed()) };
            if matches!(comparison, Comparison::In | Comparison::NotIn) {
                self.refuse_selector(operand)?;
            }
            let right = self.find(operand)?;
            if !compare::compare(comparison, &left, &right, &mut self.meter)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// The reference's selector objects cannot be searched (reference: Q3); a chain of attributes gives data, which can.
    fn refuse_selector(&self, operand: Id) -> Result<(), Failure> {
        let Node::Root(root) = self.tree.nodes[operand.index()] else { return Ok(()) };
        let Binding::Device(_) = self.scope.get(root) else { return Ok(()) };
        let message = format!("`in` cannot search the whole of `{0}`", root.name());
        Err(error::r#type(message).help(format!("ask for a part: `'b' in {0}.a`, or `{0}.b != None`", root.name())))
    }

    fn items(&mut self, list: Nodes) -> Result<Vec<Value>, Failure> {
        let ids = self.ids(list);
        self.meter.items(ids.len())?;
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            match self.tree.nodes[id.index()] {
                Node::Starred(inner) => {
                    let starred = self.find(inner)?;
                    let more = collect(&starred, &mut self.meter).map_err(|failure| failure.at(id))?;
                    items.extend(more);
                }
                _ => items.push(self.value(id)?),
            }
        }
        Ok(items)
    }

    fn set(&mut self, list: Nodes) -> Result<Value, Failure> {
        let items = self.items(list)?;
        let mut set = Set::new(false);
        for item in items {
            self.meter.entries(1)?;
            set.insert(super::charge_key(item, &mut self.meter)?);
        }
        Ok(Value::Set(set.into()))
    }

    fn dict(&mut self, entries: Nodes) -> Result<Value, Failure> {
        let ids = self.ids(entries);
        self.meter.entries(ids.len())?;
        let mut dict = Dict::with_capacity(ids.len());
        for id in ids {
            match self.tree.nodes[id.index()] {
                Node::Pair { key, value } => {
                    let (key, value) = (self.value(key)?, self.value(value)?);
                    dict.insert(super::charge_key(key, &mut self.meter)?, value);
                }
                Node::Mapping(inner) => {
                    let mapping = self.find(inner)?;
                    let Value::Dict(other) = &*mapping else {
                        let message = format!("'{}' object is not a mapping", mapping.type_name());
                        return Err(error::r#type(message).at(inner));
                    };
                    super::iterate::extend_dict(&mut dict, other, &mut self.meter)?;
                }
                _ => return Err(malformed()),
            }
        }
        Ok(Value::Dict(dict.into()))
    }

    fn call(&mut self, function: Id, arguments: Nodes) -> Result<Value, Failure> {
        let called = self.find(function)?;
        if let (Value::Builtin(builtin), [only]) = (&*called, self.tree.list(arguments))
            && let Some(argument) = self.single(Id::new(*only as usize))
        {
            let argument = self.find(argument)?;
            return call::builtin_of_one(*builtin, argument, &mut self.meter);
        }
        let args = self.args(arguments)?;
        call::call(&called, args, &mut self.meter)
    }

    /// The argument, if it is a plain one.
    fn single(&self, argument: Id) -> Option<Id> {
        match self.tree.nodes[argument.index()] {
            Node::Starred(_) | Node::Mapping(_) | Node::Keyword { .. } => None,
            _ => Some(argument),
        }
    }

    fn call_method(&mut self, object: Id, name: u32, arguments: Nodes) -> Result<Value, Failure> {
        let name = &self.tree.names[name as usize];
        if let Some(selected) = self.selected(object, name)? {
            let args = self.args(arguments)?;
            return selected.call(&args, &mut self.meter);
        }
        let object = self.find(object)?;
        super::methods::check(&object, name)?;
        let args = self.args(arguments)?;
        super::methods::call(&object, name, args, &mut self.meter)
    }

    /// Positional arguments first, then keywords, as Python evaluates them.
    fn args(&mut self, arguments: Nodes) -> Result<Args, Failure> {
        let mut args = Args::default();
        self.meter.items(self.ids(arguments).len())?;
        for id in self.ids(arguments) {
            match self.tree.nodes[id.index()] {
                Node::Starred(inner) => {
                    let starred = self.find(inner)?;
                    let mut items = iterate(&starred, &mut self.meter).map_err(|failure| failure.at(id))?;
                    while let Some(item) = items.next(&mut self.meter)? {
                        self.meter.items(1)?;
                        args.positional.push(item);
                    }
                }
                Node::Keyword { .. } | Node::Mapping(_) => {}
                _ => args.positional.push(self.value(id)?),
            }
        }
        for id in self.ids(arguments) {
            match self.tree.nodes[id.index()] {
                Node::Keyword { name, value } => {
                    let value = self.value(value)?;
                    args.add_keyword(self.tree.names[name as usize].clone(), value)?;
                }
                Node::Mapping(inner) => self.mapped_arguments(inner, &mut args)?,
                _ => {}
            }
        }
        Ok(args)
    }

    fn mapped_arguments(&mut self, inner: Id, args: &mut Args) -> Result<(), Failure> {
        let mapping = self.find(inner)?;
        let Value::Dict(dict) = &*mapping else {
            let message = format!("argument after ** must be a mapping, not {}", mapping.type_name());
            return Err(error::r#type(message).at(inner));
        };
        self.meter.entries(dict.len())?;
        for (key, value) in dict.iter() {
            self.meter.steps(1 + args.keywords.len() as u64 / 16)?;
            let Value::Str(name) = key else { return Err(error::r#type("keywords must be strings").at(inner)) };
            args.add_keyword(name.clone(), value.clone())?;
        }
        Ok(())
    }

    fn joined(&mut self, parts: Nodes) -> Result<Value, Failure> {
        let mut text = String::new();
        for id in self.ids(parts) {
            let part = self.find(id)?;
            let Value::Str(part) = &*part else { return Err(malformed()) };
            self.meter.allocate(part.len())?;
            text.push_str(part);
        }
        Ok(Value::from(text))
    }

    fn formatted(&mut self, value: Id, conversion: Conversion, spec: Id) -> Result<String, Failure> {
        let value = self.find(value)?;
        let converted = match conversion {
            Conversion::None => None,
            Conversion::Str => Some(format::str(&value, &mut self.meter)?),
            Conversion::Repr => Some(format::repr(&value, &mut self.meter)?),
            Conversion::Ascii => Some(format::ascii(&value, &mut self.meter)?),
        };
        let spec = self.find(spec)?;
        let Value::Str(spec) = &*spec else { return Err(malformed()) };
        match converted {
            Some(text) if spec.is_empty() => Ok(text),
            Some(text) => format::format(&Value::from(text), spec, &mut self.meter),
            None => format::format(&value, spec, &mut self.meter),
        }
    }
}

/// A plan whose expression has a node where it cannot be.
#[cold]
pub(super) fn malformed() -> Failure {
    error::refused("the expression's tree is malformed")
}

fn unknown(name: &str) -> Failure {
    error::name(format!("name '{name}' is not defined"))
}

pub(super) fn absent(root: Root) -> Failure {
    error::name(format!("name '{}' is not defined here", root.name()))
}

pub(super) fn unresolvable(root: Root) -> Failure {
    Failure::new(super::ErrorKind::Unresolvable, format!("`{}` is not known here", root.name()))
}

/// Whether it is a builtin type or function.
pub(super) fn is_builtin(value: &Value) -> Option<Builtin> {
    match value {
        Value::Builtin(builtin) => Some(*builtin),
        _ => None,
    }
}
