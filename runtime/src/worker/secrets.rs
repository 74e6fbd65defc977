//! Secrets: where they come from, and that nobody sees them who should not.
//!
//! A secret that was handed out is replaced wherever it appears from then on: in logs, in messages, and in everything that is recorded.

use std::borrow::Cow;
use std::env;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use indexmap::IndexMap;
use nix::unistd::Pid;
use serde_json::Value;

use super::desk::Refusal;
use super::environment::SECRET;
use super::{Reaper, reaper, spawn_alone};
use crate::station::{SecretSource, read_text};

/// What stands where a secret was.
pub const MASK: &str = "••••";

/// A shorter one, in characters, would be found everywhere.
const SHORTEST: usize = 4;

/// No secret is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// How long a command may take to say a secret.
const PATIENCE: Duration = Duration::from_secs(30);

/// The secrets of a station.
#[derive(Debug)]
pub struct Secrets {
    sources: IndexMap<String, SecretSource>,
    /// What paths of files are relative to.
    directory: PathBuf,
    reaper: Arc<Reaper>,
    /// Those that were handed out, the longest first.
    handed_out: RwLock<Vec<String>>,
}

impl Secrets {
    /// The secrets that the settings name; `directory` is where the settings are.
    pub fn new(sources: IndexMap<String, SecretSource>, directory: PathBuf, reaper: Arc<Reaper>) -> Self {
        Self { sources, directory, reaper, handed_out: RwLock::default() }
    }

    /// A secret by its name. From now on it is masked.
    pub async fn hand_out(&self, name: &str) -> Result<String, Refusal> {
        let refused = |what: String| Refusal::new(Refusal::NO_SECRET, what);
        let secret = match self.sources.get(name) {
            Some(source) => self.read(source).await.map_err(|what| refused(format!("the secret `{name}`: {what}")))?,
            None => env::var(format!("{SECRET}{name}")).map_err(|_| refused(format!("there is no secret `{name}`")))?,
        };
        self.hide(&secret).map_err(|what| refused(format!("the secret `{name}` {what}")))?;
        Ok(secret)
    }

    /// From now on this text is masked; the error says why it cannot be.
    pub fn hide(&self, secret: &str) -> Result<(), String> {
        if secret.chars().count() < SHORTEST {
            return Err(format!("is shorter than {SHORTEST} characters and could not be masked"));
        }
        let mut known = self.handed_out.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in spellings(secret) {
            if !known.contains(&spelling) {
                known.push(spelling);
            }
        }
        known.sort_by_key(|secret| usize::MAX - secret.len());
        Ok(())
    }

