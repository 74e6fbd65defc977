//! `options`: the known ones with their defaults, evaluated, and of the right type.

use std::sync::Arc;

use indexmap::IndexMap;
use tlc_plan::Data;
use tlc_plan::data::Object;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::{Arena, Entry, NodeId};
use crate::source::{SourceMap, Span};

use super::evaluation::{Evaluated, Evaluation};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionType {
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// A string or `null`.
    OptionalText,
    /// A whole number or `null`; a boolean passes, as it does in Python.
    OptionalInteger,
    /// An object.
    Object,
}

/// Every option, its type, and its default as JSON.
pub const OPTIONS: &[(&str, OptionType, &str)] = &[
    ("auto_run_on_start", OptionType::Bool, "true"),
    ("retry_failed_on_start", OptionType::Bool, "false"),
    ("clear_state_on_start", OptionType::Bool, "false"),
    ("auto_run_on_keypress", OptionType::Bool, "false"),
    ("ui_locale", OptionType::Text, "\"en-US\""),
    ("engineering_password_sha1", OptionType::OptionalText, "null"),
    ("sync_event_log_period_secs", OptionType::OptionalInteger, "null"),
    ("update_period_secs", OptionType::OptionalInteger, "null"),
    ("stop_on_failure", OptionType::Bool, "false"),
    ("hooks_class", OptionType::Text, "\"cros.factory.goofy.hooks.Hooks\""),
    ("testlog_hooks", OptionType::Text, "\"cros.factory.testlog.hooks.Hooks\""),
    ("phase", OptionType::OptionalText, "null"),
    ("dut_options", OptionType::Object, "{}"),
    ("plugin_config_name", OptionType::OptionalText, "\"goofy_plugin_chromeos\""),
    ("read_device_data_from_vpd_on_init", OptionType::Bool, "true"),
    ("skipped_tests", OptionType::Object, "{}"),
    ("waived_tests", OptionType::Object, "{}"),
];

/// The options of a list: every known one, in the order of [`OPTIONS`].
#[derive(Debug, Default)]
pub struct Options {
    options: IndexMap<Arc<str>, Setting>,
}

/// An option.
#[derive(Debug)]
pub struct Setting {
    /// What the list says; `None` for the default.
    pub written: Option<NodeId>,
    /// Its value with the given device data.
    pub value: Data,
    /// It reads device data.
    pub reads_device: bool,
}

impl Options {
    /// Evaluates what a list says about its options.
    pub(super) fn resolve(
        written: Option<NodeId>,
        arena: &Arena,
        sources: &SourceMap,
        evaluation: &mut Evaluation,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let members = written.map(|written| arena.entry(written).members()).unwrap_or_default();
        for member in members.clone() {
            let name: &str = arena.text(member.key);
            if !OPTIONS.iter().any(|(known, ..)| *known == name) {
                diagnostics.push(unknown_option(name, member.key_span));
            }
        }
        let settings = OPTIONS.iter().map(|(name, expected, default)| {
            let written = members.clone().find(|member| arena.text(member.key) == *name).map(|member| member.value);
            let setting = match written {
                None => {
                    Setting { written, value: serde_json::from_str(default).unwrap_or_default(), reads_device: false }
                }
                Some(node) => {
                    let evaluated = evaluation.option(node, arena, sources, diagnostics);
                    let undecided = |evaluated: &Evaluated| evaluated.reads_device && !evaluation.has_device();
                    if let Some(evaluated) = &evaluated
                        && !fits(*expected, &evaluated.value)
                        && !undecided(evaluated)
                    {
                        diagnostics.push(wrong_option(name, *expected, &evaluated.value, arena.entry(node)));
                    }
                    let Evaluated { value, reads_device } = evaluated.unwrap_or_default();
                    Setting { written, value, reads_device }
                }
            };
            (Arc::from(*name), setting)
        });
        Self { options: settings.collect() }
    }

    /// One option; every name of [`OPTIONS`] is there once a list was resolved.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.options.get(name)
    }

    /// Every option with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Setting)> {
        self.options.iter()
    }

    /// All values as one object.
    pub fn to_data(&self) -> Data {
        let values = self.options.iter().map(|(name, setting)| (name.clone(), setting.value.clone()));
        Data::object(values.collect::<Object>())
    }
}

fn fits(expected: OptionType, value: &Data) -> bool {
    match expected {
        OptionType::Bool => matches!(value, Data::Bool(_)),
        OptionType::Text => matches!(value, Data::String(_)),
        OptionType::OptionalText => matches!(value, Data::String(_) | Data::Null),
        OptionType::OptionalInteger => matches!(value, Data::Int(_) | Data::Big(_) | Data::Bool(_) | Data::Null),
        OptionType::Object => matches!(value, Data::Object(_)),
    }
}

fn unknown_option(name: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::error("unknown-option", format!("there is no option `{name}`"), span, "unknown");
    let known = OPTIONS.iter().map(|(known, ..)| *known);
    let help = did_you_mean(name, known.clone()).unwrap_or_else(|| {
        format!("the options are {}", known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
    });
    finding.help(help)
}

fn wrong_option(name: &str, expected: OptionType, value: &Data, written: Entry<'_>) -> Diagnostic {
    let expected = match expected {
        OptionType::Bool => "`true` or `false`",
        OptionType::Text => "a string",
        OptionType::OptionalText => "a string or `null`",
        OptionType::OptionalInteger => "a whole number or `null`",
        OptionType::Object => "an object",
    };
    let found = value.type_name();
    Diagnostic::error(
        "option-type",
        format!("the option `{name}` is {expected}, found {found}"),
        written.span(),
        format!("expected {expected}"),
    )
    .help(format!("leave it out to have its default, `{}`", default_of(name)))
}

/// The default of a known option, as JSON.
fn default_of(name: &str) -> &'static str {
    OPTIONS.iter().find(|(known, ..)| *known == name).map_or("null", |(.., default)| default)
}
