//! JSON schemas of arguments, as far as tests use them. A schema with anything else gives no verdict, rather than a wrong one.

use tlc_plan::Data;

/// Whether a value fits a schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does.
    Fits,
    /// It does not, for this reason.
    Violates(String),
    /// That is not known: the schema says something that is not understood here.
    Unsure,
}

/// Keywords that say nothing about a value.
const NOTES: [&str; 6] = ["$schema", "id", "$id", "title", "description", "default"];

/// Whether a value fits a schema (draft 4).
pub(super) fn verdict(schema: &Data, value: &Data) -> Verdict {
    let Some(keywords) = schema.as_object() else { return Verdict::Unsure };
    let verdicts = keywords.iter().map(|(keyword, expected)| of_keyword(keyword, expected, schema, value));
    worst(verdicts)
}

/// A violation counts although something else is not known.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Fits, |worst, verdict| match (worst, verdict) {
        (Verdict::Violates(reason), _) | (_, Verdict::Violates(reason)) => Verdict::Violates(reason),
        (Verdict::Unsure, _) | (_, Verdict::Unsure) => Verdict::Unsure,
        (Verdict::Fits, Verdict::Fits) => Verdict::Fits,
    })
}

fn of_keyword(keyword: &str, expected: &Data, schema: &Data, value: &Data) -> Verdict {
    match (keyword, expected, value) {
        ("type", ..) => of_type(expected, value),
        ("enum", Data::List(allowed), _) => {
            fits(allowed.iter().any(|allowed| is_equal(allowed, value)), || format!("{value} is not one of {expected}"))
        }
        ("items", Data::Object(_), Data::List(items)) => worst(items.iter().map(|item| verdict(expected, item))),
        ("items", Data::List(schemas), Data::List(items)) => {
            worst(schemas.iter().zip(items.iter()).map(|(schema, item)| verdict(schema, item)))
        }
        ("properties", Data::Object(schemas), Data::Object(members)) => {
            worst(schemas.iter().filter_map(|(key, schema)| Some(verdict(schema, members.get(key)?))))
        }
        ("required", Data::List(keys), Data::Object(members)) => {
            let missing = keys.iter().filter_map(Data::as_str).find(|key| !members.contains_key(key));
            fits(missing.is_none(), || format!("`{}` is missing", missing.unwrap_or_default()))
        }
        ("additionalProperties", ..) => additional(expected, schema, value),
        ("minItems", Data::Int(least), Data::List(items)) => {
            fits(items.len() as i64 >= *least, || format!("at least {least} items are needed, found {}", items.len()))
        }
        ("maxItems", Data::Int(most), Data::List(items)) => {
            fits(items.len() as i64 <= *most, || format!("at most {most} items are allowed, found {}", items.len()))
        }
        ("minLength", Data::Int(least), Data::String(text)) => {
            fits(text.chars().count() as i64 >= *least, || format!("{value} is shorter than {least}"))
        }
        ("maxLength", Data::Int(most), Data::String(text)) => {
            fits(text.chars().count() as i64 <= *most, || format!("{value} is longer than {most}"))
        }
        ("minimum", ..) if !schema_has(schema, "exclusiveMinimum") => limit(expected, value, "less", |v, e| v >= e),
        ("maximum", ..) if !schema_has(schema, "exclusiveMaximum") => limit(expected, value, "more", |v, e| v <= e),
        ("allOf", Data::List(schemas), _) => worst(schemas.iter().map(|schema| verdict(schema, value))),
        ("anyOf", Data::List(schemas), _) => any_of(schemas, value),
        ("not", ..) => match verdict(expected, value) {
            Verdict::Fits => Verdict::Violates(format!("{value} is excluded")),
            Verdict::Violates(_) => Verdict::Fits,
            Verdict::Unsure => Verdict::Unsure,
        },
        _ if NOTES.contains(&keyword) || does_not_apply(keyword, value) => Verdict::Fits,
        _ => Verdict::Unsure,
    }
}

fn fits(does: bool, reason: impl FnOnce() -> String) -> Verdict {
    if does { Verdict::Fits } else { Verdict::Violates(reason()) }
}

fn schema_has(schema: &Data, keyword: &str) -> bool {
    schema.get(keyword).is_some()
}

/// Keywords that are about values of another type.
fn does_not_apply(keyword: &str, value: &Data) -> bool {
    match keyword {
        "items" | "minItems" | "maxItems" | "uniqueItems" | "additionalItems" => value.as_list().is_none(),
        "properties" | "required" | "patternProperties" | "minProperties" | "maxProperties" | "dependencies" => {
            value.as_object().is_none()
        }
        "minLength" | "maxLength" | "pattern" | "format" => value.as_str().is_none(),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => number(value).is_none(),
        _ => false,
    }
}

