//! Templates of two plans against each other, member by member.

use crate::members::Members;
use crate::template::ExpressionUse;
use crate::{Data, Plan, Template};

/// The two plans.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) before: &'a Plan,
    pub(super) after: &'a Plan,
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
            found.push((name.to_owned(), text(self.before, before), text(self.after, after)));
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

    /// The trees count, not how they are written.
    pub(super) fn same_expression(&self, before: ExpressionUse, after: ExpressionUse) -> bool {
        let tree = |plan: &Plan, place: ExpressionUse| plan.expressions.get(place.expression as usize).cloned();
        tree(self.before, before) == tree(self.after, after)
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
