//! The JSON Schema of the protocol, for those who write workers: made from the types, and compared with the one in the book.
//!
//! `UPDATE_EXPECT=1 cargo test -p tlc-runtime --lib schema` records it; read it then.

use std::fs;
use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::{
    Attachment, Dismiss, Finished, Heading, Identities, Log, Measurement, Message, Note, Part, Progress, Prompt,
    Secret, data,
};
use crate::worker::desk::Refusal;
use crate::worker::protocol::{PROTOCOL_VERSION, Start};

fn message<T: JsonSchema>(generator: &mut SchemaGenerator, method: &str) -> Value {
    let params = generator.subschema_for::<T>();
    let needs_id = ["prompt", "data.get", "data.keys", "secret", "start"].contains(&method);
    let required =
        if needs_id { json!(["jsonrpc", "id", "method", "params"]) } else { json!(["jsonrpc", "method", "params"]) };
    json!({
        "title": method,
        "type": "object",
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": { "type": ["string", "number"] },
            "method": { "const": method },
            "params": params,
        },
        "required": required,
    })
}

/// What the book should say.
fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let generator = &mut generator;
    let mut messages = vec![
        message::<Start<'_>>(generator, "start"),
        message::<Finished>(generator, "finished"),
        message::<Measurement>(generator, "measurement"),
        message::<Attachment>(generator, "attachment"),
        message::<Part>(generator, "result"),
        message::<Log>(generator, "log"),
        message::<Heading>(generator, "heading"),
        message::<Progress>(generator, "progress"),
        message::<Note>(generator, "note"),
        message::<Prompt>(generator, "prompt"),
        message::<Dismiss>(generator, "dismiss"),
        message::<Identities>(generator, "identity"),
        message::<data::At>(generator, "data.get"),
        message::<data::Set>(generator, "data.set"),
        message::<data::Update>(generator, "data.update"),
        message::<data::At>(generator, "data.delete"),
        message::<data::Keys>(generator, "data.keys"),
        message::<data::Increment>(generator, "data.increment"),
        message::<Secret>(generator, "secret"),
    ];
    let id = json!({ "type": ["string", "number"] });
    messages.push(json!({
        "title": "the answer to a request",
        "type": "object",
        "properties": { "jsonrpc": { "const": "2.0" }, "id": id, "result": { "type": "object" } },
        "required": ["jsonrpc", "id", "result"],
    }));
    let codes = [
        Refusal::METHOD,
        Refusal::UNFIT,
        Refusal::IMPOSSIBLE,
        Refusal::NOBODY,
        Refusal::TIMEOUT,
        Refusal::CANCELLED,
        Refusal::NO_KEY,
        Refusal::NO_SECRET,
        Refusal::SET_ALREADY,
        Refusal::NOT_ATTACHED,
    ];
    messages.push(json!({
        "title": "a request that is refused",
        "type": "object",
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": id,
            "error": {
                "type": "object",
                "properties": { "code": { "enum": codes }, "message": { "type": "string" } },
                "required": ["code", "message"],
            },
        },
        "required": ["jsonrpc", "id", "error"],
    }));
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("The worker's protocol, version {PROTOCOL_VERSION}"),
        "description": "One message a line. Fields that are not named here are ignored.",
        "anyOf": messages,
        "$defs": definitions,
    })
}

fn book(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference").join(name)
}

