//! Comprehensions.

use std::sync::Arc;

use super::iterate::{collect, iterate};
use super::tree::{Evaluation, malformed};
use super::{Failure, charge_key, error};
use crate::expression::{Collection, Id, Node, Nodes};
use crate::value::{Dict, Set, Value};

/// What a comprehension collects.
enum Collected {
    List(Vec<Value>),
    Set(Set),
    Dict(Dict),
}

impl Evaluation<'_> {
    pub(super) fn comprehension(
        &mut self,
        collection: Collection,
        element: Id,
        clauses: Nodes,
    ) -> Result<Value, Failure> {
        let mut collected = match collection {
            Collection::List => Collected::List(Vec::new()),
            Collection::Set => Collected::Set(Set::new(false)),
            Collection::Dict => Collected::Dict(Dict::with_capacity(0)),
        };
        let tree = self.tree;
        self.clauses(tree.list(clauses), element, &mut collected)?;
        Ok(match collected {
            Collected::List(items) => Value::list(items),
            Collected::Set(set) => Value::Set(Arc::new(set)),
            Collected::Dict(dict) => Value::Dict(Arc::new(dict)),
        })
    }

    fn clauses(&mut self, clauses: &[u32], element: Id, collected: &mut Collected) -> Result<(), Failure> {
        let Some((&first, rest)) = clauses.split_first() else { return self.collect(element, collected) };
        match self.tree.nodes[first as usize] {
            Node::If(condition) => {
                if self.find(condition)?.is_truthy() {
                    self.clauses(rest, element, collected)?;
                }
                Ok(())
            }
            Node::For { target, iterable } => {
                let source = self.find(iterable)?;
                let mut items = iterate(&source, &mut self.meter).map_err(|failure| failure.at(iterable))?;
                drop(source);
                while let Some(item) = items.next(&mut self.meter)? {
                    self.bind(target, item)?;
                    self.clauses(rest, element, collected)?;
                }
                Ok(())
            }
            _ => Err(malformed()),
        }
    }

    fn collect(&mut self, element: Id, collected: &mut Collected) -> Result<(), Failure> {
        match (collected, self.tree.nodes[element.index()]) {
            (Collected::List(items), _) => {
                let value = self.value(element)?;
                self.meter.items(1)?;
                items.push(value);
            }
            (Collected::Set(set), _) => {
                let value = self.value(element)?;
                self.meter.entries(1)?;
                set.insert(charge_key(value, &mut self.meter).map_err(|failure| failure.at(element))?);
            }
            (Collected::Dict(dict), Node::Pair { key, value }) => {
                let (name, value) = (self.value(key)?, self.value(value)?);
                self.meter.entries(1)?;
                dict.insert(charge_key(name, &mut self.meter).map_err(|failure| failure.at(key))?, value);
            }
            (Collected::Dict(_), _) => return Err(malformed()),
        }
        Ok(())
    }

    fn bind(&mut self, target: Id, value: Value) -> Result<(), Failure> {
        match self.tree.nodes[target.index()] {
            Node::Variable { slot, .. } => {
                self.variables[slot as usize] = value;
                Ok(())
            }
            Node::Tuple(targets) => self.unpack(target, targets, &value),
            _ => Err(malformed()),
        }
    }

    fn unpack(&mut self, target: Id, targets: Nodes, value: &Value) -> Result<(), Failure> {
        let targets: Vec<Id> = self.ids(targets).collect();
        let starred = targets.iter().position(|id| matches!(self.tree.nodes[id.index()], Node::Starred(_)));
        let not_iterable = |failure: Failure| match failure.kind {
            super::ErrorKind::Type => {
                error::r#type(format!("cannot unpack non-iterable {} object", value.type_name())).at(target)
            }
            _ => failure.at(target),
        };
        let mut items = collect(value, &mut self.meter).map_err(not_iterable)?;
        let least = targets.len() - usize::from(starred.is_some());
        if items.len() < least {
            let at_least = if starred.is_some() { "at least " } else { "" };
            let message = format!("not enough values to unpack (expected {at_least}{least}, got {})", items.len());
            return Err(error::value(message).at(target));
        }
        if items.len() > least && starred.is_none() {
            return Err(error::value(format!("too many values to unpack (expected {least})")).at(target));
        }
        let extra = items.len() - least;
        for &id in &targets {
            match self.tree.nodes[id.index()] {
                Node::Starred(inner) => {
                    let list = items.drain(..extra).collect();
                    self.bind(inner, Value::list(list))?;
                }
                _ => self.bind(id, items.remove(0))?,
            }
        }
        Ok(())
    }
}
