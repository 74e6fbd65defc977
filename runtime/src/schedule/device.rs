//! The snapshot of device data: a dotted key is set or deleted (rule DD2).

use tlc_plan::Data;

/// Sets what stands at a dotted key, or deletes it; what is in the way is replaced, and an object that becomes empty goes away.
pub(super) fn apply(device: &mut Data, key: &str, value: Option<Data>) {
    let mut members = device.as_object().cloned().unwrap_or_default();
    match key.split_once('.') {
        Some((first, _)) if value.is_none() && members.get(first).and_then(Data::as_object).is_none() => return,
        Some((first, rest)) => {
            let mut inner = members.get(first).cloned().unwrap_or_default();
            apply(&mut inner, rest, value);
            let empty = inner.as_object().is_some_and(tlc_plan::members::Members::is_empty);
            if empty {
                members.shift_remove(first)
            } else {
                members.insert(first.into(), inner)
            };
        }
        None => {
            match value {
                Some(value) => members.insert(key.into(), value),
                None => members.shift_remove(key),
            };
        }
    }
    *device = Data::object(members);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Data {
        serde_json::from_str(text).expect("valid JSON")
    }

    #[test]
    fn a_key_is_set_replaced_and_deleted() {
        let mut device = data(r#"{"a": {"b": 1}, "c": 2}"#);
        apply(&mut device, "a.d.e", Some(Data::Int(3)));
        assert_eq!(device, data(r#"{"a": {"b": 1, "d": {"e": 3}}, "c": 2}"#));
        apply(&mut device, "c.x", Some(Data::Int(4)));
        assert_eq!(device.get("c"), Some(&data(r#"{"x": 4}"#)));
        apply(&mut device, "a.d.e", None);
        apply(&mut device, "c", None);
        apply(&mut device, "a.b.below", None);
        apply(&mut device, "nope.nothing", None);
        assert_eq!(device, data(r#"{"a": {"b": 1}}"#));
    }
}
