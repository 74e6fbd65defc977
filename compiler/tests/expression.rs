//! Expressions from text to value: mistakes and their places, names, device data, folding, limits.

use tlc_compiler::expression::{Context, SyntaxError, SyntaxErrorKind, check_names, fold, parse};
use tlc_plan::Data;
use tlc_plan::evaluate::{Binding, Limits, Scope, evaluate_condition, evaluate_to_data};
use tlc_plan::expression::{Expression, Root};

fn data(json: &str) -> Data {
    serde_json::from_str(json).expect("JSON")
}

fn read(text: &str) -> Expression {
    parse(text).unwrap_or_else(|error| panic!("{text}: {}", error.message))
}

fn mistake(text: &str) -> SyntaxError {
    parse(text).expect_err(text)
}

const DEVICE: &str = r#"{"component": {"has_x": true, "has_y": false, "n": 0, "s": "", "name": "abc", "d": {"k": 1}, "l": [1, 2],
  "null": null}, "factory": {"end_SMT": true}, "hwid": "H"}"#;

fn arguments() -> Scope {
    Scope::new()
        .with(
            Root::Constants,
            Binding::attributes(&data(r#"{"n": 5, "b": true, "l": [{"k": 7}], "x": {"y": 8, "items": 1}}"#)),
        )
        .with(Root::Device, Binding::device(&data(DEVICE)))
        .with(Root::Dut, Binding::Unresolvable)
}

fn value(text: &str, scope: &Scope) -> String {
    match evaluate_to_data(&read(text), scope, &Limits::default()) {
        Ok(data) => data.to_string(),
        Err(error) => error.kind.name().into(),
    }
}

#[test]
fn a_mistake_has_a_kind_and_a_place() {
    use SyntaxErrorKind::{Limit, Refused, Syntax};
    for (text, kind, start, end) in [
        ("", Syntax, 0, 0),
        (" 1", Syntax, 0, 1),
        ("(1", Syntax, 0, 1),
        ("1)", Syntax, 1, 2),
        ("(1]", Syntax, 2, 3),
        ("'a", Syntax, 0, 1),
        ("x = 1", Syntax, 2, 3),
        ("a b", Syntax, 2, 3),
        ("1 +", Syntax, 3, 3),
        ("'é' + $", Syntax, 6, 7),
        ("1\n2", Syntax, 2, 3),
        ("07", Syntax, 0, 2),
        ("1 + not x", Syntax, 4, 7),
        ("[*a or b]", Syntax, 4, 6),
        ("f(a=1, a=2)", Syntax, 7, 10),
        ("f(a=1, 2)", Syntax, 7, 8),
        ("'é' + '\\x1'", Syntax, 7, 10),
        ("f'{}'", Syntax, 2, 3),
        ("f'{a'", Syntax, 2, 3),
        ("f'}'", Syntax, 2, 3),
        ("[x for x.y in z]", Refused, 7, 10),
        ("1 + (lambda: 1)", Refused, 5, 14),
        ("[1, y := 2]", Refused, 6, 10),
        ("sum(x for x in y)", Refused, 6, 16),
        ("a.b.__class__", Refused, 4, 13),
    ] {
        let error = mistake(text);
        assert_eq!((error.kind, error.start, error.end), (kind, start, end), "{text}: {}", error.message);
    }
    assert_eq!(mistake(&"(".repeat(5000)).kind, Limit);
}

#[test]
fn blanks_and_lines_are_as_in_python() {
    for text in ["\n1", "1 ", "1\n", "1 # hi", "# hi\n1", "(1 +\n 0)", "1 + \\\n 0", "\n\n1\n\n# end"] {
        assert_eq!(value(text, &Scope::new()), "1", "{text:?}");
    }
}

#[test]
fn names_are_checked_for_their_context() {
    use SyntaxErrorKind::{LocalsInRunIf, RefusedName, RootNotAllowed, UnknownName};
    for (text, context, expected) in [
        (
            "constants.a + options.b + dut.c + station.d + state_proxy.e + locals.f + device.g + len(x.y)",
            Context::Argument,
            Some(UnknownName),
        ),
        ("constants.a and device.b and len('x')", Context::RunIf, None),
        ("options.a", Context::RunIf, Some(RootNotAllowed)),
        ("locals.a", Context::RunIf, Some(LocalsInRunIf)),
        ("options.a", Context::Options, Some(RootNotAllowed)),
        ("dut.a", Context::Locals, None),
        ("open('x')", Context::Argument, Some(RefusedName)),
        ("([x for x in [1]], x)", Context::Argument, Some(UnknownName)),
        ("[c for a in constants.l for d in c for c in a]", Context::Argument, Some(UnknownName)),
        ("[(x, y) for x, *y in [[1]] if x]", Context::Argument, None),
        ("f'{nope}'", Context::Argument, Some(UnknownName)),
        ("dict(nope=1)", Context::Argument, None),
    ] {
        let found: Vec<_> = check_names(&read(text), context).into_iter().map(|finding| finding.kind).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }
    let finding = &check_names(&read("'é' + nope"), Context::Argument)[0];
    assert_eq!((finding.start, finding.end), (6, 10));
}

#[test]
fn device_data_is_null_where_it_is_missing() {
    for (text, expected) in [
        ("device.component.has_x", "true"),
        ("device.component.nope", "null"),
        ("device.nope.a.b", "null"),
        ("device.component.d", r#"{"k":1}"#),
        ("device.component['has_x']", "true"),
        ("device.component['nope']", "KeyError"),
        ("device.component.l[0]", "1"),
        ("'has_x' in device.component", "true"),
        ("'x' in device.nope", "TypeError"),
        ("device['component'].name", "\"abc\""),
        ("device['component.name']", "\"abc\""),
        ("device['nope']", "null"),
        ("device.component['d'].k", "1"),
        ("device.component['nope'].k", "null"),
        ("device.component.name.upper()", "TypeError"),
        ("device.component.name.Get()", "\"abc\""),
        ("device.component.name.Get().upper()", "\"ABC\""),
        ("device.component.nope.Get()", "KeyError"),
        ("device.component.nope.Get(7)", "7"),
        ("[v for v in [device.component.name, device.component.nope]]", "[\"abc\",null]"),
        ("any([v.name.Get() for v in [device.component]])", "AttributeError"),
        ("device.component.nope + 1", "TypeError"),
        ("device.component.has_x.Get", "NotPlain"),
    ] {
        assert_eq!(value(text, &arguments()), expected, "{text}");
    }
}

#[test]
fn constants_are_attribute_dictionaries() {
    for (text, expected) in [
        ("constants.l[0].k", "7"),
        ("constants['x']['y']", "8"),
        ("constants.get('nope', 'dflt')", "\"dflt\""),
        ("constants.nope", "AttributeError"),
        ("constants.x.items", "1"),
        ("constants.x.items()", "TypeError"),
        ("sorted(constants.x)", "[\"items\",\"y\"]"),
        ("dict(constants.x, z=1)", r#"{"y":8,"items":1,"z":1}"#),
        ("dict(a=1).a", "AttributeError"),
        ("constants.b or dut.x", "true"),
        ("dut.x if constants.b else 1", "Unresolvable"),
        ("dut", "Unresolvable"),
        ("[x for x in dut]", "Unresolvable"),
        ("options.x", "NameError"),
    ] {
        assert_eq!(value(text, &arguments()), expected, "{text}");
    }
}

#[test]
fn a_condition_that_fails_holds() {
    let scope = Scope::new()
        .with(Root::Constants, Binding::device(&data(r#"{"d": {"k": 1}, "z": 0}"#)))
        .with(Root::Device, Binding::device(&data(DEVICE)));
    for (text, holds, fails) in [
        ("device.component.has_x", true, false),
        ("device.component.has_y", false, false),
        ("not device.component.nope", true, false),
        ("constants.nope == None", true, false),
        ("constants.nope > 3", true, true),
        ("constants.z", false, false),
        ("constants.d['k']", true, false),
        ("bool(device['nope'])", false, false),
        ("locals.x", true, true),
        ("1/0", true, true),
        ("{1}", true, false),
    ] {
        let condition = evaluate_condition(&read(text), &scope, &Limits::default());
        assert_eq!((condition.holds, condition.error.is_some()), (holds, fails), "{text}");
    }
}

#[test]
fn folding_keeps_what_is_not_known() {
    let known =
        Scope::new().with(Root::Constants, Binding::attributes(&data(r#"{"n": 5, "no": false, "d": {"k": 1}}"#)));
    for (text, same_as) in [
        ("constants.n * 2 + 1", "11"),
        ("constants.n or device.x", "5"),
        ("constants.no or device.x", "device.x"),
        ("device.x or constants.n or device.y", "device.x or 5"),
        ("device.x or 1/0", "device.x or 1/0"),
        ("device.a if constants.n > 3 else device.b", "device.a"),
        ("[constants.n + x for x in device.l]", "[5 + x for x in device.l]"),
        ("[x + constants.n for x in [1, 2]]", "[x + constants.n for x in [1, 2]]"),
        ("device.x + (constants.n + 1)", "device.x + 6"),
        ("'%s' % constants.n + device.x + constants.n", "'5' + device.x + 5"),
    ] {
        let folded = fold(&read(text), &known);
        let expected = read(same_as);
        let plain = serde_json::to_string(&folded).expect("JSON");
        if text.starts_with("[x +") {
            assert!(folded.as_literal().is_some(), "{text}");
        } else {
            assert_eq!(folded.roots(), expected.roots(), "{text}: {plain}");
            assert_eq!(folded.nodes().count(), expected.nodes().count(), "{text}: {plain}");
        }
    }
}

#[test]
fn nothing_overflows_the_stack() {
    let deep = [
        ("(", "1", ")", 5000),
        ("(", "1", ")", 50),
        ("[", "", "]", 50),
        ("{1:", "1", "}", 50),
        ("len(", "1", ")", 50),
        ("(1+(", "1", "))", 25),
        ("-", "1", "", 30_000),
        ("not ", "True", "", 140),
        ("", "1", "+1", 30_000),
        ("", "x", ".a", 20_000),
        ("", "x", "[0]", 20_000),
        ("", "constants", "[0]", 140),
        ("1 if 1 else ", "1", "", 140),
        ("2**", "1", "", 20_000),
        ("1 if 1 else ", "1", "", 5000),
        ("[x for x in ", "[1]", "]", 49),
    ];
    for (prefix, middle, suffix, count) in deep {
        let text = format!("{}{middle}{}", prefix.repeat(count), suffix.repeat(count));
        if let Ok(expression) = parse(&text) {
            let folded = fold(&expression, &arguments());
            let _ = evaluate_to_data(&folded, &arguments(), &Limits::default());
            let _ = evaluate_to_data(&expression, &arguments(), &Limits::default());
        }
    }
    let clauses = format!("[1 {}]", "for x in [1] ".repeat(3000));
    assert_eq!(mistake(&clauses).kind, SyntaxErrorKind::Limit);
}

#[test]
fn a_tree_in_a_plan_is_checked() {
    let good = r#"{"nodes":[{"int":1},{"int":2},{"binary":{"operator":"add","left":0,"right":1}}],"lists":[],"names":[],"literals":[],"slots":0}"#;
    let read: Expression = serde_json::from_str(good).expect("a tree");
    assert_eq!(evaluate_to_data(&read, &Scope::new(), &Limits::default()), Ok(Data::Int(3)));
    for (from, to) in [
        ("\"right\":1", "\"right\":0"),
        ("\"right\":1", "\"right\":2"),
        ("\"right\":1", "\"right\":9"),
        ("{\"int\":1}", "{\"literal\":0}"),
        ("{\"int\":1}", "{\"unknown\":0}"),
        ("{\"int\":1}", "{\"list\":4}"),
        ("{\"int\":1}", "{\"variable\":{\"slot\":0,\"name\":0}}"),
    ] {
        assert!(serde_json::from_str::<Expression>(&good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
    let stray = good.replacen("{\"int\":1}", "{\"starred\":0}", 1).replacen(
        "[{\"starred\":0}",
        "[{\"int\":5},{\"starred\":0}",
        1,
    );
    let stray = stray.replace("\"left\":0,\"right\":1", "\"left\":1,\"right\":2");
    let malformed: Expression = serde_json::from_str(&stray).expect("a tree with a node where it cannot be");
    assert!(evaluate_to_data(&malformed, &Scope::new(), &Limits::default()).is_err());
}

#[test]
fn what_an_expression_reads_is_known() {
    let read = read("constants.a.b[0].c + device.x.Get(1) + len(locals['y']) + f'{constants.z}'");
    let found: Vec<_> = read
        .accesses()
        .into_iter()
        .map(|access| {
            format!(
                "{}:{}:{}:{}",
                access.root.name(),
                access.names.join("."),
                access.method.as_deref().unwrap_or(""),
                access.place.start
            )
        })
        .collect();
    assert_eq!(found, ["constants:a.b::0", "device:x:Get:21", "locals:::43", "constants:z::61"]);
    assert_eq!(read.roots(), [Root::Constants, Root::Locals, Root::Device]);
}
