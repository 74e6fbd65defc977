//! The four spaces of data that outlive a test: of the run, of the station, device data, and the data shelf.
//!
//! In: a request. Out: an answer, and what it changes: rows for the store, and device data for the scheduler. The key `device` of the
//! shelf is the device data (reference: DD4).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value, json};
use tlc_plan::Data;

use crate::schedule::DeviceChange;
use crate::shelf;
use crate::store::{Change, RunNumber, Store, StoreError};
use crate::worker::desk::{Answer, Refusal};
use crate::worker::message::{At, DataRequest, Increment, Keys, Set, Space, Update};

/// Where device data stands on the shelf.
const DEVICE: &str = "device";

/// How much a space may hold, as JSON, in bytes.
const ROOM: usize = 16 << 20;

/// The spaces of a run; device data is the scheduler's.
#[derive(Clone, Debug)]
pub(crate) struct Spaces {
    run: Flat,
    cache: Flat,
    shelf: Data,
}

/// Values by names without levels.
#[derive(Clone, Debug, Default)]
struct Flat {
    values: BTreeMap<String, Data>,
    /// How much room they take.
    bytes: usize,
}

impl Flat {
    /// Sets a value; false if there is no room for it.
    fn set(&mut self, key: &str, value: &Data) -> bool {
        let size = |value: &Data| key.len() + value.to_string().len();
        let before = self.values.get(key).map_or(0, size);
        let bytes = self.bytes - before + size(value);
        if bytes > ROOM {
            return false;
        }
        self.bytes = bytes;
        self.values.insert(key.to_owned(), value.clone());
        true
    }

    fn remove(&mut self, key: &str) -> bool {
        let removed = self.values.remove(key);
        self.bytes -= removed.as_ref().map_or(0, |value| key.len() + value.to_string().len());
        removed.is_some()
    }
}

/// What a request changes.
#[derive(Debug, Default)]
pub(super) struct Effect {
    /// Rows.
    pub changes: Vec<Change>,
    /// Device data, for the scheduler.
    pub device: Vec<DeviceChange>,
}

impl Default for Spaces {
    fn default() -> Self {
        Self { run: Flat::default(), cache: Flat::default(), shelf: Data::object(IndexMap::new()) }
    }
}

