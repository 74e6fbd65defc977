//! Values that lie above each other become one: the rules by which files, layers, test objects, locals and arguments override.
//!
//! An object overrides an object member by member; anything else replaces what lies below. `"__delete__": true` in an object removes the
//! member that it stands for, `"__replace__": true` drops what lies below before the rest of the object is used, and `false` means
//! nothing. A marker is consumed by the first merge that passes over it, even when nothing is there to delete; arrays are not
//! looked into. Keys keep the order of the lowest object; new ones follow, and one that was deleted and set again is last.
//!
//! All values of a member are considered at once, lowest first, which gives the same as merging them one by one, without building what
//! a later one throws away. What needs no change is shared, not copied.

use hashbrown::HashMap;

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Contents, LARGE_OBJECT, Member, NodeId, Part, Symbol, Value};
use crate::source::Span;
use crate::words;

/// Told about every step of a merge, with the path from the top of what is merged.
pub trait Trace {
    /// Nobody reads it.
    const IS_SILENT: bool = false;
    /// A member was entered.
    fn enter(&mut self, key: Symbol);
    /// The member was left.
    fn leave(&mut self);
    /// Something happened to the member that was entered last.
    fn step(&mut self, step: Step);
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This value is set, and what was below is lost.
    Set(NodeId),
    /// This object overrides the one below, member by member.
    Override(NodeId),
    /// `__replace__` in this object dropped what was below.
    Replace(NodeId),
    /// `__delete__` in this object removed the member.
    Delete(NodeId),
}

/// The trace that nobody reads.
#[derive(Debug)]
pub struct NoTrace;

impl Trace for NoTrace {
    const IS_SILENT: bool = true;

    fn enter(&mut self, _: Symbol) {}
    fn leave(&mut self) {}
    fn step(&mut self, _: Step) {}
}

/// Merges objects, the lowest first. What is no object counts for nothing.
///
/// The result is one of the objects where that says the same, and a new one otherwise; it holds no marker outside of arrays.
pub fn merge<T: Trace>(arena: &mut Arena, objects: &[NodeId], trace: &mut T) -> (NodeId, Vec<Diagnostic>) {
    let mut merge = Merge { arena, trace, diagnostics: Vec::new(), open: Vec::new() };
    let span = objects.last().map_or(Span::default(), |object| merge.arena.node(*object).span);
    if let [below, above] = objects
        && T::IS_SILENT
        && merge.is_plain(*below)
        && merge.is_plain(*above)
    {
        merge.open = merge.arena.take_room();
        merge.arena.entry(*above).add_to(&mut merge.open);
        let merged = merge.plain(*below, 0, span);
        merge.arena.give_back(merge.open);
        return (merged, merge.diagnostics);
    }
    let top = objects.iter().copied().filter(|object| merge.arena.entry(*object).is_object()).collect::<Vec<_>>();
    let merged = merge.objects(&top, span, true);
    (merged, merge.diagnostics)
}

/// Merges members over an object without making an object of them first, if all is small and has no markers.
pub(crate) fn merge_members(
    arena: &mut Arena,
    below: NodeId,
    above: Vec<Part>,
    span: Span,
) -> Result<NodeId, Vec<Part>> {
    let is_marked = |part: &Part| is_marker(part.member.key) || arena.contents(part.member.value).has(Contents::MARKER);
    if above.len() > FEW || above.iter().any(is_marked) {
        return Err(above);
    }
    let mut merge = Merge { arena, trace: &mut NoTrace, diagnostics: Vec::new(), open: above };
    if !merge.is_plain(below) {
        return Err(merge.open);
    }
    let merged = merge.plain(below, 0, span);
    merge.arena.give_back(merge.open);
    Ok(merged)
}

struct Merge<'a, T> {
    arena: &'a mut Arena,
    trace: &'a mut T,
    diagnostics: Vec<Diagnostic>,
    /// The members of the plain objects that are being merged, those of the innermost last.
    open: Vec<Part>,
}

/// What lies at a key so far.
struct Slot {
    key: Symbol,
    key_span: Span,
    state: State,
}

