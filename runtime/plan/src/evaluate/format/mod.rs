//! Values as text: `str`, `repr`, format specifications, `%` and `str.format`.

mod brace;
mod number;
mod percent;
mod repr;
mod spec;

pub(crate) use brace::brace;
pub(crate) use percent::percent;
pub(crate) use repr::{ascii, repr, str};
pub(crate) use spec::format;

use super::{Failure, Meter};

/// Text that grows, counted as it does.
pub(crate) struct Output<'m> {
    text: String,
    pub(crate) meter: &'m mut Meter,
}

impl<'m> Output<'m> {
    pub(crate) fn new(meter: &'m mut Meter) -> Self {
        Self { text: String::new(), meter }
    }

    pub(crate) fn push_str(&mut self, text: &str) -> Result<(), Failure> {
        self.meter.allocate(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    pub(crate) fn push(&mut self, character: char) -> Result<(), Failure> {
        self.meter.allocate(1)?;
        self.text.push(character);
        Ok(())
    }

    /// Adds so many of a character.
    pub(crate) fn pad(&mut self, character: char, count: usize) -> Result<(), Failure> {
        self.meter.allocate(count.saturating_mul(character.len_utf8()))?;
        self.text.extend(std::iter::repeat_n(character, count));
        Ok(())
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
