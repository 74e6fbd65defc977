//! Whether an expression is always true or always false, whatever constants, options, locals and device data say.
//!
//! Only what is written counts: a part that reads nothing is evaluated, `and`, `or`, `not` and `if` follow. A constant is something that
//! a list may change, so it is as open as device data.

use tlc_plan::evaluate::{Limits, Scope, evaluate_part};
use tlc_plan::expression::{Expression, Id, Logic, Node, Sign};

/// An expression of which is known which parts read nothing.
pub(super) struct Truth<'a> {
    expression: &'a Expression,
    closed: Vec<bool>,
}

impl<'a> Truth<'a> {
    pub(super) fn new(expression: &'a Expression) -> Self {
        let mut closed: Vec<bool> = Vec::new();
        for (_, node) in expression.nodes() {
            let (direct, list) = node.parts();
            let listed = list.into_iter().flat_map(|list| expression.list(list));
            let open = reads(node) || direct.into_iter().flatten().chain(listed).any(|child| !closed[child.index()]);
            closed.push(!open);
        }
        Self { expression, closed }
    }

    /// The one truth that the whole can have.
    pub(super) fn of_all(&self) -> Option<bool> {
        self.of(self.expression.root())
    }

    /// The first `and`, `or` or `if` that is decided before anything is read, and how.
    pub(super) fn decided(&self) -> Option<(Id, bool)> {
        self.expression.nodes().find_map(|(_, node)| match node {
            Node::Conditional { test, .. } => self.of(test).map(|truth| (test, truth)),
            Node::Logic { operands, .. } => {
                let operands = self.expression.list(operands);
                let before_last = operands.len().saturating_sub(1);
                operands.take(before_last).find_map(|operand| self.of(operand).map(|truth| (operand, truth)))
            }
            _ => None,
        })
    }

    fn of(&self, id: Id) -> Option<bool> {
        if self.closed[id.index()] {
            let value = evaluate_part(self.expression, id, &Scope::new(), &Limits::default());
            return value.ok().map(|value| value.is_truthy());
        }
        match self.expression.node(id) {
            Node::Unary { sign: Sign::Not, operand } => self.of(operand).map(|truth| !truth),
            Node::Logic { logic, operands } => {
                let ends = matches!(logic, Logic::Or);
                let truths: Vec<Option<bool>> =
                    self.expression.list(operands).map(|operand| self.of(operand)).collect();
                match () {
                    () if truths.contains(&Some(ends)) => Some(ends),
                    () if truths.iter().all(|truth| *truth == Some(!ends)) => Some(!ends),
                    () => None,
                }
            }
            Node::Conditional { test, then, otherwise } => match self.of(test) {
                Some(true) => self.of(then),
                Some(false) => self.of(otherwise),
                None => self.of(then).filter(|truth| self.of(otherwise) == Some(*truth)),
            },
            _ => None,
        }
    }
}

/// Whether a node reads something, or stands for more than its parts.
fn reads(node: Node) -> bool {
    matches!(
        node,
        Node::Root(_)
            | Node::Path { .. }
            | Node::Unknown(_)
            | Node::Variable { .. }
            | Node::Comprehension { .. }
            | Node::Call { .. }
            | Node::CallMethod { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;

    #[test]
    fn only_what_is_written_decides() {
        for (text, expected) in [
            ("True", Some(true)),
            ("''", Some(false)),
            ("1 == 2", Some(false)),
            ("not 0", Some(true)),
            ("constants.a or True", Some(true)),
            ("constants.a and False", Some(false)),
            ("not (device.a or 1)", Some(false)),
            ("1 if constants.a else 2", Some(true)),
            ("constants.a", None),
            ("constants.a == 1", None),
            ("constants.a and True", None),
            ("len([])", None),
            ("1 / 0", None),
        ] {
            let expression = parse(text).expect("an expression");
            assert_eq!(Truth::new(&expression).of_all(), expected, "{text}");
        }
    }

    #[test]
    fn a_default_at_the_end_decides_nothing() {
        for (text, expected) in [
            ("constants.a or 5", None),
            ("True and constants.a", Some(true)),
            ("1 if False else constants.a", Some(false)),
            ("5 * 60", None),
        ] {
            let expression = parse(text).expect("an expression");
            assert_eq!(Truth::new(&expression).decided().map(|(_, truth)| truth), expected, "{text}");
        }
    }
}
