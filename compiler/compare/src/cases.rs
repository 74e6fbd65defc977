//! The expressions, what they read, and how other engines spell them.

use serde_json::{Value, json};

/// Expressions and what they read.
pub struct Cases {
    /// `constants`, `options`, `locals` and `device`.
    pub scope: Value,
    /// In tlc's spelling, which is Python's.
    pub expressions: Vec<String>,
}

/// An expression that an engine spells in its own way; `None` where it has no way.
type Spelling = (&'static str, Option<&'static str>);

const HEAVY: [&str; 8] = [
    "[n * 2 + 1 for n in constants.numbers]",
    "[n for n in constants.numbers if n % 3 == 0]",
    "{w: len(w) for w in constants.words}",
    "sorted(constants.words)",
    "[str(n) + ' mV' for n in constants.numbers]",
    "', '.join(['%s=%d' % (w, len(w)) for w in constants.words])",
    "[f'{n:>8.3f}' for n in constants.numbers]",
    "constants.text.upper().split(' ')",
];

/// `or` gives a truth value there, conditions are truth values, and numbers do not mix.
pub const CEL: &[Spelling] = &[
    (
        "'Locked' if constants.grt.cbi_eeprom_wp_status != 'Absent' and options.phase == 'PVT' else constants.grt.cbi_eeprom_wp_status",
        Some(
            "constants.grt.cbi_eeprom_wp_status != 'Absent' && options.phase == 'PVT' ? 'Locked' : constants.grt.cbi_eeprom_wp_status",
        ),
    ),
    ("'rf_%s_config.json' % locals.type", Some("'rf_' + locals.type + '_config.json'")),
    (
        "'shopfloor' if constants.enable_factory_server else 'none'",
        Some("constants.enable_factory_server != '' ? 'shopfloor' : 'none'"),
    ),
    ("['stable'] if options.phase == 'PVT' else None", Some("options.phase == 'PVT' ? ['stable'] : null")),
    (
        "constants.grt.force_write_protect or options.phase == 'PVT'",
        Some("constants.grt.force_write_protect != '' ? constants.grt.force_write_protect : options.phase == 'PVT'"),
    ),
    (
        "constants.use_prepvt_cr50_firmware and '/opt/google/cr50/firmware/cr50.bin.prepvt' or None",
        Some("constants.use_prepvt_cr50_firmware != '' ? '/opt/google/cr50/firmware/cr50.bin.prepvt' : null"),
    ),
    (
        "device.component.audio_card_name or constants.audio.card_name",
        Some("device.component.audio_card_name != '' ? device.component.audio_card_name : constants.audio.card_name"),
    ),
    (
        "device.component.has_numeric_pad or False",
        Some("device.component.has_numeric_pad != '' ? device.component.has_numeric_pad : false"),
    ),
    ("int(locals.voltage * 1000 * 0.9)", Some("int(locals.voltage * 1000.0 * 0.9)")),
    ("int(locals.voltage * 1000 * 1.1)", Some("int(locals.voltage * 1000.0 * 1.1)")),
    (HEAVY[0], Some("constants.numbers.map(n, n * 2 + 1)")),
    (HEAVY[1], Some("constants.numbers.filter(n, n % 3 == 0)")),
    (HEAVY[2], None),
    (HEAVY[3], None),
    (HEAVY[4], Some("constants.numbers.map(n, string(n) + ' mV')")),
    (HEAVY[5], None),
    (HEAVY[6], None),
    (HEAVY[7], None),
];

/// No comprehensions, and filters in the place of functions.
pub const MINIJINJA: &[Spelling] = &[
    ("'rf_%s_config.json' % locals.type", Some("'rf_' ~ locals.type ~ '_config.json'")),
    ("int(locals.voltage * 1000 * 0.9)", Some("(locals.voltage * 1000 * 0.9)|int")),
    ("int(locals.voltage * 1000 * 1.1)", Some("(locals.voltage * 1000 * 1.1)|int")),
    (HEAVY[0], None),
    (HEAVY[1], Some("constants.numbers|select('divisibleby', 3)|list")),
    (HEAVY[2], None),
    (HEAVY[3], Some("constants.words|sort(case_sensitive=true)")),
    (HEAVY[4], None),
    (HEAVY[5], None),
    (HEAVY[6], None),
    (HEAVY[7], Some("constants.text|upper|split(' ')|list")),
];

/// The same language, but for formatting with widths.
pub const STARLARK: &[Spelling] = &[(HEAVY[6], None)];

/// How an engine spells an expression, if it can.
pub fn spell<'a>(spellings: &'a [Spelling], expression: &'a str) -> Option<&'a str> {
    match spellings.iter().find(|(ours, _)| *ours == expression) {
        Some((_, theirs)) => *theirs,
        None => Some(expression),
    }
}

impl Cases {
    /// The distinct expressions of lists in the shape of real ones.
    pub fn real() -> Self {
        let mut scope: Value = serde_json::from_str(include_str!("../../benches/expressions.json")).expect("JSON");
        let expressions = scope.as_object_mut().and_then(|members| members.shift_remove("expressions"));
        let expressions = expressions.and_then(|list| serde_json::from_value(list).ok()).expect("a list of texts");
        Self { scope, expressions }
    }

    /// A thousand items each.
    pub fn heavy() -> Self {
        let word = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24);
        let words: Vec<String> = (1..=1000).map(word).collect();
        let numbers: Vec<u32> = (0..1000).map(|n| n * 37 % 5000).collect();
        let constants = json!({ "numbers": numbers, "words": words, "text": words.join(" ") });
        let scope = json!({ "constants": constants, "options": {}, "locals": {}, "device": {} });
        Self { scope, expressions: HEAVY.iter().map(|text| (*text).to_owned()).collect() }
    }
}
