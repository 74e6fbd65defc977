//! What tests need of services and resources, and which services run because of it (reference: CC1, CC2).

use std::collections::BTreeSet;

use super::Service;

/// What a test needs while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Services that are to run.
    pub enabled: BTreeSet<String>,
    /// Services that are not to run.
    pub disabled: BTreeSet<String>,
    /// Resources that no service may use meanwhile.
    pub resources: BTreeSet<String>,
}

impl Need {
    /// Whether services have nothing to do with the test.
    pub fn is_nothing(&self) -> bool {
        self.enabled.is_empty() && self.disabled.is_empty() && self.resources.is_empty()
    }
}

/// Whether a service is to run, if tests with these needs run.
///
/// What is both to run and not to run stays as the settings say. A service that uses a resource which a test holds does not run, unless a
/// test says that it is to.
pub(super) fn is_wanted<'a>(name: &str, service: &Service, needs: impl Iterator<Item = &'a Need> + Clone) -> bool {
    let enabled = needs.clone().any(|need| need.enabled.contains(name));
    let disabled = needs.clone().any(|need| need.disabled.contains(name));
    let mut needs = needs;
    let paused = needs.any(|need| service.uses.iter().any(|resource| need.resources.contains(resource)));
    match (enabled, disabled) {
        (true, false) => true,
        (false, true) => false,
        (true, true) | (false, false) => service.enabled && !paused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(service: &str, needs: &[Need]) -> bool {
        let service: Service = json5::from_str(service).expect("a service");
        is_wanted("led", &service, needs.iter())
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn tests_switch_services_and_resources_pause_them() {
        let on = "{ command: ['led'], uses: ['LED'] }";
        let off = "{ command: ['led'], enabled: false }";
        let enables = Need { enabled: names(&["led"]), ..Need::default() };
        let disables = Need { disabled: names(&["led"]), ..Need::default() };
        let holds = Need { resources: names(&["LED"]), ..Need::default() };
        let alone = |service: &str, need: &Need| wanted(service, std::slice::from_ref(need));
        let other = Need { resources: names(&["POWER"]), disabled: names(&["net"]), ..Need::default() };
        assert!(wanted(on, &[]) && !wanted(off, &[]));
        assert!(alone(off, &enables) && !alone(on, &disables));
        assert!(wanted(on, &[enables.clone(), disables.clone()]) && !wanted(off, &[disables, enables.clone()]));
        assert!(!alone(on, &holds) && alone(on, &other) && wanted(on, &[holds, enables]));
    }
}
