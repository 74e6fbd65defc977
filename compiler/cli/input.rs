//! What every command that takes a list has in common: the list, its layers, its catalogues, device data.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tlc_compiler::diagnostic::{Diagnostic, Severity};
use tlc_compiler::lists::{self, FindError, Found};
use tlc_compiler::plan::Data;
use tlc_compiler::source::{self, SourceMap};
use tlc_compiler::{Compilation, Request, compile_after};

use crate::levels::{LevelArgs, levels};
use crate::report::{Report, Stream, complain};
use crate::{ENVIRONMENT, FAILED, USAGE};

/// With what lists are compiled.
#[derive(Args, Clone, Debug)]
pub struct WithArgs {
    /// A directory of lists, above that of LIST; may be given several times, a later one lies above
    #[arg(long, value_name = "DIR")]
    pub lists: Vec<PathBuf>,
    /// A directory of catalogues, `LOCALE.po`
    #[arg(long, value_name = "DIR")]
    pub po: Option<PathBuf>,
    /// No plan is wanted; a command that needs none sets it.
    #[arg(skip)]
    pub only_findings: bool,
    /// Where Python tests lie, over what `tlc.json5` says; a command that has the argument sets it.
    #[arg(skip)]
    pub tests: Option<PathBuf>,
    /// Device data, a JSON file: what `device` is in expressions
    #[arg(long, value_name = "FILE")]
    pub device_data: Option<PathBuf>,
    #[command(flatten)]
    pub levels: LevelArgs,
}

/// A list, and with what it is compiled.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// The list: a path to a `*.test_list.json`, or an id
    #[arg(value_name = "LIST")]
    pub list: String,
    #[command(flatten)]
    pub with: WithArgs,
}

/// A list that was compiled, with the settings beside it.
pub struct Compiled {
    pub compilation: Compilation,
    pub found: Found,
    /// What is wrong with `tlc.json5`, and where.
    pub settings: (Vec<Diagnostic>, SourceMap),
}

impl WithArgs {
    /// The device data, if a file is named.
    pub fn device(&self) -> Result<Option<Data>, ExitCode> {
        let Some(path) = &self.device_data else { return Ok(None) };
        let data = source::read_json(path).map_err(|message| {
            complain(format_args!("the device data `{}` cannot be read: {message}", path.display()));
            ExitCode::from(USAGE)
        })?;
        if data.as_object().is_none() {
            complain(format_args!("the device data `{}` are {}, expected an object", path.display(), data.type_name()));
            return Err(ExitCode::from(USAGE));
        }
        Ok(Some(data))
    }

    /// Finds a list and compiles it.
    pub fn compile(&self, list: &str, device: Option<Data>) -> Result<Compiled, ExitCode> {
        self.compile_after(list, device, None)
    }

    /// The same, after an earlier time.
    pub fn compile_after(
        &self,
        list: &str,
        device: Option<Data>,
        earlier: Option<&Compilation>,
    ) -> Result<Compiled, ExitCode> {
        self.check_directories()?;
        let mut sources = SourceMap::default();
        let mut diagnostics = Vec::new();
        let given = self.levels.given()?;
        let found = lists::find(list, &self.lists, &mut sources, &mut diagnostics).map_err(|error| {
            complain(error);
            ExitCode::from(USAGE)
        })?;
        let po = self.po.clone().or_else(|| found.settings.po.clone());
        let tests = self.tests.clone().or_else(|| found.settings.tests.clone());
        let levels = levels(&found.settings, &given);
        levels.apply(&mut diagnostics);
        let only_findings = self.only_findings;
        let request =
            Request { id: found.id.clone(), layers: found.layers.clone(), po, tests, device, levels, only_findings };
        Ok(Compiled { compilation: compile_after(&request, earlier), found, settings: (diagnostics, sources) })
    }

    /// What is named must exist.
    pub fn check(&self) -> Result<(), ExitCode> {
        self.check_directories()?;
        self.levels.given().map(|_| ())
    }

    fn check_directories(&self) -> Result<(), ExitCode> {
        match self.lists.iter().chain(&self.po).chain(&self.tests).find(|directory| !source::is_directory(directory)) {
            None => Ok(()),
            Some(missing) => {
                complain(format_args!("there is no directory `{}`", missing.display()));
                Err(ExitCode::from(USAGE))
            }
        }
    }
}

impl ListArgs {
    /// The compiled list, for a command that needs one that is not refused. Its diagnostics go to standard error.
    pub fn usable(&self) -> Result<Compiled, ExitCode> {
        let compiled = self.with.compile(&self.list, self.with.device()?)?;
        let mut report = Report::new(Stream::Error);
        compiled.report_to(&mut report);
        report.show();
        if compiled.is_refused() {
            return Err(compiled.refused());
        }
        Ok(compiled)
    }
}

impl Compiled {
    /// What is wrong with the settings and the list. With settings that are refused, a parent may be missing only for want of a layer.
    pub fn report_to(&self, report: &mut Report) {
        report.add(&self.settings.0, &self.settings.1);
        let layers_are_known = !self.settings.0.iter().any(is_refusal);
        let own =
            self.compilation.diagnostics.iter().filter(|found| layers_are_known || found.code != "unknown-parent");
        report.add(&own.cloned().collect::<Vec<_>>(), &self.compilation.sources);
    }

    /// Whether the list or its settings cannot be used.
    pub fn is_refused(&self) -> bool {
        self.compilation.is_refused() || self.settings.0.iter().any(is_refusal)
    }

    /// The exit code of a refused list: the environment failed if its own file cannot be read.
    pub fn refused(&self) -> ExitCode {
        let own = (&self.compilation.diagnostics, &self.compilation.sources);
        let unreadable = |(diagnostics, sources): (&Vec<Diagnostic>, &SourceMap)| {
            let first =
                diagnostics.iter().filter(|found| found.code == "unreadable-file").map(|found| found.labels.first());
            first.into_iter().any(|label| label.is_none_or(|label| sources.is_unread(label.span)))
        };
        let environment = unreadable(own) || unreadable((&self.settings.0, &self.settings.1));
        ExitCode::from(if environment { ENVIRONMENT } else { FAILED })
    }
}

fn is_refusal(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// The lists that an argument of `check` stands for: itself, or those of the directory.
pub fn expand(argument: &str) -> Result<Vec<String>, ExitCode> {
    if !source::is_directory(Path::new(argument)) {
        return Ok(vec![argument.to_owned()]);
    }
    lists::below(Path::new(argument)).map_err(|error| {
        let code = if matches!(error, FindError::Unreadable(..)) { ENVIRONMENT } else { USAGE };
        complain(error);
        ExitCode::from(code)
    })
}
