//! Partial evaluation: what is known when a list is compiled need not be evaluated on a station.
//!
//! A part is known if it reads only roots that the scope binds. It is replaced by its value if it has one that a plan can hold; a part
//! that fails stays as it is, so that it fails in the same order, with the same error, or not at all if evaluation never reaches it.

use tlc_plan::evaluate::{Binding, ErrorKind, Limits, Scope, evaluate_part};
use tlc_plan::expression::{Builder, Expression, Id, Logic, Node, Nodes, Root, TooComplex};
use tlc_plan::value::{Plain, Value};

/// How many values a folded list or dict may hold; a larger one is cheaper to read from the constants.
const MAX_PARTS: usize = 1000;

/// How many bytes a folded text may have.
const MAX_TEXT: usize = 65_536;

/// After so many parts that failed, the rest is left as it is: a bound for hostile expressions.
const MAX_FAILURES: usize = 20;

/// The same expression with everything replaced that the bound roots of `scope` decide.
///
/// A root that is [absent](Binding::Absent) or [unresolvable](Binding::Unresolvable) stays.
pub fn fold(expression: &Expression, scope: &Scope) -> Expression {
    let mut folder =
        Folder { source: expression, scope, known: known(expression, scope), built: Builder::new(), failures: 0 };
    match folder.fold(expression.root()) {
        Ok(_) => folder.built.finish(),
        Err(TooComplex) => expression.clone(),
    }
}

struct Folder<'a> {
    source: &'a Expression,
    scope: &'a Scope,
    /// For each node, whether it can be evaluated on its own.
    known: Vec<bool>,
    built: Builder,
    failures: usize,
}

/// Which nodes read only what is bound, and no variable from outside.
fn known(expression: &Expression, scope: &Scope) -> Vec<bool> {
    let mut known: Vec<bool> = Vec::new();
    let mut free: Vec<Vec<u32>> = Vec::new();
    for (id, node) in expression.nodes() {
        let children = children(expression, node);
        let mut slots: Vec<u32> = children.iter().flat_map(|child| free[child.index()].iter().copied()).collect();
        let mut readable = children.iter().all(|child| known[child.index()] || !free[child.index()].is_empty());
        match node {
            Node::Variable { slot, .. } => slots.push(slot),
            Node::Root(root) | Node::Path { root, .. } => readable = is_bound(scope, root),
            Node::Unknown(_) => readable = false,
            Node::Comprehension { clauses, .. } => {
                let bound = targets(expression, clauses);
                slots.retain(|slot| !bound.contains(slot));
            }
            _ => {}
        }
        slots.sort_unstable();
        slots.dedup();
        // A node that cannot be read keeps no slots, so that nothing around it counts as readable.
        if !readable {
            slots.clear();
        }
        known.push(readable && slots.is_empty());
        free.push(slots);
        debug_assert_eq!(known.len(), id.index() + 1);
    }
    known
}

fn is_bound(scope: &Scope, root: Root) -> bool {
    match scope.get(root) {
        Binding::Value(_) | Binding::Device(_) => true,
        Binding::Absent | Binding::Unresolvable => false,
    }
}

fn children(expression: &Expression, node: Node) -> Vec<Id> {
    let (direct, list) = node.parts();
    direct.into_iter().flatten().chain(list.into_iter().flat_map(|list| expression.list(list))).collect()
}

/// The slots that a comprehension binds.
fn targets(expression: &Expression, clauses: Nodes) -> Vec<u32> {
    let mut slots = Vec::new();
    let mut open: Vec<Id> = expression
        .list(clauses)
        .filter_map(|clause| match expression.node(clause) {
            Node::For { target, .. } => Some(target),
            _ => None,
        })
        .collect();
    while let Some(id) = open.pop() {
        match expression.node(id) {
            Node::Variable { slot, .. } => slots.push(slot),
            node => open.extend(children(expression, node)),
        }
    }
    slots
}

/// A value that a plan can hold, and that is not too large for it.
fn is_foldable(value: &Value) -> bool {
    fn count(plain: &Plain, parts: &mut usize) {
        *parts += match plain {
            Plain::Str(text) => 1 + text.len() * MAX_PARTS / MAX_TEXT,
            _ => 1,
        };
        if *parts > MAX_PARTS {
            return;
        }
        match plain {
            Plain::List(items) | Plain::Tuple(items) | Plain::Set(items) | Plain::Frozenset(items) => {
                for item in items {
                    count(item, parts);
                }
            }
            Plain::Dict(pairs) | Plain::Attributes(pairs) => {
                for (key, value) in pairs {
                    count(key, parts);
                    count(value, parts);
                }
            }
            Plain::None | Plain::Bool(_) | Plain::Int(_) | Plain::Big(_) | Plain::Float(_) | Plain::Str(_) => {}
        }
    }
    let mut parts = 0;
    Plain::of_at_most(value, MAX_PARTS).is_some_and(|plain| {
        count(&plain, &mut parts);
        parts <= MAX_PARTS
    })
}

