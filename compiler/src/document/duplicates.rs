//! The members of an object as they were written to the members that it has: of equal keys the last value counts, at the place of the
//! first, as in Python's dictionaries.

use super::{Duplicate, Member};
use crate::source::Span;

/// Members up to this many are compared one with the other.
const FEW: usize = 16;

/// What was seen in the object at hand, by symbol. It serves every object of a file, so that no object pays for another's size.
#[derive(Default)]
pub(super) struct Seen {
    object: u32,
    places: Vec<(u32, u32)>,
}

impl Seen {
    /// Removes the lost members from `members[from..]` and says which they were; the number of symbols is an upper bound of the keys'.
    pub(super) fn settle(
        &mut self,
        members: &mut Vec<Member>,
        from: usize,
        symbol_count: usize,
        duplicates: &mut Vec<Duplicate>,
    ) {
        if members.len() - from > FEW {
            self.settle_many(members, from, symbol_count, duplicates);
        } else if has_duplicate(&members[from..]) {
            settle_with(members, from, duplicates, |kept, member, _| {
                kept.iter().position(|known| known.key == member.key)
            });
        }
    }

    fn settle_many(
        &mut self,
        members: &mut Vec<Member>,
        from: usize,
        symbol_count: usize,
        duplicates: &mut Vec<Duplicate>,
    ) {
        self.object += 1;
        self.places.resize(symbol_count.max(self.places.len()), (0, 0));
        let (object, places) = (self.object, &mut self.places);
        settle_with(members, from, duplicates, |_, member, next| {
            let seen = &mut places[member.key.index()];
            if seen.0 == object {
                return Some(seen.1 as usize);
            }
            *seen = (object, next as u32);
            None
        });
    }
}

fn has_duplicate(members: &[Member]) -> bool {
    members.iter().enumerate().any(|(at, member)| members[..at].iter().any(|known| known.key == member.key))
}

/// `find` is given the members that are kept so far, one more, and the place that it would have; it answers with the place of its key.
fn settle_with(
    members: &mut Vec<Member>,
    from: usize,
    duplicates: &mut Vec<Duplicate>,
    mut find: impl FnMut(&[Member], &Member, usize) -> Option<usize>,
) {
    let mut next = from;
    let mut lost: Vec<(usize, Span)> = Vec::new();
    for at in from..members.len() {
        let member = members[at];
        match find(&members[from..next], &member, next - from) {
            Some(place) => {
                lost.push((from + place, members[from + place].key_span));
                members[from + place] = member;
            }
            None => {
                members[next] = member;
                next += 1;
            }
        }
    }
    members.truncate(next);
    duplicates.extend(lost.into_iter().map(|(place, lost)| {
        let kept = &members[place];
        Duplicate { key: kept.key, lost, kept: kept.key_span }
    }));
}
