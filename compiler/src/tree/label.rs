//! Names for people and names for paths: pytest name → label → id.

use tlc_plan::plan::Text;

use crate::catalogue::Catalogues;

pub use crate::words::I18N;

/// Words that are written in a special way.
const UPPER: &[&str] = &["ac", "als", "ec", "ek", "hwid", "id", "led", "lte", "sim", "ui", "usb"];

/// `some_test` becomes `Some Test`.
pub fn label_of_pytest(name: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in name.split(|c: char| c == '.' || c == '_' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.into_iter().map(label_word).collect::<Vec<_>>().join(" ")
}

fn label_word(word: &str) -> String {
    if UPPER.contains(&word) {
        return word.to_uppercase();
    }
    if word == "emmc" {
        return "eMMC".into();
    }
    let pronounceable = word.chars().any(|c| "aeiouy".contains(c));
    if !word.chars().all(char::is_alphabetic) || !pronounceable {
        return word.to_uppercase();
    }
    title(word)
}

/// First letter up, the rest down.
fn title(word: &str) -> String {
    if word.is_ascii() {
        let mut title = word.to_ascii_lowercase();
        title[..1].make_ascii_uppercase();
        return title;
    }
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
}

/// `Scan MLB` becomes `ScanMLB`.
pub fn id_of_label(label: &str) -> String {
    label.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(id_word).collect()
}

fn id_word(word: &str) -> String {
    if word.starts_with(char::is_lowercase) { title(word) } else { word.to_owned() }
}

/// Whether a text can be an id; as in Python, the end of the pattern lets one line end pass.
pub fn is_id(id: &str) -> bool {
    let id = id.strip_suffix('\n').unwrap_or(id);
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A hand-written text for every known locale: what is missing is filled from `en-US`, unknown locales are dropped.
pub fn normalize<'a>(catalogues: &Catalogues, texts: impl Fn(&str) -> Option<&'a str>) -> Option<Text> {
    let english = texts("en-US")?;
    Some(
        catalogues
            .locales()
            .iter()
            .map(|locale| (locale.as_str().into(), texts(locale).unwrap_or(english).into()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_pytests() {
        let cases = [
            ("tpm_verify_ek", "TPM Verify EK"),
            ("probe.probe", "Probe"),
            ("i2c", "I2C"),
            ("lcd", "LCD"),
            ("wifi", "Wifi"),
            ("3g_modem", "3G Modem"),
            ("xyz", "Xyz"),
            ("Abc", "ABC"),
            ("fooBar", "Foobar"),
            ("emmc_life", "eMMC Life"),
        ];
        for (name, label) in cases {
            assert_eq!(label_of_pytest(name), label);
        }
    }

    #[test]
    fn ids_of_labels() {
        let cases = [
            ("fooBar baz", "FoobarBaz"),
            ("FOO bar", "FOOBar"),
            ("iPad", "Ipad"),
            ("3g modem", "3gModem"),
            ("Don't", "DonT"),
        ];
        for (label, id) in cases {
            assert_eq!(id_of_label(label), id);
        }
    }
}