impl Folder<'_> {
    fn fold(&mut self, id: Id) -> Result<Id, TooComplex> {
        if let Some(value) = self.value(id) {
            return self.built.value(value, self.source.place(id));
        }
        match self.source.node(id) {
            Node::Logic { logic, operands } => self.logic(id, logic, operands),
            Node::Conditional { test, then, otherwise } => match self.value(test) {
                Some(value) if value.is_truthy() => self.fold(then),
                Some(_) => self.fold(otherwise),
                None => self.copy(id),
            },
            Node::Binary { .. } => self.chain(id),
            _ => self.copy(id),
        }
    }

    /// The value of a part, if it is known and has one that can be kept.
    fn value(&mut self, id: Id) -> Option<Value> {
        if !self.known[id.index()] || self.failures > MAX_FAILURES || is_clause(self.source.node(id)) {
            return None;
        }
        match evaluate_part(self.source, id, self.scope, &Limits::default()) {
            Ok(value) => is_foldable(&value).then_some(value),
            Err(error) => {
                self.failures += if error.kind == ErrorKind::Limit { MAX_FAILURES + 1 } else { 1 };
                None
            }
        }
    }

    /// Operands that are known and do not decide are left out; after one that decides, nothing is reached.
    fn logic(&mut self, id: Id, logic: Logic, operands: Nodes) -> Result<Id, TooComplex> {
        let operands: Vec<Id> = self.source.list(operands).collect();
        let mut kept = Vec::new();
        for (position, &operand) in operands.iter().enumerate() {
            match self.value(operand) {
                Some(value) if value.is_truthy() == (logic == Logic::Or) => {
                    kept.push(operand);
                    break;
                }
                Some(_) if position + 1 < operands.len() => {}
                _ => kept.push(operand),
            }
        }
        if let [only] = kept.as_slice() {
            return self.fold(*only);
        }
        let ids = kept.into_iter().map(|operand| self.fold(operand)).collect::<Result<Vec<_>, _>>()?;
        let operands = self.built.list(&ids);
        self.built.push(Node::Logic { logic, operands }, self.source.place(id))
    }

    /// A chain of binary operators, without recursion along its left side.
    fn chain(&mut self, id: Id) -> Result<Id, TooComplex> {
        let mut spine = Vec::new();
        let mut next = id;
        let mut left = loop {
            let Node::Binary { left, .. } = self.source.node(next) else { break self.fold(next)? };
            if next != id
                && let Some(value) = self.value(next)
            {
                break self.built.value(value, self.source.place(next))?;
            }
            spine.push(next);
            next = left;
        };
        for link in spine.into_iter().rev() {
            let Node::Binary { operator, right, .. } = self.source.node(link) else { continue };
            let right = self.fold(right)?;
            left = self.built.push(Node::Binary { operator, left, right }, self.source.place(link))?;
        }
        Ok(left)
    }

    /// The object of an attribute, a subscript or a method call. On device data these depend on how the object is written, so such a
    /// chain stays as it is.
    fn object(&mut self, id: Id) -> Result<Id, TooComplex> {
        if !self.is_device_chain(id) {
            return self.fold(id);
        }
        self.copy(id)
    }

    fn is_device_chain(&self, id: Id) -> bool {
        let mut next = id;
        loop {
            next = match self.source.node(next) {
                Node::Attribute { object, .. } | Node::Subscript { object, .. } => object,
                Node::Root(root) | Node::Path { root, .. } => {
                    return !matches!(self.scope.get(root), Binding::Value(_));
                }
                _ => return false,
            };
        }
    }

    fn list(&mut self, list: Nodes) -> Result<Nodes, TooComplex> {
        let ids = self.source.list(list).map(|id| self.fold(id)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.built.list(&ids))
    }

    /// The same node with folded children.
    fn copy(&mut self, id: Id) -> Result<Id, TooComplex> {
        let source = self.source;
        let name = |built: &mut Builder, name: u32| built.name(source.name(name));
        let node = match source.node(id) {
            node @ (Node::None | Node::Bool(_) | Node::Int(_) | Node::Root(_) | Node::Builtin(_)) => node,
            Node::Literal(literal) => return self.built.value(source.literal(literal).clone(), source.place(id)),
            Node::Path { root, names } => {
                let names: Vec<u32> = source.path(names).map(|part| self.built.name(part)).collect();
                Node::Path { root, names: self.built.path(&names) }
            }
            Node::Variable { slot, name: index } => {
                Node::Variable { slot: self.built.keep_slot(slot), name: name(&mut self.built, index) }
            }
            Node::Unknown(index) => Node::Unknown(name(&mut self.built, index)),
            Node::Attribute { object, name: index } => {
                let object = self.object(object)?;
                Node::Attribute { object, name: name(&mut self.built, index) }
            }
            Node::Subscript { object, index } => {
                Node::Subscript { object: self.object(object)?, index: self.fold(index)? }
            }
            Node::Slice { start, stop, step } => {
                Node::Slice { start: self.fold(start)?, stop: self.fold(stop)?, step: self.fold(step)? }
            }
            Node::Unary { sign, operand } => Node::Unary { sign, operand: self.fold(operand)? },
            Node::Binary { operator, left, right } => {
                Node::Binary { operator, left: self.fold(left)?, right: self.fold(right)? }
            }
            Node::Logic { logic, operands } => Node::Logic { logic, operands: self.list(operands)? },
            Node::Compare(parts) => Node::Compare(self.list(parts)?),
            Node::Compared { comparison, operand } => Node::Compared { comparison, operand: self.fold(operand)? },
            Node::Conditional { test, then, otherwise } => {
                Node::Conditional { test: self.fold(test)?, then: self.fold(then)?, otherwise: self.fold(otherwise)? }
            }
            Node::Tuple(items) => Node::Tuple(self.list(items)?),
            Node::List(items) => Node::List(self.list(items)?),
            Node::Set(items) => Node::Set(self.list(items)?),
            Node::Dict(entries) => Node::Dict(self.list(entries)?),
            Node::Pair { key, value } => Node::Pair { key: self.fold(key)?, value: self.fold(value)? },
            Node::Starred(inner) => Node::Starred(self.fold(inner)?),
            Node::Mapping(inner) => Node::Mapping(self.fold(inner)?),
            Node::Keyword { name: index, value } => {
                let value = self.fold(value)?;
                Node::Keyword { name: name(&mut self.built, index), value }
            }
            Node::Call { function, arguments } => {
                Node::Call { function: self.fold(function)?, arguments: self.list(arguments)? }
            }
            Node::CallMethod { object, name: index, arguments } => {
                let object = self.object(object)?;
                let arguments = self.list(arguments)?;
                Node::CallMethod { object, name: name(&mut self.built, index), arguments }
            }
            Node::Comprehension { collection, element, clauses } => {
                let clauses = self.list(clauses)?;
                Node::Comprehension { collection, element: self.fold(element)?, clauses }
            }
            Node::For { target, iterable } => Node::For { iterable: self.fold(iterable)?, target: self.copy(target)? },
            Node::If(condition) => Node::If(self.fold(condition)?),
            Node::Joined(parts) => Node::Joined(self.list(parts)?),
            Node::Formatted { value, conversion, spec } => {
                Node::Formatted { value: self.fold(value)?, conversion, spec: self.fold(spec)? }
            }
        };
        self.built.push(node, source.place(id))
    }
}

/// Whether a node is no expression of its own.
fn is_clause(node: Node) -> bool {
    match node {
        Node::Slice { .. }
        | Node::Compared { .. }
        | Node::Pair { .. }
        | Node::Starred(_)
        | Node::Mapping(_)
        | Node::Keyword { .. }
        | Node::For { .. }
        | Node::If(_) => true,
        Node::None
        | Node::Bool(_)
        | Node::Int(_)
        | Node::Literal(_)
        | Node::Root(_)
        | Node::Path { .. }
        | Node::Builtin(_)
        | Node::Variable { .. }
        | Node::Unknown(_)
        | Node::Attribute { .. }
        | Node::Subscript { .. }
        | Node::Unary { .. }
        | Node::Binary { .. }
        | Node::Logic { .. }
        | Node::Compare(_)
        | Node::Conditional { .. }
        | Node::Tuple(_)
        | Node::List(_)
        | Node::Set(_)
        | Node::Dict(_)
        | Node::Call { .. }
        | Node::CallMethod { .. }
        | Node::Comprehension { .. }
        | Node::Joined(_)
        | Node::Formatted { .. } => false,
    }
}
