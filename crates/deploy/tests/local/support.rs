//! A place to deploy in, plans for the test engine, and eyes on the processes there are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{Arg, LaunchPlan, Limits, Program};
use autotuner_deploy::process::{ProcessConfig, ProcessDeployer};
use autotuner_deploy::{Deployment, Instance, Label};
use tempfile::TempDir;

use crate::common::wait_until;
pub(crate) use crate::common::{records, unique_name};

/// The test engine's program.
pub(crate) const ENGINE: &str = env!("CARGO_BIN_EXE_deploy-test-engine");

/// Longest wait for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A deployer in folders of its own.
pub(crate) struct World {
    pub(crate) deployer: ProcessDeployer,
    pub(crate) instance: String,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn guarded() -> Self {
        Self::with_launcher(Some(&[ENGINE, "launch"]))
    }

    pub(crate) fn direct() -> Self {
        Self::with_launcher(None)
    }

    pub(crate) fn with_launcher(launcher: Option<&[&str]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let instance = unique_name();
        let claimed = Instance::claim(&folder.path().join("instances"), &instance).unwrap();
        let deployer = ProcessDeployer::new(ProcessConfig {
            instance: Arc::new(claimed),
            search_path: None,
            launcher: launcher.map(|words| words.iter().map(Into::into).collect()),
            withheld_variables: vec!["CARGO_MANIFEST_DIR".into()],
        });
        Self {
            deployer: deployer.unwrap(),
            instance,
            folder,
        }
    }

    pub(crate) fn instances(&self) -> PathBuf {
        self.folder.path().join("instances")
    }

    pub(crate) fn label(&self) -> Label {
        Label {
            task: "a task".to_owned(),
            experiment: 4,
            attempt: 1,
            log_file: self.folder.path().join("logs/engine.log"),
        }
    }

    /// Every file of the instance but the one that says whose it is.
    pub(crate) fn records(&self) -> Vec<String> {
        records(&self.instances().join(&self.instance))
    }
}

pub(crate) fn plan(arguments: &[&str]) -> LaunchPlan {
    plan_of(ENGINE, arguments)
}

/// Arguments with `HOST` and `PORT` left open.
pub(crate) fn plan_of(program: &str, arguments: &[&str]) -> LaunchPlan {
    let argument = |text: &&str| match *text {
        "HOST" => Arg::Host,
        "PORT" => Arg::Port,
        text => text.into(),
    };
    LaunchPlan {
        program: Program::Local(program.to_owned()),
        args: arguments.iter().map(argument).collect(),
        env: BTreeMap::new(),
        gpus: 0,
        ready_paths: vec!["/health".to_owned()],
        served_model_name: "model".to_owned(),
        start_timeout: PATIENCE,
        mounts: vec![],
        uses_hub: false,
        limits: Limits::default(),
    }
}

/// The process id in a local deployment's name.
pub(crate) fn pid_of(deployment: &Deployment) -> i32 {
    deployment.id.split('-').next().unwrap().parse().unwrap()
}

/// Whether the process runs: zombies do not.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat).into_owned();
    stat.rsplit_once(") ")
        .is_some_and(|(_, fields)| !fields.starts_with(['Z', 'X']))
}

/// When a process started, by the kernel's clock.
pub(crate) fn start_ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(19).unwrap().parse().unwrap()
}

/// The living processes whose environment holds this text.
pub(crate) fn processes_with(text: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let holds_it = environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == text.as_bytes());
        if holds_it && is_alive(pid) {
            found.push(pid);
        }
    }
    found
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    wait_until(PATIENCE, what, condition).await;
}
