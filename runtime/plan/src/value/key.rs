//! What dicts and sets look values up by: Python's equality and hash.

use std::hash::{Hash, Hasher};

use indexmap::Equivalent;
use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::Value;
use crate::evaluate::{Meter, compare};

/// A value that can be hashed. Whoever makes one has counted its parts against a [`Meter`], as hashing walks through it.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) Value);

/// A text to look up, without a value for it.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        if let (Value::Str(a), Value::Str(b)) = (&self.0, &other.0) {
            return a == b;
        }
        compare::is_equal(&self.0, &other.0, &mut Meter::unlimited()).unwrap_or(false)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.as_bytes());
    }
}

impl Equivalent<Key> for Text<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(&key.0, Value::Str(text) if **text == *self.0)
    }
}

/// Values that are equal have the same hash: `1`, `1.0` and `True`.
fn hash<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Str(text) => Text(text).hash(state),
        Value::None => state.write_u8(0),
        Value::Bool(value) => hash_integer(i64::from(*value), state),
        Value::Int(value) => hash_integer(*value, state),
        Value::Big(value) => value.hash(state),
        Value::Float(value) => hash_float(*value, state),
        Value::Complex(real, imaginary) => {
            hash_float(*real, state);
            if *imaginary != 0.0 {
                state.write_u64(imaginary.to_bits());
            }
        }
        Value::Tuple(items) => {
            state.write_usize(items.len());
            items.iter().for_each(|item| hash(item, state));
        }
        Value::Set(set) => state.write_u64(set.hash()),
        Value::Range(range) => range.length.hash(state),
        Value::Builtin(builtin) => builtin.hash(state),
        Value::List(_) | Value::Dict(_) | Value::View(_) | Value::Iterator(_) | Value::Method(_) => state.write_u8(9),
    }
}

fn hash_integer<H: Hasher>(value: i64, state: &mut H) {
    state.write_u8(1);
    state.write_i64(value);
}

fn hash_float<H: Hasher>(value: f64, state: &mut H) {
    if value.trunc() != value || !value.is_finite() {
        state.write_u64(value.to_bits());
    } else if (-9.3e18..=9.3e18).contains(&value) && (value as i64) as f64 == value && (value as i64) != i64::MAX {
        hash_integer(value as i64, state);
    } else if let Some(big) = BigInt::from_f64(value) {
        big.hash(state);
    }
}
