//! Going through values one item at a time.

use std::sync::{Arc, Mutex, PoisonError};

use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};

use super::{Range, Set, Value, View};
use crate::evaluate::{Failure, Meter, arithmetic, error};

/// How far an iteration is. Each step is counted.
#[derive(Debug)]
pub(crate) enum Iter {
    /// A list or a tuple.
    Items { items: Arc<Vec<Value>>, next: usize },
    /// The same from the end.
    ItemsBack { items: Arc<Vec<Value>>, left: usize },
    /// The characters of a text; the offset is in bytes.
    Chars { text: Arc<str>, offset: usize },
    /// The same from the end.
    CharsBack { text: Arc<str>, end: usize },
    /// Numbers of 64 bits.
    Range { next: i64, step: i64, left: u64 },
    /// Numbers of any size.
    BigRange { next: BigInt, step: BigInt, left: BigInt },
    /// A dict's keys, values or items.
    View { view: Arc<View>, next: usize },
    /// The same from the end.
    ViewBack { view: Arc<View>, left: usize },
    /// A set.
    Set { set: Arc<Set>, next: usize },
    /// `zip`.
    Zip { parts: Vec<Iter>, strict: bool },
    /// `enumerate`.
    Enumerate { inner: Box<Iter>, count: Value },
    /// `filter(None, …)`.
    Filter(Box<Iter>),
    /// An iterator that others may use too.
    Shared(Arc<super::Iterator>),
}

impl Iter {
    pub(crate) fn range(range: &Range) -> Self {
        let last = range.at(&range.length);
        match (range.start.to_i64(), range.step.to_i64(), range.length.to_u64(), last.to_i64()) {
            (Some(next), Some(step), Some(left), Some(_)) => Self::Range { next, step, left },
            _ => Self::BigRange { next: range.start.clone(), step: range.step.clone(), left: range.length.clone() },
        }
    }

    /// The next item; each costs a step.
    pub(crate) fn next(&mut self, meter: &mut Meter) -> Result<Option<Value>, Failure> {
        meter.step()?;
        Ok(match self {
            Self::Items { items, next } => {
                *next += 1;
                items.get(*next - 1).cloned()
            }
            Self::ItemsBack { items, left } => {
                let Some(position) = left.checked_sub(1) else { return Ok(None) };
                *left = position;
                items.get(position).cloned()
            }
            Self::Chars { text, offset } => {
                let Some(character) = text[*offset..].chars().next() else { return Ok(None) };
                *offset += character.len_utf8();
                Some(char_value(character))
            }
            Self::CharsBack { text, end } => {
                let Some(character) = text[..*end].chars().next_back() else { return Ok(None) };
                *end -= character.len_utf8();
                Some(char_value(character))
            }
            Self::Range { next, step, left } => {
                if *left == 0 {
                    return Ok(None);
                }
                let value = *next;
                *left -= 1;
                *next = next.wrapping_add(*step);
                Some(Value::Int(value))
            }
            Self::BigRange { next, step, left } => {
                if left.is_zero() {
                    return Ok(None);
                }
                let value = next.clone();
                *left -= BigInt::one();
                *next += &*step;
                Some(Value::integer(value))
            }
            Self::View { view, next } => {
                *next += 1;
                view.at(*next - 1)
            }
            Self::ViewBack { view, left } => {
                let Some(position) = left.checked_sub(1) else { return Ok(None) };
                *left = position;
                view.at(position)
            }
            Self::Set { set, next } => {
                *next += 1;
                set.at(*next - 1).cloned()
            }
            Self::Zip { parts, strict } => return zip(parts, *strict, meter),
            Self::Enumerate { inner, count } => {
                let Some(item) = inner.next(meter)? else { return Ok(None) };
                let following = arithmetic::add(count, &Value::Int(1), meter)?;
                Some(Value::tuple(vec![std::mem::replace(count, following), item]))
            }
            Self::Filter(inner) => loop {
                match inner.next(meter)? {
                    Some(item) if !item.is_truthy() => {}
                    found => return Ok(found),
                }
            },
            Self::Shared(iterator) => lock(&iterator.state).next(meter)?,
        })
    }

    /// How many items are left, if that is known without going through them; at most so many for those that end early.
    pub(crate) fn hint(&self) -> usize {
        match self {
            Self::Items { items, next } => items.len().saturating_sub(*next),
            Self::ItemsBack { left, .. } | Self::ViewBack { left, .. } => *left,
            Self::Range { left, .. } => usize::try_from(*left).unwrap_or(usize::MAX),
            Self::BigRange { left, .. } => left.to_usize().unwrap_or(usize::MAX),
            Self::View { view, next } => view.dict.len().saturating_sub(*next),
            Self::Set { set, next } => set.len().saturating_sub(*next),
            Self::Enumerate { inner, .. } => inner.hint(),
            Self::Chars { .. } | Self::CharsBack { .. } | Self::Zip { .. } | Self::Filter(_) | Self::Shared(_) => 0,
        }
    }
}

fn lock(state: &Mutex<Iter>) -> std::sync::MutexGuard<'_, Iter> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn zip(parts: &mut [Iter], strict: bool, meter: &mut Meter) -> Result<Option<Value>, Failure> {
    let mut row = Vec::with_capacity(parts.len());
    for (position, part) in parts.iter_mut().enumerate() {
        match part.next(meter)? {
            Some(_) if strict && position > 0 && row.is_empty() => return Err(uneven(position, "longer")),
            Some(item) => row.push(item),
            None if strict && position > 0 && !row.is_empty() => return Err(uneven(position, "shorter")),
            None if strict => {}
            None => return Ok(None),
        }
    }
    Ok((!row.is_empty()).then(|| Value::tuple(row)))
}

fn uneven(position: usize, how: &str) -> Failure {
    let others = if position == 1 { "argument 1".into() } else { format!("arguments 1-{position}") };
    error::value(format!("zip() argument {} is {how} than {others}", position + 1))
}

fn char_value(character: char) -> Value {
    Value::Str(Arc::from(&*character.encode_utf8(&mut [0; 4])))
}
