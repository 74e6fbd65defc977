//! Judges measurements: a value or a series, the limits of the list or else of the test, and what follows.
//!
//! Limits that the list declares for a name take the place of those that the test sends.

use std::cmp::Ordering;
use std::fmt::Write as _;

use indexmap::IndexMap;
use serde::Deserialize as _;
use serde_json::{Number, Value};
use tlc_plan::Data;

use super::message::{Axis, Comparison, Limits, Measurement, Nonfinite, Reading, Text, check_kind, whole};

/// What a list declares for the measurements of a test, by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared(IndexMap<String, Declaration>);

/// What a list declares for one measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declaration {
    /// The unit; another one is refused.
    pub unit: Option<String>,
    /// Its limits.
    pub limits: Limits,
    /// What people call it.
    pub label: Option<Text>,
}

/// How a measurement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within its limits.
    Passed,
    /// Beyond them.
    Failed,
    /// There are none.
    Unset,
}

/// A measurement with what was made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What the test sent.
    pub measurement: Measurement,
    /// The limits that it was held against.
    pub limits: Limits,
    /// The unit, of the last axis in a series.
    pub unit: Option<String>,
    /// What people call it.
    pub label: Option<Text>,
    /// What came of it.
    pub verdict: Verdict,
    /// A line for people, if it failed.
    pub message: Option<String>,
}

impl Verdict {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unset => "unset",
        }
    }
}

impl Declared {
    /// Reads the resolved `measurements` of a test; the error names the member.
    pub fn read(data: &Data) -> Result<Self, String> {
        let members = data.as_object().into_iter().flatten();
        let read = |(name, limits): (&std::sync::Arc<str>, &Data)| {
            let declaration = Declaration::read(limits).map_err(|what| format!("`{name}`: {what}"))?;
            Ok((name.to_string(), declaration))
        };
        members.map(read).collect::<Result<_, String>>().map(Self)
    }

    /// The names, in the list's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Declaration {
    fn read(data: &Data) -> Result<Self, String> {
        let value = serde_json::to_value(data).unwrap_or_default();
        let mut declaration = Self::default();
        for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let wrong = |expected: &str| format!("`{key}` is {value}, expected {expected}");
            let text = || value.as_str().map(str::to_owned).ok_or_else(|| wrong("a string"));
            let number = || value.as_number().cloned().ok_or_else(|| wrong("a number"));
            match key.as_str() {
                "unit" => declaration.unit = Some(text()?),
                "min" => declaration.limits.min = Some(number()?),
                "max" => declaration.limits.max = Some(number()?),
                "matches" => declaration.limits.matches = Some(text()?),
                "equals" => {
                    let reading = Reading::deserialize(value);
                    declaration.limits.equals = Some(reading.map_err(|_| wrong("a number, a string or a boolean"))?);
                }
                "label" => declaration.label = Some(Text::deserialize(value).map_err(|_| wrong("a text"))?),
                _ => {}
            }
        }
        declaration.limits.check()?;
        Ok(declaration)
    }
}

/// Holds a measurement against its limits; the error names the field that does not fit the list.
pub fn judge(measurement: Measurement, declared: &Declared) -> Result<Judged, String> {
    let declaration = declared.0.get(&measurement.name);
    let limits = match declaration {
        Some(declaration) if !declaration.limits.is_empty() => {
            check_kind(&measurement, &declaration.limits)?;
            declaration.limits.clone()
        }
        Some(_) | None => measurement.limits(),
    };
    let unit = unit(&measurement, declaration.and_then(|declaration| declaration.unit.as_deref()))?;
    let label = declaration.and_then(|declaration| declaration.label.clone()).or_else(|| measurement.label.clone());
    let beyond = beyond(&measurement, &limits, unit.as_deref());
    let verdict = match &beyond {
        _ if limits.is_empty() => Verdict::Unset,
        Some(_) => Verdict::Failed,
        None => Verdict::Passed,
    };
    let message =
        beyond.map(|found| format!("{}: {found}, expected {}", measurement.name, expected(&limits, unit.as_deref())));
    Ok(Judged { measurement, limits, unit, label, verdict, message })
}

fn unit(measurement: &Measurement, declared: Option<&str>) -> Result<Option<String>, String> {
    let last = measurement.series.as_ref().and_then(|series| series.last()).and_then(|axis| axis.unit.as_ref());
    match (last.or(measurement.unit.as_ref()), declared) {
        (Some(own), Some(declared)) if own != declared => {
            Err(format!("`unit` of `{}`: found `{own}`, and the list declares `{declared}`", measurement.name))
        }
        (own, declared) => Ok(own.cloned().or_else(|| declared.map(str::to_owned))),
    }
}