    async fn read(&self, source: &SecretSource) -> Result<String, String> {
        let text = match source {
            SecretSource::Env(name) => env::var(name).map_err(|_| format!("there is no variable `{name}`"))?,
            SecretSource::File(path) => {
                let path = self.directory.join(path);
                read_text(&path, LONGEST).map_err(|error| format!("unable to read `{}`: {error}", path.display()))?
            }
            SecretSource::Command(command) => self.said_by(command).await?,
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }

    async fn said_by(&self, command: &[String]) -> Result<String, String> {
        let Some((program, arguments)) = command.split_first() else { return Err("its command is empty".into()) };
        let fault = |error: std::io::Error| format!("unable to run `{program}`: {error}");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        if !self.directory.as_os_str().is_empty() {
            command.current_dir(&self.directory);
        }
        let mut child = spawn_alone(&mut command).map_err(fault)?;
        let pid = Pid::from_raw(child.id().cast_signed());
        self.reaper.know(pid);
        let output = child.stdout.take();
        let said = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            let read = output.map(|output| output.take(LONGEST).read_to_string(&mut text));
            (read.is_none_or(|read| read.is_ok()).then_some(text), child.wait())
        });
        let said = tokio::select! {
            said = said => said,
            () = tokio::time::sleep(PATIENCE) => {
                reaper::kill_one(pid);
                self.reaper.forget(pid);
                return Err(format!("`{program}` took longer than {} s", PATIENCE.as_secs()));
            }
        };
        self.reaper.forget(pid);
        match said {
            Ok((Some(text), Ok(status))) if status.success() => Ok(text),
            Ok((None, _)) => Err(format!("what `{program}` said is no text")),
            Ok((_, Ok(status))) => Err(format!("`{program}` failed ({status})")),
            Ok((_, Err(error))) => Err(fault(error)),
            Err(_) => Err(format!("`{program}` was lost")),
        }
    }

    fn known(&self) -> Vec<String> {
        self.handed_out.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_idle(&self) -> bool {
        self.handed_out.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The text without secrets.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_idle() {
            return Cow::Borrowed(text);
        }
        let mut masked = Cow::Borrowed(text);
        for secret in self.known() {
            if masked.contains(&secret) {
                masked = Cow::Owned(masked.replace(&secret, MASK));
            }
        }
        masked
    }

    /// The text without secrets.
    pub fn masked(&self, text: String) -> String {
        if self.is_idle() { text } else { self.mask(&text).into_owned() }
    }

    /// The value without secrets in any of its texts and keys. A number that is a secret is one, too.
    pub fn masked_value(&self, value: Value) -> Value {
        if self.is_idle() { value } else { self.replaced(value, true) }
    }

    /// The same, with the numbers as they are.
    pub fn masked_texts(&self, value: Value) -> Value {
        if self.is_idle() { value } else { self.replaced(value, false) }
    }

    fn replaced(&self, value: Value, numbers: bool) -> Value {
        match value {
            Value::String(text) => Value::String(self.masked(text)),
            Value::Number(number) if numbers => match self.mask(number.as_str()) {
                Cow::Borrowed(_) => Value::Number(number),
                Cow::Owned(masked) => Value::String(masked),
            },
            Value::Array(items) => items.into_iter().map(|item| self.replaced(item, numbers)).collect(),
            Value::Object(members) => {
                let masked = |(key, value)| (self.masked(key), self.replaced(value, numbers));
                Value::Object(members.into_iter().map(masked).collect())
            }
            other => other,
        }
    }

    /// Bytes without secrets.
    pub fn masked_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        replaced(bytes, &self.known())
    }

    /// Takes the secrets out of a stream of bytes.
    pub fn stream(self: &Arc<Self>) -> MaskedStream {
        MaskedStream { secrets: Arc::clone(self), held: Vec::new() }
    }

    /// Looks for secrets in a stream of bytes: true once one was seen, also across the borders of chunks.
    pub fn finder(self: &Arc<Self>) -> impl FnMut(&[u8]) -> bool + use<> {
        let secrets = self.known();
        let longest = secrets.first().map_or(0, String::len);
        let mut window: Vec<u8> = Vec::new();
        move |chunk| {
            if secrets.is_empty() {
                return false;
            }
            window.extend_from_slice(chunk);
            let seen = secrets.iter().any(|secret| find(&window, secret.as_bytes()).is_some());
            window.drain(..window.len().saturating_sub(longest));
            seen
        }
    }
}

/// A stream of bytes from which secrets are taken out.
#[derive(Debug)]
pub struct MaskedStream {
    secrets: Arc<Secrets>,
    /// The end of what came, which may be the beginning of a secret.
    held: Vec<u8>,
}

impl MaskedStream {
    /// What can be shown of the next chunk, and of what was held back before it.
    pub fn take<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        if self.held.is_empty() && self.secrets.is_idle() {
            return Cow::Borrowed(chunk);
        }
        let secrets = self.secrets.known();
        self.held.extend_from_slice(chunk);
        let mut shown = replaced(&self.held, &secrets);
        let begun = secrets.iter().map(|secret| begun(&shown, secret.as_bytes())).max().unwrap_or(0);
        self.held = shown.split_off(shown.len() - begun);
        Cow::Owned(shown)
    }

    /// Bytes that stand by themselves.
    pub fn whole(&self, bytes: &[u8]) -> Vec<u8> {
        self.secrets.masked_bytes(bytes)
    }

    /// What is left at the end.
    pub fn rest(self) -> Vec<u8> {
        self.held
    }
}

