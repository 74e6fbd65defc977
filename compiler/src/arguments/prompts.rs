//! The source of a Python test to the prompts that it asks with the SDK, by parsing it.
//!
//! A call counts wherever it stands; whether it is reached is not looked at. A prompt's name is known if it is written as a text.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Stmt};
use ruff_text_size::Ranged;

use super::python::{Names, constants, module_body};
use super::{Asking, PromptCall, PromptName};
use crate::source::Span;

/// The functions of the SDK that ask, or show something until it is confirmed.
const FUNCTIONS: [&str; 13] = [
    "ask_buttons",
    "ask_choice",
    "ask_choices",
    "ask_number",
    "ask_pass_fail",
    "ask_scan",
    "ask_text",
    "countdown",
    "show_html",
    "show_image",
    "show_link",
    "show_note",
    "show_steps",
];

/// The module of the SDK.
const SDK: &str = "tlc";

/// Reads a source that begins at `base` in the map.
pub(super) fn read(text: &str, base: u32) -> Asking {
    let read = module_body(text, base, |body| {
        let names = constants(body, text);
        let mut reader = Reader { base, names, sdk: vec![SDK], functions: Vec::new(), asking: Asking::default() };
        // An import may come after the function that uses it.
        for statement in body {
            Imports { reader: &mut reader }.visit_stmt(statement);
        }
        for statement in body {
            reader.visit_stmt(statement);
        }
        reader.asking
    });
    read.unwrap_or_else(|unread| Asking { unchecked: Some(unread.into()), ..Asking::default() })
}

struct Reader<'a> {
    base: u32,
    /// The constants of the module.
    names: Names<'a>,
    /// What the SDK is called.
    sdk: Vec<&'a str>,
    /// What its functions are called that were imported by themselves, and what they are.
    functions: Vec<(&'a str, &'a str)>,
    asking: Asking,
}

struct Imports<'r, 'a> {
    reader: &'r mut Reader<'a>,
}

impl<'a> Visitor<'a> for Imports<'_, 'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let reader = &mut *self.reader;
        match statement {
            Stmt::Import(import) => {
                for name in &import.names {
                    match &name.asname {
                        Some(other) if name.name.as_str() == SDK => reader.sdk.push(other.as_str()),
                        _ => reader.asking.imports.push(name.name.to_string()),
                    }
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                for name in &import.names {
                    let called = name.asname.as_ref().unwrap_or(&name.name).as_str();
                    if module == SDK && import.level == 0 {
                        reader.functions.push((called, name.name.as_str()));
                    }
                    let dots = ".".repeat(import.level as usize);
                    reader.asking.imports.push(format!("{dots}{module}"));
                    let dot = if module.is_empty() { "" } else { "." };
                    reader.asking.imports.push(format!("{dots}{module}{dot}{}", name.name));
                }
            }
            other => walk_stmt(self, other),
        }
    }
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && let Some(function) = self.function(call)
        {
            let place = self.asking.calls.len() + 1;
            let found = self.call(call, function, place);
            self.asking.calls.push(found);
        }
        walk_expr(self, expression);
    }
}

impl<'a> Reader<'a> {
    /// The function of the SDK that is called: `tlc.ask_text`, `self.ask_text`, or `ask_text` where that is imported.
    fn function(&self, call: &'a ExprCall) -> Option<&'a str> {
        let function = match &*call.func {
            Expr::Attribute(attribute) => {
                let owner = attribute.value.as_name_expr()?.id.as_str();
                (owner == "self" || self.sdk.contains(&owner)).then_some(attribute.attr.as_str())?
            }
            Expr::Name(name) => self.functions.iter().find(|(called, _)| *called == name.id.as_str())?.1,
            _ => return None,
        };
        FUNCTIONS.contains(&function).then_some(function)
    }

    fn call(&self, call: &'a ExprCall, function: &str, place: usize) -> PromptCall {
        let keywords = &call.arguments.keywords;
        let name = match keywords.iter().find(|keyword| keyword.arg.as_ref().is_some_and(|name| name == "prompt")) {
            Some(keyword) => match &keyword.value {
                Expr::NoneLiteral(_) => PromptName::Place(place),
                value => self.text(value).map_or(PromptName::Unknown, PromptName::Known),
            },
            None if keywords.iter().any(|keyword| keyword.arg.is_none()) => PromptName::Unknown,
            None => PromptName::Place(place),
        };
        let asked = call.arguments.find_argument_value("text", 0).and_then(|text| self.text(text));
        let (start, end) = (call.range().start().to_u32(), call.range().end().to_u32());
        let span = Span { start: self.base + start, len: end - start };
        PromptCall { name, function: function.to_owned(), text: asked, span }
    }

    /// A text, written here or as a constant of the module.
    fn text(&self, expression: &Expr) -> Option<String> {
        let written = match expression {
            Expr::Name(name) => (*self.names.get(name.id.as_str())?)?,
            other => other,
        };
        written.as_string_literal_expr().map(|text| text.value.to_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_names(text: &str) -> Vec<String> {
        let shown = |call: &PromptCall| format!("{} {:?} {:?}", call.function, call.name, call.text);
        read(text, 0).calls.iter().map(shown).collect()
    }

    #[test]
    fn calls_of_the_sdk_are_found_by_whatever_name() {
        let text = "import tlc\nimport tlc as t\nfrom tlc import ask_text as ask, log\nSERIAL = 'serial'\n\
                    def f(self, other, name):\n    tlc.ask_scan('Scan', prompt='scan')\n    t.show_note('Note')\n    \
                    ask('Text', prompt=SERIAL)\n    self.ask_pass_fail(name, prompt=name)\n    other.ask_text('no')\n    \
                    log('no')\n    x = [tlc.countdown('Wait', 3, prompt=None)]\n    tlc.ask_text(**name)\n";
        let expected = [
            "ask_scan Known(\"scan\") Some(\"Scan\")",
            "show_note Place(2) Some(\"Note\")",
            "ask_text Known(\"serial\") Some(\"Text\")",
            "ask_pass_fail Unknown None",
            "countdown Place(5) Some(\"Wait\")",
            "ask_text Unknown None",
        ];
        assert_eq!(read_names(text), expected);
    }

    #[test]
    fn imports_are_named_as_modules() {
        let asking =
            read("import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n    import i\n", 0);
        assert_eq!(asking.imports, ["a.b", "c", "c.d", ".", ".e", "..f", "..f.g", "i"]);
    }

    #[test]
    fn what_is_no_python_is_not_checked() {
        assert!(read("x = = 1", 0).unchecked.is_some_and(|unchecked| unchecked.reason.contains("no Python")));
        assert!(read(&"(".repeat(200_000), 0).unchecked.is_some());
    }
}
