//! Names to files in C3 order: the list itself first, the file that all others override last.
//!
//! A list `x` is the name `x.test_list`, whose files are `x.test_list.json` in each layer. The `inherit` of a name is that of its
//! highest layer which has one. This stage knows `inherit` and no other field.

mod c3;

use hashbrown::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity, Suggestions, unreadable};
use crate::document::{Arena, Document, Earlier, NodeId, Value, read};
use crate::merge::{NoTrace, merge};
use crate::source::{FileId, ReadError, SourceMap, Span, list_names};
use crate::words;

/// What the name of a list ends with.
pub const SUFFIX: &str = ".test_list";

/// The files of a list, strongest name first.
#[derive(Debug)]
pub struct Lineage {
    /// The names in C3 order.
    pub order: Vec<Ancestor>,
}

/// A name of a lineage.
#[derive(Debug)]
pub struct Ancestor {
    /// The name, for example `main.test_list`.
    pub name: String,
    /// Its files, the lowest layer first.
    pub layers: Vec<Layer>,
    /// What it inherits, and where that is written.
    pub parents: Vec<(String, Span)>,
}

/// A file of a name.
#[derive(Debug)]
pub struct Layer {
    /// The file.
    pub file: FileId,
    /// Its object.
    pub root: NodeId,
    /// The rest of what was read.
    pub document: Document,
    /// Parts of it could not be read.
    pub is_broken: bool,
}