/// A part of a secret is one by itself if it is as long as this, in characters.
const PART: usize = 8;

/// The forms in which programs write a secret: as it is, as JSON and Python write texts, as a part of a URL, as base64, also of a text that it
/// is only a part of, and each of its longer lines.
fn spellings(secret: &str) -> Vec<String> {
    let whole = [
        secret.to_owned(),
        escaped(secret, |character| character == '"' || character == '\\', true),
        escaped(secret, |character| character == '"' || character == '\\', false),
        escaped(secret, |character| character == '\\', false),
        escaped(secret, |character| character == '\'' || character == '\\', false),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
    ];
    let lines = secret.lines().filter(|line| secret.contains('\n') && line.chars().count() >= PART).map(str::to_owned);
    let mut spellings: Vec<String> =
        whole.into_iter().chain(within_base64(secret)).chain(in_url(secret)).chain(lines).collect();
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// What of the base64 of a text depends on the secret in it alone, wherever it begins there: a character stands for six bits.
fn within_base64(secret: &str) -> impl Iterator<Item = String> {
    let places = (0..3).flat_map(|before| [(before, &STANDARD), (before, &URL_SAFE)]);
    places.filter_map(move |(before, alphabet)| {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let inner = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        alphabet.encode(&text).get(inner).filter(|inner| inner.len() >= PART).map(str::to_owned)
    })
}

/// What stays as it is in a URL besides letters and digits, and what stands for a space: of RFC 3986, and of the functions that most programs
/// use (Python's `quote` and `quote_plus`, `encodeURIComponent`, `URLSearchParams`).
const URLS: [(&str, &str); 5] = [("-_.~", "%20"), ("-_.~/", "%20"), ("-_.~", "+"), ("-_.~!'()*", "%20"), ("-_.*", "+")];

/// The text as a part of URLs.
fn in_url(text: &str) -> impl Iterator<Item = String> {
    let written = move |(kept, space): (&str, &str)| {
        text.bytes().fold(String::with_capacity(text.len()), |mut written, byte| {
            match char::from(byte) {
                ' ' => written += space,
                character if character.is_ascii_alphanumeric() || kept.contains(character) => written.push(character),
                _ => written += &format!("%{byte:02X}"),
            }
            written
        })
    };
    URLS.into_iter().map(written)
}

/// The text with a backslash before some characters, control characters by their short names, and, if `ascii`, others by their numbers.
fn escaped(text: &str, quoted: impl Fn(char) -> bool, ascii: bool) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => written += "\\n",
            '\r' => written += "\\r",
            '\t' => written += "\\t",
            character if quoted(character) => written.extend(['\\', character]),
            character if ascii && !character.is_ascii() => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    written += &format!("\\u{unit:04x}");
                }
            }
            character => written.push(character),
        }
    }
    written
}

fn replaced(bytes: &[u8], secrets: &[String]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for secret in secrets {
        let mut rest = std::mem::take(&mut text);
        while let Some(place) = find(&rest, secret.as_bytes()) {
            text.extend_from_slice(&rest[..place]);
            text.extend_from_slice(MASK.as_bytes());
            rest.drain(..place + secret.len());
        }
        text.append(&mut rest);
    }
    text
}

