//! The live part on a terminal: a bar with what runs now, how much is done, and for how long.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Short, for terminals may be narrow; what runs has the rest of the line.
const TEMPLATE: &str = "{spinner} {pos}/{len} [{bar:8}] {elapsed} {wide_msg}";

/// A bar that is drawn again and again.
#[derive(Debug)]
pub(super) struct Live {
    bar: ProgressBar,
    running: Vec<String>,
}

impl Live {
    /// A bar on stderr; `None` if a bar is not shown there, as on a terminal that cannot move its cursor.
    pub fn new() -> Option<Self> {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        (!bar.is_hidden()).then(|| Self { bar, running: Vec::new() })
    }

    pub fn begin(&mut self, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    pub fn started(&mut self, path: &str) {
        self.running.push(path.to_owned());
        self.say();
    }

    pub fn ended(&mut self, path: &str) {
        if let Some(position) = self.running.iter().position(|running| running == path) {
            self.running.remove(position);
        }
        self.say();
    }

    pub fn position(&self, done: usize) {
        self.bar.set_position(done as u64);
    }

    pub fn above(&self, line: &str) {
        self.bar.println(line);
    }

    pub fn end(self) {
        self.bar.finish_and_clear();
    }

    fn say(&self) {
        self.bar.set_message(self.running.join(", "));
    }
}
