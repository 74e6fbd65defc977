//! Every example of the language's reference is run.

use serde_json::Value as Json;
use tlc_compiler::expression::{Context, check_names, parse};
use tlc_compiler::plan::Data;
use tlc_compiler::plan::evaluate::{Binding, ErrorKind, Limits, Scope, evaluate_to_data};
use tlc_compiler::plan::expression::Root;

const PAGE: &str = include_str!("../docs/src/reference/expressions.md");

/// The scope that the page shows.
fn scope() -> Scope {
    let json =
        PAGE.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page shows its scope");
    let data: Data = serde_json::from_str(json).expect("the scope is JSON");
    let part = |name: &str| data.get(name).expect("the scope has this part");
    Scope::new()
        .with(Root::Constants, Binding::attributes(part("constants")))
        .with(Root::Options, Binding::attributes(part("options")))
        .with(Root::Locals, Binding::attributes(part("locals")))
        .with(Root::Device, Binding::device(part("device")))
}

fn answer(text: &str, scope: &Scope) -> String {
    let expression = match parse(text) {
        Ok(expression) => expression,
        Err(error) => return error.kind.name().into(),
    };
    if let Some(finding) = check_names(&expression, Context::Argument).first() {
        return finding.kind.name().into();
    }
    match evaluate_to_data(&expression, scope, &Limits::default()) {
        Ok(data) => data.to_string(),
        Err(error) => error.kind.name().into(),
    }
}

/// The cells of a row; `\|` is a bar.
fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{1}");
    line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

#[test]
fn every_example_of_the_page_has_the_value_that_it_shows() {
    let scope = scope();
    let mut examples = 0;
    let mut in_examples = false;
    let mut wrong = Vec::new();
    for line in PAGE.lines() {
        if !line.starts_with('|') {
            in_examples = false;
            continue;
        }
        let row = cells(line);
        if row[0] == "expression" {
            in_examples = true;
            continue;
        }
        let Some(expression) = row[0].strip_prefix('`').and_then(|text| text.strip_suffix('`')).filter(|_| in_examples)
        else {
            continue;
        };
        examples += 1;
        let shown = row[1].trim_matches('`');
        let got = answer(expression, &scope);
        let same = match (serde_json::from_str::<Json>(shown), serde_json::from_str::<Json>(&got)) {
            (Ok(shown), Ok(got)) => shown == got,
            _ => shown == got,
        };
        if !same {
            wrong.push(format!("{expression}: the page shows {shown}, tlc says {got}"));
        }
    }
    assert!(examples > 100, "only {examples} examples were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The public corpus lies beside the repository, or where `TLC_CORPUS` says; without it there is nothing to compare with.
#[test]
fn the_corpus_has_the_answers_of_the_reference() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let folder = std::env::var("TLC_CORPUS").unwrap_or_else(|_| beside.into());
    let Ok(text) = std::fs::read_to_string(format!("{folder}/expressions.json")) else {
        eprintln!("skipped: there is no corpus at {folder}");
        return;
    };
    let corpus: Json = serde_json::from_str(&text).expect("the corpus is JSON");
    let part = |name: &str| Binding::attributes(&Data::from(&corpus["scope"][name]));
    let scope = Scope::new()
        .with(Root::Constants, part("constants"))
        .with(Root::Options, part("options"))
        .with(Root::Locals, part("locals"));
    let constants_only = Scope::new().with(Root::Constants, part("constants"));
    let mut wrong = Vec::new();
    for case in corpus["cases"].as_array().expect("cases") {
        let text = case["expression"].as_str().expect("a text");
        let result = parse(text).map_err(|error| error.message).and_then(|expression| {
            let plain = evaluate_to_data(&expression, &scope, &Limits::default()).map_err(|error| error.to_string());
            let folded = tlc_compiler::expression::fold(&expression, &constants_only);
            let folded = through_json(&folded);
            let later = evaluate_to_data(&folded, &scope, &Limits::default()).map_err(|error| error.to_string());
            if plain == later { plain } else { Err(format!("folded: {later:?}, not folded: {plain:?}")) }
        });
        let right = match (&result, case["ok"] == true) {
            (Ok(value), true) => {
                value.to_string() == Data::from(&case["value"]).to_string() || *value == Data::from(&case["value"])
            }
            (Err(message), ok) => !ok && !message.starts_with("folded"),
            (Ok(_), false) => false,
        };
        if !right {
            wrong.push(format!("{text}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As a plan keeps it.
fn through_json(expression: &tlc_compiler::plan::expression::Expression) -> tlc_compiler::plan::expression::Expression {
    let json = serde_json::to_string(expression).expect("a tree can be written");
    let read = serde_json::from_str(&json).expect("a tree can be read");
    assert_eq!(*expression, read);
    read
}

#[test]
fn a_character_name_may_begin_with_anything() {
    for text in [r"'\N{-}'", r"'\N{-x}'", r"f'\N{-{a}'", r"'\N{}'", r"'\N{ß}'"] {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains("there is no character named"), "{text}: {}", error.message);
    }
}

#[test]
fn a_text_counts_as_often_as_the_result_holds_it() {
    let evaluate = |text: &str| {
        let expression = parse(text).expect(text);
        evaluate_to_data(&expression, &Scope::new(), &Limits::default()).map_err(|error| error.kind)
    };
    for text in ["('a' * 10**5).split('q') * 10**5", "[{'a' * 10**4: 1}] * 10**5"] {
        assert_eq!(evaluate(text), Err(ErrorKind::Limit), "{text}");
    }
    assert!(evaluate("['a' * 100] * 1000").is_ok());
}
