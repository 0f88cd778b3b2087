//! The local target: an engine is a child process of ours.
//!
//! This file is the wiring. How one engine lives and ends is in `engine`, who starts it in
//! `spawner`, how it dies with us in `guard`, what is on record in `ledger`. It does not
//! choose GPUs: it shows an engine those of its placement and hides all others.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::{LaunchPlan, Program};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Handover};
use crate::gpu::visibility::{Visibility, drivers, visibility};
use crate::instance::{Instance, OwnerState, Place, owner_state};
use crate::kin::Kin;
use crate::ledger::{self, Record};
use crate::port::{HOST, PortReservation};
use crate::program::find_program;
use crate::spawner::{Spawner, Start};
use crate::{
    DeployError, Deployer, Deployment, DeploymentStatus, Label, Listener, Owned, Placement, Question,
    Watcher, ask, blocking, logs,
};

/// How long our own launcher may take to become the engine.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a [`ProcessDeployer`] needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// Who we are.
    pub instance: Arc<Instance>,
    /// Where programs without a path are looked up: the value of `PATH`.
    pub search_path: Option<OsString>,
    /// Our own program with the hidden subcommand that calls [`crate::run_launcher`]. Without
    /// it, engines are started directly and live on when we are killed, until the next sweep.
    pub launcher: Option<Vec<OsString>>,
    /// Environment variables of ours that are no business of an engine: our secrets.
    pub withheld_variables: Vec<OsString>,
}

/// Starts engines as child processes. Dropped, it kills those that are left.
#[derive(Debug)]
pub struct ProcessDeployer {
    /// Dropped first, while the thread that started them still lives.
    engines: Mutex<HashMap<String, Arc<Engine>>>,
    spawner: Spawner,
    config: ProcessConfig,
}

impl ProcessDeployer {
    /// A deployer with no engines yet.
    ///
    /// # Errors
    /// [`DeployError::Start`] when the thread that starts engines cannot be started.
    pub fn new(config: ProcessConfig) -> Result<Self, DeployError> {
        let spawner = Spawner::new().map_err(|source| DeployError::Start {
            program: "the thread that starts engines".to_owned(),
            source,
        })?;
        Ok(Self {
            engines: Mutex::default(),
            spawner,
            config,
        })
    }

    async fn find_program(&self, plan: &LaunchPlan) -> Result<PathBuf, DeployError> {
        let Program::Local(name) = &plan.program else {
            return Err(DeployError::WrongTarget {
                wanted: "a container image",
                target: "process",
            });
        };
        let (name, search_path) = (name.clone(), self.config.search_path.clone());
        blocking(move || find_program(&name, search_path.as_deref())).await
    }

    fn engines(&self) -> MutexGuard<'_, HashMap<String, Arc<Engine>>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine(&self, deployment: &Deployment) -> Option<Arc<Engine>> {
        self.engines().get(&deployment.id).map(Arc::clone)
    }
}

#[async_trait]
impl Deployer for ProcessDeployer {
    async fn prepare(
        &self,
        plan: &LaunchPlan,
        _watcher: &dyn Watcher,
        _cancel: &CancellationToken,
    ) -> Result<(), DeployError> {
        self.find_program(plan).await.map(drop)
    }

    async fn ask(
        &self,
        plan: &LaunchPlan,
        arguments: &[&str],
        patience: Duration,
        cancel: &CancellationToken,
    ) -> Option<String> {
        let program = self.find_program(plan).await.ok()?.display().to_string();
        let question = Question {
            program: &program,
            arguments,
            environment: &plan.env,
            withheld: &self.config.withheld_variables,
            patience,
        };
        ask(question, cancel).await
    }

