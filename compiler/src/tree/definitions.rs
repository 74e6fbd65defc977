//! Definitions: names to the object that a test gets when it inherits them.
//!
//! A definition is merged over its base, and that over its own, down to a class. Only definitions that are reached are resolved, each
//! once, and without recursion.

use hashbrown::{DefaultHashBuilder, HashMap};

use indexmap::{IndexMap, IndexSet};
use tlc_plan::plan::Class;

use crate::diagnostic::{Diagnostic, Label, did_you_mean};
use crate::document::{Arena, Member, NodeId, Part, Symbol, Value};
use crate::merge::{NoTrace, merge, merge_members};
use crate::source::Span;
use crate::words;

/// What a test is built as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A test or a group of this class.
    Test(Class),
    /// A group whose tests take its place.
    Flatten,
}

/// A definition with all that it inherits.
#[derive(Clone, Copy, Debug)]
pub struct Resolved {
    /// The merged object.
    pub object: NodeId,
    /// What its chain ends in.
    pub kind: Kind,
}

/// What became of a definition.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing needed it.
    #[default]
    Unreached,
    /// It cannot be used.
    Unusable,
    Resolved(Resolved),
}

/// The definitions of a list.
#[derive(Debug)]
pub struct Definitions {
    /// An object, if there are any.
    written: Option<NodeId>,
    /// What became of those that were needed, by the symbols of their names.
    resolved: Vec<State>,
    /// Where names stand that are not defined. Each name is reported once, at the first of its places.
    missing: IndexMap<Symbol, IndexSet<Span, DefaultHashBuilder>, DefaultHashBuilder>,
    /// For how many unknown names a near one is still looked for; a list with more has another problem.
    suggestions: usize,
}

/// How many places of a name that is not defined are shown.
const PLACES_SHOWN: usize = 3;

/// Definitions on the way to their class, each the base of the one before it.
type Chain = IndexMap<Symbol, Member, DefaultHashBuilder>;

impl Definitions {
    /// The definitions of this object, if there is one.
    pub fn new(object: Option<NodeId>) -> Self {
        Self { written: object, resolved: Vec::new(), missing: IndexMap::default(), suggestions: 100 }
    }

    fn state(&self, name: Symbol) -> State {
        self.resolved.get(name.index()).copied().unwrap_or_default()
    }

    fn keep(&mut self, name: Symbol, resolved: Option<Resolved>) {
        if self.resolved.len() <= name.index() {
            self.resolved.resize(name.index() + 1, State::Unreached);
        }
        self.resolved[name.index()] = resolved.map_or(State::Unusable, State::Resolved);
    }

    fn written(&self, name: Symbol, arena: &Arena) -> Option<Member> {
        arena.entry(self.written?).member(name).copied()
    }

