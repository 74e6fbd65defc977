//! Ranges: three integers of any size, whatever their length.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// A range.
#[derive(Clone, Debug)]
pub struct Range {
    pub(crate) start: BigInt,
    pub(crate) stop: BigInt,
    pub(crate) step: BigInt,
    pub(crate) length: BigInt,
}

impl Range {
    /// From `start` to before `stop`; `step` is not 0.
    pub(crate) fn new(start: BigInt, stop: BigInt, step: BigInt) -> Self {
        let distance = if step.is_negative() { &start - &stop } else { &stop - &start };
        let length =
            if distance.is_positive() { (distance - 1u8).div_floor(&step.abs()) + 1u8 } else { BigInt::zero() };
        Self { start, stop, step, length }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length.is_zero()
    }

    /// The item at an index that is inside.
    pub(crate) fn at(&self, index: &BigInt) -> BigInt {
        &self.start + index * &self.step
    }

    /// The index of a number, if it is an item.
    pub(crate) fn position(&self, number: &BigInt) -> Option<BigInt> {
        let (index, rest) = (number - &self.start).div_mod_floor(&self.step);
        (rest.is_zero() && !index.is_negative() && index < self.length).then_some(index)
    }

    /// The same items from the end.
    pub(crate) fn reversed(&self) -> Self {
        let last = self.at(&(&self.length - 1u8));
        let stop = &self.start - &self.step;
        if self.is_empty() {
            return Self::new(BigInt::zero(), BigInt::zero(), BigInt::one());
        }
        Self { start: last, stop, step: -&self.step, length: self.length.clone() }
    }

    /// Whether it has the same items.
    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        self.length == other.length
            && (self.is_empty() || self.start == other.start && (self.length.is_one() || self.step == other.step))
    }
}