impl Spaces {
    /// As they are on record.
    pub fn load(store: &Store, run: RunNumber) -> Result<Self, StoreError> {
        let values = |rows: Vec<(String, String)>| {
            let mut flat = Flat::default();
            for (key, value) in rows {
                if let Ok(value) = serde_json::from_str(&value) {
                    flat.set(&key, &value);
                }
            }
            flat
        };
        let shelf = store.shelf()?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Self {
            run: values(store.run_data(run)?),
            cache: values(store.cache()?),
            shelf: shelf.unwrap_or_else(|| Data::object(IndexMap::new())),
        })
    }

    /// The data shelf with the device data on it.
    pub fn shelf(&self, device: &Data) -> Data {
        let mut members = self.shelf.as_object().cloned().unwrap_or_default();
        members.insert(DEVICE.into(), device.clone());
        Data::object(members)
    }

    /// Does what is asked.
    pub(super) fn ask(&mut self, request: DataRequest, device: &Data) -> (Answer, Effect) {
        let mut effect = Effect::default();
        let answer = match request {
            DataRequest::Get(At { space, key }) => self.get(space, &key, device),
            DataRequest::Keys(Keys { space, key }) => self.keys(space, &key.unwrap_or_default(), device),
            DataRequest::Set(Set { space, key, value }) => {
                self.set(space, &key, &Data::from(&value), device, &mut effect)
            }
            DataRequest::Update(Update { space, value }) => {
                self.update(space, &Data::from(&Value::Object(value)), &mut effect)
            }
            DataRequest::Delete(At { space, key }) => self.delete(space, &key, device, &mut effect),
            DataRequest::Increment(increment) => self.increment(increment, &mut effect),
        };
        if answer.is_ok() && !effect.device.is_empty() && !has_room(device, &effect.device) {
            return (Err(full(Space::Device)), Effect::default());
        }
        (answer, effect)
    }

    fn flat(&mut self, space: Space) -> Option<&mut Flat> {
        match space {
            Space::Run => Some(&mut self.run),
            Space::Cache => Some(&mut self.cache),
            Space::Device | Space::Shelf => None,
        }
    }

    /// The tree of a space, and the key in it.
    fn tree<'a>(&'a self, space: Space, key: &'a str, device: &'a Data) -> (Data, &'a str) {
        match (space, below_device(key)) {
            (Space::Shelf, Some(below)) => (device.clone(), below),
            (Space::Shelf, None) => (self.shelf(device), key),
            _ => (device.clone(), key),
        }
    }

    fn get(&mut self, space: Space, key: &str, device: &Data) -> Answer {
        let found = match self.flat(space) {
            Some(flat) => flat.values.get(key).cloned(),
            None => {
                let (tree, key) = self.tree(space, key, device);
                shelf::get(&tree, key).cloned()
            }
        };
        found.map(|value| json!({ "value": value })).ok_or_else(|| no_key(space, key))
    }

    fn keys(&mut self, space: Space, key: &str, device: &Data) -> Answer {
        let found = match self.flat(space) {
            Some(flat) => Some(flat.values.keys().cloned().collect()),
            None => {
                let (tree, key) = self.tree(space, key, device);
                shelf::keys(&tree, key)
            }
        };
        found.map(|keys| json!({ "keys": keys })).ok_or_else(|| no_key(space, key))
    }

    fn set(&mut self, space: Space, key: &str, value: &Data, device: &Data, effect: &mut Effect) -> Answer {
        if let Some(flat) = self.flat(space) {
            if !flat.set(key, value) {
                return Err(full(space));
            }
            effect.changes.push(row(space, key, Some(value)));
            return Ok(json!({}));
        }
        match (space, below_device(key)) {
            (Space::Shelf, Some("")) => effect.device.extend(shelf::replace(device, value)),
            (Space::Shelf, Some(below)) => effect.device.push(shelf::set(below, value)),
            (Space::Shelf, None) => return self.put(&[shelf::set(key, value)], effect),
            _ => effect.device.push(shelf::set(key, value)),
        }
        Ok(json!({}))
    }

    fn update(&mut self, space: Space, value: &Data, effect: &mut Effect) -> Answer {
        if let Some(flat) = self.flat(space) {
            let mut changed = flat.clone();
            for (key, value) in value.as_object().into_iter().flatten() {
                if !changed.set(key, value) {
                    return Err(full(space));
                }
            }
            *flat = changed;
            let rows = value.as_object().into_iter().flatten().map(|(key, value)| row(space, key, Some(value)));
            effect.changes.extend(rows);
            return Ok(json!({}));
        }
        let changes = shelf::update("", value);
        if space == Space::Device {
            effect.device.extend(changes);
            return Ok(json!({}));
        }
        let (device, own): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| below_device(&change.key).is_some_and(|below| !below.is_empty()));
        let below = |change: DeviceChange| DeviceChange { key: change.key[DEVICE.len() + 1..].to_owned(), ..change };
        effect.device.extend(device.into_iter().map(below));
        let own: Vec<_> = own.into_iter().filter(|change| change.key != DEVICE).collect();
        self.put(&own, effect)
    }

    fn delete(&mut self, space: Space, key: &str, device: &Data, effect: &mut Effect) -> Answer {
        if let Some(flat) = self.flat(space) {
            if !flat.remove(key) {
                return Err(no_key(space, key));
            }
            effect.changes.push(row(space, key, None));
            return Ok(json!({}));
        }
        match (space, below_device(key)) {
            (Space::Shelf, Some("")) => effect.device.extend(shelf::replace(device, &Data::object(IndexMap::new()))),
            (Space::Shelf, None) => {
                let change = shelf::delete(&self.shelf, key).ok_or_else(|| no_key(space, key))?;
                return self.put(&[change], effect);
            }
            (_, below) => {
                let below = if space == Space::Shelf { below.unwrap_or(key) } else { key };
                effect.device.push(shelf::delete(device, below).ok_or_else(|| no_key(space, key))?);
            }
        }
        Ok(json!({}))
    }

    fn increment(&mut self, increment: Increment, effect: &mut Effect) -> Answer {
        let Increment { space, key, by } = increment;
        let Some(flat) = self.flat(space) else {
            return Err(Refusal::unfit("sent a wrong `data.increment`: `space`: expected `run` or `cache`"));
        };
        let by = by.map_or(Data::Int(1), |by| Data::from(&Value::Number(by)));
        let sum = match flat.values.get(&key) {
            None => by,
            Some(before) => sum(before, &by).ok_or_else(|| {
                let found = before.type_name();
                Refusal::unfit(format!(
                    "sent a wrong `data.increment`: `key`: `{key}` is {found}, and has no sum with {by}"
                ))
            })?,
        };
        if !flat.set(&key, &sum) {
            return Err(full(space));
        }
        effect.changes.push(row(space, &key, Some(&sum)));
        Ok(json!({ "value": sum }))
    }

    /// Changes the shelf itself.
    fn put(&mut self, changes: &[DeviceChange], effect: &mut Effect) -> Answer {
        if changes.is_empty() {
            return Ok(json!({}));
        }
        let changed = changed(&self.shelf, changes);
        let value = changed.to_string();
        if value.len() > ROOM {
            return Err(full(Space::Shelf));
        }
        self.shelf = changed;
        effect.changes.push(Change::Shelf { value });
        Ok(json!({}))
    }
}

