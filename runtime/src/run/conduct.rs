//! Makes ready what tests stand on, runs them, and takes it down again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tlc_plan::NodeId;
use tlc_plan::plan::Program;
use tokio::sync::Mutex;

use super::Trouble;
use super::preparation::{Preparation, Prepared, has_python_tests, station_name};
use crate::dispatch::{Conclusion, Dispatch, Ground, Operator, RunPlace, Spaces, Workers};
use crate::prompt::Prompter;
use crate::report::Reporter;
use crate::station::{Places, ServiceGround, Services, Settings, StateDirectory, search_path};
use crate::store::Store;
use crate::worker::{Facilities, Python, Reaper, Secrets, Surroundings};

impl Preparation<'_> {
    /// Makes ready what tests stand on, runs them, and takes it down again.
    pub(super) async fn conduct(
        &self,
        prepared: Prepared,
        store: &mut Store,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<Conclusion, Trouble> {
        let reaper = match &self.workers {
            Workers::Processes(reaper) => Arc::clone(reaper),
            Workers::Scripted(_) => {
                let ground = self.bare_ground(&prepared.id, store)?;
                return self.dispatch(prepared, ground, store, operator, reporter).await;
            }
        };
        let environment = |what: &str, error: &dyn std::fmt::Display| Trouble::Environment(format!("{what}: {error}"));
        let directory = store.run_directory(&prepared.id);
        let logs = directory.join("logs");
        fs::create_dir_all(&logs)
            .map_err(|error| environment(&format!("unable to make `{}`", logs.display()), &error))?;
        let state = StateDirectory::create(&directory)
            .map_err(|error| environment("unable to make a directory for the run", &error))?;
        let python = self.python(state.path())?;
        let places =
            Places { state: state.path().to_path_buf(), logs: logs.clone(), settings: self.settings.directory.clone() };
        let settings = self.with_shutdown_commands(&places)?;
        let mut variables = self.variables(&places)?;
        variables.extend(prepared.seed.map(|seed| ("TLC_SEED".to_owned(), seed.to_string())));
        let facilities = Arc::new(self.facilities(store, &reaper));
        let services = Arc::new(Mutex::new(Services::new(ServiceGround {
            settings: Arc::clone(&self.settings),
            places,
            variables: variables.clone(),
            run: prepared.id.clone(),
            reaper: Arc::clone(&reaper),
            secrets: Arc::clone(&facilities.secrets),
        })));
        let start = async {
            let mut services = services.lock().await;
            services.check()?;
            services.settle().await
        };
        let ready = tokio::select! {
            ready = start => ready.map_err(|error| Trouble::Environment(error.to_string())),
            () = operator.signals.next() => Err(Trouble::Interrupted),
        };
        let place = RunPlace {
            id: prepared.id.clone(),
            logs,
            tests: self.tests.clone(),
            locale: self.options.locale.as_str().into(),
            station: station_name(&self.settings).into(),
        };
        let ground = Ground {
            place,
            settings,
            python,
            variables,
            workers: self.workers.clone(),
            sources: Arc::default(),
            surroundings: self.surroundings(state.path()),
            services: Arc::clone(&services),
            resources: Arc::default(),
            facilities,
        };
        let concluded = match ready {
            Ok(()) => self.dispatch(prepared, ground, store, operator, reporter).await,
            Err(trouble) => Err(trouble),
        };
        services.lock().await.stop().await;
        concluded
    }

    async fn dispatch(
        &self,
        prepared: Prepared,
        ground: Ground,
        store: &mut Store,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<Conclusion, Trouble> {
        reporter.begins(&prepared.headline, self.plan, &self.options.locale, &self.root());
        let unknown = self.unknown_services();
        if !unknown.is_empty() {
            let names = unknown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            reporter.warn(&format!("tests switch services that the station's settings do not have: {names}"));
        }
        for path in &prepared.lost {
            reporter.warn(&format!("`{path}` was running when the run was interrupted"));
        }
        let dispatch = Dispatch {
            plan: self.plan,
            schedule: prepared.schedule,
            evaluation: &self.evaluation,
            spaces: Spaces::load(store, prepared.row.number)?,
            identity: prepared.identity,
            later: &self.later,
            store,
            run: prepared.row,
            ground,
            operator,
            reporter,
            before: prepared.before,
            resumed: prepared.resumed,
            attempts: prepared.attempts,
            stopped: prepared.stopped,
            asked: prepared.asked,
            root: prepared.root,
        };
        dispatch.run(prepared.beginning).await.map_err(Trouble::from)
    }

    /// What all attempts use.
    pub(super) fn facilities(&self, store: &Store, reaper: &Arc<Reaper>) -> Facilities {
        let Settings { secrets, directory, limits, .. } = &*self.settings;
        Facilities {
            secrets: Arc::new(Secrets::new(secrets.clone(), directory.clone(), Arc::clone(reaper))),
            contents: store.contents(),
            attachment_limit: limits.attachment_bytes,
            prompter: Prompter::new(self.answers.clone()),
        }
    }

    /// Services that tests enable or disable and that there are not; the tests run all the same (reference: CC2).
    fn unknown_services(&self) -> BTreeSet<&str> {
        let nodes = self.plan.preorder().map(|id| self.plan.node(id));
        let named = nodes.flat_map(|node| node.enable_services.iter().chain(&node.disable_services));
        named.map(String::as_str).filter(|&name| !self.settings.services.contains_key(name)).collect()
    }

    fn python(&self, directory: &Path) -> Result<Option<Arc<Python>>, Trouble> {
        if !has_python_tests(self.plan) {
            return Ok(None);
        }
        let named = self.options.python.as_ref().or(self.settings.python.as_ref());
        Python::prepare(named.map(String::as_str), &self.settings.python_preload, &search_path(), directory)
            .map(|python| Some(Arc::new(python)))
            .map_err(|error| Trouble::Environment(format!("{} a Python interpreter: {error}", self.python_tests())))
    }

    /// The first tests that need an interpreter, in words.
    fn python_tests(&self) -> String {
        let is_python =
            |id: &NodeId| matches!(&self.plan.node(*id).test, Some(test) if matches!(test.program, Program::Pytest(_)));
        let tests: Vec<NodeId> = self.plan.preorder().filter(is_python).collect();
        let named =
            tests.iter().take(3).map(|&id| format!("`{}`", self.plan.node(id).path)).collect::<Vec<_>>().join(", ");
        match tests.len() {
            0..=1 => format!("{named} needs"),
            2..=3 => format!("{named} need"),
            count => format!("{named} and {} more tests need", count - 3),
        }
    }

    pub(super) fn surroundings(&self, state: &Path) -> Arc<Surroundings> {
        let settings = &self.settings;
        let (tests, scratch) = (self.tests.clone(), state.to_path_buf());
        Arc::new(Surroundings::new(
            tests,
            scratch,
            &settings.pass_environment,
            &settings.secret_variables(),
            settings.limits.of_processes(),
        ))
    }

    /// The settings with the names of directories in shutdown commands put for what they stand for.
    fn with_shutdown_commands(&self, places: &Places) -> Result<Arc<Settings>, Trouble> {
        let mut settings = Settings::clone(&self.settings);
        for (operation, command) in &mut settings.shutdown {
            for word in command {
                *word = places.expand(word).map_err(|unknown| {
                    let key = format!("shutdown.{operation}");
                    Trouble::Environment(format!("the station's settings: `{key}`: there is no `{unknown}`"))
                })?;
            }
        }
        Ok(Arc::new(settings))
    }

    fn variables(&self, places: &Places) -> Result<Vec<(String, String)>, Trouble> {
        let expand = |(name, value): (&String, &String)| {
            let value = places.expand(value).map_err(|unknown| {
                Trouble::Environment(format!("the station's settings: `environment.{name}`: there is no `{unknown}`"))
            })?;
            Ok((name.clone(), value))
        };
        self.settings.environment.iter().map(expand).collect()
    }
}
