//! `skipped_tests` and `waived_tests`: which nodes they name now (rules P1 to P5).

use tlc_plan::Data;
use tlc_plan::plan::{NodeId, Plan, Rule, When};

use super::action::SkipReason;
use super::conditions::Conditions;
use super::shape;

/// What the rules of a list name.
pub(super) struct Named {
    /// In the list's order, with the rule that names it first.
    pub skipped: Vec<(NodeId, SkipReason)>,
    /// With everything below them.
    pub waived: Vec<NodeId>,
}

/// The nodes that the rules name; or why the rules cannot be read, in which case none of them holds.
pub(super) fn read(
    plan: &Plan,
    conditions: &dyn Conditions,
    device: &Data,
    phase: Option<&str>,
) -> Result<Named, String> {
    let read = |rules| patterns(plan, conditions, device, phase, rules);
    let to_skip = read(&plan.skipped_tests)?;
    let to_waive = read(&plan.waived_tests)?;
    let skipped = plan.preorder().filter_map(|node| {
        let (rule, pattern) = to_skip.iter().find(|(_, pattern)| matches(&plan.node(node).path, pattern))?;
        Some((node, SkipReason::Rule { rule: rule.clone(), pattern: pattern.clone() }))
    });
    let waived = plan
        .preorder()
        .filter(|&node| to_waive.iter().any(|(_, pattern)| matches(&plan.node(node).path, pattern)))
        .flat_map(|node| shape::subtree(plan, node));
    Ok(Named { skipped: skipped.collect(), waived: waived.collect() })
}

/// The patterns of the rules that hold now, each with its rule's key.
fn patterns(
    plan: &Plan,
    conditions: &dyn Conditions,
    device: &Data,
    phase: Option<&str>,
    rules: &[Rule],
) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for rule in rules {
        let (holds, key) = match &rule.when {
            When::Phase(name) => (phase == Some(name.as_str()), name.clone()),
            When::Condition(condition) => {
                let text =
                    plan.sources.get(condition.source as usize).map_or_else(String::new, |it| it.text.to_string());
                // An error counts as false here.
                (conditions.holds(plan, *condition, device).unwrap_or(false), text)
            }
            When::Never(key) => (false, key.clone()),
        };
        if !holds {
            continue;
        }
        let patterns = conditions.resolve(plan, &rule.patterns, device)?;
        found.extend(texts(&patterns, &key)?.into_iter().map(|pattern| (key.clone(), pattern)));
    }
    Ok(found)
}

/// A list of texts; a text alone is the list of its letters.
fn texts(patterns: &Data, key: &str) -> Result<Vec<String>, String> {
    let complaint =
        || format!("the rule `{key}` of skipped or waived tests is {}, expected a list of paths", patterns.type_name());
    if let Some(text) = patterns.as_str() {
        return Ok(text.chars().map(String::from).collect());
    }
    let items = patterns.as_list().ok_or_else(complaint)?;
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(complaint)).collect()
}

/// An exact path, or after `*` the end of one; a list's id before `:` does not count.
pub(crate) fn matches(path: &str, pattern: &str) -> bool {
    let pattern = pattern.rsplit(':').next().unwrap_or(pattern);
    match pattern.strip_prefix('*') {
        Some(end) => path.ends_with(end),
        None => path == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_is_a_path_or_the_end_of_one() {
        assert!(matches("G.A", "G.A") && matches("G.A", "main:G.A") && matches("", ""));
        assert!(matches("G.A", "*.A") && !matches("A", "*.A") && matches("BA", "*A") && matches("", "*"));
        assert!(!matches("G.A", "G.*") && !matches("G.A", "A"));
    }
}
