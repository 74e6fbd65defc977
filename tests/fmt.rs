//! `tlc fmt`: the same list in its canonical form, with every comment, and the same again.

mod common;

use std::path::Path;

use common::{corpus, directory, run};
use tlc_compiler::document::{Arena, read};
use tlc_compiler::format::format;
use tlc_compiler::plan::Data;
use tlc_compiler::source::SourceMap;

/// The value of a text and its comments, sorted.
fn content(text: &str) -> (Data, Vec<String>) {
    let (mut sources, mut arena) = (SourceMap::default(), Arena::default());
    let file = sources.add(Path::new("text"), text.into()).expect("room");
    let (document, problems) = read(&sources, file, &mut arena);
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    let comments = document.comments.iter().map(|comment| sources.slice(comment.span).trim_end().to_owned());
    let mut comments: Vec<String> = comments.collect();
    comments.sort();
    (arena.entry(document.root.expect("a value")).to_data(), comments)
}

/// The formatted text, after everything that is said of it was found true.
fn formatted(text: &str) -> String {
    let once = format(text).expect("valid");
    assert_eq!(format(&once).as_deref(), Some(&*once), "a second time changes nothing");
    let (before, after) = (content(text), content(&once));
    assert_eq!(sorted(&before.0), sorted(&after.0), "the value is the same:\n{once}");
    assert_eq!(before.1, after.1, "every comment is there:\n{once}");
    once
}

/// A value whose members are in an order that is not that of a text.
fn sorted(value: &Data) -> Data {
    match value {
        Data::List(items) => Data::list(items.iter().map(sorted).collect()),
        Data::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Data::object(members.into_iter().collect::<tlc_compiler::plan::data::Object>())
        }
        other => other.clone(),
    }
}

#[test]
fn fields_have_their_places_and_comments_stay_with_what_they_are_about() {
    let text = r#"// The line's list.
{ "tests": ["SMT", /* the last one */ "Off"], // what runs
  "inherit": ["base.test_list"],
  definitions: {
    // Lights.
    "SMT": {"subtests": [{"args": {"z": 1, "a": [ ]}, "exec": ["led", "-\u0041"], 'id': "Led", "timeout_secs": 5}],
      /* what people see */ "label": "SMT" },


    "Off": {inherit: "ShutdownStep",}, // and off
    // nothing more
  },
  "options": {"phase": "EVT" /* early */, "auto_run_on_start": false},
  "constants": {"b": 1, "__comment_a": "of a", "a": 2},
  "label": "Größe",
}
// The end."#;
    insta::assert_snapshot!(formatted(text), @r#"
    // The line's list.
    {
      "inherit": ["base.test_list"],
      "label": "Größe",
      "constants": {"a": 2, "__comment_a": "of a", "b": 1},
      "options": {
        "auto_run_on_start": false,
        "phase": "EVT" /* early */
      },
      definitions: {
        "Off": {inherit: "ShutdownStep"}, // and off
        // Lights.
        "SMT": {
          /* what people see */
          "label": "SMT",
          "subtests": [
            {"exec": ["led", "-\u0041"], 'id': "Led", "timeout_secs": 5, "args": {"z": 1, "a": []}}
          ]
        }
        // nothing more
      },
      "tests": [
        "SMT",
        /* the last one */
        "Off"
      ] // what runs
    }
    // The end.
    "#);
}

#[test]
fn what_does_not_fit_on_a_line_stands_on_several() {
    let items: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let text = format!(r#"{{"constants": {{"short": [1,2], "long": [{}]}}}}"#, items.join(","));
    let lines: Vec<String> = formatted(&text).lines().map(str::to_owned).collect();
    assert_eq!(lines[2], "    \"long\": [");
    assert_eq!(lines[3], "      0,");
    assert_eq!(lines[44], "    \"short\": [1, 2]");
}

#[test]
fn comments_survive_wherever_they_stand() {
    let places = r#"{"a": [1, {"b": 2}, "c"], "tests": [{"args": {}, "id": "x"}], "d": {}}"#;
    for (at, _) in places.char_indices() {
        let (before, after) = places.split_at(at);
        if before.matches('"').count() % 2 == 1 {
            continue;
        }
        for comment in
            ["/* x */", "// x\n", "/* x\n y */", "\n// x\n\n// y\n", " /* x */ // y\n", "\n\n", "\r\n// x\r\n"]
        {
            formatted(&format!("{before}{comment}{after}"));
        }
    }
}

#[test]
fn what_is_no_json5_has_no_format() {
    for text in ["", "{", "[1 2]", "{a}", "{\"a\": }", "\"a", "/*", "1 1", "{\"a\": 1]"] {
        assert_eq!(format(text), None, "{text}");
    }
}

#[test]
fn real_lists_keep_their_values() {
    let Some(corpus) = corpus("real_lists_keep_their_values") else { return };
    let mut open = vec![corpus.join("lists")];
    let mut count = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.to_string_lossy().ends_with(".test_list.json") {
            formatted(&std::fs::read_to_string(&path).expect("a list"));
            count += 1;
        }
    }
    assert!(count > 50, "{count} lists");
}

#[test]
fn files_are_written_or_only_named() {
    let untidy = "{\"tests\":[],\"label\":\"x\"}";
    let files = [("a.test_list.json", untidy), ("b.test_list.json", "{}\n"), ("c.test_list.json", "{")];
    let folder = directory(&files);
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let check = run(folder.path(), &["fmt", "--check", "a.test_list.json", "b.test_list.json"]);
    assert_eq!((check.code, &*check.stdout, &*check.stderr), (1, "a.test_list.json\n", ""));
    assert_eq!(text("a.test_list.json"), untidy);
    let all = run(folder.path(), &["fmt", "."]);
    assert_eq!((all.code, &*all.stdout), (1, ""));
    assert!(all.stderr.contains("json-unclosed"), "{}", all.stderr);
    assert_eq!(text("a.test_list.json"), "{\"label\": \"x\", \"tests\": []}\n");
    assert_eq!(text("c.test_list.json"), "{", "a broken file is left alone");
    assert_eq!(run(folder.path(), &["fmt", "--check", "a.test_list.json"]).code, 0);
    assert_eq!(run(folder.path(), &["fmt", "d.test_list.json"]).code, 2);
}
