//! A text for people: one string, or one for each locale.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The locale that is shown if there is none of the station's.
const USUAL: &str = "en-US";

/// A text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// The same in all locales.
    Plain(String),
    /// One for each locale, never empty.
    Translated(IndexMap<String, String>),
}

impl Text {
    /// The text for a locale, else that for `en-US`, else the first.
    pub fn in_locale(&self, locale: &str) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Translated(texts) => texts
                .get(locale)
                .or_else(|| texts.get(USUAL))
                .or_else(|| texts.values().next())
                .map_or("", String::as_str),
        }
    }

    /// The same, with each string replaced.
    #[must_use]
    pub fn map(self, replace: impl Fn(String) -> String) -> Self {
        match self {
            Self::Plain(text) => Self::Plain(replace(text)),
            Self::Translated(texts) => {
                Self::Translated(texts.into_iter().map(|(locale, text)| (locale, replace(text))).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text: a string, or an object with a string for each locale")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        let mut texts = IndexMap::new();
        while let Some((locale, text)) = map.next_entry::<String, String>()? {
            texts.insert(locale, text);
        }
        if texts.is_empty() {
            return Err(A::Error::custom("it has a string for no locale"));
        }
        Ok(Text::Translated(texts))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text for people: one string, or one for each locale.",
            "anyOf": [
                { "type": "string" },
                { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_of_the_station_is_shown_else_english_else_the_first() {
        let text: Text = serde_json::from_str(r#"{"zh-CN": "连接", "en-US": "Connect"}"#).expect("a text");
        assert_eq!((text.in_locale("zh-CN"), text.in_locale("de-DE")), ("连接", "Connect"));
        let text: Text = serde_json::from_str(r#"{"zh-CN": "连接"}"#).expect("a text");
        assert_eq!(text.in_locale("de-DE"), "连接");
    }
}
