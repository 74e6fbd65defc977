//! The command `results`, and where the store is.

use std::path::{Path, PathBuf};

use super::{Exit, RunOptions, Trouble};
use crate::cli::{Results, ResultsArgs};
use crate::report::{Output, Progress, Reporter, show_history, show_list, show_run, try_write};
use crate::station::default_store;
use crate::store::Reader;

/// Shows results of earlier runs.
pub fn results(arguments: &ResultsArgs) -> Exit {
    let output = Output::new();
    let (Results::List { source, .. }
    | Results::Last { source }
    | Results::Show { source, .. }
    | Results::Test { source, .. }) = &arguments.what;
    let Some(path) = named_store(source.store.as_deref()) else {
        Reporter::new(Progress::Plain).error("neither XDG_STATE_HOME nor HOME is set: name a store with --store");
        return Exit::Environment;
    };
    let shown = Reader::open(&path).map_err(Into::into).and_then(|reader| match &arguments.what {
        Results::List { limit, .. } => show_list(&reader, &output, source.format, *limit),
        Results::Last { .. } => show_run(&reader, &output, source.format, None),
        Results::Show { run, .. } => show_run(&reader, &output, source.format, Some(run)),
        Results::Test { path, limit, .. } => show_history(&reader, &output, source.format, path, *limit),
    });
    match shown {
        Ok(text) => match try_write(&text) {
            Ok(()) => Exit::Passed,
            Err(error) => {
                Reporter::new(Progress::Plain).error(&format!("the results cannot be written to stdout: {error}"));
                Exit::Environment
            }
        },
        Err(error) => {
            Reporter::new(Progress::Plain).error(&error.to_string());
            if error.is_usage() { Exit::Usage } else { Exit::Environment }
        }
    }
}

pub(super) fn store_path(options: &RunOptions) -> Result<PathBuf, Trouble> {
    named_store(options.store.as_deref())
        .ok_or_else(|| Trouble::Environment("neither XDG_STATE_HOME nor HOME is set: name a store with --store".into()))
}

pub(super) fn named_store(name: Option<&Path>) -> Option<PathBuf> {
    match name {
        Some(path) => std::path::absolute(path).ok(),
        None => default_store(),
    }
}
