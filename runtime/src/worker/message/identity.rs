//! `identity`: who and what takes part.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wrong;

/// Facts by their names: strings, numbers, booleans, `null`.
pub type Info = IndexMap<String, Value>;

/// The parameters of `identity`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// The device under test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dut: Option<Unit>,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The step of the production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Where it is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand: Option<Stand>,
    /// Who tests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What it is tested with; appended to those that are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<Party>,
}

/// The device under test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unit {
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Its part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// Its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of thing it is.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// More facts: strings, numbers, booleans, `null`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Value>"))]
    pub info: Info,
    /// Its parts; appended to those that are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_units: Vec<Party>,
}

/// A part of the device, or an instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Party {
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Its part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// Its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of thing it is.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// More facts: strings, numbers, booleans, `null`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Value>"))]
    pub info: Info,
}

/// The step of the production.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Process {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number, from 0 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// More facts: strings, numbers, booleans, `null`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Value>"))]
    pub info: Info,
}

/// Where the device is tested.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stand {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Its number, from 0 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// More facts: strings, numbers, booleans, `null`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Value>"))]
    pub info: Info,
}

impl Identity {
    /// The fields that are set once, with the places at which they stand.
    pub fn once(&self) -> Vec<(&'static str, Value)> {
        let text = |field: &'static str, value: &Option<String>| {
            value.as_ref().map(|text| (field, Value::from(text.as_str())))
        };
        let number = |field: &'static str, value: Option<u64>| value.map(|number| (field, Value::from(number)));
        let dut = self.dut.as_ref().map(|dut| {
            [
                text("dut.serial_number", &dut.serial_number),
                text("dut.part_number", &dut.part_number),
                text("dut.revision", &dut.revision),
                text("dut.name", &dut.name),
                text("dut.type", &dut.kind),
            ]
        });
        let process = self
            .process
            .as_ref()
            .map(|process| [text("process.name", &process.name), number("process.number", process.number)]);
        let stand = self.stand.as_ref().map(|stand| {
            [
                text("stand.name", &stand.name),
                text("stand.location", &stand.location),
                text("stand.revision", &stand.revision),
                number("stand.number", stand.number),
            ]
        });
        let own = [text("batch", &self.batch), text("operator", &self.operator)];
        let all = dut.into_iter().flatten().chain(process.into_iter().flatten()).chain(stand.into_iter().flatten());
        all.chain(own).flatten().collect()
    }
}

/// What the fields say together.
pub(super) fn check(identity: Identity) -> Result<Box<Identity>, String> {
    for (field, value) in identity.once() {
        check_text(field, value.as_str())?;
    }
    if let Some(dut) = &identity.dut {
        check_info("dut.info", &dut.info)?;
        for (place, unit) in dut.sub_units.iter().enumerate() {
            check_party(&format!("dut.sub_units[{place}]"), unit)?;
        }
    }
    if let Some(process) = &identity.process {
        check_info("process.info", &process.info)?;
    }
    if let Some(stand) = &identity.stand {
        check_info("stand.info", &stand.info)?;
    }
    for (place, instrument) in identity.instruments.iter().enumerate() {
        check_party(&format!("instruments[{place}]"), instrument)?;
    }
    Ok(Box::new(identity))
}

/// A name is not empty; and it becomes a variable of later tests, which has no NUL.
fn check_text(field: &str, text: Option<&str>) -> Result<(), String> {
    match text {
        Some("") => Err(wrong(field, "it is empty")),
        Some(text) if text.contains('\0') => Err(wrong(field, "it has a NUL character")),
        Some(_) | None => Ok(()),
    }
}

fn check_party(field: &str, party: &Party) -> Result<(), String> {
    let Party { serial_number, part_number, revision, name, kind, location, info } = party;
    let texts = [
        ("serial_number", serial_number),
        ("part_number", part_number),
        ("revision", revision),
        ("name", name),
        ("type", kind),
        ("location", location),
    ];
    for (name, text) in texts {
        check_text(&format!("{field}.{name}"), text.as_deref())?;
    }
    check_info(&format!("{field}.info"), info)
}

fn check_info(field: &str, info: &Info) -> Result<(), String> {
    match info.iter().find(|(_, value)| value.is_array() || value.is_object()) {
        Some((key, _)) => Err(wrong(&format!("{field}.{key}"), "expected a string, a number, a boolean or `null`")),
        None => Ok(()),
    }
}
