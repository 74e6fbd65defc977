//! The process of one service: how it starts, and how it is known to be ready.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::Pid;
use tracing::debug;

use super::directories::Places;
use super::{Ready, Service, Settings};
use crate::worker::{Capture, MaskedStream, Reaper, capture_output, hide_secrets, mark, spawn_alone};

/// How much of a service's output is kept, in bytes.
const LOG_LIMIT: u64 = 4 << 20;

/// A service that runs.
pub(super) struct Running {
    pub name: String,
    pub child: Child,
    /// The child, and its process group.
    pub leader: Pid,
    pub invocation: String,
    pub output: Capture,
    pub log: PathBuf,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("name", &self.name).field("leader", &self.leader).finish_non_exhaustive()
    }
}

pub(super) fn prepare(
    service: &Service,
    settings: &Settings,
    places: &Places,
    variables: &[(String, String)],
) -> Result<Command, String> {
    let expand = |text: &String| places.expand(text).map_err(|name| unknown(&name));
    let words = service.command.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
    let (program, arguments) = words.split_first().ok_or("its command is empty")?;
    let mut command = Command::new(program);
    hide_secrets(&mut command, &settings.secret_variables());
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    for (name, value) in &service.environment {
        command.env(name, expand(value)?);
    }
    let directory = service.directory.as_ref().map(expand).transpose()?;
    let directory = places.settings.join(directory.unwrap_or_default());
    if !directory.as_os_str().is_empty() {
        command.current_dir(directory);
    }
    Ok(command)
}

/// Whether the path by which a service is known to be ready has a name for everything in it.
pub(super) fn check_readiness(ready: Option<&Ready>, places: &Places) -> Result<(), String> {
    match ready {
        Some(Ready::Path(path)) => places.expand(path).map(|_| ()).map_err(|name| unknown(&name)),
        Some(Ready::Line(_) | Ready::Port(_)) | None => Ok(()),
    }
}

fn unknown(name: &str) -> String {
    format!("there is no `{name}`; its settings can name ${{state_dir}}, ${{log_dir}} and ${{settings_dir}}")
}

pub(super) fn spawn(
    name: &str,
    mut command: Command,
    invocation: &str,
    run: &str,
    log: PathBuf,
    mask: MaskedStream,
    reaper: &Reaper,
) -> io::Result<Running> {
    use std::os::unix::process::CommandExt as _;
    let (output, writer) = io::pipe()?;
    mark(&mut command, run, invocation);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = spawn_alone(&mut command)?;
    drop(command);
    let leader = Pid::from_raw(child.id().cast_signed());
    reaper.know(leader);
    debug!(service = name, process = %leader, "started");
    let output = capture_output(output, log.clone(), LOG_LIMIT, mask)?;
    Ok(Running { name: name.into(), child, leader, invocation: invocation.into(), output, log })
}

pub(super) fn is_ready(ready: &Ready, places: &Places, log: &Path) -> bool {
    match ready {
        Ready::Path(path) => places.expand(path).is_ok_and(|path| places.settings.join(path).exists()),
        Ready::Line(text) => fs::read(log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text.as_str())),
        Ready::Port(port) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        }
    }
}

pub(super) fn missing(ready: &Ready) -> String {
    match ready {
        Ready::Path(path) => format!("`{path}` does not exist"),
        Ready::Line(text) => format!("it wrote no line with {text:?}"),
        Ready::Port(port) => format!("nothing listens on port {port}"),
    }
}

/// What an earlier start left behind would look like readiness; in the run's own directory it is taken away.
pub(super) fn forget_readiness(ready: Option<&Ready>, places: &Places) {
    let Some(Ready::Path(path)) = ready else { return };
    let Ok(path) = places.expand(path).map(|path| places.settings.join(path)) else { return };
    if path.starts_with(&places.state) {
        let _ = fs::remove_file(path);
    }
}
