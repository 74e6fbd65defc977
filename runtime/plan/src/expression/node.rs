//! The nodes of an expression: 16 bytes each.

use serde::{Deserialize, Serialize};

use super::Root;
use crate::value::Builtin;

/// A node: an index into the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(u32);

/// A list of nodes (in a [`Node::Path`], of names): an index into the arena's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nodes(u32);

/// A part of an expression. Numbers called `name` and `literal` are indices into the expression's names and literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other value that is known.
    Literal(u32),
    /// A bare root: `constants`.
    Root(Root),
    /// A root with attributes: `constants.a.b`.
    Path {
        /// Where it begins.
        root: Root,
        /// The attributes, as names.
        names: Nodes,
    },
    /// A builtin: `len`.
    Builtin(Builtin),
    /// A variable of a comprehension.
    Variable {
        /// Where its value is kept.
        slot: u32,
        /// What it is called.
        name: u32,
    },
    /// A name that nothing binds.
    Unknown(u32),
    /// `object.name`.
    Attribute {
        /// Of what.
        object: Id,
        /// The attribute.
        name: u32,
    },
    /// `object[index]`.
    Subscript {
        /// Of what.
        object: Id,
        /// Which: an expression or a [`Node::Slice`].
        index: Id,
    },
    /// `start:stop:step` in a subscript; a part that is left out is [`Node::None`].
    Slice {
        /// From.
        start: Id,
        /// To.
        stop: Id,
        /// By.
        step: Id,
    },
    /// `-x`, `+x`, `~x`, `not x`.
    Unary {
        /// Which.
        sign: Sign,
        /// Of what.
        operand: Id,
    },
    /// `left + right`.
    Binary {
        /// Which.
        operator: Arithmetic,
        /// The first operand.
        left: Id,
        /// The second operand.
        right: Id,
    },
    /// `a and b and c`.
    Logic {
        /// Which.
        logic: Logic,
        /// The operands.
        operands: Nodes,
    },
    /// `a < b <= c`: after the first operand, [`Node::Compared`].
    Compare(Nodes),
    /// `< b` in a comparison.
    Compared {
        /// Which.
        comparison: Comparison,
        /// The right-hand operand.
        operand: Id,
    },
    /// `then if test else otherwise`.
    Conditional {
        /// What decides.
        test: Id,
        /// The value if it is true.
        then: Id,
        /// The value if not.
        otherwise: Id,
    },
    /// `(a, *b)`.
    Tuple(Nodes),
    /// `[a, *b]`.
    List(Nodes),
    /// `{a, *b}`.
    Set(Nodes),
    /// `{a: b, **c}`: of [`Node::Pair`] and [`Node::Mapping`].
    Dict(Nodes),
    /// `key: value` in a dict.
    Pair {
        /// The key.
        key: Id,
        /// The value.
        value: Id,
    },
    /// `*x` in a display or a call.
    Starred(Id),
    /// `**x` in a dict or a call.
    Mapping(Id),
    /// `name=x` in a call.
    Keyword {
        /// The parameter.
        name: u32,
        /// Its value.
        value: Id,
    },
    /// `function(arguments)`.
    Call {
        /// What is called.
        function: Id,
        /// The arguments: expressions, [`Node::Starred`], [`Node::Keyword`], [`Node::Mapping`].
        arguments: Nodes,
    },
    /// `object.name(arguments)`.
    CallMethod {
        /// Of what.
        object: Id,
        /// The method.
        name: u32,
        /// The arguments.
        arguments: Nodes,
    },
    /// `[element for … in … if …]`.
    Comprehension {
        /// What it makes.
        collection: Collection,
        /// The element; a [`Node::Pair`] for a dict.
        element: Id,
        /// [`Node::For`] and [`Node::If`], in their order.
        clauses: Nodes,
    },
    /// `for target in iterable`; the target is a [`Node::Variable`], or a [`Node::Tuple`] of targets, one of which may be starred.
    For {
        /// What is bound.
        target: Id,
        /// To the items of what.
        iterable: Id,
    },
    /// `if condition` in a comprehension.
    If(Id),
    /// An f-string: of literal strings and [`Node::Formatted`].
    Joined(Nodes),
    /// `{value!r:spec}` in an f-string.
    Formatted {
        /// What is formatted.
        value: Id,
        /// After which conversion.
        conversion: Conversion,
        /// How: a string.
        spec: Id,
    },
}

/// A prefix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `~`
    Invert,
    /// `not`
    Not,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    FloorDivide,
    /// `%`
    Modulo,
    /// `**`
    Power,
    /// `@`
    MatrixMultiply,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
}

/// `and` or `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logic {
    /// `and`
    And,
    /// `or`
    Or,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `is`
    Is,
    /// `is not`
    IsNot,
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// `[…]`
    List,
    /// `{…}`
    Set,
    /// `{… : …}`
    Dict,
}

/// What a value goes through before it is formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// Nothing.
    None,
    /// `!s`
    Str,
    /// `!r`
    Repr,
    /// `!a`
    Ascii,
}

impl Id {
    pub(crate) fn new(index: usize) -> Self {
        Self(index as u32)
    }

    /// The index into the arena.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Nodes {
    pub(crate) fn new(index: usize) -> Self {
        Self(index as u32)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Arithmetic {
    /// As expressions spell it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "** or pow()",
            Self::MatrixMultiply => "@",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
        }
    }
}

impl Comparison {
    /// As expressions spell it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Is => "is",
            Self::IsNot => "is not",
        }
    }
}

impl Node {
    /// Its children, in the order in which they are evaluated, and its list, if it has one.
    pub fn parts(self) -> ([Option<Id>; 3], Option<Nodes>) {
        match self {
            Self::None
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Literal(_)
            | Self::Root(_)
            | Self::Path { .. }
            | Self::Builtin(_)
            | Self::Variable { .. }
            | Self::Unknown(_) => ([None; 3], None),
            Self::Attribute { object, .. } => ([Some(object), None, None], None),
            Self::Subscript { object, index } => ([Some(object), Some(index), None], None),
            Self::Slice { start, stop, step } => ([Some(start), Some(stop), Some(step)], None),
            Self::Unary { operand, .. } | Self::Compared { operand, .. } => ([Some(operand), None, None], None),
            Self::Binary { left, right, .. } => ([Some(left), Some(right), None], None),
            Self::Logic { operands: list, .. }
            | Self::Compare(list)
            | Self::Tuple(list)
            | Self::List(list)
            | Self::Set(list)
            | Self::Dict(list)
            | Self::Joined(list) => ([None; 3], Some(list)),
            Self::Conditional { test, then, otherwise } => ([Some(test), Some(then), Some(otherwise)], None),
            Self::Pair { key, value } => ([Some(key), Some(value), None], None),
            Self::Starred(inner) | Self::Mapping(inner) | Self::If(inner) => ([Some(inner), None, None], None),
            Self::Keyword { value, .. } => ([Some(value), None, None], None),
            Self::Call { function: first, arguments: list }
            | Self::CallMethod { object: first, arguments: list, .. }
            | Self::Comprehension { element: first, clauses: list, .. } => ([Some(first), None, None], Some(list)),
            Self::For { target, iterable } => ([Some(target), Some(iterable), None], None),
            Self::Formatted { value, spec, .. } => ([Some(value), Some(spec), None], None),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_node_has_sixteen_bytes() {
        assert_eq!(size_of::<super::Node>(), 16);
    }
}