fn changed(tree: &Data, changes: &[DeviceChange]) -> Data {
    let mut tree = tree.clone();
    for change in changes {
        change.apply(&mut tree);
    }
    tree
}

fn has_room(device: &Data, changes: &[DeviceChange]) -> bool {
    changed(device, changes).to_string().len() <= ROOM
}

fn full(space: Space) -> Refusal {
    Refusal::unfit(format!("`value`: there is no room for it in `{}`, which holds {ROOM} bytes at most", space.name()))
}

/// The key in the device data, for a key of the shelf that leads there.
fn below_device(key: &str) -> Option<&str> {
    match key.strip_prefix(DEVICE)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

fn no_key(space: Space, key: &str) -> Refusal {
    Refusal::new(Refusal::NO_KEY, format!("there is no `{key}` in `{}`", space.name()))
}

fn row(space: Space, key: &str, value: Option<&Data>) -> Change {
    let (key, value) = (key.to_owned(), value.map(Data::to_string));
    match space {
        Space::Run => Change::RunData { key, value },
        Space::Cache | Space::Device | Space::Shelf => Change::Cache { key, value },
    }
}

/// Of integers exactly, of all else as floating-point numbers.
fn sum(one: &Data, other: &Data) -> Option<Data> {
    let whole = |data: &Data| data.to_string().parse::<i128>().ok();
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        return serde_json::from_str(&one.checked_add(other)?.to_string()).ok();
    }
    let float = |data: &Data| match data {
        Data::Int(_) | Data::Big(_) | Data::Float(_) => data.to_string().parse::<f64>().ok(),
        Data::Null | Data::Bool(_) | Data::String(_) | Data::List(_) | Data::Object(_) => None,
    };
    let sum = float(one)? + float(other)?;
    sum.is_finite().then_some(Data::Float(sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::message::Message;

    struct Station {
        spaces: Spaces,
        device: Data,
    }

    impl Station {
        fn ask(&mut self, method: &str, params: Value) -> Result<Value, i32> {
            let Some(Ok(Message::Data(request))) = Message::read(&format!("data.{method}"), Some(params)) else {
                panic!("a request");
            };
            let (answer, effect) = self.spaces.ask(request, &self.device);
            for change in effect.device {
                change.apply(&mut self.device);
            }
            answer.map_err(|refusal| refusal.code)
        }
    }

    fn station() -> Station {
        Station { spaces: Spaces::default(), device: Data::object(IndexMap::new()) }
    }

    #[test]
    fn flat_spaces_take_any_key() {
        let mut station = station();
        station.ask("set", json!({"space": "run", "key": "a..b", "value": {}})).expect("set");
        assert_eq!(station.ask("get", json!({"space": "run", "key": "a..b"})), Ok(json!({"value": {}})));
        assert_eq!(station.ask("get", json!({"space": "cache", "key": "a..b"})), Err(Refusal::NO_KEY));
        assert_eq!(station.ask("increment", json!({"space": "cache", "key": "n"})), Ok(json!({"value": 1})));
        assert_eq!(station.ask("increment", json!({"space": "cache", "key": "n", "by": -3})), Ok(json!({"value": -2})));
        assert_eq!(
            station.ask("increment", json!({"space": "cache", "key": "n", "by": 0.5})),
            Ok(json!({"value": -1.5}))
        );
        assert_eq!(station.ask("increment", json!({"space": "run", "key": "a..b"})), Err(Refusal::UNFIT));
        station.ask("update", json!({"space": "run", "value": {"z": 1, "c.d": 2}})).expect("set");
        assert_eq!(station.ask("keys", json!({"space": "run"})), Ok(json!({"keys": ["a..b", "c.d", "z"]})));
        station.ask("delete", json!({"space": "run", "key": "z"})).expect("deleted");
        assert_eq!(station.ask("delete", json!({"space": "run", "key": "z"})), Err(Refusal::NO_KEY));
    }

    #[test]
    fn a_space_has_an_end() {
        let mut station = station();
        let value = "x".repeat(5 << 20);
        for space in ["run", "device", "shelf"] {
            let fitted = (0..9).take_while(|number| {
                station.ask("set", json!({"space": space, "key": format!("k{number}"), "value": value})).is_ok()
            });
            assert_eq!(fitted.count(), 3, "{space}");
            station.ask("delete", json!({"space": space, "key": "k0"})).expect("deleted");
            station.ask("set", json!({"space": space, "key": "k0", "value": value})).expect("there is room again");
        }
    }

    #[test]
    fn device_data_stands_on_the_shelf() {
        let mut station = station();
        station
            .ask("update", json!({"space": "device", "value": {"component": {"has_lte": true}, "hwid": "X"}}))
            .expect("set");
        let read = station.ask("get", json!({"space": "shelf", "key": "device.component"}));
        assert_eq!(read, Ok(json!({"value": {"has_lte": true}})));
        station.ask("set", json!({"space": "shelf", "key": "device.hwid", "value": "Y"})).expect("set");
        station.ask("update", json!({"space": "shelf", "value": {"device.n": 1, "a": {"b": 2}}})).expect("set");
        assert_eq!(station.ask("get", json!({"space": "device", "key": "hwid"})), Ok(json!({"value": "Y"})));
        assert_eq!(
            station.ask("get", json!({"space": "shelf", "key": ""})),
            Ok(json!({"value": {"a": {"b": 2}, "device": {"component": {"has_lte": true}, "hwid": "Y", "n": 1}}}))
        );
        assert_eq!(station.ask("keys", json!({"space": "shelf"})), Ok(json!({"keys": ["a", "device"]})));
        assert_eq!(station.ask("keys", json!({"space": "device", "key": "nope"})), Err(Refusal::NO_KEY));
        station.ask("delete", json!({"space": "shelf", "key": "device.component.has_lte"})).expect("deleted");
        assert_eq!(station.ask("keys", json!({"space": "device"})), Ok(json!({"keys": ["hwid", "n"]})));
        station.ask("set", json!({"space": "shelf", "key": "device", "value": {"only": 1}})).expect("set");
        assert_eq!(station.ask("get", json!({"space": "device", "key": ""})), Ok(json!({"value": {"only": 1}})));
    }
}
