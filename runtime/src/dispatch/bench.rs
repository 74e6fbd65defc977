//! What surrounds an attempt: resources that no other test holds meanwhile, and services that are switched for it and back.

use std::collections::BTreeSet;

use tlc_plan::{NodeId, Plan};
use tokio::sync::{mpsc, watch};

use super::{Ground, Happening};
use crate::schedule::Outcome;
use crate::station::Need;
use crate::worker::{Attempt, Ended, Ending};

/// An attempt with what it needs around it.
#[derive(Debug)]
pub(super) struct Job {
    pub attempt: Attempt,
    /// Resources that no other test may hold while it runs.
    pub exclusive: BTreeSet<String>,
    /// What it needs of services.
    pub need: Need,
    /// The measurements that the test declares, by name.
    pub measurements: Vec<String>,
}

impl Job {
    /// An attempt at a node of the plan.
    pub fn new(plan: &Plan, node: NodeId, attempt: Attempt, measurements: Vec<String>) -> Self {
        Self {
            attempt,
            exclusive: plan.node(node).exclusive_resources.iter().cloned().collect(),
            need: need(plan, node),
            measurements,
        }
    }

    /// Waits for resources, switches services, runs the attempt, and puts everything back.
    pub async fn run(
        self,
        ground: Ground,
        mut ending: watch::Receiver<Option<Ending>>,
        over: &mpsc::UnboundedSender<Happening>,
    ) -> Ended {
        let Self { attempt, exclusive, need, measurements } = self;
        let held = tokio::select! {
            biased;
            held = ground.resources.take(exclusive) => held,
            Ok(()) = ending.changed() => return aborted(ending.borrow().as_ref()),
        };
        if need.is_nothing() {
            return measured(ground.workers.run(attempt, ending).await, &measurements);
        }
        let met = match ground.services.lock().await.meet(need).await {
            Ok(met) => met,
            Err(error) => return Ended::broken(error.to_string()),
        };
        let ended = ground.workers.run(attempt, ending).await;
        if let Err(error) = ground.services.lock().await.give_back(met).await {
            let _ = over.send(Happening::Told(error.to_string()));
        }
        drop(held);
        measured(ended, &measurements)
    }
}

/// A declared measurement that was not reported fails the test. The protocol carries none yet, so none was.
fn measured(ended: Ended, declared: &[String]) -> Ended {
    if declared.is_empty() || ended.outcome != Outcome::Passed {
        return ended;
    }
    let names = declared.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (what, were) = if declared.len() == 1 { ("measurement", "was") } else { ("measurements", "were") };
    let message = format!("the declared {what} {names} {were} not reported");
    Ended { outcome: Outcome::Failed, message: Some(message), ..ended }
}

fn aborted(ending: Option<&Ending>) -> Ended {
    let reason = match ending {
        Some(Ending::Stop(reason) | Ending::Kill(reason)) => reason.as_str(),
        None => "it was ended before it began",
    };
    Ended { outcome: Outcome::Aborted, ..Ended::broken(format!("Aborted: {reason}")) }
}

/// The lists of a test, or of the parallel group that it is in (reference: CC2); resources also of every group around it (reference: CC1).
fn need(plan: &Plan, node: NodeId) -> Need {
    let group = plan.parent(node).filter(|&parent| plan.node(parent).parallel);
    let switching = || std::iter::once(node).chain(group);
    let around = std::iter::successors(Some(node), |&node| plan.parent(node));
    Need {
        enabled: switching().flat_map(|node| plan.node(node).enable_services.iter().cloned()).collect(),
        disabled: switching().flat_map(|node| plan.node(node).disable_services.iter().cloned()).collect(),
        resources: around.flat_map(|node| plan.node(node).exclusive_resources.iter().cloned()).collect(),
    }
}
