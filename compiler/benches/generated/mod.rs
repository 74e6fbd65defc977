//! Generated lists for measurements: the same every time, with the parts that real lists have.

use std::fmt::Write as _;
use std::path::Path;

/// What a generated list looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// This many leaves, each written out, about 200 bytes for each: five station files over a common one; one definition for two leaves,
    /// of which two in five inherit another; groups of 20, lines of 20 groups with locals; conditions, expressions, overrides.
    Line(usize),
    /// Groups of groups of 20, so that a short text has about this many leaves.
    Fan(usize),
}

const STATIONS: [&str; 5] = ["SMT", "FAT", "RUNIN", "FFT", "GRT"];

const ARGUMENTS: [&str; 10] = [
    "timeout_secs",
    "method",
    "server_url",
    "input_dev",
    "threshold",
    "retries_max",
    "report_name",
    "mode",
    "freq_range",
    "limit",
];

const TESTS: [&str; 8] = [
    "exec_shell",
    "audio_loop",
    "button",
    "camera",
    "battery_current",
    "display_point",
    "update_firmware",
    "station_entry",
];

/// How many tests a group has, groups a line, and constants a list.
const TWENTY: usize = 20;

/// Writes the files of a list, whose id is `main`, into a folder.
pub fn write(folder: &Path, shape: Shape) {
    for (name, text) in files(shape) {
        std::fs::write(folder.join(name), text).expect("written");
    }
}

/// The files of a list.
pub fn files(shape: Shape) -> Vec<(String, String)> {
    let mut files = vec![file("base", base())];
    files.extend(match shape {
        Shape::Line(leaves) => Line::new(leaves).files(),
        Shape::Fan(leaves) => fan(leaves),
    });
    files
}

fn file(name: &str, text: String) -> (String, String) {
    (format!("{name}.test_list.json"), text)
}

fn base() -> String {
    r#"{
  "constants": {"phase": "PROTO"},
  "options": {"phase": "eval! constants.phase"},
  "definitions": {
    "FactoryTest": {"inherit": "FactoryTest"},
    "TestGroup": {"inherit": "TestGroup"}
  }
}
"#
    .to_owned()
}

/// The list that the others inherit.
fn common(definitions: &[String]) -> String {
    let constants: Vec<String> = (0..TWENTY)
        .map(|number| {
            format!(
                r#"    "c{number}": {{"url": "http://10.0.{number}.1:8080", "flag": {}, "num": {}, "ports": ["0-0:{number}.1"]}}"#,
                number % 3 > 0,
                number * 10 + 3
            )
        })
        .collect();
    format!(
        "{{\n  \"inherit\": [\"base.test_list\"],\n  \"constants\": {{\n{}\n  }},\n  \"definitions\": {{\n{}\n  }}\n}}\n",
        constants.join(",\n"),
        definitions.join(",\n")
    )
}

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    /// Whether something happens that happens so often in a hundred.
    fn in_hundred(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    fn expression(&mut self) -> String {
        let constant = format!("constants.c{}", self.below(TWENTY));
        match self.below(10) {
            0..=2 => format!("{constant}.url"),
            3 | 4 => format!("{constant}.num"),
            5 => format!("{constant}.ports"),
            6 => format!("'shopfloor' if {constant}.flag else 'none'"),
            7 => format!("{constant}.url + '/report'"),
            8 => format!("int({constant}.num * 1000 * {})", self.below(100_000) + 2),
            _ => format!("{constant}.flag and {constant}.num or None"),
        }
    }

    fn argument(&mut self) -> String {
        match self.below(100) {
            0..25 => format!("\"eval! {}\"", self.expression()),
            25..55 => self.below(100_000).to_string(),
            55..75 => format!("\"value-{}\"", self.below(1000)),
            75..85 => self.in_hundred(50).to_string(),
            85..95 => format!("[\n          {},\n          {}\n        ]", self.below(100), self.below(100)),
            _ => format!("{{\"min\": {}, \"max\": {}}}", self.below(100), self.below(900) + 100),
        }
    }

    fn arguments(&mut self, count: usize) -> String {
        let first = self.below(ARGUMENTS.len());
        let arguments: Vec<String> = (0..count)
            .map(|number| {
                let name = ARGUMENTS[(first + 3 * number) % ARGUMENTS.len()];
                format!("        \"{name}\": {}", self.argument())
            })
            .collect();
        format!("\"args\": {{\n{}\n      }}", arguments.join(",\n"))
    }

    fn definition(&mut self, number: usize) -> String {
        let inherits = number >= TWENTY && self.in_hundred(40);
        let mut fields = vec![if inherits {
            format!("\"inherit\": \"Test{}\"", self.below(TWENTY))
        } else {
            format!("\"pytest_name\": \"{}\"", TESTS[self.below(TESTS.len())])
        }];
        if self.in_hundred(30) {
            fields.push(format!("\"label\": \"Test case number {number}\""));
        }
        if self.in_hundred(30) {
            let (constant, part) = (self.below(TWENTY), self.below(9));
            fields.push(format!("\"run_if\": \"not constants.c{constant}.flag or device.component.has_part{part}\""));
        }
        let count = if inherits { 1 + self.below(2) } else { 3 };
        fields.push(self.arguments(count));
        format!("    \"Test{number}\": {{\n      {}\n    }}", fields.join(",\n      "))
    }
}

