//! Ends process groups, and the processes that left them.
//!
//! The runtime is the subreaper of everything that it starts: a process whose parent has gone becomes its child. So what escaped from
//! its group with `setsid` is found below this process, told apart by the invocation in its environment, and ended.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::time::sleep;

use super::environment;

/// How often the search for escaped processes is repeated before it is given up.
const ROUNDS: u32 = 200;

/// How long a killed process has to die before the next look.
const PAUSE: Duration = Duration::from_millis(5);

/// Adopts orphans, and knows which children are not orphans.
#[derive(Debug)]
pub struct Reaper {
    leaders: Mutex<BTreeSet<i32>>,
    /// Children that were there before.
    inherited: BTreeSet<i32>,
    children: Children,
    /// At the end of the last attempt there was no orphan, and nothing was started since.
    is_clean: AtomicBool,
}

impl Reaper {
    /// Makes this process the subreaper of all that it starts.
    pub fn new() -> io::Result<Self> {
        // A program that became this one may have left it children; they are not ours to end.
        let children = Children::open();
        let inherited = children.list().into_iter().map(Pid::as_raw).collect();
        set_child_subreaper(true)?;
        Ok(Self { leaders: Mutex::default(), inherited, children, is_clean: AtomicBool::new(false) })
    }

    fn leaders(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this child is waited for by its owner.
    pub(crate) fn know(&self, leader: Pid) {
        self.leaders().insert(leader.as_raw());
        self.expect_strays();
    }

    /// Says that something was started, and may leave something behind.
    pub(crate) fn expect_strays(&self) {
        self.is_clean.store(false, Ordering::Relaxed);
    }

    /// Says that this child has been waited for.
    pub(crate) fn forget(&self, leader: Pid) {
        self.leaders().remove(&leader.as_raw());
    }

    /// Ends the group of `leader`, which must not have been waited for yet, and everything that carries the invocation's mark.
    pub(crate) async fn end(&self, leader: Pid, invocation: &str) {
        kill_group(leader);
        self.end_escaped(invocation).await;
    }

    /// Ends everything that carries the invocation's mark and has left its group.
    pub(crate) async fn end_escaped(&self, invocation: &str) {
        let mark = format!("{}={invocation}", environment::INVOCATION);
        let name = environment::comm(invocation);
        let is_clean = self.end_orphans(|pid| has_mark(pid, &mark) || has_name(pid, &name)).await;
        self.is_clean.store(is_clean, Ordering::Relaxed);
    }

    /// Ends every orphan that carries no mark, for it has thrown it away; for a moment at which no attempt is running.
    pub(crate) async fn end_strays(&self) {
        if self.is_clean.swap(false, Ordering::Relaxed) {
            return;
        }
        let mark = format!("{}=", environment::INVOCATION);
        let is_unmarked = |pid| !has_variable(pid, |variable| variable.starts_with(mark.as_bytes()));
        self.end_orphans(is_unmarked).await;
    }

    /// Ends everything that is left below this process; for the end of a run, when nobody waits for anything any more.
    pub async fn end_all(&self) {
        self.leaders().clear();
        self.end_orphans(|_| true).await;
    }

    /// Ends the orphans that belong to something; whether there is no orphan at all any more.
    async fn end_orphans(&self, belongs: impl Fn(Pid) -> bool) -> bool {
        for _ in 0..ROUNDS {
            let orphans = self.orphans();
            let belonging: Vec<Pid> = orphans.iter().copied().filter(|&pid| belongs(pid)).collect();
            if belonging.is_empty() {
                return orphans.is_empty();
            }
            for &pid in &belonging {
                end_orphan(pid);
            }
            sleep(PAUSE).await;
        }
        false
    }

    /// The children of this process that nobody waits for.
    fn orphans(&self) -> Vec<Pid> {
        let leaders = self.leaders();
        let is_known = |pid: &Pid| leaders.contains(&pid.as_raw()) || self.inherited.contains(&pid.as_raw());
        self.children.list().into_iter().filter(|pid| !is_known(pid)).collect()
    }
}

fn end_orphan(pid: Pid) {
    // Its children become ours with its end, and the next round finds them.
    let _ = kill(pid, Signal::SIGKILL);
    let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
}

/// A process that is gone already, a zombie for example, has no environment and belongs to nobody.
fn has_mark(pid: Pid, mark: &str) -> bool {
    has_variable(pid, |variable| variable == mark.as_bytes())
}

/// What was only forked by a test of a warm interpreter shows the environment of that, and the name of the test.
fn has_name(pid: Pid, name: &str) -> bool {
    fs::read(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_ascii_end() == name.as_bytes())
}

fn has_variable(pid: Pid, wanted: impl Fn(&[u8]) -> bool) -> bool {
    match fs::read(format!("/proc/{pid}/environ")) {
        Ok(environ) if environ.is_empty() => waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_ok_and(|_| false),
        Ok(environ) => environ.split(|&byte| byte == 0).any(wanted),
        Err(_) => false,
    }
}

/// The children of this process. The system gives orphans to its first thread; what another thread has started has an owner that waits
/// for it. The list of the system stays open, and is made anew whenever it is read from its beginning.
#[derive(Debug)]
struct Children(Option<File>);

impl Children {
    fn open() -> Self {
        let first = std::process::id();
        Self(File::open(format!("/proc/self/task/{first}/children")).ok())
    }