/// What of a measurement is beyond its limits, for people.
fn beyond(measurement: &Measurement, limits: &Limits, unit: Option<&str>) -> Option<String> {
    match (&measurement.value, &measurement.series) {
        (Some(value), _) if !holds(value, limits) => Some(with_unit(value, unit)),
        (None, Some(series)) => beyond_in(series, limits, unit),
        (Some(_) | None, _) => None,
    }
}

fn beyond_in(series: &[Axis], limits: &Limits, unit: Option<&str>) -> Option<String> {
    let last = series.last()?;
    if last.values.is_empty() && !limits.is_empty() {
        return Some(format!("no value of {}", last.name));
    }
    let place = last.values.iter().position(|value| !holds(value, limits))?;
    let mut found = format!("{} {} at ", last.name, with_unit(&last.values[place], unit));
    for (number, axis) in series[..series.len() - 1].iter().enumerate() {
        let value = axis.values.get(place).map(|value| with_unit(value, axis.unit.as_deref())).unwrap_or_default();
        let comma = if number > 0 { ", " } else { "" };
        let _ = write!(found, "{comma}{} {value}", axis.name);
    }
    Some(found)
}

fn with_unit(value: &dyn std::fmt::Display, unit: Option<&str>) -> String {
    let value = tidy(&value.to_string());
    match unit {
        Some(unit) if !unit.is_empty() && unit != "1" => format!("{value} {unit}"),
        Some(_) | None => value,
    }
}

/// A number as people write it: 3.2009999999999996 is 3.201. Twelve significant digits are more than any instrument has; the record
/// has all of them. What is no such number stays as it is.
pub fn tidy(number: &str) -> String {
    let exact = number.bytes().filter(u8::is_ascii_digit).count() <= 12 || !number.contains('.');
    match number.parse::<f64>() {
        Ok(value) if !exact && value.is_finite() => {
            let rounded: Result<f64, _> = format!("{value:.11e}").parse();
            rounded.map_or_else(|_| number.to_owned(), |rounded| rounded.to_string())
        }
        Ok(_) | Err(_) => number.to_owned(),
    }
}

fn holds(value: &Reading, limits: &Limits) -> bool {
    if limits.is_empty() {
        return true;
    }
    if matches!(value, Reading::Nonfinite(Nonfinite::Nan)) {
        return false;
    }
    let wanted = limits.comparison != Some(Comparison::Ne);
    let equals = limits.equals.as_ref().is_none_or(|equals| is_equal(value, equals) == wanted);
    equals && within(value, limits) && is_match(value, limits.matches.as_deref())
}

fn is_equal(value: &Reading, equals: &Reading) -> bool {
    match (value, equals) {
        (Reading::Text(value), Reading::Text(equals)) => value == equals,
        (Reading::Bool(value), Reading::Bool(equals)) => value == equals,
        _ => value.compare(equals) == Some(Ordering::Equal),
    }
}

fn is_match(value: &Reading, pattern: Option<&str>) -> bool {
    match (pattern, value) {
        (None, _) => true,
        (Some(pattern), Reading::Text(text)) => whole(pattern).is_ok_and(|expression| expression.is_match(text)),
        (Some(_), _) => false,
    }
}

fn within(value: &Reading, limits: &Limits) -> bool {
    use Comparison::{GeLt, Gt, GtLe, GtLt, LeGe, LeGt, Lt, LtGe, LtGt};
    let beside = |limit: &Option<Number>| limit.clone().map(|limit| value.compare(&Reading::Number(limit)));
    let (low, high) = (beside(&limits.min), beside(&limits.max));
    let is = |found: Option<Option<Ordering>>, wanted: Ordering, or_equal: bool| {
        found.is_none_or(|found| found == Some(wanted) || (or_equal && found == Some(Ordering::Equal)))
    };
    match limits.comparison {
        Some(comparison @ (LtGt | LeGe | LeGt | LtGe)) => {
            is(low, Ordering::Less, matches!(comparison, LeGe | LeGt))
                || is(high, Ordering::Greater, matches!(comparison, LeGe | LtGe))
        }
        inside => {
            is(low, Ordering::Greater, !matches!(inside, Some(Gt | GtLe | GtLt)))
                && is(high, Ordering::Less, !matches!(inside, Some(Lt | GeLt | GtLt)))
        }
    }
}

