//! The command `store`: care of a store.

use std::path::Path;

use super::Exit;
use super::results::named_store;
use crate::cli::{StoreArgs, StoreCommand};
use crate::report::{Progress, Reporter, show_checked, write};
use crate::store::{Reader, Store, StoreError};
use crate::worker::hash;

/// Checks, compacts or copies a store.
pub fn store(arguments: &StoreArgs) -> Exit {
    let Some(path) = named_store(arguments.store.as_deref()) else {
        Reporter::new(Progress::Plain).error("neither XDG_STATE_HOME nor HOME is set: name a store with --store");
        return Exit::Environment;
    };
    let done = match &arguments.what {
        StoreCommand::Check { format } => Reader::open(&path).and_then(|reader| reader.check(hash)).map(|checked| {
            write(&show_checked(&checked, &path, *format));
            if checked.findings.is_empty() { Exit::Passed } else { Exit::Failed }
        }),
        StoreCommand::Vacuum => vacuum(&path),
        StoreCommand::Backup { file } => back_up(&path, file),
    };
    done.unwrap_or_else(|error| {
        Reporter::new(Progress::Plain).error(&error.to_string());
        Exit::Environment
    })
}

fn vacuum(path: &Path) -> Result<Exit, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_path_buf()));
    }
    let (before, after) = Store::open(path)?.vacuum()?;
    write(&format!("{before} bytes before, {after} bytes after\n"));
    Ok(Exit::Passed)
}

fn back_up(path: &Path, file: &Path) -> Result<Exit, StoreError> {
    let size = Reader::open(path)?.back_up(file)?;
    write(&format!("{size} bytes written to `{}`; the logs of the tests are not part of it\n", file.display()));
    Ok(Exit::Passed)
}