#[test]
fn the_schema_in_the_book_is_that_of_the_types() {
    let current = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    let path = book("protocol.schema.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &current).expect("the schema is written");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(recorded == current, "{} is stale: UPDATE_EXPECT=1 cargo test -p tlc-runtime --lib schema", path.display());
}

/// All examples of the page: what stands in its blocks of JSON, message by message.
fn examples() -> Vec<Value> {
    let page = fs::read_to_string(book("protocol.md")).expect("the page");
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let messages = blocks.flat_map(|block| serde_json::Deserializer::from_str(block).into_iter::<Value>());
    messages.map(|message| message.expect("an example is JSON")).collect()
}

#[test]
fn the_examples_of_the_page_fit_the_schema() {
    let schema = schema();
    let examples = examples();
    assert!(examples.len() > 15, "{}", examples.len());
    for example in &examples {
        let variants = schema["anyOf"].as_array().expect("variants");
        let title = example["method"].as_str();
        let own = variants.iter().filter(|variant| title.is_none() || variant["title"] == *title.unwrap_or_default());
        let problems: Vec<Vec<String>> = own.map(|variant| problems(&schema, variant, example, "")).collect();
        assert!(problems.iter().any(Vec::is_empty), "{example}: {problems:?}");
        if let Some(method) = title.filter(|&method| method != "start") {
            let read = Message::read(method, Some(example["params"].clone()));
            assert!(matches!(read, Some(Ok(_))), "{example}: {read:?}");
        }
    }
}

#[test]
fn what_does_not_fit_does_not_fit_the_schema_either() {
    let schema = schema();
    let wrong = [
        json!({"jsonrpc": "2.0", "method": "finished", "params": {"outcome": "fine"}}),
        json!({"jsonrpc": "2.0", "method": "measurement", "params": {"name": "a", "value": [1]}}),
        json!({"jsonrpc": "2.0", "method": "prompt", "params": {"kind": "note", "text": "a"}}),
        json!({"jsonrpc": "2.0", "method": "note", "params": {"text": {"en-US": 1}}}),
    ];
    for wrong in &wrong {
        assert!(!problems(&schema, &schema, wrong, "").is_empty(), "{wrong}");
    }
}

/// What is wrong with a value, by the few words of JSON Schema that ours uses.
fn problems(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let Some(words) = schema.as_object() else {
        return if schema == &Value::Bool(false) { vec![format!("{place}: nothing fits")] } else { Vec::new() };
    };
    let mut found = Vec::new();
    for (word, says) in words {
        let mut is = |fits: bool| {
            if !fits {
                found.push(format!("{place}: {word} {says}: {value}"));
            }
        };
        match word.as_str() {
            "$ref" => {
                let pointer = says.as_str().and_then(|says| says.strip_prefix('#')).expect("a place in the schema");
                let definition = root.pointer(pointer).expect("a definition");
                found.extend(problems(root, definition, value, place));
            }
            "anyOf" | "oneOf" => {
                let variants = says.as_array().expect("variants");
                is(variants.iter().any(|variant| problems(root, variant, value, place).is_empty()));
            }
            "type" => {
                let types: Vec<&str> = says
                    .as_str()
                    .into_iter()
                    .chain(says.as_array().into_iter().flatten().filter_map(Value::as_str))
                    .collect();
                is(types.iter().any(|name| is_of(value, name)));
            }
            "const" => is(value == says),
            "enum" => is(says.as_array().expect("values").contains(value)),
            "minimum" => is(value.as_f64().is_none_or(|number| number >= says.as_f64().expect("a number"))),
            "minProperties" => {
                is(value.as_object().is_none_or(|members| members.len() as u64 >= says.as_u64().expect("a number")));
            }
            "required" => {
                let names = says.as_array().expect("names").iter().filter_map(Value::as_str);
                is(value.as_object().is_none_or(|members| names.into_iter().all(|name| members.contains_key(name))));
            }
            "properties" => {
                for (name, schema) in says.as_object().expect("properties") {
                    if let Some(member) = value.get(name) {
                        found.extend(problems(root, schema, member, &format!("{place}.{name}")));
                    }
                }
            }
            "additionalProperties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if words.get("properties").and_then(|known| known.get(name)).is_none() {
                        found.extend(problems(root, says, member, &format!("{place}.{name}")));
                    }
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    found.extend(problems(root, says, item, place));
                }
            }
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => {}
            other => panic!("the schema has `{other}`, which this test does not know"),
        }
    }
    found
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_number().is_some_and(|number| !number.as_str().contains(['.', 'e', 'E'])),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type `{other}`"),
    }
}