/// Limits in words: `3.2 V to 3.4 V`.
pub fn expected(limits: &Limits, unit: Option<&str>) -> String {
    let equals = limits.equals.as_ref().map(|equals| {
        let value = with_unit(equals, unit);
        if limits.comparison == Some(Comparison::Ne) { format!("anything but {value}") } else { value }
    });
    let pattern = limits.matches.as_ref().map(|pattern| format!("a text that matches `{pattern}`"));
    [equals, range(limits, unit), pattern].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

fn range(limits: &Limits, unit: Option<&str>) -> Option<String> {
    use Comparison::{Eq, Ge, GeLe, GeLt, Gt, GtLe, GtLt, Le, LeGe, LeGt, Lt, LtGe, LtGt, Ne};
    let of = |limit: &Number| with_unit(limit, unit);
    match (&limits.min, &limits.max) {
        (None, None) => None,
        (Some(min), None) if limits.comparison == Some(Gt) => Some(format!("more than {}", of(min))),
        (Some(min), None) => Some(format!("{} or more", of(min))),
        (None, Some(max)) if limits.comparison == Some(Lt) => Some(format!("less than {}", of(max))),
        (None, Some(max)) => Some(format!("{} or less", of(max))),
        (Some(min), Some(max)) => {
            let (min, max) = (of(min), of(max));
            Some(match limits.comparison {
                None | Some(GeLe | Ge | Le | Eq | Ne) => format!("{min} to {max}"),
                Some(GeLt | Lt) => format!("{min} or more and less than {max}"),
                Some(GtLe | Gt) => format!("more than {min} and up to {max}"),
                Some(GtLt) => format!("more than {min} and less than {max}"),
                Some(LtGt) => format!("less than {min} or more than {max}"),
                Some(LeGe) => format!("up to {min} or from {max} on"),
                Some(LeGt) => format!("up to {min} or more than {max}"),
                Some(LtGe) => format!("less than {min} or from {max} on"),
            })
        }
    }
}

/// What the declared measurements that were not reported are called, for people.
pub fn missing<'a>(declared: &Declared, reported: impl Fn(&str) -> bool + 'a) -> Option<String> {
    let names: Vec<String> = declared.names().filter(|name| !reported(name)).map(|name| format!("`{name}`")).collect();
    let (what, were) = match names.len() {
        0 => return None,
        1 => ("measurement", "was"),
        _ => ("measurements", "were"),
    };
    Some(format!("the declared {what} {} {were} not reported", names.join(", ")))
}

