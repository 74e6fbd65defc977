//! The services of a station: helper processes that are there while tests run.
//!
//! Each runs in a process group of its own, with its output in a bounded file. They start in their order, each when the one before is
//! ready, and end in the opposite order.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::Pid;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::directories::Places;
use super::{Ready, Service, Settings};
use crate::worker::{Capture, GRACE, Reaper, capture_output, finish_output, has_ended, last_lines, mark, terminate_group};

/// How often a service is asked whether it is ready.
const POLL: Duration = Duration::from_millis(10);

/// How much of a service's output is kept, in bytes.
const LOG_LIMIT: u64 = 4 << 20;

/// How many lines of it are shown when it does not start.
const SHOWN_LINES: usize = 10;

/// The services that run.
#[derive(Debug)]
pub struct Services {
    running: Vec<Running>,
    reaper: Arc<Reaper>,
}

struct Running {
    name: String,
    child: Child,
    leader: Pid,
    invocation: String,
    output: Capture,
    log: PathBuf,
}

/// Why a service is not there.
#[derive(Debug)]
pub struct ServiceError {
    /// The service.
    pub name: String,
    /// What happened.
    pub what: String,
    /// The end of its output.
    pub output: Vec<String>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("name", &self.name).field("leader", &self.leader).finish_non_exhaustive()
    }
}

impl Services {
    /// No services yet.
    pub fn new(reaper: Arc<Reaper>) -> Self {
        Self { running: Vec::new(), reaper }
    }

    /// Starts all services of the settings; those that started before an error still run, and are to be ended.
    pub(crate) async fn start(
        &mut self,
        settings: &Settings,
        places: &Places,
        variables: &[(String, String)],
        run: &str,
    ) -> Result<(), ServiceError> {
        for (name, service) in &settings.services {
            let fail = |what: String| ServiceError { name: name.clone(), what, output: Vec::new() };
            let command = prepare(service, places, variables).map_err(fail)?;
            let invocation = format!("service:{run}:{name}");
            let log = places.logs.join(format!("service-{name}.log"));
            let running = spawn(name, command, &invocation, run, log, &self.reaper)
                .map_err(|error| fail(format!("unable to start `{}`: {error}", service.command[0])))?;
            self.running.push(running);
            self.wait_until_ready(service, places).await?;
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self, service: &Service, places: &Places) -> Result<(), ServiceError> {
        let Some(ready) = &service.ready else { return Ok(()) };
        let deadline = Instant::now() + service.ready_timeout_secs.duration();
        let Some(running) = self.running.last_mut() else { return Ok(()) };
        loop {
            if is_ready(ready, places, &running.log) {
                return Ok(());
            }
            let ended = has_ended(running.leader);
            if !ended && Instant::now() < deadline {
                sleep(POLL).await;
                continue;
            }
            let name = running.name.clone();
            let log = running.log.clone();
            let what = match (self.stop_last().await, ended) {
                (Some(status), true) => format!("ended before it was ready: {status}"),
                (None, true) => "ended before it was ready".into(),
                (_, false) => format!("was not ready after {} s: {}", service.ready_timeout_secs.0, missing(ready)),
            };
            return Err(ServiceError { name, what, output: last_lines(&log, SHOWN_LINES) });
        }
    }

    /// A service that has ended by itself, once, and how.
    pub(crate) async fn lost(&mut self) -> Option<(String, Option<ExitStatus>)> {
        let position = self.running.iter().position(|running| has_ended(running.leader))?;
        let running = self.running.remove(position);
        let name = running.name.clone();
        Some((name, self.end(running).await))
    }

    /// Ends all services, the last one first.
    pub async fn stop(&mut self) {
        while !self.running.is_empty() {
            self.stop_last().await;
        }
    }

    async fn stop_last(&mut self) -> Option<ExitStatus> {
        let running = self.running.pop()?;
        terminate_group(running.leader);
        let deadline = Instant::now() + GRACE;
        while !has_ended(running.leader) && Instant::now() < deadline {
            sleep(POLL).await;
        }
        self.end(running).await
    }

    async fn end(&self, mut running: Running) -> Option<ExitStatus> {
        self.reaper.end(running.leader, &running.invocation).await;
        let status = running.child.wait();
        self.reaper.forget(running.leader);
        finish_output(running.output, GRACE).await;
        status.ok()
    }
}

fn prepare(service: &Service, places: &Places, variables: &[(String, String)]) -> Result<Command, String> {
    let expand = |text: &String| {
        places.expand(text).map_err(|name| {
            format!("there is no `{name}`; its settings can name ${{state_dir}}, ${{log_dir}} and ${{settings_dir}}")
        })
    };
    let words = service.command.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
    let (program, arguments) = words.split_first().ok_or("its command is empty")?;
    let mut command = Command::new(program);
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

fn spawn(
    name: &str,
    mut command: Command,
    invocation: &str,
    run: &str,
    log: PathBuf,
    reaper: &Reaper,
) -> io::Result<Running> {
    use std::os::unix::process::CommandExt as _;
    let (output, writer) = io::pipe()?;
    mark(&mut command, run, invocation);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = command.spawn()?;
    drop(command);
    let leader = Pid::from_raw(child.id().cast_signed());
    reaper.know(leader);
    debug!(service = name, process = %leader, "started");
    let output = capture_output(output, log.clone(), LOG_LIMIT)?;
    Ok(Running { name: name.into(), child, leader, invocation: invocation.into(), output, log })
}

fn is_ready(ready: &Ready, places: &Places, log: &Path) -> bool {
    match ready {
        Ready::Path(path) => places.expand(path).is_ok_and(|path| places.settings.join(path).exists()),
        Ready::Line(text) => fs::read(log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text.as_str())),
        Ready::Port(port) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        }
    }
}

fn missing(ready: &Ready) -> String {
    match ready {
        Ready::Path(path) => format!("`{path}` does not exist"),
        Ready::Line(text) => format!("it wrote no line with {text:?}"),
        Ready::Port(port) => format!("nothing listens on port {port}"),
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service `{}` {}", self.name, self.what)?;
        for line in &self.output {
            write!(f, "\n  {}> {line}", self.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}
