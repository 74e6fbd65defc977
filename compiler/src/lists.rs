//! How a list is found: a path or an id becomes an id and the layers in which it lies.
//!
//! The layers, from low to high: the directory of the nearest `tlc.json5`, that of the file, the `layers` of `tlc.json5`, then those
//! given on the command line. Nothing is embedded.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::lineage::SUFFIX;
use crate::settings::Settings;
use crate::source::{self, SourceMap};

/// A list that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Where lists lie, the lowest layer first.
    pub layers: Vec<PathBuf>,
    /// What the nearest `tlc.json5` says.
    pub settings: Settings,
}

/// Why there is no such list.
#[derive(Debug)]
pub enum FindError {
    /// A directory cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// Nothing has this path.
    NoFile(PathBuf),
    /// A file whose name is not that of a list.
    NotAList(PathBuf),
    /// No layer has this id.
    NoId {
        /// The id.
        id: String,
        /// Where it was looked for.
        layers: Vec<PathBuf>,
        /// An id that is near.
        meant: Option<String>,
    },
    /// A directory without lists.
    Empty(PathBuf),
}

/// Finds a list by its path or its id.
pub fn find(
    list: &str,
    extra: &[PathBuf],
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Found, FindError> {
    let path = Path::new(list);
    if list.contains('/') || path.extension().is_some_and(|extension| extension == "json") || source::is_file(path) {
        return find_path(path, extra, sources, diagnostics);
    }
    let near = extra.iter().rev().find(|directory| source::is_file(&directory.join(file_name(list))));
    let start = near.map_or(Path::new("."), PathBuf::as_path);
    let settings = Settings::nearest(start, sources, diagnostics);
    let mut layers: Vec<PathBuf> = settings.directory.iter().cloned().collect();
    if layers.is_empty() && extra.is_empty() {
        layers.push(PathBuf::from("."));
    }
    add(&mut layers, settings.layers.iter().chain(extra));
    if layers.iter().any(|layer| source::exists(&layer.join(file_name(list)))) {
        return Ok(Found { id: list.to_owned(), layers, settings });
    }
    let ids: Vec<String> = layers.iter().flat_map(|layer| source::list_names(layer)).map(|name| id_of(&name)).collect();
    let meant = did_you_mean(list, ids.iter().map(String::as_str));
    Err(FindError::NoId { id: list.to_owned(), layers, meant })
}

fn find_path(
    path: &Path,
    extra: &[PathBuf],
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Found, FindError> {
    if !source::exists(path) {
        return Err(FindError::NoFile(path.to_owned()));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(id) = name.strip_suffix(".json").and_then(|name| name.strip_suffix(SUFFIX)).filter(|id| !id.is_empty())
    else {
        return Err(FindError::NotAList(path.to_owned()));
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let settings = Settings::nearest(directory, sources, diagnostics);
    let mut layers = Vec::new();
    let own = directory.to_owned();
    add(&mut layers, settings.directory.iter().chain([&own]).chain(&settings.layers).chain(extra));
    Ok(Found { id: id.to_owned(), layers, settings })
}

/// Adds layers; one that is there already keeps its higher place.
fn add<'a>(layers: &mut Vec<PathBuf>, more: impl Iterator<Item = &'a PathBuf>) {
    for layer in more {
        layers.retain(|known| !source::is_same(known, layer));
        layers.push(layer.clone());
    }
}

/// The paths of all lists in a directory and below it, sorted. A part that cannot be read is an error, for nobody would miss its lists.
pub fn below(directory: &Path) -> Result<Vec<String>, FindError> {
    let source::Below { files, unreadable } = source::files_below(directory, &format!("{SUFFIX}.json"));
    if let Some((directory, error)) = unreadable.into_iter().next() {
        return Err(FindError::Unreadable(directory, error));
    }
    if files.is_empty() {
        return Err(FindError::Empty(directory.to_owned()));
    }
    Ok(files.into_iter().map(|file| file.display().to_string()).collect())
}

fn file_name(id: &str) -> String {
    format!("{id}{SUFFIX}.json")
}

fn id_of(name: &str) -> String {
    name.strip_suffix(SUFFIX).unwrap_or(name).to_owned()
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "the directory `{}` cannot be read: {error}", path.display()),
            Self::NoFile(path) => write!(f, "there is no file `{}`", path.display()),
            Self::NotAList(path) => {
                write!(f, "`{}` is no test list: the name of one ends with `{SUFFIX}.json`", path.display())
            }
            Self::NoId { id, layers, meant } => {
                let places: Vec<_> = layers.iter().map(|layer| format!("`{}`", layer.display())).collect();
                write!(f, "there is no list `{id}` in {}", places.join(", "))?;
                match meant {
                    Some(meant) => write!(f, "; {meant}"),
                    None => f.write_str("; give its path, or add its directory with `--lists DIR`"),
                }
            }
            Self::Empty(directory) => {
                write!(f, "there are no lists (`*{SUFFIX}.json`) in `{}` or below it", directory.display())
            }
        }
    }
}

impl std::error::Error for FindError {}
