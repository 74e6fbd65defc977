//! The live part on a terminal: a bar with what runs now, how much is done, and for how long.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::clean;
use crate::worker::desk::Display;

/// Short, for terminals may be narrow; what runs has the rest of the line.
const TEMPLATE: &str = "{spinner} {pos}/{len} [{bar:8}] {elapsed} {wide_msg}";

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(100);

/// A bar that is drawn again and again.
#[derive(Debug)]
pub(super) struct Live {
    bar: ProgressBar,
    done: usize,
    running: Vec<(String, String)>,
}

impl Live {
    /// A bar on stderr; `None` if a bar is not shown there, as on a terminal that cannot move its cursor.
    pub fn new() -> Option<Self> {
        let bar = bar();
        (!bar.is_hidden()).then(|| Self { bar, done: 0, running: Vec::new() })
    }

    pub fn begin(&mut self, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.enable_steady_tick(TICK);
    }

    pub fn started(&mut self, path: &str) {
        self.running.push((path.to_owned(), String::new()));
        self.say();
    }

    pub fn ended(&mut self, path: &str) {
        if let Some(position) = self.running.iter().position(|(running, _)| running == path) {
            self.running.remove(position);
        }
        self.say();
    }

    pub fn position(&mut self, done: usize) {
        self.done = done;
        self.bar.set_position(done as u64);
    }

    pub fn above(&self, line: &str) {
        self.bar.println(clean(line));
    }

    pub fn end(self) {
        self.bar.finish_and_clear();
    }

    /// What a test does, beside its path.
    pub fn display(&mut self, path: &str, display: &Display) {
        if let Some((_, shown)) = self.running.iter_mut().find(|(running, _)| running == path) {
            *shown = words(display);
        }
        self.say();
    }

    /// The bar goes while something else has the terminal, or comes back.
    pub fn suspend(&mut self, hidden: bool) {
        if hidden {
            self.bar.finish_and_clear();
            return;
        }
        let bar = bar().with_elapsed(self.bar.elapsed()).with_position(self.done as u64);
        bar.set_length(self.bar.length().unwrap_or_default());
        bar.enable_steady_tick(TICK);
        self.bar = bar;
        self.say();
    }

    fn say(&self) {
        let shown = self.running.iter().map(|(path, shown)| match shown.as_str() {
            "" => path.clone(),
            shown => format!("{path} ({shown})"),
        });
        self.bar.set_message(shown.collect::<Vec<_>>().join(", "));
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar
}

/// What a test shows, in a few words.
fn words(display: &Display) -> String {
    let percent = display.fraction.map(|fraction| format!("{:.0} %", fraction * 100.0));
    let remaining = display.remaining_secs.map(|seconds| format!("{seconds:.0} s left"));
    let text = display.text.as_ref().map(|text| {
        let line = text.lines().next().unwrap_or_default();
        line.chars().filter(|character| !character.is_control()).take(TEXT_SHOWN).collect()
    });
    [text, percent, remaining].into_iter().flatten().collect::<Vec<String>>().join(", ")
}

/// How many characters of a test's own text are shown.
const TEXT_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_does_is_shown_in_a_few_words() {
        let display =
            Display { text: Some("block 4\u{1b}[2J\nmore".into()), fraction: Some(0.4), remaining_secs: Some(12.2) };
        assert_eq!(words(&display), "block 4[2J, 40 %, 12 s left");
        assert_eq!(words(&Display::default()), "");
    }
}
