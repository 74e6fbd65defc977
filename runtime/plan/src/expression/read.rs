//! What an expression reads: names, roots, chains of attributes.

use std::sync::Arc;

use super::{Expression, Id, Node, Place, Root};

/// A name that an expression does not bind itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub place: Place,
    /// Whether nothing binds it: it is no root, no builtin, or a variable that is read before its `for`.
    pub unknown: bool,
}

/// A place where an expression reads a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The root.
    pub root: Root,
    /// The attributes after it, as far as they are written as attributes: `["a", "b"]` in `constants.a.b[0].c`.
    pub names: Vec<Arc<str>>,
    /// The method that is called on it: `Get` in `device.a.Get()`, which is not among the names.
    pub method: Option<Arc<str>>,
    /// Where root and attributes stand.
    pub place: Place,
}

impl Expression {
    /// The names that it does not bind itself, in the order of their places: roots, builtins, and unknown ones.
    pub fn free_names(&self) -> Vec<NameUse> {
        let mut uses: Vec<_> = self.nodes().filter_map(|(id, node)| self.name_use(id, node)).collect();
        uses.sort_by_key(|found| found.place);
        uses
    }

    fn name_use(&self, id: Id, node: Node) -> Option<NameUse> {
        let place = self.place(id);
        let named = |name: &str| NameUse {
            name: name.into(),
            place: Place::new(place.start, place.start + name.chars().count() as u32),
            unknown: false,
        };
        match node {
            Node::Root(root) | Node::Path { root, .. } => Some(named(root.name())),
            Node::Builtin(builtin) => Some(named(builtin.name())),
            Node::Unknown(name) => Some(NameUse { name: self.name(name).clone(), place, unknown: true }),
            _ => None,
        }
    }

    /// The roots that it reads, each once, in their order.
    pub fn roots(&self) -> Vec<Root> {
        let mut roots: Vec<_> = self.nodes().filter_map(|(_, node)| root_of(node)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// Whether it has a name that is neither a root nor a builtin.
    pub fn has_unknown_names(&self) -> bool {
        self.nodes().any(|(_, node)| matches!(node, Node::Unknown(_)))
    }

    /// Whether it reads one of these roots.
    pub fn reads(&self, roots: &[Root]) -> bool {
        self.nodes().any(|(_, node)| root_of(node).is_some_and(|root| roots.contains(&root)))
    }

    /// Every place where it reads a root, in the order of their places.
    pub fn accesses(&self) -> Vec<Access> {
        let mut methods = std::collections::HashMap::new();
        for (_, node) in self.nodes() {
            if let Node::CallMethod { object, name, .. } = node {
                methods.insert(object, self.name(name).clone());
            }
        }
        let mut found: Vec<_> = self
            .nodes()
            .filter_map(|(id, node)| {
                let root = root_of(node)?;
                let names = match node {
                    Node::Path { names, .. } => {
                        self.tree.list(names).iter().map(|&name| self.name(name).clone()).collect()
                    }
                    _ => Vec::new(),
                };
                Some(Access { root, names, method: methods.get(&id).cloned(), place: self.place(id) })
            })
            .collect();
        found.sort_by_key(|access: &Access| access.place);
        found
    }
}

fn root_of(node: Node) -> Option<Root> {
    match node {
        Node::Root(root) | Node::Path { root, .. } => Some(root),
        _ => None,
    }
}
