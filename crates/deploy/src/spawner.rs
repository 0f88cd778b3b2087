//! The thread that starts engines.
//!
//! The kernel sends the signal that an engine asked for when the *thread* that started it
//! ends, not the process. A worker thread of a runtime may end at any time, so engines are
//! started by a thread of their own that lives as long as the deployer. It does nothing
//! else, and all of it in order: put on record, start, complete the record. A caller that
//! gives up meanwhile leaves no half-started engine: what nobody takes is killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::engine::{Engine, Handover};
use crate::instance::Instance;
use crate::kin::MARK_VARIABLE;
use crate::ledger::Entry;
use crate::port::PortReservation;
use crate::{DeployError, Label};

/// The environment variable that names the instance, for people who look.
const INSTANCE_VARIABLE: &str = "AUTOTUNER_INSTANCE";

/// Python's setproctitle, which several engines use to name their processes, writes over the
/// environment that we read marks from, unless this is set.
const KEEP_ENVIRONMENT_VARIABLE: &str = "SPT_NOENV";

/// Starts wait here while one is under way, which takes milliseconds; when it is full, who
/// wants to start an engine waits to be let in.
const WAITING_STARTS: usize = 16;

/// All that it takes to start one engine.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) instance: Arc<Instance>,
    pub(crate) label: Label,
    /// The file to run.
    pub(crate) program: PathBuf,
    /// Its arguments, without the program.
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Names that are not inherited.
    pub(crate) withheld: Vec<OsString>,
    pub(crate) launcher: Option<Vec<OsString>>,
    pub(crate) port: PortReservation,
}

/// An engine that has been started and may not have become itself yet.
type Started = (Engine, Handover);

#[derive(Debug)]
struct Order {
    start: Start,
    reply: oneshot::Sender<Result<Started, DeployError>>,
}

/// The thread. Dropped, it ends after what it is doing.
#[derive(Debug)]
pub(crate) struct Spawner {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Spawner {
    pub(crate) fn new() -> io::Result<Self> {
        let (orders, mut inbox) = mpsc::channel::<Order>(WAITING_STARTS);
        let thread = std::thread::Builder::new()
            .name("engine starter".to_owned())
            .spawn(move || {
                while let Some(Order { start, reply }) = inbox.blocking_recv() {
                    // An engine that nobody waits for any more is dropped, and so killed.
                    let _ = reply.send(start_engine(start));
                }
            })?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Starts an engine. Dropping the answer kills it.
    pub(crate) async fn start(&self, start: Start) -> Result<Started, DeployError> {
        let (reply, answer) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or(DeployError::ShuttingDown)?;
        let sent = orders.send(Order { start, reply }).await;
        sent.map_err(|_| DeployError::ShuttingDown)?;
        answer.await.map_err(|_| DeployError::ShuttingDown)?
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that starts engines panicked");
        }
    }
}

fn start_engine(start: Start) -> Result<Started, DeployError> {
    let Start {
        instance,
        label,
        program,
        arguments,
        environment,
        withheld,
        launcher,
        port,
    } = start;
    let log = open_log(&label.log_file)?;
    let whole_command: Vec<String> = std::iter::once(program.to_string_lossy().into_owned())
        .chain(arguments.iter().cloned())
        .collect();
    let entry = Entry::intend(&instance, instance.next_number(), &label, &whole_command)?;
    let try_start = || -> io::Result<_> {
        let (mut command, report) = command_for(&program, &arguments, launcher.as_deref())?;
        for name in &withheld {
            command.env_remove(name);
        }
        command
            .env(KEEP_ENVIRONMENT_VARIABLE, "1")
            .envs(&environment)
            .env(INSTANCE_VARIABLE, entry.instance_name())
            .env(MARK_VARIABLE, entry.mark())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok((command.spawn()?, report))
        // The command goes here, and with it our copy of the launcher's end of the pipe.
    };
    match try_start() {
        Ok((child, report)) => Engine::adopt(child, entry, port, report),
        Err(source) => {
            entry.remove()?;
            Err(DeployError::Start {
                program: program.display().to_string(),
                source,
            })
        }
    }
}

/// The command, and where its launcher will report, if it has one.
fn command_for(
    program: &Path,
    arguments: &[String],
    launcher: Option<&[OsString]>,
) -> io::Result<(Command, Option<PipeReader>)> {
    match launcher {
        Some([own, own_arguments @ ..]) => {
            let (report, launcher_end) = io::pipe()?;
            let mut command = Command::new(own);
            command
                .args(own_arguments)
                .arg(std::process::id().to_string())
                .arg(program)
                .args(arguments)
                .stdin(launcher_end);
            Ok((command, Some(report)))
        }
        _ => {
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).process_group(0);
            Ok((command, None))
        }
    }
}

fn open_log(path: &Path) -> Result<File, DeployError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(DeployError::file("create", folder))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(DeployError::file("write", path))
}