/// Loads a list and everything that it inherits, and orders it.
///
/// If that is not possible, the diagnostics say why, and what could be read comes back as it is. Files that are as they were `earlier` are
/// not read again.
pub fn linearize(
    name: &str,
    directories: &[PathBuf],
    earlier: Option<Earlier<'_>>,
    sources: &mut SourceMap,
    arena: &mut Arena,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Lineage, Vec<Ancestor>> {
    let before = errors(diagnostics);
    let mut loader = Loader {
        directories,
        earlier,
        sources,
        arena,
        diagnostics,
        loaded: Vec::new(),
        index: HashMap::new(),
        known: None,
        suggestions: Suggestions::default(),
    };
    loader.load_all(name);
    let Loader { mut loaded, index, .. } = loader;
    if errors(diagnostics) > before {
        return Err(loaded);
    }
    let parents: Vec<Vec<usize>> =
        loaded.iter().map(|ancestor| distinct(ancestor.parents.iter().map(|(parent, _)| index[parent]))).collect();
    match c3::linearize(0, &parents) {
        Ok(order) => {
            let mut taken: Vec<Option<Ancestor>> = loaded.drain(..).map(Some).collect();
            Ok(Lineage { order: order.into_iter().filter_map(|at| taken[at].take()).collect() })
        }
        Err(problem) => {
            diagnostics.push(explain(&problem, &loaded));
            Err(loaded)
        }
    }
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

/// The same name twice counts at its first position.
fn distinct(names: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = hashbrown::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

struct Loader<'a, 'e> {
    directories: &'a [PathBuf],
    earlier: Option<Earlier<'e>>,
    sources: &'a mut SourceMap,
    arena: &'a mut Arena,
    diagnostics: &'a mut Vec<Diagnostic>,
    loaded: Vec<Ancestor>,
    index: HashMap<String, usize>,
    /// The names of all lists, read when one is not found.
    known: Option<Vec<String>>,
    suggestions: Suggestions,
}

impl Loader<'_, '_> {
    fn load_all(&mut self, name: &str) {
        let mut open = vec![(name.to_owned(), None)];
        while let Some((name, inherited_at)) = open.pop() {
            if self.index.contains_key(&name) {
                continue;
            }
            let Some(ancestor) = self.load(&name, inherited_at) else { continue };
            open.extend(ancestor.parents.iter().rev().map(|(parent, span)| (parent.clone(), Some(*span))));
            self.index.insert(name, self.loaded.len());
            self.loaded.push(ancestor);
        }
    }

    fn load(&mut self, name: &str, inherited_at: Option<Span>) -> Option<Ancestor> {
        if leaves_its_directory(name) {
            self.diagnostics.push(path_in_name(name, inherited_at));
            return None;
        }
        let mut layers = Vec::new();
        let mut found = false;
        for directory in self.directories {
            let path = file_in(directory, name);
            match self.sources.read(&path) {
                Ok(file) => {
                    found = true;
                    layers.extend(self.document(file));
                }
                Err(ReadError::NotFound) => {}
                Err(error) => {
                    found = true;
                    self.diagnostics.push(unreadable(&path, &error, inherited_at));
                }
            }
        }
        if !found {
            let finding = self.not_found(name, inherited_at);
            self.diagnostics.push(finding);
        }
        if layers.is_empty() {
            return None;
        }
        let parents = self.parents(&layers)?;
        Some(Ancestor { name: name.to_owned(), layers, parents })
    }

    /// A file that holds `null` counts as empty: an error, unless another layer has the name.
    fn document(&mut self, file: FileId) -> Option<Layer> {
        let again = self.earlier.as_mut().and_then(|earlier| earlier.again(self.sources, file, self.arena));
        let (document, found) =
            again.map_or_else(|| read(self.sources, file, self.arena), |document| (document, Vec::new()));
        let is_broken = !found.is_empty();
        self.diagnostics.extend(found);
        let root = document.root?;
        let entry = self.arena.entry(root);
        if entry.is_object() {
            return Some(Layer { file, root, document, is_broken });
        }
        if !is_broken {
            self.diagnostics.push(not_an_object(entry.type_name(), entry.span()));
        }
        None
    }

    fn parents(&mut self, layers: &[Layer]) -> Option<Vec<(String, Span)>> {
        let roots: Vec<NodeId> = layers.iter().map(|layer| layer.root).collect();
        let (merged, _) = merge(self.arena, &roots, &mut NoTrace);
        let Some(inherit) = self.arena.entry(merged).get(words::INHERIT) else { return Some(Vec::new()) };
        match inherit.value() {
            Value::String(_) => Some(vec![(inherit.as_str()?.to_owned(), inherit.span())]),
            Value::List => {
                let named =
                    inherit.items().map(|item| item.as_str().map(|name| (name.to_owned(), item.span())).ok_or(item));
                let parents: Result<Vec<_>, _> = named.collect();
                match parents {
                    Ok(parents) => Some(parents),
                    Err(item) => {
                        let finding = parent_is_no_name(item.type_name(), item.span());
                        self.diagnostics.push(finding);
                        None
                    }
                }
            }
            _ => {
                let finding = inherit_is_ignored(inherit.type_name(), inherit.span());
                self.diagnostics.push(finding);
                Some(Vec::new())
            }
        }
    }

    fn not_found(&mut self, name: &str, inherited_at: Option<Span>) -> Diagnostic {
        let names = || self.directories.iter().flat_map(|directory| list_names(directory)).collect();
        let known: &Vec<String> = self.known.get_or_insert_with(names);
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let suffixed = format!("{name}{SUFFIX}");
        let without_extension = name.strip_suffix(".json").filter(|name| is_known(name));
        let help = match without_extension {
            Some(name) => format!("a list is inherited by its name: write `{name}`"),
            None if is_known(&suffixed) => format!("the name of a list ends with `{SUFFIX}`: write `{suffixed}`"),
            None => meant(name, known, &mut self.suggestions)
                .map_or_else(|| looked_for(name, self.directories), |meant| format!("did you mean `{meant}`?")),
        };
        let finding = match inherited_at {
            Some(span) => {
                Diagnostic::error("unknown-parent", format!("there is no list `{name}`"), span, "inherited here")
            }
            None => Diagnostic::new("unreadable-file", Severity::Error, format!("there is no list `{name}`")),
        };
        finding.help(help)
    }
}

/// The list that was probably meant.
fn meant(name: &str, known: &[String], suggestions: &mut Suggestions) -> Option<String> {
    // What every name ends with says nothing about which is meant.
    let ids = known.iter().filter_map(|known| known.strip_suffix(SUFFIX));
    match name.strip_suffix(SUFFIX) {
        Some(id) => suggestions.nearest(id, ids).map(|id| format!("{id}{SUFFIX}")),
        None => suggestions.nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
    }
}

fn looked_for(name: &str, directories: &[PathBuf]) -> String {
    let places: Vec<_> = directories.iter().map(|directory| format!("`{}`", directory.display())).collect();
    format!("`{name}.json` was looked for in {}", places.join(", "))
}

/// The file of a name in a layer. That of the current directory is named without it.
pub(crate) fn file_in(directory: &Path, name: &str) -> PathBuf {
    let file = format!("{name}.json");
    if directory == Path::new(".") { PathBuf::from(file) } else { directory.join(file) }
}

fn leaves_its_directory(name: &str) -> bool {
    name.contains('/') || name.contains('\\') || name.contains('\0')
}

fn path_in_name(name: &str, inherited_at: Option<Span>) -> Diagnostic {
    let message = format!("`{name}` is a path; a list is inherited by its name");
    let finding = match inherited_at {
        Some(span) => Diagnostic::error("parent-path", message, span, "a path"),
        None => Diagnostic::new("parent-path", Severity::Error, message),
    };
    finding.help("add the directory as a layer (`layers` in `tlc.json5`, or `--lists DIR`) and write the name alone")
}

fn not_an_object(found: &str, span: Span) -> Diagnostic {
    Diagnostic::error("list-type", format!("a test list is an object, found {found}"), span, "not an object")
        .help("begin the file with `{` and end it with `}`")
}

fn parent_is_no_name(found: &str, span: Span) -> Diagnostic {
    Diagnostic::error("inherit-type", format!("`inherit` holds names of lists, found {found}"), span, "not a name")
        .help("write each parent as a string, for example `\"base.test_list\"`")
}

fn inherit_is_ignored(found: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        "inherit-ignored",
        format!("`inherit` is ignored: it is {found}"),
        span,
        "the list inherits nothing",
    )
    .help("write an array of names, or remove it")
}

fn explain(problem: &c3::Problem, loaded: &[Ancestor]) -> Diagnostic {
    let place = |from: usize, to: usize| {
        let name = &loaded[to].name;
        loaded[from].parents.iter().find(|(parent, _)| parent == name).map_or(Span::default(), |(_, span)| *span)
    };
    match problem {
        c3::Problem::Cycle(names) => {
            // A circle has no beginning; told from the same place, it is the same finding for every list in it.
            let mut names = names.clone();
            let first = (0..names.len()).min_by_key(|&at| &loaded[names[at]].name).unwrap_or(0);
            names.rotate_left(first);
            let walk: Vec<_> = names.iter().chain(names.first()).map(|at| format!("`{}`", loaded[*at].name)).collect();
            let steps: Vec<(usize, usize)> =
                names.iter().copied().zip(names.iter().copied().cycle().skip(1)).take(names.len()).collect();
            let (from, to) = steps[steps.len() - 1];
            let message = format!("`{}` inherits itself: {}", loaded[names[0]].name, walk.join(" → "));
            let mut finding = Diagnostic::error("inherit-cycle", message, place(from, to), "closes the circle");
            for (from, to) in &steps[..steps.len() - 1] {
                finding = finding.label(place(*from, *to), "inherited here");
            }
            finding.help("remove one of these entries")
        }
        c3::Problem::Order { child, first, second, first_from, second_from } => {
            let (child, first_name, second_name) = (&loaded[*child], &loaded[*first].name, &loaded[*second].name);
            let message = format!(
                "`{}` cannot be ordered: `{first_name}` and `{second_name}` are each to come before the other",
                child.name
            );
            let mut finding = Diagnostic::new("inherit-order", Severity::Error, message);
            for (source, one, other) in [(*first_from, *first, *second), (*second_from, *second, *first)] {
                let text = format!("`{}` before `{}`", loaded[one].name, loaded[other].name);
                finding = finding.label(wanted_at(loaded, child, source, one, other), text);
            }
            finding.help(format!("in `{}`, name a list before the lists that it inherits", child.name))
        }
    }
}

/// Where it is written that `first` comes before `second`.
fn wanted_at(loaded: &[Ancestor], child: &Ancestor, source: c3::Source, first: usize, second: usize) -> Span {
    let names = (&loaded[first].name, &loaded[second].name);
    let entry = |ancestor: &Ancestor, name: &str| {
        ancestor.parents.iter().find(|(parent, _)| parent == name).map(|(_, span)| *span)
    };
    match source {
        c3::Source::Own => entry(child, names.0),
        c3::Source::Parent(parent) => {
            let direct = entry(&loaded[first], names.1);
            let both = loaded
                .iter()
                .filter(|ancestor| entry(ancestor, names.1).is_some())
                .find_map(|ancestor| entry(ancestor, names.0));
            direct.or(both).or_else(|| entry(child, &loaded[parent].name))
        }
    }
    .unwrap_or_default()
}
