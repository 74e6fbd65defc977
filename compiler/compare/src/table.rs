//! The results as tables in Markdown, in nanoseconds and microseconds.

use crate::cases::Cases;
use crate::engines::Timing;
use crate::measure::geometric_mean;

/// An engine, and its times: of the real expressions, and of the heavy ones.
type Column = (String, Vec<Vec<Option<Timing>>>);

/// The geometric means over the real expressions.
pub fn real(columns: &[Column]) -> String {
    let mut rows = head("ns, geometric means", columns);
    rows += &row("expressions it can say", columns, |times| Some(times.iter().flatten().count().to_string()));
    rows += &row("read", columns, |times| mean(times, |timing| Some(timing.read)));
    rows += &row("evaluate", columns, |times| mean(times, |timing| Some(timing.evaluate)));
    rows += &row("evaluate without limits", columns, |times| mean(times, |timing| timing.unlimited));
    rows
}

/// Each of the heavy ones.
pub fn heavy(cases: &Cases, columns: &[Column]) -> String {
    let mut rows = head("µs", columns);
    for (index, text) in cases.expressions.iter().enumerate() {
        let cells =
            columns.iter().map(|(_, times)| times[1][index].map(|timing| format!("{:.1}", timing.evaluate / 1e3)));
        rows += &line(&format!("`{text}`"), cells);
    }
    rows
}

fn head(corner: &str, columns: &[Column]) -> String {
    let names = columns.iter().map(|(name, _)| Some(name.clone()));
    format!("{}|---|{}\n", line(corner, names), "---:|".repeat(columns.len()))
}

fn row(name: &str, columns: &[Column], cell: impl Fn(&[Option<Timing>]) -> Option<String>) -> String {
    line(name, columns.iter().map(|(_, times)| cell(&times[0])))
}

fn line(name: &str, cells: impl Iterator<Item = Option<String>>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.unwrap_or_else(|| "-".into())).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

fn mean(times: &[Option<Timing>], part: impl Fn(&Timing) -> Option<f64>) -> Option<String> {
    let times: Vec<f64> = times.iter().flatten().filter_map(part).collect();
    geometric_mean(&times).map(|mean| format!("{mean:.0}"))
}
