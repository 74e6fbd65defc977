//! Trees of data with dotted keys: device data and the data shelf (reference: DD2).
//!
//! In: a tree and what is to change. Out: [`DeviceChange`]s, each of which sets or deletes one key. Nothing here changes anything by itself.

use indexmap::IndexMap;
use tlc_plan::Data;

use crate::schedule::DeviceChange;

/// What stands at a key: a leaf, or an object of what is below it. The empty key is the whole tree.
pub fn get<'a>(tree: &'a Data, key: &str) -> Option<&'a Data> {
    if key.is_empty() {
        return Some(tree);
    }
    key.split('.').try_fold(tree, Data::get)
}

/// The names below a key, sorted; `None` if there is no such key.
pub fn keys(tree: &Data, key: &str) -> Option<Vec<String>> {
    let members = get(tree, key)?.as_object().into_iter().flatten();
    let mut names: Vec<String> = members.map(|(name, _)| name.to_string()).collect();
    names.sort_unstable();
    Some(names)
}

/// Sets a key; what stood there goes away, and an empty object stands for nothing.
pub fn set(key: &str, value: &Data) -> DeviceChange {
    let value = split(value);
    let is_something = value.as_object().is_none() || value.is_truthy();
    DeviceChange { key: key.to_owned(), value: is_something.then_some(value) }
}

/// Sets each leaf of an object below a key, and leaves the rest as it is.
pub fn update(key: &str, value: &Data) -> Vec<DeviceChange> {
    let mut changes = Vec::new();
    leaves(key, value, &mut changes);
    changes
}

/// Deletes a key; `None` if there is no such key.
pub fn delete(tree: &Data, key: &str) -> Option<DeviceChange> {
    get(tree, key).map(|_| DeviceChange { key: key.to_owned(), value: None })
}

/// Makes the whole tree another one.
pub fn replace(tree: &Data, value: &Data) -> Vec<DeviceChange> {
    let old = tree.as_object().into_iter().flatten();
    let gone = old.map(|(name, _)| DeviceChange { key: name.to_string(), value: None });
    gone.chain(update("", value)).collect()
}

fn leaves(key: &str, value: &Data, changes: &mut Vec<DeviceChange>) {
    let Some(members) = value.as_object() else {
        return changes.push(DeviceChange { key: key.to_owned(), value: Some(value.clone()) });
    };
    for (name, value) in members {
        let below = if key.is_empty() { name.to_string() } else { format!("{key}.{name}") };
        leaves(&below, value, changes);
    }
}

/// The same value, with the dots in its keys as levels and without empty objects. Arrays are leaves.
fn split(value: &Data) -> Data {
    if value.as_object().is_none() {
        return value.clone();
    }
    let mut tree = Data::object(IndexMap::new());
    for change in update("", value) {
        change.apply(&mut tree);
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn data(value: impl std::borrow::Borrow<Value>) -> Data {
        Data::from(value.borrow())
    }

    /// A tree that is used like the reference's shelf.
    struct Shelf(Data);

    impl Shelf {
        fn make(&mut self, changes: impl IntoIterator<Item = DeviceChange>) {
            for change in changes {
                change.apply(&mut self.0);
            }
        }

        /// One call; `Err` for a key that is not there.
        fn call(&mut self, call: &[Value]) -> Result<Value, ()> {
            let key = call.get(1).and_then(Value::as_str).unwrap_or_default();
            let argument = || data(call[2].clone());
            let optional = call.get(2) == Some(&Value::Bool(true));
            let shown = |data: &Data| serde_json::to_value(data).expect("JSON");
            match call[0].as_str().expect("an operation") {
                "set" => self.make([set(key, &argument())]),
                "update" => self.make(update(key, &argument())),
                "get" => match get(&self.0, key) {
                    Some(found) => return Ok(shown(found)),
                    None => return if optional { Ok(Value::Null) } else { Err(()) },
                },
                "has" => return Ok(get(&self.0, key).is_some().into()),
                "children" => return Ok(json!(keys(&self.0, key).ok_or(())?)),
                "append" => {
                    let mut items = get(&self.0, key).and_then(Data::as_list).unwrap_or_default().to_vec();
                    items.push(argument());
                    self.make([set(key, &Data::list(items))]);
                }
                "del" => {
                    let keys = call[1].as_array().cloned().unwrap_or_else(|| vec![call[1].clone()]);
                    let mut missing = false;
                    for key in keys.iter().filter_map(Value::as_str) {
                        match delete(&self.0, key) {
                            Some(change) => self.make([change]),
                            None => missing = true,
                        }
                    }
                    // What stood below a deleted key is gone, too.
                    let several = call[1].is_array();
                    return if missing && !optional && !several { Err(()) } else { Ok(Value::Null) };
                }
                other => panic!("no operation `{other}`"),
            }
            Ok(Value::Null)
        }
    }

    #[test]
    fn it_does_what_the_reference_does() {
        let Ok(folder) = std::env::var("TLC_CORPUS") else { return };
        let Ok(text) = std::fs::read_to_string(format!("{folder}/shelf_probes.json")) else { return };
        let probes: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        let known = ["set", "update", "get", "has", "children", "append", "del"];
        let mut played = 0;
        for probe in probes {
            let log = probe["log"].as_array().expect("calls");
            if !log.iter().all(|step| known.contains(&step[0][0].as_str().unwrap_or_default())) {
                continue;
            }
            let mut shelf = Shelf(data(json!({})));
            for step in log {
                let call = step[0].as_array().expect("a call");
                let several = call[0] == "del" && call[1].is_array();
                let found = shelf.call(call);
                let name = &probe["name"];
                match step[1].get("ok") {
                    Some(expected) => assert_eq!(found.as_ref(), Ok(expected), "{name}: {call:?}"),
                    None => assert!(found.is_err() || several, "{name}: {call:?}"),
                }
            }
            played += 1;
        }
        assert!(played >= 9, "{played}");
    }

    #[test]
    fn keys_are_set_replaced_and_deleted_with_all_that_is_below() {
        let mut shelf = Shelf(data(json!({})));
        shelf.make([set("a", &data(json!({"x.y": 1, "e": {}, "l": [{}]})))]);
        assert_eq!(shelf.0, data(json!({"a": {"x": {"y": 1}, "l": [{}]}})));
        shelf.make(update("a", &data(json!({"x": {"z": 2}, "l": 5}))));
        assert_eq!(shelf.0, data(json!({"a": {"x": {"y": 1, "z": 2}, "l": 5}})));
        shelf.make([set("a.l.deep", &data(json!(null)))]);
        assert_eq!(get(&shelf.0, "a.l"), Some(&data(json!({"deep": null}))));
        assert_eq!(keys(&shelf.0, "a"), Some(vec!["l".to_owned(), "x".to_owned()]));
        assert_eq!((keys(&shelf.0, "b"), delete(&shelf.0, "a.q")), (None, None));
        shelf.make(delete(&shelf.0, "a.l.deep"));
        shelf.make(delete(&shelf.0, "a.x"));
        assert_eq!(shelf.0, data(json!({})));
        shelf.make(update("", &data(json!({"a": 1, "b.c": 2}))));
        shelf.make(replace(&shelf.0, &data(json!({"b": {"d": 3}}))));
        assert_eq!(shelf.0, data(json!({"b": {"d": 3}})));
    }
}
