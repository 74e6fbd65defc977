//! Who and what takes part in a run: each field is set once, facts are merged, parts and instruments are appended.

use serde_json::{Value, json};

use crate::worker::desk::Refusal;
use crate::worker::message::{Identities, Process, Stand, Unit};

/// What is known with what is added; the answer has the places of added parts. The error names the field that is set already.
pub(super) fn merged(known: &Identities, added: Identities) -> Result<(Identities, Value), Refusal> {
    let before = known.once();
    for (field, value) in added.once() {
        if let Some((_, old)) = before.iter().find(|(known, old)| *known == field && *old != value) {
            return Err(Refusal::new(Refusal::SET_ALREADY, format!("`{field}` is {old} already; found {value}")));
        }
    }
    let mut merged = known.clone();
    let places = merged.dut.as_ref().map_or(0, |dut| dut.sub_units.len());
    let number = added.dut.as_ref().map_or(0, |dut| dut.sub_units.len());
    if let Some(dut) = added.dut {
        add_unit(merged.dut.get_or_insert_default(), dut);
    }
    if let Some(Process { name, number, info }) = added.process {
        let process = merged.process.get_or_insert_default();
        fill(&mut process.name, name);
        fill(&mut process.number, number);
        process.info.extend(info);
    }
    if let Some(Stand { name, location, revision, number, info }) = added.stand {
        let stand = merged.stand.get_or_insert_default();
        fill(&mut stand.name, name);
        fill(&mut stand.location, location);
        fill(&mut stand.revision, revision);
        fill(&mut stand.number, number);
        stand.info.extend(info);
    }
    fill(&mut merged.batch, added.batch);
    fill(&mut merged.operator, added.operator);
    merged.instruments.extend(added.instruments);
    let answer =
        if number == 0 { json!({}) } else { json!({ "sub_units": (places..places + number).collect::<Vec<_>>() }) };
    Ok((merged, answer))
}

fn add_unit(known: &mut Unit, added: Unit) {
    let Unit { serial_number, part_number, revision, name, kind, info, sub_units } = added;
    fill(&mut known.serial_number, serial_number);
    fill(&mut known.part_number, part_number);
    fill(&mut known.revision, revision);
    fill(&mut known.name, name);
    fill(&mut known.kind, kind);
    known.info.extend(info);
    known.sub_units.extend(sub_units);
}

fn fill<T>(known: &mut Option<T>, added: Option<T>) {
    if added.is_some() {
        *known = added;
    }
}

/// What the command line says: the unit under test and the operator, each empty if it does not.
pub(crate) fn named(unit: &str, operator: &str) -> Identities {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let dut = text(unit).map(|unit| Unit { serial_number: Some(unit), ..Unit::default() });
    Identities { dut, operator: text(operator), ..Identities::default() }
}

/// The serial number of the unit under test; empty while it is not known.
pub(super) fn unit(known: &Identities) -> &str {
    known.dut.as_ref().and_then(|dut| dut.serial_number.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(value: Value) -> Identities {
        serde_json::from_value(value).expect("an identity")
    }

    #[test]
    fn fields_are_set_once_and_the_rest_is_added() {
        let known = named("HRN-1", "");
        let added = json!({"dut": {"serial_number": "HRN-1", "info": {"a": 1}, "sub_units": [{"serial_number": "R-7"}]}, "batch": "1",
            "instruments": [{"name": "DMM"}]});
        let (known, answer) = merged(&known, identity(added)).expect("merged");
        assert_eq!(answer, json!({"sub_units": [0]}));
        let added = json!({"dut": {"info": {"a": 2, "b": null}, "sub_units": [{}, {}]}, "process": {"number": 0}});
        let (known, answer) = merged(&known, identity(added)).expect("merged");
        assert_eq!(answer, json!({"sub_units": [1, 2]}));
        assert_eq!(
            serde_json::to_value(&known).expect("JSON"),
            json!({"dut": {"serial_number": "HRN-1", "info": {"a": 2, "b": null}, "sub_units": [{"serial_number": "R-7"}, {}, {}]},
                "batch": "1", "process": {"number": 0}, "instruments": [{"name": "DMM"}]})
        );
        let refused =
            merged(&known, identity(json!({"dut": {"serial_number": "HRN-2", "name": "x"}}))).expect_err("another");
        assert_eq!(refused.code, Refusal::SET_ALREADY);
        assert_eq!(refused.message, "`dut.serial_number` is \"HRN-1\" already; found \"HRN-2\"");
        assert_eq!(unit(&known), "HRN-1");
    }
}