    async fn launch(
        &self,
        plan: &LaunchPlan,
        placement: &Placement,
        label: &Label,
    ) -> Result<Deployment, DeployError> {
        let program = self.find_program(plan).await?;
        let port = PortReservation::take().map_err(DeployError::ReservePort)?;
        let base_url = format!("http://{HOST}:{}", port.port());
        let arguments = plan.arguments(&HOST.to_string(), port.port());
        let name = program.display().to_string();
        let command = std::iter::once(name.clone())
            .chain(arguments.iter().cloned())
            .collect();
        let Visibility { set, withheld } = match placement.has_all_gpus {
            true => Visibility::default(),
            false => visibility(&placement.gpus, &drivers(Path::new("/dev")), &plan.env),
        };
        let mut environment = plan.env.clone();
        environment.extend(set);
        let withheld = withheld.into_iter().map(Into::into);
        let start = Start {
            instance: Arc::clone(&self.config.instance),
            label: label.clone(),
            program,
            arguments,
            environment,
            withheld: withheld
                .chain(self.config.withheld_variables.iter().cloned())
                .collect(),
            launcher: self.config.launcher.clone(),
            port,
        };
        let (engine, handover) = self.spawner.start(start).await?;
        let engine = Arc::new(engine);
        if let Err(source) = handed_over(handover).await {
            Arc::clone(&engine).end(Duration::ZERO).await?;
            return Err(DeployError::Start {
                program: name,
                source,
            });
        }
        let id = format!("{}-{}", engine.pid(), engine.number());
        self.engines().insert(id.clone(), engine);
        Ok(Deployment {
            id,
            base_url,
            command,
            log_file: label.log_file.clone(),
            image: None,
            container_name: None,
        })
    }

    async fn status(&self, deployment: &Deployment) -> Result<DeploymentStatus, DeployError> {
        Ok(match self.engine(deployment).map(|engine| engine.exit()) {
            None => DeploymentStatus::Gone,
            Some(None) => DeploymentStatus::Running,
            Some(Some(exit)) => DeploymentStatus::Exited(exit),
        })
    }

    async fn listener(&self, deployment: &Deployment) -> Result<Listener, DeployError> {
        match self.engine(deployment) {
            None => Ok(Listener::Nobody),
            Some(engine) => blocking(move || engine.listener()).await,
        }
    }

    async fn logs(&self, deployment: &Deployment, lines: usize) -> Result<Vec<String>, DeployError> {
        let path = deployment.log_file.clone();
        blocking(move || logs::tail(&path, lines).map_err(DeployError::file("read", &path))).await
    }

    async fn stop(&self, deployment: &Deployment, grace: Duration) -> Result<(), DeployError> {
        let Some(engine) = self.engine(deployment) else {
            return Ok(());
        };
        match engine.end(grace).await {
            Err(DeployError::StillRunning { id }) => Err(DeployError::StillRunning {
                id: format!("{} {id}", deployment.id),
            }),
            Err(other) => Err(other),
            Ok(()) => {
                self.engines().remove(&deployment.id);
                Ok(())
            }
        }
    }

    async fn list_ours(&self) -> Result<Vec<Owned>, DeployError> {
        let instances = self.config.instance.instances().to_owned();
        blocking(move || {
            let here = Place::here().map_err(DeployError::ListProcesses)?;
            let mut found = Vec::new();
            for folder in ledger::instance_folders(&instances)? {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let owner_alive = owner_state(&instances, &name)? == OwnerState::Alive;
                for record in ledger::read_records(&folder)?.records {
                    found.push(owned(record, owner_alive, &here)?);
                }
            }
            Ok(found)
        })
        .await
    }
}

/// Waits until the launcher has become the engine. One whose watcher is gone has ended.
async fn handed_over(handover: Handover) -> std::io::Result<()> {
    match timeout(HANDOVER_TIMEOUT, handover).await {
        Ok(report) => report.unwrap_or(Ok(())),
        Err(_) => Err(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "the launcher did not hand over to the program",
        )),
    }
}

fn owned(record: Record, owner_alive: bool, here: &Place) -> Result<Owned, DeployError> {
    let Record {
        task,
        experiment,
        mark,
        place,
        started,
        ..
    } = record;
    let number = ledger::number_of(&mark);
    let id = match started {
        Some(identity) => format!("{}-{number}", identity.pid),
        None => mark.clone(),
    };
    let kin = Kin {
        leaders: started.into_iter().collect(),
        mark,
    };
    Ok(Owned {
        id,
        task,
        experiment,
        owner_alive,
        alive: place.shares_process_ids(here) && kin.is_alive()?,
    })
}