/// How many bytes at the end of `bytes` are the beginning of a secret.
fn begun(bytes: &[u8], secret: &[u8]) -> usize {
    (1..secret.len().min(bytes.len() + 1)).rev().find(|&length| bytes.ends_with(&secret[..length])).unwrap_or(0)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(place) = bytes.get(from..)?.iter().position(|&byte| byte == first) {
        if bytes[from + place..].starts_with(wanted) {
            return Some(from + place);
        }
        from += place + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn knowing(secrets: &[&str]) -> Arc<Secrets> {
        let reaper = Arc::new(Reaper::new().expect("a reaper"));
        let known = Secrets::new(IndexMap::new(), PathBuf::new(), reaper);
        for secret in secrets {
            known.hide(secret).expect("long enough");
        }
        Arc::new(known)
    }

    #[test]
    fn secrets_are_masked_in_texts_and_values() {
        let secrets = knowing(&["hunter22", "hunter22-and-more", "1234"]);
        assert_eq!(secrets.mask("a hunter22-and-more b hunter22"), format!("a {MASK} b {MASK}"));
        let value = json!({"hunter22": ["x hunter22", 51234, true]});
        assert_eq!(secrets.masked_value(value), json!({MASK: [format!("x {MASK}"), format!("5{MASK}"), true]}));
        assert!(secrets.hide("abc").expect_err("short").contains("shorter than 4"));
    }

    #[test]
    fn a_secret_is_masked_in_each_form_in_which_programs_write_it() {
        let secret = "qu\"o\te-ünï-999";
        let secrets = knowing(&[secret, "-----BEGIN KEY-----\nabcdefghij\nklm\n"]);
        let json = serde_json::to_string(secret).expect("JSON");
        let ascii = "qu\\\"o\\te-\\u00fcn\\u00ef-999";
        let url = "qu%22o%09e-%C3%BCn%C3%AF-999";
        for form in [json.trim_matches('"'), ascii, "qu\"o\\te-ünï-999", url, &STANDARD.encode(secret), "abcdefghij"]
        {
            assert_eq!(secrets.mask(&format!("a {form} b")), format!("a {MASK} b"), "{form}");
        }
        assert_eq!(secrets.mask("klm"), "klm");
        let secrets = knowing(&["My pass/(word)!~42"]);
        for form in [
            "My%20pass/%28word%29%21~42",
            "My+pass%2F%28word%29%21~42",
            "My%20pass%2F(word)!~42",
            "My+pass%2F%28word%29%21%7E42",
        ] {
            assert_eq!(secrets.mask(form), MASK, "{form}");
        }
    }

    #[test]
    fn a_secret_is_masked_in_the_base64_of_a_text_that_it_is_a_part_of() {
        let secret = "s3cr?t>>-and-more";
        let secrets = knowing(&[secret]);
        for before in ["", "u:", "me:", "you:", "a user:"] {
            for alphabet in [&STANDARD, &URL_SAFE] {
                let header = alphabet.encode(format!("{before}{secret}!"));
                let masked = secrets.mask(&header).into_owned();
                let left = masked.replace(MASK, "");
                // What is left is what surrounds it, and at most a character of its own at each end.
                assert!(masked.contains(MASK) && left.len() <= (before.len() + 1) * 4 / 3 + 4, "{header}: {masked}");
            }
        }
        assert_eq!(knowing(&["abcd"]).mask("xxYWJjxx"), "xxYWJjxx");
    }

    #[test]
    fn a_secret_across_chunks_is_masked() {
        let secrets = knowing(&["hunter22"]);
        for size in 1..12 {
            let text = b"before hunter22 hunt hunter2hunter22 huhunter22 after hun";
            let mut stream = secrets.stream();
            let mut shown: Vec<u8> = text.chunks(size).flat_map(|chunk| stream.take(chunk).into_owned()).collect();
            shown.extend(stream.rest());
            let expected = format!("before {MASK} hunt hunter2{MASK} hu{MASK} after hun");
            assert_eq!(String::from_utf8_lossy(&shown), expected, "{size}");
            let mut finder = secrets.finder();
            assert!(text.chunks(size).any(&mut finder), "{size}");
        }
        let mut finder = secrets.finder();
        assert!(!b"hunter2 hunter".chunks(3).any(&mut finder));
    }

    #[test]
    fn a_stream_without_secrets_is_not_held_up() {
        let secrets = knowing(&[]);
        assert!(matches!(secrets.stream().take(b"abc"), Cow::Borrowed(b"abc")));
    }
}
