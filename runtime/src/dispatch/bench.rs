//! What surrounds an attempt: resources that no other test holds meanwhile, and services that are switched for it and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use tlc_plan::{NodeId, Plan};
use tokio::sync::{mpsc, watch};

use super::{Ground, Happening};
use crate::schedule::Outcome;
use crate::station::Need;
use crate::worker::{Attempt, Desk, Ended, Ending};

/// An attempt with what it needs around it.
#[derive(Debug)]
pub(super) struct Job {
    pub attempt: Attempt,
    /// Resources that no other test may hold while it runs.
    pub exclusive: BTreeSet<String>,
    /// What it needs of services.
    pub need: Need,
}

impl Job {
    /// An attempt at a node of the plan.
    pub fn new(plan: &Plan, node: NodeId, attempt: Attempt) -> Self {
        Self {
            attempt,
            exclusive: plan.node(node).exclusive_resources.iter().cloned().collect(),
            need: need(plan, node),
        }
    }

    /// Waits for resources, switches services, runs the attempt, and puts everything back.
    pub async fn run(
        self,
        ground: Ground,
        mut ending: watch::Receiver<Option<Ending>>,
        over: &mpsc::UnboundedSender<Happening>,
    ) -> Ended {
        let Self { attempt, exclusive, need } = self;
        let desk = desk(&attempt, &ground, over);
        let held = tokio::select! {
            biased;
            held = ground.resources.take(exclusive) => held,
            Ok(()) = ending.changed() => return aborted(ending.borrow().as_ref()),
        };
        if need.is_nothing() {
            return ground.workers.run(attempt, ending, desk).await;
        }
        let met = match ground.services.lock().await.meet(need).await {
            Ok(met) => met,
            Err(error) => return Ended::broken(error.to_string()),
        };
        let ended = ground.workers.run(attempt, ending, desk).await;
        if let Err(error) = ground.services.lock().await.give_back(met).await {
            let _ = over.send(Happening::Told(error.to_string()));
        }
        drop(held);
        ended
    }
}

/// What an attempt reports and asks goes to the dispatcher.
fn desk(attempt: &Attempt, ground: &Ground, over: &mpsc::UnboundedSender<Happening>) -> Desk {
    let (path, number, over) = (attempt.identity.path.clone(), attempt.identity.number, over.clone());
    Desk::new(Arc::clone(&ground.facilities), move |signal| {
        let _ = over.send(Happening::Signalled { path: path.clone(), attempt: number, signal });
    })
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
