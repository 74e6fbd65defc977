//! Diagnostics for people and for machines.

mod formats;

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan};
use serde_json::{Value, json};
use tlc_compiler::Headless;
use tlc_compiler::diagnostic::{Diagnostic, Label, Severity};
use tlc_compiler::source::{SourceMap, Span};

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// With the lines they are about.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub.
    Github,
}

/// How many diagnostics people are shown; machines get all.
const MOST_SHOWN: usize = 200;

/// The longest mark below a line, in bytes.
const LONGEST_MARK: usize = 200;

/// Where a report for people goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: the report is what was asked for.
    Output,
    /// Standard error: it comes beside what was asked for.
    Error,
}

/// Diagnostics of several lists, each once.
#[derive(Debug)]
pub struct Report {
    stream: Stream,
    seen: HashSet<String>,
    human: String,
    json: Vec<Value>,
    /// How many prompts there are, and how many have an answer, where that was asked.
    pub headless: Option<Headless>,
    /// How many errors there are.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
}

impl Report {
    /// A report without diagnostics.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            seen: HashSet::new(),
            human: String::new(),
            json: Vec::new(),
            headless: None,
            errors: 0,
            warnings: 0,
        }
    }

    /// Writes the text for people.
    pub fn show(&self) {
        match self.stream {
            Stream::Output => print(&self.human),
            Stream::Error => eprint(&self.human),
        }
    }

    /// Adds the diagnostics of one list. What another list has said already is left out.
    pub fn add(&mut self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        for diagnostic in diagnostics {
            let value = to_json(diagnostic, sources);
            if !self.seen.insert(value.to_string()) {
                continue;
            }
            match diagnostic.severity {
                Severity::Error | Severity::Denied => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => {}
            }
            if self.json.len() < MOST_SHOWN {
                render(diagnostic, sources, self.stream, &mut self.human);
            } else if self.json.len() == MOST_SHOWN {
                self.human.push_str("and more, which `tlc check --format json` lists\n\n");
            }
            self.json.push(value);
        }
    }

    /// Everything in the format of a machine; the text for people otherwise.
    pub fn text(&self, format: Format) -> String {
        match format {
            Format::Human => self.human.clone(),
            Format::Json => format!("{:#}\n", self.document()),
            Format::Sarif => format!("{:#}\n", formats::sarif(&self.json)),
            Format::Github => formats::github(&self.json),
        }
    }

    fn document(&self) -> Value {
        let mut document = json!({ "diagnostics": self.json });
        if let Some(Headless { answered, unanswered, unclear, programs }) = self.headless {
            document["headless"] =
                json!({ "answered": answered, "unanswered": unanswered, "unclear": unclear, "programs": programs });
        }
        document
    }

    /// `2 errors, 1 warning`.
    pub fn summary(&self) -> String {
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        match (self.errors, self.warnings) {
            (0, 0) => "no problems".into(),
            (0, warnings) => count(warnings, "warning"),
            (errors, 0) => count(errors, "error"),
            (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        }
    }
}

/// Writes to standard output. A reader that went away is no error; anything else that keeps the text from arriving ends the command.
pub fn print(text: &str) {
    print_by(|output| output.write_all(text.as_bytes()));
}

/// Writes to standard output, as [`print()`] does, what comes in pieces.
pub fn print_by(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) {
    let mut output = io::stdout().lock();
    let written = write(&mut output).and_then(|()| output.flush());
    if let Err(error) =
        written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    {
        complain(format_args!("the output cannot be written: {error}"));
        std::process::exit(i32::from(crate::ENVIRONMENT));
    }
}

/// Writes to standard error.
pub fn eprint(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A problem that is about no list: one line on standard error.
pub fn complain(message: impl fmt::Display) {
    eprint(&format!("tlc: {message}\n"));
}

/// Colours are for terminals, and for who wants them.
pub fn colours(stream: Stream) -> bool {
    let terminal = match stream {
        Stream::Output => io::stdout().is_terminal(),
        Stream::Error => io::stderr().is_terminal(),
    };
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal && !refused && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// The width of the terminal; a hundred columns where there is none.
fn width(stream: Stream) -> usize {
    let size = match stream {
        Stream::Output => terminal_size::terminal_size_of(io::stdout()),
        Stream::Error => terminal_size::terminal_size_of(io::stderr()),
    };
    size.map_or(100, |(columns, _)| usize::from(columns.0).clamp(40, 140))
}

fn render(diagnostic: &Diagnostic, sources: &SourceMap, stream: Stream, into: &mut String) {
    let theme = if colours(stream) { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler =
        GraphicalReportHandler::new_themed(theme).with_links(false).with_width(width(stream)).with_context_lines(1);
    let shown = Shown { diagnostic, sources };
    if handler.render_report(into, &shown).is_err() {
        let _ = writeln!(into, "{}: {}", diagnostic.code, diagnostic.message);
    }
    into.push('\n');
}

fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let (start, end) = (sources.position(label.span.start), sources.position(label.span.end()));
            json!({
                "file": sources.path(sources.file_of(label.span)).display().to_string(),
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
                "text": label.text,
                "primary": index == 0,
            })
        })
        .collect();
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": labels,
    })
}

/// The offset and the length of what is marked of a span: its first line, and not more of that than can be looked at. The end of a file is on no line; the end of its last line is shown instead.
fn visible(span: Span, sources: &SourceMap) -> (usize, usize) {
    let file = sources.file_of(span);
    let (text, base) = (sources.text(file), sources.base(file) as usize);
    let last_line = text.trim_end();
    if span.len > 0 || (span.start as usize - base) < last_line.len() {
        let marked = sources.slice(span);
        let line = marked.find('\n').unwrap_or(marked.len());
        return (span.start as usize, marked.floor_char_boundary(line.min(LONGEST_MARK)));
    }
    match last_line.char_indices().next_back() {
        Some((at, last)) if last_line.len() == text.len() => (base + at, last.len_utf8()),
        _ => (base + last_line.len(), 0),
    }
}

/// A diagnostic with the files that it is about, as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Denied | Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.sources)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.diagnostic.labels.is_empty() {
            return None;
        }
        let mut labels: Vec<_> = self.diagnostic.labels.iter().enumerate().collect();
        // What is shown before its own place comes after what really is there.
        let shown = |label: &Label| visible(label.span, self.sources).0;
        let is_moved = |label: &Label| label.span.start as usize > shown(label);
        let shares =
            |label: &Label| self.diagnostic.labels.iter().filter(|other| shown(other) == shown(label)).count() > 1;
        labels.sort_by_key(|(_, label)| is_moved(label) && shares(label));
        Some(Box::new(labels.into_iter().map(|(index, label)| {
            let text = Some(label.text.clone()).filter(|text| !text.is_empty());
            let span = visible(label.span, self.sources);
            if index == 0 {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}
