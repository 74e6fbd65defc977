//! Templates of two plans against each other, member by member.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expression::{Access, Expression, Root};
use crate::members::Members;
use crate::plan::Locals;
use crate::template::ExpressionUse;
use crate::{Data, Plan, Template};

/// The two plans.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) before: &'a Plan,
    pub(super) after: &'a Plan,
    /// The locals of the node that is looked at, in each of them.
    pub(super) locals: (u32, u32),
}

/// What it is, what it was, what it is now.
pub(super) type Difference = (String, Option<String>, Option<String>);

impl Sides<'_> {
    /// Where two templates differ: the paths below `name`, with both values.
    pub(super) fn differences(&self, name: &str, before: &Template, after: &Template) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(name, Some(before), Some(after), &mut found);
        found
    }

    fn compare(&self, name: &str, before: Option<&Template>, after: Option<&Template>, found: &mut Vec<Difference>) {
        if let (Some(old), Some(new)) = (before.and_then(members), after.and_then(members)) {
            let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(key)));
            for key in keys {
                self.compare(&format!("{name}.{key}"), old.get(key), new.get(key), found);
            }
            return;
        }
        let same = match (before, after) {
            (Some(before), Some(after)) => self.same(before, after),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let text = |plan, template: Option<&Template>| template.map(|template| show(plan, template));
            let [old, new] = self.told_apart([text(self.before, before), text(self.after, after)]);
            found.push((name.to_owned(), old, new));
        }
    }

    fn same(&self, before: &Template, after: &Template) -> bool {
        match (before, after) {
            (Template::Data(old), Template::Data(new)) => old == new,
            (Template::Expression(old), Template::Expression(new)) => self.same_expression(*old, *new),
            (Template::Broken(old), Template::Broken(new)) => old == new,
            (Template::List(old), Template::List(new)) => {
                old.len() == new.len() && old.iter().zip(&**new).all(|(old, new)| self.same(old, new))
            }
            (Template::Object(old), Template::Object(new)) => {
                old.len() == new.len()
                    && old.iter().all(|(key, old)| new.get(key).is_some_and(|new| self.same(old, new)))
            }
            _ => false,
        }
    }

    /// The trees count, not how they are written, and what they read of the list.
    pub(super) fn same_expression(&self, before: ExpressionUse, after: ExpressionUse) -> bool {
        let tree = |plan: &Plan, place: ExpressionUse| plan.expressions.get(place.expression as usize).cloned();
        tree(self.before, before) == tree(self.after, after)
            && reads(self.before, before, self.locals.0) == reads(self.after, after, self.locals.1)
    }

    /// The text of an expression of each of them.
    pub(super) fn sources(&self, before: Option<ExpressionUse>, after: Option<ExpressionUse>) -> [Option<String>; 2] {
        let text = |plan: &Plan, place: Option<ExpressionUse>| place.map(|place| source(plan, place));
        self.told_apart([text(self.before, before), text(self.after, after)])
    }

    /// Texts of what is different. Where they are the same, something that they read is another, and stands before them.
    pub(super) fn told_apart(&self, texts: [Option<String>; 2]) -> [Option<String>; 2] {
        let [Some(before), Some(after)] = &texts else { return texts };
        if before != after {
            return texts;
        }
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let names = |plan: &Plan| [Template::Data(plan.constants.clone()), plan.options.clone()];
        let [locals, locals_now] =
            [(self.before, self.locals.0), (self.after, self.locals.1)].map(|(plan, at)| own_locals(plan, at));
        let ([constants, options], [constants_now, options_now]) = (names(self.before), names(self.after));
        let sides = [
            ("constants", constants, constants_now),
            ("options", options, options_now),
            ("locals", locals, locals_now),
        ];
        for (root, before_root, after_root) in &sides {
            // What an expression was made of is not known any more, but what it says.
            let named = |what: &str| before.contains(what) || !before.contains(&format!("{root}."));
            let all =
                if before.contains(root) { self.found(root, Some(before_root), Some(after_root)) } else { Vec::new() };
            for (what, was, is) in all.into_iter().filter(|(what, ..)| named(what)) {
                let is_now = |value: Option<String>| format!("{what} = {}", value.as_deref().unwrap_or("(not there)"));
                old.push(is_now(was));
                new.push(is_now(is));
            }
        }
        let with = |text: &str, read: &[String], otherwise: &str| {
            let read = if read.is_empty() { otherwise.to_owned() } else { read.join(", ") };
            Some(format!("({read}) {text}"))
        };
        [with(before, &old, "with what it read before"), with(after, &new, "with what it reads now")]
    }

    /// Where two templates differ, without a look at what their expressions read.
    fn found(&self, name: &str, before: Option<&Template>, after: Option<&Template>) -> Vec<Difference> {
        let keys = |template: Option<&Template>| template.and_then(members).unwrap_or_default();
        let (old, new) = (keys(before), keys(after));
        if old.is_empty() || new.is_empty() {
            let text = |plan, template: Option<&Template>| template.map(|template| show(plan, template));
            let (old, new) = (text(self.before, before), text(self.after, after));
            return if old == new { Vec::new() } else { vec![(name.to_owned(), old, new)] };
        }
        let all = old.keys().chain(new.keys().filter(|key| !old.contains_key(key)));
        all.flat_map(|key| self.found(&format!("{name}.{key}"), old.get(key), new.get(key))).collect()
    }
}

