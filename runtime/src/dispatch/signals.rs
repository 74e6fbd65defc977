//! SIGINT, SIGTERM, and SIGHUP unless it is to be ignored; SIGXFSZ is caught and dropped, so that a full file is an error of a write.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// A signal that comes so soon after another one is its echo: `timeout` asks a program and then its group, and of a terminal that closes
/// both a shell and the system tell.
const ECHO: Duration = Duration::from_millis(500);

/// Waits for a request to end.
#[derive(Debug)]
pub(crate) struct Signals {
    source: Source,
    /// When the last one came.
    last: Option<Instant>,
}

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
        // What may not become longer is an error of whoever writes it, and not the end of this program.
        let _ = signal(SignalKind::from_raw(nix::libc::SIGXFSZ))?;
        Ok(Self::of(Source::System { interrupt, terminate, hang_up }))
    }

    /// Signals that nobody sends but a script.
    pub fn scripted() -> (mpsc::UnboundedSender<()>, Self) {
        let (sender, sent) = mpsc::unbounded_channel();
        (sender, Self::of(Source::Scripted(sent)))
    }

    fn of(source: Source) -> Self {
        Self { source, last: None }
    }

    /// The next of them that somebody means.
    pub async fn next(&mut self) {
        loop {
            let insists = match &mut self.source {
                Source::System { interrupt, terminate, hang_up } => {
                    let is_person = tokio::select! {
                        _ = interrupt.recv() => true,
                        _ = terminate.recv() => true,
                        () = next_of(hang_up.as_mut()) => false,
                    };
                    is_person && self.last.is_none_or(|last| last.elapsed() > ECHO)
                }
                Source::Scripted(sent) => match sent.recv().await {
                    Some(()) => true,
                    None => std::future::pending().await,
                },
            };
            // The first one counts, whatever it is.
            if self.last.is_none() || insists {
                self.last = Some(Instant::now());
                return;
            }
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
