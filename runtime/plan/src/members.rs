//! The members of an object: names to values, in their order.
//!
//! Most objects are small, so theirs are looked for one by one; a large one has an index.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use hashbrown::HashMap;
use indexmap::IndexMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Members up to this many are looked for one by one.
const FEW: usize = 48;

/// Names to values, in their order; no name stands twice.
#[derive(Clone)]
pub struct Members<V> {
    all: Vec<(Arc<str>, V)>,
    /// The positions of the names, if there are more than [`FEW`].
    index: Option<Box<HashMap<Arc<str>, u32>>>,
}

impl<V> Members<V> {
    /// No members.
    pub const fn new() -> Self {
        Self { all: Vec::new(), index: None }
    }

    /// No members, with room for so many.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { all: Vec::with_capacity(capacity), index: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(name).map(|at| *at as usize),
            None => self.all.iter().position(|(known, _)| **known == *name),
        }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.position(name).map(|at| &self.all[at].1)
    }

    /// The value of a name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.position(name).map(|at| &mut self.all[at].1)
    }

    /// Whether the name is there.
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Sets a value: at the place of the old one, which comes back, or at the end.
    pub fn insert(&mut self, name: Arc<str>, value: V) -> Option<V> {
        if let Some(at) = self.position(&name) {
            return Some(std::mem::replace(&mut self.all[at].1, value));
        }
        if let Some(index) = &mut self.index {
            index.insert(name.clone(), self.all.len() as u32);
        }
        self.all.push((name, value));
        if self.all.len() == FEW + 1 {
            self.make_index();
        }
        None
    }

    /// Adds a name that is not there yet.
    pub fn push_new(&mut self, name: Arc<str>, value: V) {
        debug_assert!(!self.contains_key(&name), "{name} stands twice");
        if self.all.len() >= FEW {
            self.insert(name, value);
        } else {
            self.all.push((name, value));
        }
    }

    fn make_index(&mut self) {
        let names = self.all.iter().zip(0..).map(|((name, _), at)| (name.clone(), at));
        self.index = (self.all.len() > FEW).then(|| Box::new(names.collect()));
    }

    /// Removes a name; the others keep their order.
    pub fn shift_remove(&mut self, name: &str) -> Option<V> {
        let at = self.position(name)?;
        let (_, value) = self.all.remove(at);
        self.make_index();
        Some(value)
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> Iter<'_, V> {
        self.all.iter().map(|(name, value)| (name, value))
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> + DoubleEndedIterator + Clone {
        self.all.iter().map(|(name, _)| name)
    }

    /// The values, in their order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator + Clone {
        self.all.iter().map(|(_, value)| value)
    }
}

impl<V> Default for Members<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Members<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: PartialEq> PartialEq for Members<V> {
    /// The order does not count.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<V> FromIterator<(Arc<str>, V)> for Members<V> {
    /// Of equal names the last value counts, at the place of the first.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, V)>>(members: I) -> Self {
        let members = members.into_iter();
        let mut all = Self::with_capacity(members.size_hint().0);
        all.extend(members);
        all
    }
}

impl<V> Extend<(Arc<str>, V)> for Members<V> {
    fn extend<I: IntoIterator<Item = (Arc<str>, V)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}

impl<V> From<IndexMap<Arc<str>, V>> for Members<V> {
    fn from(members: IndexMap<Arc<str>, V>) -> Self {
        members.into_iter().collect()
    }
}

impl<V, const N: usize> From<[(Arc<str>, V); N]> for Members<V> {
    fn from(members: [(Arc<str>, V); N]) -> Self {
        members.into_iter().collect()
    }
}

/// Names and values.
pub type Iter<'a, V> =
    std::iter::Map<std::slice::Iter<'a, (Arc<str>, V)>, fn(&'a (Arc<str>, V)) -> (&'a Arc<str>, &'a V)>;

impl<'a, V> IntoIterator for &'a Members<V> {
    type Item = (&'a Arc<str>, &'a V);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<V> IntoIterator for Members<V> {
    type Item = (Arc<str>, V);
    type IntoIter = std::vec::IntoIter<(Arc<str>, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<V: Serialize> Serialize for Members<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

struct Reader<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Reader<V> {
    type Value = Members<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::new();
        while let Some((name, value)) = map.next_entry::<Arc<str>, V>()? {
            members.insert(name, value);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Members<usize> {
        (0..count).map(|number| (number.to_string().into(), number)).collect()
    }

    #[test]
    fn members_of_small_and_large_objects_are_found() {
        for count in [0, 1, FEW, FEW + 1, 1000] {
            let members = numbered(count);
            assert!((0..count).all(|number| members.get(&number.to_string()) == Some(&number)));
            assert_eq!(members.get(&count.to_string()), None);
        }
    }

    #[test]
    fn a_name_stands_once_at_its_first_place() {
        for count in [2, FEW + 1, 100] {
            let mut members = numbered(count);
            assert_eq!(members.insert("0".into(), 7), Some(0));
            assert_eq!(members.iter().next(), Some((&"0".into(), &7)));
            assert_eq!((members.shift_remove("0"), members.shift_remove("0")), (Some(7), None));
            assert!((1..count).all(|number| members.get(&number.to_string()) == Some(&number)));
            assert_eq!(members.len(), count - 1);
        }
    }

    #[test]
    fn the_order_does_not_count() {
        let backwards: Members<usize> = (0..20).rev().map(|number| (number.to_string().into(), number)).collect();
        assert_eq!(backwards, numbered(20));
        assert_ne!(numbered(20), numbered(21));
    }
}
