//! For tests: a deployer and a load generator that agree on engines which exist in memory.
//!
//! A fake engine is a task that answers HTTP on a loopback port; how it behaves is told by
//! its arguments (`--behave WORD`), so that any engine's plan can ask for it. It passes the
//! suite that every deployer must.

#[cfg(test)]
mod conformance;
mod recording;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::{Endpoint, LaunchPlan};
use autotuner_core::measure::ClientHealth;
use autotuner_core::workload::Workload;
use autotuner_deploy::{
    DeployError, Deployer, Deployment, DeploymentStatus, Exit, Label, Owned, Placement, Unwatched, Watcher,
};
use autotuner_load::{Bench, BenchError, Observer, Progress, Recording};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use recording::{by_levels, recording};

/// Engines in memory, as a deployer and as a load generator.
#[derive(Default)]
pub(crate) struct FakeWorld {
    engines: Mutex<HashMap<String, FakeEngine>>,
    launches: AtomicU32,
    /// Launches that fail before the next one works.
    pub(crate) failing_launches: AtomicU16,
    /// Whether engines are said to run in containers.
    pub(crate) contained: AtomicBool,
    /// How often the target does not answer before it does again.
    pub(crate) absences: AtomicU16,
    /// Attempts to stop that are still to fail, by engine.
    resisting: Mutex<HashMap<String, u32>>,
}

