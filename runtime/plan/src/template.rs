//! Data with expressions in it: what an argument is before a test starts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Data;
use crate::data::Object;
use crate::members::Members;

/// Data in which some values are still expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Data that needs nothing more.
    Data(Data),
    /// The result of an expression.
    Expression(ExpressionUse),
    /// A text that begins with `eval! ` and is no expression; its evaluation fails with this message.
    Broken(Arc<str>),
    /// A list of templates, at least one of which is not data.
    List(Arc<[Template]>),
    /// An object of templates, at least one of which is not data.
    Object(Arc<Members<Template>>),
}

impl Default for Template {
    fn default() -> Self {
        Self::Data(Data::Null)
    }
}

/// One place of a test list where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpressionUse {
    /// Which tree: an index into [`Plan::expressions`](crate::Plan).
    pub expression: u32,
    /// Where it stands: an index into [`Plan::sources`](crate::Plan).
    pub source: u32,
}

impl Template {
    /// A list; plain data if all items are.
    pub fn list(items: Vec<Template>) -> Self {
        if items.iter().any(|item| item.as_data().is_none()) {
            return Self::List(items.into());
        }
        Self::Data(Data::list(items.into_iter().filter_map(Template::into_data).collect()))
    }

    /// An object; plain data if all members are.
    pub fn object(members: Members<Template>) -> Self {
        if members.values().any(|value| value.as_data().is_none()) {
            return Self::Object(Arc::new(members));
        }
        let mut data = Object::with_capacity(members.len());
        for (name, value) in members {
            if let Self::Data(value) = value {
                data.push_new(name, value);
            }
        }
        Self::Data(Data::object(data))
    }

    fn into_data(self) -> Option<Data> {
        match self {
            Self::Data(data) => Some(data),
            Self::Expression(_) | Self::Broken(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The data, if nothing in it is left to evaluate.
    pub fn as_data(&self) -> Option<&Data> {
        match self {
            Self::Data(data) => Some(data),
            Self::Expression(_) | Self::Broken(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}
