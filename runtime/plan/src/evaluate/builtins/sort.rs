//! `sorted`: stable, by `<` alone, whatever `<` answers.

use std::cmp::Ordering;

use super::{apply, iterate, key_function};
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, compare};
use crate::expression::Comparison;
use crate::value::Value;

pub(super) fn sorted(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [items, key, reverse] = args.take("sorted", ["", "*key", "*reverse"], 1)?;
    let key = key_function(key)?;
    let reverse = match reverse {
        None => false,
        Some(value) => match crate::evaluate::integer::of(&value) {
            Some(_) => value.is_truthy(),
            None => {
                crate::evaluate::integer::index(&value)?;
                false
            }
        },
    };
    let items = iterate::collect(&items.unwrap_or(Value::None), meter)?;
    let Some(key) = key else { return sort(items, |item| item, reverse, meter).map(Value::list) };
    let mut ranked = Vec::with_capacity(items.len());
    for item in items {
        meter.items(2)?;
        ranked.push((apply(Some(&key), &item, meter)?, item));
    }
    let ranked = sort(ranked, |(rank, _)| rank, reverse, meter)?;
    Ok(Value::list(ranked.into_iter().map(|(_, item)| item).collect()))
}

/// Equal items keep their order, also in reverse.
fn sort<T: Clone>(
    mut items: Vec<T>,
    rank: impl Fn(&T) -> &Value,
    reverse: bool,
    meter: &mut Meter,
) -> Result<Vec<T>, Failure> {
    meter.steps(items.len() as u64 * u64::from(items.len().max(1).ilog2()) / 4)?;
    meter.items(items.len())?;
    if reverse {
        items.reverse();
    }
    let plain = |a: &T, b: &T| simple_order(rank(a), rank(b));
    if items.windows(2).all(|pair| plain(&pair[0], &pair[1]).is_some()) {
        items.sort_by(|a, b| plain(a, b).unwrap_or(Ordering::Equal));
    } else {
        items =
            merge_sort(items, &|a, b, meter| compare::is_ordered(Comparison::Less, rank(a), rank(b), meter), meter)?;
    }
    if reverse {
        items.reverse();
    }
    Ok(items)
}

/// The order of two integers of 64 bits or two texts, which is total.
fn simple_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

type Less<'f, T> = &'f dyn Fn(&T, &T, &mut Meter) -> Result<bool, Failure>;

fn merge_sort<T: Clone>(items: Vec<T>, less: Less<'_, T>, meter: &mut Meter) -> Result<Vec<T>, Failure> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let left = merge_sort(left, less, meter)?;
    let right = merge_sort(right, less, meter)?;
    merge(left, right, less, meter)
}

fn merge<T: Clone>(left: Vec<T>, right: Vec<T>, less: Less<'_, T>, meter: &mut Meter) -> Result<Vec<T>, Failure> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        meter.step()?;
        let take_right = less(b, a, meter)?;
        merged.extend(if take_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
