//! Real catalogues are read as `polib` reads them.
//!
//! They are not part of this repository: they are looked for in `$TLC_CORPUS`, or in `shared/corpus` beside the working copy.

use std::path::{Path, PathBuf};

use tlc_compiler::catalogue::Catalogues;
use tlc_compiler::source::SourceMap;

fn catalogues() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut beside = above.map(|directory| directory.join("shared/corpus"));
    let corpus = std::env::var_os("TLC_CORPUS").map(PathBuf::from).or_else(|| beside.find(|corpus| corpus.is_dir()));
    let found = corpus.map(|corpus| corpus.join("po")).filter(|directory| directory.is_dir());
    if found.is_none() {
        eprintln!("skipped: the catalogues were not found; say where with TLC_CORPUS");
    }
    found
}

#[test]
fn real_catalogues() {
    let Some(directory) = catalogues() else { return };
    let (ours, diagnostics) = Catalogues::load(&mut SourceMap::default(), &directory);
    assert_eq!(diagnostics, []);
    assert!(ours.locales().len() > 1);
    for locale in &ours.locales()[1..] {
        let theirs = polib::po_file::parse(&directory.join(format!("{locale}.po"))).expect("a catalogue");
        let mut count = 0;
        for message in theirs.messages() {
            let counts = message.is_singular() && message.is_translated() && !message.is_fuzzy();
            let expected = counts.then(|| message.msgstr().expect("singular"));
            assert_eq!(ours.lookup(locale, message.msgid()), expected, "{locale}: {}", message.msgid());
            count += usize::from(counts);
        }
        eprintln!("{locale}: {count} texts");
        assert!(count > 100);
    }
}