/// A value as JSON.
pub fn as_json(reading: &Reading) -> Value {
    serde_json::to_value(reading).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::message::Message;

    fn judged(params: &str, declared: &str) -> Result<Judged, String> {
        let params = serde_json::from_str(params).expect("JSON");
        let Some(Ok(Message::Measurement(measurement))) = Message::read("measurement", Some(params)) else {
            panic!("a measurement");
        };
        let declared = Declared::read(&serde_json::from_str(declared).expect("JSON")).expect("limits");
        judge(*measurement, &declared)
    }

    #[track_caller]
    fn verdict(limits: &str, value: &str) -> Verdict {
        judged(&format!(r#"{{"name":"a","value":{value},{limits}}}"#), "{}").expect("it fits").verdict
    }

    #[track_caller]
    fn message(params: &str, declared: &str) -> String {
        judged(params, declared).expect("it fits").message.expect("it failed")
    }

    #[test]
    fn comparisons_are_as_they_are_named() {
        let rows = [
            (r#""min":1,"max":3"#, "PPP", "FF"),
            (r#""min":1,"max":3,"comparison":"GELE""#, "PPP", "FF"),
            (r#""min":1,"max":3,"comparison":"GELT""#, "PPF", "FF"),
            (r#""min":1,"max":3,"comparison":"GTLE""#, "FPP", "FF"),
            (r#""min":1,"max":3,"comparison":"GTLT""#, "FPF", "FF"),
            (r#""min":1,"max":3,"comparison":"LTGT""#, "FFF", "PP"),
            (r#""min":1,"max":3,"comparison":"LEGE""#, "PFP", "PP"),
            (r#""min":1,"max":3,"comparison":"LEGT""#, "PFF", "PP"),
            (r#""min":1,"max":3,"comparison":"LTGE""#, "FFP", "PP"),
            (r#""min":1,"comparison":"GT""#, "FPP", "FP"),
            (r#""min":1"#, "PPP", "FP"),
            (r#""max":3,"comparison":"LT""#, "PPF", "PF"),
            (r#""max":3"#, "PPP", "PF"),
            (r#""equals":2"#, "FPF", "FF"),
            (r#""equals":2.0,"comparison":"NE""#, "PFP", "PP"),
        ];
        for (limits, inside, outside) in rows {
            let found: String = ["1", "2", "3.0", "0", "4e0"]
                .map(|value| if verdict(limits, value) == Verdict::Passed { 'P' } else { 'F' })
                .into_iter()
                .collect();
            assert_eq!(found, format!("{inside}{outside}"), "{limits}");
        }
    }

    #[test]
    fn a_number_is_shown_as_people_write_it() {
        let shown =
            [("3.2009999999999996", "3.201"), ("1.8900000000000001", "1.89"), ("3.31", "3.31"), ("-0.1", "-0.1")];
        let others =
            [("12345678901234567890", "12345678901234567890"), ("boot 2.4.000000000001", "boot 2.4.000000000001")];
        for (number, expected) in shown.into_iter().chain(others) {
            assert_eq!(tidy(number), expected);
        }
    }

    #[test]
    fn numbers_are_compared_exactly_and_what_is_no_number_is_beyond() {
        assert_eq!(verdict(r#""max":9007199254740992"#, "9007199254740993"), Verdict::Failed);
        assert_eq!(verdict(r#""equals":1"#, "1.0"), Verdict::Passed);
        for limits in [r#""min":1"#, r#""max":1"#, r#""equals":1,"comparison":"NE""#] {
            assert_eq!(verdict(limits, r#"{"nonfinite":"nan"}"#), Verdict::Failed);
        }
        assert_eq!(verdict(r#""min":1"#, r#"{"nonfinite":"inf"}"#), Verdict::Passed);
        assert_eq!(verdict(r#""min":1"#, r#"{"nonfinite":"-inf"}"#), Verdict::Failed);
        assert_eq!(verdict(r#""min":-1e300"#, "0"), Verdict::Passed);
        assert_eq!(verdict(r#""equals":{"nonfinite":"inf"}"#, r#"{"nonfinite":"inf"}"#), Verdict::Passed);
    }

    #[test]
    fn texts_and_booleans_are_judged() {
        assert_eq!(verdict(r#""matches":"boot [0-9.]+""#, r#""boot 2.4""#), Verdict::Passed);
        assert_eq!(verdict(r#""matches":"boot""#, r#""reboot""#), Verdict::Failed);
        assert_eq!(verdict(r#""equals":true"#, "true"), Verdict::Passed);
        assert_eq!(verdict(r#""equals":"1""#, "1"), Verdict::Failed);
        assert_eq!(verdict(r#""unit":"V""#, "1"), Verdict::Unset);
    }

    #[test]
    fn a_message_names_measurement_value_unit_and_limits() {
        assert_eq!(
            message(r#"{"name":"rail_3v3","value":3.01,"unit":"V","min":3.2,"max":3.4}"#, "{}"),
            "rail_3v3: 3.01 V, expected 3.2 V to 3.4 V"
        );
        assert_eq!(message(r#"{"name":"n","value":1,"unit":"1","min":2}"#, "{}"), "n: 1, expected 2 or more");
        assert_eq!(
            message(r#"{"name":"b","value":"x","matches":"y+"}"#, "{}"),
            "b: \"x\", expected a text that matches `y+`"
        );
        assert_eq!(message(r#"{"name":"l","value":false,"equals":true}"#, "{}"), "l: false, expected true");
        let series = r#"{"name":"sweep","max":-10,"series":[{"name":"frequency","unit":"MHz","values":[1,2]},{"name":"loss","unit":"dB","values":[-12,-9.5]}]}"#;
        assert_eq!(message(series, "{}"), "sweep: loss -9.5 dB at frequency 2 MHz, expected -10 dB or less");
        let nothing = r#"{"name":"sweep","max":-10,"series":[{"name":"frequency","values":[]},{"name":"loss","unit":"dB","values":[]}]}"#;
        assert_eq!(message(nothing, "{}"), "sweep: no value of loss, expected -10 dB or less");
    }

    #[test]
    fn what_the_list_declares_takes_the_place_of_what_the_test_says() {
        let list = r#"{"rail": {"unit": "V", "min": 3.2, "max": 3.4, "label": "Rail"}, "only": {"unit": "V"}}"#;
        let rail = judged(r#"{"name":"rail","value":3.3,"min":9}"#, list).expect("it fits");
        assert_eq!((rail.verdict, rail.unit.as_deref()), (Verdict::Passed, Some("V")));
        assert_eq!(rail.label, Some(Text::Plain("Rail".into())));
        let only = judged(r#"{"name":"only","value":3.3,"min":9}"#, list).expect("it fits");
        assert_eq!(only.verdict, Verdict::Failed);
        let other = judged(r#"{"name":"rail","value":3300,"unit":"mV"}"#, list).expect_err("another unit");
        assert!(other.contains("`unit`") && other.contains("`mV`") && other.contains("`V`"), "{other}");
        let text = judged(r#"{"name":"rail","value":"x"}"#, list).expect_err("a text");
        assert!(text.contains("`min`") && text.contains("a text"), "{text}");
        let declared = Declared::read(&serde_json::from_str(list).expect("JSON")).expect("limits");
        assert_eq!(
            missing(&declared, |name| name == "rail").as_deref(),
            Some("the declared measurement `only` was not reported")
        );
        let wrong =
            Declared::read(&serde_json::from_str(r#"{"a": {"min": "x"}}"#).expect("JSON")).expect_err("no number");
        assert_eq!(wrong, "`a`: `min` is \"x\", expected a number");
    }
}
