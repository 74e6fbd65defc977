//! SIGINT, SIGTERM, and SIGHUP unless it is to be ignored.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Waits for a request to end.
#[derive(Debug)]
pub(crate) struct Signals(Source);

/// Where they come from.
#[derive(Debug)]
enum Source {
    System { interrupt: Signal, terminate: Signal, hang_up: Option<Signal> },
    Scripted(mpsc::UnboundedReceiver<()>),
}

impl Signals {
    /// From now on the signals do not end this program by themselves.
    pub fn new() -> io::Result<Self> {
        let hang_up = if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) };
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self(Source::System { interrupt, terminate, hang_up }))
    }

    /// Signals that nobody sends but a script.
    pub fn scripted() -> (mpsc::UnboundedSender<()>, Self) {
        let (sender, sent) = mpsc::unbounded_channel();
        (sender, Self(Source::Scripted(sent)))
    }

    /// The next of them.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Source::System { interrupt, terminate, hang_up } => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = next_of(hang_up.as_mut()) => {}
            },
            Source::Scripted(sent) => match sent.recv().await {
                Some(()) => {}
                None => std::future::pending().await,
            },
        }
    }
}

async fn next_of(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether this program was started to ignore a signal, with `nohup` for example.
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