enum State {
    Deleted,
    Scalar(NodeId),
    Object(NodeId),
    /// Two or more.
    Objects(Vec<NodeId>),
}

/// Slots up to this many are looked for one by one.
const FEW: usize = 24;

// Two of them are merged into one that is searched without an index.
const _: () = assert!(2 * FEW <= LARGE_OBJECT);

impl<T: Trace> Merge<'_, T> {
    /// Whether it is a small object without markers.
    fn is_plain(&self, object: NodeId) -> bool {
        let entry = self.arena.entry(object);
        entry.is_object() && !entry.contents().has(Contents::MARKER) && entry.members().len() <= FEW
    }

    /// Members over a plain object: most merges are no more than this. They are those of `open` from an index on.
    fn plain(&mut self, below: NodeId, above: usize, span: Span) -> NodeId {
        let from = self.open.len();
        self.arena.entry(below).add_to(&mut self.open);
        let kept = self.open.len();
        for position in above..from {
            let part = self.open[position];
            let member = part.member;
            let Some(at) = self.open[from..kept].iter().position(|known| known.member.key == member.key) else {
                self.open.push(part);
                continue;
            };
            let old = self.open[from + at].member.value;
            let value = match (self.arena.entry(old).is_object(), self.arena.entry(member.value).is_object()) {
                (true, true) if self.is_plain(old) && self.is_plain(member.value) => {
                    let inner = self.open.len();
                    let entry = self.arena.entry(member.value);
                    entry.add_to(&mut self.open);
                    self.plain(old, inner, entry.span())
                }
                (true, true) => self.member(member.key, &[old, member.value]),
                _ => member.value,
            };
            self.open[from + at] = if value == member.value { part } else { Member { value, ..member }.into() };
        }
        let merged = self.arena.add_merged(&self.open[from..], span);
        self.open.truncate(above);
        merged
    }

    /// `top`: the objects are not members of anything, so a marker directly in them is an ordinary key.
    fn objects(&mut self, objects: &[NodeId], span: Span, top: bool) -> NodeId {
        if let [only] = objects
            && !self.arena.contents(*only).has(Contents::MARKER)
        {
            return *only;
        }
        let most = objects.iter().map(|object| self.arena.entry(*object).members().len()).sum();
        let mut slots: Vec<Slot> = Vec::with_capacity(most);
        let mut index: Option<HashMap<Symbol, usize>> = (most > FEW).then(HashMap::new);
        for object in objects {
            for position in 0..self.arena.entry(*object).members().len() {
                let Some(member) = self.arena.entry(*object).members().get(position).copied() else { break };
                if top || !is_marker(member.key) {
                    self.add(&mut slots, &mut index, member);
                }
            }
        }
        let members: Vec<Member> = slots.into_iter().filter_map(|slot| self.finish(slot)).collect();
        self.arena.add_object(&members, span)
    }

    fn add(&mut self, slots: &mut Vec<Slot>, index: &mut Option<HashMap<Symbol, usize>>, member: Member) {
        self.trace.enter(member.key);
        let is_present = |slot: &Slot| slot.key == member.key && !matches!(slot.state, State::Deleted);
        let present = match index {
            Some(index) => index.get(&member.key).copied(),
            None => slots.iter().position(is_present),
        };
        let state = present.map(|at| std::mem::replace(&mut slots[at].state, State::Deleted));
        let state = self.fold(state, member.value);
        match (present, state) {
            (Some(at), State::Deleted) => {
                slots[at].state = State::Deleted;
                index.as_mut().map(|index| index.remove(&member.key));
            }
            (Some(at), state) => slots[at] = Slot { key: member.key, key_span: member.key_span, state },
            (None, State::Deleted) => {}
            (None, state) => {
                index.as_mut().map(|index| index.insert(member.key, slots.len()));
                slots.push(Slot { key: member.key, key_span: member.key_span, state });
            }
        }
        self.trace.leave();
    }

    /// A value over what lies at its key.
    fn fold(&mut self, below: Option<State>, value: NodeId) -> State {
        if !self.arena.entry(value).is_object() {
            self.trace.step(Step::Set(value));
            return State::Scalar(value);
        }
        if self.marker(value, words::DELETE) {
            if matches!(below, None | Some(State::Deleted)) {
                self.idle_marker(value, words::DELETE);
            }
            self.trace.step(Step::Delete(value));
            return State::Deleted;
        }
        if self.marker(value, words::REPLACE) {
            if !matches!(below, Some(State::Object(_) | State::Objects(_))) {
                self.idle_marker(value, words::REPLACE);
            }
            self.trace.step(Step::Replace(value));
            return State::Object(value);
        }
        match below {
            Some(State::Object(first)) => {
                self.trace.step(Step::Override(value));
                State::Objects(vec![first, value])
            }
            Some(State::Objects(mut objects)) => {
                self.trace.step(Step::Override(value));
                objects.push(value);
                State::Objects(objects)
            }
            Some(State::Scalar(_) | State::Deleted) | None => {
                self.trace.step(Step::Set(value));
                State::Object(value)
            }
        }
    }

    fn finish(&mut self, slot: Slot) -> Option<Member> {
        let value = match slot.state {
            State::Deleted => return None,
            State::Scalar(value) => value,
            State::Object(object) => self.member(slot.key, &[object]),
            State::Objects(objects) => self.member(slot.key, &objects),
        };
        Some(Member { key: slot.key, key_span: slot.key_span, value })
    }

    /// Objects that lie above each other at a key.
    fn member(&mut self, key: Symbol, objects: &[NodeId]) -> NodeId {
        let span = self.arena.entry(objects[objects.len() - 1]).span();
        self.trace.enter(key);
        let merged = self.objects(objects, span, false);
        self.trace.leave();
        merged
    }

    fn idle_marker(&mut self, object: NodeId, name: Symbol) {
        let place = self.arena.entry(object).member(name).map(|member| member.key_span);
        let name = self.arena.text(name);
        self.diagnostics.extend(place.map(|place| marker_without_effect(name, place)));
    }

    fn marker(&mut self, object: NodeId, name: Symbol) -> bool {
        let Some(marker) = self.arena.entry(object).get(name) else { return false };
        match marker.value() {
            Value::Bool(value) => value,
            _ => {
                let finding = marker_is_no_boolean(self.arena.text(name), marker.type_name(), marker.span());
                self.diagnostics.push(finding);
                false
            }
        }
    }
}