    fn list(&self) -> Vec<Pid> {
        let mut list = Vec::new();
        let mut part = [0; 512];
        while let Some(file) = &self.0
            && let Ok(count @ 1..) = file.read_at(&mut part, list.len() as u64)
        {
            list.extend_from_slice(&part[..count]);
        }
        let list = String::from_utf8_lossy(&list);
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
    }
}

/// The end of a process: of a child of ours, or of a warm interpreter, that nobody has collected yet.
#[derive(Debug)]
pub(super) struct End {
    pid: Pid,
    descriptor: Option<pipe::Receiver>,
}

impl End {
    /// The end of a process that has not been waited for.
    pub fn of(pid: Pid) -> Self {
        Self { pid, descriptor: process_descriptor(pid).ok() }
    }

    /// Waits for it and leaves the status to be collected, so that the process's number is not given to another one yet.
    pub async fn reached(&self) {
        match &self.descriptor {
            Some(process) => drop(process.readable().await),
            // An old kernel.
            None => {
                while !is_over(self.pid) {
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A descriptor that becomes readable when the process has ended. It is no pipe, and is only waited for like one.
fn process_descriptor(pid: Pid) -> io::Result<pipe::Receiver> {
    let pid = rustix::process::Pid::from_raw(pid.as_raw()).ok_or(io::ErrorKind::NotFound)?;
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::NONBLOCK)?;
    pipe::Receiver::from_owned_fd_unchecked(process)
}

/// Whether a process is gone, or a zombie.
fn is_over(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// Collects the status of a child that came to us from its parent.
pub(super) fn collect(pid: Pid) -> io::Result<ExitStatus> {
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(ExitStatus::from_raw((code & 0xff) << 8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(ExitStatus::from_raw(signal as i32)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a child has ended; its status is still to be collected.
pub(crate) fn has_ended(pid: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    !matches!(waitid(Id::Pid(pid), flags), Ok(WaitStatus::StillAlive))
}

/// Asks a process group to end. A stopped process gets to hear of it too.
pub(crate) fn terminate_group(leader: Pid) {
    let _ = killpg(leader, Signal::SIGTERM);
    let _ = killpg(leader, Signal::SIGCONT);
}

/// Ends one process.
pub(crate) fn kill_one(pid: Pid) {
    let _ = kill(pid, Signal::SIGKILL);
}

/// Ends a process group.
pub(crate) fn kill_group(leader: Pid) {
    let _ = killpg(leader, Signal::SIGKILL);
}

/// Ends every process that carries the mark of one of these runs, whose runtime is gone.
pub(crate) fn end_left_behind(runs: &[String]) {
    if runs.is_empty() {
        return;
    }
    let marks: BTreeSet<Vec<u8>> = runs.iter().map(|run| format!("{}={run}", environment::RUN).into_bytes()).collect();
    let Ok(processes) = fs::read_dir("/proc") else { return };
    let own = std::process::id().cast_signed();
    for pid in processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if pid != own && has_variable(Pid::from_raw(pid), |variable| marks.contains(variable)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