struct Line {
    leaves: usize,
    definitions: usize,
    numbers: Numbers,
    common: Vec<String>,
    stations: [Vec<String>; 5],
    lines: [Vec<String>; 5],
    overrides: Vec<String>,
}

impl Line {
    fn new(leaves: usize) -> Self {
        let definitions = leaves.div_ceil(2).max(TWENTY);
        let (stations, lines) = Default::default();
        Self { leaves, definitions, numbers: Numbers(42), common: Vec::new(), stations, lines, overrides: Vec::new() }
    }

    fn files(mut self) -> Vec<(String, String)> {
        let each = self.definitions.div_ceil(STATIONS.len());
        for number in 0..self.definitions {
            let definition = self.numbers.definition(number);
            if number < TWENTY { &mut self.common } else { &mut self.stations[number / each] }.push(definition);
        }
        let groups = self.leaves.div_ceil(TWENTY);
        for line in 0..groups.div_ceil(TWENTY) {
            self.line(line, groups.min((line + 1) * TWENTY));
        }
        let mut files = vec![file("common", common(&self.common))];
        for ((name, mut definitions), lines) in STATIONS.iter().zip(self.stations).zip(&self.lines) {
            definitions.push(format!(
                "    \"{name}\": {{\"inherit\": \"TestGroup\", \"label\": \"{name}\", \"subtests\": [{}]}}",
                lines.join(", ")
            ));
            let text = format!(
                "{{\n  \"inherit\": [\"common.test_list\"],\n  \"definitions\": {{\n{}\n  }}\n}}\n",
                definitions.join(",\n")
            );
            files.push(file(&name.to_lowercase(), text));
        }
        let used: Vec<String> = STATIONS
            .iter()
            .zip(&self.lines)
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let parents: Vec<String> =
            STATIONS.iter().map(|name| format!("\"{}.test_list\"", name.to_lowercase())).collect();
        files.push(file(
            "main",
            format!(
                "{{\n  \"inherit\": [{}],\n  \"label\": \"Line\",\n  \"tests\": [{}],\n  \"override_args\": {{\n{}\n  }}\n}}\n",
                parents.join(", "),
                used.join(", "),
                self.overrides.join(",\n")
            ),
        ));
        files
    }

    /// A line of groups, up to the group `end`.
    fn line(&mut self, line: usize, end: usize) {
        let station = line % STATIONS.len();
        let mut groups = Vec::new();
        for group in line * TWENTY..end {
            let tests = group * TWENTY..self.leaves.min((group + 1) * TWENTY);
            let tests: Vec<String> = tests.map(|leaf| self.leaf(leaf, line, group)).collect();
            self.stations[station].push(format!(
                "    \"Group{group}\": {{\n      \"subtests\": [\n        {}\n      ]\n    }}",
                tests.join(",\n        ")
            ));
            groups.push(format!("\"Group{group}\""));
        }
        self.stations[station].push(format!(
            "    \"Line{line}\": {{\"label\": \"Line {line}\", \"locals\": {{\"station\": \"{}\", \"server\": \"eval! constants.c{}.url\"}}, \"subtests\": [{}]}}",
            STATIONS[station],
            line % TWENTY,
            groups.join(", ")
        ));
        self.lines[station].push(format!("\"Line{line}\""));
    }

    fn leaf(&mut self, leaf: usize, line: usize, group: usize) -> String {
        let definition = leaf % self.definitions;
        if self.numbers.in_hundred(1) {
            let path = format!("{}.Line{line}.Group{group}.Test{definition}", STATIONS[line % STATIONS.len()]);
            self.overrides.push(format!("    \"{path}\": {{\"timeout_secs\": 7}}"));
        }
        if leaf < self.definitions {
            return format!("\"Test{definition}\"");
        }
        let count = 1 + self.numbers.below(2);
        format!("{{\n      \"inherit\": \"Test{definition}\",\n      {}\n    }}", self.numbers.arguments(count))
    }
}

/// Groups of groups: those of each level have 20 of the level below, with locals of their own.
fn fan(leaves: usize) -> Vec<(String, String)> {
    let mut numbers = Numbers(42);
    let mut definitions: Vec<String> = (0..TWENTY).map(|number| numbers.definition(number)).collect();
    let tests: Vec<String> = (0..TWENTY).map(|number| format!("\"Test{number}\"")).collect();
    definitions.push(format!("    \"Group0\": {{\"subtests\": [{}]}}", tests.join(", ")));
    let (mut count, mut level) = (TWENTY, 0);
    while count < leaves {
        let wanted = leaves.div_ceil(count).min(TWENTY);
        let mut groups = String::new();
        for group in 0..wanted {
            let comma = if group == 0 { "" } else { ",\n      " };
            let _ = write!(
                groups,
                r#"{comma}{{"inherit": "Group{level}", "id": "g{group}", "locals": {{"index": {group}}}}}"#
            );
        }
        level += 1;
        count *= wanted;
        definitions.push(format!("    \"Group{level}\": {{\"subtests\": [\n      {groups}\n    ]}}"));
    }
    let main = format!(
        "{{\n  \"inherit\": [\"common.test_list\"],\n  \"label\": \"Fan\",\n  \"tests\": [{{\"inherit\": \"Group{level}\", \"id\": \"Top\"}}]\n}}\n"
    );
    vec![file("common", common(&definitions)), file("main", main)]
}
