//! Resources that only one test may hold at a time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The resources of a station that tests hold.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    held: Mutex<BTreeSet<String>>,
    freed: Notify,
}

/// Resources that a test holds; they are free again when this goes.
#[derive(Debug)]
pub(crate) struct Held {
    resources: Arc<Resources>,
    names: BTreeSet<String>,
}

impl Resources {
    /// Takes all of them at once, when all of them are free; so nobody waits for one while holding another.
    pub async fn take(self: &Arc<Self>, names: BTreeSet<String>) -> Held {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.try_take(&names) {
                return Held { resources: Arc::clone(self), names };
            }
            freed.await;
        }
    }

    fn try_take(&self, names: &BTreeSet<String>) -> bool {
        let mut held = self.held();
        let free = held.is_disjoint(names);
        if free {
            held.extend(names.iter().cloned());
        }
        free
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.resources.held().retain(|name| !self.names.contains(name));
        self.resources.freed.notify_waiters();
    }
}
