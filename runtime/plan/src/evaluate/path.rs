//! Chains of attributes from a root: attribute dictionaries, and device data with its null default (reference: Q2, Q3, R5).

use std::borrow::Cow;
use std::sync::Arc;

use super::call::Args;
use super::tree::{Evaluation, Found, absent, unresolvable};
use super::{Binding, Failure, Meter, attribute, error, sequence};
use crate::expression::{Id, Node, Nodes, Root};
use crate::value::{Method, Value};

/// A method that is called on a chain of device data.
pub(super) enum Selected<'a> {
    /// `.Get(…)`: on this value, if there is one.
    Get(Option<Found<'a>>, String),
    /// Any other name: a key of the data, whose value cannot be called.
    Key(String),
}

impl<'a> Evaluation<'a> {
    /// `root.a.b`
    pub(super) fn path(&mut self, root: Root, names: Nodes) -> Result<Found<'a>, Failure> {
        let tree = self.tree;
        let names = tree.list(names);
        match self.scope.get(root) {
            Binding::Value(value) => self.attributes(value, names),
            Binding::Device(value) => Ok(self.device(value, names)),
            Binding::Absent => Err(absent(root)),
            Binding::Unresolvable => Err(unresolvable(root)),
        }
    }

    fn attributes(&mut self, value: &'a Value, names: &'a [u32]) -> Result<Found<'a>, Failure> {
        let mut value = value;
        for (position, &name) in names.iter().enumerate() {
            let name = &self.tree.names[name as usize];
            match value {
                Value::Dict(dict) if dict.attributes => match dict.get_str(name) {
                    Some(next) => value = next,
                    None => return self.other_attributes(value, &names[position..]),
                },
                _ => return self.other_attributes(value, &names[position..]),
            }
        }
        Ok(Cow::Borrowed(value))
    }

    #[cold]
    fn other_attributes(&mut self, value: &'a Value, names: &[u32]) -> Result<Found<'a>, Failure> {
        let mut value = value.clone();
        for &name in names {
            value = attribute::get(&value, &self.tree.names[name as usize])?;
        }
        Ok(Cow::Owned(value))
    }

    /// A chain of device data; what is not there is null. A chain that ends in `Get` is a method that is not called.
    fn device(&self, value: &'a Value, names: &[u32]) -> Found<'a> {
        match names.split_last() {
            Some((&last, rest)) if *self.tree.names[last as usize] == *"Get" => {
                let object = self.fetch(value, rest).cloned().unwrap_or(Value::None);
                Cow::Owned(Value::Method(Arc::new(Method { object, name: "Get".into() })))
            }
            _ => self.fetch(value, names).map_or(Cow::Owned(Value::None), Cow::Borrowed),
        }
    }

    fn fetch(&self, value: &'a Value, names: &[u32]) -> Option<&'a Value> {
        names.iter().try_fold(value, |value, &name| match value {
            Value::Dict(dict) => dict.get_str(&self.tree.names[name as usize]),
            _ => None,
        })
    }

    /// Whether an attribute or a subscript is read from the selector object of the reference, so that what is missing is null: when an
    /// attribute follows a subscript, or a subscript stands directly on the root.
    pub(super) fn is_selected(&self, id: Id) -> bool {
        let mut attribute = false;
        let mut next = id;
        loop {
            next = match self.tree.nodes[next.index()] {
                Node::Attribute { object, .. } => {
                    attribute = true;
                    object
                }
                Node::Subscript { object, .. } => object,
                Node::Path { root, .. } => return attribute && self.is_device(root),
                Node::Root(root) => return self.is_device(root),
                _ => return false,
            };
        }
    }

    fn is_device(&self, root: Root) -> bool {
        matches!(self.scope.get(root), Binding::Device(_))
    }

    /// The value of a selector, if there is one.
    pub(super) fn select(&mut self, id: Id) -> Result<Option<Found<'a>>, Failure> {
        self.meter.step()?;
        match self.tree.nodes[id.index()] {
            Node::Root(root) => match self.scope.get(root) {
                Binding::Device(value) => Ok(Some(Cow::Borrowed(value))),
                _ => Ok(None),
            },
            Node::Path { root, names } => match self.scope.get(root) {
                Binding::Device(value) => Ok(self.fetch(value, self.tree.list(names)).map(Cow::Borrowed)),
                _ => Ok(None),
            },
            Node::Attribute { object, name } => {
                let name = &self.tree.names[name as usize];
                Ok(self.select(object)?.and_then(|object| member(&object, name)))
            }
            Node::Subscript { object, index } => {
                let object = self.select(object)?;
                let index = self.find(index)?;
                let Some(object) = object else { return Ok(None) };
                let Value::Str(keys) = &*index else {
                    return Ok(sequence::subscript(&object, &index, &mut self.meter).ok().map(Cow::Owned));
                };
                Ok(keys.split('.').try_fold(object, |object, key| member(&object, key)))
            }
            _ => Ok(None),
        }
    }

    /// What a method call means if its object is a chain of device data.
    pub(super) fn selected(&mut self, object: Id, name: &str) -> Result<Option<Selected<'a>>, Failure> {
        let text = match self.tree.nodes[object.index()] {
            Node::Path { root, names } if self.is_device(root) => {
                let names = self.tree.list(names).iter().map(|&name| &*self.tree.names[name as usize]);
                names.fold(root.name().to_owned(), |text, name| text + "." + name)
            }
            Node::Root(root) if self.is_device(root) => root.name().to_owned(),
            Node::Attribute { .. } | Node::Subscript { .. } if self.is_selected_by_attribute(object) => {
                "the selected value".to_owned()
            }
            _ => return Ok(None),
        };
        if name == "Get" {
            return Ok(Some(Selected::Get(self.select(object)?, text)));
        }
        Ok(Some(Selected::Key(format!("{text}.{name}"))))
    }

    /// In `device.a["b"].c()` the call makes the subscript part of an attribute.
    fn is_selected_by_attribute(&self, object: Id) -> bool {
        let mut next = object;
        loop {
            next = match self.tree.nodes[next.index()] {
                Node::Attribute { object, .. } | Node::Subscript { object, .. } => object,
                Node::Path { root, .. } | Node::Root(root) => return self.is_device(root),
                _ => return false,
            };
        }
    }
}

fn member<'a>(object: &Found<'a>, key: &str) -> Option<Found<'a>> {
    match object {
        Cow::Borrowed(Value::Dict(dict)) => dict.get_str(key).map(Cow::Borrowed),
        Cow::Owned(Value::Dict(dict)) => dict.get_str(key).cloned().map(Cow::Owned),
        _ => None,
    }
}

impl Selected<'_> {
    pub(super) fn call(self, args: &Args, meter: &mut Meter) -> Result<Value, Failure> {
        meter.step()?;
        match self {
            Self::Key(text) => {
                let message = format!("`{text}` is read as a key of the data, and its value cannot be called");
                Err(error::r#type(message).help("write `.Get()` before the method"))
            }
            Self::Get(found, text) => {
                if args.positional.len() + args.keywords.len() > 1 {
                    return Err(error::r#type("`Get` takes at most one argument"));
                }
                let default = args.positional.first().or(args.keywords.first().map(|(_, value)| value));
                match (found, default) {
                    (Some(value), _) => Ok(value.into_owned()),
                    (None, Some(default)) => Ok(default.clone()),
                    (None, None) => Err(error::key(format!("'{text}'"))),
                }
            }
        }
    }
}