struct FakeEngine {
    behave: String,
    rate: u32,
    label: Label,
    base_url: String,
    exit: Option<Exit>,
    server: Option<AbortHandle>,
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl FakeWorld {
    /// Engines that were started and not stopped.
    pub(crate) fn running(&self) -> usize {
        self.lock().len()
    }

    /// How often an engine was started.
    pub(crate) fn launches(&self) -> u32 {
        self.launches.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, FakeEngine>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The word behind `--behave`, or another flag, in a plan.
fn argument(plan: &LaunchPlan, flag: &str) -> Option<String> {
    let arguments = plan.arguments("127.0.0.1", 0);
    let at = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(at + 1).cloned()
}

/// Takes one away, if there is one.
fn one_less(left: &AtomicU16) -> bool {
    let less = |left: u16| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

fn exit(code: i32) -> Exit {
    Exit {
        code: Some(code),
        signal: None,
        out_of_memory: false,
    }
}

fn write_log(label: &Label, text: &str) -> Result<(), DeployError> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&label.log_file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| DeployError::File {
            action: "write",
            path: label.log_file.clone(),
            source,
        })
}

/// Answers as the suite for deployers wants it: 200 to `/health` and to `/iam/<name>`.
async fn serve(listener: TcpListener, name: String) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let mut request = vec![0; 2048];
        let read = stream.read(&mut request).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&request[..read]);
        let path = text.split(' ').nth(1).unwrap_or_default();
        let status = if path == "/health" || path == format!("/iam/{name}") {
            "200 OK"
        } else {
            "404 Not Found"
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

#[async_trait]
impl Deployer for FakeWorld {
    async fn prepare(
        &self,
        plan: &LaunchPlan,
        _watcher: &dyn Watcher,
        _cancel: &CancellationToken,
    ) -> Result<(), DeployError> {
        if one_less(&self.absences) {
            return Err(DeployError::TargetGone {
                target: "the fake daemon".into(),
                message: "nobody is there".into(),
            });
        }
        match argument(plan, "--behave").as_deref() {
            Some("missing") => Err(DeployError::ProgramMissing {
                program: "fake".into(),
                searched: String::new(),
            }),
            _ => Ok(()),
        }
    }

    async fn ask(
        &self,
        _plan: &LaunchPlan,
        _arguments: &[&str],
        _patience: Duration,
        _cancel: &CancellationToken,
    ) -> Option<String> {
        None
    }

    async fn launch(
        &self,
        plan: &LaunchPlan,
        _placement: &Placement,
        label: &Label,
    ) -> Result<Deployment, DeployError> {
        self.prepare(plan, &Unwatched, &CancellationToken::new()).await?;
        if one_less(&self.failing_launches) {
            return Err(DeployError::ReservePort(std::io::Error::other("no port today")));
        }
        let behave = argument(plan, "--behave").unwrap_or_else(|| "serve".into());
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(DeployError::ReservePort)?;
        let base_url = format!(
            "http://{}",
            listener.local_addr().map_err(DeployError::ReservePort)?
        );
        let (output, code) = match behave.split_once('=').unwrap_or((&behave, "0")) {
            ("exit", code) => ("", Some(code.parse().unwrap_or(1))),
            ("print", _) => (
                "first words of the engine\nmiddle\nlast words of the engine",
                Some(3),
            ),
            ("oom", _) => (
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n",
                Some(1),
            ),
            _ => ("fake engine\n", None),
        };
        write_log(label, output)?;
        let serves = code.is_none() && behave != "never-ready";
        let server =
            serves.then(|| tokio::spawn(serve(listener, plan.served_model_name.clone())).abort_handle());
        let id = format!("fake-{}", self.launches.fetch_add(1, Ordering::SeqCst));
        let engine = FakeEngine {
            rate: argument(plan, "--rate")
                .and_then(|rate| rate.parse().ok())
                .unwrap_or(100),
            behave,
            label: label.clone(),
            base_url: base_url.clone(),
            exit: code.map(exit),
            server,
        };
        self.lock().insert(id.clone(), engine);
        let mut command = vec!["fake".to_owned()];
        command.extend(plan.arguments("127.0.0.1", 1));
        Ok(Deployment {
            base_url,
            command,
            log_file: label.log_file.clone(),
            image: None,
            container_name: self.contained.load(Ordering::SeqCst).then(|| format!("of-{id}")),
            id,
        })
    }

    async fn status(&self, deployment: &Deployment) -> Result<DeploymentStatus, DeployError> {
        Ok(match self.lock().get(&deployment.id) {
            Some(FakeEngine { behave, .. }) if behave == "interrupted" => {
                return Err(DeployError::Interrupted {
                    target: "the fake daemon".into(),
                    message: "it was started anew".into(),
                });
            }
            None => DeploymentStatus::Gone,
            Some(FakeEngine { exit: Some(exit), .. }) => DeploymentStatus::Exited(*exit),
            Some(_) => DeploymentStatus::Running,
        })
    }

    async fn logs(&self, deployment: &Deployment, lines: usize) -> Result<Vec<String>, DeployError> {
        let is_unreadable = |engine: &FakeEngine| engine.behave == "unreadable";
        if self.lock().get(&deployment.id).is_some_and(is_unreadable) {
            panic!("who reads the log has a fault");
        }
        let text = std::fs::read_to_string(&deployment.log_file).unwrap_or_default();
        let all: Vec<String> = text.lines().map(str::to_owned).collect();
        Ok(all[all.len().saturating_sub(lines)..].to_vec())
    }

    async fn stop(&self, deployment: &Deployment, _grace: Duration) -> Result<(), DeployError> {
        let engine = self.lock().remove(&deployment.id);
        let resists = match engine.as_ref().map(|engine| engine.behave.as_str()) {
            Some("immortal") => u32::MAX,
            Some("tough") => 1,
            _ => 0,
        };
        drop(engine);
        let resists = {
            let mut resisting = self.resisting.lock().unwrap_or_else(PoisonError::into_inner);
            let left = resisting.entry(deployment.id.clone()).or_insert(resists);
            let resists = *left > 0;
            *left = left.saturating_sub(1);
            resists
        };
        // The server's socket closes when its task is dropped, not when that is asked for.
        let address = deployment.base_url.trim_start_matches("http://").to_owned();
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        if resists {
            let id = deployment.id.clone();
            return Err(DeployError::StillRunning { id });
        }
        Ok(())
    }

    async fn list_ours(&self) -> Result<Vec<Owned>, DeployError> {
        let engines = self.lock();
        let owned = engines.iter().map(|(id, engine)| Owned {
            id: id.clone(),
            task: engine.label.task.clone(),
            experiment: engine.label.experiment,
            owner_alive: true,
            alive: engine.exit.is_none(),
        });
        Ok(owned.collect())
    }
}

#[async_trait]
impl Bench for FakeWorld {
    async fn measure(
        &self,
        endpoint: &Endpoint,
        workload: &Workload,
        cancel: CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Recording, BenchError> {
        let (behave, rate, id) = self
            .lock()
            .iter()
            .find(|(_, engine)| engine.base_url == endpoint.base_url)
            .map(|(id, engine)| (engine.behave.clone(), engine.rate, id.clone()))
            .expect("the worker measures an engine that runs");
        observer.progress(&Progress {
            level: 0,
            levels: 1,
            label: "fake".into(),
            warming_up: false,
            completed: 0,
            failed: 0,
            planned: workload.max_requests_per_level,
            in_flight: 0,
            errors: Vec::new(),
            live: None,
        });
        match behave.as_str() {
            "die-under-load" => {
                if let Some(engine) = self.lock().get_mut(&id) {
                    engine.exit = Some(exit(139));
                }
                cancel.cancelled().await;
                Err(BenchError::Cancelled)
            }
            "hang" | "interrupted" => {
                cancel.cancelled().await;
                Err(BenchError::Cancelled)
            }
            "panic" => panic!("the load generator has a fault"),
            "die-in-the-end" => {
                if let Some(engine) = self.lock().get_mut(&id) {
                    engine.exit = Some(exit(139));
                }
                Ok(recording(rate, 0))
            }
            "garbage" | "unreadable" => Err(BenchError::NothingSucceeded {
                first_error: "not JSON".into(),
            }),
            "half" => Ok(recording(rate, 5)),
            "slow-client" => {
                let mut recording = recording(rate, 0);
                recording.levels[0].client = Some(ClientHealth {
                    lag_p50_ns: 1_000_000_000,
                    cpu_share: 0.95,
                    ..ClientHealth::default()
                });
                Ok(recording)
            }
            _ => Ok(by_levels(rate, workload, observer).await),
        }
    }
}

/// The world, shared as both of its roles.
pub(crate) fn world() -> Arc<FakeWorld> {
    Arc::default()
}
