//! `prompt`: a question to the operator, or something to show until it is confirmed.

use serde::Deserialize;
use serde_json::{Number, Value};

use super::measurement::in_order;
use super::{Text, expression, filled, wrong};

/// The parameters of `prompt`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Prompt {
    /// Its own name, by which an answers file and the record know it.
    pub prompt: Option<String>,
    /// What is asked.
    pub kind: Kind,
    /// The question.
    pub text: Text,
    /// What stands above it.
    pub title: Option<Text>,
    /// After how many seconds it is given up; more than 0.
    pub timeout_secs: Option<f64>,
    /// Shown with it.
    pub image: Option<Figure>,
    /// Shown with it.
    pub link: Option<Link>,
    /// Shown with it.
    pub html: Option<String>,
    /// For `buttons`: 1 or more.
    pub buttons: Option<Vec<Button>>,
    /// For `select`, `radios`, `multi_select` and `checkboxes`: 1 or more.
    pub choices: Option<Vec<Button>>,
    /// For `multi_select` and `checkboxes`: how many at least.
    pub min_choices: Option<usize>,
    /// For `multi_select` and `checkboxes`: how many at most.
    pub max_choices: Option<usize>,
    /// For `text` and `scan`: a regular expression for the whole answer.
    pub pattern: Option<String>,
    /// For `text`: how many characters at most.
    pub size: Option<usize>,
    /// For `text` and `number`: what is there before anything is typed.
    pub initial: Option<Value>,
    /// For `text`: not shown while it is typed, and kept out of the record.
    #[serde(default)]
    pub secret: Option<bool>,
    /// For `number`: the least that it may be.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub min: Option<Number>,
    /// For `number`: the most that it may be.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub max: Option<Number>,
    /// For `number`: whether it must be an integer.
    #[serde(default)]
    pub integer: Option<bool>,
    /// For `number`: its unit.
    pub unit: Option<String>,
    /// For `steps`: 1 or more.
    pub steps: Option<Vec<Step>>,
    /// For `countdown`: how many; more than 0.
    pub seconds: Option<f64>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Kind {
    /// One of several buttons.
    Buttons,
    /// Yes or no.
    PassFail,
    /// A text.
    Text,
    /// A number.
    Number,
    /// One of several choices.
    Select,
    /// The same.
    Radios,
    /// Some of several choices.
    MultiSelect,
    /// The same.
    Checkboxes,
    /// What a scanner reads.
    Scan,
    /// An image, until it is confirmed.
    Image,
    /// A link, until it is confirmed.
    Link,
    /// A document, until it is confirmed.
    Html,
    /// A text, until it is confirmed.
    Note,
    /// Steps, each until it is confirmed.
    Steps,
    /// A time, until it is over or confirmed.
    Countdown,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Button {
    /// What it is called.
    pub label: Text,
    /// What is answered if it is chosen.
    pub value: Value,
}

/// An image: a file, or its content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figure {
    /// A file, relative to the test's directory.
    pub path: Option<String>,
    /// The content itself, instead of `path`.
    pub base64: Option<String>,
    /// What the content is.
    pub media_type: Option<String>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// What it is called.
    pub text: Option<Text>,
}

/// One of several steps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// What stands above it.
    pub title: Option<Text>,
    /// What is to be done.
    pub text: Text,
    /// Shown with it.
    pub image: Option<Figure>,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buttons => "buttons",
            Self::PassFail => "pass_fail",
            Self::Text => "text",
            Self::Number => "number",
            Self::Select => "select",
            Self::Radios => "radios",
            Self::MultiSelect => "multi_select",
            Self::Checkboxes => "checkboxes",
            Self::Scan => "scan",
            Self::Image => "image",
            Self::Link => "link",
            Self::Html => "html",
            Self::Note => "note",
            Self::Steps => "steps",
            Self::Countdown => "countdown",
        }
    }
}

impl Prompt {
    /// What can be chosen; nothing for kinds without choices.
    pub fn options(&self) -> &[Button] {
        match self.kind {
            Kind::Buttons => self.buttons.as_deref().unwrap_or_default(),
            Kind::Select | Kind::Radios | Kind::MultiSelect | Kind::Checkboxes => {
                self.choices.as_deref().unwrap_or_default()
            }
            Kind::PassFail
            | Kind::Text
            | Kind::Number
            | Kind::Scan
            | Kind::Image
            | Kind::Link
            | Kind::Html
            | Kind::Note
            | Kind::Steps
            | Kind::Countdown => &[],
        }
    }

    /// Whether what is answered is kept out of the record.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Text && self.secret == Some(true)
    }
}

/// What the fields say together.
pub(super) fn check(prompt: Prompt) -> Result<Box<Prompt>, String> {
    if let Some(name) = &prompt.prompt {
        filled("prompt", name)?;
    }
    positive("timeout_secs", prompt.timeout_secs)?;
    expression("pattern", prompt.pattern.as_deref())?;
    let needs = |field: &str, missing: bool| if missing { Err(wrong(field, "it is missing")) } else { Ok(()) };
    match prompt.kind {
        Kind::Buttons => some("buttons", prompt.buttons.as_deref())?,
        Kind::Select | Kind::Radios => some("choices", prompt.choices.as_deref())?,
        Kind::MultiSelect | Kind::Checkboxes => {
            some("choices", prompt.choices.as_deref())?;
            let number = prompt.options().len();
            if prompt.min_choices.is_some_and(|least| least > number.min(prompt.max_choices.unwrap_or(number))) {
                return Err(wrong("min_choices", "it is more than there can be"));
            }
        }
        Kind::Image => needs("image", prompt.image.is_none())?,
        Kind::Link => needs("link", prompt.link.is_none())?,
        Kind::Html => needs("html", prompt.html.is_none())?,
        Kind::Steps => some("steps", prompt.steps.as_deref())?,
        Kind::Countdown => {
            needs("seconds", prompt.seconds.is_none())?;
            positive("seconds", prompt.seconds)?;
        }
        Kind::Number => in_order(prompt.min.as_ref(), prompt.max.as_ref())?,
        Kind::PassFail | Kind::Text | Kind::Scan | Kind::Note => {}
    }
    let figures = prompt.image.iter().map(|figure| ("image".to_owned(), figure));
    let steps = prompt.steps.iter().flatten().enumerate();
    let in_steps = steps.filter_map(|(place, step)| Some((format!("steps[{place}].image"), step.image.as_ref()?)));
    for (field, figure) in figures.chain(in_steps) {
        if figure.path.is_some() == figure.base64.is_some() {
            return Err(wrong(&field, "expected one of `path` and `base64`"));
        }
    }
    Ok(Box::new(prompt))
}

fn some<T>(field: &str, items: Option<&[T]>) -> Result<(), String> {
    match items {
        None => Err(wrong(field, "it is missing; expected 1 or more")),
        Some([]) => Err(wrong(field, "it is empty; expected 1 or more")),
        Some(_) => Ok(()),
    }
}

fn positive(field: &str, seconds: Option<f64>) -> Result<(), String> {
    match seconds {
        Some(seconds) if !(seconds > 0.0 && seconds <= 1e9) => {
            Err(wrong(field, &format!("{seconds} is no number of seconds; expected more than 0")))
        }
        Some(_) | None => Ok(()),
    }
}