/// The locals of a node, as far as it has its own.
fn own_locals(plan: &Plan, locals: u32) -> Template {
    match plan.locals.get(locals as usize) {
        Some(Locals::Known(known)) => Template::Data(known.clone()),
        Some(Locals::AtLoad { own, .. }) => own.clone(),
        None => Template::default(),
    }
}

/// What an expression reads of its list, and what that is: constants, options and the locals of its node.
fn reads(plan: &Plan, place: ExpressionUse, locals: u32) -> BTreeMap<String, Option<String>> {
    let accesses = plan.expressions.get(place.expression as usize).map(Expression::accesses).unwrap_or_default();
    let value = |access: &Access| match access.root {
        Root::Constants => Some(shown_at(plan, &Template::Data(plan.constants.clone()), &access.names)),
        Root::Options => Some(shown_at(plan, &plan.options, &access.names)),
        Root::Locals => Some(local(plan, locals, &access.names)),
        Root::Device | Root::Dut | Root::Station | Root::StateProxy => None,
    };
    let read = |access: &Access| {
        let names = std::iter::once(access.root.name()).chain(access.names.iter().map(AsRef::as_ref));
        Some((names.collect::<Vec<_>>().join("."), value(access)?))
    };
    accesses.iter().filter_map(read).collect()
}

/// A local by the names that lead to it: of the node itself, else of what is around it.
fn local(plan: &Plan, locals: u32, names: &[Arc<str>]) -> Option<String> {
    match plan.locals.get(locals as usize)? {
        Locals::Known(known) => shown_at(plan, &Template::Data(known.clone()), names),
        Locals::AtLoad { enclosing, own } => {
            let around = || local(plan, *enclosing, names);
            let own = shown_at(plan, own, names);
            // Objects are merged, so both count.
            if names.is_empty() {
                Some([around(), own].into_iter().flatten().collect::<Vec<_>>().join(" and "))
            } else {
                own.or_else(around)
            }
        }
    }
}

/// What stands below a template, where names lead to; of what is no object, all of it.
fn shown_at(plan: &Plan, template: &Template, names: &[Arc<str>]) -> Option<String> {
    let Some((name, rest)) = names.split_first() else { return Some(show(plan, template)) };
    match members(template) {
        Some(members) => shown_at(plan, members.get(name)?, rest),
        None => Some(show(plan, template)),
    }
}

/// The members of an object, as templates.
fn members(template: &Template) -> Option<Members<Template>> {
    match template {
        Template::Data(Data::Object(members)) => {
            Some(members.iter().map(|(key, value)| (key.clone(), Template::Data(value.clone()))).collect())
        }
        Template::Object(members) => Some((**members).clone()),
        Template::Data(_) | Template::Expression(_) | Template::Broken(_) | Template::List(_) => None,
    }
}

/// A template as text: JSON in which expressions stand as they were written.
pub(super) fn show(plan: &Plan, template: &Template) -> String {
    match template {
        Template::Data(data) => data.to_string(),
        Template::Expression(place) => format!("eval! {}", source(plan, *place)),
        Template::Broken(_) => "eval! (not an expression)".to_owned(),
        Template::List(items) => {
            format!("[{}]", items.iter().map(|item| show(plan, item)).collect::<Vec<_>>().join(","))
        }
        Template::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}:{}", Data::from(&**key), show(plan, value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

/// The text of an expression.
pub(super) fn source(plan: &Plan, place: ExpressionUse) -> String {
    plan.sources
        .get(place.source as usize)
        .map_or_else(|| "(text not known)".to_owned(), |source| source.text.to_string())
}