    /// The definition with this name, which is needed at `at`. `None` if it cannot be used; the first time, a diagnostic says why.
    pub fn resolve(
        &mut self,
        name: Symbol,
        at: Span,
        arena: &mut Arena,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Resolved> {
        match self.state(name) {
            State::Resolved(known) => return Some(known),
            State::Unusable => return None,
            State::Unreached => {}
        }
        if let Some(member) = self.written(name, arena)
            && let State::Resolved(below) = self.state(base(arena, &member).0)
        {
            // Most inherit what others inherited before them.
            let resolved = Some(extend(below, &member, arena, diagnostics));
            self.keep(name, resolved);
            return resolved;
        }
        let mut chain = Chain::default();
        let (mut name, mut at) = (name, at);
        let mut resolved = loop {
            match self.state(name) {
                State::Resolved(known) => break Some(known),
                State::Unusable => break None,
                State::Unreached => {}
            }
            if chain.contains_key(&name) {
                diagnostics.push(circle(arena, &chain, name, at));
                break None;
            }
            let Some(member) = self.written(name, arena) else {
                let places = self.missing.entry(name).or_default();
                if places.insert(at) && places.len() == 1 {
                    diagnostics.push(self.unknown(arena, name, chain.last(), at));
                }
                break None;
            };
            let (base, base_at) = base(arena, &member);
            if base == name {
                let class = class(arena, &member, base_at, diagnostics)
                    .map(|kind| Resolved { object: object_of(arena, &member), kind });
                self.keep(name, class);
                break class;
            }
            chain.insert(name, member);
            (name, at) = (base, base_at);
        };
        for (name, member) in chain.into_iter().rev() {
            resolved = resolved.map(|below| extend(below, &member, arena, diagnostics));
            self.keep(name, resolved);
        }
        resolved
    }

    /// What a definition is made of: the names and own objects of its chain, the class first.
    pub fn ancestry(&self, name: Symbol, arena: &mut Arena) -> Vec<(Symbol, NodeId)> {
        let mut chain = Chain::default();
        let mut next = Some(name);
        while let Some((name, member)) = next.and_then(|name| Some((name, self.written(name, arena)?)))
            && !chain.contains_key(&name)
        {
            chain.insert(name, member);
            next = Some(base(arena, &member).0);
        }
        let names: Vec<(Symbol, Member)> = chain.into_iter().rev().collect();
        let is_class = |member: &Member| base(arena, member).0 == member.key;
        let classes: Vec<bool> = names.iter().map(|(_, member)| is_class(member)).collect();
        let objects = names.into_iter().zip(classes).map(|((name, member), is_class)| {
            let object = if is_class { object_of(arena, &member) } else { own_object(arena, &member) };
            (name, object)
        });
        objects.collect()
    }

    /// Whether the definition was needed by something.
    pub fn is_reached(&self, name: Symbol) -> bool {
        !matches!(self.state(name), State::Unreached)
    }

    /// Whether a definition was needed by something, by the symbols of definitions.
    pub fn reached(&self) -> Vec<bool> {
        self.resolved.iter().map(|state| !matches!(state, State::Unreached)).collect()
    }

    /// Adds to what was reported about names that are not defined where else they stand.
    pub(super) fn settle_missing(&self, arena: &Arena, diagnostics: &mut [Diagnostic]) {
        let of_missing = |finding: &Diagnostic| ["unknown-definition", "broken-definition"].contains(&finding.code);
        let found = diagnostics.iter().enumerate().filter(|(_, finding)| of_missing(finding));
        let found: HashMap<Span, usize> =
            found.filter_map(|(at, finding)| Some((finding.labels.first()?.span, at))).collect();
        for (name, places) in self.missing.iter().filter(|(_, places)| places.len() > 1) {
            let Some(at) = places.first().and_then(|first| found.get(first)) else { continue };
            let finding = &mut diagnostics[*at];
            for place in places.iter().take(PLACES_SHOWN).skip(1) {
                finding.labels.push(Label { span: *place, text: "needed here as well".to_owned() });
            }
            match places.len().saturating_sub(PLACES_SHOWN) {
                0 => {}
                1 => finding.message += &format!("; 1 more place needs `{}`", arena.text(*name)),
                more => finding.message += &format!("; {more} more places need `{}`", arena.text(*name)),
            }
        }
    }

    /// Whether a class is among the names that are not defined.
    pub(super) fn lacks_a_class(&self, arena: &Arena) -> bool {
        self.missing.keys().any(|name| class_of(arena.text(*name)).is_some())
    }

    fn unknown(&mut self, arena: &Arena, name: Symbol, user: Option<(&Symbol, &Member)>, at: Span) -> Diagnostic {
        let text = arena.text(name);
        let message = match user {
            Some((name, _)) => format!("`{}` inherits `{text}`, which is not defined", arena.text(*name)),
            None => format!("`{text}` is not defined"),
        };
        let finding = Diagnostic::error("unknown-definition", message, at, "not in `definitions`");
        self.suggestions = self.suggestions.saturating_sub(1);
        let known = self.written.filter(|_| self.suggestions > 0);
        let known = known.into_iter().flat_map(|object| arena.entry(object).members());
        let known = known.map(|member| arena.text(member.key));
        let help = match (self.written.is_some(), did_you_mean(text, sorted(known))) {
            (false, _) => "the list has no `definitions`: inherit `base.test_list`, which has the classes".to_owned(),
            (true, Some(meant)) => meant,
            (true, None) if class_of(text).is_some() => "inherit `base.test_list`, which has the classes".to_owned(),
            (true, None) => format!("add `\"{text}\"` to `definitions`, or inherit a list that has it"),
        };
        finding.help(help)
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// The base of a definition, and where it is named; `FactoryTest` if it names none.
fn base(arena: &Arena, member: &Member) -> (Symbol, Span) {
    let value = arena.entry(member.value);
    let named = value.get(words::INHERIT).unwrap_or(value);
    match named.value() {
        Value::String(symbol) => (symbol, named.span()),
        _ => (arena.symbol("FactoryTest").unwrap_or(member.key), member.key_span),
    }
}

/// A string stands for an object that only inherits.
fn object_of(arena: &mut Arena, member: &Member) -> NodeId {
    if arena.entry(member.value).is_object() {
        return member.value;
    }
    arena.add_object(&[], arena.node(member.value).span)
}

/// A definition that inherits itself is a class, and must say so.
fn class(arena: &Arena, member: &Member, at: Span, diagnostics: &mut Vec<Diagnostic>) -> Option<Kind> {
    let name = arena.text(member.key);
    let value = arena.entry(member.value);
    if value.is_object() && value.get(words::INHERIT).is_none() {
        diagnostics.push(class_without_inherit(name, member.key_span));
        return None;
    }
    let kind = class_of(name);
    if kind.is_none() {
        diagnostics.push(unknown_class(name, at));
    }
    kind
}

/// The class with this name.
fn class_of(name: &str) -> Option<Kind> {
    Some(match name {
        "FactoryTest" | "OperatorTest" | "AutomatedSequence" => Kind::Test(Class::FactoryTest),
        "TestGroup" => Kind::Test(Class::TestGroup),
        "ShutdownStep" => Kind::Test(Class::ShutdownStep),
        "HaltStep" => Kind::Test(Class::HaltStep),
        "RebootStep" | "AutomatedRebootSubTest" => Kind::Test(Class::RebootStep),
        "FullRebootStep" => Kind::Test(Class::FullRebootStep),
        "FlattenGroup" => Kind::Flatten,
        _ => return None,
    })
}

/// A definition over its base. Its name is its id, unless it has one.
fn extend(below: Resolved, member: &Member, arena: &mut Arena, diagnostics: &mut Vec<Diagnostic>) -> Resolved {
    let span = arena.entry(member.value).span();
    let own = own_members(arena, member);
    let object = match merge_members(arena, below.object, own, span) {
        Ok(object) => object,
        Err(own) => {
            let named = arena.add_object(&members_of(&own), span);
            let (object, found) = merge(arena, &[below.object, named], &mut NoTrace);
            diagnostics.extend(found);
            object
        }
    };
    Resolved { object, ..below }
}

/// What a definition says itself, with its name as its id.
fn own_object(arena: &mut Arena, member: &Member) -> NodeId {
    let own = own_members(arena, member);
    let span = arena.node(member.value).span;
    arena.add_object(&members_of(&own), span)
}

fn members_of(parts: &[Part]) -> Vec<Member> {
    parts.iter().map(|part| part.member).collect()
}

fn own_members(arena: &mut Arena, member: &Member) -> Vec<Part> {
    let mut members = arena.take_room();
    arena.entry(member.value).add_to(&mut members);
    if arena.entry(member.value).member(words::ID).is_none() {
        let value = arena.add_scalar(Value::String(member.key), member.key_span);
        members.push(Member { key: words::ID, key_span: member.key_span, value }.into());
    }
    members
}

/// How many steps of a circle are shown.
const STEPS_SHOWN: usize = 20;

fn circle(arena: &Arena, chain: &Chain, name: Symbol, at: Span) -> Diagnostic {
    let steps: Vec<(&Symbol, &Member)> = chain.iter().skip_while(|(step, _)| **step != name).collect();
    let shown = steps.iter().map(|(name, _)| format!("`{}`", arena.text(**name))).take(STEPS_SHOWN);
    let more = (steps.len() > STEPS_SHOWN).then(|| "…".to_owned());
    let name = format!("`{}`", arena.text(name));
    let names: Vec<String> = shown.chain(more).chain([name.clone()]).collect();
    let message = format!("{name} inherits itself: {}", names.join(" → "));
    let mut finding = Diagnostic::error("definition-cycle", message, at, "closes the circle");
    for (_, member) in steps[..steps.len() - 1].iter().take(STEPS_SHOWN) {
        finding = finding.label(base(arena, member).1, "inherited here");
    }
    finding.help("a definition of a parent list is changed by giving its name again without `inherit`")
}

fn class_without_inherit(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "class-without-inherit",
        format!("the class `{name}` does not say that it is one"),
        span,
        "a class",
    )
    .help(format!("write `\"{name}\": {{\"inherit\": \"{name}\"}}`, or inherit `base.test_list`"))
}

fn unknown_class(name: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::error(
        "unknown-class",
        format!("`{name}` inherits itself, which makes it a class, and there is no class `{name}`"),
        span,
        "inherits itself",
    );
    finding.help("to change a definition of a parent list, give its name again without `inherit`")
}
