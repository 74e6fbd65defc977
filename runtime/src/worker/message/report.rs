//! `finished`, `attachment`, `result`, `log`, `heading`, `progress` and `note`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Text, filled, wrong};

/// The parameters of `finished`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finished {
    /// `passed`; `failed`: the unit is at fault; `error`: the test is.
    pub outcome: Reported,
    /// One line for people.
    pub message: Option<String>,
    /// Where it happened, in the test's own terms.
    pub traceback: Option<String>,
    /// A short code for statistics.
    pub error_code: Option<ErrorCode>,
}

/// What a worker may say of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Reported {
    /// All is well.
    Passed,
    /// The unit is at fault.
    Failed,
    /// The test is.
    Error,
}

/// A string or an integer, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub String);

/// The parameters of `attachment`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attachment {
    /// What it is called; not empty, without `/`.
    pub name: String,
    /// A regular file, relative to the test's directory.
    pub path: Option<String>,
    /// The content itself, instead of `path`.
    pub text: Option<String>,
    /// The content itself, instead of `path`.
    pub base64: Option<String>,
    /// From the name if it is missing.
    pub media_type: Option<String>,
    /// The file is removed when it is kept.
    #[serde(default, rename = "move")]
    pub moved: Option<bool>,
    /// A text for people.
    pub description: Option<Text>,
}

/// Where the content of an attachment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// In a file.
    File(String),
    /// In the message.
    Bytes(Vec<u8>),
}

/// The parameters of `result`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// What it is called; not empty.
    pub name: String,
    /// How it ended.
    pub outcome: PartOutcome,
    /// One line for people.
    pub message: Option<String>,
    /// How long it took, in seconds.
    pub duration_secs: Option<f64>,
}

/// How a part of a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PartOutcome {
    /// All is well.
    Passed,
    /// The unit is at fault.
    Failed,
    /// The test is.
    Error,
    /// It was left out.
    Skipped,
}

/// The parameters of `log`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Log {
    /// What goes to the log.
    pub text: String,
    /// How grave it is.
    #[serde(default)]
    pub level: LogLevel,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum LogLevel {
    /// For those who look for a mistake.
    Debug,
    /// Good to know.
    #[default]
    Info,
    /// Not as it should be.
    Warning,
    /// Wrong.
    Error,
}

/// The parameters of `heading`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Heading {
    /// What the test does now.
    pub text: Text,
}

/// The parameters of `progress`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    /// What the test does now.
    pub text: Option<Text>,
    /// How long it will take yet, in seconds.
    pub remaining_secs: Option<f64>,
}

/// The parameters of `note`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Note {
    /// A text that stays with the attempt.
    pub text: Text,
    /// How grave it is.
    #[serde(default)]
    pub level: NoteLevel,
    /// A note with the same key takes the place of the one before.
    pub key: Option<String>,
}

/// How grave a note is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum NoteLevel {
    /// Good to know.
    #[default]
    Info,
    /// Not as it should be.
    Warning,
    /// Something must be done.
    Critical,
}

impl Attachment {
    /// Where its content is; `None` if that was not checked.
    pub fn content(&self) -> Option<Content> {
        match (&self.path, &self.text, &self.base64) {
            (Some(path), None, None) => Some(Content::File(path.clone())),
            (None, Some(text), None) => Some(Content::Bytes(text.clone().into_bytes())),
            (None, None, Some(base64)) => STANDARD.decode(base64).ok().map(Content::Bytes),
            _ => None,
        }
    }

    /// What it says it is, or what its name says.
    pub fn media_type(&self) -> String {
        self.media_type.clone().unwrap_or_else(|| by_name(&self.name).to_owned())
    }
}

/// The types of files that stations produce; all else is bytes.
fn by_name(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("bmp") => "image/bmp",
        Some("csv") => "text/csv",
        Some("gif") => "image/gif",
        Some("gz") => "application/gzip",
        Some("htm" | "html") => "text/html",
        Some("jpeg" | "jpg") => "image/jpeg",
        Some("json") => "application/json",
        Some("jsonl") => "application/jsonl",
        Some("log" | "txt") => "text/plain",
        Some("md") => "text/markdown",
        Some("mp4") => "video/mp4",
        Some("pcap") => "application/vnd.tcpdump.pcap",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("tar") => "application/x-tar",
        Some("wav") => "audio/wav",
        Some("webp") => "image/webp",
        Some("xml") => "application/xml",
        Some("yaml" | "yml") => "application/yaml",
        Some("zip") => "application/zip",
        Some(_) | None => "application/octet-stream",
    }
}

/// What the fields say together.
pub(super) fn check_attachment(attachment: Attachment) -> Result<Attachment, String> {
    filled("name", &attachment.name)?;
    if attachment.name.contains('/') {
        return Err(wrong("name", "it has a `/` in it"));
    }
    let Attachment { path, text, base64, .. } = &attachment;
    match [path, text, base64].iter().filter(|content| content.is_some()).count() {
        0 => return Err("neither `path` nor `text` nor `base64` is there; expected one of them".to_owned()),
        1 => {}
        _ => return Err("`path`, `text` and `base64` exclude each other; expected one of them".to_owned()),
    }
    if let Some(Err(error)) = base64.as_ref().map(|base64| STANDARD.decode(base64)) {
        return Err(wrong("base64", &error.to_string()));
    }
    Ok(attachment)
}

/// What the fields say together.
pub(super) fn check_part(part: Part) -> Result<Part, String> {
    filled("name", &part.name)?;
    seconds("duration_secs", part.duration_secs)?;
    Ok(part)
}

/// What the fields say together.
pub(super) fn check_progress(progress: Progress) -> Result<Progress, String> {
    if progress.fraction.is_some_and(|fraction| !(0.0..=1.0).contains(&fraction)) {
        return Err(wrong("fraction", "expected a number from 0 to 1"));
    }
    seconds("remaining_secs", progress.remaining_secs)?;
    Ok(progress)
}

fn seconds(field: &str, seconds: Option<f64>) -> Result<(), String> {
    match seconds {
        Some(seconds) if !(0.0..=1e9).contains(&seconds) => {
            Err(wrong(field, &format!("{seconds} is no number of seconds; expected 0 or more")))
        }
        Some(_) | None => Ok(()),
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ErrorCodeVisitor)
    }
}

struct ErrorCodeVisitor;

impl<'de> Visitor<'de> for ErrorCodeVisitor {
    type Value = ErrorCode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E: serde::de::Error>(self, code: &str) -> Result<ErrorCode, E> {
        Ok(ErrorCode(code.to_owned()))
    }

    fn visit_i64<E: serde::de::Error>(self, code: i64) -> Result<ErrorCode, E> {
        Ok(ErrorCode(code.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<ErrorCode, E> {
        Ok(ErrorCode(code.to_string()))
    }

    /// A number of any precision comes as a map of its own kind.
    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<ErrorCode, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        match &value {
            serde_json::Value::Number(number) if !number.as_str().contains(['.', 'e', 'E']) => {
                Ok(ErrorCode(number.to_string()))
            }
            _ => Err(serde::de::Error::custom("expected a string or an integer")),
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for ErrorCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A string or an integer.", "type": ["string", "integer"] })
    }
}
