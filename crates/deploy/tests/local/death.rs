//! What happens to engines when we are killed: some die with us, the sweep gets the others.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use autotuner_deploy::{OwnerState, SweepReport, owner_state, sweep};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::support::{ENGINE, is_alive, processes_with, records, until};

const GRACE: Duration = Duration::from_millis(200);

/// Another process that has deployed an engine.
struct Owner {
    process: Child,
    name: String,
}

impl Owner {
    async fn start(folder: &Path, behaviour: &str, guard: &str) -> Self {
        let mut process = Command::new(ENGINE)
            .arg("own")
            .arg(folder.join("instances"))
            .arg(folder.join("engine.log"))
            .args([behaviour, guard])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let name = format!("owner-{}", process.id().unwrap());
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("deployed"));
        let owner = Self { process, name };
        let has_become_itself = async || owner.engines().len() >= if behaviour == "parent" { 2 } else { 1 };
        until("the engine", has_become_itself).await;
        owner
    }

    /// The processes it started, and theirs.
    fn engines(&self) -> Vec<i32> {
        processes_with(&format!("AUTOTUNER_INSTANCE={}", self.name))
    }

    async fn is_killed(&mut self) {
        self.process.kill().await.unwrap();
    }
}

/// A test that fails leaves nothing behind either.
impl Drop for Owner {
    fn drop(&mut self) {
        for pid in self.engines() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

fn folders() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let instances = folder.path().join("instances");
    (folder, instances)
}

async fn swept(instances: &Path) -> SweepReport {
    sweep(instances, GRACE, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_guarded_engine_dies_with_us() {
    let (folder, instances) = folders();
    let mut owner = Owner::start(folder.path(), "stubborn", "guarded").await;
    owner.is_killed().await;
    until("the engine's death", async || owner.engines().is_empty()).await;
    let report = swept(&instances).await;
    let expected = SweepReport {
        already_gone: 1,
        ..SweepReport::default()
    };
    assert_eq!(report, expected);
    assert!(!instances.join(&owner.name).exists());
}

#[tokio::test]
async fn an_unguarded_engine_outlives_us_and_is_swept() {
    let (folder, instances) = folders();
    let mut owner = Owner::start(folder.path(), "stubborn", "direct").await;
    assert_eq!(owner_state(&instances, &owner.name).unwrap(), OwnerState::Alive);
    owner.is_killed().await;
    assert_eq!(owner_state(&instances, &owner.name).unwrap(), OwnerState::Dead);
    let engines = owner.engines();
    assert_eq!(engines.len(), 1, "this is the case that the guard is for");
    let report = swept(&instances).await;
    let [stopped] = &report.stopped[..] else {
        panic!("{report:?}")
    };
    assert_eq!((stopped.task.as_str(), stopped.experiment), ("owned task", 7));
    assert_eq!((&stopped.instance, &stopped.process_ids), (&owner.name, &engines));
    assert!(!is_alive(engines[0]) && report.problems.is_empty());
    assert!(!instances.join(&owner.name).exists());
    assert_eq!(
        swept(&instances).await,
        SweepReport::default(),
        "there is nothing left to sweep"
    );
}

#[tokio::test]
async fn what_a_dead_engine_left_behind_is_swept() {
    let (folder, instances) = folders();
    let mut owner = Owner::start(folder.path(), "parent", "guarded").await;
    owner.is_killed().await;
    until("the engine's death", async || owner.engines().len() == 1).await;
    let runaway = owner.engines();
    let report = swept(&instances).await;
    assert_eq!(report.stopped.len(), 1, "{report:?}");
    assert_eq!(report.stopped[0].process_ids, runaway);
    assert!(owner.engines().is_empty());
}

#[tokio::test]
async fn a_living_owner_is_spared() {
    let (folder, instances) = folders();
    let owner = Owner::start(folder.path(), "serve", "guarded").await;
    let engines = owner.engines();
    let expected = SweepReport {
        kept_alive_owner: vec![owner.name.clone()],
        ..SweepReport::default()
    };
    assert_eq!(swept(&instances).await, expected);
    assert_eq!(owner.engines(), engines);
    assert_eq!(records(&instances.join(&owner.name)).len(), 1);
}

#[tokio::test]
async fn sweeps_at_the_same_time_share_the_work() {
    let (folder, instances) = folders();
    let mut owners = Vec::new();
    for _ in 0..3 {
        owners.push(Owner::start(folder.path(), "stubborn", "direct").await);
    }
    for owner in &mut owners {
        owner.is_killed().await;
    }
    let (one, other) = tokio::join!(swept(&instances), swept(&instances));
    assert_eq!(one.stopped.len() + other.stopped.len(), 3, "{one:?} {other:?}");
    assert!(
        one.problems.is_empty() && other.problems.is_empty(),
        "{one:?} {other:?}"
    );
    for owner in &owners {
        assert!(owner.engines().is_empty());
        assert!(!instances.join(&owner.name).exists());
    }
}

#[tokio::test]
async fn a_cancelled_sweep_leaves_the_rest_for_the_next() {
    let (folder, instances) = folders();
    let mut owner = Owner::start(folder.path(), "stubborn", "direct").await;
    owner.is_killed().await;
    let cancel = CancellationToken::new();
    let cancel_it = async {
        // It cannot end by itself: the engine does not heed, and the grace is long.
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(sweep(&instances, Duration::from_secs(3600), &cancel), cancel_it);
    assert_eq!(
        report.unwrap().problems,
        ["the sweep was cancelled before it was done"]
    );
    assert_eq!(owner.engines().len(), 1);
    until("the lock of the cancelled sweep is free", async || {
        owner_state(&instances, &owner.name).unwrap() == OwnerState::Dead
    })
    .await;
    assert_eq!(swept(&instances).await.stopped.len(), 1);
    assert!(owner.engines().is_empty());
}
