//! Makes ready what tests stand on, runs them, and takes it down again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Trouble;
use super::preparation::{Preparation, Prepared, has_python_tests};
use crate::dispatch::{Conclusion, Dispatch, Ground, Operator, RunPlace};
use crate::report::Reporter;
use crate::station::{Places, Services, StateDirectory, search_path};
use crate::store::Store;
use crate::worker::{Python, Reaper};

impl Preparation<'_> {
    /// Makes ready what tests stand on, runs them, and takes it down again.
    pub(super) async fn conduct(
        &self,
        prepared: Prepared,
        store: &mut Store,
        operator: &mut Operator,
        reaper: &Arc<Reaper>,
        reporter: &mut Reporter,
    ) -> Result<Conclusion, Trouble> {
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
        let mut variables = self.variables(&places)?;
        variables.extend(prepared.seed.map(|seed| ("TLC_SEED".to_owned(), seed.to_string())));
        let mut services = Services::new(Arc::clone(reaper));
        let ready = tokio::select! {
            ready = services.start(&self.settings, &places, &variables, &prepared.id) => {
                ready.map_err(|error| Trouble::Environment(error.to_string()))
            }
            () = operator.signals.next() => Err(Trouble::Interrupted),
        };
        let place = RunPlace {
            id: prepared.id.clone(),
            logs,
            tests: self.tests.clone(),
            locale: self.options.locale.as_str().into(),
            operator: self.options.operator.as_str().into(),
        };
        let ground = Ground {
            place,
            settings: Arc::clone(&self.settings),
            python,
            variables,
            reaper: Arc::clone(reaper),
            sources: Arc::default(),
        };
        let concluded = match ready {
            Ok(()) => self.dispatch(prepared, ground, store, &mut services, operator, reporter).await,
            Err(trouble) => Err(trouble),
        };
        services.stop().await;
        concluded
    }

    async fn dispatch(
        &self,
        prepared: Prepared,
        ground: Ground,
        store: &mut Store,
        services: &mut Services,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<Conclusion, Trouble> {
        reporter.begins(&prepared.headline, self.plan, &self.options.locale, &self.root());
        for path in &prepared.lost {
            reporter.warn(&format!("`{path}` was running when the run was interrupted"));
        }
        let dispatch = Dispatch {
            plan: self.plan,
            schedule: prepared.schedule,
            evaluation: &self.evaluation,
            store,
            run: prepared.row,
            ground,
            services,
            operator,
            reporter,
            before: prepared.before,
            resumed: prepared.resumed,
            attempts: prepared.attempts,
            stopped: prepared.stopped,
        };
        dispatch.run(prepared.beginning).await.map_err(Trouble::from)
    }

    fn python(&self, directory: &Path) -> Result<Option<Arc<Python>>, Trouble> {
        if !has_python_tests(self.plan) {
            return Ok(None);
        }
        let named = self.options.python.as_ref().or(self.settings.python.as_ref());
        Python::prepare(named.map(String::as_str), &search_path(), directory)
            .map(|python| Some(Arc::new(python)))
            .map_err(|error| Trouble::Environment(error.to_string()))
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
