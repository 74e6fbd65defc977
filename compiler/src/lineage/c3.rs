//! C3 linearization over numbers: the order of a class's ancestors in Python, and of a list's parents here.
//!
//! A name comes before its parents, and parents keep the order in which they are named; where no order does that, the problem says
//! which two names contradict each other.

use hashbrown::HashMap;

/// Why there is no order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Each inherits the next, and the last the first.
    Cycle(Vec<usize>),
    /// At `child`, one source wants `first` before `second`, and another the reverse.
    Order { child: usize, first: usize, second: usize, first_from: Source, second_from: Source },
}

/// Who wants an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The order in which the child names its parents.
    Own,
    /// The ancestors of this parent.
    Parent(usize),
}

/// The order of `root` and its ancestors, given the distinct parents of each name.
pub(super) fn linearize(root: usize, parents: &[Vec<usize>]) -> Result<Vec<usize>, Problem> {
    let order = parents_first(root, parents)?;
    let mut uses = vec![0_usize; parents.len()];
    for name in &order {
        for parent in &parents[*name] {
            uses[*parent] += 1;
        }
    }
    // Each linearization is kept backwards, so that a name with one parent is a push.
    let mut done: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    for name in order {
        let mut linear = match parents[name][..] {
            [] => Vec::new(),
            [parent] if uses[parent] == 1 => std::mem::take(&mut done[parent]),
            [parent] => done[parent].clone(),
            _ => join(name, &parents[name], &done)?,
        };
        linear.push(name);
        done[name] = linear;
    }
    let mut linear = std::mem::take(&mut done[root]);
    linear.reverse();
    Ok(linear)
}

/// Every name that `root` reaches, parents before their children; without recursion.
fn parents_first(root: usize, parents: &[Vec<usize>]) -> Result<Vec<usize>, Problem> {
    let mut order = Vec::new();
    let mut seen = vec![false; parents.len()];
    let mut on_path = vec![false; parents.len()];
    let mut path = vec![(root, 0)];
    (seen[root], on_path[root]) = (true, true);
    while let Some((name, next)) = path.last_mut() {
        let Some(&parent) = parents[*name].get(*next) else {
            on_path[*name] = false;
            order.push(*name);
            path.pop();
            continue;
        };
        *next += 1;
        if on_path[parent] {
            let circle = path.iter().map(|(name, _)| *name).skip_while(|name| *name != parent);
            return Err(Problem::Cycle(circle.collect()));
        }
        if !seen[parent] {
            (seen[parent], on_path[parent]) = (true, true);
            path.push((parent, 0));
        }
    }
    Ok(order)
}

/// C3's merge of the parents' linearizations and the list of parents; the result is backwards, without `child`.
fn join(child: usize, parents: &[usize], done: &[Vec<usize>]) -> Result<Vec<usize>, Problem> {
    let own: Vec<usize> = parents.iter().rev().copied().collect();
    let mut left: Vec<&[usize]> = parents.iter().map(|parent| &done[*parent][..]).chain([&own[..]]).collect();
    let mut in_tails: HashMap<usize, usize> = HashMap::new();
    let mut headed: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, names) in left.iter().enumerate() {
        let Some((head, tail)) = names.split_last() else { continue };
        headed.entry(*head).or_default().push(at);
        for name in tail {
            *in_tails.entry(*name).or_default() += 1;
        }
    }
    let mut joined = Vec::new();
    let mut first = 0;
    loop {
        while left.get(first).is_some_and(|names| names.is_empty()) {
            first += 1;
        }
        if first == left.len() {
            joined.reverse();
            return Ok(joined);
        }
        let free = |name: &&usize| in_tails.get(*name).is_none_or(|count| *count == 0);
        let Some(&name) = left[first..].iter().filter_map(|names| names.last()).find(free) else {
            return Err(contradiction(child, parents, &left));
        };
        joined.push(name);
        for at in headed.remove(&name).unwrap_or_default() {
            left[at] = &left[at][..left[at].len() - 1];
            let Some(head) = left[at].last() else { continue };
            headed.entry(*head).or_default().push(at);
            in_tails.entry(*head).and_modify(|count| *count -= 1);
        }
    }
}

/// Every head lies in some tail. Walking from a head to the head of a list that holds it back must come round; two neighbours on that
/// walk are what the message names.
fn contradiction(child: usize, parents: &[usize], left: &[&[usize]]) -> Problem {
    let source = |at: usize| parents.get(at).map_or(Source::Own, |parent| Source::Parent(*parent));
    let open: Vec<usize> = (0..left.len()).filter(|at| !left[*at].is_empty()).collect();
    let head = |at: usize| left[at][left[at].len() - 1];
    let before = |at: usize, name: usize| head(at) != name && left[at].contains(&name);
    let mutual =
        open.iter().find_map(|&a| open.iter().find(|&&b| before(a, head(b)) && before(b, head(a))).map(|&b| (a, b)));
    let (a, b) = mutual.unwrap_or_else(|| {
        let a = open[0];
        (a, open.iter().copied().find(|&b| before(b, head(a))).unwrap_or(a))
    });
    Problem::Order { child, first: head(a), second: head(b), first_from: source(a), second_from: source(b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_diamond_keeps_the_order_of_its_sides() {
        assert_eq!(linearize(0, &[vec![1, 2], vec![3], vec![3], vec![]]), Ok(vec![0, 1, 2, 3]));
    }

    #[test]
    fn a_circle_is_named() {
        assert_eq!(linearize(0, &[vec![1], vec![2], vec![1]]), Err(Problem::Cycle(vec![1, 2])));
        assert_eq!(linearize(0, &[vec![0]]), Err(Problem::Cycle(vec![0])));
    }

    #[test]
    fn a_contradiction_names_both_sides() {
        let parent_before_its_child = linearize(0, &[vec![1, 2], vec![], vec![1]]);
        let Err(Problem::Order { child: 0, first, second, .. }) = parent_before_its_child else {
            panic!("it has no order")
        };
        assert_eq!([first.min(second), first.max(second)], [1, 2]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let parents: Vec<Vec<usize>> =
            (1..=100_000).map(|name| if name < 100_000 { vec![name] } else { vec![] }).collect();
        assert_eq!(linearize(0, &parents).map(|order| order.len()), Ok(100_000));
    }

    /// The definition, word by word.
    fn naive(name: usize, parents: &[Vec<usize>]) -> Option<Vec<usize>> {
        let mut left: Vec<Vec<usize>> =
            parents[name].iter().map(|parent| naive(*parent, parents)).collect::<Option<_>>()?;
        left.push(parents[name].clone());
        let mut order = vec![name];
        loop {
            left.retain(|names| !names.is_empty());
            if left.is_empty() {
                return Some(order);
            }
            let next =
                left.iter().map(|names| names[0]).find(|head| left.iter().all(|names| !names[1..].contains(head)))?;
            order.push(next);
            for names in &mut left {
                names.retain(|name| *name != next);
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_definition(edges in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..9)) {
            let count = edges.len();
            // A parent has a larger number, so that there are no circles.
            let parents: Vec<Vec<usize>> = edges.iter().enumerate().map(|(name, chosen)| {
                let above = count - name - 1;
                let mut names: Vec<usize> = Vec::new();
                for index in chosen.iter().filter(|_| above > 0) {
                    let parent = name + 1 + index.index(above);
                    if !names.contains(&parent) {
                        names.push(parent);
                    }
                }
                names
            }).collect();
            prop_assert_eq!(linearize(0, &parents).ok(), naive(0, &parents));
        }
    }
}
