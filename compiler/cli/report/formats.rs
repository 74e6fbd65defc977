//! Diagnostics in the formats of other tools: SARIF 2.1.0, and the workflow commands of GitHub.
//!
//! Both are made from the JSON of a diagnostic, whose positions are lines and columns from 1 in code points, ends exclusive.

use serde_json::{Value, json};
use tlc_compiler::codes::{self, Level};

/// A SARIF log with one run. Places that are not the first are related locations.
pub fn sarif(diagnostics: &[Value]) -> Value {
    let mut codes: Vec<&str> = diagnostics.iter().filter_map(|diagnostic| diagnostic["code"].as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = diagnostics.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tlc", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What a code means, for who has not got the book at hand.
fn rule(name: &str) -> Value {
    let Some(code) = codes::find(name) else { return json!({ "id": name }) };
    let level = match code.level {
        Level::Refusal | Level::Deny => "error",
        Level::Warn | Level::Allow => "warning",
        Level::Note => "note",
    };
    json!({
        "id": name,
        "shortDescription": { "text": plain(code.summary()) },
        "help": { "text": plain(code.page), "markdown": code.page },
        "defaultConfiguration": { "level": level },
    })
}

/// Markdown as text: without the marks of code.
fn plain(markdown: &str) -> String {
    let lines = markdown.lines().filter(|line| !line.starts_with("```"));
    lines.map(|line| line.replace('`', "")).collect::<Vec<_>>().join("\n")
}

fn result(diagnostic: &Value) -> Value {
    let labels = diagnostic["labels"].as_array().map_or(&[][..], Vec::as_slice);
    let text = match diagnostic["help"].as_str() {
        Some(help) => format!("{}\n{help}", text_of(&diagnostic["message"])),
        None => text_of(&diagnostic["message"]),
    };
    let related: Vec<Value> = labels
        .iter()
        .skip(1)
        .enumerate()
        .map(|(index, label)| {
            json!({ "id": index + 1, "message": { "text": text_of(&label["text"]) }, "physicalLocation": location(label) })
        })
        .collect();
    let mut result = json!({
        "ruleId": diagnostic["code"],
        "level": diagnostic["severity"],
        "message": { "text": text },
        "locations": labels.iter().take(1).map(|label| json!({ "physicalLocation": location(label) })).collect::<Vec<_>>(),
    });
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn location(label: &Value) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&text_of(&label["file"])) },
        "region": {
            "startLine": label["line"],
            "startColumn": label["column"],
            "endLine": label["end_line"],
            "endColumn": label["end_column"],
        },
    })
}

/// A path as a relative reference, or as a file URI if it is absolute.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded: String = path
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

/// One workflow command a diagnostic, which GitHub shows beside the line.
pub fn github(diagnostics: &[Value]) -> String {
    diagnostics.iter().map(command).collect()
}

fn command(diagnostic: &Value) -> String {
    let level = match diagnostic["severity"].as_str() {
        Some("note") => "notice",
        Some(level) => level,
        None => "error",
    };
    let place = match diagnostic["labels"].get(0) {
        Some(label) => format!(
            "file={},line={},col={},endLine={},endColumn={},",
            property(&text_of(&label["file"])),
            label["line"],
            label["column"],
            label["end_line"],
            label["end_column"]
        ),
        None => String::new(),
    };
    let help = diagnostic["help"].as_str().map(|help| format!("\n{help}")).unwrap_or_default();
    let message = escape(&format!("{}{help}", text_of(&diagnostic["message"])));
    format!("::{level} {place}title={}::{message}\n", property(&text_of(&diagnostic["code"])))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
