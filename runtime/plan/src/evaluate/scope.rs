//! What the names of an expression are bound to.

use crate::Data;
use crate::expression::Root;
use crate::value::Value;

/// What each root stands for.
#[derive(Clone, Debug)]
pub struct Scope {
    bindings: [Binding; Root::ALL.len()],
}

/// What a root stands for.
#[derive(Clone, Debug, Default)]
pub enum Binding {
    /// Nothing: the name is not there.
    #[default]
    Absent,
    /// Something that is not known here; an expression that touches it fails with
    /// [`ErrorKind::Unresolvable`](super::ErrorKind::Unresolvable).
    Unresolvable,
    /// This value.
    Value(Value),
    /// Data of which every chain of attributes has a value: null, if nothing is there (reference: Q2, Q3).
    Device(Value),
}

impl Binding {
    /// Python's `None`, as `dut` in locals and options (reference: I2, O3).
    pub fn null() -> Self {
        Self::Value(Value::None)
    }

    /// An attribute dictionary, as constants, options and locals (reference: R5).
    pub fn attributes(data: &Data) -> Self {
        Self::Value(Value::with_attributes(data))
    }

    /// Device data; in `run_if`, also constants.
    pub fn device(data: &Data) -> Self {
        Self::Device(Value::from(data))
    }
}

impl Scope {
    /// A scope in which every root is absent.
    pub fn new() -> Self {
        Self { bindings: Default::default() }
    }

    /// Binds a root.
    #[must_use]
    pub fn with(mut self, root: Root, binding: Binding) -> Self {
        self.set(root, binding);
        self
    }

    /// Binds a root.
    pub fn set(&mut self, root: Root, binding: Binding) {
        self.bindings[root as usize] = binding;
    }

    /// What a root is bound to.
    pub fn get(&self, root: Root) -> &Binding {
        &self.bindings[root as usize]
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}