fn of_type(expected: &Data, value: &Data) -> Verdict {
    let names: Vec<&str> = match expected {
        Data::String(name) => vec![name],
        Data::List(names) => names.iter().filter_map(Data::as_str).collect(),
        _ => return Verdict::Unsure,
    };
    fits(names.iter().any(|name| has_type(name, value)), || format!("{value} is not of type {}", names.join(" or ")))
}

fn has_type(name: &str, value: &Data) -> bool {
    match value {
        Data::Null => name == "null",
        Data::Bool(_) => name == "boolean",
        Data::Int(_) | Data::Big(_) => matches!(name, "integer" | "number"),
        Data::Float(_) => name == "number",
        Data::String(_) => name == "string",
        Data::List(_) => name == "array",
        Data::Object(_) => name == "object",
    }
}

fn additional(expected: &Data, schema: &Data, value: &Data) -> Verdict {
    let Data::Object(members) = value else { return Verdict::Fits };
    if schema_has(schema, "patternProperties") {
        return Verdict::Unsure;
    }
    let known = |key: &str| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
    let mut others = members.iter().filter(|(key, _)| !known(key));
    match expected {
        Data::Bool(true) => Verdict::Fits,
        Data::Bool(false) => match others.next() {
            Some((key, _)) => Verdict::Violates(format!("`{key}` is not expected")),
            None => Verdict::Fits,
        },
        _ => worst(others.map(|(_, value)| verdict(expected, value))),
    }
}

fn any_of(schemas: &[Data], value: &Data) -> Verdict {
    let verdicts: Vec<_> = schemas.iter().map(|schema| verdict(schema, value)).collect();
    if verdicts.contains(&Verdict::Fits) {
        Verdict::Fits
    } else if verdicts.contains(&Verdict::Unsure) {
        Verdict::Unsure
    } else {
        Verdict::Violates(format!("{value} fits none of the alternatives"))
    }
}

fn limit(expected: &Data, value: &Data, word: &str, holds: fn(f64, f64) -> bool) -> Verdict {
    match (number(value), number(expected)) {
        (None, _) => Verdict::Fits,
        (Some(found), Some(limit)) => fits(holds(found, limit), || format!("{value} is {word} than {expected}")),
        (Some(_), None) => Verdict::Unsure,
    }
}

fn number(value: &Data) -> Option<f64> {
    match value {
        Data::Int(value) => Some(*value as f64),
        Data::Float(value) => Some(*value),
        _ => None,
    }
}

fn is_equal(a: &Data, b: &Data) -> bool {
    a == b || matches!((number(a), number(b)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &str, value: &str) -> Verdict {
        let data = |text: &str| serde_json::from_str::<Data>(text).expect("JSON");
        verdict(&data(schema), &data(value))
    }

    #[test]
    fn what_is_understood_is_decided() {
        let integers = r#"{"type": "array", "items": {"type": "integer"}, "minItems": 1}"#;
        assert_eq!(of(integers, "[1, 2]"), Verdict::Fits);
        assert_eq!(of(integers, "[1, \"x\"]"), Verdict::Violates("\"x\" is not of type integer".into()));
        assert!(matches!(of(integers, "[]"), Verdict::Violates(_)));
        let object = r#"{"type": "object", "required": ["a"], "additionalProperties": false,
            "properties": {"a": {"enum": ["x", 1]}, "b": {"minimum": 3}}}"#;
        assert_eq!(of(object, r#"{"a": "x", "b": 3}"#), Verdict::Fits);
        for wrong in [r#"{"b": 3}"#, r#"{"a": "y"}"#, r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "c": 2}"#, "[]"] {
            assert!(matches!(of(object, wrong), Verdict::Violates(_)), "{wrong}");
        }
        let either = r#"{"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]}"#;
        assert_eq!((of(either, "\"ab\""), of(either, "null")), (Verdict::Fits, Verdict::Fits));
        assert!(matches!(of(either, "\"abc\""), Verdict::Violates(_)));
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        assert_eq!(of(r#"{"type": "string", "pattern": "^a"}"#, "\"b\""), Verdict::Unsure);
        assert_eq!(of(r##"{"$ref": "#/definitions/a"}"##, "1"), Verdict::Unsure);
        assert!(matches!(of(r#"{"type": "string", "pattern": "^a"}"#, "1"), Verdict::Violates(_)));
    }
}