fn is_marker(key: Symbol) -> bool {
    matches!(key, words::DELETE | words::REPLACE)
}

fn marker_without_effect(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` has no effect: there is nothing below that it could act on");
    Diagnostic::warning("marker-without-effect", message, span, "no effect").help(
        "a marker acts once, on the files below this one; only inside arrays does it act on the definition that a test inherits",
    )
}

fn marker_is_no_boolean(name: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::error("marker-type", format!("`{name}` is `true` or `false`, found {found}"), span, "not a boolean")
        .help(format!("write `\"{name}\": true`, or leave it out"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    use super::*;
    use crate::document::read;
    use crate::source::SourceMap;

    fn merged(files: &[&str]) -> (String, Vec<Diagnostic>) {
        let mut sources = SourceMap::default();
        let mut arena = Arena::default();
        let mut objects = Vec::new();
        for (number, text) in files.iter().enumerate() {
            let file = sources.add(Path::new(&format!("{number}")), (*text).into()).expect("room");
            objects.extend(read(&sources, file, &mut arena).0.root);
        }
        let (merged, diagnostics) = merge(&mut arena, &objects, &mut NoTrace);
        (arena.entry(merged).to_data().to_string(), diagnostics)
    }

    fn check(files: &[&str], expected: &str) {
        let (found, diagnostics) = merged(files);
        assert_eq!(found, expected, "{files:?}");
        assert!(diagnostics.iter().all(|finding| finding.code == "marker-without-effect"), "{files:?}");
    }

    #[test]
    fn objects_merge_and_everything_else_replaces() {
        check(&["{x: {a: 1, b: [1]}}", "{x: {b: [2], c: null}}"], r#"{"x":{"a":1,"b":[2],"c":null}}"#);
        check(&["{x: [1]}", "{x: {a: 1}}"], r#"{"x":{"a":1}}"#);
        check(&["{x: {a: 1}}", "{x: 3}"], r#"{"x":3}"#);
        check(&["{x: 3}", "{x: {}}"], r#"{"x":{}}"#);
    }

    #[test]
    fn delete_removes_and_is_not_sticky() {
        check(&["{x: {a: 1, b: 2}}", "{x: {a: {__delete__: true, z: 1}}}"], r#"{"x":{"b":2}}"#);
        check(&["{a: 1, b: 2}", "{a: {__delete__: true}}", "{a: {c: 3}}"], r#"{"b":2,"a":{"c":3}}"#);
        check(&["{}", "{a: {__delete__: true}}"], "{}");
    }

    #[test]
    fn replace_drops_what_lies_below() {
        check(&["{x: {a: 1}}", "{x: {__replace__: true, b: {__delete__: true}, c: 2}}"], r#"{"x":{"c":2}}"#);
        check(&["{x: {a: 1}}", "{x: {__replace__: true}}"], r#"{"x":{}}"#);
        check(&["{x: {a: 1}}", "{x: {__replace__: false, b: 2}}"], r#"{"x":{"a":1,"b":2}}"#);
        check(&["{x: {a: 1}}", "{x: {__delete__: true, __replace__: 1}}"], "{}");
    }

    #[test]
    fn markers_are_consumed_outside_of_arrays_and_stay_inside() {
        check(&["{x: {y: {__delete__: true}, z: [{__delete__: true}]}}"], r#"{"x":{"z":[{"__delete__":true}]}}"#);
        check(&["{__delete__: true}"], r#"{"__delete__":true}"#);
    }

    #[test]
    fn a_marker_that_is_no_boolean_is_refused() {
        let (_, diagnostics) = merged(&["{x: {}}", "{x: {__delete__: 1}}"]);
        assert_eq!(diagnostics.len(), 1);
        assert_eq!(diagnostics[0].message, "`__delete__` is `true` or `false`, found an integer");
    }

    /// One object over another, member by member, word by word as the rules have it.
    fn naive(below: &mut Map<String, Json>, above: &Map<String, Json>) {
        for (key, value) in above {
            let Json::Object(value) = value else {
                below.insert(key.clone(), value.clone());
                continue;
            };
            let mut value = value.clone();
            let delete = value.shift_remove("__delete__") == Some(json!(true));
            let replace = value.shift_remove("__replace__") == Some(json!(true));
            if delete {
                below.shift_remove(key);
                continue;
            }
            let mut result = match below.get(key) {
                Some(Json::Object(old)) if !replace => old.clone(),
                _ => Map::new(),
            };
            naive(&mut result, &value);
            below.insert(key.clone(), Json::Object(result));
        }
    }

    fn values() -> impl Strategy<Value = Json> {
        let scalar = prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!([{"__delete__": true}]))];
        scalar.prop_recursive(4, 24, 4, |inner| objects_of(inner).prop_map(Json::Object))
    }

    fn objects_of(inner: impl Strategy<Value = Json>) -> impl Strategy<Value = Map<String, Json>> {
        let marker = || prop_oneof![4 => Just(None), 1 => any::<bool>().prop_map(Some)];
        let members = prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), inner), 0..4);
        (members, marker(), marker()).prop_map(|(members, delete, replace)| {
            let mut object: Map<String, Json> =
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            object.extend(delete.map(|delete| ("__delete__".to_owned(), json!(delete))));
            object.extend(replace.map(|replace| ("__replace__".to_owned(), json!(replace))));
            object
        })
    }

    proptest! {
        #[test]
        fn all_at_once_is_one_by_one(files in prop::collection::vec(prop::collection::vec((prop::sample::select(vec!["x", "y", "z"]), values()), 0..4), 1..6)) {
            let files: Vec<Map<String, Json>> =
                files.into_iter().map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).collect();
            let mut expected = Map::new();
            for file in &files {
                naive(&mut expected, file);
            }
            let texts: Vec<String> = files.into_iter().map(|file| Json::Object(file).to_string()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(merged(&texts).0, Json::Object(expected).to_string());
        }
    }
}
